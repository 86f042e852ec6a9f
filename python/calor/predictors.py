"""Classes and values of new points, from labelled ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ._base import Classifier, Regressor, Weighing, bandwidth_of, checked_targets, known_labels, winners_of
from ._data import array_of


class KNeighborsClassifier(Weighing, Classifier):
    """Majority vote of the nearest training points.

    metric: "euclidean", "cosine", "manhattan", or "precomputed" where X is a table of distances: square for fit, to the rows of the fit after it.

    >>> calor.KNeighborsClassifier(1).fit(np.array([[0.0], [1.0]]), ["low", "high"]).predict(np.array([[0.2]])).tolist()
    ['low']
    """

    recipe = "knn-classifier"
    parameters = {"n_neighbors": "knn.k", "metric": "knn.metric"}
    least_rows = 2

    def __init__(self, n_neighbors: int = 5, *, metric: str = "euclidean", random_state: Any = 0, n_jobs: int | None = None,
                 max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())


class KNeighborsRegressor(Weighing, Regressor):
    """The mean of the nearest training points' values.  metric: as KNeighborsClassifier."""

    recipe = "knn-regressor"
    parameters = {"n_neighbors": "knn.k", "metric": "knn.metric"}
    least_rows = 2

    def __init__(self, n_neighbors: int = 5, *, metric: str = "euclidean", random_state: Any = 0, n_jobs: int | None = None,
                 max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())


class NadarayaWatson(Weighing, Regressor):
    """Kernel regression: a weighted mean over all training points.

    bandwidth: of exp(-d² / bandwidth), "auto" from the points, "loo" chosen by leave-one-out; gamma: 1 / bandwidth, in its place.  metric: as
    KNeighborsClassifier."""

    recipe = "nadaraya-watson"
    parameters = {"bandwidth": bandwidth_of(), "metric": "distance.metric"}
    least_rows = 2

    def __init__(self, bandwidth: float | str = "auto", *, gamma: float | None = None, metric: str = "euclidean", random_state: Any = 0,
                 n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())


class Propagator(Weighing, Classifier):
    """Attention to labelled points: classes with probabilities that can be taken at face value, and `evidence` for each.

    bandwidth: of exp(-d² / bandwidth).  alpha: how far the labelled points' density is divided out, 0 to 1.  Both "loo": chosen by leave-one-out.
    standardise: "loo": the features are standardised where that predicts the labels better; "deviation": always.  training_proba_ predicts each
    labelled row from the others."""

    recipe = "propagator"
    parameters = {"bandwidth": "exp.bandwidth", "alpha": "two_side.alpha", "standardise": "standardise.by"}
    least_rows = 2

    def __init__(self, bandwidth: float | str = "loo", *, alpha: float | str = "loo", standardise: str = "loo", random_state: Any = 0,
                 n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())


class PropagatorRegressor(Weighing, Regressor):
    """The propagator for measured values: kernel regression that chooses its own bandwidth.  Parameters as Propagator."""

    recipe = "propagator-regressor"
    parameters = {"bandwidth": "exp.bandwidth", "alpha": "two_side.alpha", "standardise": "standardise.by"}
    least_rows = 2

    def __init__(self, bandwidth: float | str = "loo", *, alpha: float | str = "loo", standardise: str = "loo", random_state: Any = 0,
                 n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())


def _returns(estimator: Any, rows: int) -> Mapping[str, Any]:
    """The share that returns to the given labels; rounded, since 1 - 0.8 is not 0.2."""
    return {"restart.a": round(1 - estimator.alpha, 15)}


class LabelSpreading(Classifier):
    """A few labels flow along the neighbour graph: transduction_ and label_distributions_ for the rows of the fit.

    y: -1 (of texts "", None or NaN) where the class is not known.  alpha: the share that comes from the neighbours (scikit-learn's default is
    0.2).  bandwidth, gamma: as NadarayaWatson.  max_iter, tol: the most steps, and the relative change at which it has converged."""

    recipe = "label-spreading"
    parameters = {"n_neighbors": "knn.k", "alpha": _returns, "bandwidth": bandwidth_of(), "max_iter": "repeat.max_iterations", "tol": "repeat.tolerance",
                "metric": ("knn.metric", "distance.metric")}
    least_rows = 2

    def __init__(self, n_neighbors: int = 15, *, alpha: float = 0.8, bandwidth: float | str = "auto", gamma: float | None = None, max_iter: int = 1000,
                 tol: float = 1e-6, metric: str = "euclidean", random_state: Any = 0, n_jobs: int | None = None, max_memory: int | str | None = None,
                 verbose: bool = False) -> None:
        self._take(locals())

    def _labels(self, y: Any) -> Callable[[int], dict[str, Any]]:
        return lambda rows: self._coded(y, rows, known=known_labels(checked_targets(self, y, rows)))

    def fit(self, X: Any, y: Any) -> Any:
        self.label_distributions_ = array_of(self._run(X, self._labels(y))["scores"])
        self.training_proba_ = self.label_distributions_
        self.transduction_ = self.classes_[winners_of(self.label_distributions_, self._most_frequent)]
        return self
