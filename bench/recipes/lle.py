"""lle (12 neighbours, reg 0.001) against scikit-learn's LocallyLinearEmbedding: given the same neighbours, and whole.

Processor seconds of one thread each.  Both must span the same plane, to 1e-3 of a radian."""
import time

import numpy as np
from scipy.sparse import csr_matrix, eye
from sklearn.manifold import LocallyLinearEmbedding
from sklearn.manifold._locally_linear import barycenter_weights, null_space

import calor
import data
from interleave import interleave, row
from subspaces import angle

SIZES = (10_000,)
K, REG = 12, 1e-3


def _calor(path, *stages):
    document = calor.run("lle", path, [f"knn.k={K}", f"local_weights.reg={REG}"])[1]
    return calor.processor_seconds(document, *stages), calor.coordinates(document)


def _given(points, neighbours):
    """locally_linear_embedding after its search for neighbours."""
    start = time.process_time()
    weights = barycenter_weights(points, points, neighbours, reg=REG)
    begin = np.arange(0, weights.size + 1, K)
    difference = eye(len(points), format="csr") - csr_matrix((weights.ravel(), neighbours.ravel(), begin), shape=(len(points),) * 2)
    found = null_space((difference.T @ difference).tocsr(), 2, k_skip=1, eigen_solver="arpack", random_state=0)[0]
    return time.process_time() - start, found


def _whole(points):
    start = time.process_time()
    found = LocallyLinearEmbedding(n_neighbors=K, reg=REG, eigen_solver="arpack", random_state=0).fit_transform(points)
    return time.process_time() - start, found


def measure(size, rounds):
    path, points = data.points(size)
    document = calor.run(f"knn({K})", path)[1]
    neighbours = (np.asarray(document["result"]["values"]["to"], np.int64) - 1).reshape(-1, K)

    def check(answers):
        ours, theirs = answers.values()
        apart = angle(ours, theirs)
        assert apart < 1e-3, apart
        return f"angle {apart:.1g}"

    runs = {"calor": lambda: _calor(path, "local_weights", "eigen"), "scikit-learn": lambda: _given(points, neighbours)}
    yield row(f"lle, {size} points, given neighbours", *interleave(runs, check, rounds))
    runs = {"calor": lambda: _calor(path), "scikit-learn": lambda: _whole(points)}
    yield row(f"lle, {size} points, whole", *interleave(runs, check, rounds))
