"""What a run says of an embedding beyond its figures: islands, what was torn and glued, and how stable it is over seeds."""
import json

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from command import document_of


@pytest.fixture
def corners(tmp_path):
    """Three groups, of which two lie above each other along the third axis."""
    rng = np.random.default_rng(1)
    centres = np.array([[0, 0, -12], [0, 0, 12], [60, 0, 0]])
    path = tmp_path / "corners.npy"
    np.save(path, np.concatenate([centre + rng.normal(size=(60, 3)) for centre in centres]))
    return path


def test_groups_that_a_projection_glues(calor, corners, tmp_path):
    """Classical scaling to one dimension keeps the long axis: the two groups fall onto each other."""
    done = calor("run", "mds", corners, "--set", "eigen.k=1", "-o", tmp_path / "one.csv")
    assert "2 islands" in done.stderr and "merges 2 groups that no mutual neighbours in the data join (60, " in done.stderr
    document = json.loads(calor("run", "mds", corners, "--set", "eigen.k=2", "--json", "-q").stdout)
    islands = document["quality"]["embedding"]["islands"]
    assert islands["count"] == 3 and islands["glued"] == islands["torn"] == [] and len(islands["of"]) == 180
    assert [len(set(islands["of"][60 * group:60 * group + 60]) - {-1}) for group in range(3)] == [1, 1, 1]


def test_a_picture_whose_distances_mean_nothing_says_so(calor, corners, tmp_path):
    """Where Kruskal's stress-1 is above 0.25: once on stderr, in the notes of --json, and in the report's summary."""
    words = "Distances between clusters, and between far points, say little in this picture: their stress-1 is "
    for recipe, little in (("umap", True), ("mds", False)):
        done = calor("run", recipe, corners, "-o", tmp_path / "map.json", "--report", tmp_path / "r.html")
        document = json.loads((tmp_path / "map.json").read_text())
        assert (document["quality"]["embedding"]["stress_1"] > 0.25) == little
        assert done.stderr.count(words) == little
        assert [note["stage"] for note in document["notes"] if note["text"].startswith(words)] == ["quality"] * little
        page = document_of(tmp_path / "r.html")
        assert sum(sentence.startswith(words) for sentence in page["summary"]) == little and not any(note["text"].startswith(words) for note in page["notes"])


@pytest.mark.parametrize("k", (15, 12))
def test_every_point_of_many_has_its_trust(calor, tmp_path, k):
    """Beyond 5,000 rows too, where the other figures are of a sample: the share of its k nearest in the data, of the fit's own graph, among its 15 nearest on the map."""
    x = np.random.default_rng(2).normal(size=(5300, 3)) * [5, 3, 0.3]
    np.save(tmp_path / "points.npy", x)
    text = f"knn({k}) | distance(2) | exp(auto) | mean | eigen(2, of=laplacian)"
    document = json.loads(calor("run", text, tmp_path / "points.npy", "--json", "-q").stdout)
    found = document["quality"]["embedding"]
    assert found["rows"] < found["of"] == 5300 and found["judged"] == list(range(5300))
    picture = np.column_stack([document["result"]["values"][name] for name in ("dim1", "dim2")])
    near = [NearestNeighbors(n_neighbors=n).fit(points).kneighbors(return_distance=False) for n, points in ((k, x), (15, picture))]
    shares = [len(set(a) & set(b)) / k for a, b in zip(*near)]
    assert 0.1 < np.mean(shares) < 0.9 and found["kept"] == pytest.approx(shares, abs=1e-9)


def test_stability_over_seeds(calor, corners, tmp_path):
    page = tmp_path / "r.html"
    done = calor("run", "umap", corners, "--stability", "3", "--report", page, "-o", tmp_path / "map.npy")
    assert "under 2 other seeds" in done.stderr
    document = document_of(page)
    found = document["quality"]["embedding"]["stability"]
    assert found["seeds"] == 3 and len(found["kept"]) == 180 and found["mean"] == pytest.approx(np.mean(found["kept"])) and 0.2 < found["mean"] < 1
    assert {"neighbours kept", "stable neighbours", "island"} <= {one["name"] for one in document["picture"]["colourings"]}
    # The map is that of the first seed, and the others are what --seed gives.
    alone = tmp_path / "alone.npy"
    calor("run", "umap", corners, "-o", alone, "-q")
    assert np.array_equal(np.load(alone), np.load(tmp_path / "map.npy"))
    maps = [np.load(alone)]
    for seed in (1, 2):
        calor("run", "umap", corners, "--seed", seed, "-o", alone, "-q")
        maps.append(np.load(alone))
    k = found["neighbours"]
    near = [np.argsort(((points[:, None] - points[None]) ** 2).sum(-1) + np.diag(np.full(len(points), np.inf)), 1)[:, :k] for points in maps]
    shares = [np.mean([len(set(near[0][i]) & set(other[i])) / k for other in near[1:]]) for i in range(180)]
    assert found["kept"] == pytest.approx(shares, abs=1e-9)
    sure = json.loads(calor("run", "mds", corners, "--stability", "2", "--json", "-q").stdout)["quality"]["embedding"]["stability"]
    assert sure["mean"] == 1


def test_stability_is_of_embeddings(calor, corners):
    assert "gives labels" in calor("run", "k-means", corners, "--set", "k=3", "--stability", "3", code=2).stderr
    assert "--stability" in calor("run", "mds", corners, "--stability", "1", "-q", code=2).stderr
