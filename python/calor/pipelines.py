"""Any pipeline as an estimator, and model files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _engine
from ._base import Classifier, Estimator, checked_targets, winners_of
from ._data import array_of, classes_from, coordinates_of
from ._fitted import Fitted, Session
from ._inputs import unpacked
from ._sklearn import available_if, check_is_fitted, column_or_1d
from .predictors import known_labels


def _gives(*kinds: str) -> Any:
    return lambda pipeline: pipeline._describe()["gives"] in kinds


def _of_classes(pipeline: Any) -> bool:
    about = pipeline._describe()
    return about["gives"] == "prediction" and about["wants"] == "classes"


def _transforms(pipeline: Any) -> bool:
    return pipeline._describe()["gives"] in ("embedding", "points") and pipeline._describe()["places"]


class Pipeline(Estimator):
    """A recipe's name or a pipeline's text, `Pipeline("knn(15) | distance(2) | exp(auto) | mean | eigen(3, of=laplacian)")`, with settings as on the
    command line, `["knn.k=30"]`.

    What it has depends on what the pipeline ends in: an embedding or points: embedding_ and transform; labels: labels_ and predict; a prediction: predict,
    predict_proba, evidence, score; a graph or a similarity: graph_ (a scipy matrix) or similarity_; what flows over one: field_ and field_names_.  Pipelines
    that ask for labels take y, -1, "" or None where a class is not known and NaN where a value is not.

    takes: what X is: "points"; "distances" or "similarities" of all pairs, a square table, of similarities also sparse, as a graph is.

    >>> calor.Pipeline("distance(2) | exp(1) | row").fit(np.zeros((2, 1))).similarity_
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """

    def __init__(self, pipeline: str, settings: Sequence[str] = (), *, takes: str = "points", random_state: Any = 0, n_jobs: int | None = None,
                 max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())

    def _describe(self) -> dict[str, Any]:
        return _engine.describe(self.pipeline, list(self.settings))

    def _takes(self) -> str:
        if self.takes not in ("points", "distances", "similarities"):
            raise ValueError(f'[calor] expected takes to be "points", "distances" or "similarities", found {self.takes!r}')
        return self.takes

    def _pipeline(self) -> str:
        return self.pipeline

    def _title(self) -> str:
        return self.pipeline if self.pipeline in recipes() else "The pipeline"

    def _settings(self, rows: int) -> list[str]:
        return list(self.settings)

    def explain(self, X: Any) -> str:
        """What it would do with X: stages with their types, the form of the data, memory and time."""
        points, _, _ = self._points(X, reset=True)
        with Session(self) as session:
            return _engine.explain(self.pipeline, list(self.settings), points, session)

    def fit(self, X: Any, y: Any = None) -> Any:
        about = self._describe()
        if y is None and about["gives"] == "prediction":
            raise ValueError(f"[Pipeline] expected y, what the rows' {about['wants']} are: a prediction requires y to be passed, but the target y is None")
        wants = about["wants"] if y is not None else "nothing"
        labels = self._classes if wants in ("classes", "labels") else self._values if wants == "values" else None
        self._keep(self._run(X, (lambda rows: labels(y, rows)) if labels else None), about)
        return self

    def _classes(self, y: Any, rows: int) -> dict[str, Any]:
        return Classifier._coded(self, y, rows, known_labels(checked_targets(self, y, rows)))  # type: ignore[arg-type]

    def _values(self, y: Any, rows: int) -> dict[str, Any]:
        values = np.ascontiguousarray(column_or_1d(unpacked(y), warn=True), np.float64)
        if values.shape != (rows,):
            raise ValueError(f"[calor] expected {rows} values, found an array of shape {values.shape}")
        return {"targets": values}

    def _keep(self, result: dict[str, Any], about: dict[str, Any]) -> None:
        gives = about["gives"]
        if "field" in result:
            self.field_, self.field_names_ = array_of(result["field"]), result["field_names"]
        elif gives in ("embedding", "points"):
            self.embedding_ = coordinates_of(result)
            self._n_features_out = self.embedding_.shape[1]
        elif gives == "labels":
            self.labels_ = array_of(result["labels"])
        elif gives == "prediction":
            scores = array_of(result["scores"])
            if result["of_classes"]:
                self.training_proba_ = scores
            else:
                self.training_prediction_ = scores[:, 0]
        elif "edges" in result:
            self.graph_ = _csr(result["edges"])
        elif "all_pairs" in result:
            self.similarity_ = array_of(result["all_pairs"])

    @available_if(_transforms)
    def transform(self, X: Any) -> Any:
        return self._contained(coordinates_of(self._place(X)), X)

    @available_if(_gives("embedding", "points"))
    def fit_transform(self, X: Any, y: Any = None) -> Any:
        return self._contained(self.fit(X, y).embedding_, X)

    @available_if(_gives("embedding", "points"))
    def set_output(self, *, transform: str | None = None) -> Any:
        """What transform and fit_transform give: "default" (arrays), "pandas" or "polars"; None leaves it.  Needs scikit-learn, as its own set_output."""
        if transform not in (None, "default", "pandas", "polars"):
            raise ValueError(f'[calor] expected transform="default", "pandas" or "polars", found {transform!r}')
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    _sklearn_auto_wrap_output_keys = {"transform"}

    def _contained(self, points: np.ndarray, X: Any) -> Any:
        try:
            from sklearn.utils._set_output import _wrap_data_with_container
        except ImportError:
            return points
        return _wrap_data_with_container("transform", points, X, self)

    @available_if(_gives("embedding", "points"))
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        check_is_fitted(self)
        return np.array([f"pipeline{i}" for i in range(self._n_features_out)], dtype=object)

    @available_if(_gives("labels"))
    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        return self.fit(X).labels_

    @available_if(_gives("labels", "prediction"))
    def predict(self, X: Any) -> np.ndarray:
        """Clusters (-1: out of reach), classes (out of reach: the most frequent) or values (out of reach: NaN)."""
        result = self._place(X)
        if result["gives"] == "labels":
            return array_of(result["labels"])
        scores = array_of(result["scores"])
        return self.classes_[winners_of(scores, self._most_frequent)] if result["of_classes"] else scores[:, 0]

    @available_if(_of_classes)
    def predict_proba(self, X: Any) -> np.ndarray:
        return array_of(self._place(X)["scores"])

    @available_if(_gives("prediction"))
    def evidence(self, X: Any, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """(weights, rows of the fit) that weigh most in each prediction, heaviest first."""
        result = self._place(X, evidence=k)
        return array_of(result["evidence_weights"]), array_of(result["evidence_rows"])

    @available_if(_gives("prediction"))
    def score(self, X: Any, y: Any) -> float:
        """The share of rows that are predicted correctly; of values R²."""
        found, y = self.predict(X), np.asarray(y)
        if _of_classes(self):
            return float(np.mean(found == y))
        return float(1 - np.sum((y - found) ** 2) / np.sum((y - y.mean()) ** 2))

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, RegressorTags, TransformerTags

        tags = super().__sklearn_tags__()
        about = self._describe()
        if about["gives"] == "prediction":
            tags.target_tags.required = True
            if about["wants"] == "classes":
                tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
            else:
                tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        elif about["gives"] == "labels":
            tags.estimator_type = "clusterer"
        elif about["gives"] in ("embedding", "points"):
            tags.transformer_tags = TransformerTags(preserves_dtype=["float64", "float32"])
        return tags


def _csr(edges: tuple[Any, ...]) -> Any:
    """A scipy matrix where scipy is installed, else its arrays (indptr, indices, data, shape)."""
    indptr, indices, data = (array_of(part) for part in edges[:3])
    try:
        from scipy.sparse import csr_array
    except ImportError:
        return indptr, indices, data, edges[3]
    return csr_array((data, indices, indptr), shape=edges[3])


def load(path: str | os.PathLike[str]) -> Pipeline:
    """A model file, of `save` here or of `calor run --save`, as a fitted pipeline.  Classes that are whole numbers are numbers again."""
    fit = _engine.load(os.fspath(path))
    about = fit.describe()
    loaded = Pipeline(about["text"], takes=about["takes"], random_state=about["seed"])
    loaded._fitted = Fitted(fit)
    loaded.pipeline_ = about["text"]
    loaded.n_features_in_ = about["columns"]
    names = about["feature_names"]
    if names and names != [f"x{i + 1}" for i in range(len(names))]:  # names that stand for none
        loaded.feature_names_in_ = np.array(names, dtype=object)
    if about["wants"] in ("classes", "labels") and about["classes"]:
        loaded.classes_ = classes_from(about["classes"])
        labels = array_of(about["labels"])
        loaded._most_frequent = int(np.bincount(labels[labels >= 0]).argmax())
    return loaded


def recipes() -> dict[str, str]:
    """The name and the pipeline of every recipe."""
    return {name: text for name, text, _, _ in _engine.recipes()}
