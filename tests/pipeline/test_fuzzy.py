"""fuzzy-c-means against its fixed-point equations in numpy, k-means, and e1071's cmeans where R has it."""
import csv as csv_reader
import io
import shutil
import subprocess

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_blobs


def memberships(document):
    names = [name for name in document["result"]["order"] if name.startswith("membership")]
    return np.column_stack([document["columns"][name].astype(float) for name in names])


def cloud(rows=150, width=4, k=3, seed=1, spread=2.5):
    return make_blobs(rows, width, centers=k, cluster_std=spread, random_state=seed)[0].astype(np.float32).astype(float)


def shares(x, centres, m):
    logs = -np.log(((x[:, None] - centres) ** 2).sum(2)) / (m - 1)
    u = np.exp(logs - logs.max(1, keepdims=True))
    return u / u.sum(1, keepdims=True)


def means(x, u, m):
    weights = u**m
    return weights.T @ x / weights.sum(0)[:, None]


@pytest.mark.parametrize("m", [1.05, 1.3, 2, 2.7])
def test_memberships_solve_the_fixed_point_equations(run, csv, m):
    x = cloud()
    u = memberships(run("fuzzy-c-means", csv(x), "--set", "k=3", "--set", f"m={m}", "--set", "repeat.tolerance=1e-10"))
    assert np.abs(u.sum(1) - 1).max() < 1e-12
    assert np.abs(shares(x, means(x, u, m), m) - u).max() < 1e-6


def test_the_iteration_from_the_same_centres_is_the_definition(run, csv):
    x, m = cloud(200, 5, 4), 1.8
    path = csv(x)
    begin = run("centres(4)", path)
    centres = np.column_stack([begin["columns"][name].astype(float) for name in begin["result"]["order"]])
    for _ in range(400):
        centres = means(x, shares(x, centres, m), m)
    u = memberships(run("fuzzy-c-means", path, "--set", "k=4", "--set", "m=1.8", "--set", "repeat.tolerance=1e-12"))
    assert np.abs(u - shares(x, centres, m)).max() < 1e-6


def test_labels_and_figures_are_of_the_memberships(run, csv):
    x, m = cloud(), 2.0
    found = run("fuzzy-c-means", csv(x), "--set", "k=3")
    u = memberships(found)
    assert (found["columns"]["cluster"].astype(int) == u.argmax(1)).all()
    centres = means(x, u, m)
    assert found["figures"]["objective"] == pytest.approx((u**m * ((x[:, None] - centres) ** 2).sum(2)).sum(), rel=1e-5)
    assert found["figures"]["partition_coefficient"] == pytest.approx((u**2).sum() / len(x), rel=1e-12)


def test_m_towards_one_gives_k_means(run, csv):
    x = cloud(spread=1.0)
    path = csv(x)
    u = memberships(run("fuzzy-c-means", path, "--set", "k=3", "--set", "m=1.01"))
    assert (u.max(1) > 1 - 1e-6).mean() > 0.95
    assert (u.argmax(1) == run("k-means", path, "--set", "k=3")["columns"]["cluster"].astype(int)).all()
    peer = KMeans(3, n_init=10, random_state=0).fit(x)
    assert np.abs(np.sort(means(x, u, 1.01), 0) - np.sort(peer.cluster_centers_, 0)).max() < 1e-3


def test_the_fused_pass_is_the_plain_composition(run, csv):
    path = csv(cloud())
    text = "centres(3) | repeat(distance(-2, to=data) | column | inflate(2) | {} row | apply, tolerance=1e-9) | memberships(2)"
    fused, plain = (memberships(run(text.format(more), path)) for more in ("", "inflate(1) |"))
    assert np.abs(fused - plain).max() < 1e-6


