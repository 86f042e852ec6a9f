"""Estimators give what the command line gives for the same recipe, to the last bit: on digits, recipe by recipe, new points too."""
import csv
import io
import pickle

import networkx
import numpy as np
import pytest
from scipy.sparse import csr_array

import calor

ROWS, NEW = 500, 40


@pytest.fixture(scope="module")
def files(tmp_path_factory, digits):
    """(features and labels of a part of digits, csv of it, features of others, csv of them)"""
    folder = tmp_path_factory.mktemp("files")
    X, y = digits
    names = [f"pixel{i}" for i in range(X.shape[1])]
    paths = []
    for name, rows in (("fit", slice(0, ROWS)), ("new", slice(ROWS, ROWS + NEW))):
        lines = [",".join([*names, "label"])] + [",".join([*(repr(float(v)) for v in row), str(label)]) for row, label in zip(X[rows], y[rows])]
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text("\n".join(lines) + "\n")
    return X[:ROWS], y[:ROWS], paths[0], X[ROWS:ROWS + NEW], paths[1], names


def columns(done):
    """Every column of the csv on standard output, but the label's."""
    rows = list(csv.reader(io.StringIO(done.stdout)))
    return {name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0]) if name != "label"}


def numbers(found, *names):
    return np.array([[float(value) for value in found[name]] for name in names]).T


EMBEDDERS = [
    ("mds", calor.MDS(3), ["eigen.k=3"]),
    ("mds-metric", calor.MetricMDS(max_iter=50), ["match.max_iterations=50"]),
    ("isomap", calor.Isomap(n_neighbors=12), ["knn.k=12"]),
    ("lle", calor.LLE(n_neighbors=10, reg=0.01), ["knn.k=10", "local_weights.reg=0.01"]),
    ("laplacian-eigenmaps", calor.LaplacianEigenmaps(gamma=1 / 512), ["exp.bandwidth=512"]),
    ("diffusion-map", calor.DiffusionMap(alpha=0.5, time=2), ["two_side.alpha=0.5", "eigen.time=2"]),
    ("sne", calor.SNE(perplexity=20, max_iter=50), ["exp.perplexity=20", "match.max_iterations=50"]),
    ("tsne", calor.TSNE(perplexity=20, max_iter=300, metric="cosine"), ["exp.perplexity=20", "knn.k=60", "match.max_iterations=300", "knn.metric=cosine", "distance.metric=cosine"]),
    ("umap", calor.UMAP(n_neighbors=10, min_dist=0.3, n_epochs=50, random_state=7),
     ["knn.k=9", "exp.cardinality=log2(10)", "match.min_dist=0.3", "match.max_iterations=50", "--seed", "7"]),
]


def words(settings):
    """--set for each setting; what follows an option is its own."""
    if "--seed" in settings:
        at = settings.index("--seed")
        return [*words(settings[:at]), *settings[at:]]
    return [word for setting in settings for word in ("--set", setting)]


@pytest.mark.parametrize("recipe, estimator, settings", EMBEDDERS, ids=[e[0] for e in EMBEDDERS])
def test_embeddings(recipe, estimator, settings, files, wheel_calor, tmp_path):
    X, _, path, new, new_path, names = files
    model = tmp_path / "fit.safetensors"
    found = columns(wheel_calor("run", recipe, path, "--label", "label", *words(settings), "--save", model))
    mine = estimator.fit(X)
    axes = [f"dim{i + 1}" for i in range(mine.embedding_.shape[1])]
    assert np.array_equal(mine.embedding_, numbers(found, *axes))
    placed = columns(wheel_calor("apply", model, new_path))
    assert np.array_equal(mine.transform(new), numbers(placed, *axes))


CLUSTERERS = [
    ("k-means", calor.KMeans(10, random_state=3), ["k=10", "--seed", "3"]),
    ("spectral-clustering", calor.SpectralClustering(10), ["k=10"]),
    ("mean-shift", calor.MeanShift(300.0), ["h=300"]),
    ("fuzzy-c-means", calor.FuzzyCMeans(10, m=1.1), ["k=10", "m=1.1"]),
]


