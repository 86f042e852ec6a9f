"""What estimators take and say: arrays of any kind, data frames, sparse matrices, distances, similarities; errors, remarks, names."""
import subprocess
import sys

import networkx
import numpy as np
import pandas
import pytest
import scipy.sparse
from sklearn.base import clone, is_classifier, is_clusterer, is_regressor
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score, pairwise_distances
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import calor


@pytest.fixture(scope="module")
def X():
    return load_iris().data


@pytest.mark.parametrize("made", [np.asfortranarray, lambda X: np.hstack([X, X])[:, :4], lambda X: X[::-1][::-1], lambda X: X.astype(np.float32).astype(float),
                                  lambda X: X.tolist(), pandas.DataFrame, lambda X: X.astype(">f8")],
                         ids=["columns first", "slice", "backwards twice", "floats in doubles", "lists", "pandas", "big endian"])
def test_the_same_numbers_however_they_lie(X, made):
    assert np.array_equal(calor.MDS().fit_transform(made(X)), calor.MDS().fit_transform(np.ascontiguousarray(np.asarray(made(X), float))))


def test_floats_and_whole_numbers(X):
    assert np.array_equal(calor.MDS().fit_transform(X.astype(np.float32)), calor.MDS().fit_transform(X.astype(np.float32).astype(float)).astype(np.float32))
    whole = (10 * X).astype(int)
    assert np.array_equal(calor.MDS().fit_transform(whole), calor.MDS().fit_transform(whole.astype(float)))


@pytest.mark.parametrize("estimator", [calor.MDS(), calor.TSNE(max_iter=20, early_exaggeration_iter=5), calor.KMeans(3), calor.Hopfield(100.0), calor.Pipeline("isomap", ["knn.k=60"]), calor.FuzzyCMeans(3),
                                       calor.MeanShift()], ids=lambda e: type(e).__name__)
def test_coordinates_have_the_bits_of_X(X, estimator):
    """They are computed in 64 bits and rounded once: 32-bit data gives what the same numbers in 64 bits give, rounded."""
    single = X.astype(np.float32)
    for name in ("embedding_", "cluster_centers_", "fixed_points_"):
        if hasattr(estimator.fit(single), name):
            found = getattr(estimator, name)
            assert found.dtype == np.float32 and np.array_equal(found, getattr(clone(estimator).fit(single.astype(float)), name).astype(np.float32))
    if hasattr(estimator, "transform"):
        assert estimator.transform(single[:5]).dtype == np.float32 and estimator.transform(X[:5]).dtype == np.float64
        assert np.array_equal(estimator.fit(X).transform(single[:5]), estimator.transform(single[:5].astype(float)).astype(np.float32))
        assert estimator.fit_transform(single).dtype == np.float32
    assert estimator.fit((10 * X).astype(int)).n_features_in_ == 4 and (not hasattr(estimator, "embedding_") or estimator.embedding_.dtype == np.float64)


def test_pandas_names(X):
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"], index=[f"flower {i}" for i in range(len(X))])
    mine = calor.Isomap(n_neighbors=60).set_output(transform="pandas")
    found = mine.fit_transform(frame)
    assert found.columns.tolist() == ["isomap0", "isomap1"] and found.index.equals(frame.index)
    assert mine.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names"):
        mine.transform(frame.rename(columns={"a": "z"}))
    assert mine._fitted.fit.describe()["row_names"][:2] == ["flower 0", "flower 1"]


def test_polars(X):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(X, schema=["a", "b", "c", "d"])
    mine = calor.MDS().set_output(transform="polars")
    assert np.array_equal(mine.fit_transform(frame).to_numpy(), calor.MDS().fit_transform(X))
    assert mine.feature_names_in_.tolist() == ["a", "b", "c", "d"]


def test_sparse_points_stay_sparse():
    """Dense, these would take 16 GB: more than is allowed."""
    rng = np.random.default_rng(0)
    place = np.repeat(np.arange(2000), 5), np.r_[np.arange(2000) % 3 + np.zeros((4, 1), int), rng.integers(3, 1_000_000, (1, 2000))].T.ravel()
    points = scipy.sparse.csr_array((np.ones(10_000), place), shape=(2000, 1_000_000))
    y = np.arange(2000) % 3
    assert calor.KNeighborsClassifier(max_memory="1G").fit(points, y).score(points, y) > 0.9
    with pytest.raises(MemoryError, match="made dense|dense numbers"):
        calor.MDS(max_memory="1G").fit(points)


def test_sparse_and_dense_agree():
    dense = np.random.default_rng(0).poisson(0.3, (80, 12)).astype(float)
    dense += np.random.default_rng(1).normal(0, 1e-3, dense.shape) * (dense > 0)
    untidy = scipy.sparse.coo_array((np.r_[dense[dense > 0] / 2, dense[dense > 0] / 2], np.tile(np.array(np.nonzero(dense)), 2)))
    one, other = calor.Isomap(n_neighbors=20).fit_transform(dense), calor.Isomap(n_neighbors=20).fit_transform(untidy)
    assert np.abs(one - other).max() < 1e-9 * np.abs(one).max()


