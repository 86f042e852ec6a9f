"""Single stages through the command line against numpy, scipy and scikit-learn on the same numbers (float32 as calor reads them).

A similarity on a graph comes out as its edges, which is what is compared; heat and implicit give points.
"""
import os
import pathlib

import networkx
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import brentq
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.stats import entropy as scipy_entropy
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.neighbors import NearestNeighbors


def points(rows=120, width=3, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32).astype(float)


def matrix(document, rows):
    """The edges of a similarity as a dense matrix."""
    columns = document["columns"]
    ends = columns["from"].astype(int) - 1, columns["to"].astype(int) - 1
    return csr_matrix((columns["value"].astype(float), ends), shape=(rows, rows)).toarray()


@pytest.mark.parametrize(
    "stage, peer",
    [
        ("kernel(rbf, gamma=0.3)", dict(metric="rbf", gamma=0.3)),
        ("kernel(rbf)", dict(metric="rbf")),
        ("kernel(laplacian, gamma=0.3)", dict(metric="laplacian", gamma=0.3)),
        ("kernel(linear)", dict(metric="linear")),
        ("kernel(poly, gamma=0.2, degree=3, offset=0.5)", dict(metric="poly", gamma=0.2, degree=3, coef0=0.5)),
        ("kernel(poly)", dict(metric="poly")),
    ],
)
def test_kernels_equal_scikit_learn(run, csv, stage, peer):
    x = points(30)
    expected = pairwise_kernels(x, **peer)
    np.fill_diagonal(expected, 0)  # knn leaves the point itself out
    assert np.allclose(matrix(run(f"knn(29) | {stage}", csv(x)), 30), expected, rtol=1e-12, atol=1e-13)


def gaussian_row(squares, perplexity):
    """Shares exp(-beta d^2) whose entropy is log(perplexity), by Brent's method on log beta, in double."""
    def shares(log_beta):
        weights = np.exp(-np.exp(log_beta) * (squares - squares.min()))
        return weights / weights.sum()
    return shares(brentq(lambda b: scipy_entropy(shares(b)) - np.log(perplexity), -20, 20, xtol=1e-13, rtol=1e-14))


def test_perplexity_by_its_definition(run, csv):
    x = points(100)
    squares = ((x[:, None] - x[None]) ** 2).sum(2)
    expected = np.array([np.insert(gaussian_row(np.delete(squares[i], i), 12), i, 0) for i in range(100)])
    found = matrix(run("knn(99) | distance(2) | exp(perplexity=12) | row", csv(x)), 100)
    assert np.abs(found - expected).max() < 1e-8  # the entropy is met within 1e-9


def test_affinities_of_tsne_are_opentsnes(run, csv):
    """Their definition with Brent's method, and what openTSNE 1.0.4 gave for the same points (make_opentsne_affinities.py)."""
    x = points(40)
    squares = ((x[:, None] - x[None]) ** 2).sum(2) + np.diag(np.full(40, np.inf))
    one_way = np.zeros((40, 40))
    for i, neighbours in enumerate(np.argsort(squares, 1)[:, :15]):  # three times the perplexity
        one_way[i, neighbours] = gaussian_row(squares[i, neighbours], 5)
    defined = (one_way + one_way.T) / 80
    stored = np.loadtxt(pathlib.Path(__file__).parent / "opentsne_affinities.csv", delimiter=",")
    theirs = csr_matrix((stored[:, 2], (stored[:, 0].astype(int), stored[:, 1].astype(int))), shape=(40, 40)).toarray()
    found = matrix(run("knn(15) | distance(2) | exp(perplexity=5) | row | mean | global", csv(x)), 40)
    assert ((found > 0) == (theirs > 0)).all()
    for expected in (defined, theirs):
        assert np.abs(found - expected).max() < 1e-6 * expected.max()


def test_cardinality_by_the_definition(run, csv):
    x = points(80)
    found = matrix(run("knn(10) | distance(1, from=nearest) | exp(cardinality=log2(11))", csv(x)), 80)
    assert np.abs(found.sum(1) - np.log2(11)).max() < 1e-9
    distance, neighbour = NearestNeighbors(n_neighbors=10).fit(x).kneighbors()
    for i in range(80):
        # One scale explains all values of a row, and the nearest has the value 1.
        beyond = distance[i] - distance[i, 0]
        values = found[i, neighbour[i]]
        assert values[0] == 1
        scales = -beyond[1:] / np.log(values[1:])
        assert np.ptp(scales) < 1e-6 * scales.mean()