@pytest.mark.parametrize("recipe, estimator, settings", CLUSTERERS, ids=[c[0] for c in CLUSTERERS])
def test_clusters(recipe, estimator, settings, files, wheel_calor, tmp_path):
    X, _, path, new, new_path, names = files
    model = tmp_path / "fit.safetensors"
    found = columns(wheel_calor("run", recipe, path, "--label", "label", *words(settings), "--save", model))
    mine = estimator.fit(X)
    assert mine.labels_.tolist() == [int(c) for c in found["cluster"]]
    assert mine.predict(new).tolist() == [int(c) for c in columns(wheel_calor("apply", model, new_path))["cluster"]]


CLASSIFIERS = [
    ("knn-classifier", calor.KNeighborsClassifier(3), ["knn.k=3"]),
    ("propagator", calor.Propagator(), []),
    ("label-spreading", calor.LabelSpreading(alpha=0.7), ["restart.a=0.3"]),
    ("svm", calor.SVC(10, gamma="scale", probability=True), ["weigh.C=10", "kernel.gamma=scale", "weigh.probabilities=platt"]),
]


@pytest.mark.parametrize("recipe, estimator, settings", CLASSIFIERS, ids=[c[0] for c in CLASSIFIERS])
def test_classes(recipe, estimator, settings, files, wheel_calor, tmp_path):
    X, y, path, new, new_path, names = files
    model = tmp_path / "fit.safetensors"
    found = columns(wheel_calor("run", recipe, path, "--label", "label", *words(settings), "--save", model))
    mine = estimator.fit(X, y)
    classes = [f"p_{c}" for c in mine.classes_]
    assert np.array_equal(mine.training_proba_, numbers(found, *classes))
    placed = columns(wheel_calor("apply", model, new_path))
    assert np.array_equal(mine.predict_proba(new), numbers(placed, *classes))
    assert mine.predict(new).tolist() == [int(c) for c in placed["prediction"]]


REGRESSORS = [
    ("knn-regressor", calor.KNeighborsRegressor(7), ["knn.k=7"]),
    ("nadaraya-watson", calor.NadarayaWatson(), []),
    ("propagator-regressor", calor.PropagatorRegressor(alpha=0.5), ["two_side.alpha=0.5"]),
    ("svm-regressor", calor.SVR(gamma=0.001, epsilon=0.2), ["kernel.gamma=0.001", "weigh.epsilon=0.2"]),
]


@pytest.mark.parametrize("recipe, estimator, settings", REGRESSORS, ids=[r[0] for r in REGRESSORS])
def test_values(recipe, estimator, settings, files, wheel_calor, tmp_path):
    X, y, path, new, new_path, names = files
    model = tmp_path / "fit.safetensors"
    found = columns(wheel_calor("run", recipe, path, "--label", "label", *words(settings), "--save", model))
    mine = estimator.fit(X, y)
    assert np.array_equal(mine.training_prediction_, numbers(found, "value")[:, 0])
    assert np.array_equal(mine.predict(new), numbers(columns(wheel_calor("apply", model, new_path)), "value")[:, 0])


def test_recall(files, wheel_calor, tmp_path):
    X, _, path, new, new_path, names = files
    model = tmp_path / "fit.safetensors"
    found = columns(wheel_calor("run", "hopfield", path, "--label", "label", "--set", "temperature=100", "--save", model))
    mine = calor.Hopfield(100).fit(X)
    assert np.array_equal(mine.fixed_points_, numbers(found, *names))
    assert np.array_equal(mine.transform(new), numbers(columns(wheel_calor("apply", model, new_path)), *names))


def test_memberships(files, wheel_calor):
    X, _, path, *_ = files
    found = columns(wheel_calor("run", "fuzzy-c-means", path, "--label", "label", "--set", "k=4", "--set", "m=1.1"))
    mine = calor.FuzzyCMeans(4, m=1.1).fit(X)
    assert np.array_equal(mine.memberships_, numbers(found, *(f"membership{i}" for i in range(4))))
    assert np.abs(mine.memberships(X) - mine.memberships_).max() < 1e-9


