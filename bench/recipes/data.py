"""Fashion-MNIST (Xiao, Rasul & Vollgraf 2017) from Debian's package, stacked to 70 000 x 784 and cached as .npy."""
import gzip
import pathlib
import sys

import numpy as np

SOURCE = pathlib.Path("/usr/share/datasets/fashion-mnist")
CACHE = pathlib.Path(__file__).resolve().parents[2] / "build" / "bench-data"


def _read(name, header):
    path = SOURCE / name
    if not path.exists():
        sys.exit(f"[bench] expected Fashion-MNIST in {SOURCE}, found none: apt-get install dataset-fashion-mnist, or make bench-recipes")
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def cached(name, make):
    """The path of an array that `make` gives, kept under the name."""
    path = CACHE / name
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        np.save(path, make())
    return path


def points(size):
    """The first `size` images as a path for calor and an array of float64 for its peers."""
    def make():
        images = np.concatenate([_read(f"{part}-images-idx3-ubyte.gz", 16) for part in ("train", "t10k")]).reshape(-1, 784)
        return images[:size]
    path = cached(f"fashion-{size}.npy", make)
    return path, np.load(path).astype(np.float64)


def labels(size):
    """Their classes, 0 to 9."""
    return np.concatenate([_read(f"{part}-labels-idx1-ubyte.gz", 8) for part in ("train", "t10k")])[:size]
