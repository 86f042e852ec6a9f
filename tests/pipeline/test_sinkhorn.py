"""sinkhorn through the command line against a direct computation in numpy, on the graph's own weights and over all pairs."""
import numpy as np
import pytest


def doubly_stochastic(values):
    """Sinkhorn and Knopp: rows and columns in turn."""
    for _ in range(5000):
        values = values / values.sum(1, keepdims=True)
        values = values / values.sum(0, keepdims=True)
    return values


def graph(document, rows):
    columns, matrix = document["columns"], np.zeros((rows, rows))
    matrix[columns["from"].astype(int) - 1, columns["to"].astype(int) - 1] = columns["value"].astype(float)
    return matrix


@pytest.mark.parametrize("before", ["knn(9) | distance(2) | exp(2) | mean", "knn(59) | distance(2) | exp(1) | self_loops"])
def test_weights_of_a_graph(run, csv, before):
    x = csv(np.random.default_rng(1).normal(size=(60, 3)))
    found = graph(run(f"{before} | sinkhorn", x), 60)
    assert np.abs(found - doubly_stochastic(graph(run(before, x), 60))).max() < 1e-8
    assert np.abs(found.sum(0) - 1).max() < 1e-9 and np.abs(found.sum(1) - 1).max() < 1e-9


def test_all_pairs_applied(run, csv):
    x = np.random.default_rng(2).normal(size=(200, 3)).astype(np.float32).astype(float)
    found = run("distance(2) | exp(0.5) | sinkhorn | apply", csv(x))
    mine = np.column_stack([found["columns"][name].astype(float) for name in found["result"]["order"]])
    squared = ((x[:, None] - x[None]) ** 2).sum(2)
    expected = doubly_stochastic(np.exp(-squared / 0.5)) @ x
    assert np.abs(mine - expected).max() < 1e-6
    assert np.abs(mine.mean(0) - x.mean(0)).max() < 1e-6  # columns add up to one: the mean stays


def test_a_learned_score_is_for_train_and_compare(calor, csv):
    done = calor("run", "score(metric) | exp | row | apply", csv(np.eye(4)), code=2)
    assert "calor train" in done.stderr
    assert "qk, additive, l2, metric, uniform" in calor("stages", "score").stdout
