"""The command line as a user calls it: fixtures for running build/calor and for small files."""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALOR = pathlib.Path(os.environ.get("CALOR_BINARY", ROOT / "build" / "calor"))


# compare's exit codes where the epochs may be too few for any run to learn.
SHORT = (0, 5)


@pytest.fixture(scope="session")
def calor():
    """calor("data", "--json", code=0) runs the command, checks its exit code (one, or one of several) and returns the finished
    process."""
    assert CALOR.exists(), f"{CALOR} is missing: run `make build`"

    def run(*words, code=0, **options):
        options.setdefault("cwd", ROOT)
        done = subprocess.run([str(CALOR), *map(str, words)], capture_output=True, text=True, timeout=300, **options)
        assert done.returncode in (code if isinstance(code, tuple) else (code,)), f"{words}: exit {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
        return done

    return run


def two_blobs(rows=40, header=True, label="kind", names=("left", "right")):
    """A csv of two well separated blobs, deterministic, with a text label."""
    lines = [f"a,b,{label}"] if header else []
    for i in range(rows):
        side = i % 2
        wobble = ((i * 7919) % 101) / 101 - 0.5
        lines.append(f"{4 * side - 2 + wobble:.6f},{wobble * wobble - side:.6f},{names[side]}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def blobs(tmp_path):
    path = tmp_path / "blobs.csv"
    path.write_text(two_blobs())
    return path