def fuzzy_set(x, k):
    """umap-learn's fuzzy set of k neighbours, the point itself among them (smooth_knn_dist, compute_membership_strengths, fuzzy_simplicial_set), in double and
    bisected to the end: umap-learn stops where the sum is within 1e-5 of log2(k), in float32, which moves an edge by up to 1e-4."""
    distance, neighbour = NearestNeighbors(n_neighbors=k).fit(x).kneighbors(x)
    strength = np.zeros((len(x), len(x)))
    for i in range(len(x)):
        others = neighbour[i] != i
        d, to = distance[i][others][:k - 1], neighbour[i][others][:k - 1]
        nearest = d[d > 0].min() if (d > 0).any() else 0
        beyond = np.maximum(d - nearest, 0)
        scale = np.exp(brentq(lambda s: np.exp(-beyond / np.exp(s)).sum() - np.log2(k), -30, 30, xtol=1e-13, rtol=1e-14))
        assert scale > 1e-3 * d.mean()  # MIN_K_DIST_SCALE does not come in
        strength[i, to] = np.exp(-beyond / scale)
    return strength + strength.T - strength * strength.T


@pytest.mark.parametrize("k", (6, 15))
def test_the_fuzzy_set_is_umap_learns(run, csv, k):
    x = load_digits().data[:300] + np.random.default_rng(0).normal(0, 1e-2, (300, 64))  # digits alone have ties
    x = x.astype(np.float32).astype(float)
    found = matrix(run(f"knn({k - 1}) | distance(1, from=nearest) | exp(cardinality=log2({k})) | union", csv(x)), 300)
    expected = fuzzy_set(x, k)
    assert ((found > 0) == (expected > 0)).all()
    assert np.abs(found - expected).max() < 1e-6


@pytest.mark.skipif("CALOR_DATA" not in os.environ, reason="CALOR_DATA names no data folder")
def test_cardinality_and_union_give_the_published_graph(run, csv):
    """scanpy's pbmc68k_reduced: UMAP's fuzzy graph of 700 cells as umap-learn computed it, whose bisection stops at 1e-5 of the sum; and without that stop."""
    folder = pathlib.Path(os.environ["CALOR_DATA"]) / "manifold" / "pbmc68k_reduced"
    raw = next(path for path in sorted(folder.iterdir()) if path.name.startswith("pca50")).read_bytes()
    x = np.frombuffer(raw, dtype=">f4", offset=4 + 4 * raw[3]).reshape(700, 50)[:, :30]
    stored = np.loadtxt(folder / "neighbors_connectivities.txt")
    expected = csr_matrix((stored[:, 2], (stored[:, 0].astype(int), stored[:, 1].astype(int))), shape=(700, 700)).toarray()
    found = matrix(run("knn(9) | distance(1, from=nearest) | exp(cardinality=log2(10)) | union", csv(x)), 700)
    assert ((found > 0) == (expected > 0)).all()
    assert np.abs(found - expected).max() < 1e-4
    assert np.abs(found - fuzzy_set(x.astype(float), 10)).max() < 1e-6


@pytest.mark.parametrize("weight", (0, 0.5, 0.9, 1))
def test_supervise_is_umap_learn_s_intersection_with_classes(calor, run, tmp_path, weight):
    """Written out: edges between classes times exp(-2.5 / (1 - weight)), those of unknown ones times exp(-1), rows over their greatest, united."""
    x, classes = points(80), np.random.default_rng(1).integers(0, 3, 80)
    classes[:15] = -1
    path = tmp_path / "classes.csv"
    path.write_text("a,b,c,kind\n" + "".join(",".join(map(repr, row)) + "," + ("" if kind < 0 else "xyz"[kind]) + "\n" for row, kind in zip(x.tolist(), classes)))
    before = "knn(9) | distance(1, from=nearest) | exp(cardinality=log2(10)) | union"
    fuzzy = matrix(run(before, path, "--label", "kind"), 80)
    unknown = (classes[:, None] < 0) | (classes[None] < 0)
    cut = fuzzy * np.where(unknown, np.exp(-1), np.where(classes[:, None] == classes[None], 1, np.exp(-2.5 / (1 - weight)) if weight < 1 else 0))
    cut /= np.maximum(cut.max(1, keepdims=True), 1e-300)
    found = matrix(run(f"{before} | supervise({weight})", path, "--label", "kind"), 80)
    assert np.allclose(found, cut + cut.T - cut * cut.T, rtol=1e-13, atol=0)
    refused = calor("run", f"{before} | supervise", path, "--features", "a,b,c", "--label", "none", code=3).stderr
    assert "[supervise] expected labelled training" in refused


