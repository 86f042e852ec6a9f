"""The data sets of the study, and how each is split.  A split is (training points, classes, test points, classes)."""
import gzip
import os
import pathlib
import sys

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_svmlight_file, load_wine
from sklearn.model_selection import train_test_split

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


def outside(name):
    """A path below CALOR_DATA."""
    if "CALOR_DATA" not in os.environ:
        sys.exit(f"[study] expected CALOR_DATA to name the data folder that holds {name}, found it unset")
    return pathlib.Path(os.environ["CALOR_DATA"]) / name


def idx(path, header):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def images(folder, part):
    points = idx(folder / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 784).astype(np.float32)
    return points, idx(folder / f"{part}-labels-idx1-ubyte.gz", 8).astype(int)


def fifths(load):
    """Four fifths against one fifth, stratified, drawn by the seed."""
    def split(seed):
        x, y = load(return_X_y=True)
        train, test, own, other = train_test_split(x.astype(np.float32), y, test_size=0.2, stratify=y, random_state=seed)
        return train, own, test, other
    return split


def blocks(folder, rows):
    """Of the training images in one random order, seed s has the s-th block: no two seeds share an image.  The official test images."""
    def split(seed):
        (x, y), test = images(folder(), "train"), images(folder(), "t10k")
        chosen = np.random.default_rng(0).permutation(len(x))[seed * rows:(seed + 1) * rows]
        return x[chosen], y[chosen], *test
    return split


def adult(seed):
    """4,000 rows of a9a drawn by the seed, its official test rows."""
    read = lambda name: load_svmlight_file(str(outside("svm") / name), n_features=123)
    (x, y), (test, other) = read("a9a"), read("a9a.t")
    chosen = np.random.default_rng(seed).permutation(x.shape[0])[:4000]
    return x[chosen].toarray().astype(np.float32), (y[chosen] > 0).astype(int), test.toarray().astype(np.float32), (other > 0).astype(int)


class Set:
    """`flags`: of calor train; `standardised`: for the baselines, the propagator decides itself; `reference`: accuracies in percent
    measured once in PyTorch, mean and deviation over seeds."""

    def __init__(self, split, seeds, flags, standardised, reference):
        self.split, self.seeds, self.flags, self.standardised, self.reference = split, seeds, flags, standardised, reference


# Width and noise are the program's own, the noise chosen on the training rows (docs/decisions/propagator.md).
SETS = {
    "digits": Set(fifths(load_digits), 10, ["--batch", "479", "--epochs", "60"], False, (99.22, 0.32)),
    "breast_cancer": Set(fifths(load_breast_cancer), 20, [], True, (97.54, 1.23)),
    "wine": Set(fifths(load_wine), 20, [], True, (97.92, 2.53)),
    "mnist5k": Set(blocks(lambda: outside("mnist"), 5000), 5, ["--batch", "500", "--epochs", "40"], False, (96.89, 0.18)),
    "a9a": Set(adult, 5, ["--batch", "500", "--epochs", "20"], False, (84.63, 0.17)),
    # Declared in docs/decisions/propagator.md before any method was run on it.
    "fashion5k": Set(blocks(lambda: FASHION, 5000), 10, ["--batch", "500", "--epochs", "40"], False, None),
}
