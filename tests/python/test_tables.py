"""Tables from where they are: AnnData, .h5ad and .parquet files, tensors.  Against the numbers that were put in, and for .h5ad against anndata's own reader."""
import sys

import numpy as np
import pandas
import pytest
import scipy.sparse

import calor
from calor import _inputs

VALUES = np.random.default_rng(0).poisson(2.0, (40, 6)).astype(np.float32)
NAMES, GENES = [f"cell {i}" for i in range(40)], [f"gene {i}" for i in range(6)]
KINDS = np.array(["B", "NK", "T"])[np.arange(40) % 3]


def cells(values=VALUES):
    anndata = pytest.importorskip("anndata", reason="anndata is missing: tools/setup")
    obs = pandas.DataFrame({"kind": pandas.Categorical(np.where(np.arange(40) == 7, None, KINDS)), "text": KINDS, "count": np.arange(40)}, index=NAMES)
    made = anndata.AnnData(values, obs=obs, var=pandas.DataFrame(index=GENES))
    made.obsm["X_pca"] = np.arange(80.0).reshape(40, 2)
    made.layers["doubled"] = 2 * values
    return made


@pytest.fixture(params=["dense", "csr", "csc"])
def values(request):
    return {"dense": VALUES, "csr": scipy.sparse.csr_matrix(VALUES), "csc": scipy.sparse.csc_matrix(VALUES)}[request.param]


@pytest.fixture(params=["object", "file", "file of nullable texts"])
def source(request, values, tmp_path):
    """The same as an AnnData object, and as the files that anndata writes of it: of texts, and of texts with a mask."""
    if request.param == "object":
        return cells(values)
    anndata = pytest.importorskip("anndata")
    pytest.importorskip("h5py", reason="h5py is missing: tools/setup")
    nullable = request.param == "file of nullable texts"
    with pandas.option_context("future.infer_string", nullable, "mode.string_storage", "python"), anndata.settings.override(allow_write_nullable_strings=nullable):
        cells(values).write_h5ad(tmp_path / "cells.h5ad")
    return tmp_path / "cells.h5ad"


def numbers(X):
    return X.values.toarray() if isinstance(X, _inputs.Rows) else X.to_numpy()


def test_anndata_and_its_files(source):
    X, y = calor.read(source, label="kind")
    assert np.array_equal(numbers(X), VALUES) and list(X.index) == NAMES and list(X.columns) == GENES
    assert y.tolist() == [None if i == 7 else kind for i, kind in enumerate(KINDS)]
    assert calor.read(source, label="text")[1].tolist() == KINDS.tolist() and calor.read(source, label="count")[1].tolist() == list(range(40))
    pca = calor.read(source, obsm="X_pca")
    assert np.array_equal(numbers(pca), np.arange(80.0).reshape(40, 2)) and list(pca.columns) == ["pca1", "pca2"] and list(pca.index) == NAMES
    assert np.array_equal(numbers(calor.read(source, layer="doubled")), 2 * VALUES)
    for wrong in ({"label": "kin"}, {"obsm": "X_umap"}, {"layer": "raw"}):
        with pytest.raises(ValueError, match=f"found no '{list(wrong.values())[0]}': there is .*(kind|X_pca|doubled)"):
            calor.read(source, **wrong)
    with pytest.raises(ValueError, match="obsm or layer, found both"):
        calor.read(source, obsm="X_pca", layer="doubled")


def test_estimators_take_them(source):
    fitted = calor.Isomap(n_neighbors=30).fit(source)
    plain = calor.Isomap(n_neighbors=30).fit(VALUES)
    assert np.abs(fitted.embedding_ - plain.embedding_).max() < 1e-5 * np.abs(plain.embedding_).max() and fitted.n_features_in_ == 6
    about = fitted._fitted.fit.describe()
    assert about["row_names"] == NAMES
    assert np.abs(fitted.transform(source) - plain.transform(VALUES)).max() < 1e-5 * np.abs(plain.embedding_).max()
    X, y = calor.read(source, label="text")
    assert np.array_equal(calor.KNeighborsClassifier().fit(X, y).predict(X[:9]), calor.KNeighborsClassifier().fit(VALUES, KINDS).predict(VALUES[:9]))


