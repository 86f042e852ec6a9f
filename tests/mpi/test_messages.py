"""What is said of a run's messages and memory, against the formulas of docs/scale.md."""
import numpy as np
import pytest

from cluster import document, mpirun


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    path = tmp_path_factory.mktemp("points") / "points.npy"
    np.save(path, np.random.default_rng(0).normal(size=(1001, 6)))
    return path


def processes_of(count, pipeline, points, *options):
    return document(mpirun(count, "run", pipeline, points, "--json", "--quiet", *options))["processes"]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_neighbours_send_every_block_once_to_every_other_process(points, count):
    found = processes_of(count, "knn(5)", points)
    sizes = [1001 // count + (p < 1001 % count) for p in range(count)]
    assert [one["rows"] for one in found] == sizes
    assert all(one["messages"] == count - 1 for one in found)
    # Process p sends its own block, then those that came to it, but not the one that its predecessor has.
    for p, one in enumerate(found):
        sent = sum(sizes[(p + step) % count] for step in range(count - 1))
        assert one["message_bytes"] == 8 * 6 * sent


def test_kept_scores_send_the_points_once(points):
    found = processes_of(3, "diffusion-map", points)
    assert all(one["messages"] == 2 for one in found)
    assert all(one["solver_collectives"] > 0 for one in found)


def test_a_graph_sends_little_in_its_products(points):
    """Two rounds of the ring, for neighbours and for distances; PETSc's own messages are counted apart."""
    found = processes_of(4, "laplacian-eigenmaps", points)
    assert all(one["messages"] == 2 * 3 for one in found)
    assert all(one["solver_messages"] > 0 for one in found)
    assert all(one["peak_memory"] > 1 << 20 for one in found)


def test_the_summary_for_people(points):
    said = mpirun(2, "run", "knn(2)", points, "-o", "/dev/null").stderr
    lines = [line for line in said.splitlines() if line.startswith("process ")]
    assert len(lines) == 2 and "501 rows" in lines[0] and "500 rows" in lines[1]
