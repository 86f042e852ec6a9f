"""Fits that leave the process: model files both ways, pickles, copies."""
import copy
import pickle

import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

import calor
from command import document_of


def test_the_command_line_reads_what_python_saves(wheel_calor, tmp_path):
    iris = load_iris(as_frame=True)
    model = tmp_path / "iris.safetensors"
    mine = calor.Propagator().fit(iris.data, iris.target_names[iris.target])
    mine.save(model)
    iris.data[:10].sample(frac=1, axis=1, random_state=0).to_csv(tmp_path / "new.csv", index=False)  # columns are found by their names
    lines = wheel_calor("apply", model, tmp_path / "new.csv").stdout.splitlines()
    assert lines[0] == "prediction,p_setosa,p_versicolor,p_virginica"
    assert np.array_equal([[float(v) for v in line.split(",")[1:]] for line in lines[1:]], mine.predict_proba(iris.data[:10]))


def test_python_reads_what_the_command_line_saves(wheel_calor, tmp_path):
    model = tmp_path / "digits.safetensors"
    wheel_calor("run", "knn-classifier", "digits", "--save", model)
    mine = calor.load(model)
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    assert mine.classes_.tolist() == list(range(10)) and mine.n_features_in_ == 64
    assert mine.score(X, y) == calor.KNeighborsClassifier().fit(X, y).score(X, y) > 0.98
    np.save(tmp_path / "new.npy", X[:5])
    calor.KNeighborsClassifier().fit(X, y).save(model)  # whose columns have no names
    assert [line.split(",")[0] for line in wheel_calor("apply", model, tmp_path / "new.npy").stdout.splitlines()[1:]] == [str(label) for label in y[:5]]


def test_a_smaller_file_places_new_points_all_the_same(tmp_path):
    points = np.concatenate([np.random.default_rng(s).normal(8 * s, 1, (60, 6)) for s in range(3)])
    fitted = calor.UMAP(random_state=0).fit(points)
    fitted.save(tmp_path / "whole.calor")
    fitted.save(tmp_path / "small.calor", landmarks=90, compact=True)
    assert (tmp_path / "small.calor").stat().st_size < (tmp_path / "whole.calor").stat().st_size / 2
    fresh = np.concatenate([np.random.default_rng(9).normal(8 * s, 1, (5, 6)) for s in range(3)])
    one, other = (calor.load(tmp_path / name).transform(fresh) for name in ("whole.calor", "small.calor"))
    groups = fitted.embedding_.reshape(3, 60, 2)
    for placed in (one, other):
        nearest = np.linalg.norm(placed[:, None] - groups.mean(axis=1), axis=2).argmin(axis=1)
        np.testing.assert_array_equal(nearest, np.repeat([0, 1, 2], 5))
    with pytest.raises(ValueError, match="at least 1, found 0"):
        fitted.save(tmp_path / "none.calor", landmarks=0)
    with pytest.raises(ValueError, match="belongs to the whole fit"):
        calor.Isomap().fit(points[:60]).save(tmp_path / "none.calor", landmarks=10)
    assert not (tmp_path / "none.calor").exists()


def test_save_and_load(tmp_path):
    X, y = load_iris(return_X_y=True)
    mine = calor.Isomap(n_neighbors=20).fit(X)
    mine.save(tmp_path / "fit.safetensors")
    loaded = calor.load(tmp_path / "fit.safetensors")
    assert np.array_equal(loaded.transform(X + 0.01), mine.transform(X + 0.01))
    assert not hasattr(loaded, "predict")
    with pytest.raises(ValueError, match="expected a header"):
        calor.load(__file__)


@pytest.mark.parametrize("copied", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy], ids=["pickle", "deepcopy"])
def test_copies(copied):
    X, y = load_iris(return_X_y=True)
    mine = calor.Propagator().fit(X, y)
    other = copied(mine)
    assert np.array_equal(other.predict_proba(X), mine.predict_proba(X)) and other.get_params() == mine.get_params()
    fresh = clone(mine.set_params(alpha=0.5))
    assert fresh.alpha == 0.5 and not hasattr(fresh, "classes_")


def test_a_pickle_of_a_graph_keeps_its_result(tmp_path):
    graph = np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0.0]])
    mine = calor.Pipeline("pagerank", takes="similarities").fit(graph)
    other = pickle.loads(pickle.dumps(mine))
    assert np.array_equal(other.field_, mine.field_)
    with pytest.raises(ValueError, match="found the stage restart, which cannot"):  # a walk has no rule for new nodes
        mine.save(tmp_path / "graph.safetensors")
    with pytest.raises(ValueError, match="found a copy without one"):
        other.save(tmp_path / "graph.safetensors")
    flow = calor.Pipeline("mcl", takes="similarities").fit(graph)
    pickle.loads(pickle.dumps(flow)).save(tmp_path / "graph.safetensors")
    assert calor.load(tmp_path / "graph.safetensors").pipeline_ == flow.pipeline_


def test_the_report_is_the_command_lines(wheel_calor, tmp_path):
    """The same pictures, quality figures and sentences; what was typed and what it took differ."""
    from sklearn.datasets import load_digits

    wheel_calor("run", "isomap", "digits", "--report", tmp_path / "theirs.html", "-o", tmp_path / "out.csv")
    X, y = load_digits(return_X_y=True)
    frame = pandas.DataFrame(X, columns=[f"pixel_{i // 8}_{i % 8}" for i in range(64)])
    mine = calor.Isomap().fit(frame)
    mine.report(tmp_path / "mine.html", pandas.Series(y, name="digit"), data="digits")
    one, other = (document_of(tmp_path / f"{name}.html") for name in ("mine", "theirs"))
    for name in ("picture", "quality", "summary", "title", "spectrum", "pipeline", "data", "gives", "rows"):
        assert one[name] == other[name], name
    assert one["command"] == "Isomap()"
    with pytest.raises(ValueError, match="expected 1797 labels, found 5"):
        mine.report(tmp_path / "mine.html", y[:5])
    mine.save(tmp_path / "fit.safetensors")
    with pytest.raises(ValueError, match="expected a fit made here"):
        calor.load(tmp_path / "fit.safetensors").report(tmp_path / "mine.html")