def test_row_names_stay_with_results(source):
    found = calor.MDS().set_output(transform="pandas").fit_transform(calor.read(source, obsm="X_pca"))
    assert found.index.tolist() == NAMES


@pytest.fixture
def parquet(tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is missing: tools/setup")
    frame = pandas.DataFrame(VALUES, columns=GENES, index=NAMES).assign(kind=KINDS)
    frame.to_parquet(tmp_path / "cells.parquet")
    return tmp_path / "cells.parquet"


def test_parquet(parquet):
    X, y = calor.read(parquet, label="kind")
    assert np.array_equal(X.to_numpy(), VALUES) and X.index.tolist() == NAMES and X.columns.tolist() == GENES and y.tolist() == KINDS.tolist()
    with pytest.raises(ValueError, match="columns of numbers, found kind: .*label='kind'"):
        calor.MDS().fit(parquet)
    X.to_parquet(parquet)
    assert np.array_equal(calor.MDS().fit_transform(str(parquet)), calor.MDS().fit_transform(VALUES))
    with pytest.raises(ValueError, match="found no 'kind': there is gene 0"):
        calor.read(parquet, label="kind")
    with pytest.raises(ValueError, match="AnnData or .h5ad alone"):
        calor.read(parquet, obsm="X_pca")


def test_a_command_takes_them(parquet):
    assert calor.limit(data=calor.read(parquet, label="kind")[0])["kind"] == calor.limit(data=VALUES)["kind"]
    with pytest.raises(ValueError, match="label=COLUMN"):
        calor.compare(parquet)


@pytest.mark.parametrize("package, file", [("h5py", "a.h5ad"), ("pyarrow.parquet", "a.parquet"), ("pandas", "a.parquet")])
def test_what_is_missing_is_named_with_the_remedy(package, file, tmp_path, monkeypatch):
    (tmp_path / file).write_bytes(b"")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f"pip install {package.split('.')[0]}"):
        calor.read(tmp_path / file)


def test_files_that_are_not_theirs(tmp_path):
    with pytest.raises(FileNotFoundError):
        calor.MDS().fit(tmp_path / "none.parquet")
    (tmp_path / "a.csv").write_text("1,2\n")
    with pytest.raises(ValueError, match="a.csv"):
        calor.read(tmp_path / "a.csv")


class Lent:
    """Memory that is offered by DLPack alone, as jax's is."""

    def __init__(self, values):
        self.values, self.asked = values, 0

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()

    def __dlpack__(self, **options):
        self.asked += 1
        return self.values.__dlpack__(**options)


def test_what_speaks_dlpack_is_not_copied():
    lent = Lent(VALUES)
    assert np.shares_memory(_inputs.taken(lent), VALUES) and lent.asked == 1
    assert np.array_equal(calor.MDS().fit_transform(lent), calor.MDS().fit_transform(VALUES)) and lent.asked == 2


def test_what_lies_elsewhere_is_refused():
    elsewhere = Lent(VALUES)
    elsewhere.__dlpack_device__, elsewhere.device = lambda: (2, 0), "cuda:0"
    with pytest.raises(ValueError, match="processor's memory, found one on cuda:0"):
        calor.MDS().fit(elsewhere)


def test_tensors():
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(VALUES.copy())
    assert np.shares_memory(_inputs.taken(tensor), tensor.numpy())
    expected = calor.MDS().fit_transform(VALUES)
    for same in (tensor, tensor.clone().requires_grad_(), tensor.bfloat16(), tensor.T.contiguous().T):  # counts are bfloat16's too
        assert np.array_equal(calor.MDS().fit_transform(same), expected)
    labels = torch.arange(40) % 3
    assert np.array_equal(calor.KNeighborsClassifier().fit(tensor, labels).predict(tensor), calor.KNeighborsClassifier().fit(VALUES, np.arange(40) % 3).predict(VALUES))
