"""Recipes against their peers in Python, on Fashion-MNIST, one thread each, in turn.

    OMP_NUM_THREADS=1 .venv/bin/python bench/recipes [NAME ...] [--size N] [--rounds R]

A benchmark is a module here with SIZES and measure(size, rounds), which gives the lines to print.  Every answer is compared with
the peer's before a time is printed.  CALOR names another program than build/calor."""
import argparse
import importlib
import os
import sys

os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")})

BENCHMARKS = ("knn", "k_means", "isomap", "lle", "laplacian", "diffusion", "mds", "maps", "map_seeds", "all_maps", "kl_seeds",
              "mcl", "fuzzy", "svm", "million")
LONG = ("million",)  # runs only when it is named


def main():
    parser = argparse.ArgumentParser(prog="bench/recipes", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(BENCHMARKS) + "; all but " + ", ".join(LONG) + " when none is given")
    parser.add_argument("--size", type=int, help="number of points, instead of each benchmark's own")
    parser.add_argument("--rounds", type=int, default=3, help="how often each run is repeated (3)")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"expected of {', '.join(BENCHMARKS)}, found {', '.join(unknown)}")
    for name in options.names or [name for name in BENCHMARKS if name not in LONG]:
        benchmark = importlib.import_module(name)
        for size in (options.size,) if options.size else benchmark.SIZES:
            for line in benchmark.measure(size, options.rounds):
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
