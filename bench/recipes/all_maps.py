"""umap and tsne whole (neighbours, similarity, start, descent) beside every peer that is installed, one thread each, in turn: processor seconds,
trustworthiness and purity of 15 neighbours.  The points are Fashion-MNIST's; --size 9298 takes the images shrunk to 16 x 16, USPS's shape.
Calor's stages that take a tenth or more of its time are named with theirs, and a second line has approximate neighbours.  For t-SNE of up to
10,000 points also the divergence from the same affinities (openTSNE's, exact neighbours), summed over all pairs.
pip install umap-learn openTSNE manifolds-rs fastumap tsne-h2pack; apt-get install r-cran-uwot r-cran-rtsne."""
import statistics

import numpy as np
from scipy.ndimage import zoom

import calor
import data
import kl_seeds
import map_peers
import maps

SIZES = (9298, 10_000)
SHRUNK = 9298
MOST_PAIRS = 10_000  # points whose pairs are all summed
LEAST = {"umap": 0.9, "tsne": 0.9}  # of trustworthiness: what is less is no map


def points_of(size):
    if size != SHRUNK:
        return data.points(size)
    path = data.cached(f"fashion-{size}-16x16.npy",
                       lambda: zoom(data.points(size)[1].reshape(-1, 28, 28), (1, 16 / 28, 16 / 28), order=1).reshape(size, 256).astype(np.float32))
    return path, np.load(path).astype(float)


def _calor(recipe, path, settings, stages):
    def run():
        _, document = calor.run(recipe, path, settings)
        whole = calor.processor_seconds(document)
        parts = {stage["text"].split("(")[0]: stage["processor_seconds"] for stage in document["stages"] if stage["depth"] == 0}
        stages.append(", ".join(f"{name} {took:.2f}" for name, took in parts.items() if took > whole / 10))
        return whole, calor.coordinates(document)
    return run


def measure(size, rounds):
    path, points = points_of(size)
    judge = maps.Judge(points, data.labels(size))
    for recipe in ("umap", "tsne"):
        words, missing = map_peers.installed(recipe)
        if not words:
            continue  # nothing to compare: CALOR_PEERS names peers of the other recipe alone
        stages = {"calor": []} | {name: [] for name in map_peers.chosen(("calor, hnsw",))}
        runs = {name: _calor(recipe, path, ("knn.method=hnsw",) if "hnsw" in name else (), found) for name, found in stages.items()}
        for name in words:
            runs[name] = lambda name=name: map_peers.fit(recipe, name, path)
        seconds, found = {name: [] for name in runs}, {}
        for _ in range(rounds):
            for name, run in runs.items():
                if name in found and found[name] is None:
                    continue  # it takes too long
                took, answer = run()
                seconds[name].append(took)
                found.setdefault(name, answer)
        yield f"{recipe}, {size} x {points.shape[1]}" + (f"; not installed: {', '.join(missing)}" if missing else "")
        own = statistics.median(seconds["calor"])
        p = kl_seeds.affinities(points) if recipe == "tsne" and size <= MOST_PAIRS and "openTSNE" not in missing else None
        for name, times in seconds.items():
            took, detail = statistics.median(times), words.get(name) or stages[name][0]
            if found[name] is None:
                yield f"  {name:<18} stopped after {took:.0f} s   ({detail})"
                continue
            trust, purity = judge.of(found[name])
            assert np.isfinite(found[name]).all() and trust > LEAST[recipe], (name, trust)
            yield (f"  {name:<18} {took:7.2f} s ({took / own:5.2f} x, {min(times):.2f} to {max(times):.2f})   trustworthiness {trust:.4f}, "
                   f"purity {purity:.4f}{'' if p is None else f', KL {kl_seeds.divergence(p, found[name]):.4f}'}   ({detail})")