def test_decisions(files, wheel_calor, tmp_path):
    X, y, path, new, new_path, names = files
    model = tmp_path / "fit.safetensors"
    wheel_calor("run", "svm", path, "--label", "label", "--set", "kernel.gamma=scale", "--save", model)
    placed = columns(wheel_calor("apply", model, new_path))
    mine = calor.SVC(gamma="scale", decision_function_shape="ovo").fit(X, y).decision_function(new)
    pairs = [(a, b) for a in range(10) for b in range(a + 1, 10)]
    theirs = [numbers(placed, f"decision_{a}_{b}") if f"decision_{a}_{b}" in placed else -numbers(placed, f"decision_{b}_{a}") for a, b in pairs]
    assert np.array_equal(mine, np.hstack(theirs))


def test_one_class(files, wheel_calor, tmp_path):
    X, _, path, new, new_path, names = files
    model = tmp_path / "fit.safetensors"
    found = columns(wheel_calor("run", "one-class-svm", path, "--label", "label", "--set", "kernel.gamma=0.001", "--set", "weigh.nu=0.1", "--save", model))
    mine = calor.OneClassSVM(0.1, gamma=0.001).fit(X)
    assert np.array_equal(mine.training_decisions_, numbers(found, "decision")[:, 0])
    placed = columns(wheel_calor("apply", model, new_path))
    assert np.array_equal(mine.decision_function(new), numbers(placed, "decision")[:, 0])
    assert np.array_equal(mine.predict(new), numbers(placed, "inlier")[:, 0])


def test_markov_clustering(wheel_calor, tmp_path):
    graph = networkx.karate_club_graph()
    (tmp_path / "karate.txt").write_text("".join(f"{a} {b}\n" for a, b in graph.edges))
    found = columns(wheel_calor("run", "mcl", tmp_path / "karate.txt"))
    theirs = dict(zip(found["name"], found["cluster"]))
    mine = calor.MarkovClustering().fit_predict(networkx.to_scipy_sparse_array(graph, weight=None))
    assert mine.tolist() == [int(theirs[str(node)]) for node in graph]


GRAPH_CLUSTERS = [("mcl", [], [], lambda: calor.MarkovClustering()),
                  ("spectral-clustering", ["--as", "similarities"], ["k=3"], lambda: calor.SpectralClustering(3, affinity="precomputed"))]


@pytest.mark.parametrize("recipe, read, settings, estimator", GRAPH_CLUSTERS, ids=[c[0] for c in GRAPH_CLUSTERS])
def test_new_nodes(recipe, read, settings, estimator, wheel_calor, tmp_path):
    """Weighted edges to the fit's nodes; one node has none.  Dense or sparse, all at once or one at a time, from the estimator, its pickle or a file."""
    graph = networkx.karate_club_graph()
    weights = networkx.to_numpy_array(graph)  # of how often they met
    new = np.where(np.random.default_rng(0).random((20, 34)) < 0.15, np.random.default_rng(1).integers(1, 5, (20, 34)), 0).astype(float)
    new[7] = 0
    (tmp_path / "karate.txt").write_text("".join(f"{a} {b} {weights[a, b]}\n" for a, b in graph.edges))
    lines = [f"n{i} {j} {new[i, j]}" if (i + j) % 2 else f"{j} n{i} {new[i, j]}" for i, j in zip(*new.nonzero())]  # in either direction
    (tmp_path / "new.txt").write_text("\n".join([*lines, "n7 n8 1"]) + "\n")
    model = tmp_path / "fit.safetensors"
    wheel_calor("run", recipe, tmp_path / "karate.txt", *read, *words(settings), "--save", model)
    found = columns(wheel_calor("apply", model, tmp_path / "new.txt"))
    theirs = [int(dict(zip(found["name"], found["cluster"]))[f"n{i}"] or -1) for i in range(20)]
    mine = estimator().fit(weights)
    with pytest.warns(calor.CalorWarning):
        assert mine.predict(new).tolist() == theirs and theirs[7] == -1 and len(set(theirs)) > 2
    reached = np.arange(20) != 7
    for one in (mine, pickle.loads(pickle.dumps(mine)), calor.load(model)):
        assert one.predict(csr_array(new[reached])).tolist() == np.array(theirs)[reached].tolist()
    assert [mine.predict(row[None])[0] for row in new[reached]] == np.array(theirs)[reached].tolist()
    with pytest.raises(ValueError, match="33 features"):
        mine.predict(new[:, :33])
    with pytest.raises(ValueError, match="not negative"):
        mine.predict(-new)


