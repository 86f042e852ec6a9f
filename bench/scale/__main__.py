"""calor-mpi on machines that are not here: constants from small runs, a simulation of the messages, and what that says of larger ones.

    .venv/bin/python bench/scale measure [--constants FILE]        small runs of build-mpi/calor-mpi; writes the constants
    .venv/bin/python bench/scale check [--constants FILE]          larger runs in 2 and 4 processes beside their simulation
    .venv/bin/python bench/scale plan [--constants FILE] [--bandwidth B] [--latency S] [--threads T] [--no-overlap]

CALOR_MPI_BUILD names another folder than build-mpi (cmake --build build-mpi --target calor-mpi calor-ping)."""
import argparse
import json
import pathlib
import sys

import measure
from plan import plan
from simulation import Machine

CONSTANTS = pathlib.Path(__file__).with_name("constants.json")


def machine_of(found):
    """Messages of processes that share processors move while both wait (docs/scale.md)."""
    return Machine(found["shared memory"]["latency"], found["shared memory"]["bandwidth"], overlap=False)


def main():
    parser = argparse.ArgumentParser(prog="bench/scale", description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["measure", "check", "plan"])
    parser.add_argument("--constants", type=pathlib.Path, default=CONSTANTS, help="what measure found (bench/scale/constants.json)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of which the least counts (3)")
    parser.add_argument("--bandwidth", type=float, default=25e9, help="plan: bytes a second out of a process, and into it (25e9)")
    parser.add_argument("--latency", type=float, default=1e-6, help="plan: seconds (1e-6)")
    parser.add_argument("--threads", type=int, default=16, help="plan: processors of a process (16), all as fast as this machine's")
    parser.add_argument("--no-overlap", dest="overlap", action="store_false", help="plan: messages move only while both processes wait")
    options = parser.parse_args()
    if options.what == "measure":
        found = measure.with_folder(lambda folder: {**measure.constants(folder, options.repeats), "attention": measure.attention(options.repeats), "messages": measure.ping()})
        options.constants.parent.mkdir(parents=True, exist_ok=True)
        options.constants.write_text(json.dumps(found, indent=1) + "\n")
        print(options.constants.read_text(), end="")
        return 0
    found = json.loads(options.constants.read_text())
    if options.what == "plan":
        plan(found, Machine(options.latency, options.bandwidth, options.overlap), options.threads)
        return 0
    print(f"{'':24} {'processes':>9} {'measured':>12} {'simulated':>12} {'ratio':>6}")

    def table(folder):
        for name, processes, stage, what, real, simulated in measure.check(folder, found, machine_of(found["messages"]), options.repeats):
            print(f"{name + ' ' + stage:24} {processes:9} {real:12.4g} {simulated:12.4g} {simulated / real if real else float('nan'):6.2f}  {what}", flush=True)
    measure.with_folder(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
