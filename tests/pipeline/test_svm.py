"""Support vector machines through the command line: libsvm's published figures on its own data (CALOR_DATA), and scikit-learn's SVC, SVR and OneClassSVM
on the same numbers.  Both stop where the optimality conditions hold within 1e-3, and decisions then agree about as well."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, make_moons
from sklearn.svm import SVC, SVR, OneClassSVM

DATA = pathlib.Path(os.environ.get("CALOR_DATA", "/nowhere")) / "svm"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="CALOR_DATA names no folder with svm/")


def reference(task):
    """{"obj": .., "rho": .., "nSV": .., "accuracy": .., "right": ..} of libsvm 3.24 for the task's line."""
    for line in (DATA / "reference_libsvm_3.24.txt").read_text().splitlines():
        name, arguments, *_ = (part.strip() for part in line.split("|"))
        if f"{name} {arguments}".strip() == task:
            found = {key: float(value) for key, value in re.findall(r"(obj|rho|nSV|nBSV) = (-?[\d.]+)", line)}
            found["right"] = int(re.search(r"\((\d+)/", line).group(1))
            return found
    raise AssertionError(task)


def scaled(tmp_path, name, test):
    """Both parts on the training part's ranges, as svm-scale -l -1 -u 1 writes them."""
    def read(path):
        return [(row.split()[0], {int(k): float(v) for k, v in (word.split(":") for word in row.split()[1:])}) for row in path.read_text().splitlines()]
    parts = [read(DATA / name), read(DATA / test)]
    columns = sorted({c for _, row in parts[0] for c in row})
    low = {c: min(row.get(c, 0.0) for _, row in parts[0]) for c in columns}
    high = {c: max(row.get(c, 0.0) for _, row in parts[0]) for c in columns}
    for part, rows in zip(("train", "test"), parts):
        lines = []
        for label, row in rows:
            words = [(c, -1 + 2 * (row.get(c, 0.0) - low[c]) / (high[c] - low[c])) for c in columns if high[c] > low[c]]
            lines.append(" ".join([label] + [f"{c}:{value:.6g}" for c, value in words if value]))
        (tmp_path / part).write_text("\n".join(lines) + "\n")
    return tmp_path / "train", tmp_path / "test"


def check(calor, tmp_path, task, train, test, *words, offset=2e-4):
    expected = reference(task)
    found = json.loads(calor("run", "svm", train, "--json", "-q", "--save", tmp_path / "fit.calor", *words).stdout)["figures"]
    applied = json.loads(calor("apply", tmp_path / "fit.calor", test, "--json", "-q").stdout)
    assert found["objective"] == pytest.approx(expected["obj"], rel=1e-6)
    assert found["offset"] == pytest.approx(expected["rho"], abs=offset)
    assert abs(found["support_vectors"] - expected["nSV"]) <= 0.005 * expected["nSV"]
    assert abs(found["bounded"] - expected["nBSV"]) <= 0.02 * expected["nBSV"]
    labels = np.array([float(line.split()[0]) for line in pathlib.Path(test).read_text().splitlines()])
    values = applied["result"]["values"]
    right = int((np.array(values["prediction"], float) == labels).sum())
    undecided = sum(int((np.abs(np.array(column, float)) < offset).sum()) for name, column in values.items() if name.startswith("decision"))
    assert abs(right - expected["right"]) <= max(1, undecided)


@needs_data
def test_heart_scale_is_libsvms(calor, tmp_path):
    check(calor, tmp_path, "heart_scale svm-train", DATA / "heart_scale", DATA / "heart_scale")
    check(calor, tmp_path, "heart_scale svm-train -t 0 -c 1", DATA / "heart_scale", DATA / "heart_scale", "--set", "kernel.name=linear")


@needs_data
def test_svmguide1_is_libsvms(calor, tmp_path):
    check(calor, tmp_path, "svmguide1-unscaled svm-train", DATA / "svmguide1", DATA / "svmguide1.t")
    train, test = scaled(tmp_path, "svmguide1", "svmguide1.t")
    check(calor, tmp_path, "svmguide1-scaled svm-train", train, test)
    check(calor, tmp_path, "svmguide1-scaled svm-train -c 2 -g 2", train, test, "--set", "weigh.C=2", "--set", "kernel.gamma=2")


@needs_data
def test_a1a_is_libsvms(calor, tmp_path):
    # Its largest index is 119 of 123: gamma is given, as it was to svm-train.
    check(calor, tmp_path, "a1a-train-a9a.t svm-train -c 1 -g 0.05", DATA / "a1a", within_columns(tmp_path, DATA / "a9a.t", 119), "--set", "kernel.gamma=0.05")


@needs_data
def test_agaricus_is_libsvms(calor, tmp_path):
    check(calor, tmp_path, "agaricus svm-train -c 1 -g 0.5", DATA / "agaricus.txt.train", DATA / "agaricus.txt.test", "--set", "kernel.gamma=0.5")


@needs_data
@pytest.mark.skipif(not os.environ.get("CALOR_STUDY"), reason="takes minutes: CALOR_STUDY=1 runs it")
@pytest.mark.parametrize("task, words", (("a9a svm-train -c 1 -g 0.05 -m 1000", ["--set", "kernel.gamma=0.05"]),
                                         ("a9a-linear svm-train -t 0 -c 0.1 -m 1000", ["--set", "kernel.name=linear", "--set", "weigh.C=0.1"])), ids=("rbf", "linear"))
def test_a9a_is_libsvms(calor, tmp_path, task, words):
    check(calor, tmp_path, task, DATA / "a9a", DATA / "a9a.t", "--set", "weigh.cache_mb=1000", *words, offset=1e-3)  # libsvm's tolerance: rounding leads to another support


