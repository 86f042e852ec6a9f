"""Tables from where they are: AnnData, .h5ad and .parquet files, tensors of other libraries; each package is loaded when something of its kind is given."""

from __future__ import annotations

import importlib
import os
import pathlib
from typing import Any

import numpy as np

from ._data import is_sparse


class Rows:
    """A sparse matrix whose rows and columns have names, as estimators take it: a pandas frame of it would be dense.

    values: scipy.sparse, rows x features.  index, columns: lists of names.  rows[selection] has some of the rows, so that scikit-learn can split it."""

    def __init__(self, values: Any, index: list[str], columns: list[str]) -> None:
        self.values, self.index, self.columns = values.tocsr(), index, columns
        self.shape = values.shape

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, selection: Any) -> Rows:
        chosen = np.arange(len(self))[selection]
        return Rows(self.values[chosen], [self.index[i] for i in chosen], self.columns)

    def __repr__(self) -> str:
        return f"<{self.shape[0]} named rows x {self.shape[1]} features, {self.values.nnz} stored>"


def read(source: Any, *, label: str | None = None, obsm: str | None = None, layer: str | None = None) -> Any:
    """A table with its names, from an AnnData object, an ``.h5ad`` file or a ``.parquet`` file; with ``label`` also y, as a pair (X, y).

    X, rows x features in the file's type of number, is a pandas frame whose index names the rows and whose columns the features; of sparse values `Rows`.
    label: the column of obs, or of the parquet table, that y is: texts, categories or numbers; None where a text is missing.  obsm, layer: of AnnData, what
    is taken in place of its X, by name (``obsm="X_pca"``; its columns are then called pca1, pca2, ...).  All other columns of a parquet table have to be numbers.

    Needs pandas, and h5py for .h5ad or pyarrow for .parquet: ``pip install "calor[tables]"``.  Raises ImportError where they are missing, FileNotFoundError, and
    ValueError for a name that is not there (with those that are), for obsm beside layer, and for columns that are not numbers."""
    if obsm is not None and layer is not None:
        raise ValueError(f"[read] expected obsm or layer, found both: {obsm!r} and {layer!r}")
    if is_anndata(source):
        return _of_anndata(source, label, obsm, layer)
    path = pathlib.Path(os.fspath(source))
    if not path.exists():
        raise FileNotFoundError(f"[read] expected a file, found none: {path}")
    if path.suffix.lower() == ".h5ad":
        return _of_h5ad(path, label, obsm, layer)
    if path.suffix.lower() == ".parquet":
        if obsm is not None or layer is not None:
            raise ValueError("[read] expected obsm or layer of AnnData or .h5ad alone, found them with a parquet file")
        return _of_parquet(path, label)
    raise ValueError(f"[read] expected an .h5ad or a .parquet file, found {path.name}: calor.compare, calor.limit and the command line read other files; pandas.read_csv reads csv")


def taken(X: Any) -> Any:
    """What an estimator is given, as a frame, an array, `Rows` or a sparse matrix; what is one already is left alone.  Tensors are not copied where numpy has their type."""
    if is_anndata(X) or is_path(X):
        return read(X)
    return unpacked(X)


def unpacked(X: Any) -> Any:
    """A tensor that speaks DLPack (torch, jax, cupy, ...) as an array over its own memory; anything else as it is."""
    if isinstance(X, np.ndarray) or not hasattr(X, "__dlpack__"):
        return X
    if hasattr(X, "detach"):  # torch's, without its gradient
        X = X.detach()
    if hasattr(X, "__dlpack_device__") and int(X.__dlpack_device__()[0]) != 1:
        raise ValueError(f"[calor] expected a tensor in the processor's memory, found one on {getattr(X, 'device', 'another device')}: move it first, X.cpu()")
    try:
        return np.from_dlpack(X)
    except (BufferError, RuntimeError, TypeError):  # bfloat16 and others that numpy has not
        if hasattr(X, "float"):
            return np.from_dlpack(X.float())
        raise ValueError(f"[calor] expected numbers of a type that numpy has, found {getattr(X, 'dtype', type(X).__name__)}: convert it first, to 32-bit floats") from None


def is_anndata(X: Any) -> bool:
    return hasattr(X, "obs_names") and hasattr(X, "obsm")


def is_path(X: Any) -> bool:
    return isinstance(X, (str, os.PathLike))


