"""Recipes through the command line against scikit-learn, scipy and networkx on the same numbers (float32 as calor reads them).

Subspaces are compared by their principal angles (< 1e-3 where eigenvalues are separated), predictions and neighbours exactly,
fixed points within the tolerance at which they settle.
"""
import json
import os
import pathlib
import re

import networkx
import numpy as np
import pytest
from scipy.linalg import subspace_angles
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs, make_moons, make_s_curve, make_swiss_roll
from sklearn.manifold import MDS, Isomap, LocallyLinearEmbedding, SpectralEmbedding
from sklearn.metrics import adjusted_rand_score
from sklearn.semi_supervised import LabelSpreading
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestNeighbors

from results import coordinates, table


def roll(rows=500, noise=0.05):
    return make_swiss_roll(rows, noise=noise, random_state=3)[0].astype(np.float32)


def degrees(a, b):
    return np.abs(subspace_angles(a - a.mean(0), b - b.mean(0))).max()


def test_knn_equals_scikit_learn(run, csv):
    x = load_digits().data[:400] + np.random.default_rng(0).normal(0, 1e-3, (400, 64))  # digits alone have ties
    x = x.astype(np.float32)
    found = run("knn(7)", csv(x))
    mine = set(zip(found["columns"]["from"].astype(int) - 1, found["columns"]["to"].astype(int) - 1))
    peer = NearestNeighbors(n_neighbors=7, algorithm="brute").fit(x.astype(float)).kneighbors(return_distance=False)
    assert mine == {(i, j) for i in range(400) for j in peer[i]}


def test_isomap_equals_scikit_learn(run, csv):
    x = roll()
    peer = Isomap(n_neighbors=15, n_components=2, eigen_solver="dense").fit_transform(x.astype(float))
    mine = coordinates(run("isomap", csv(x)))
    signs = np.sign((mine * peer).sum(0))
    assert np.abs(mine * signs - peer).max() < 1e-6 * np.abs(peer).max()


def test_lle_equals_scikit_learn(run, csv):
    x = roll()
    peer = LocallyLinearEmbedding(n_neighbors=12, n_components=2, reg=1e-3, eigen_solver="dense").fit_transform(x.astype(float))
    assert degrees(coordinates(run("lle", csv(x))), peer) < 1e-3


def test_lle_of_many_dimensions_equals_scikit_learn(run, csv):
    # Digits fill their factorisation: blocks wider than a panel, several to a block.  Noise, because digits have ties.
    x = (load_digits().data + np.random.default_rng(0).normal(0, 1e-2, (1797, 64))).astype(np.float32)
    peer = LocallyLinearEmbedding(n_neighbors=12, n_components=2, reg=1e-3, eigen_solver="dense").fit_transform(x.astype(float))
    found = run("lle", csv(x))
    assert degrees(coordinates(found), peer) < 1e-3
    assert [stage["text"] for stage in found["stages"] if stage["seconds"] >= 0 and stage["processor_seconds"] >= 0] == [
        "knn(12)", "local_weights(0.001)", "eigen(2, of=residual)"]


@pytest.mark.parametrize("words, line", [(("tsne",), "tsne's $perplexity is 30: --set perplexity=..."), (("umap", "--set", "k=70"), "umap's $k is 70: --set k=..."),
                                         (("isomap", "--set", "knn.k=70"), None)])
def test_too_few_rows_for_a_recipe_name_its_parameter(calor, csv, words, line):
    said = calor("run", words[0], csv(np.random.default_rng(0).normal(size=(40, 3))), *words[1:], code=3).stderr
    assert "expected k of at most 39" in said
    assert ("--set" in said) == bool(line) and (line or "") in said


def test_lle_refuses_a_factorisation_that_does_not_fit(calor, csv):
    path = csv(np.random.default_rng(0).normal(size=(1500, 30)))
    stopped = calor("run", "lle", path, "--max-memory", "17M", "-q", code=4).stderr
    assert "the factorisation of 1500 points" in stopped and "calor apply" in stopped

    def gib(text):
        size, unit = re.search(r"about ([\d.]+) ([KMG])iB beyond", calor("run", text, path, "--explain").stdout).groups()
        return float(size) * {"K": 2**-20, "M": 2**-10, "G": 1}[unit]

    assert gib("lle") > gib("knn(12) | local_weights") + 8 * 0.5 * 1500**1.75 / 2**30


