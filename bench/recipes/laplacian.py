"""laplacian-eigenmaps against scikit-learn's SpectralEmbedding on the same graph (the eigenvectors alone), and whole.

Processor seconds of one thread each.  Both must span the same plane, to 1e-3 of a radian.  scikit-learn's default solver factorises
the graph's matrix: for 70 000 points it is stopped after MOST_SECONDS, and ours compared with scipy's Lanczos method instead."""
import functools
import multiprocessing
import os
import resource
import tempfile
import time

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import eigsh
from sklearn.manifold import SpectralEmbedding

import calor
import data
from interleave import interleave, row
from subspaces import angle

SIZES = (10_000, 70_000)
ONCE_FROM = 50_000
MOST_SECONDS = 300
AFFINITY = "knn(15) | distance(2) | exp(auto) | mean"


def _calor(recipe, path, *stages):
    document = calor.run(recipe, path)[1]
    return calor.processor_seconds(document, *stages), calor.coordinates(document)


def _sklearn(weights):
    start = time.process_time()
    found = SpectralEmbedding(2, affinity="precomputed", eigen_solver="arpack", random_state=0).fit_transform(weights)
    return time.process_time() - start, found


def _child(pipe, call):
    most = int(time.process_time()) + MOST_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (most, most))
    pipe.send(call())


@functools.cache
def _at_most(call):
    """call() in a process of its own; (MOST_SECONDS, None) where that takes longer."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_child, args=(theirs, call))
    child.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        return MOST_SECONDS, None
    finally:
        child.join()


def _lanczos(weights):
    """The same plane without a factorisation: the largest of D^-1/2 W D^-1/2, over the roots of the degrees."""
    scale = diags(1 / np.sqrt(np.asarray(weights.sum(1)).ravel()))
    values, vectors = eigsh(scale @ weights @ scale, 3, which="LA", tol=1e-9, v0=np.ones(weights.shape[0]))
    return scale @ vectors[:, np.argsort(-values)[1:]]


def measure(size, rounds):
    path, _ = data.points(size)
    edges = calor.run(AFFINITY, path)[1]["result"]["values"]
    ends = [np.asarray(edges[name], np.int64) - 1 for name in ("from", "to")]
    values = np.asarray(edges["value"], float)
    weights = csr_matrix((values, ends), shape=(size, size))
    with tempfile.TemporaryDirectory() as folder:
        graph = os.path.join(folder, "graph.edges")
        with open(graph, "w") as file:
            file.writelines(f"{a + 1} {b + 1} {value!r}\n" for a, b, value in zip(*ends, values.tolist()))

        def check(answers):
            theirs = answers["scikit-learn"]
            apart = angle(answers["calor"], _lanczos(weights) if theirs is None else theirs)
            assert apart < 1e-3, apart
            return f"angle {apart:.1g}" + (f" to scipy's, scikit-learn stopped after {MOST_SECONDS} s" if theirs is None else "")

        peer = functools.partial(_sklearn, weights)
        runs = {"calor": lambda: _calor("adjacency | eigen(2, of=laplacian)", graph, "eigen"),
                "scikit-learn": peer if size < ONCE_FROM else lambda: _at_most(peer)}
        yield row(f"laplacian, {size} points, same graph", *interleave(runs, check, rounds))
    whole, _ = interleave({"calor": lambda: _calor("laplacian-eigenmaps", path)}, lambda answers: "", rounds)
    yield f"{'  whole, neighbours with it':<34} calor {whole['calor']:.2f} s"
