"""mds against scikit-learn's ClassicalMDS, and mds-metric against its smacof: the same start and the same number of steps.

The seconds a step are what the long run takes beyond the short one."""
import time
import warnings

import numpy as np
from sklearn.manifold import ClassicalMDS, smacof
from sklearn.metrics import euclidean_distances

import calor
import data
from interleave import interleave, row
from processor import Processor
from subspaces import angle

SIZES = (5_000,)
SHORT, LONG = 2, 12


def _classical(points):
    start = time.perf_counter()
    found = ClassicalMDS(n_components=2).fit_transform(points)
    return time.perf_counter() - start, found


def _calor_metric(path, steps):
    seconds, document = calor.run(f"distance(1) | match(distance, stress, dims=2, tolerance=0, max_iterations={steps})", path)
    return seconds, document["figures"]["stress"]


def _smacof(distances, start_at, steps):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stress = smacof(distances, init=start_at, n_init=1, max_iter=steps, eps=0, normalized_stress=False)[1]
    return time.perf_counter() - start, stress


def _metric(path, points, classical, rounds):
    distances = euclidean_distances(points)

    def timed(steps):
        return {"calor": lambda: _calor_metric(path, steps), "scikit-learn smacof": lambda: _smacof(distances, classical, steps)}

    def check(stresses):
        ours, theirs = stresses["calor"], stresses["scikit-learn smacof"]
        assert ours <= theirs * (1 + 1e-6), stresses
        return f"stress {ours:.8g}, scikit-learn's {theirs:.8g}"

    processor = Processor()
    whole, quality = interleave(processor.watch(timed(LONG)), check, rounds)
    yield row(f"mds-metric, {len(points)} points, {LONG} steps", whole, f"{quality} (calor: distances and start included)")
    yield processor.line()
    short, _ = interleave(timed(SHORT), check, rounds)
    step = {name: 1000 * (whole[name] - short[name]) / (LONG - SHORT) for name in whole}
    yield f"{'  a step':<34} " + "   ".join(f"{name} {milliseconds:.0f} ms" for name, milliseconds in step.items())


def measure(size, rounds):
    path, points = data.points(size)

    def ours():
        seconds, document = calor.run("mds", path)
        return seconds, calor.coordinates(document)

    found = {}

    def check(answers):
        apart = angle(answers["calor"], answers["scikit-learn ClassicalMDS"])
        off = np.abs(np.linalg.norm(answers["calor"], axis=0) / np.linalg.norm(answers["scikit-learn ClassicalMDS"], axis=0) - 1).max()
        assert apart < 1e-3 and off < 1e-6, (apart, off)
        found["classical"] = answers["calor"]
        return f"angle between the embeddings {apart:.1e}, scales within {off:.1e}"

    processor = Processor()
    runs = processor.watch({"calor": ours, "scikit-learn ClassicalMDS": lambda: _classical(points)})
    yield row(f"mds, {size} points", *interleave(runs, check, rounds))
    yield processor.line()
    yield from _metric(path, points, found["classical"], rounds)
