"""What a run says of an embedding beyond its figures: islands, what was torn and glued, and how stable it is over seeds."""
import json

import numpy as np
import pytest

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
