"""What P processes find is what one process finds: the reference is `calor run`, which shares the engine but neither messages nor the eigensolver.

Neighbours are the same pairs.  Eigenvalues agree to 1e-10: both solvers stop at residuals of at most 1e-10 of an eigenvalue, whose square over the gap to the
next one is the error; sums in another order move them by rounding alone."""
import numpy as np
import pytest

from cluster import document, mpirun, values

PROCESSES = [1, 2, 3, 4]


def same_spectrum(one, other):
    assert len(one["spectrum"]) == len(other["spectrum"])
    np.testing.assert_allclose(one["spectrum"], other["spectrum"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("data", ["digits", "wine"])
def test_the_same_neighbours(both, data, processes):
    one, other = both(processes, "knn(7)", data)
    assert one["result"] == other["result"]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_ties_go_to_the_lower_row(both, tmp_path, metric):
    """Points of a lattice, each of them twice: most of the nearest are tied, and the ties lie in different blocks."""
    lattice = np.array([[a, b] for a in range(1, 8) for b in range(1, 8)], dtype=float)
    path = tmp_path / "lattice.npy"
    np.save(path, np.vstack([lattice, lattice])[np.random.default_rng(1).permutation(98)])
    for processes in (2, 3, 4):
        one, other = both(processes, f"knn(5, metric={metric})", path)
        assert one["result"] == other["result"]


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("data", ["digits", "breast_cancer", "roll"])
def test_diffusion_map_on_all_pairs(both, request, data, processes):
    source = request.getfixturevalue("roll") if data == "roll" else data
    one, other = both(processes, "diffusion-map", source, "--set", "eigen.k=4")
    same_spectrum(one, other)
    assert one["figures"]["bandwidth"] == other["figures"]["bandwidth"]
    if data != "breast_cancer":  # whose outliers crowd the eigenvalues at 1, within 1e-13 of each other: any vectors that span theirs will do
        np.testing.assert_allclose(values(one), values(other), rtol=0, atol=1e-7)


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    path = tmp_path_factory.mktemp("sheet") / "sheet.npy"
    np.save(path, np.random.default_rng(6).random((2450, 2)) * [3, 2])
    return path


@pytest.mark.parametrize("processes", [2, 3])
def test_streamed_as_kept(both, sheet, processes):
    """A memory limit under which no process keeps the scores of its rows: every pass, and every product, sends the points round the ring again."""
    words = ["diffusion-map", sheet, "--set", "eigen.k=2"]
    kept, other = both(processes, *words)
    streamed = document(mpirun(processes, "run", *words, "--json", "--quiet", "--threads", 1, "--max-memory", "60M"))
    assert kept["processes"][0]["messages"] == processes - 1
    assert streamed["processes"][0]["messages"] > 10 * (processes - 1)
    same_spectrum(streamed, other)
    same_spectrum(kept, other)
    np.testing.assert_allclose(values(streamed), values(other), rtol=0, atol=1e-7)


GRAPHS = ["laplacian-eigenmaps",
          "knn(10) | distance(2) | exp(auto) | union | two_side(1) | row | eigen(3, time=1)",
          "knn(8) | distance(1, metric=cosine) | exp(0.1) | mean | row | eigen(2)"]


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("pipeline", GRAPHS)
def test_graphs(both, pipeline, processes):
    one, other = both(processes, pipeline, "digits")
    same_spectrum(one, other)
    np.testing.assert_allclose(values(one), values(other), rtol=0, atol=1e-7)


@pytest.mark.parametrize("components", ["apart", "together"])
def test_a_graph_of_several_components(both, tmp_path, components):
    random = np.random.default_rng(3)
    path = tmp_path / "islands.npy"
    np.save(path, np.vstack([random.normal(0, 1, (260, 3)), random.normal(50, 1, (23, 3)), random.normal(-50, 1, (230, 3))])[random.permutation(513)])
    for processes in (1, 3):
        one, other = both(processes, f"knn(6) | distance(2) | exp(auto) | mean | row | eigen(4, components={components})", path)
        # What calor says of a picture's quality is computed from all points in one place: calor-mpi does not.
        assert [note["text"] for note in one["notes"]] == [note["text"] for note in other["notes"] if note["stage"] != "quality"]
        same_spectrum(one, other)
        np.testing.assert_allclose(values(one), values(other), rtol=0, atol=1e-7)


PREDICTIONS = [("knn-classifier", "digits"), ("label-spreading", "digits"), ("distance(2, to=train) | exp(auto) | row | vote", "wine"),
               ("nadaraya-watson", "wine --label alcohol"), ("knn-regressor", "wine --label alcohol")]


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("pipeline, data", PREDICTIONS)
def test_predictions(both, pipeline, data, processes):
    one, other = both(processes, pipeline, *data.split(), "--train", 0.3, "--seed", 4)
    assert one["train"] == other["train"]
    np.testing.assert_allclose(values(one), values(other), rtol=0, atol=1e-9)
    assert one["quality"]["prediction"].keys() == other["quality"]["prediction"].keys()


@pytest.mark.parametrize("processes", PROCESSES)
def test_pagerank(both, tmp_path, processes):
    random = np.random.default_rng(2)
    path = tmp_path / "edges.csv"
    path.write_text("".join(f"n{a},n{b}\n" for a, b in random.integers(0, 61, (300, 2))))
    one, other = both(processes, "pagerank", path)
    np.testing.assert_allclose(values(one), values(other), rtol=0, atol=1e-12)


@pytest.mark.parametrize("rows", [3, 4, 5, 7])
def test_fewer_rows_than_processes_and_blocks_of_one(both, tmp_path, rows):
    path = tmp_path / "few.npy"
    np.save(path, np.random.default_rng(rows).normal(size=(rows, 2)))
    for pipeline in ("knn(2)", "distance(2) | exp(auto) | two_side(1) | row | eigen(1)", "knn(2) | distance(2) | exp(auto) | mean | row | eigen(1)"):
        one, other = both(4, pipeline, path)
        if "eigen" in pipeline:
            same_spectrum(one, other)
        else:
            assert one["result"] == other["result"]


def test_the_same_bits_again(roll):
    """The same number of processes gives the same bits, eigenvectors included."""
    words = ["run", "diffusion-map", roll, "--json", "--quiet"]
    assert len({document(mpirun(3, *words))["digest"] for _ in range(3)}) == 1
    words = ["run", "laplacian-eigenmaps", "digits", "--json", "--quiet"]
    assert len({document(mpirun(4, *words))["digest"] for _ in range(2)}) == 1


@pytest.mark.parametrize("kind", ["<f4", ">f8", "<i2"])
def test_an_npy_file_is_read_in_blocks(both, tmp_path, kind):
    path = tmp_path / "points.npy"
    np.save(path, (100 * np.random.default_rng(8).normal(size=(101, 5))).astype(kind))
    one, other = both(4, "knn(3)", path)
    assert one["result"] == other["result"] and one["input_hash"] == other["input_hash"]
    assert "4 blocks of the file" in one["read"]["line"]
