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


def in_order(decisions: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Each pair with its lower class first, the pairs in lexicographic order: the machines have classes in the order of their rows."""
    turned = pairs[:, 0] > pairs[:, 1]
    order = np.lexsort((pairs.max(axis=1), pairs.min(axis=1)))
    return np.where(turned, -decisions, decisions)[:, order]


def of_each_class(decisions: np.ndarray, classes: int) -> np.ndarray:
    """Votes, which the sum of a class's decisions orders where they are equal."""
    one, other = np.triu_indices(classes, 1)
    votes, sums = (np.zeros((len(decisions), classes)) for _ in range(2))
    for pair, (a, b) in enumerate(zip(one, other)):
        won = decisions[:, pair] >= 0
        votes[:, a] += won
        votes[:, b] += ~won
        sums[:, a] += decisions[:, pair]
        sums[:, b] -= decisions[:, pair]
    return votes + sums / (3 * (np.abs(sums) + 1))


class SVC(Classifier):
    """The widest margin between classes.

    C: the most weight of a row.  class_weights: "balanced" for C times rows / (classes * rows of the class).  probability: probabilities by Platt's
    sigmoid; without it predict_proba has each class's share of the votes.  decision_function_shape: "ovr", a column a class, or "ovo", a column a pair
    of classes.  kernel, gamma, degree, coef0, tol, max_iter: see calor.machines."""

    recipe = "svm"
    parameters = {**KERNEL, "C": "weigh.C", "class_weights": "weigh.class_weights", "probability": _probabilities}
    least_rows = 2

    def __init__(self, C: float = 1.0, *, kernel: str = "rbf", gamma: float | str = "auto", degree: int = 3, coef0: float = 1.0,
                 class_weights: str = "equal", probability: bool = False, decision_function_shape: str = "ovr", tol: float = 1e-3,
                 max_iter: int | str = "auto", random_state: Any = 0, n_jobs: int | None = None, max_memory: int | str | None = None,
                 verbose: bool = False) -> None:
        self._take(locals())

    def decision_function(self, X: Any) -> np.ndarray:
        """How far on which side of the margin, which is at -1 and 1; signs and shapes are scikit-learn's.

        Of two classes a number a row, above 0 for classes_[1].  Of more, "ovo" has a column a pair in the order (0, 1), (0, 2), ..., (1, 2), ..., above 0
        for the first of the pair; "ovr" a column a class: its votes, and less than a third for its decisions' sum."""
        if self.decision_function_shape not in ("ovr", "ovo"):
            raise ValueError(f'[SVC] expected decision_function_shape="ovr" or "ovo", found {self.decision_function_shape!r}')
        result = self._place(X)
        decisions = in_order(array_of(result["decisions"]), array_of(result["decision_pairs"]))
        if len(self.classes_) == 2:
            return -decisions[:, 0]
        return decisions if self.decision_function_shape == "ovo" else of_each_class(decisions, len(self.classes_))


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
        self.offset_ = self.figures_["offset"]
        return self

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        return np.where(self.fit(X).training_decisions_ > 0, 1, -1)

    def decision_function(self, X: Any) -> np.ndarray:
        return array_of(self._place(X)["field"])[:, 0]

    def score_samples(self, X: Any) -> np.ndarray:
        """The weighted similarities to the support vectors: decision_function is them less offset_."""
        return self.decision_function(X) + self.offset_

    def predict(self, X: Any) -> np.ndarray:
        return np.where(self.decision_function(X) > 0, 1, -1)
