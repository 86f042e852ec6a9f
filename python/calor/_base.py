"""What every estimator is: a recipe, its parameters as settings of the recipe's stages, and the results of the engine as fitted attributes.

A new one is a class with ``recipe``, ``parameters`` and ``__init__``; what it predicts or transforms comes from Embedder, Clusterer, Classifier or
Regressor.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from . import _engine
from ._data import array_of, class_text, coordinates_of, distances_of, feature_names_of, is_sparse, row_names_of, rows_of, similarities_of
from ._figures import Figures
from ._fitted import Fitted, Session
from ._inputs import Rows, taken, unpacked
from ._page import Page
from ._sklearn import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    RegressorMixin,
    TransformerMixin,
    check_classification_targets,
    check_is_fitted,
    column_or_1d,
    validate_data,
)
from .warn import warn_of

# A parameter is a setting of that name ("knn.k"), or of several; or a function of the estimator and the number of rows that gives settings.
Setting = str | tuple[str, ...] | Callable[[Any, int], Mapping[str, Any]]


def written(value: Any) -> str:
    """A number or a word in the pipelines' grammar."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    raise TypeError(f"[calor] expected a number or a word, found {value!r}")


def is_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def bandwidth_of(stage: str = "exp.bandwidth") -> Callable[[Any, int], Mapping[str, Any]]:
    """gamma is 1 / bandwidth, as scikit-learn's kernels have it; it comes first where both are given."""

    def settings(estimator: Any, rows: int) -> Mapping[str, Any]:
        gamma = estimator.gamma
        if gamma is None:
            return {stage: estimator.bandwidth}
        if not gamma > 0:
            raise ValueError(f"[calor] expected gamma above 0, found {gamma}")
        return {stage: 1 / gamma}

    return settings


class Parameters(BaseEstimator):
    def _take(self, given: Mapping[str, Any]) -> None:
        """A constructor's parameters, from its locals(), as attributes: scikit-learn wants them there as they are given, and nothing else done."""
        for name, value in given.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)


