"""Support vector machines.

kernel: "rbf", "linear", "poly", "sigmoid", "laplacian".  gamma: of exp(-gamma d²), "auto" is 1 / number of features, "scale" scikit-learn's default.
degree, coef0: of poly and sigmoid; coef0 is 1 here.  tol: the violation of the optimality conditions at which a machine has converged.  max_iter: the
most steps, "auto" a million or 100 a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ._base import Classifier, Estimator, Regressor
from ._data import array_of
from ._sklearn import OutlierMixin

KERNEL = {"kernel": "kernel.name", "gamma": "kernel.gamma", "degree": "kernel.degree", "coef0": "kernel.offset", "tol": "weigh.tolerance",
          "max_iter": "weigh.max_iterations"}


def _probabilities(estimator: Any, rows: int) -> Mapping[str, Any]:
    return {"weigh.probabilities": "platt"} if estimator.probability else {}


class SVC(Classifier):
    """The widest margin between classes.

    C: the most weight of a row.  class_weights: "balanced" for C times rows / (classes * rows of the class).  probability: probabilities by Platt's
    sigmoid; without it predict_proba has each class's share of the votes.  kernel, gamma, degree, coef0, tol, max_iter: see calor.machines."""

    recipe = "svm"
    parameters = {**KERNEL, "C": "weigh.C", "class_weights": "weigh.class_weights", "probability": _probabilities}
    least_rows = 2

    def __init__(self, C: float = 1.0, *, kernel: str = "rbf", gamma: float | str = "auto", degree: int = 3, coef0: float = 1.0,
                 class_weights: str = "equal", probability: bool = False, tol: float = 1e-3, max_iter: int | str = "auto", random_state: Any = 0,
                 n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())


class SVR(Regressor):
    """The flattest function within a tube around the values.

    epsilon: half the tube's width, in units of the values.  C, kernel, gamma, degree, coef0, tol, max_iter: as SVC."""

    recipe = "svm-regressor"
    parameters = {**KERNEL, "C": "weigh.C", "epsilon": "weigh.epsilon"}
    least_rows = 2

    def __init__(self, C: float = 1.0, *, epsilon: float = 0.1, kernel: str = "rbf", gamma: float | str = "auto", degree: int = 3, coef0: float = 1.0,
                 tol: float = 1e-3, max_iter: int | str = "auto", random_state: Any = 0, n_jobs: int | None = None, max_memory: int | str | None = None,
                 verbose: bool = False) -> None:
        self._take(locals())


class OneClassSVM(OutlierMixin, Estimator):
    """Where the points are: predict is 1 for new ones that lie there, -1 for others; decision_function is above 0 inside.

    nu: about the share of the rows that may lie outside.  kernel, gamma, degree, coef0, tol, max_iter: as SVC."""

    recipe = "one-class-svm"
    parameters = {**KERNEL, "nu": "weigh.nu"}
    least_rows = 2

    def __init__(self, nu: float = 0.5, *, kernel: str = "rbf", gamma: float | str = "auto", degree: int = 3, coef0: float = 1.0, tol: float = 1e-3,
                 max_iter: int | str = "auto", random_state: Any = 0, n_jobs: int | None = None, max_memory: int | str | None = None,
                 verbose: bool = False) -> None:
        self._take(locals())

    def fit(self, X: Any, y: Any = None) -> Any:
        self.training_decisions_ = array_of(self._run(X)["field"])[:, 0]
        self.offset_ = 0.0
        return self

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        return np.where(self.fit(X).training_decisions_ > 0, 1, -1)

    def decision_function(self, X: Any) -> np.ndarray:
        return array_of(self._place(X)["field"])[:, 0]

    def score_samples(self, X: Any) -> np.ndarray:
        """The decisions, whose offset_ is 0."""
        return self.decision_function(X)

    def predict(self, X: Any) -> np.ndarray:
        return np.where(self.decision_function(X) > 0, 1, -1)