@pytest.mark.parametrize("estimator", [calor.MDS(), calor.MetricMDS(), calor.Isomap(n_neighbors=20), calor.LaplacianEigenmaps(), calor.DiffusionMap(), calor.TSNE(max_iter=500, init="spectral"),
                                       calor.UMAP(n_epochs=30), calor.SpectralClustering(2), calor.LabelSpreading()], ids=lambda e: type(e).__name__)
def test_distances_in_place_of_points(estimator, X):
    """Both ways find the same neighbours and lengths; rounding aside, so do their results (t-SNE's steps make much of rounding: its divergence)."""
    X = X[:100] + np.random.default_rng(0).normal(0, 1e-3, (100, 4))  # iris has copies
    y = np.where(np.arange(100) % 5, np.arange(100) // 50, -1)
    distances = pairwise_distances(X)
    fitted = estimator.set_params(metric="precomputed").fit(distances, y)
    other = type(estimator)(**{**estimator.get_params(), "metric": "euclidean"}).fit(X, y)
    if isinstance(estimator, calor.TSNE):
        assert fitted.kl_divergence_ == pytest.approx(other.kl_divergence_, rel=0.1)
    elif isinstance(estimator, calor.SpectralClustering):
        assert adjusted_rand_score(fitted.labels_, other.labels_) == 1
    for name in ("embedding_", "transduction_"):
        if hasattr(other, name) and not isinstance(estimator, calor.TSNE):
            one, two = getattr(fitted, name), getattr(other, name)
            assert np.abs(one - two).max() < 1e-4 * np.abs(two).max()
    new = pairwise_distances(X[:7] + 0.01, X)
    assert len((fitted.transform if hasattr(fitted, "transform") else fitted.predict)(new)) == 7


def test_neighbours_by_given_distances(X):
    y = load_iris().target
    found = calor.KNeighborsClassifier(metric="precomputed").fit(pairwise_distances(X), y)
    new = X + np.random.default_rng(0).normal(0, 0.1, X.shape)
    assert np.array_equal(found.predict(pairwise_distances(new, X)), calor.KNeighborsClassifier().fit(X, y).predict(new))


def test_a_graph(X):
    graph = networkx.karate_club_graph()
    weights = networkx.to_scipy_sparse_array(graph, weight=None)
    mine = calor.Pipeline("pagerank", takes="similarities").fit(weights)
    peer = networkx.pagerank(graph, alpha=0.85, tol=1e-12, weight=None)
    assert np.abs(mine.field_[:, 0] - list(peer.values())).max() < 1e-9
    clusters = calor.SpectralClustering(2, affinity="precomputed").fit_predict(weights)
    officer = np.array([graph.nodes[node]["club"] == "Officer" for node in graph])
    assert max(np.mean(clusters == officer), np.mean(clusters != officer)) > 0.9
    modes = calor.LaplacianEigenmaps(affinity="precomputed").fit(weights)
    assert np.abs(modes.transform(weights) - modes.embedding_).max() < 1e-12  # a node with the edges of one of the fit is where that is
    with pytest.raises(ValueError, match="at least 0"):
        calor.LaplacianEigenmaps(affinity="precomputed").fit(-weights)


def test_pipelines_of_every_end(X):
    y = load_iris().target
    assert calor.Pipeline("distance(2) | exp(auto) | two_side(1) | row | eigen(3, time=1)").fit_transform(X).shape == (150, 3)
    graph = calor.Pipeline("knn(4)").fit(X).graph_
    assert graph.shape == (150, 150) and set(np.diff(graph.indptr)) == {4}
    kernel = calor.Pipeline("distance(2) | exp(2)").fit(X).similarity_
    assert np.abs(kernel - np.exp(-pairwise_distances(X, metric="sqeuclidean") / 2)).max() < 1e-12
    assert set(calor.Pipeline("knn(5) | components").fit_predict(X)) == {0, 1}
    vote = calor.Pipeline("knn(5, to=train) | indicator | row | vote", ["knn.k=7"])
    assert is_classifier(vote) and cross_val_score(vote, X, y).mean() > 0.95
    assert is_regressor(calor.Pipeline("nadaraya-watson")) and is_clusterer(calor.Pipeline("k-means"))
    assert "knn(5, to=train)" in calor.Pipeline("knn-classifier").explain(X)
    with pytest.raises(ValueError, match=r"did you mean \"isomap\""):
        calor.Pipeline("isomaq").fit(X)
    with pytest.raises(ValueError, match=r"\^"):  # the engine's caret under the stage at fault
        calor.Pipeline("knn(3) | row").fit(X)


def test_labels(X):
    names = np.array(["setosa", "versicolor", "virginica"])[load_iris().target]
    mine = calor.Propagator().fit(X, names)
    assert mine.classes_.tolist() == ["setosa", "versicolor", "virginica"] and mine.score(X, names) > 0.95
    some = names.astype(object)
    some[::3] = None
    spread = calor.LabelSpreading().fit(X, some)
    assert np.mean(spread.transduction_ == names) > 0.9 and set(spread.classes_) == set(names)
    numbers = np.where(np.arange(150) % 3, load_iris().target, -1)
    assert np.array_equal(calor.LabelSpreading().fit(X, numbers).transduction_, np.searchsorted(names[[0, 50, 100]], spread.transduction_))
    far = calor.Pipeline("radius(1) | indicator | row | vote").fit(X, names)
    with pytest.warns(calor.CalorWarning, match="2"):
        assert np.array_equal(far.predict_proba(X[:2] + 1e6), np.zeros((2, 3)))
    with pytest.warns(calor.CalorWarning):
        assert far.predict(X[:2] + 1e6).tolist() == ["setosa", "setosa"]  # of three equally frequent ones the first
    with pytest.warns(calor.CalorWarning):
        assert np.isnan(calor.Pipeline("radius(1) | indicator | row | average").fit(X, X[:, 0]).predict(X[:2] + 1e6)).all()


def test_scikit_learn_around_it(X):
    y = load_iris().target
    search = GridSearchCV(make_pipeline(StandardScaler(), calor.KNeighborsClassifier()), {"kneighborsclassifier__n_neighbors": [1, 5, 9]})
    assert search.fit(X, y).best_score_ > 0.93
    assert make_pipeline(calor.UMAP(n_epochs=30, n_components=3), calor.KNeighborsClassifier()).fit(X, y).score(X, y) > 0.9


def test_errors():
    X = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(ValueError, match=r"\[knn\] expected"):
        calor.Isomap(n_neighbors=50).fit(X)
    with pytest.raises(MemoryError, match="max-memory"):
        calor.MDS(max_memory=1000).fit(np.ones((2000, 3)) * np.arange(2000)[:, None])
    with pytest.raises(ValueError, match="NaN"):
        calor.MDS().fit(np.array([[1.0, np.nan], [1, 2]]))
    with pytest.raises(TypeError, match="expected a number or a word"):
        calor.Isomap(n_neighbors=[5]).fit(X)
    with pytest.raises(ValueError, match="max_memory"):
        calor.MDS(max_memory="much").fit(X)
    with pytest.raises(ValueError, match="y"):
        calor.Propagator().fit(X, None)


def test_remarks_are_warnings():
    X = np.r_[np.zeros((20, 2)), np.full((20, 2), 100.0)] + np.random.default_rng(0).normal(size=(40, 2))
    with pytest.warns(calor.CalorWarning, match="2 components"):
        mine = calor.Isomap(n_neighbors=5).fit(X)
    assert any("2 components" in text for _, text in mine.notes_)


def test_seeds(X):
    def drawn(seed):
        return calor.UMAP(n_epochs=5, random_state=seed).fit_transform(X)

    assert np.array_equal(drawn(0), drawn(0)) and not np.array_equal(drawn(0), drawn(1))
    assert np.array_equal(drawn(np.random.RandomState(5)), drawn(np.random.RandomState(5)))
    assert np.array_equal(drawn(np.random.default_rng(5)), drawn(np.random.default_rng(5)))
    assert not np.array_equal(drawn(None), drawn(None))


def test_other_threads_run_meanwhile(X):
    """The interpreter's lock is free while the engine computes."""
    import threading

    counted, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1

    thread = threading.Thread(target=count)
    thread.start()
    calor.MetricMDS(tol=0, max_iter=2000).fit(np.random.default_rng(0).normal(size=(300, 5)))
    during = counted[0]
    stop.set()
    thread.join()
    assert during > 10_000


def test_a_process_that_forks_later(X):
    code = ("import multiprocessing, numpy, calor\n"
            "X = numpy.random.default_rng(0).normal(size=(100, 5))\n"
            "calor.KMeans(3, n_jobs=2).fit(X)\n"
            "with multiprocessing.get_context('fork').Pool(2) as pool:\n    print(len(pool.map(calor.KMeans(3, n_jobs=2).fit_predict, [X, X])))\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "2\n", done.stderr


def test_a_pipeline_s_output_is_what_set_output_says():
    X = pandas.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["a", "b", "c"], index=[f"r{i}" for i in range(60)])
    pipeline = calor.Pipeline("knn(10) | distance(2) | exp(auto) | mean | row | eigen(3)").set_output(transform="pandas")
    found = pipeline.fit_transform(X)
    assert list(found.columns) == ["pipeline0", "pipeline1", "pipeline2"] and list(found.index) == list(X.index)
    assert np.array_equal(clone(pipeline).fit(X).transform(X[:5]).to_numpy(), pipeline.transform(X[:5]).to_numpy())
    assert isinstance(pipeline.set_output(transform="default").transform(X[:5]), np.ndarray)
    with pytest.raises(ValueError, match="expected transform="):
        pipeline.set_output(transform="table")
    assert not hasattr(calor.Pipeline("k-means"), "set_output")
