"""tsne's divergence beside openTSNE's from the same affinities, start and number of steps, for five random starts on digits: both maps are judged
by one sum over all pairs in double precision, and must come within 1 % of each other.  The affinities are openTSNE's; the start is Calor's, as
it stands after one step of no length.  Calor sums all pairs and openTSNE sums by Barnes-Hut with a small angle; what either reaches on its grid
is shown beside.  Nothing is timed.
pip install openTSNE."""
import pathlib
import tempfile

import numpy as np
import scipy.sparse

import calor
import maps

SIZES = (maps.DIGITS,)
SEEDS, EARLY, LATE, WITHIN = range(5), 250, 500, 0.01
PIPELINE = "adjacency | mean | global | match(student, kl, start=random, early={early}, max_iterations={steps}, rate={rate}, sums={sums})"


def affinities(points):
    """openTSNE's, of perplexity 30 with exact neighbours: symmetric, adding up to 1."""
    import openTSNE
    return scipy.sparse.csr_matrix(openTSNE.affinity.PerplexityBasedNN(points, perplexity=30, method="exact", n_jobs=1).P)


def divergence(p, found):
    """KL(P || Q) with q_ij proportional to 1 / (1 + |y_i - y_j|^2), over all pairs."""
    found = np.asarray(found, float)
    total = -len(found)  # a point with itself does not count
    for some in np.array_split(found, len(found) // 500 + 1):
        total += (1 / (1 + sum((own[:, None] - other[None, :]) ** 2 for own, other in zip(some.T, found.T)))).sum()
    p = p.tocoo()
    kept = p.data > 0
    row, column, value = p.row[kept], p.col[kept], p.data[kept]
    near = 1 / (1 + ((found[row] - found[column]) ** 2).sum(1))
    return float((value * (np.log(value) - np.log(near))).sum() + np.log(total))


def _calor(graph, seed, steps, rate="auto", sums="exact"):
    _, document = calor.run(PIPELINE.format(early=EARLY, steps=steps, rate=rate, sums=sums), graph, options=("--seed", str(seed)))
    return calor.coordinates(document), document["figures"]["kl"]


def _opentsne(p, start, method="bh"):
    import openTSNE
    given = openTSNE.affinity.PrecomputedAffinities(p, normalize=True)
    fit = openTSNE.TSNE(n_jobs=1, negative_gradient_method=method, theta=0.1, early_exaggeration_iter=EARLY, n_iter=LATE, early_exaggeration=12,
                        learning_rate="auto", initial_momentum=0.8, final_momentum=0.8)
    return np.asarray(fit.fit(affinities=given, initialization=start))


def measure(size, _rounds):
    p = affinities(maps.points_of(size)[1])
    with tempfile.TemporaryDirectory() as folder:
        graph = pathlib.Path(folder) / "p.npz"
        scipy.sparse.save_npz(graph, p)
        ratios = []
        for seed in SEEDS:
            start, _ = _calor(graph, seed, 1, "1e-12")
            ours, said = _calor(graph, seed, EARLY + LATE)
            own, other = divergence(p, ours), divergence(p, _opentsne(p, start.copy()))
            grids = divergence(p, _calor(graph, seed, EARLY + LATE, sums="grid")[0]), divergence(p, _opentsne(p, start.copy(), "fft"))
            assert abs(own - said) < 1e-9 * own, (own, said)
            ratios.append(own / other)
            yield f"seed {seed}: calor {own:.5f} (grid {grids[0]:.5f}), openTSNE {other:.5f} (grid {grids[1]:.5f}), ratio {ratios[-1]:.4f}"
        yield f"{size} points, {EARLY} + {LATE} steps: ratios {min(ratios):.4f} to {max(ratios):.4f}"
        assert max(ratios) < 1 + WITHIN, ratios
