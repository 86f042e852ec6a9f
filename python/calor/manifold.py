"""Coordinates in few dimensions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ._base import Embedder, bandwidth_of, checked_targets, coded_labels, known_labels, written

METRIC = ("knn.metric", "distance.metric")


class MDS(Embedder):
    """Classical multidimensional scaling: points in few dimensions with about the same distances.

    metric: "euclidean", "cosine", "manhattan", or "precomputed" where X is a square table of distances.

    >>> calor.MDS(1).fit_transform(np.array([[0.0, 0.0], [3.0, 4.0]])).round(6)
    array([[ 2.5],
           [-2.5]])
    """

    recipe = "mds"
    parameters = {"n_components": "eigen.k", "metric": "distance.metric"}
    least_rows = 2

    def __init__(self, n_components: int = 2, *, metric: str = "euclidean", random_state: Any = 0, n_jobs: int | None = None,
                 max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())


class MetricMDS(Embedder):
    """Metric multidimensional scaling: distances matched by least squares (SMACOF); stress_ is what is left.

    metric: as MDS.  max_iter, tol: the most steps, and the relative fall of the stress at which it has converged."""

    recipe = "mds-metric"
    parameters = {"n_components": "match.dims", "metric": "distance.metric", "max_iter": "match.max_iterations", "tol": "match.tolerance"}
    least_rows = 2

    def __init__(self, n_components: int = 2, *, metric: str = "euclidean", max_iter: int = 3000, tol: float = 1e-7, random_state: Any = 0,
                 n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())

    def fit(self, X: Any, y: Any = None) -> Any:
        super().fit(X)
        self.stress_ = self.figures_["stress"]
        return self


class Isomap(Embedder):
    """Unfolds a curved surface: classical scaling of distances along the neighbour graph.

    n_neighbors: of each point, itself not counted.  metric: as MDS."""

    recipe = "isomap"
    parameters = {"n_neighbors": "knn.k", "n_components": "eigen.k", "metric": METRIC}
    least_rows = 2

    def __init__(self, n_neighbors: int = 15, n_components: int = 2, *, metric: str = "euclidean", random_state: Any = 0, n_jobs: int | None = None,
                 max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())


class LocallyLinearEmbedding(Embedder):
    """Keeps the weights that rebuild each point from its neighbours; reconstruction_error_ is what is left, the sum of the eigenvalues.

    reg: regularisation of the weights, as a share of the trace of the neighbours' Gram matrix."""

    recipe = "lle"
    parameters = {"n_neighbors": "knn.k", "n_components": "eigen.k", "reg": "local_weights.reg"}
    least_rows = 2

    def __init__(self, n_neighbors: int = 12, n_components: int = 2, *, reg: float = 1e-3, random_state: Any = 0, n_jobs: int | None = None,
                 max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())

    def fit(self, X: Any, y: Any = None) -> Any:
        super().fit(X)
        self.reconstruction_error_ = float(np.sum(self.eigenvalues_))
        return self


LLE = LocallyLinearEmbedding


class LaplacianEigenmaps(Embedder):
    """Smooth coordinates on the neighbour graph (scikit-learn's SpectralEmbedding).

    bandwidth: of exp(-d² / bandwidth), "auto" from the points; gamma: 1 / bandwidth, in its place.  affinity: "nearest_neighbors", or "precomputed"
    where X is a table of similarities, dense or sparse.  metric: as MDS."""

    recipe = "laplacian-eigenmaps"
    parameters = {"n_neighbors": "knn.k", "n_components": "eigen.k", "bandwidth": bandwidth_of(), "metric": METRIC}
    least_rows = 2

    def __init__(self, n_neighbors: int = 15, n_components: int = 2, *, bandwidth: float | str = "auto", gamma: float | None = None,
                 affinity: str = "nearest_neighbors", metric: str = "euclidean", random_state: Any = 0, n_jobs: int | None = None,
                 max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())


class DiffusionMap(Embedder):
    """Slow modes of a diffusion on the data.

    alpha: 0 keeps the sampling density, 1 removes it.  time: of the diffusion.  bandwidth, gamma, metric: as LaplacianEigenmaps."""

    recipe = "diffusion-map"
    parameters = {"n_components": "eigen.k", "alpha": "two_side.alpha", "time": "eigen.time", "bandwidth": bandwidth_of(), "metric": "distance.metric"}
    least_rows = 2

    def __init__(self, n_components: int = 2, *, alpha: float = 1.0, time: float = 1.0, bandwidth: float | str = "auto", gamma: float | None = None,
                 metric: str = "euclidean", random_state: Any = 0, n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())


def _neighbours_of_perplexity(estimator: Any, rows: int) -> Mapping[str, Any]:
    perplexity = estimator.perplexity
    if perplexity == 30 and rows > 90:
        return {}
    return {"exp.perplexity": perplexity, "knn.k": max(1, min(math.ceil(3 * perplexity), rows - 1))}


