"""The maps of tsne, umap and sne on real data, against figures of their peers that were measured once, and held-out points.

openTSNE 1.0.4 (PerplexityBasedNN(x, perplexity=30, method="exact"), initialization.pca, TSNE(), seeds 0 to 2) and umap-learn 0.5.12 (UMAP(),
seeds 0 to 2) on scikit-learn's digits: bench/recipes maps --size 1797 prints them beside ours."""
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

import command
from results import coordinates, table


def purity(points, labels, k=15):
    nearest = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)
    return (labels[nearest] == labels[:, None]).mean()


# recipe: trustworthiness and purity of the peer's worst seed.
PEERS = {"tsne": (0.9885, 0.9763), "umap": (0.9869, 0.9730)}


@pytest.mark.parametrize("recipe", PEERS)
def test_map_of_digits_is_as_good_as_the_peers(run, recipe):
    x, labels = load_digits(return_X_y=True)
    found = coordinates(run(recipe, "digits"))
    trust, pure = PEERS[recipe]
    assert trustworthiness(x, found, n_neighbors=15) > trust - 0.001  # as seeds differ
    assert purity(found, labels) > pure - 0.004


OPENTSNE_KL = 0.7452  # the best of its seeds


@pytest.mark.parametrize("sums", ("exact", "grid"))
def test_divergence_of_digits_is_as_low_as_opentsnes(run, sums):
    found = run("tsne", "digits", "--set", f"match.sums={sums}")
    assert 0.98 < found["figures"]["kl"] / OPENTSNE_KL < 1.01


def test_divergence_of_sne_never_rises(run):
    found = run("sne", "iris")
    assert (np.diff(found["series"]["kl"]) <= 0).all()


@pytest.mark.parametrize("recipe", ("tsne", "umap", "sne"))
def test_new_digits_land_among_their_kind(calor, csv, tmp_path, recipe):
    x, labels = load_digits(return_X_y=True)
    x = x.astype(np.float32)
    model, old, new = tmp_path / "model.calor", csv(x[:600], labels[:600], "old"), csv(x[600:900], labels[600:900], "new")
    fitted = table(calor("run", recipe, old, "--label", "label", "--save", model, "-q").stdout)
    placed = table(calor("apply", model, new, "-q").stdout)
    both = [np.column_stack([one["dim1"], one["dim2"]]).astype(float) for one in (fitted, placed)]
    assert np.isfinite(both[1]).all()
    nearest = NearestNeighbors(n_neighbors=5).fit(both[0]).kneighbors(both[1], return_distance=False)
    votes = np.array([np.bincount(labels[:600][row], minlength=10).argmax() for row in nearest])
    expected = {"tsne": 0.93, "umap": 0.8933, "sne": 0.6}[recipe]  # umap-learn's; 0.91 among the nearest in the data
    assert (votes == labels[600:900]).mean() > expected
    # Each on its own: half of them alone land at the same places.
    half = table(calor("apply", model, csv(x[600:650], labels[600:650], "half"), "-q").stdout)
    assert (half["dim1"] == placed["dim1"][:50]).all()


@pytest.mark.parametrize("recipe, rows", (("tsne", 1000), ("umap", 1000), ("sne", 400)))
def test_new_digits_are_as_pure_as_those_of_the_map(calor, tmp_path, recipe, rows):
    """Of rows drawn at random, whose writers are those of the others: the share of the nearest on the map with a row's own class is that of the map's rows, within
    two points (measured: 0.2 below to 2 above)."""
    x, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(1797)
    old, new = order[:rows], order[rows:rows + 397]
    for name, chosen in (("old", old), ("new", new)):
        np.save(tmp_path / f"{name}.npy", x[chosen])
    calor("run", recipe, tmp_path / "old.npy", "--save", tmp_path / "fit.calor", "-o", tmp_path / "map.npy", "-q")
    calor("apply", tmp_path / "fit.calor", tmp_path / "new.npy", "-o", tmp_path / "placed.npy", "-q")
    fitted, placed = np.load(tmp_path / "map.npy"), np.load(tmp_path / "placed.npy")
    nearest = NearestNeighbors(n_neighbors=15).fit(fitted).kneighbors(placed, return_distance=False)
    held_out, training = (labels[old][nearest] == labels[new][:, None]).mean(), purity(fitted, labels[old])
    assert held_out > training - 0.02, f"{held_out:.3f} of {training:.3f}"


def test_more_ties_than_the_perplexity_are_neighbours_alike(calor, csv):
    x = np.random.default_rng(0).integers(0, 3, size=(20, 3)).astype(float)
    points = csv(x)
    found = calor("run", "distance(2) | exp(perplexity=2) | row | match(gaussian, kl)", points, "-q").stdout
    assert np.isfinite(np.column_stack([table(found)["dim1"], table(found)["dim2"]])).all()


def test_too_large_a_perplexity_says_what_to_do(calor, csv):
    x = np.random.default_rng(0).normal(size=(60, 3))
    assert "[knn] expected k of at most 59" in calor("run", "tsne", csv(x), code=3).stderr
    assert "give a smaller perplexity or a larger k" in calor("run", "tsne", csv(x), "--set", "knn.k=20", code=3).stderr


@pytest.mark.parametrize("text, words", (("knn(9) | distance(2) | exp(perplexity=3) | row | mean | match(student, kl)", "put mean | global before it"),
                                         ("knn(9) | distance(2) | exp(perplexity=3) | row | match(student, kl)", "found one that is not"),
                                         ("knn(9) | distance(2) | match(student, kl)", "found distances"),
                                         ("knn(9) | distance(2) | exp(perplexity=3) | match(gaussian, kl)", "put row before it"),
                                         ("knn(9) | distance(2) | exp(perplexity=3) | row | mean | match(rational, kl)", "write match(rational, cross_entropy)"),
                                         ("distance(1) | match(distance, kl)", "write match(distance, stress)")))
def test_refusals(calor, csv, text, words):
    x = np.random.default_rng(0).normal(size=(60, 3))
    assert words in calor("run", text, csv(x), code=(2, 3)).stderr


def test_ctrl_c_keeps_the_map_that_there_is(tmp_path):
    out = tmp_path / "map.csv"
    code, _, errors = command.interrupted_at_work("run", "tsne", "digits", "--set", "match.max_iterations=1000000", "-o", out, at="descent")
    assert code == 130
    assert "interrupted: this is the map as it was then" in errors
    found = table(out.read_text())
    assert len(found) == 1797 and np.isfinite(found["dim1"]).all() and np.ptp(found["dim1"]) > 0
