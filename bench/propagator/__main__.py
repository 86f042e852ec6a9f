"""The propagator against tuned baselines of scikit-learn, seed by seed on the same splits, with paired tests.

    .venv/bin/python bench/propagator [SET ...] [--seeds N] [--results FILE]

CALOR names another program than build/calor; CALOR_DATA the folder with mnist/ and svm/.  Results are kept in FILE after every seed, and a
second call goes on from there.  Exits with 1 where all seeds of a set have run and the propagator's mean is outside its reference's interval."""
import argparse
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
from scipy.stats import ttest_rel, wilcoxon

import baselines
from sets import SETS

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALOR = os.environ.get("CALOR", str(ROOT / "build" / "calor"))


def propagator(folder, x, y, test, other, flags, seed):
    np.savez(folder / "train.npz", X=x, y=y)
    np.savez(folder / "test.npz", X=test, y=other)
    done = subprocess.run([CALOR, "train", folder / "train.npz", "--test", folder / "test.npz", "--model", "propagator", *flags, "--seed",
                           str(seed), "--json", "-q"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def one_seed(name, seed, folder):
    data = SETS[name]
    x, y, test, other = data.split(seed)
    found = propagator(folder, x, y, test, other, data.flags, seed)
    accuracy = {"propagator": found["quality"]["accuracy"], "untrained": found["untrained_quality"]["accuracy"]}
    accuracy |= baselines.all_of(x, y, test, other, data.standardised, found["parameters"], seed)
    quality = {key: found["quality"][key] for key in ("log_loss", "brier", "calibration_error")}
    return {"accuracy": accuracy, "noise": found["noise"], "seconds": found["seconds"], "quality": quality}


def lines(name, runs):
    methods = {method: 100 * np.array([run["accuracy"][method] for run in runs]) for method in runs[0]["accuracy"]}
    ours = methods["propagator"]
    yield f"{name}, {len(runs)} seeds"
    for method, found in methods.items():
        text = f"  {method:<22} {found.mean():6.2f} +- {found.std(ddof=1) if len(found) > 1 else 0:.2f}"
        if method != "propagator":
            difference = ours - found
            p = wilcoxon(difference).pvalue if np.any(difference) and len(runs) > 1 else 1.0
            t = ttest_rel(ours, found).pvalue if np.any(difference) and len(runs) > 1 else 1.0
            text += f"   propagator {difference.mean():+.2f}, better {int((difference > 0).sum())} worse {int((difference < 0).sum())}, Wilcoxon p {p:.4f}, t p {t:.2g}"
        elif SETS[name].reference:
            text += "   reference {:.2f} +- {:.2f}: ".format(*SETS[name].reference) + ("outside" if outside_interval(name, runs) else "within") + " its interval"
        yield text
    best = max((method for method in methods if method not in ("propagator", "untrained")), key=lambda method: methods[method].mean())
    means = {key: np.mean([run["quality"][key] for run in runs]) for key in runs[0]["quality"]}
    yield f"  best baseline: {best}; log-loss {means['log_loss']:.3f}, Brier {means['brier']:.3f}, calibration error {means['calibration_error']:.3f}; " \
          f"noise {[run['noise'] for run in runs]}; training {np.mean([run['seconds'] for run in runs]):.1f} s"


def outside_interval(name, runs):
    """Whether the propagator's mean is further from the reference than its deviation and than two standard errors of the difference of
    both means; the reference's runs are as many as the set's seeds."""
    if not SETS[name].reference or len(runs) < 2:
        return False
    mean, deviation = SETS[name].reference
    ours = 100 * np.array([run["accuracy"]["propagator"] for run in runs])
    error = np.sqrt(ours.var(ddof=1) / len(ours) + deviation ** 2 / SETS[name].seeds)
    return abs(ours.mean() - mean) > max(deviation, 2 * error)


def main():
    parser = argparse.ArgumentParser(prog="bench/propagator", description=__doc__.split("\n")[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help="of " + ", ".join(SETS) + "; all when none is given")
    parser.add_argument("--seeds", type=int, help="instead of each set's own number")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / "propagator-study.json")
    options = parser.parse_args()
    if unknown := [name for name in options.sets if name not in SETS]:
        parser.error(f"expected of {', '.join(SETS)}, found {', '.join(unknown)}")
    results = json.loads(options.results.read_text()) if options.results.exists() else {}
    folder = options.results.parent / (options.results.stem + "-data")
    folder.mkdir(parents=True, exist_ok=True)
    for name in options.sets or SETS:
        runs = results.setdefault(name, [])
        for seed in range(len(runs), options.seeds or SETS[name].seeds):
            runs.append(one_seed(name, seed, folder))
            options.results.write_text(json.dumps(results, indent=1))
        print("\n".join(lines(name, runs)), flush=True)
    missed = [name for name in options.sets or SETS if len(results[name]) >= SETS[name].seeds and outside_interval(name, results[name])]
    if missed:
        sys.exit(f"[study] expected the propagator within the reference's interval, found it outside on {', '.join(missed)}")


if __name__ == "__main__":
    main()