def test_classical_mds_equals_the_principal_components(run, csv):
    x = load_digits().data[:300]
    u, s, _ = np.linalg.svd(x - x.mean(0), full_matrices=False)
    peer = u[:, :2] * s[:2]
    mine = coordinates(run("mds", csv(x)))
    signs = np.sign((mine * peer).sum(0))
    assert np.abs(mine * signs - peer).max() < 1e-6 * np.abs(peer).max()


def test_measured_labels_are_targets_not_features(calor, run, csv):
    rng = np.random.default_rng(9)
    x = rng.normal(size=(60, 2)).astype(np.float32)
    y = np.round(x[:, 0] + 0.1 * rng.normal(size=60), 3)
    done = calor("run", "knn-regressor", csv(x, y), "--train", "0.7")
    assert "root mean square error" in done.stderr and "on 18 held-out rows" in done.stderr


def graph(run, path, text):
    found = run(text, path)["columns"]
    ends = found["from"].astype(int) - 1, found["to"].astype(int) - 1
    n = max(ends[0].max(), ends[1].max()) + 1
    return csr_matrix((found["value"].astype(float), ends), shape=(n, n))


AFFINITY = "knn(15) | distance(2) | exp(auto) | mean"


def test_laplacian_eigenmaps_equal_scikit_learn_on_the_same_graph(run, csv):
    path = csv(roll())
    w = graph(run, path, AFFINITY)
    assert abs(w - w.T).max() == 0
    peer = SpectralEmbedding(n_components=2, affinity="precomputed", eigen_solver="arpack", random_state=0).fit_transform(w)
    found = run("laplacian-eigenmaps", path)
    mine = coordinates(found)
    assert degrees(mine, peer) < 1e-3
    # Scaled like scikit-learn's: v'Dv = 1.
    assert np.allclose((np.asarray(w.sum(1)) * mine**2).sum(0), 1, atol=1e-8)
    dense = w.toarray()
    residual = (np.diag(dense.sum(1)) - dense) @ mine - dense.sum(1)[:, None] * mine * np.array(found["spectrum"])
    assert np.abs(residual).max() < 1e-8


def test_spectral_clustering_separates_moons(run, csv):
    x, y = make_moons(400, noise=0.05, random_state=0)
    found = run("spectral-clustering", csv(x), "--set", "k=2", "--set", "knn.k=10")
    assert adjusted_rand_score(y, found["columns"]["cluster"].astype(int)) > 0.99


def test_k_means_inertia_is_at_most_scikit_learn_best_of_ten(run, csv):
    x = load_digits().data
    peer = KMeans(10, n_init=10, random_state=0).fit(x).inertia_
    found = run("k-means", csv(x), "--set", "k=10")
    assert found["figures"]["inertia"] <= 1.001 * peer


def test_smacof_stress_is_at_most_scikit_learn(run, csv):
    x = make_blobs(120, 8, centers=4, random_state=1)[0].astype(np.float32)
    peer = MDS(2, n_init=8, max_iter=3000, eps=1e-9, random_state=0, init="random", normalized_stress=False).fit(x.astype(float))
    found = run("mds-metric", csv(x))
    assert found["figures"]["stress"] <= peer.stress_ * (1 + 1e-3)


def test_nearest_neighbour_classifier_and_regressor_equal_scikit_learn(calor, run, csv, tmp_path):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(300, 4)).astype(np.float32)
    classes = (x[:, 0] + x[:, 1] > 0).astype(int) + (x[:, 2] > 1)
    values = np.round(x[:, 0] * 3 + x[:, 1], 3)
    fresh = csv(x[200:], name="fresh")
    for recipe, labels, peer in (("knn-classifier", classes, KNeighborsClassifier(5)), ("knn-regressor", values, KNeighborsRegressor(5))):
        model = tmp_path / f"{recipe}.safetensors"
        calor("run", recipe, csv(x[:200], labels[:200], name=recipe), "--save", model, "-q")
        out = table(calor("apply", model, fresh, "-q").stdout)
        peer.fit(x[:200].astype(float), labels[:200].astype(np.float32) if recipe == "knn-regressor" else labels[:200])
        if recipe == "knn-classifier":
            assert np.allclose(np.column_stack([out["p_0"], out["p_1"], out["p_2"]]), peer.predict_proba(x[200:].astype(float)), atol=1e-12)
        else:
            assert np.allclose(out["value"], peer.predict(x[200:].astype(float)), atol=1e-9)


