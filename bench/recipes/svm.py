"""svm against scikit-learn's SVC (libsvm) and, where it is installed, scikit-learn-intelex's: the same kernel and C, one thread; processor seconds of the fit,
and of the prediction of 10,000 further images."""
import json
import pathlib
import resource
import subprocess
import tempfile
import time

import numpy as np
from sklearn.svm import SVC

import calor
import data
from interleave import interleave, row

SIZES = (2_000, 10_000)
C, GAMMA, FRESH = 5, 0.02 / 255**2, 10_000


def _children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _labelled(folder, size):
    """The first images with their classes, and the next ones, as npz files that both read."""
    _, points = data.points(size + FRESH)
    classes = data.labels(size + FRESH)
    train, fresh = folder / "train.npz", folder / "fresh.npz"
    np.savez(train, x=points[:size].astype(np.float32), y=classes[:size])
    np.savez(fresh, x=points[size:].astype(np.float32))
    return train, fresh, points, classes


def _calor(folder, train, fresh):
    model = folder / "fit.calor"
    options = ["--label", "y", "--save", str(model)]
    _, document = calor.run("svm", train, (f"weigh.C={C}", f"kernel.gamma={GAMMA!r}"), options)
    fit = calor.processor_seconds(document)
    alone = folder / "alone.npz"
    np.savez(alone, x=np.load(fresh)["x"][:1])
    times, document = [], None
    for path in (fresh, alone):  # the difference is what the rows take, without loading the fit
        before = _children()
        done = subprocess.run([calor.PROGRAM, "apply", str(model), str(path), "--threads", "1", "--json", "--quiet"], check=True, capture_output=True)
        times.append(_children() - before)
        document = document or json.loads(done.stdout)
    predicted = np.array(document["result"]["values"]["prediction"], int)
    return fit, times[0] - times[1], predicted


def _peer(machine, points, classes, size):
    start = time.process_time()
    machine.fit(points[:size], classes[:size])
    fit = time.process_time() - start
    start = time.process_time()
    predicted = machine.predict(points[size:])
    return fit, time.process_time() - start, predicted.astype(int)


def measure(size, rounds):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        train, fresh, points, classes = _labelled(folder, size)
        runs = {"calor": lambda: _calor(folder, train, fresh), "scikit-learn SVC (libsvm)": lambda: _peer(SVC(C=C, gamma=GAMMA), points, classes, size)}
        try:
            from sklearnex.svm import SVC as Patched
            runs["scikit-learn-intelex"] = lambda: _peer(Patched(C=C, gamma=GAMMA), points, classes, size)
        except ImportError:
            pass

        def check(answers):
            agree = {name: np.mean(answers[name] == answers["calor"]) for name in answers}
            assert agree["scikit-learn SVC (libsvm)"] > 0.998, agree
            return f"predictions equal {100 * agree['scikit-learn SVC (libsvm)']:.2f} %, accuracy {100 * np.mean(answers['calor'] == classes[size:]):.2f} %"

        kept = {}
        for what in ("fit", "prediction"):
            def part(run, key, at=0 if what == "fit" else 1):
                def call():
                    kept.setdefault(key, []).append(run()) if what == "fit" else None
                    found = kept[key][-1] if what == "fit" else kept[key].pop(0)
                    return found[at], found[2]
                return call
            medians, quality = interleave({key: part(run, key) for key, run in runs.items()}, check, rounds)
            yield row(f"svm {what}, {size} images", medians, quality)
