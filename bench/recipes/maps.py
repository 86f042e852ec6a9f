"""tsne against openTSNE (FFT), umap against umap-learn: the descents alone, from neighbours and similarities of each one's own; and how good
the maps are.  10 000 points of Fashion-MNIST; --size 1797 takes scikit-learn's digits.  pip install openTSNE umap-learn."""

import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

import calor
import data
from interleave import interleave, row
from processor import Processor

SIZES = (10_000,)
DIGITS = 1797


def points_of(size):
    if size != DIGITS:
        path, points = data.points(size)
        return path, points, data.labels(size)
    points, labels = load_digits(return_X_y=True)
    path = data.CACHE / "digits.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, points)
    return path, points, labels


def _calor(recipe, path):
    _, document = calor.run(recipe, path)
    return calor.processor_seconds(document, "match"), (calor.coordinates(document), document["figures"].get("kl"))


def opentsne(points, seed=0, start="pca"):
    import openTSNE
    similarities = openTSNE.affinity.PerplexityBasedNN(points, perplexity=30, method="exact", n_jobs=1, random_state=seed)
    begin = getattr(openTSNE.initialization, start)(points, random_state=seed)
    start = time.process_time()
    found = openTSNE.TSNE(n_jobs=1, random_state=seed, negative_gradient_method="fft").fit(affinities=similarities, initialization=begin)
    return time.process_time() - start, (np.asarray(found), found.kl_divergence)


def _umap(points):
    import umap
    umap.UMAP(n_epochs=2, random_state=0, n_jobs=1).fit(points[:300])  # compiles
    fitted = umap.UMAP(n_epochs=0, random_state=0, n_jobs=1, init="random").fit(points)
    find = umap.umap_.simplicial_set_embedding
    start = time.process_time()
    found, _ = find(fitted._raw_data, fitted.graph_, 2, 1.0, fitted._a, fitted._b, 1.0, 5, None, "spectral", np.random.RandomState(0), "euclidean",
                    {}, False, {}, False)
    return time.process_time() - start, (found, None)


class Judge:
    """Trustworthiness (by 1000 rows) and purity of the 15 nearest in a map."""

    def __init__(self, points, labels):
        self.count, self.labels = len(points), labels
        self.rows = np.random.default_rng(0).permutation(self.count)[:1000]
        near = NearestNeighbors(n_neighbors=self.count, algorithm="brute").fit(points)
        nearest = near.kneighbors(points[self.rows], return_distance=False)  # the row itself first
        self.place = np.zeros((len(self.rows), self.count), np.int32)
        np.put_along_axis(self.place, nearest, np.arange(self.count, dtype=np.int32)[None, :], axis=1)

    def of(self, found):
        nearest = NearestNeighbors(n_neighbors=15).fit(found).kneighbors(return_distance=False)
        loss = sum(np.maximum(0, place[nearest[i]] - 15).sum() for place, i in zip(self.place, self.rows))
        trust = 1 - 2 * loss / (len(self.rows) * 15 * (2 * self.count - 3 * 15 - 1))
        return trust, (self.labels[nearest] == self.labels[:, None]).mean()


def _words(judge, answers):
    words = []
    for name, (found, kl) in answers.items():
        trust, purity = judge.of(found)
        words.append(f"{name}: trustworthiness {trust:.4f}, purity {purity:.4f}" + (f", KL {kl:.4f}" if kl else ""))
    return "; ".join(words)


def measure(size, rounds):
    path, points, labels = points_of(size)
    processor, judge = Processor(), Judge(points, labels)
    for recipe, peer, run in (("tsne", "openTSNE", opentsne), ("umap", "umap-learn", _umap)):
        runs = processor.watch({"calor": lambda recipe=recipe: _calor(recipe, path), peer: lambda run=run: run(points)})
        yield row(f"{recipe}'s descent, {size} points", *interleave(runs, lambda answers: _words(judge, answers), rounds))
    yield processor.line()
