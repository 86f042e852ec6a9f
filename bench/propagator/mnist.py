"""All of MNIST, 60,000 x 784: the propagator beside scikit-learn's KNeighborsClassifier and SVC, in one run.  Accuracy on the 10,000 test
images first, then seconds by the clock and of the processor.

    CALOR_DATA=... .venv/bin/python bench/propagator/mnist.py [--svm-rows N]

An SVM's time grows about with the square of its rows, ten minutes for all; --svm-rows trains it on the first N and the line says so."""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import tempfile
import time

from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from sets import images, outside

CALOR = os.environ.get("CALOR", str(pathlib.Path(__file__).resolve().parents[2] / "build" / "calor"))


def spent():
    return sum(getattr(resource.getrusage(who), part) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN) for part in ("ru_utime", "ru_stime"))


def timed(work):
    begin, before = time.perf_counter(), spent()
    answer = work()
    return answer, f"{time.perf_counter() - begin:.1f} s, {spent() - before:.1f} s of the processor"


def calor(*words):
    return json.loads(subprocess.run([CALOR, *map(str, words), "--json", "-q"], check=True, capture_output=True, text=True).stdout)


def show(name, accuracy, training, prediction, least):
    assert accuracy > least, f"{name}: expected an accuracy above {least}, found {accuracy}"
    print(f"{name}: {100 * accuracy:.2f} %; training {training}; prediction of 10,000 {prediction}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--svm-rows", type=int, default=60_000)
    options = parser.parse_args()
    folder = outside("mnist")
    train, test = folder / "train-images-idx3-ubyte.gz", folder / "t10k-images-idx3-ubyte.gz"
    (x, y), (fresh, known) = images(folder, "train"), images(folder, "t10k")
    with tempfile.TemporaryDirectory() as place:
        model = pathlib.Path(place) / "mnist.safetensors"
        found, training = timed(lambda: calor("train", train, "--test", test, "--model", "propagator", "--save", model))
        predicted, prediction = timed(lambda: calor("predict", model, test))
        assert predicted["accuracy"] == found["quality"]["accuracy"]
        show(f"propagator (noise {found['noise']})", predicted["accuracy"], training, prediction, 0.975)
        quality = predicted["quality"]
        print(f"  log-loss {quality['log_loss']:.3f}, Brier score {quality['brier']:.3f}, calibration error {quality['calibration_error']:.3f}; "
              f"untrained {100 * found['untrained_quality']['accuracy']:.2f} %, log-loss {found['untrained_quality']['log_loss']:.3f}", flush=True)
    neighbours, training = timed(lambda: KNeighborsClassifier(3).fit(x, y))
    right, prediction = timed(lambda: (neighbours.predict(fresh) == known).mean())
    show("KNeighborsClassifier(3)", right, training, prediction, 0.96)
    rows = min(options.svm_rows, len(x))
    machine, training = timed(lambda: SVC(C=10, cache_size=2000).fit(x[:rows] / 255, y[:rows]))
    right, prediction = timed(lambda: (machine.predict(fresh / 255) == known).mean())
    show(f"SVC(C=10) on {rows:,} rows", right, training, prediction, 0.96)


if __name__ == "__main__":
    main()
