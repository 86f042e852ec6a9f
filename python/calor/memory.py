"""Recall of stored patterns."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._base import Estimator
from ._data import coordinates_of
from ._sklearn import TransformerMixin, check_is_fitted


class Hopfield(TransformerMixin, Estimator):
    """Recalls stored patterns: fit on the clean ones, transform the noisy ones.  The fixed points of attention.

    temperature: of exp(dot product / temperature), 1 / beta of the paper; dot products grow with the square of the features' scale.  max_iter, tol:
    the most repetitions, and the relative change at which it has converged.

    >>> patterns = np.array([[1.0, 1.0, -1.0], [-1.0, 1.0, 1.0]])
    >>> calor.Hopfield(0.1).fit(patterns).transform(np.array([[0.9, 0.8, -0.5]])).round(3)
    array([[ 1.,  1., -1.]])
    """

    recipe = "hopfield"
    parameters = {"temperature": "temperature", "max_iter": "repeat.max_iterations", "tol": "repeat.tolerance"}

    def __init__(self, temperature: float = 1.0, *, max_iter: int = 1000, tol: float = 1e-6, random_state: Any = 0, n_jobs: int | None = None,
                 max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())

    def fit(self, X: Any, y: Any = None) -> Any:
        self.fixed_points_ = coordinates_of(self._run(X))
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        return self.fit(X).fixed_points_

    def transform(self, X: Any) -> np.ndarray:
        return coordinates_of(self._place(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        check_is_fitted(self)
        if hasattr(self, "feature_names_in_"):
            return self.feature_names_in_
        return np.array([f"x{i}" for i in range(self.n_features_in_)], dtype=object) if input_features is None else np.asarray(input_features, dtype=object)
