"""Instructions of the kernels under valgrind's callgrind, on AVX2, and the baseline that they are compared with.

Counts, unlike seconds, are the same on a busy machine and on another one; they do not show what waits for memory.  Valgrind 3.19 does not know AVX-512, so
AVX2's kernels are the ones that are counted, on machines that have more too."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("CALOR_COUNT_INSTRUCTIONS", ROOT / "build" / "bench" / "calor_count_instructions"))
BASELINE = ROOT / "bench" / "baseline" / "instructions.json"
TOLERANCE = 0.02  # counts repeat within 1e-4; the rest is for libraries of the same version with other patches
RENEW = "`make baseline` renews the baseline where this is meant"
ENVIRONMENT = {"CALOR_ISA": "avx2", "OMP_NUM_THREADS": "1", "LD_BIND_NOW": "1"}


class NotHere(Exception):
    """Why nothing can be counted on this machine."""


def _run(command, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, env={**os.environ, **ENVIRONMENT}, **options)


def tools():
    """What decides the counts, and the names of the kernels.  Raises NotHere."""
    if not shutil.which("valgrind"):
        raise NotHere("valgrind is not installed: tools/setup test does it where apt has it")
    if not PROGRAM.exists():
        raise FileNotFoundError(f"{PROGRAM} is missing: run `cmake --build build --target calor_count_instructions`")
    done = _run([PROGRAM, "--list"])
    if done.returncode == 2:
        raise NotHere(f"this machine cannot run AVX2: {done.stderr.strip()}")
    done.check_returncode()
    document = json.loads(done.stdout)
    if not document["can_count"]:
        raise NotHere(f"{PROGRAM.name} was compiled where valgrind's headers were missing: remove {PROGRAM.parent}/CMakeFiles/{PROGRAM.name}.dir and build again")
    valgrind = _run(["valgrind", "--version"], check=True).stdout.strip()
    return {**document["tools"], "valgrind": valgrind}, document["kernels"]


def _counted(names, folder):
    out = folder / "counts"
    done = _run(["valgrind", "--tool=callgrind", "--instr-atstart=no", "--dump-line=no", f"--callgrind-out-file={out}", PROGRAM, *names])
    if done.returncode:
        raise RuntimeError(f"valgrind ended with {done.returncode}: {done.stderr[-2000:]}")
    counts = {}
    for number, name in enumerate(json.loads(done.stdout)["kernels"], 1):
        text = (folder / f"counts.{number}").read_text(encoding="utf-8", errors="replace")
        assert f"desc: Trigger: Client Request: {name}\n" in text, f"counts.{number} is not of {name}"
        counts[name] = int(re.search(r"^totals: (\d+)", text, re.M)[1])
        assert counts[name] > 0, f"nothing was counted of {name}"
    return counts


def count(names, processes=2):
    """Instructions of each kernel of these names, by as many processes."""
    shares = [share for share in (names[i::processes] for i in range(processes)) if share]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(processes) as pool:
        folders = [pathlib.Path(folder) / str(i) for i in range(len(shares))]
        for one in folders:
            one.mkdir()
        found = {name: value for counts in pool.map(_counted, shares, folders) for name, value in counts.items()}
    return {name: found[name] for name in names}


def read():
    return json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {"schema": 1, "tools": {}, "counts": {}}


def write(tools_, counts):
    """A line a kernel, so that changes are read and merged line by line."""
    lines = ",\n".join(f"  {json.dumps(name)}: {value}" for name, value in counts.items())
    BASELINE.parent.mkdir(exist_ok=True)
    BASELINE.write_text(f'{{"schema": 1,\n "tools": {json.dumps(tools_, sort_keys=True)},\n "counts": {{\n{lines}\n }}}}\n', encoding="utf-8")


def differing(found, recorded):
    """In words, what the counts were made with there and here; "" where nothing differs."""
    return ", ".join(f"{name} {recorded.get(name, 'none')} there, {found.get(name, 'none')} here" for name in sorted({*found, *recorded}) if found.get(name) != recorded.get(name))


def verdict(name, found, recorded):
    """What is wrong with a count, or None."""
    if found <= recorded * (1 + TOLERANCE):
        return None
    return f"{name}: {found:,} instructions, {100 * (found / recorded - 1):.1f} % above the baseline of {recorded:,} (tolerance {100 * TOLERANCE:.0f} %). {RENEW}"
