"""What goes into the engine and comes out of it: arrays, sparse matrices, names, labels, seeds."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ._sklearn import check_random_state


def is_sparse(X: Any) -> bool:
    return hasattr(X, "tocsr")


def rows_of(X: Any) -> dict[str, Any]:
    """Rows of features, dense or sparse."""
    return {"sparse": csr_of(X)} if is_sparse(X) else {"dense": X}


def similarities_of(X: Any) -> dict[str, Any]:
    return {"similarities": csr_of(X) if is_sparse(X) else X}


def distances_of(X: Any, square: bool) -> np.ndarray:
    """Distances as a table.  Of a sparse one, as scikit-learn's KNeighborsTransformer gives, what is not stored is no neighbour: NaN among the fit's rows, infinite
    from new ones."""
    if not is_sparse(X):
        return X
    X = X.tocoo()
    table = np.full(X.shape, np.nan if square else np.inf)
    table[X.row, X.col] = X.data
    return table


def csr_of(X: Any) -> tuple[Any, ...]:
    """Compressed rows as the engine has them: ascending columns, each once, no zeros."""
    X = X.tocsr()
    if not X.has_canonical_format or np.any(X.data == 0):
        X = X.copy()
        X.sum_duplicates()
        X.eliminate_zeros()
    if not np.all(np.isfinite(X.data)):
        raise ValueError("[calor] expected finite numbers, found NaN or infinity")
    return (np.ascontiguousarray(X.indptr, np.int64), np.ascontiguousarray(X.indices, np.int32), np.ascontiguousarray(X.data, np.float64), *map(int, X.shape))


def row_names_of(X: Any) -> list[str]:
    """A pandas index that says more than a count."""
    index = getattr(X, "index", None)
    if index is None or callable(index) or type(index).__name__ == "RangeIndex":
        return []
    return [str(name) for name in index]


def feature_names_of(estimator: Any) -> list[str]:
    return [str(name) for name in getattr(estimator, "feature_names_in_", [])]


def array_of(packed: tuple[bytearray, str, tuple[int, ...]]) -> np.ndarray:
    data, dtype, shape = packed
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def coordinates_of(result: dict[str, Any], name: str = "points") -> np.ndarray:
    """Points or centres, computed in 64 bits, in the type of the X that they are of."""
    return array_of(result[name]).astype(result["dtype"], copy=False)


def class_text(value: Any) -> str:
    """A class as a file would say it."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def classes_from(texts: list[str]) -> np.ndarray:
    """The classes of a model file: whole numbers where all are, else texts."""
    try:
        numbers = [int(text) for text in texts]
    except ValueError:
        return np.array(texts)
    return np.array(numbers) if [str(number) for number in numbers] == texts else np.array(texts)


def seed_of(random_state: Any) -> int:
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    if isinstance(random_state, (int, np.integer)) and not isinstance(random_state, bool):
        if random_state < 0:
            raise ValueError(f"[calor] expected a random_state of at least 0, found {random_state}")
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def threads_of(n_jobs: int | None) -> int:
    """0 stands for all; the result has the same bits for any number."""
    if n_jobs is None or n_jobs == -1:
        return 0
    if n_jobs == 0:
        raise ValueError("[calor] expected n_jobs above or below 0, found 0")
    return n_jobs if n_jobs > 0 else max(1, len(os.sched_getaffinity(0)) + 1 + n_jobs)


UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}


def bytes_of(max_memory: int | str | None) -> int:
    """512 or "2G"; 0 stands for nine tenths of what is free."""
    if max_memory is None:
        return 0
    if isinstance(max_memory, str):
        text = max_memory.upper().removesuffix("IB").removesuffix("B")
        unit = text[-1:] if text[-1:] in UNITS and not text[-1:].isdigit() else ""
        try:
            return int(float(text.removesuffix(unit)) * 2 ** UNITS[unit])
        except ValueError:
            raise ValueError(f'[calor] expected max_memory such as 2000000000 or "2G", found {max_memory!r}') from None
    return int(max_memory)