def test_every_recipe_is_here():
    """A recipe without an estimator is found here."""
    tested = {case[0] for case in (*EMBEDDERS, *CLUSTERERS, *CLASSIFIERS, *REGRESSORS)} | {"hopfield", "one-class-svm", "mcl"}
    assert set(calor.recipes()) - tested == {"pagerank"}  # which is about graphs: calor.Pipeline("pagerank", takes="similarities")


def test_defaults_are_the_recipes():
    """No estimator has defaults of its own: with none given the pipeline is the recipe's, word for word."""
    X = np.random.default_rng(0).normal(size=(120, 4))
    y = np.arange(120) % 3
    for case in (*EMBEDDERS, *CLUSTERERS, *CLASSIFIERS, *REGRESSORS):
        plain = type(case[1])()
        plain.fit(X, None if case in EMBEDDERS else y)
        assert plain.pipeline_ == calor.Pipeline(case[0])._describe()["text"]


def test_evidence(files, wheel_calor, tmp_path):
    X, y, path, new, new_path, names = files
    model = tmp_path / "fit.safetensors"
    wheel_calor("run", "propagator", path, "--save", model)
    found = columns(wheel_calor("apply", model, new_path, "--evidence", 3))
    weights, rows = calor.Propagator().fit(X, y).evidence(new, 3)
    assert np.array_equal(rows + 1, numbers(found, "evidence1", "evidence2", "evidence3"))
    assert np.array_equal(weights, numbers(found, "evidence1_weight", "evidence2_weight", "evidence3_weight"))


def test_threads_do_not_matter(files):
    X = files[0]
    one, two = (calor.UMAP(n_epochs=20, n_jobs=jobs).fit_transform(X) for jobs in (1, 2))
    assert np.array_equal(one, two)


def test_umap_with_classes_keeps_them_apart(wheel_calor, tmp_path):
    """The command line's pipeline; on rows that were not fitted, purity of at least the map's without classes."""
    from sklearn.datasets import load_digits
    from sklearn.neighbors import KNeighborsClassifier

    X, y = load_digits(return_X_y=True)
    held = np.arange(len(y)) % 4 == 0
    found = {}
    for given in (y[~held], None):
        umap = calor.UMAP(n_epochs=100).fit(X[~held], given)
        found[given is None] = KNeighborsClassifier(15).fit(umap.embedding_, y[~held]).score(umap.transform(X[held]), y[held]), umap
    assert found[False][0] > found[True][0] - 0.005 and "supervise(0.5)" in found[False][1].pipeline_ and found[True][1].pipeline_ == calor.UMAP(n_epochs=100).fit(X[~held]).pipeline_
    some = np.where(np.arange((~held).sum()) % 2, y[~held], -1)
    assert calor.UMAP(n_epochs=20).fit(X[~held], some).embedding_.shape == ((~held).sum(), 2)
    assert np.array_equal(calor.UMAP(n_epochs=20, target_weight=None).fit(X[~held], y[~held]).embedding_, calor.UMAP(n_epochs=20).fit(X[~held]).embedding_)
    with pytest.raises(ValueError, match="Unknown label type"):
        calor.UMAP().fit(X, X[:, 2] + 0.5)