def _package(name: str, what: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        raise ImportError(f'[read] expected {name.split(".")[0]} for {what}, found none: pip install {name.split(".")[0]}, or pip install "calor[tables]"') from missing


def _of(names: Any, name: str, what: str) -> None:
    if name not in names:
        there = ", ".join(map(str, names)) or "nothing"
        raise ValueError(f"[read] expected {what}, found no {name!r}: there is {there}")


def _named(values: Any, index: list[str], columns: list[str]) -> Any:
    if is_sparse(values):
        return Rows(values, index, columns)
    return _package("pandas", "a table with names").DataFrame(values, index=index, columns=columns)


def _coordinates(name: str, count: int) -> list[str]:
    return [f"{name.removeprefix('X_')}{i + 1}" for i in range(count)]


def _of_anndata(cells: Any, label: str | None, obsm: str | None, layer: str | None) -> Any:
    if getattr(cells, "isbacked", False):
        cells = cells.to_memory()
    names = [str(name) for name in cells.obs_names]
    if obsm is not None:
        _of(cells.obsm, obsm, "a matrix of obsm")
        values: Any = cells.obsm[obsm]
        columns = [str(name) for name in values.columns] if hasattr(values, "columns") else _coordinates(obsm, values.shape[1])
        values = values if is_sparse(values) else np.asarray(values)
    else:
        if layer is not None:
            _of(cells.layers, layer, "a layer")
        values = cells.X if layer is None else cells.layers[layer]
        if values is None:
            raise ValueError("[read] expected an X, found none in this AnnData: say obsm= or layer=")
        columns = [str(name) for name in cells.var_names]
        values = values if is_sparse(values) else np.asarray(values)
    X = _named(values, names, columns)
    if label is None:
        return X
    _of(cells.obs.columns, label, "a column of obs")
    return X, _classes(np.asarray(cells.obs[label], dtype=object) if cells.obs[label].dtype.kind not in "iufb" else np.asarray(cells.obs[label]))


def _classes(values: np.ndarray) -> np.ndarray:
    """Texts with None where one is missing; numbers as they are."""
    if values.dtype.kind != "O":
        return values
    return np.array([value if isinstance(value, str) else None if value is None or value != value else value for value in values.tolist()], dtype=object)


def _of_parquet(path: pathlib.Path, label: str | None) -> Any:
    parquet = _package("pyarrow.parquet", "a .parquet file")
    _package("pandas", "a table with names")
    frame = parquet.read_table(path).to_pandas()
    y = None
    if label is not None:
        _of(frame.columns, label, "a column")
        column = frame.pop(label)
        y = np.asarray(column) if column.dtype.kind in "iufb" else _classes(np.asarray(column, dtype=object))
    others = [str(name) for name in frame.columns if frame[name].dtype.kind not in "iufb"]
    if others:
        raise ValueError(f"[read] expected columns of numbers, found {', '.join(others)}: name the one that is the label, label={others[0]!r}, and leave out others with pandas.read_parquet(columns=...)")
    return frame if y is None else (frame, y)


def _of_h5ad(path: pathlib.Path, label: str | None, obsm: str | None, layer: str | None) -> Any:
    with _package("h5py", "an .h5ad file").File(path, "r") as file:
        names = _texts(_index(file["obs"]))
        if obsm is not None:
            _of(file.get("obsm", ()), obsm, "a matrix of obsm")
            values = _values(file["obsm"][obsm])
            columns = _coordinates(obsm, values.shape[1])
        else:
            if layer is not None:
                _of(file.get("layers", ()), layer, "a layer")
            if layer is None and "X" not in file:
                raise ValueError("[read] expected an X, found none in this file: say obsm= or layer=")
            values = _values(file["X"] if layer is None else file["layers"][layer])
            columns = _texts(_index(file["var"]))
        X = _named(values, names, columns)
        if label is None:
            return X
        _of([name for name in file["obs"] if name not in ("_index", "__categories")], label, "a column of obs")
        return X, _classes(_column(file["obs"][label]))


def _values(node: Any) -> Any:
    """An array, or compressed rows or columns."""
    if not hasattr(node, "keys"):
        return node[:]
    sparse = _package("scipy.sparse", "sparse values")
    kind = node.attrs.get("encoding-type", node.attrs.get("h5sparse_format", ""))
    if not str(kind).startswith(("csr", "csc")):
        raise ValueError(f"[read] expected a matrix, found a group of the kind {kind!r}: {node.name}")
    shape = tuple(int(length) for length in node.attrs.get("shape", node.attrs.get("h5sparse_shape")))
    make = sparse.csr_array if str(kind).startswith("csr") else sparse.csc_array
    return make((node["data"][:], node["indices"][:], node["indptr"][:]), shape=shape)


def _index(group: Any) -> np.ndarray:
    return _column(group[group.attrs.get("_index", "_index")])


def _texts(values: np.ndarray) -> list[str]:
    return [str(value) for value in values.tolist()]


def _column(node: Any) -> np.ndarray:
    """A column of obs or var: texts, categories (of which -1 is none), numbers, or values with a mask."""
    if hasattr(node, "keys"):
        if "codes" in node:
            categories = _column(node["categories"]).astype(object)
            codes = node["codes"][:]
            return np.append(categories, np.array([None], dtype=object))[codes]
        values, missing = _column(node["values"]), node["mask"][:]
        if np.any(missing):
            values = values.astype(object)
            values[missing] = None
        return values
    if node.dtype.kind in "OS":
        return np.array(node.asstr()[:] if node.dtype.kind == "O" else [text.decode() for text in node[:]], dtype=object)
    return node[:]
