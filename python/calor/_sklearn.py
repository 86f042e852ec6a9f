"""scikit-learn's mixins and checks where it is installed; where it is not, as much of them as the estimators need, over numpy alone."""

from __future__ import annotations

from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, ClassNamePrefixFeaturesOutMixin, ClusterMixin, OutlierMixin, RegressorMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

    HAVE_SKLEARN = True
except ImportError:
    HAVE_SKLEARN = False

    import inspect

    class BaseEstimator:  # type: ignore[no-redef]
        @classmethod
        def _get_param_names(cls) -> list[str]:
            return sorted(name for name in inspect.signature(cls.__init__).parameters if name != "self")

        def get_params(self, deep: bool = True) -> dict[str, Any]:
            return {name: getattr(self, name) for name in self._get_param_names()}

        def set_params(self, **params: Any) -> Any:
            for name, value in params.items():
                if name not in self._get_param_names():
                    raise ValueError(f"[{type(self).__name__}] expected a parameter ({', '.join(self._get_param_names())}), found {name!r}")
                setattr(self, name, value)
            return self

        def __repr__(self) -> str:
            standard = inspect.signature(type(self).__init__).parameters
            given = [f"{name}={value!r}" for name, value in self.get_params().items() if not _same(value, standard[name].default)]
            return f"{type(self).__name__}({', '.join(given)})"

        def __getstate__(self) -> dict[str, Any]:
            return dict(self.__dict__)

        def __setstate__(self, state: dict[str, Any]) -> None:
            self.__dict__.update(state)

        def __sklearn_tags__(self) -> Any:
            raise AttributeError("scikit-learn is not installed")

    class TransformerMixin:  # type: ignore[no-redef]
        def fit_transform(self, X: Any, y: Any = None) -> Any:
            return self.fit(X, y).transform(X)  # type: ignore[attr-defined]

    class ClassNamePrefixFeaturesOutMixin:  # type: ignore[no-redef]
        def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
            check_is_fitted(self)
            return np.array([f"{type(self).__name__.lower()}{i}" for i in range(self._n_features_out)], dtype=object)  # type: ignore[attr-defined]

    class ClusterMixin:  # type: ignore[no-redef]
        def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
            return self.fit(X).labels_  # type: ignore[attr-defined]

    class ClassifierMixin:  # type: ignore[no-redef]
        def score(self, X: Any, y: Any) -> float:
            """The share of rows that are predicted correctly."""
            return float(np.mean(self.predict(X) == np.asarray(y)))  # type: ignore[attr-defined]

    class OutlierMixin:  # type: ignore[no-redef]
        pass

    class RegressorMixin:  # type: ignore[no-redef]
        def score(self, X: Any, y: Any) -> float:
            """R²: the share of the variance of y that is explained."""
            y = np.asarray(y, dtype=float)
            return float(1 - np.sum((y - self.predict(X)) ** 2) / np.sum((y - y.mean()) ** 2))  # type: ignore[attr-defined]

    class NotFittedError(ValueError, AttributeError):
        pass

    def _same(one: Any, other: Any) -> bool:
        return one is other or (type(one) is type(other) and bool(np.all(one == other)))

    def check_random_state(seed: Any) -> Any:  # type: ignore[no-redef]
        if seed is None:
            return np.random.mtrand._rand
        if isinstance(seed, np.random.RandomState):
            return seed
        return np.random.RandomState(seed)

    def available_if(check: Any) -> Any:  # type: ignore[no-redef]
        class Available:
            def __init__(self, function: Any) -> None:
                self.function = function

            def __get__(self, instance: Any, owner: Any = None) -> Any:
                if instance is None:
                    return self.function
                if not check(instance):
                    raise AttributeError(f"{type(instance).__name__!r} has no {self.function.__name__!r} for this pipeline")
                return self.function.__get__(instance, owner)

        return Available

    def check_is_fitted(estimator: Any) -> None:  # type: ignore[no-redef]
        if not hasattr(estimator, "n_features_in_"):
            raise NotFittedError(f"This {type(estimator).__name__} instance is not fitted yet: call 'fit' first.")

    def column_or_1d(y: Any, *, warn: bool = False) -> np.ndarray:  # type: ignore[no-redef]
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if y.ndim != 1:
            raise ValueError(f"y should be a 1d array, got an array of shape {y.shape} instead.")
        return y

    def check_classification_targets(y: Any) -> None:  # type: ignore[no-redef]
        y = np.asarray(y)
        if y.dtype.kind == "f" and np.any(y != np.floor(y)):
            raise ValueError("Unknown label type: continuous. Maybe you are trying to fit a classifier, which expects discrete classes.")

    def validate_data(estimator: Any, X: Any, *, reset: bool = True, ensure_all_finite: bool = True, ensure_min_samples: int = 1,  # type: ignore[no-redef]
                      accept_sparse: Any = None, dtype: Any = None) -> Any:
        names = [str(name) for name in X.columns] if hasattr(X, "columns") else None
        if not hasattr(X, "tocsr"):
            X = np.asarray(X)
            if X.dtype not in (np.float32, np.float64):
                if X.dtype.kind == "c":
                    raise ValueError("Complex data not supported")
                X = X.astype(np.float64)
            if X.ndim != 2:
                raise ValueError(f"Expected 2D array, got {X.ndim}D array instead. Reshape your data with array.reshape(-1, 1) or array.reshape(1, -1).")
            if ensure_all_finite and not np.all(np.isfinite(X)):
                raise ValueError("Input X contains NaN or infinity.")
        if X.shape[0] < ensure_min_samples:
            raise ValueError(f"Found array with {X.shape[0]} sample(s) (shape={X.shape}) while a minimum of {ensure_min_samples} is required.")
        if X.shape[1] < 1:
            raise ValueError(f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is required.")
        if reset:
            estimator.n_features_in_ = X.shape[1]
            if names is not None:
                estimator.feature_names_in_ = np.array(names, dtype=object)
            elif hasattr(estimator, "feature_names_in_"):
                del estimator.feature_names_in_
        elif X.shape[1] != estimator.n_features_in_:
            raise ValueError(f"X has {X.shape[1]} features, but {type(estimator).__name__} is expecting {estimator.n_features_in_} features as input")
        elif names is not None and hasattr(estimator, "feature_names_in_") and list(estimator.feature_names_in_) != names:
            raise ValueError("The feature names should match those that were passed during fit.")
        return X