class TSNE(Embedder):
    """A map on which near neighbours stay together and clusters come apart; kl_divergence_ is what is left.

    perplexity: how many neighbours count; three times as many have a similarity at all.  early_exaggeration, learning_rate ("auto": rows /
    early_exaggeration), max_iter, init ("auto", "pca", "spectral", "random"): as scikit-learn's.  early_exaggeration_iter: the first steps, of all, in
    which neighbours attract more.  degrees_of_freedom: below 1 heavier tails and finer
    clusters.  metric: as MDS.  transform places new points on the map that there is."""

    recipe = "tsne"
    parameters = {"n_components": "match.dims", "perplexity": _neighbours_of_perplexity, "early_exaggeration": "match.exaggeration",
                "early_exaggeration_iter": "match.early", "learning_rate": "match.rate", "max_iter": "match.max_iterations", "init": "match.start", "degrees_of_freedom": "match.freedom", "metric": METRIC}
    least_rows = 2

    def __init__(self, n_components: int = 2, *, perplexity: float = 30.0, early_exaggeration: float = 12.0, early_exaggeration_iter: int = 250,
                 learning_rate: float | str = "auto", max_iter: int = 750, init: str = "auto", degrees_of_freedom: float = 1.0, metric: str = "euclidean", random_state: Any = 0,
                 n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())

    def fit(self, X: Any, y: Any = None) -> Any:
        super().fit(X)
        self.kl_divergence_ = self.figures_["kl"]
        self.n_iter_ = self.max_iter  # it makes every step
        return self


def _neighbours_of_umap(estimator: Any, rows: int) -> Mapping[str, Any]:
    """umap-learn counts the point itself."""
    if estimator.n_neighbors < 2:
        raise ValueError(f"[calor] expected n_neighbors of at least 2, the point itself counted, found {estimator.n_neighbors}")
    return {} if estimator.n_neighbors == 15 else {"k": estimator.n_neighbors - 1}


class UMAP(Embedder):
    """A map of the fuzzy neighbour graph, close groups packed tight.

    n_neighbors: the point itself counted, as in umap-learn.  min_dist, spread: how close points may be packed, and the scale of the map.  n_epochs:
    None for 500, beyond 10,000 points 200.  negative_sample_rate: points drawn to push for each pull.  learning_rate, init ("auto" is "spectral"):
    as umap-learn's.  metric: as MDS.  transform places new points on the map that there is.

    fit(X, y) keeps classes apart: edges between them lose weight; -1 (of texts "", None or NaN) where the class is not known.  target_weight: how much
    they count, 0 little, 1 alone; None to take no notice of y."""

    recipe = "umap"
    parameters = {"n_neighbors": _neighbours_of_umap, "n_components": "match.dims", "min_dist": "match.min_dist", "spread": "match.spread",
                "n_epochs": "match.max_iterations", "negative_sample_rate": "match.negatives", "learning_rate": "match.rate", "init": "match.start",
                "metric": METRIC}
    least_rows = 2

    def __init__(self, n_neighbors: int = 15, n_components: int = 2, *, min_dist: float = 0.1, spread: float = 1.0, n_epochs: int | None = None,
                 negative_sample_rate: int = 5, learning_rate: float | str = "auto", init: str = "auto", metric: str = "euclidean",
                 target_weight: float | None = 0.5, random_state: Any = 0, n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())

    def fit(self, X: Any, y: Any = None) -> Any:
        self._classes_count = y is not None and self.target_weight is not None
        labels = (lambda rows: coded_labels(self, y, rows, known_labels(checked_targets(self, y, rows)))[1]) if self._classes_count else None
        return self._keep(self._run(X, labels))

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        return self.fit(X, y).embedding_

    def _pipeline(self) -> str:
        if not self._classes_count:
            return self.recipe
        k = self.n_neighbors
        return (f"knn({k - 1}) | distance(1, from=nearest) | exp(cardinality=log2({k})) | union | supervise({written(self.target_weight)}) | "
                "match(rational, cross_entropy)")

    def _settings(self, rows: int) -> list[str]:
        given = super()._settings(rows)
        return [setting for setting in given if not setting.startswith("k=")] if self._classes_count else given


class SNE(Embedder):
    """A map whose Gaussian neighbourhoods are those of the data: the ancestor of t-SNE; kl_divergence_ is what is left.

    perplexity: how many neighbours count.  max_iter, tol, metric: as MetricMDS."""

    recipe = "sne"
    parameters = {"n_components": "match.dims", "perplexity": "exp.perplexity", "max_iter": "match.max_iterations", "tol": "match.tolerance",
                "init": "match.start", "metric": "distance.metric"}
    least_rows = 2

    def __init__(self, n_components: int = 2, *, perplexity: float = 30.0, max_iter: int = 1000, tol: float = 1e-7, init: str = "auto",
                 metric: str = "euclidean", random_state: Any = 0, n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())

    def fit(self, X: Any, y: Any = None) -> Any:
        super().fit(X)
        self.kl_divergence_ = self.figures_["kl"]
        return self
