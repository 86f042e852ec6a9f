"""scikit-learn's own tests of Isomap, classical scaling, LLE and spectral embedding on our classes (bench/peers): each passes or has a reason; and new features that they ask for."""
import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.manifold import LocallyLinearEmbedding
from sklearn.neighbors import KNeighborsTransformer, kneighbors_graph
from sklearn.pipeline import make_pipeline

import calor
from command import ROOT

LEAST = {"classical_mds": 3, "isomap": 33, "locally_linear": 5, "spectral_embedding": 24}  # that pass, with scikit-learn 1.9.1


@pytest.mark.parametrize("file", LEAST)
def test_of_scikit_learn(file, tmp_path):
    done = subprocess.run([sys.executable, ROOT / "bench" / "peers", "sklearn", "--files", f"manifold/tests/test_{file}", "--folder", tmp_path, "--json", tmp_path / "found.json"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = [test["outcome"] for test in json.loads((tmp_path / "found.json").read_text())["sklearn"].values() if test["reached"]]
    assert found.count("passed") >= LEAST[file] and f"test_{file}.py |" in done.stdout


def test_a_failure_without_a_reason_is_told(tmp_path):
    """The same command with no reasons at all."""
    work = tmp_path / "peers"
    work.mkdir()
    for path in (ROOT / "bench" / "peers").glob("*.py"):
        (work / path.name).write_text(path.read_text())
    (work / "reasons.py").write_text('REASONS = {"sklearn": {("test_classical_mds.py", "test_classical_mds_equivalent_to_pca"): "none"}}')
    done = subprocess.run([sys.executable, work, "sklearn", "--files", "manifold/tests/test_classical", "--folder", tmp_path], capture_output=True, text=True)
    assert done.returncode == 1 and "test_classical_mds_wrong_inputs fails without a reason" in done.stderr
    assert "test_classical_mds_equivalent_to_pca') has no need of its reason" in done.stderr


def test_a_table_of_the_nearest_alone():
    """What KNeighborsTransformer stores is enough for a fit that begins with as many neighbours, in either form and order."""
    X = np.random.default_rng(0).normal(size=(90, 3))
    graph = kneighbors_graph(X, 10, mode="distance")
    for estimator in (calor.Isomap(n_neighbors=10), calor.UMAP(n_neighbors=8, n_epochs=5), calor.TSNE(perplexity=3, max_iter=5, init="random")):
        expected = estimator.fit(X).embedding_
        found = estimator.set_params(metric="precomputed").fit(graph[:, ::-1][:, ::-1]).embedding_
        assert np.abs(found - expected).max() < 1e-9 * np.abs(expected).max()
    y = (X[:, 0] > 0).astype(int)
    new = X[:7] + 0.01
    chain = make_pipeline(KNeighborsTransformer(n_neighbors=10, mode="distance"), calor.KNeighborsClassifier(5, metric="precomputed"))
    assert np.array_equal(chain.fit(X, y).predict_proba(new), calor.KNeighborsClassifier(5).fit(X, y).predict_proba(new))
    with pytest.raises(ValueError, match="expected a distance for every pair"):
        calor.MDS(metric="precomputed").fit(graph)


def test_distances_from_the_centres():
    X, _ = make_blobs(200, n_features=5, centers=4, random_state=0)
    mine = calor.KMeans(4).fit(X)
    theirs = KMeans(4, init=mine.cluster_centers_, n_init=1).fit(X)
    assert np.allclose(mine.transform(X[:9]), theirs.transform(X[:9]), rtol=1e-12) and mine.transform(mine.cluster_centers_).diagonal().tolist() == [0] * 4
    from scipy.sparse import csr_array

    assert np.allclose(mine.transform(csr_array(X)), mine.transform(X), rtol=1e-6) and mine.score(X) == pytest.approx(-mine.inertia_, rel=1e-12)
    assert mine.score(X[:20]) == pytest.approx(theirs.score(X[:20]), rel=1e-12) and mine.get_feature_names_out().tolist() == [f"kmeans{i}" for i in range(4)]
    assert np.array_equal(calor.KMeans(4).fit_transform(X), mine.transform(X))


def test_early_steps_are_a_parameter():
    X = np.random.default_rng(0).normal(size=(60, 4))
    none, some = (calor.TSNE(perplexity=5, max_iter=60, early_exaggeration_iter=steps).fit(X) for steps in (0, 40))
    assert "early=40" in some.pipeline_ and none.kl_divergence_ < some.kl_divergence_  # 60 steps of its own against 20


def test_what_is_left_of_lle():
    X = np.random.default_rng(0).normal(size=(120, 3))
    assert calor.LLE(n_neighbors=10).fit(X).reconstruction_error_ == pytest.approx(LocallyLinearEmbedding(n_neighbors=10, eigen_solver="dense").fit(X).reconstruction_error_, rel=1e-6)
