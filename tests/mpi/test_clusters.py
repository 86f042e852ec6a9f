"""k-means and what ends in it, in 1 to 4 processes, against `calor run`: the same seed draws the same first centres, and every row gets the same cluster.

Sums are added up in another order, which moves a centre by rounding: labels are equal, inertia agrees to 1e-12 of itself."""
import numpy as np
import pytest

from cluster import document, mpirun, values

PROCESSES = [1, 2, 3, 4]


def same_clusters(one, other):
    assert one["result"]["values"] == other["result"]["values"]
    assert one["figures"]["inertia"] == pytest.approx(other["figures"]["inertia"], rel=1e-12)
    assert one["notes"] == other["notes"]
    assert one["quality"] == other["quality"]


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("data", ["digits", "wine", "moons"])
@pytest.mark.parametrize("seed", [0, 3])
def test_k_means(both, data, processes, seed):
    one, other = both(processes, "k-means", data, "--seed", seed)
    same_clusters(one, other)
    assert one["figures"]["repetitions"] == other["figures"]["repetitions"]


@pytest.mark.parametrize("pipeline", ["cluster(5)", "cluster(4, starts=2)", "centres(6, starts=1, max_iterations=0) | assign",
                                      "centres(7, max_iterations=1) | repeat(distance(1, metric=manhattan, to=data) | best(column) | row | apply, max_iterations=100) | assign"])
def test_other_words_for_it(both, pipeline):
    one, other = both(3, pipeline, "wine")
    same_clusters(one, other)


def test_the_centres_themselves(both):
    one, other = both(4, "centres(9)", "digits")
    assert one["result"]["order"] == other["result"]["order"]
    np.testing.assert_allclose(values(one), values(other), rtol=0, atol=1e-11)


@pytest.mark.parametrize("processes", PROCESSES)
def test_fewer_places_than_centres(both, tmp_path, processes):
    """Empty clusters: every place has a centre, what is left over is left out with the reason."""
    path = tmp_path / "places.npy"
    np.save(path, np.array([[10.0 * (i % 3), 1.0] for i in range(31)]))
    for pipeline in ("cluster(5)", "k-means"):
        one, other = both(processes, pipeline, path)
        same_clusters(one, other)
        assert any("3 different places" in note["text"] for note in one["notes"])


@pytest.mark.parametrize("rows", [3, 5])
def test_processes_without_rows(both, tmp_path, rows):
    path = tmp_path / "few.npy"
    np.save(path, np.random.default_rng(rows).normal(size=(rows, 2)))
    one, other = both(4, "k-means", path, "--set", "k=2")
    same_clusters(one, other)


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("data, settings", [("moons", ["k=2", "knn.k=10"]), ("digits", ["k=10"]), ("wine", ["k=3"])])
def test_spectral_clustering(both, data, settings, processes):
    """Coordinates agree to 1e-7 (test_same_numbers.py), which moves no row of these to another cluster."""
    one, other = both(processes, "spectral-clustering", data, *[word for setting in settings for word in ("--set", setting)])
    assert one["result"]["values"] == other["result"]["values"]
    assert one["figures"]["inertia"] == pytest.approx(other["figures"]["inertia"], rel=1e-6)


def test_the_same_bits_again():
    words = ["run", "centres(10)", "digits", "--json", "--quiet"]
    assert len({document(mpirun(3, *words))["digest"] for _ in range(3)}) == 1


def test_more_clusters_than_rows(tmp_path):
    path = tmp_path / "few.npy"
    np.save(path, np.random.default_rng(0).normal(size=(5, 2)))
    said = mpirun(3, "run", "cluster(6)", path, code=3).stderr
    assert "found 6 for 5 points" in said and said.count("error:") == 1


@pytest.mark.parametrize("pipeline, stage, reason", [("fuzzy-c-means", "repeat", "repeated on centres"),
                                                      ("centres(3) | repeat(distance(2, to=points) | best(column) | row | apply) | assign", "distance", "to=data"),
                                                      ("centres(3) | repeat(distance(2, to=data) | best(row) | row | apply) | assign", "best", "of=column"),
                                                      ("mean-shift", "repeat", "repeated on rows")])
def test_what_moves_otherwise_is_refused(pipeline, stage, reason):
    said = mpirun(2, "run", pipeline, "wine", code=2).stderr
    assert f"found {stage}, which does not" in said and reason in said and "^" in said
