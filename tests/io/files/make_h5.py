"""Writes the HDF5 files beside it, gzipped: needs anndata (0.11 or later) and h5py.  The tests know their content by formula.

X[i, j] = 10 i + j - 5 for 6 x 3; S is X where i + j is even, else 0.
"""
import gzip
import pathlib
import tempfile

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sparse

here = pathlib.Path(__file__).parent
X = np.arange(6)[:, None] * 10.0 + np.arange(3) - 5
S = np.where((np.arange(6)[:, None] + np.arange(3)) % 2 == 0, X, 0)
cells = [f"cell{i}" for i in range(6)]
genes = ["ABC1", "DEF2", "GHI3"]
obs = pd.DataFrame(
    {
        "tree": pd.Categorical(["ash", "birch", None, "ash", "céder", "ash"]),
        "cluster": pd.Categorical([2, 0, 1, 1, 0, 2]),
        "note": ["a", "b", "", "d", "é", "f"],
        "weight": [0.5, np.nan, 1.5, 2, 2.5, 3],
        "year": np.arange(2000, 2006),
        "alive": [True, False, True, True, False, False],
        "count": pd.array([1, None, 3, 4, 5, 6], dtype="Int64"),
        "seen": pd.array([True, None, False, True, True, False], dtype="boolean"),
        "name": pd.array(["x", None, "z", "u", "v", "w"], dtype="string"),
    },
    index=cells,
)


def keep(name, write):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / name
        write(path)
        (here / f"{name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def anndata_file(path):
    data = anndata.AnnData(
        X=sparse.csr_matrix(S.astype("f4")),
        obs=obs,
        var=pd.DataFrame({"length": [10, 20, 30]}, index=genes),
        layers={"counts": sparse.csc_matrix(S.astype("i4")), "scaled": X / 4},
        obsm={"X_pca": (X[:, :2] / 2).astype("f4"), "places": sparse.csr_matrix(S)},
    )
    data.raw = anndata.AnnData(X=np.hstack([X, X]), obs=obs[[]], var=pd.DataFrame(index=[f"r{j}" for j in range(6)]))
    anndata.settings.allow_write_nullable_strings = True
    data.write_h5ad(path, compression="gzip")


# Dense, with categories as anndata 0.7 wrote them: codes beside a group of categories, the index named by an attribute.
def old_anndata_file(path):
    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        file["X"] = X
        table = file.create_group("obs")
        table.attrs["_index"] = "barcode"
        table["barcode"] = np.array(cells, dtype=text)
        table["tree"] = np.array([0, 1, -1, 0, 2, 0], dtype="i1")
        table["__categories/tree"] = np.array(["ash", "birch", "céder"], dtype=text)
        table["tree"].attrs["categories"] = table["__categories/tree"].ref
        table["points"] = X
        file["var/index"] = np.array(genes, dtype="S8")
        group = file.create_group("layers/log")
        group.attrs["h5sparse_format"] = "csr"
        group.attrs["h5sparse_shape"] = (6, 3)
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(sparse.csr_matrix(S), name)


def tenx(path, version):
    columns = sparse.csc_matrix(S.T.astype("i4"))
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix" if version == 3 else "GRCh38")
        for name in ("data", "indices", "indptr"):
            group.create_dataset(name, data=getattr(columns, name), chunks=True, compression="gzip")
        group["shape"] = np.array([3, 6], dtype="i4")
        group["barcodes"] = np.array([f"AAAC-{i}" for i in range(6)], dtype="S18")
        ids, names = np.array(["E1", "E2", "E3"], dtype="S15"), np.array(["TBCE", "HES4", "TBCE"], dtype="S17")
        if version == 3:
            group["features/id"], group["features/name"] = ids, names
            group["features/feature_type"] = np.array([b"Gene Expression"] * 3)
        else:
            group["genes"], group["gene_names"] = ids, names


keep("anndata.h5ad", anndata_file)
keep("old_anndata.h5ad", old_anndata_file)
keep("tenx3.h5", lambda path: tenx(path, 3))
keep("tenx2.h5", lambda path: tenx(path, 2))