class Estimator(Page, Parameters):
    """random_state: the seed, an integer for the same result each time (the default 0, as on the command line), None for another each time.
    n_jobs: threads, None or -1 for all; the result has the same bits for any number.  max_memory: bytes or "2G" that may be taken, None for nine
    tenths of what is free; more is refused before it is taken.  verbose: a bar of progress, on stderr or under a notebook's cell."""

    recipe: ClassVar[str] = ""
    parameters: ClassVar[Mapping[str, Setting]] = {}
    least_rows: ClassVar[int] = 1

    random_state: Any
    n_jobs: int | None
    max_memory: int | str | None
    verbose: bool

    def _takes(self) -> str:
        """What X is: "points", "distances" or "similarities"."""
        if getattr(self, "affinity", "") == "precomputed":
            return "similarities"
        return "distances" if getattr(self, "metric", "") == "precomputed" else "points"

    def _pipeline(self) -> str:
        return self.recipe

    def _title(self) -> str:
        """What a report calls the method."""
        return self.recipe

    def _settings(self, rows: int) -> list[str]:
        """As the command line's --set.  Defaults are the recipe's, and are left to it."""
        given: dict[str, Any] = {}
        standard = inspect.signature(type(self).__init__).parameters
        for parameter, setting in self.parameters.items():
            value = getattr(self, parameter)
            if callable(setting):
                given.update(setting(self, rows))
            elif value is not None and value != "precomputed" and not is_same(value, standard[parameter].default):
                given.update({name: value for name in ((setting,) if isinstance(setting, str) else setting)})
        if self._takes() == "similarities":  # which come in place of the stages that find them
            given = {name: value for name, value in given.items() if name.split(".")[0] not in ("knn", "distance", "exp")}
        return [f"{name}={written(value)}" for name, value in given.items() if value is not None]

    def _points(self, X: Any, reset: bool) -> tuple[dict[str, Any], int, np.dtype[Any]]:
        """X as the engine takes it, its number of rows, and whether it has 32 or 64 bits, checked as scikit-learn does."""
        X = taken(X)
        takes, row_names, column_names = self._takes(), row_names_of(X), []
        if isinstance(X, Rows):  # whose names are the engine's alone: scikit-learn knows those of frames
            column_names, X = X.columns, X.values
        X = validate_data(self, X, reset=reset, accept_sparse="csr", dtype=(np.float64, np.float32),
                          ensure_all_finite=takes != "distances", ensure_min_samples=self.least_rows if reset else 1)
        points: dict[str, Any] = rows_of(X) if takes == "points" else similarities_of(X) if takes == "similarities" else {"distances": distances_of(X, square=reset)}
        if takes == "points":
            points["feature_names"] = column_names or feature_names_of(self)
        points["row_names"] = row_names
        return points, X.shape[0], X.dtype

    def _run(self, X: Any, labels: Callable[[int], dict[str, Any]] | None = None) -> dict[str, Any]:
        """Fits, and keeps what every fit has; returns the engine's result.  `labels` says y as the engine takes it, for so many rows."""
        points, rows, dtype = self._points(X, reset=True)
        if labels:
            points.update(labels(rows))
        with Session(self) as session:
            fit = _engine.fit(self._pipeline(), self._settings(rows), points, session)
        self._fitted = Fitted(fit)
        result = fit.result() | {"dtype": dtype}
        self.pipeline_ = fit.describe()["text"]
        self.figures_: dict[str, float] = result["figures"]
        self.series_ = {name: array_of(values) for name, values in result["series"].items()}
        self.notes_: list[tuple[str, str]] = result["notes"]
        if "spectrum" in result:
            self.eigenvalues_ = array_of(result["spectrum"])
        for name in ("steps", "repetitions", "iterations"):
            if name in self.figures_:
                self.n_iter_ = int(self.figures_[name])
        warn_of(self.notes_)
        return result

    def _place(self, X: Any, evidence: int = 0) -> dict[str, Any]:
        """New points through the fit."""
        check_is_fitted(self)
        points, _, dtype = self._points(X, reset=False)
        if self._fitted is None:
            raise ValueError("[calor] expected a fit, found a copy without one: the pipeline has no rule for new points, so a pickle holds its result alone")
        with Session(self, seed=0) as session:
            result = self._fitted.fit.transform(points, session, evidence) | {"dtype": dtype}
        warn_of(result["notes"])
        return result

    @property
    def figures(self) -> Figures:
        """What the stages of the fit measured or chose, by name and type: `figures_` as a dataclass."""
        check_is_fitted(self)
        return Figures.of(self.figures_)

    def save(self, path: str | os.PathLike[str], *, landmarks: int | None = None, compact: bool = False) -> None:
        """The model file of the command line (`calor apply` reads it); `calor.load` reads it too.  Written whole or not at all.

        landmarks: keep so many rows of the fit, drawn at random, and place new points among these; for pipelines whose stages keep nothing of all rows
        together (t-SNE, UMAP, SNE, neighbours, votes).  compact: features that are a table in 8 bits, 256 levels per column (whole numbers from 0 to 255 are unchanged), and what stages kept in 32."""
        if landmarks is not None and landmarks < 1:
            raise ValueError(f"[calor] expected landmarks of at least 1, found {landmarks}: leave it out to keep all rows")
        check_is_fitted(self)
        if self._fitted is None:
            raise ValueError("[calor] expected a fit, found a copy without one: save the estimator that was fitted")
        self._fitted.fit.save(os.fspath(path), landmarks or 0, compact)

    def report(self, path: str | os.PathLike[str], labels: Any = None, *, data: str = "the data") -> None:
        """The page of `calor run --report`: pictures, quality figures, spectrum, remarks, in one HTML file that works offline.

        labels: classes of the fit's rows to colour and to judge by, where fit was not given any.  data: what the page calls the data."""
        check_is_fitted(self)
        texts: dict[str, Any] = {"title": self._title(), "data": data, "command": repr(self)}
        if labels is not None:
            classes, coded = np.unique(column_or_1d(labels), return_inverse=True)
            texts |= {"labels": coded.astype(np.int64), "classes": [class_text(value) for value in classes.tolist()], "label": getattr(labels, "name", None) or "label"}
        if self._fitted is None:
            raise ValueError("[calor] expected a fit, found a copy without one: report from the estimator that was fitted")
        with Session(self, seed=0) as session:
            self._fitted.fit.report(os.fspath(path), texts, session)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = self._takes() != "points"
        tags.input_tags.positive_only = self._takes() == "similarities"
        tags.input_tags.allow_nan = self._takes() == "distances"
        tags.non_deterministic = False
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class Embedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):
    """Coordinates in few dimensions: embedding_ (rows x n_components, in X's 32 or 64 bits), of new points transform."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """X: rows x features (or what metric and affinity say).  Raises ValueError for what the engine refuses, MemoryError beyond max_memory."""
        return self._keep(self._run(X))

    def _keep(self, result: dict[str, Any]) -> Any:
        self.embedding_ = coordinates_of(result)
        self._n_features_out = self.embedding_.shape[1]
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """embedding_ of a fit."""
        return self.fit(X).embedding_

    def transform(self, X: Any) -> np.ndarray:
        """Where new points are, each on its own; those of the fit are where they were.  NaN for one out of reach of the fit."""
        return coordinates_of(self._place(X))


class Clusterer(ClusterMixin, Estimator):
    """Clusters: labels_ (a whole number a row), of new points predict (-1 for one out of reach of the fit)."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """X: rows x features (or what metric and affinity say).  Raises ValueError for what the engine refuses, MemoryError beyond max_memory."""
        result = self._run(X)
        self.labels_ = array_of(result["labels"])
        self._keep(result)
        return self

    def _keep(self, result: dict[str, Any]) -> None:
        """More of the result, by scikit-learn's names."""
        if "inertia" in self.figures_:
            self.inertia_ = self.figures_["inertia"]

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """labels_ of a fit."""
        return self.fit(X).labels_

    def predict(self, X: Any) -> np.ndarray:
        """The cluster of each row of X, 64-bit whole numbers; -1 out of reach."""
        return array_of(self._place(X)["labels"])


