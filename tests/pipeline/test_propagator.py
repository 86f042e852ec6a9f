"""The untrained propagator through the command line: its choices and probabilities against the definition in numpy, its accuracy on
digits, breast_cancer and wine against measured bands, evidence that adds up, calibrated probabilities, and hostile labels.

The bands are the means of the propagator's reference table (99.17, 96.40, 96.39 % on other splits) less two standard errors of a mean
over this few splits and of the reference's own.
"""
import json

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.datasets import load_wine

ALPHAS = (0, 0.25, 0.5, 0.75, 1)


def squared(a, b):
    return ((a[:, None] - b[None]) ** 2).sum(-1)


def chosen(x, y):
    """(likelihood, scale, alpha) of the best of the grid, every pair written out."""
    d = squared(x, x)
    n, off = len(x), d + np.diag(np.full(len(x), np.inf))
    nearest, mean = off.min(1), d.sum(1) / (len(x) - 1)
    high, low = 2 * np.sort(mean[mean > 0])[n // 2], np.sort(nearest[nearest > 0])[n // 2] / 8
    same, best = y[:, None] == y[None], (-np.inf,)
    for scale in high * 2.0 ** (-0.5 * np.arange(int(np.floor(2 * np.log2(high / low))) + 1)):
        logs = -off / scale
        for alpha in ALPHAS:
            total = 0
            for i in range(n):
                keys = np.delete(np.arange(n), i)
                density = logsumexp(logs[np.ix_(keys, keys)], axis=1)
                weights = logs[i, keys] - alpha * density
                total += max(logsumexp(weights[same[i, keys]]) - logsumexp(weights), -52 * np.log(2))
            if total / n > best[0] + 1e-12:
                best = (total / n, scale, alpha)
    return best


def test_choices_and_probabilities_are_the_definition(run, csv, calor, tmp_path):
    x, y = load_wine(return_X_y=True)
    x = x.astype(np.float32).astype(float)
    known = np.arange(len(x)) % 3 > 0
    fitted, fresh = csv(x[known], y[known], "fitted"), csv(x[~known], y[~known], "fresh")
    found = run("propagator", fitted, "--save", tmp_path / "m.safetensors")
    train = x[known]
    deviation = train.std(0)
    a, b, labels = (train - train.mean(0)) / deviation, (x[~known] - train.mean(0)) / deviation, y[known]
    assert found["figures"]["standardised"] == 1
    likelihood, scale, alpha = chosen(a, labels)
    assert found["figures"]["leave_one_out"] == pytest.approx(likelihood, abs=1e-9)
    assert found["figures"]["bandwidth"] == pytest.approx(scale, rel=1e-12) and found["figures"]["alpha"] == alpha

    placed = json.loads(calor("apply", tmp_path / "m.safetensors", fresh, "--json", "-q", "--evidence", len(labels)).stdout)
    values = placed["result"]["values"]
    density = logsumexp(-(squared(a, a) + np.diag(np.full(len(a), np.inf))) / scale, axis=1)
    weights = -squared(b, a) / scale - alpha * density
    weights = np.exp(weights - logsumexp(weights, axis=1)[:, None])
    for c in range(3):
        assert np.allclose(values[f"p_{c}"], weights[:, labels == c].sum(1), atol=1e-12)
    quality = placed["quality"]["prediction"]
    p, truth = np.column_stack([values[f"p_{c}"] for c in range(3)]), np.eye(3)[y[~known]]
    assert quality["brier"] == pytest.approx(((p - truth) ** 2).sum(1).mean(), abs=1e-12)
    assert sum(part["rows"] for part in quality["reliability"]) == len(p)
    for i in range(len(p)):  # the evidence is the prediction
        votes = np.zeros(3)
        for k in range(1, len(labels) + 1):
            if values[f"evidence{k}"][i] is None:
                break
            row = int(values[f"evidence{k}"][i]) - 1
            assert values[f"evidence{k}_label"][i] == str(labels[row])
            assert values[f"evidence{k}_weight"][i] == pytest.approx(weights[i, row], abs=1e-12)
            votes[labels[row]] += values[f"evidence{k}_weight"][i]
        assert np.allclose(votes, p[i], atol=1e-12)


@pytest.mark.parametrize("data, seeds, band, standardised", [("digits", 4, 98.2, 0), ("breast_cancer", 10, 95.4, 1), ("wine", 10, 94.3, 1)])
def test_accuracy_is_that_of_the_reference(run, data, seeds, band, standardised):
    found = [run("propagator", data, "--train", 0.8, "--seed", seed) for seed in range(seeds)]
    quality = [one["quality"]["prediction"] for one in found]
    assert 100 * np.mean([one["accuracy"] for one in quality]) > band
    assert np.mean([one["calibration_error"] for one in quality]) < 0.08
    assert {one["figures"]["standardised"] for one in found} == {standardised}


def test_targets_of_any_unit_are_regressed_alike(run, csv):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(150, 2))
    y = np.round(np.sin(2 * x[:, 0]) + 0.1 * rng.normal(size=150), 6)
    quality = [run("propagator-regressor", csv(x, y * unit), "--label", "label", "--train", 0.7)["quality"]["prediction"] for unit in (1, 1e-6, 1e9)]
    assert quality[0]["r2"] > 0.6
    for other in quality[1:]:
        assert other["r2"] == pytest.approx(quality[0]["r2"], abs=1e-6)


def test_a_thousand_classes_duplicates_and_lonely_rows(run, csv):
    rng = np.random.default_rng(5)
    places = rng.normal(size=(1000, 4)) * 10
    x = np.concatenate([places + 0.01 * rng.normal(size=places.shape) for _ in range(3)] + [places[:3], places[:1]])
    y = [f"c{i}" for i in range(1000)] * 3 + ["only1", "only2", "only3"] + ["c1"]  # the last lies on c0's place
    found = run("distance(2, to=train) | exp(loo) | row | vote", csv(x, y), "--label", "label")
    assert found["figures"]["judged"] == 3001  # three are alone in their class
    p = np.column_stack([found["columns"][f"p_{c}"] for c in sorted(set(y))]).astype(float)
    assert np.allclose(p.sum(1), 1)
    predicted = found["columns"]["prediction"][:3000]
    assert (predicted == np.array(y[:3000])).mean() > 0.98


def test_columns_of_text_and_missing_evidence_are_refused(calor, csv, tmp_path):
    path = tmp_path / "words.csv"
    path.write_text("colour,size,label\n" + "".join(f"{'red' if i % 2 else 'blue'},{i},{i % 2}\n" for i in range(20)))
    done = calor("run", "propagator", path, code=3)
    assert "colour" in done.stderr and "number" in done.stderr
    done = calor("run", "label-spreading", "iris", "--evidence", 3, code=2)
    assert "[evidence] expected a prediction that weighs labelled rows" in done.stderr
    done = calor("run", "isomap", "iris", "--evidence", 3, code=2)
    assert "found embedding" in done.stderr
