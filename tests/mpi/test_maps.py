"""t-SNE and UMAP in several processes: the very map of `calor run`, to the last bit, for any number of processes.

Neighbours, scores and scales are by rows; rows of P are summed where they are; the repulsion is summed up in every process in one order, over all pairs or on a
grid; of UMAP's descent each process goes through a part of the points, and the tails follow in one order.  So nothing depends on the blocks, and any value that were lost or taken from another row would show within a few steps."""
import numpy as np
import pytest

from cluster import document, mpirun, values

EXACT = "tsne"
GRID = "knn(30) | distance(2) | exp(perplexity=10) | row | mean | global | match(student, kl, sums=grid, most=120)"

UMAP = "knn(14) | distance(1, from=nearest) | exp(cardinality=log2(15)) | union | match(rational, cross_entropy, most=15)"


@pytest.fixture(scope="module")
def known(calor):
    """The documents of calor, each run once."""
    kept = {}

    def of(pipeline, data, *options):
        key = (pipeline, str(data), options)
        if key not in kept:
            kept[key] = document(calor("run", pipeline, data, "--json", "--quiet", "--threads", 1, *options))
        return kept[key]
    return of


def same(one, other):
    assert np.array_equal(values(one), values(other))
    assert one["figures"] == other["figures"] and one["series"] == other["series"]


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
@pytest.mark.parametrize("pipeline, data, options", [(EXACT, "wine", ()), (GRID, "digits", ()), (UMAP, "digits", ()), (UMAP, "wine", ())])
def test_the_same_bits(known, pipeline, data, options, processes):
    one = document(mpirun(processes, "run", pipeline, data, "--json", "--quiet", "--threads", 1, *options))
    same(one, known(pipeline, data, *options))


VARIANTS = ["dims=3, most=60", "start=spectral, most=60", "start=random, most=60", "freedom=0.5, sums=grid, most=60, early=20"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants(known, variant):
    pipeline = f"knn(21) | distance(2) | exp(perplexity=7) | row | mean | global | match(student, kl, {variant})"
    one = document(mpirun(3, "run", pipeline, "iris", "--json", "--quiet", "--threads", 1, "--seed", 2))
    same(one, known(pipeline, "iris", "--seed", 2))


@pytest.mark.parametrize("variant", ["dims=3, most=10", "start=pca, most=10, negatives=2", "start=random, most=10"])
def test_variants_of_umap(known, tmp_path, variant):
    """Of points some of which are the same: their scale goes by the mean of all rows."""
    points = np.repeat(np.random.default_rng(4).normal(size=(60, 4)), [8] * 20 + [1] * 40, axis=0)
    np.save(tmp_path / "points.npy", points)
    pipeline = f"knn(5) | distance(1, from=nearest) | exp(cardinality=2) | union | match(rational, cross_entropy, {variant})"
    one = document(mpirun(4, "run", pipeline, tmp_path / "points.npy", "--json", "--quiet", "--threads", 1, "--seed", 2))
    same(one, known(pipeline, tmp_path / "points.npy", "--seed", 2))


def test_a_map_in_clusters_and_what_is_sent(known):
    """Each step puts the map together: 16 bytes of each own row, in one call."""
    pipeline = f"{GRID} | cluster(10)"
    one = document(mpirun(2, "run", pipeline, "digits", "--json", "--quiet", "--threads", 1))
    assert one["result"]["values"] == known(pipeline, "digits")["result"]["values"]
    fewer = document(mpirun(2, "run", GRID.replace("most=120", "most=20"), "digits", "--json", "--quiet", "--threads", 1))
    more = document(mpirun(2, "run", GRID, "digits", "--json", "--quiet", "--threads", 1))
    stage = [found["processes"][1]["stages"][-1] for found in (fewer, more)]
    losses = 2 * 8 * 898  # two more steps of these 100 tell the loss
    assert stage[1]["collective_bytes"] - stage[0]["collective_bytes"] == 100 * 16 * 898 + losses
    assert one["processes"][0]["stages"][-2]["messages"] == 0


def test_what_is_refused(tmp_path):
    """Scales by perplexity over all pairs want all pairs' scores of a row in one place."""
    done = mpirun(2, "run", "distance(2) | exp(perplexity=5) | row | mean | global | match(student, kl)", "iris", code=2)
    assert "put knn before distance" in done.stderr
    done = mpirun(3, "run", "knn(5) | distance(2) | exp(perplexity=20) | row | mean | global | match(student, kl)", "iris", code=3)
    assert done.stderr.count("error:") == 1 and "perplexity" in done.stderr