def test_nadaraya_watson_equals_the_formula(calor, csv, tmp_path):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(120, 2)).astype(np.float32)
    y = np.round(np.sin(x[:, 0]), 4)
    model = tmp_path / "nw.safetensors"
    calor("run", "nadaraya-watson", csv(x[:80], y[:80]), "--set", "exp.bandwidth=0.3", "--save", model, "-q")
    out = table(calor("apply", model, csv(x[80:], name="fresh"), "-q").stdout)
    k = np.exp(-((x[80:, None].astype(float) - x[None, :80]) ** 2).sum(2) / 0.3)
    assert np.allclose(out["value"], k @ y[:80] / k.sum(1), atol=1e-9)


def test_label_spreading_equals_scikit_learn_and_the_direct_solution(run, csv):
    x, y = make_moons(300, noise=0.1, random_state=2)
    path = csv(x, y)
    found = run("label-spreading", path, "--train", "0.1", "--set", "repeat.tolerance=1e-13")
    scores = np.column_stack([found["columns"]["p_0"], found["columns"]["p_1"]]).astype(float)
    train = np.array(found["train"])
    assert train.sum() == 30
    w = graph(run, csv(x, name="points"), AFFINITY).toarray()
    s = w / np.sqrt(np.outer(w.sum(1), w.sum(1)))
    beginning = np.eye(2)[y] * train[:, None]
    direct = np.linalg.solve(np.eye(300) - 0.8 * s, 0.2 * beginning)
    assert np.allclose(scores, direct / direct.sum(1, keepdims=True), atol=1e-9)
    peer = LabelSpreading(kernel=lambda a, b: w, alpha=0.8, tol=1e-13, max_iter=2000).fit(x, np.where(train, y, -1))
    assert np.allclose(scores, peer.label_distributions_, atol=1e-9)
    assert (scores.argmax(1) == y).mean() > 0.9


def test_pagerank_equals_networkx(run, tmp_path):
    g = networkx.gnp_random_graph(60, 0.05, seed=5, directed=True)
    path = tmp_path / "web.txt"
    path.write_text("# from to\n" + "\n".join(f"{a} {b}" for a, b in g.edges) + "\n")
    found = run("pagerank", path)
    peer = networkx.pagerank(g.subgraph([int(n) for n in found["columns"]["name"]]), alpha=0.85, tol=1e-12, max_iter=1000)
    mine = dict(zip(found["columns"]["name"].astype(int), found["columns"]["rank"].astype(float)))
    assert max(abs(mine[n] - peer[n]) for n in mine) < 1e-9
    assert any(g.out_degree(n) == 0 for n in mine), "the graph should have dangling nodes"


def test_mean_shift_rows_are_fixed_points(run, csv):
    x, y = make_blobs(200, 2, centers=[[0, 0], [10, 0], [0, 10]], random_state=6)
    found = run("mean-shift", csv(x), "--set", "h=6")
    assert adjusted_rand_score(y, found["columns"]["cluster"].astype(int)) == 1


def test_placing_new_points_lands_where_a_fit_with_them_does(calor, run, csv, tmp_path):
    x = make_s_curve(600, noise=0.01, random_state=3)[0].astype(np.float32)
    for recipe in ("isomap", "lle", "laplacian-eigenmaps", "diffusion-map", "mds"):
        model = tmp_path / "fit.safetensors"
        calor("run", recipe, csv(x[:500]), "--save", model, "-q")
        placed = table(calor("apply", model, csv(x[500:], name="fresh"), "-q").stdout)
        placed = np.column_stack([placed["dim1"], placed["dim2"]])
        whole = coordinates(run(recipe, csv(x)))
        # The fit with the new points has its own scale and signs: aligned on the points that both have.
        alone = coordinates(run(recipe, csv(x[:500])))
        design = np.column_stack([alone, np.ones(500)])
        turn, *_ = np.linalg.lstsq(design, whole[:500], rcond=None)
        error = np.linalg.norm(np.column_stack([placed, np.ones(100)]) @ turn - whole[500:], axis=1)
        # One neighbour's distance in the embedding is what the sample resolves.
        step = np.median(NearestNeighbors(n_neighbors=15).fit(whole).kneighbors()[0][:, -1])
        assert np.median(error) < step, recipe
        assert np.quantile(error, 0.9) < 3 * step, recipe


@pytest.mark.parametrize("word", ["kmeans", "isomap(3)", "knn(3) | row", "distance(2"])
def test_a_wrong_pipeline_is_a_usage_error(calor, csv, word):
    done = calor("run", word, csv(np.eye(4)), code=2)
    assert done.stdout == "" and "expected" in done.stderr


