"""Whether what is chosen on the training rows holds on others: left-out estimates beside the accuracy of held-out fifths of digits, 20 random
ones and 20 blocks of rows that follow each other (the rows are in the order of their writers, so a block is of writers never seen).

    .venv/bin/python bench/propagator/left_out.py [--splits N] [--all-noises] [--results FILE]

CALOR names another program than build/calor.  --all-noises trains with each noise level too, to see what choosing costs."""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from mnist import CALOR

NOISES = [0, 0.15, 0.3, 0.6]


def splits(kind, y, count):
    for seed in range(count):
        if kind == "random":
            yield seed, train_test_split(np.arange(len(y)), test_size=0.2, stratify=y, random_state=seed)
        else:
            test = (np.arange(len(y) // 5) + seed * len(y) // count) % len(y)
            yield seed, (np.setdiff1d(np.arange(len(y)), test), test)


def write(path, x, y):
    names = [f"p{i}" for i in range(x.shape[1])] + ["digit"]
    np.savetxt(path, np.column_stack([x, y]), fmt="%g", delimiter=",", header=",".join(names), comments="")


def train(train_file, test_file, seed, *words):
    command = [CALOR, "train", train_file, "--test", test_file, "--label", "digit", "--model", "propagator", "--seed", str(seed), "--json", "-q", *map(str, words)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def leave_one_out(x, y, start):
    """Accuracy of each training row from the others under the start's metric, and log-loss."""
    z = x - x.mean(0)
    if start["standardised"]:
        z = np.divide(z, x.std(0), out=np.zeros_like(z), where=x.std(0) > 0)
    z /= np.sqrt((z * z).mean())
    square = (z * z).sum(1)
    w = np.exp(-start["temperature"] * np.maximum(square[:, None] + square[None] - 2 * z @ z.T, 0))
    np.fill_diagonal(w, 0)
    q = w.sum(1)
    # A judged row takes no part in the densities either.
    w = w * np.maximum(q[None] - w, 1e-300) ** -start["alpha"]
    votes = np.stack([w[:, y == c].sum(1) for c in range(y.max() + 1)], 1)
    return float((votes.argmax(1) == y).mean())


def tuned(model, grid, x, y, test, known, seed):
    search = GridSearchCV(model, grid, cv=StratifiedKFold(3, shuffle=True, random_state=seed)).fit(x, y)
    return {"left_out": float(search.best_score_), "held_out": float(search.score(test, known)), "chosen": search.best_params_}


def one(x, y, rows, test, seed, every_noise):
    with tempfile.TemporaryDirectory() as folder:
        files = pathlib.Path(folder) / "train.csv", pathlib.Path(folder) / "test.csv"
        write(files[0], x[rows], y[rows])
        write(files[1], x[test], y[test])
        found = train(*files, seed)
        fixed = {noise: train(*files, seed, "--noise", noise) for noise in NOISES} if every_noise else {}
    spread = ((x[rows] - x[rows].mean(0)) ** 2).sum() / len(rows)
    return {"start": found["start"], "trials": found["trials"], "noise": found["noise"],
            "trained": {key: found["quality"][key] for key in ("accuracy", "log_loss")},
            "untrained": {key: found["untrained_quality"][key] for key in ("accuracy", "log_loss")},
            "left_out": leave_one_out(x[rows], y[rows], found["start"]),
            "fixed": {str(noise): {key: run["quality"][key] for key in ("accuracy", "log_loss")} for noise, run in fixed.items()},
            "SVM": tuned(SVC(), {"C": [1, 10, 100], "gamma": [g / spread for g in (0.3, 1, 3)]}, x[rows], y[rows], x[test], y[test], seed),
            "neighbours": tuned(KNeighborsClassifier(), {"n_neighbors": [1, 3, 5, 7, 11]}, x[rows], y[rows], x[test], y[test], seed)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--all-noises", action="store_true")
    parser.add_argument("--results", type=pathlib.Path, default=pathlib.Path("build/left-out.json"))
    options = parser.parse_args()
    x, y = load_digits(return_X_y=True)
    results = json.loads(options.results.read_text()) if options.results.exists() else {}
    for kind in ("random", "block"):
        runs = results.setdefault(kind, [])
        for seed, (rows, test) in splits(kind, y, options.splits):
            if seed < len(runs):
                continue
            runs.append(one(x, y, rows, test, seed, options.all_noises))
            options.results.write_text(json.dumps(results))
        line = lambda name, left, held: print(f"  {name:<12} left out {100 * np.mean(left):.2f}, held out {100 * np.mean(held):.2f} +- {100 * np.std(held, ddof=1):.2f}")
        print(f"{kind}, {len(runs)} splits, accuracy in percent")
        line("untrained", [r["left_out"] for r in runs], [r["untrained"]["accuracy"] for r in runs])
        line("trained", [np.nan], [r["trained"]["accuracy"] for r in runs])
        for name in ("SVM", "neighbours"):
            line(name, [r[name]["left_out"] for r in runs], [r[name]["held_out"] for r in runs])
        trial = lambda r: min(t["log_loss"] for t in r["trials"])
        print(f"  log-loss: untrained left out {np.mean([-r['start']['leave_one_out'] for r in runs]):.4f}, held out {np.mean([r['untrained']['log_loss'] for r in runs]):.4f}; "
              f"trained on the trials' rows {np.mean([trial(r) for r in runs]):.4f}, held out {np.mean([r['trained']['log_loss'] for r in runs]):.4f}")
        print(f"  noise {[r['noise'] for r in runs]}")
        for noise in NOISES if all(r["fixed"] for r in runs) else ():
            print(f"  always {noise}: {100 * np.mean([r['fixed'][str(noise)]['accuracy'] for r in runs]):.2f}, log-loss {np.mean([r['fixed'][str(noise)]['log_loss'] for r in runs]):.4f}")


if __name__ == "__main__":
    main()
