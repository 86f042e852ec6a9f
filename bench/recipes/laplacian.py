"""laplacian-eigenmaps against scikit-learn's SpectralEmbedding on the same graph (the eigenvectors alone), and whole.

Processor seconds of one thread each.  Both must span the same plane, to 1e-3 of a radian.  scikit-learn's default solver factorises
the graph's matrix, which takes minutes and gigabytes for 70 000 points: it runs once there, ours as often as asked."""
import functools
import os
import tempfile
import time

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.manifold import SpectralEmbedding

import calor
import data
from interleave import interleave, row
from subspace import angle

SIZES = (10_000, 70_000)
PEER_ONCE_FROM = 50_000
AFFINITY = "knn(15) | distance(2) | exp(auto) | mean"


def _calor(recipe, path, *stages):
    document = calor.run(recipe, path)[1]
    return calor.processor_seconds(document, *stages), calor.coordinates(document)


def _sklearn(weights):
    start = time.process_time()
    found = SpectralEmbedding(2, affinity="precomputed", eigen_solver="arpack", random_state=0).fit_transform(weights)
    return time.process_time() - start, found


def measure(size, rounds):
    path, _ = data.points(size)
    edges = calor.run(AFFINITY, path)[1]["result"]["values"]
    ends = [np.asarray(edges[name], np.int64) - 1 for name in ("from", "to")]
    values = np.asarray(edges["value"], float)
    weights = csr_matrix((values, ends), shape=(size, size))
    once = functools.cache(lambda: _sklearn(weights)) if size >= PEER_ONCE_FROM else lambda: _sklearn(weights)
    with tempfile.TemporaryDirectory() as folder:
        graph = os.path.join(folder, "graph.edges")
        with open(graph, "w") as file:
            file.writelines(f"{a + 1} {b + 1} {value!r}\n" for a, b, value in zip(*ends, values.tolist()))

        def check(answers):
            apart = angle(answers["calor"], answers["scikit-learn"])
            assert apart < 1e-3, apart
            return f"angle {apart:.1g}"

        runs = {"calor": lambda: _calor("adjacency | eigen(2, of=laplacian)", graph, "eigen"), "scikit-learn": once}
        medians, quality = interleave(runs, check, rounds)
        yield row(f"laplacian, {size} points, same graph", medians, quality)
    whole, _ = interleave({"calor": lambda: _calor("laplacian-eigenmaps", path)}, lambda answers: "", rounds)
    yield f"{'  whole, neighbours with it':<34} calor {whole['calor']:.2f} s"