class Weighing:
    """A prediction that weighs labelled rows can say which."""

    def evidence(self, X: Any, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """What each prediction rests on: (weights, rows), both of X's rows by k.  The k rows of the fit that weigh most, heaviest first, and their
        shares of all weight; -1 and 0 where there are fewer."""
        if k < 1:
            raise ValueError(f"[evidence] expected k of at least 1, found {k}")
        result = self._place(X, evidence=k)  # type: ignore[attr-defined]
        return array_of(result["evidence_weights"]), array_of(result["evidence_rows"])


def winners_of(scores: np.ndarray, otherwise: int) -> np.ndarray:
    """The first class of greatest score; `otherwise` for a row that no class reaches."""
    return np.where(scores.max(axis=1) > 0, scores.argmax(axis=1), otherwise)


def coded_labels(estimator: Any, y: Any, rows: int, known: np.ndarray | None) -> tuple[np.ndarray, dict[str, Any]]:
    """The classes, and labels as the engine takes them: numbers of classes, those that are not known -1."""
    y = checked_targets(estimator, y, rows)
    known = np.ones(rows, bool) if known is None else known
    check_classification_targets(y[known])
    classes, labels = np.unique(y[known], return_inverse=True)
    coded = np.full(rows, -1, np.int64)
    coded[known] = labels
    return classes, {"labels": coded, "classes": [class_text(value) for value in classes.tolist()]}


def known_labels(y: np.ndarray) -> np.ndarray:
    """Which labels say a class: not -1, "", None or NaN."""
    if y.dtype.kind in "iuf":
        return y != -1
    return np.array([value is not None and value == value and value != "" and value != -1 for value in y.tolist()], bool)


class Classifier(ClassifierMixin, Estimator):
    """Classes of new points: predict, predict_proba; training_proba_ is what the fit says of its own rows.

    A new point out of reach of every labelled row has probabilities of 0 and the most frequent class."""

    def fit(self, X: Any, y: Any) -> Any:
        """X: rows x features; y: a class a row, texts or whole numbers.  Raises ValueError for what the engine refuses, MemoryError beyond max_memory."""
        self.training_proba_ = array_of(self._run(X, self._labels(y))["scores"])
        return self

    def _labels(self, y: Any) -> Callable[[int], dict[str, Any]]:
        return lambda rows: self._coded(y, rows, known=None)

    def _coded(self, y: Any, rows: int, known: np.ndarray | None) -> dict[str, Any]:
        self.classes_, coded = coded_labels(self, y, rows, known)
        labels = coded["labels"][coded["labels"] >= 0]
        self._most_frequent = int(np.bincount(labels).argmax()) if labels.size else 0
        return coded

    def predict_proba(self, X: Any) -> np.ndarray:
        """Rows x classes in the order of classes_, 64 bits, rows add up to 1 or are 0 out of reach."""
        return array_of(self._place(X)["scores"])

    def predict(self, X: Any) -> np.ndarray:
        """The class of each row of X."""
        scores = self.predict_proba(X)
        return self.classes_[winners_of(scores, self._most_frequent)]


class Regressor(RegressorMixin, Estimator):
    """Values of new points; training_prediction_ is what the fit says of its own rows."""

    def fit(self, X: Any, y: Any) -> Any:
        """X: rows x features; y: a number a row.  Raises ValueError for what the engine refuses, MemoryError beyond max_memory."""
        result = self._run(X, lambda rows: {"targets": np.ascontiguousarray(checked_targets(self, y, rows), np.float64)})
        self.training_prediction_ = array_of(result["scores"])[:, 0]
        return self

    def predict(self, X: Any) -> np.ndarray:
        """NaN for a point out of reach of every labelled row."""
        return array_of(self._place(X)["scores"])[:, 0]


def checked_targets(estimator: Any, y: Any, rows: int) -> np.ndarray:
    if y is None:
        raise ValueError(f"This {type(estimator).__name__} estimator requires y to be passed, but the target y is None.")
    y = column_or_1d(unpacked(y), warn=True)
    if y.dtype.kind == "c":
        raise ValueError("Complex data not supported")
    if len(y) != rows:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: [{rows}, {len(y)}]")
    if y.dtype.kind == "f" and not np.all(np.isfinite(y)):
        raise ValueError("Input y contains NaN or infinity.")
    return y