def within_columns(tmp_path, path, most):
    """A file without the columns beyond `most`, which its few rows have and the training rows lack; a9a.t's predictions do not hang on them."""
    lines = [" ".join(word for word in line.split() if ":" not in word or int(word.split(":")[0]) <= most) for line in path.read_text().splitlines()]
    (tmp_path / "within").write_text("\n".join(lines) + "\n")
    return tmp_path / "within"


def test_classes_are_scikit_learns(calor, run, csv, tmp_path):
    x, y = load_digits(return_X_y=True)
    x = x.astype(np.float32)
    path, fresh = csv(x[:900], y[:900]), csv(x[900:], name="fresh")
    peer = SVC(C=3, gamma=0.002).fit(x[:900].astype(float), y[:900])
    found = run("svm", path, "--set", "weigh.C=3", "--set", "kernel.gamma=0.002", "--save", tmp_path / "fit.calor")
    assert found["figures"]["support_vectors"] == pytest.approx(len(peer.support_), rel=0.003)
    applied = json.loads(calor("apply", tmp_path / "fit.calor", fresh, "--json", "-q").stdout)["result"]["values"]
    predicted = np.array(applied["prediction"], int)
    assert (predicted == peer.predict(x[900:].astype(float))).mean() > 0.998
    peer.decision_function_shape = "ovo"
    decisions = peer.decision_function(x[900:].astype(float))
    pairs = [(a, b) for a in range(10) for b in range(a + 1, 10)]
    for m, (a, b) in enumerate(pairs):
        mine = np.array(applied.get(f"decision_{a}_{b}") or [-v for v in applied[f"decision_{b}_{a}"]])
        assert np.abs(mine - decisions[:, m]).max() < 5e-3


@pytest.mark.parametrize("gamma", ["scale", "auto"])
def test_gamma_is_scikit_learns(run, csv, gamma):
    x, y = load_iris(return_X_y=True)
    x = x.astype(np.float32)
    peer = SVC(gamma=gamma).fit(x.astype(float), y)
    assert run("svm", csv(x, y), "--set", f"kernel.gamma={gamma}")["figures"]["gamma"] == pytest.approx(peer._gamma, rel=1e-12)


def test_balanced_classes_are_scikit_learns(run, csv):
    x, y = make_moons(400, noise=0.3, random_state=0)
    keep = (y == 1) | (np.arange(400) % 5 == 0)
    x, y = x[keep].astype(np.float32), y[keep]
    peer = SVC(class_weight="balanced", gamma=1).fit(x.astype(float), y)
    found = run("svm", csv(x, y), "--set", "weigh.class_weights=balanced", "--set", "kernel.gamma=1")
    decisions = np.array(found["columns"]["decision_0_1"] if "decision_0_1" in found["columns"] else -found["columns"]["decision_1_0"], float)
    assert np.abs(decisions + peer.decision_function(x.astype(float))).max() < 5e-3


def test_values_and_one_class_are_scikit_learns(run, csv):
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 6, (300, 2)).astype(np.float32)
    y = np.round(np.sin(x[:, 0]) + 0.2 * x[:, 1] + 0.1 * rng.normal(size=300), 3)
    wide = x.astype(float)
    found = run("svm-regressor", csv(x, y), "--set", "weigh.C=10")
    assert np.abs(found["columns"]["value"] - SVR(C=10, gamma="auto").fit(wide, y).predict(wide)).max() < 5e-3
    found = run("one-class-svm", csv(x), "--set", "weigh.nu=0.2")
    decisions = OneClassSVM(nu=0.2, gamma="auto").fit(wide).decision_function(wide)
    assert np.abs(found["columns"]["decision"] - decisions).max() < 2e-2 * np.abs(decisions).max()
    assert set(found["columns"]["inlier"]) == {-1, 1}


def test_files_of_libsvm_go_both_ways(calor, tmp_path):
    if not shutil.which("svm-train"):
        pytest.skip("svm-train is not installed (libsvm-tools)")
    rng = np.random.default_rng(5)
    rows = [f"{label} " + " ".join(f"{c + 1}:{v:.6f}" for c, v in enumerate(rng.normal(size=4) + label)) for label in rng.integers(0, 3, 150)]
    (tmp_path / "train").write_text("\n".join(rows[:100]) + "\n")
    (tmp_path / "test").write_text("\n".join(rows[100:]) + "\n")
    subprocess.run(["svm-train", "-q", "train", "theirs.model"], cwd=tmp_path, check=True)
    calor("run", "svm", tmp_path / "train", "--save", tmp_path / "ours.model", "-q")
    predictions = []
    for model in ("theirs.model", "ours.model"):
        subprocess.run(["svm-predict", "test", model, "out"], cwd=tmp_path, check=True, capture_output=True)
        predictions.append([float(v) for v in (tmp_path / "out").read_text().split()])
        applied = json.loads(calor("apply", tmp_path / model, tmp_path / "test", "--json", "-q").stdout)["result"]["values"]
        predictions.append([float(v) for v in applied["prediction"]])
    assert all(one == predictions[0] for one in predictions)


def test_what_does_not_converge_says_so_and_gives_its_result(calor, tmp_path, csv):
    rng = np.random.default_rng(6)
    done = calor("run", "kernel(linear) | weigh(svm, C=1000, max_iterations=300) | vote", csv(rng.normal(size=(80, 2)) * 1e4, rng.integers(0, 2, 80)))
    assert "not converged: after 300 steps" in done.stderr and "standardise" in done.stderr
    assert len(done.stdout.splitlines()) == 81