def test_new_points_get_their_memberships_in_the_fits_centres(calor, run, csv, tmp_path):
    x, new, m = cloud(), cloud(20, seed=9), 2
    model = tmp_path / "fuzzy.calor"
    u = memberships(run("fuzzy-c-means", csv(x), "--set", "k=3", "--save", model, "--set", "repeat.tolerance=1e-12"))
    rows = list(csv_reader.DictReader(io.StringIO(calor("apply", model, csv(new, name="new"), "-q").stdout)))
    found = np.array([[float(row[f"membership{c}"]) for c in range(3)] for row in rows])
    assert np.abs(found - shares(new, means(x, u, m), m)).max() < 1e-6
    alone = list(csv_reader.DictReader(io.StringIO(calor("apply", model, csv(new[:1], name="one"), "-q").stdout)))
    assert alone == rows[:1]
    again = list(csv_reader.DictReader(io.StringIO(calor("apply", model, csv(x, name="again"), "-q").stdout)))
    assert np.abs(np.array([[float(row[f"membership{c}"]) for c in range(3)] for row in again]) - u).max() < 1e-12


def test_many_dimensions_are_named_with_an_m_that_helps(calor, run, csv):
    x = make_blobs(600, 100, centers=4, cluster_std=3.0, center_box=(-4, 4), random_state=0)[0]
    path = csv(x)
    done = calor("run", "fuzzy-c-means", path, "--set", "k=4")
    assert "all memberships are about 1 / 4" in done.stderr
    m = done.stderr.split("give m = ")[1].split()[0]
    better = run("fuzzy-c-means", path, "--set", "k=4", "--set", f"m={m}")
    assert better["figures"]["partition_coefficient"] > 0.5 and not better["notes"]
    limit = float(done.stderr.split("at least ")[1].split()[0])
    y = x.astype(np.float32) - x.astype(np.float32).mean(0)
    largest = np.linalg.eigvalsh((y / (y**2).sum(1, keepdims=True)).T @ y / len(y))[-1]
    assert limit == pytest.approx(1 / (1 - 2 * largest), rel=1e-3)


def test_awkward_data(calor, run, csv):
    x = np.repeat(cloud(12), 3, axis=0)
    assert np.isfinite(memberships(run("fuzzy-c-means", csv(x), "--set", "k=5"))).all()
    on_centres = memberships(run("fuzzy-c-means", csv([[0.0], [0], [1], [1]]), "--set", "k=2"))
    assert np.abs(np.sort(on_centres, 1) - [0, 1]).max() == 0
    assert "at most as many centres as points" in calor("run", "fuzzy-c-means", csv(cloud(4)), "--set", "k=5", code=3).stderr
    assert (memberships(run("fuzzy-c-means", csv([[3.0, 1]]), "--set", "k=1")) == 1).all()
    constant = np.column_stack([cloud(), np.full(150, 7.0)])
    assert np.abs(memberships(run("fuzzy-c-means", csv(constant), "--set", "k=3")) - memberships(run("fuzzy-c-means", csv(cloud(), name="other"), "--set", "k=3"))).max() < 1e-6
    assert "[memberships] expected a number from 1.0001" in calor("run", "fuzzy-c-means", csv(cloud()), "--set", "m=0.5", code=2).stderr
    assert "[distance] expected a number" in calor("run", "fuzzy-c-means", csv(cloud()), "--set", "m=1", code=2).stderr


def has_e1071():
    return shutil.which("Rscript") and subprocess.run(["Rscript", "-e", "library(e1071)"], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_e1071(), reason="R has no e1071")
@pytest.mark.parametrize("m", [1.5, 2])
def test_memberships_are_those_of_e1071(run, csv, tmp_path, m):
    x = load_iris().data
    path = csv(x)
    begin = run("centres(3)", path)
    np.savetxt(tmp_path / "centres.txt", np.column_stack([begin["columns"][name].astype(float) for name in begin["result"]["order"]]), fmt="%.17g")
    np.savetxt(tmp_path / "x.txt", x.astype(np.float32).astype(float), fmt="%.17g")
    script = f"""library(e1071); x <- as.matrix(read.table("{tmp_path}/x.txt")); c <- as.matrix(read.table("{tmp_path}/centres.txt"))
        r <- cmeans(x, c, iter.max=2000, m={m}, control=list(reltol=1e-15)); write.table(format(r$membership, digits=17), "{tmp_path}/u.txt", quote=FALSE, row.names=FALSE, col.names=FALSE)"""
    subprocess.run(["Rscript", "-e", script], check=True, capture_output=True)
    u = memberships(run("fuzzy-c-means", path, "--set", "k=3", "--set", f"m={m}", "--set", "repeat.tolerance=1e-12"))
    assert np.abs(u - np.loadtxt(tmp_path / "u.txt")).max() < 1e-6
