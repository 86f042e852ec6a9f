"""isomap against scikit-learn's Isomap: 15 neighbours, 2 dimensions, the whole fit."""
import time

from sklearn.manifold import Isomap

import calor
import data
from interleave import interleave, row
from processor import Processor
from subspaces import angle

SIZES = (5_000,)


def _calor(path):
    seconds, document = calor.run("isomap", path, ["knn.k=15"])
    return seconds, calor.coordinates(document)


def _sklearn(points):
    start = time.perf_counter()
    found = Isomap(n_neighbors=15, n_components=2).fit_transform(points)
    return time.perf_counter() - start, found


def measure(size, rounds):
    path, points = data.points(size)
    processor = Processor()
    runs = processor.watch({"calor": lambda: _calor(path), "scikit-learn Isomap": lambda: _sklearn(points)})

    def check(answers):
        apart = angle(answers["calor"], answers["scikit-learn Isomap"])
        assert apart < 1e-3, apart
        return f"angle between the embeddings {apart:.1e}"

    yield row(f"isomap, {size} points", *interleave(runs, check, rounds))
    yield processor.line()
