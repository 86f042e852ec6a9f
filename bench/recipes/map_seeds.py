"""How good the maps of umap and umap-learn are, and those of tsne and openTSNE, over five seeds: trustworthiness and purity of 15 neighbours
(and the divergence), as the range over the seeds.  Digits, 10 000 of Fashion-MNIST and, where CALOR_DATA names the folder that has them,
of MNIST, and the 700 blood cells of pbmc68k_reduced by their first 30 principal components.  Nothing is timed.
pip install openTSNE umap-learn."""
import gzip
import os
import pathlib

import numpy as np

import calor
import data
import maps

SIZES = (10_000,)
SEEDS = range(5)


def _idx(path, kind, header):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        return np.frombuffer(file.read()[header:], kind)


def _sets(size):
    yield "digits", *maps.points_of(maps.DIGITS)
    yield f"Fashion-MNIST {size}", *maps.points_of(size)
    folder = pathlib.Path(os.environ.get("CALOR_DATA", ""))
    mnist, cells = folder / "mnist", folder / "manifold" / "pbmc68k_reduced"
    if (mnist / "train-images-idx3-ubyte.gz").exists():
        images = _idx(mnist / "train-images-idx3-ubyte.gz", np.uint8, 16).reshape(-1, 784)[:size].astype(float)
        yield f"MNIST {size}", data.cached(f"mnist-{size}.npy", lambda: images), images, _idx(mnist / "train-labels-idx1-ubyte.gz", np.uint8, 8)[:size]
    if cells.exists():
        genes = _idx(cells / "pca50-idx2-float", ">f4", 12).reshape(700, 50)[:, :30].astype(float)
        yield "pbmc68k", data.cached("pbmc68k.npy", lambda: genes), genes, _idx(cells / "bulk_labels-idx1-ubyte", np.uint8, 8)


def _umap_learn(_path, points, seed):
    import umap
    return umap.UMAP(random_state=seed, n_jobs=1).fit_transform(points), None


def _opentsne(_path, points, seed):
    return maps.opentsne(points, seed, "random")[1]


def _calor(recipe, settings):
    def run(path, _points, seed):
        _, document = calor.run(recipe, path, settings, ("--seed", str(seed)))
        return calor.coordinates(document), document["figures"].get("kl")
    return run


def _range(values):
    return f"{min(values):.4f} to {max(values):.4f} (mean {np.mean(values):.4f})"


RUNS = {"umap": _calor("umap", ()), "umap-learn": _umap_learn, "tsne": _calor("tsne", ("match.start=random",)), "openTSNE": _opentsne}


def measure(size, _rounds):
    for pair in (("umap", "umap-learn"), ("tsne", "openTSNE")):
        for name, path, points, labels in _sets(size):
            judge = maps.Judge(points, labels)
            for title in pair:
                found = [RUNS[title](path, points, seed) for seed in SEEDS]
                figures = [judge.of(place) for place, _ in found]
                words = f"trustworthiness {_range([one[0] for one in figures])}, purity {_range([one[1] for one in figures])}"
                if found[0][1] is not None:
                    words += f", divergence {_range([kl for _, kl in found])}"
                yield f"{name:<20} {title:<11} {words}"