def karate(tmp_path):
    graph = networkx.karate_club_graph()
    path = tmp_path / "karate.txt"
    path.write_text("\n".join(f"{a} {b}\n{b} {a}" for a, b in graph.edges) + "\n")
    adjacency = networkx.to_numpy_array(graph, nodelist=range(34), weight=None)
    return path, adjacency


def test_expand_and_inflate_are_powers(run, tmp_path):
    path, adjacency = karate(tmp_path)
    names = list(range(34))  # whole numbers are sorted by value
    m = adjacency + np.eye(34)
    m /= m.sum(0)
    assert names == sorted(names)
    assert np.allclose(matrix_by_name(run("adjacency | self_loops | column | expand(2)", path)), m @ m, atol=1e-15)
    assert np.allclose(matrix_by_name(run("adjacency | self_loops | column | expand(4)", path)), np.linalg.matrix_power(m, 4), atol=1e-15)
    assert np.allclose(matrix_by_name(run("adjacency | self_loops | column | inflate(2.5)", path)), m**2.5, atol=1e-15)
    pruned = m @ m
    assert np.allclose(matrix_by_name(run("adjacency | self_loops | column | expand(2, prune=0.01)", path)), np.where(pruned > 0.01, pruned, 0), atol=1e-15)


def matrix_by_name(document):
    columns = document["columns"]
    ends = columns["from"].astype(int), columns["to"].astype(int)
    return csr_matrix((columns["value"].astype(float), ends), shape=(34, 34)).toarray()


def test_markov_clustering_by_its_definition(run, tmp_path):
    path, adjacency = karate(tmp_path)
    m = adjacency + np.eye(34)
    m /= m.sum(0)
    for _ in range(100):
        m = m @ m
        m[m <= 1e-5] = 0
        m = m**2
        m /= m.sum(0)
    expected = connected_components(csr_matrix(m))[1]
    found = run("adjacency | self_loops | column | repeat(expand(2, prune=1e-5) | inflate(2) | column) | components", path)
    mine = found["columns"]["component"] if "component" in found["columns"] else found["columns"]["cluster"]
    assert len(set(expected)) > 1
    order = np.argsort(found["columns"]["name"].astype(int))
    assert adjusted_rand_score(expected, mine.astype(int)[order]) == 1


def affinity(x, k=10, h=1.0):
    """knn(k) | distance(2) | exp(h) | mean, by numpy."""
    neighbour = NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False)
    w = np.zeros((len(x), len(x)))
    for i, row in enumerate(neighbour):
        w[i, row] = np.exp(-((x[i] - x[row]) ** 2).sum(1) / h)
    return w


def moved(document):
    """Points after a flow: their columns keep the names of the features."""
    return np.column_stack([document["columns"][name].astype(float) for name in document["result"]["order"]])


@pytest.mark.parametrize("t", [0, 0.01, 1, 30, 2000])
def test_heat_equals_the_matrix_exponential(run, csv, t):
    x = points(90)
    path = csv(x)
    w = affinity(x)
    both = (w + w.T) / 2
    for text, rate in (("mean", None), ("mean | row", both), ("row", w)):  # D - W; a symmetric walk; one that goes one way
        weights = both if rate is None else rate / rate.sum(1, keepdims=True)
        generator = np.diag(weights.sum(1)) - weights
        found = moved(run(f"knn(10) | distance(2) | exp(1) | {text} | heat({t})", path))
        assert np.abs(found - expm(-t * generator) @ x).max() < 1e-9, text
    everywhere = np.exp(-((x[:, None] - x[None]) ** 2).sum(2))
    everywhere /= everywhere.sum(1, keepdims=True)
    found = moved(run(f"distance(2) | exp(1) | row | heat({t})", path))
    assert np.abs(found - expm(-t * (np.eye(90) - everywhere)) @ x).max() < 1e-9


@pytest.mark.parametrize("t", [0, 0.01, 1, 300])
def test_implicit_equals_the_direct_solution(run, csv, t):
    x = points(90)
    path = csv(x)
    w = affinity(x)
    both = (w + w.T) / 2
    for text, weights in (("mean", both), ("mean | row", both / both.sum(1, keepdims=True))):
        system = np.eye(90) + t * (np.diag(weights.sum(1)) - weights)
        found = moved(run(f"knn(10) | distance(2) | exp(1) | {text} | implicit({t})", path))
        assert np.abs(found - np.linalg.solve(system, x)).max() < 1e-7, text


