"""knn(15) against scikit-learn's brute force and faiss's flat index: the same neighbours, one thread."""
import time

import faiss
import numpy as np
from sklearn.neighbors import NearestNeighbors

import calor
import data
from bound import share_of_bound
from interleave import interleave, row

SIZES = (10_000, 70_000)
K = 15


def _calor(path):
    seconds, document = calor.run(f"knn({K})", path)
    to = np.asarray(document["result"]["values"]["to"], np.int64) - 1
    return seconds, to.reshape(-1, K)


def _faiss(points):
    faiss.omp_set_num_threads(1)
    start = time.perf_counter()
    index = faiss.IndexFlatL2(points.shape[1])
    index.add(points)
    found = index.search(points, K + 1)[1]
    seconds = time.perf_counter() - start
    # The point itself is among them unless others coincide with it.
    own = found == np.arange(len(points))[:, None]
    own[~own.any(1), K] = True
    return seconds, found[~own].reshape(-1, K)


def _brute(points):
    start = time.perf_counter()
    found = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(points).kneighbors()[1]
    return time.perf_counter() - start, found


def _recall(points, ours, theirs):
    """The share of our neighbours that are as near as the peer's, by distances in double; ties are alike."""
    def squared(found):
        return np.sort(np.stack([((points - points[found[:, n]]) ** 2).sum(1) for n in range(K)], 1), 1)
    return np.mean(squared(ours) <= squared(theirs))


def measure(size, rounds):
    path, points = data.points(size)
    singles = np.ascontiguousarray(points, np.float32)
    runs = {"calor": lambda: _calor(path), "faiss IndexFlatL2": lambda: _faiss(singles), "scikit-learn brute": lambda: _brute(points)}

    def check(answers):
        recalls = {name: _recall(points, answers["calor"], answers[name]) for name in answers if name != "calor"}
        assert all(recall == 1 for recall in recalls.values()), recalls
        return "recall 1"

    medians, quality = interleave(runs, check, rounds)
    # Each pair of points is one product of 784 multiply-adds.
    operations = size * (size - 1) * points.shape[1]
    yield row(f"knn({K}), {size} points", medians, f"{quality}, {share_of_bound(operations / medians['calor'])}")
