"""Constants of the simulation from small runs of calor-mpi, and larger runs to check it against.

Processor seconds of each process less those within calls of MPI, the least of several runs: the machine may be busy with others."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from simulation import Run
from work import PROGRAMS, Case

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CALOR_MPI_BUILD", ROOT / "build-mpi"))
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
               "OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_mpi_yield_when_idle": "1"}
DIM, K = 16, 15
KNN_DIM, CLUSTERS, STEPS = 64, 20, 10
PIPELINES = {"knn": f"knn({K})", "diffusion-map": "diffusion-map", "k-means": f"centres({CLUSTERS}, starts=1, max_iterations={STEPS})",
             "draws": f"centres({CLUSTERS}, starts=1, max_iterations=0)"}
DIMS = {"knn": KNN_DIM, "diffusion-map": DIM, "k-means": DIM, "draws": DIM}
# Rows of the small runs, and of those that check.
SMALL = {"knn": (6000, 12000), "diffusion-map": (1500, 3000), "k-means": (40000, 80000)}
LARGE = {"knn": 18000, "diffusion-map": 4500, "k-means": 160000}


def launched(words):
    return subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout


def points(folder, name, rows):
    path = folder / f"{name}-{rows}.npy"
    if not path.exists():
        np.save(path, np.random.default_rng(rows).standard_normal((rows, DIMS[name])))  # without clusters nothing is screened: every pair costs the same
    return path


def computed(stage):
    return stage["processor_seconds"] - stage["waiting_processor_seconds"]


def run(folder, name, rows, processes, repeats):
    """By stage, the list of every process's record, with the least computed seconds of the repeats."""
    least = None
    for _ in range(repeats):
        done = json.loads(launched(["mpirun", "-n", processes, BUILD / "calor-mpi", "run", PIPELINES[name], points(folder, name, rows), "--threads", 1, "--json", "--quiet"]))
        names = [stage["text"].split("(")[0] for stage in done["stages"] if stage["depth"] == 0]
        found = {stage: [{**one["stages"][s], "computed": computed(one["stages"][s])} for one in done["processes"]] for s, stage in enumerate(names)}
        if least is None:
            least = found
        for stage, records in found.items():
            for record, best in zip(records, least[stage]):
                for kind in ("computed", "seconds"):
                    best[kind] = min(best[kind], record[kind])
    return least


def proportion(seconds, pairs):
    return [float(np.dot(seconds, pairs) / np.dot(pairs, pairs)), 0.0]


def fitted(seconds, pairs, rows):
    """a pairs + b rows (or, for rows of 1, a part of its own) through two runs; without the second part where that came out below 0."""
    a, b = np.linalg.solve(np.column_stack([pairs, rows]), seconds)
    return [a, b] if a > 0 and b >= 0 else proportion(seconds, pairs)


def products_of(record):
    return record["collectives"] - 2  # one call is for the number of factors, one for the vectors


def constants(folder, repeats):
    found = {}
    small = SMALL["knn"]
    one, two = ([run(folder, "knn", n, p, repeats)["knn"] for n in small] for p in (1, 2))
    found["knn own"] = fitted([records[0]["computed"] for records in one], [n * n for n in small], small)
    half = [n // 2 for n in small]
    # Of two processes, each has one block of its own and one of the other's.
    other = [np.mean([record["computed"] for record in records]) - found["knn own"][0] * n * n - found["knn own"][1] * n for records, n in zip(two, half)]
    found["knn other"] = fitted(other, [n * n for n in half], half)

    small = SMALL["diffusion-map"]
    runs = [run(folder, "diffusion-map", n, 1, repeats) for n in small]
    # A part of exp(auto) is the same in every process: the curve over the counts of distances.
    shared = run(folder, "diffusion-map", small[1], 2, repeats)["exp"]
    found["exp"] = fitted([runs[1]["exp"][0]["computed"], float(np.mean([record["computed"] for record in shared]))], [small[1] ** 2, small[1] ** 2 / 2], (1, 1))
    for stage in ("two_side", "row"):
        found[stage] = fitted([one[stage][0]["computed"] for one in runs], [n * n for n in small], small)
    found["product"] = fitted([one["eigen"][0]["computed"] / products_of(one["eigen"][0]) for one in runs], [n * n for n in small], small)

    small = SMALL["k-means"]
    draws, all_of = ([run(folder, name, n, 1, repeats)["centres"][0]["computed"] for n in small] for name in ("draws", "k-means"))
    trials = 2 + int(np.log(CLUSTERS))
    found["draw"] = proportion([seconds / (CLUSTERS - 1) for seconds in draws], [n * trials for n in small])
    found["step"] = proportion([(seconds - before) / STEPS for seconds, before in zip(all_of, draws)], [n * CLUSTERS for n in small])
    return found


ATTENTION = """
import sys, time, torch
torch.set_num_threads(1)
from calor.ops import attention
least = float("inf")
q, k, v = (torch.randn(1, 1, 4096, 64) for _ in range(3))
for _ in range(int(sys.argv[1])):
    begin = time.process_time()
    attention(q, k, v)
    least = min(least, time.process_time() - begin)
print(least / 4096**2)
"""


def attention(repeats):
    """Seconds of a query and a key of 64 numbers in float32, by the streamed kernel on one thread; CALOR_TORCH_LIBRARY or an installed package has it."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")])}
    return [float(subprocess.run([sys.executable, "-c", ATTENTION, str(5 * repeats)], check=True, capture_output=True, text=True, env=environment).stdout), 0.0]


def ping():
    """Latency and bandwidth of the MPI library: through shared memory, and through TCP on the loopback device."""
    found = {}
    for name, ways in (("shared memory", "self,vader"), ("loopback", "self,tcp")):
        lines = launched(["mpirun", "-n", 2, "--mca", "btl", ways, "--mca", "btl_tcp_if_include", "lo", BUILD / "calor-ping"]).split("\n")
        times = {int(size): float(seconds) for size, seconds in (line.split() for line in lines if line)}
        found[name] = {"latency": times[8], "bandwidth": max(times) / times[max(times)]}
    return found


def check(folder, constants, machine, repeats):
    """Yields (name, processes, stage, what, measured, simulated)."""
    for name, rows in LARGE.items():
        for processes in (2, 4):
            real = run(folder, name, rows, processes, repeats)
            case = Case(rows, DIMS[name], processes, k=CLUSTERS if name == "k-means" else K, steps=STEPS,
                        products=products_of(real["eigen"][0]) if "eigen" in real else 0)
            simulated = Run(machine, processes, PROGRAMS[name](case, constants))
            ended = 0
            for stage in simulated.processes[0].stages:
                yield (name, processes, stage, "most computed, s", max(one["computed"] for one in real[stage]), max(one.stages[stage][0] for one in simulated.processes))
                end = max(one.stages[stage][2] for one in simulated.processes)
                yield name, processes, stage, "by the clock, s", max(one["seconds"] for one in real[stage]), end - ended
                ended = end
            messages = [sum(records[p]["message_bytes"] for records in real.values()) for p in range(processes)]
            if name == "knn":
                yield name, processes, "knn", "bytes of messages", max(messages), max(one.sent for one in simulated.processes)


def with_folder(use):
    with tempfile.TemporaryDirectory() as folder:
        return use(pathlib.Path(folder))
