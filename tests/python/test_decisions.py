"""What support vector machines decide by, against scikit-learn's libsvm on the same numbers: shapes, signs and values.

Both stop where the optimality conditions hold within `tol`, each at its own point there, so values agree to some multiple of it: 10 here, where at most
4 was seen; kernel rows are floats in both, whose rounding is below that."""
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC, OneClassSVM

import calor

NAMES = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])


@pytest.fixture(scope="module")
def parts(digits):
    """(X, names, new X) of a part of digits, features about 1.  The classes' order by name is not that of their first rows, nor the other way round."""
    X, y = digits
    return X[:400] / 16, NAMES[y[:400]], X[400:600] / 16


def of_classes(parts, *names):
    X, y, new = parts
    rows = np.isin(y, names)
    return X[rows], y[rows], new


@pytest.mark.parametrize("tol", [1e-3, 1e-6])
@pytest.mark.parametrize("kernel", [{"kernel": "rbf", "gamma": 0.1}, {"kernel": "linear"}, {"kernel": "poly", "gamma": 0.05, "coef0": 0.5}], ids=lambda k: k["kernel"])
@pytest.mark.parametrize("names", [("zero", "one"), ("three", "two"), ("nine", "eight", "three", "one"), tuple(NAMES)], ids=len)
def test_decisions_are_those_of_scikit_learn(parts, names, kernel, tol):
    X, y, new = of_classes(parts, *names)
    classes, found, expected = len(names), {}, {}
    for shape in ("ovo", "ovr"):
        mine, peer = calor.SVC(10, tol=tol, decision_function_shape=shape, **kernel).fit(X, y), SVC(C=10, tol=tol, decision_function_shape=shape, **kernel).fit(X, y)
        found[shape], expected[shape] = mine.decision_function(new), peer.decision_function(new)
        assert found[shape].shape == expected[shape].shape
    assert np.abs(found["ovo"] - expected["ovo"]).max() < 10 * tol
    if classes == 2:
        assert found["ovr"].shape == (200,) and np.array_equal(found["ovr"], found["ovo"])
        return
    assert found["ovo"].shape == (200, classes * (classes - 1) // 2) and found["ovr"].shape == (200, classes)
    sure = np.abs(expected["ovo"]).min(axis=1) > 10 * tol  # rows whose votes are the same in both
    assert sure.sum() > 50 and np.array_equal(mine.predict(new[sure]), peer.predict(new[sure]))
    assert np.abs(found["ovr"] - expected["ovr"])[sure].max() < 10 * tol * (classes - 1) / 3  # a third of the greatest change of a class's sum


def test_decisions_and_predictions_agree(parts):
    X, y, new = parts
    mine = calor.SVC(10, gamma=0.1).fit(X, y)
    ovr = mine.decision_function(new)
    votes = ovr.round()
    assert np.array_equal(votes, (mine.predict_proba(new) * 45).round())  # of 45 pairs
    untied = (votes == votes.max(axis=1)[:, None]).sum(axis=1) == 1
    assert untied.mean() > 0.9 and np.array_equal(mine.classes_[ovr.argmax(axis=1)][untied], mine.predict(new)[untied])
    X, y, new = of_classes(parts, "two", "three")
    mine = calor.SVC(10, gamma=0.1).fit(X, y)
    assert np.array_equal(mine.classes_[(mine.decision_function(new) > 0).astype(int)], mine.predict(new))
    platt = calor.SVC(10, gamma=0.1, probability=True).fit(X, y)
    assert np.array_equal(platt.decision_function(new), mine.decision_function(new))
    assert (np.diff(platt.predict_proba(new)[np.argsort(mine.decision_function(new)), 1]) >= 0).all()
    assert roc_auc_score(y == "two", mine.decision_function(X)) == 1  # "three" comes first
    assert cross_val_score(mine, X, y, scoring="roc_auc").min() > 0.95  # which asks for decisions
    with pytest.raises(ValueError, match='expected decision_function_shape="ovr" or "ovo"'):
        mine.set_params(decision_function_shape="pairs").decision_function(new)


@pytest.mark.parametrize("nu, gamma", [(0.1, 0.1), (0.5, 0.02)])
def test_one_class(parts, nu, gamma):
    X, _, new = parts
    mine, peer = calor.OneClassSVM(nu, gamma=gamma, tol=1e-6).fit(X), OneClassSVM(nu=nu, gamma=gamma, tol=1e-6).fit(X)
    expected = peer.decision_function(new)
    assert np.abs(mine.decision_function(new) - expected).max() < 1e-5 * np.abs(peer.score_samples(new)).max()
    assert mine.offset_ == pytest.approx(peer.offset_[0], rel=1e-5)
    assert mine.score_samples(new) == pytest.approx(peer.score_samples(new), rel=1e-5)
    assert mine.decision_function(new) == pytest.approx(mine.score_samples(new) - mine.offset_, abs=1e-12 * abs(mine.offset_))
    assert np.array_equal(mine.predict(new), np.where(mine.decision_function(new) > 0, 1, -1)) and set(mine.predict(new)) == {1, -1}
