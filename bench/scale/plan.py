"""What larger machines would take, by the simulation: the table of docs/scale.md.  Points have as many numbers as those that the constants were measured on."""
from measure import DIM, KNN_DIM
from simulation import Run
from work import PROGRAMS, Case


def told(seconds):
    for unit, size in (("years", 365.25 * 86400), ("days", 86400), ("h", 3600), ("min", 60), ("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return "0"


def line(name, case, machine, constants, note=""):
    run = Run(machine, case.processes, PROGRAMS[name](case, constants))
    computed, waited, sent = (max(getattr(one, part) for one in run.processes) for part in ("computed", "waited", "sent"))
    print(f"{name:14} {case.rows:>13,} x {case.dim:<3} {case.processes:>4} {told(run.seconds):>11} {told(computed):>11} {told(waited):>11} {sent / 1e9:>8.3g} GB  {note}", flush=True)


def plan(constants, machine, threads):
    moves = "move while processes compute" if machine.overlap else "move while both processes wait"
    print(f"latency {machine.latency:g} s, {machine.bandwidth:g} bytes/s, {threads} processors a process; messages {moves}")
    print(f"{'':14} {'points':>19} {'P':>4} {'time':>11} {'computing':>11} {'waiting':>11} {'sent by one':>11}")
    for processes in (1, 16, 64):
        line("knn", Case(10**6, KNN_DIM, processes, threads=threads), machine, constants)
    for processes in (64, 256):
        line("knn", Case(10**9, KNN_DIM, processes, threads=threads), machine, constants)
    for processes in (16, 64):
        line("diffusion-map", Case(10**6, DIM, processes, threads=threads), machine, constants, f"{8 * 10**12 / processes / 1e9:,.0f} GB of scores a process")
    for processes in (16, 64):
        line("k-means", Case(10**9, DIM, processes, k=100, steps=100, threads=threads), machine, constants, "k = 100, one start of 100 steps")
    for processes in (1, 16, 64):
        line("attention", Case(10**6, 64, processes, threads=threads), machine, constants, "one head, forward")