def test_recipes_and_stages_list_themselves(calor):
    recipes = json.loads(calor("recipes", "--json").stdout)
    stages = json.loads(calor("stages", "--json").stdout)
    assert recipes["schema"] == stages["schema"] == 1
    text = calor("recipes").stdout
    for recipe in recipes["recipes"]:
        assert recipe["name"] in text
        assert recipe["citation"] and recipe["summary"]
        assert recipe["summary"] in calor("recipes", recipe["name"]).stdout
    for stage in stages["stages"]:
        shown = calor("stages", stage["name"]).stdout
        assert stage["meaning"] in shown
        assert all(parameter["name"] in shown for parameter in stage["parameters"])
    assert "did you mean" in calor("stages", "knnn", code=2).stderr


def test_explain_says_memory_and_time_and_stops(calor, csv):
    def seconds(points):
        text = calor("run", "isomap", csv(roll(points)), "--explain").stdout
        assert "knn(15) | distance(1) | geodesic" in text and "new points can be placed" in text
        assert re.search(r"expected on this machine: about [\d.]+ [KMG]iB beyond the data", text), text
        # One a stage, and that of all.
        times = [float(found) * {"s": 1, "min": 60, "h": 3600}[unit] for found, unit in re.findall(r" (?:< )?([\d.]+) (s|min|h)\b", text)]
        assert len(times) == 6 and all(time <= times[-1] for time in times), text
        return times[-1]

    assert seconds(50) < seconds(9000)


def test_labels_travel_and_stay_out_of_the_features(run, calor, csv, tmp_path):
    x, y = make_blobs(40, 3, centers=2, random_state=0)
    y = np.array(["left", "right"])[y]
    found = run("mds", csv(x, y))
    assert found["result"]["order"] == ["dim1", "dim2", "label"]
    plain = coordinates(run("mds", csv(x)))
    assert np.allclose(coordinates(found), plain)
    out = tmp_path / "out.csv"
    calor("run", "mds", csv(x, y), "-o", out, "-q")
    assert out.read_text().splitlines()[0] == "dim1,dim2,label"
    numbered = csv(x, np.arange(40) % 2, name="numbered")  # numbers are a label only if that is said
    assert run("mds", numbered)["result"]["order"] == ["dim1", "dim2"]
    named = run("mds", numbered, "--label", "label")
    assert named["result"]["order"] == ["dim1", "dim2", "label"] and np.allclose(coordinates(named), plain)
    assert run("mds", csv(x, y), "--label", "none", "--features", "!label")["result"]["order"] == ["dim1", "dim2"]


def test_memory_limit_and_no_convergence_have_their_codes(calor, csv):
    path = csv(roll(400))
    assert "needed for" in calor("run", "isomap", path, "--max-memory", "15M", code=4).stderr
    assert "raise max_iterations" in calor("run", "mean-shift", path, "--set", "repeat.max_iterations=1", "--set", "repeat.tolerance=0", code=5).stderr


def test_a_damaged_fit_is_refused(calor, csv, tmp_path):
    model = tmp_path / "fit.safetensors"
    calor("run", "mds", csv(roll(30)), "--save", model, "-q")
    model.write_bytes(model.read_bytes()[:-100])
    calor("apply", model, csv(roll(30)), code=3)
    other = tmp_path / "narrow.csv"
    other.write_text("f0,f1\n1,2\n3,4\n")
    calor("run", "mds", csv(roll(30)), "--save", model, "-q")
    calor("apply", model, other, code=3)


def test_graphs_report_bad_lines(calor, tmp_path):
    path = tmp_path / "edges.txt"
    path.write_text("1 2\n2 3 x\n")
    assert "line 2" in calor("run", "pagerank", path, code=3).stderr
    path.write_text("# nothing\n")
    calor("run", "pagerank", path, code=3)


DATA = os.environ.get("CALOR_DATA")


@pytest.mark.skipif(not DATA, reason="CALOR_DATA names no data folder")
def test_neighbours_of_700_cells_are_the_published_ones(run, csv):
    """scanpy's pbmc68k_reduced: the 9 nearest others in the first 30 principal components, stored with the data."""
    folder = pathlib.Path(DATA) / "manifold" / "pbmc68k_reduced"
    raw = next(path for path in sorted(folder.iterdir()) if path.name.startswith("pca50")).read_bytes()
    x = np.frombuffer(raw, dtype=">f4", offset=4 + 4 * raw[3]).reshape(700, 50)[:, :30]
    stored = np.loadtxt(folder / "neighbors_distances.txt")
    found = run("knn(9)", csv(x))
    mine = set(zip(found["columns"]["from"].astype(int) - 1, found["columns"]["to"].astype(int) - 1))
    assert mine == {(int(i), int(j)) for i, j, _ in stored}
