"""A fit of the engine inside an estimator: called, copied, pickled."""

from __future__ import annotations

import os
import pathlib
import tempfile
from typing import Any

from . import _engine
from ._data import bytes_of, seed_of, threads_of
from ._progress import bar


class Session:
    """How an estimator's parameters say that work is done; as a context, the end of its bar."""

    def __init__(self, estimator: Any, seed: int | None = None) -> None:
        self.bar = bar() if estimator.verbose else None
        self.as_dict = {
            "seed": seed_of(estimator.random_state) if seed is None else seed,
            "threads": threads_of(estimator.n_jobs),
            "max_memory": bytes_of(estimator.max_memory),
            "progress": self.bar,
        }

    def __enter__(self) -> dict[str, Any]:
        return self.as_dict

    def __exit__(self, *error: Any) -> None:
        if self.bar is not None:
            self.bar.close()


class Fitted:
    """Never changes, so copies share it.  A pickle holds the bytes of its model file, or nothing where the pipeline has no rule for new points."""

    def __init__(self, fit: _engine.Fit) -> None:
        self.fit = fit

    def __copy__(self) -> Fitted:
        return self

    def __deepcopy__(self, memo: Any) -> Fitted:
        return self

    def __reduce__(self) -> Any:
        if not self.fit.describe()["places"]:
            return _without, ()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "fit.safetensors")
            self.fit.save(path, 0, False)
            return _from_bytes, (pathlib.Path(path).read_bytes(),)


def _without() -> None:
    return None


def _from_bytes(content: bytes) -> Fitted:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "fit.safetensors"
        path.write_bytes(content)
        return Fitted(_engine.load(str(path)))
