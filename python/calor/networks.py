"""Layers of attention, trained as `calor train` trains them."""

from __future__ import annotations

import os
import pathlib
import tempfile
from typing import Any

import numpy as np

from . import commands
from ._base import Parameters, checked_targets
from ._data import class_text
from ._inputs import taken
from ._sklearn import ClassifierMixin, check_classification_targets, check_is_fitted, validate_data


class MetricAttentionClassifier(ClassifierMixin, Parameters):
    """Layers of attention over the training rows and the new one, by a learned metric (Ruan & Zhang, arXiv 2412.18288).

    attention: "metric", "l2", "self", "uniform", or a pipeline such as "score(metric) | exp | two_side(1) | row | apply".  pipeline: the whole network instead, by name
    ("ipn score=l2", "mlp") or as stages ("linear(32) | bias | relu | ..."): without attention, layers, width and temperature.  layers, width, epochs, batch,
    learning_rate, weight_decay, temperature ("fixed", "data", "learn"), standardise: as of `calor train`; None is its default.  All rows train.
    training_ has loss and accuracy by epoch, model_ the bytes of the model file.  Needs the package with its torch half."""

    def __init__(self, attention: str = "metric", *, pipeline: str | None = None, layers: int | None = None, width: int | None = None, epochs: int | None = None, batch: int | None = None,
                 learning_rate: float | None = None, weight_decay: float | None = None, temperature: str = "fixed", standardise: bool = True, random_state: Any = 0,
                 n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False) -> None:
        self._take(locals())

    def fit(self, X: Any, y: Any) -> Any:
        X = validate_data(self, taken(X), dtype=(np.float64, np.float32), ensure_min_samples=2)
        y = checked_targets(self, y, X.shape[0])
        check_classification_targets(y)
        self.classes_, coded = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"[MetricAttentionClassifier] expected two classes or more, found one class: {class_text(self.classes_[0])}")
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder)
            words = commands.written_table(place / "train", X, np.array(self._texts())[coded])
            words += ["--test", words[0], "--save", str(place / "model.safetensors")]
            if self.pipeline is not None:
                words += ["--pipeline", self.pipeline]
            if self.pipeline is None or self.attention != "metric":
                words += ["--attention", self.attention]
            words += commands.flags({"layers": self.layers, "width": self.width, "epochs": self.epochs, "batch": self.batch, "lr": self.learning_rate,
                                     "weight_decay": self.weight_decay, "temperature": self.temperature, "no_standardise": not self.standardise,
                                     **commands.common(self.random_state, self.n_jobs, self.max_memory)})
            document, _, _ = commands.run("train", words, report=False, verbose=self.verbose, folder=folder)
            self.training_ = {name: document[name] for name in ("pipeline", "parameters", "epoch", "loss", "train_accuracy", "temperature", "failure")}
            self.model_ = (place / "model.safetensors").read_bytes()
        self.n_iter_ = int(self.training_["epoch"][-1])
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """A row of probabilities for each new point, each placed on its own beside the training rows."""
        check_is_fitted(self)
        X = validate_data(self, taken(X), reset=False, dtype=(np.float64, np.float32))
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder)
            (place / "model.safetensors").write_bytes(self.model_)
            words = [str(place / "model.safetensors"), *commands.written_table(place / "new", X)]
            words += commands.flags(commands.common(0, self.n_jobs, self.max_memory) | {"seed": None})
            document, _, _ = commands.run("predict", words, report=False, verbose=self.verbose, folder=folder)
        found = np.array([row["probability"] for row in document["rows"]])
        order = [document["classes"].index(text) for text in self._texts()]
        return found[:, order]

    def predict(self, X: Any) -> np.ndarray:
        scores = self.predict_proba(X)
        return self.classes_[scores.argmax(axis=1)]

    def _texts(self) -> list[str]:
        return [class_text(value) for value in self.classes_.tolist()]

    def save(self, path: str | os.PathLike[str]) -> None:
        """The model file of `calor train --save`, which `calor predict` and `calor inspect` read."""
        check_is_fitted(self)
        pathlib.Path(path).write_bytes(self.model_)
