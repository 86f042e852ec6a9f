"""diffusion-map against pydiffmap: the same Gaussian kernel on all pairs, alpha = 1, the same bandwidth, two eigenvectors.

pydiffmap keeps the k nearest neighbours; k = N makes its kernel the whole one.  The bandwidth is given to both, so that neither spends
time on its choice: the one that calor finds."""
import time

import numpy as np
from pydiffmap.diffusion_map import DiffusionMap

import calor
import data
from interleave import interleave, row
from processor import Processor
from subspaces import angle

SIZES = (5_000,)


def _calor(path, scale):
    seconds, document = calor.run(f"distance(2) | exp({scale!r}) | two_side(1) | row | eigen(2)", path)
    return seconds, (np.asarray(document["spectrum"]), calor.coordinates(document))


def _pydiffmap(points, scale):
    start = time.perf_counter()
    fit = DiffusionMap.from_sklearn(alpha=1, k=len(points), epsilon=scale / 4, n_evecs=2, neighbor_params={"algorithm": "brute"}).fit(points)
    return time.perf_counter() - start, (1 + fit.evals * scale / 4, fit.evecs)


def measure(size, rounds):
    path, points = data.points(size)
    scale = calor.run("distance(2) | exp(auto) | row | eigen(1)", path)[1]["figures"]["bandwidth"]
    processor = Processor()
    runs = processor.watch({"calor": lambda: _calor(path, scale), "pydiffmap": lambda: _pydiffmap(points, scale)})

    def check(answers):
        (values, vectors), (peers, others) = answers["calor"], answers["pydiffmap"]
        off, apart = np.abs(values - peers).max(), angle(vectors, others)
        assert off < 1e-6 and apart < 1e-3, (values, peers, apart)
        return f"eigenvalues within {off:.1e}, angle between the embeddings {apart:.1e}"

    yield row(f"diffusion-map, {size} points", *interleave(runs, check, rounds))
    yield processor.line()
