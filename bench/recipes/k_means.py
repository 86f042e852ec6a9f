"""centres(10) against scikit-learn's and faiss's k-means: one start, the same number of steps, one thread.

The starts are drawn at random by each, so the inertias after 25 steps are alike but not equal; each must be within 3 % of the best.
The seconds a step are what 25 steps take beyond the first one."""
import time
import warnings

import faiss
import numpy as np
from sklearn.cluster import KMeans

import calor
import data
from interleave import interleave, row

SIZES = (10_000, 70_000)
K, STEPS = 10, 25


def _inertia(points, centres):
    squares = (points**2).sum(1)[:, None] - 2 * points @ centres.T + (centres**2).sum(1)
    return squares.min(1).sum()


def _calor(path, steps):
    seconds, document = calor.run(f"centres({K}, starts=1, max_iterations={steps})", path)
    values = document["result"]["values"]
    return seconds, np.column_stack([np.asarray(values[name], float) for name in document["result"]["order"][-784:]])


def _faiss(points, steps):
    faiss.omp_set_num_threads(1)
    start = time.perf_counter()
    means = faiss.Kmeans(points.shape[1], K, niter=steps, nredo=1, seed=1, max_points_per_centroid=len(points))
    means.train(points)
    return time.perf_counter() - start, means.centroids


def _sklearn(points, steps):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge
        means = KMeans(K, n_init=1, max_iter=steps, tol=0, algorithm="lloyd", random_state=0).fit(points)
    return time.perf_counter() - start, means.cluster_centers_


def measure(size, rounds):
    path, points = data.points(size)
    singles = np.ascontiguousarray(points, np.float32)

    def timed(steps):
        return {"calor": lambda: _calor(path, steps), "faiss Kmeans": lambda: _faiss(singles, steps),
                "scikit-learn KMeans": lambda: _sklearn(singles, steps)}

    def check(answers):
        inertias = {name: _inertia(points, centres.astype(float)) for name, centres in answers.items()}
        assert inertias["calor"] <= 1.03 * min(inertias.values()), inertias
        return "inertia " + ", ".join(f"{name} {inertia:.5g}" for name, inertia in inertias.items())

    whole, quality = interleave(timed(STEPS), check, rounds)
    first, _ = interleave(timed(1), lambda answers: "", rounds)
    yield row(f"k-means({K}), {size} points, {STEPS} steps", whole, quality)
    step = {name: 1000 * (whole[name] - first[name]) / (STEPS - 1) for name in whole}
    yield f"{'  a step':<34} " + "   ".join(f"{name} {milliseconds:.1f} ms" for name, milliseconds in step.items())
