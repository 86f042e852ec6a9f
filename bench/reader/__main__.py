"""Calor's reader of tables beside pandas' C reader, on one table written with 6 and with 17 digits.

    .venv/bin/python bench/reader [--rows N] [--columns N] [--rounds R]

The values are compared before a time is shown: all have the same bits.  Every run is a process of its own; they take turns, and the medians
are shown.  CALOR_BENCH_READER names another program than
build/bench/calor_bench_reader."""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import pandas

READER = os.environ.get("CALOR_BENCH_READER", str(pathlib.Path(__file__).resolve().parents[2] / "build" / "bench" / "calor_bench_reader"))
PEER = """
import pathlib, re, sys, time
import pandas
clock, processor = time.perf_counter(), time.process_time()
table = pandas.read_csv(sys.argv[1], engine="c")
clock, processor = time.perf_counter() - clock, time.process_time() - processor
print(*table.shape, clock, processor, re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
"""


def write(path, values, form):
    line = ",".join([form] * values.shape[1]) + "\n"
    with open(path, "w") as file:
        file.write(",".join(f"c{c}" for c in range(values.shape[1])) + "\n")
        file.writelines(line % tuple(row) for row in values)


def timed(*words):
    """Seconds by the clock, of the processor, MiB."""
    found = subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True).stdout.split()
    return float(found[2]), float(found[3]), float(found[4]) / 1024


def compare(path, folder):
    kept = folder / "values.npy"
    subprocess.run([READER, path, "0", kept], check=True, capture_output=True)
    ours, peer = np.load(kept), pandas.read_csv(path, engine="c").to_numpy()
    kept.unlink()
    assert ours.shape == peer.shape, f"expected {peer.shape} values, found {ours.shape}"
    other = int(np.count_nonzero(ours.view(np.int64) != np.ascontiguousarray(peer).view(np.int64)))
    assert other == 0, f"expected the values that pandas reads, found {other} others"


def main():
    parser = argparse.ArgumentParser(prog="bench/reader", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=7, help="how often each run is repeated (7)")
    options = parser.parse_args()
    values = np.random.default_rng(0).standard_normal((options.rows, options.columns))
    print(f"{options.rows:,} x {options.columns}, pandas {pandas.__version__}; seconds by the clock, of the processor, and the most memory of the process")
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        for form in ("%.6g", "%.17g"):
            path = folder / "table.csv"
            write(path, values, form)
            compare(path, folder)
            runs = {"calor": (READER, path), "calor, one thread": (READER, path, 1), "pandas": (sys.executable, "-c", PEER, path)}
            found = {name: [] for name in runs}
            for _ in range(options.rounds):
                for name, words in runs.items():
                    found[name].append(timed(*words))
            medians = {name: [statistics.median(figures) for figures in zip(*times)] for name, times in found.items()}
            print(f"{form}, {path.stat().st_size / 1e6:.0f} MB; the values are the same")
            for name, (clock, processor, memory) in medians.items():
                ahead = medians["pandas"][0] / clock
                print(f"  {name:<18} {clock:6.3f} s  {processor:6.3f} s  {memory:6.0f} MiB" + ("" if name == "pandas" else f"   {ahead:.2f} x as fast as pandas"), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