@pytest.mark.parametrize(
    "pipeline, part",
    [
        ("distance(2) | inflate(2)", "values of at least 0"),
        ("distance(1, from=nearest)", "a graph for from=nearest"),
        ("distance(2) | exp(cardinality=3)", "a graph for a cardinality"),
        ("knn(3) | distance(2) | exp(cardinality=3)", "more than 3 neighbours"),
        ("knn(3) | dot | exp(cardinality=2)", "minus distances"),
        ("knn(3) | distance(2) | exp(perplexity=2, cardinality=2)", "found both"),
        ("knn(3) | distance(2) | exp(1) | implicit(1)", "put mean or union"),
        ("centres(3) | distance(2, to=data) | exp(1) | expand(2) | row | apply", "as many rows as columns"),
        ("knn(3) | local_weights | heat(1)", "weights of at least 0"),
    ],
)
def test_what_a_stage_cannot_take_is_said(calor, csv, pipeline, part):
    x = points(20)
    done = calor("run", pipeline, csv(x), code=3 if "neighbours" in part or "weights" in part else 2)
    assert part in done.stderr and done.stdout == ""


def edges(document):
    return set(zip(document["columns"]["from"].astype(int) - 1, document["columns"]["to"].astype(int) - 1))


def test_hnsw_finds_nearly_all_neighbours_with_the_same_bits_for_any_number_of_threads(run, csv):
    x = load_digits().data + np.random.default_rng(0).normal(0, 1e-3, (1797, 64))  # digits alone have ties
    x = x.astype(np.float32).astype(float)
    path = csv(x)
    for metric in ("euclidean", "cosine"):
        neighbour = NearestNeighbors(n_neighbors=10, algorithm="brute", metric=metric).fit(x).kneighbors(return_distance=False)
        exact = {(i, j) for i in range(1797) for j in neighbour[i]}
        found = run(f"knn(10, metric={metric}, method=hnsw)", path, "--threads", "1")
        mine = edges(found)
        assert len(mine) == 17970
        recall = len(mine & exact) / len(exact)
        assert recall >= 0.95
        assert abs(found["figures"]["recall"] - recall) < 0.03  # of 1000 neighbours
        assert "of the exact neighbours of 100 sampled points" in found["notes"][0]["text"]
        for threads in ("2", "3"):
            assert run(f"knn(10, metric={metric}, method=hnsw)", path, "--threads", threads)["result"] == found["result"]


def test_hnsw_of_few_and_of_coinciding_points(run, csv):
    for x in (points(3), np.ones((50, 2)), np.repeat(points(20), 3, axis=0)):
        found = edges(run("knn(2, method=hnsw)", csv(x)))
        assert len(found) == 2 * len(x) and all(i != j for i, j in found)


@pytest.mark.parametrize("method", ("hnsw", "forest"))
def test_approximate_neighbours_are_not_by_manhattan_distances(calor, csv, method):
    assert f"method={method}, found manhattan: use method=exact" in calor("run", f"knn(3, metric=manhattan, method={method})", csv(points(20)), code=2).stderr


def test_a_forest_finds_most_neighbours_and_says_how_many(run, csv):
    x = np.random.default_rng(3).normal(size=(5000, 20))
    found = run("knn(10, method=forest)", csv(x), "--threads", "1")
    neighbour = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(x).kneighbors(return_distance=False)
    recall = len(edges(found) & {(i, j) for i in range(5000) for j in neighbour[i]}) / 50000
    assert recall > 0.95 and abs(found["figures"]["recall"] - recall) < 0.03
    assert found["notes"][0]["text"] == f"forest found {100 * found['figures']['recall']:.1f} % of the exact neighbours of 100 sampled points"
    assert run("knn(10, method=forest)", csv(x), "--threads", "3")["result"] == found["result"]


def test_a_fit_by_a_forest_places_its_own_points_by_all_of_them(calor, csv, tmp_path):
    x = np.random.default_rng(4).normal(size=(3000, 6))
    path = csv(x)
    calor("run", "laplacian-eigenmaps", path, "--set", "knn.method=forest", "-o", tmp_path / "fit.csv", "--save", tmp_path / "fit.calor")
    calor("apply", tmp_path / "fit.calor", path, "-o", tmp_path / "again.csv")
    fit, again = (np.loadtxt(tmp_path / name, delimiter=",", skiprows=1) for name in ("fit.csv", "again.csv"))
    assert np.abs(fit - again).max() < 0.05 * np.abs(fit).max()
