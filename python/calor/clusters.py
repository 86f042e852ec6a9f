"""Clusters."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._base import Clusterer, bandwidth_of
from ._data import array_of, coordinates_of, is_sparse
from ._inputs import Rows, taken
from ._sklearn import ClassNamePrefixFeaturesOutMixin, TransformerMixin, check_is_fitted, validate_data


class KMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Clusterer):
    """Round clusters around their means: cluster_centers_, inertia_.  transform: distances from the centres; score: minus the inertia of new points.

    n_init, max_iter: starts, of which the best is kept, and the most steps of each; the best then goes on until nothing moves, in n_iter_ steps."""

    recipe = "k-means"
    parameters = {"n_clusters": "k", "n_init": "centres.starts", "max_iter": "centres.max_iterations"}

    def __init__(self, n_clusters: int = 8, *, n_init: int = 10, max_iter: int = 300, random_state: Any = 0, n_jobs: int | None = None,
                 max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())

    def _keep(self, result: dict[str, Any]) -> None:
        super()._keep(result)
        self.cluster_centers_ = coordinates_of(result, "centres")
        self._n_features_out = len(self.cluster_centers_)

    def transform(self, X: Any) -> np.ndarray:
        """Each row's distance from each centre."""
        check_is_fitted(self)
        X = taken(X)
        X = validate_data(self, X.values if isinstance(X, Rows) else X, reset=False, accept_sparse="csr", dtype=(np.float64, np.float32))
        centres = self.cluster_centers_.astype(np.float64)
        if is_sparse(X):
            squares = np.asarray(X.multiply(X).sum(axis=1)).reshape(-1, 1) - 2 * (X @ centres.T) + np.sum(centres**2, axis=1)
            return np.sqrt(np.maximum(squares, 0)).astype(X.dtype, copy=False)
        return np.stack([np.sqrt(np.sum((X - centre) ** 2, axis=1)) for centre in centres], axis=1).astype(X.dtype, copy=False)

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        return self.fit(X).transform(X)

    def score(self, X: Any, y: Any = None) -> float:
        return -float(np.sum(np.min(self.transform(X), axis=1) ** 2))


class SpectralClustering(Clusterer):
    """Clusters of any shape, cut where the neighbour graph is thin.

    n_neighbors: of each point, itself not counted.  n_init: random starts of k-means on the graph's coordinates.  bandwidth: of exp(-d² / bandwidth),
    "auto" from the points; gamma: 1 / bandwidth, in its place.  affinity: "nearest_neighbors", or "precomputed" where X is a table of similarities,
    dense or sparse.  metric: "euclidean", "cosine", "manhattan", or "precomputed" where X is a table of distances."""

    recipe = "spectral-clustering"
    parameters = {"n_clusters": "k", "n_neighbors": "knn.k", "n_init": "cluster.starts", "bandwidth": bandwidth_of(), "metric": ("knn.metric", "distance.metric")}
    least_rows = 2

    def __init__(self, n_clusters: int = 8, *, n_neighbors: int = 15, n_init: int = 10, bandwidth: float | str = "auto", gamma: float | None = None,
                 affinity: str = "nearest_neighbors", metric: str = "euclidean", random_state: Any = 0, n_jobs: int | None = None,
                 max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())


class MeanShift(Clusterer):
    """Points climb to the modes of their density: cluster_centers_ are the modes, as many as there are.

    bandwidth: h of exp(-d² / h), in squared units of the data (scikit-learn's is a radius); "groups" from the points.  max_iter, tol: the most
    repetitions, and the largest move, as a share of the spread, at which it has converged."""

    recipe = "mean-shift"
    parameters = {"bandwidth": "h", "max_iter": "repeat.max_iterations", "tol": "repeat.tolerance"}
    least_rows = 2

    def __init__(self, bandwidth: float | str = "groups", *, max_iter: int = 1000, tol: float = 1e-4, random_state: Any = 0, n_jobs: int | None = None,
                 max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())

    def _keep(self, result: dict[str, Any]) -> None:
        super()._keep(result)
        self.cluster_centers_ = coordinates_of(result, "centres")


class FuzzyCMeans(Clusterer):
    """Clusters that every point belongs to in part: memberships_, rows that add up to 1, and labels_, the greatest of each; cluster_centers_.

    m: fuzziness, above 1; near 1 each point belongs to one cluster alone.  n_init: k-means starts.  max_iter, tol: as MeanShift."""

    recipe = "fuzzy-c-means"
    parameters = {"n_clusters": "k", "m": "m", "n_init": "centres.starts", "max_iter": "repeat.max_iterations", "tol": "repeat.tolerance"}

    def __init__(self, n_clusters: int = 8, *, m: float = 2.0, n_init: int = 10, max_iter: int = 1000, tol: float = 1e-6, random_state: Any = 0,
                 n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())

    def _keep(self, result: dict[str, Any]) -> None:
        super()._keep(result)
        self.memberships_ = array_of(result["memberships"])
        self.cluster_centers_ = coordinates_of(result, "centres")

    def memberships(self, X: Any) -> np.ndarray:
        """How much new points belong to each cluster."""
        return array_of(self._place(X)["memberships"])


class MarkovClustering(Clusterer):
    """Groups that flow along a graph stays in: labels_.  X is the graph, a square table of weights, sparse or dense, 0 for no edge.

    inflation: the larger, the more and the smaller clusters; 1.2 to 5 is the usual range.  max_iter, tol: as MeanShift."""

    recipe = "mcl"
    parameters = {"inflation": "inflation", "max_iter": "repeat.max_iterations", "tol": "repeat.tolerance"}

    def __init__(self, inflation: float = 2.0, *, max_iter: int = 1000, tol: float = 1e-6, random_state: Any = 0, n_jobs: int | None = None,
                 max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())

    def _takes(self) -> str:
        return "similarities"

    def predict(self, X: Any) -> np.ndarray:
        """Of new nodes: a row each with the weights of its edges to the nodes of the fit.  It joins the cluster that most of its edges' weight leads to, the
        first of equal ones, and the clusters stay as they are; -1 for one without edges."""
        return super().predict(X)
