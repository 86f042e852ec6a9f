"""What the propagator has to beat, each with its parameters chosen on the training rows: test accuracies."""
import warnings

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def squared(a, b):
    return np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * a @ b.T, 0)


def folds(count, seed, parts):
    return list(KFold(parts, shuffle=True, random_state=seed).split(np.arange(count)))


def support_vectors(between, across, y, other, variance_sum, seed):
    """SVM with the RBF kernel on squared distances; gamma in parts of 1 / (columns x variance)."""
    def score(c, gamma, keep, judge):
        machine = SVC(C=c, kernel="precomputed", cache_size=800).fit(np.exp(-gamma * between[np.ix_(keep, keep)]), y[keep])
        return machine.score(np.exp(-gamma * between[np.ix_(judge, keep)]), y[judge])
    cuts = folds(len(y), seed, 3)
    grid = [(c, part / variance_sum) for c in (1, 3, 10, 30) for part in (0.25, 0.5, 1, 2)]
    c, gamma = max(grid, key=lambda place: np.mean([score(*place, keep, judge) for keep, judge in cuts]))
    machine = SVC(C=c, kernel="precomputed", cache_size=800).fit(np.exp(-gamma * between), y)
    return machine.score(np.exp(-gamma * across), other)


def neighbours(between, across, y, other, seed):
    def score(k, distances, known, judged):
        nearest = known[np.argpartition(distances, k - 1, axis=1)[:, :k]]
        votes = np.stack([(nearest == c).sum(1) for c in range(known.max() + 1)], 1)
        return np.mean(votes.argmax(1) == judged)
    cuts = folds(len(y), seed, 5)
    k = max((1, 3, 5, 7, 9, 11), key=lambda k: np.mean([score(k, between[np.ix_(judge, keep)], y[keep], y[judge]) for keep, judge in cuts]))
    return score(k, across, y, other)


def network(x, y, test, other, parameters, seed):
    """One hidden layer: of as many parameters as the metric (on at most 64 principal axes), or of 100 units on standardised columns."""
    held = train_test_split(np.arange(len(y)), test_size=0.1, stratify=y, random_state=seed)
    classes, inputs = len(np.unique(y)), []
    if x.shape[1] > 128:
        axes = PCA(64, random_state=0).fit(x)
        inputs.append((axes.transform(x) / np.sqrt(axes.explained_variance_.mean()), axes.transform(test) / np.sqrt(axes.explained_variance_.mean()), None))
    scaler = StandardScaler().fit(x)
    inputs.append((scaler.transform(x), scaler.transform(test), 100 if inputs else None))
    best = (-1, None)
    for points, fresh, units in inputs:
        units = units or max(2, round((parameters - classes) / (points.shape[1] + classes + 1)))
        for decay in (1e-4, 1e-2, 1):
            model = MLPClassifier((units,), alpha=decay, early_stopping=True, validation_fraction=0.1, n_iter_no_change=20, max_iter=300,
                                  random_state=seed)
            model.fit(points[held[0]], y[held[0]])
            best = max(best, (model.score(points[held[1]], y[held[1]]), model.score(fresh, other)), key=lambda pair: pair[0])
    return best[1]


def logistic(x, y, test, other, seed):
    scaler = StandardScaler().fit(x)
    points = scaler.transform(x)
    cuts = folds(len(y), seed, 3)
    grid = (0.003, 0.01, 0.03, 0.1) if x.shape[1] > 128 else (0.01, 0.1, 1, 10)
    fit = lambda c, rows: LogisticRegression(C=c, max_iter=300).fit(points[rows], y[rows])
    c = max(grid, key=lambda c: np.mean([fit(c, keep).score(points[judge], y[judge]) for keep, judge in cuts]))
    return fit(c, np.arange(len(y))).score(scaler.transform(test), other)


def all_of(x, y, test, other, standardised, parameters, seed):
    a, b = x, test
    if standardised:
        scaler = StandardScaler().fit(x)
        a, b = scaler.transform(x), scaler.transform(test)
    scale = a.std()
    a, b = a / scale, b / scale
    between, across = squared(a, a), squared(b, a)
    variance_sum = a.shape[1] * a.var()
    return {"SVM": support_vectors(between, across, y, other, variance_sum, seed), "nearest neighbours": neighbours(between, across, y, other, seed),
            "MLP": network(x, y, test, other, parameters, seed), "logistic regression": logistic(x, y, test, other, seed)}
