"""`--report` of calor run and calor apply: quality figures against scikit-learn, what the page holds, and what happens to the file when
a run fails or two write it at once.

Needs build/calor (CALOR_BINARY names another).
"""
import base64
import json
import subprocess

import numpy as np
import pytest

from command import CALOR, ROOT, document_of, run as calor
from recipe_pages import write_csv


def unpack(packed):
    values = np.frombuffer(base64.b64decode(packed["data"]), {"f32": "<f4", "u8": "<u1", "u16": "<u2", "i32": "<i4"}[packed["type"]])
    return values if packed["type"] == "f32" else values.astype(int) - 1


def result_of(words):
    document = json.loads(calor("run", *words, "--json", "-q").stdout)
    values = document["result"]["values"]
    columns = [values[name] for name in document["result"]["order"] if name.startswith("dim")]
    return document, np.array(columns).T, values


# ---- the figures ----

def swiss_roll(rows=700):
    random = np.random.default_rng(3)
    t = 1.5 * np.pi * (1 + 2 * random.uniform(size=rows))
    return np.column_stack([t * np.cos(t), 21 * random.uniform(size=rows), t * np.sin(t)]).astype(np.float32), (t > np.median(t)).astype(int)


def test_embedding_quality_is_that_of_scikit_learn(tmp_path):
    sklearn = pytest.importorskip("sklearn.manifold")
    neighbours = pytest.importorskip("sklearn.neighbors").NearestNeighbors
    points, side = swiss_roll()
    path = write_csv(tmp_path / "roll.csv", {"a": points[:, 0], "b": points[:, 1], "c": points[:, 2], "label": np.where(side, "far", "near")})
    for recipe in ("isomap", "mds", "laplacian-eigenmaps"):
        document, embedding, _ = result_of([recipe, path])
        found, given = document["quality"]["embedding"], points.astype(float)
        assert (found["rows"], found["of"], found["neighbours"]) == (700, 700, 15)
        assert found["trustworthiness"] == pytest.approx(sklearn.trustworthiness(given, embedding, n_neighbors=15), abs=1e-9)
        # Continuity is trustworthiness with the sides exchanged.
        assert found["continuity"] == pytest.approx(sklearn.trustworthiness(embedding, given, n_neighbors=15), abs=1e-9)
        for name, where in (("purity", embedding), ("purity_of_input", given)):
            nearest = neighbours(n_neighbors=15).fit(where).kneighbors(return_distance=False)
            assert found[name] == pytest.approx((side[nearest] == side[:, None]).mean(), abs=1e-12)


def test_quality_of_a_large_embedding_is_sampled_and_says_so(tmp_path):
    sklearn = pytest.importorskip("sklearn.manifold")
    points, _ = swiss_roll(5001)
    path = write_csv(tmp_path / "roll.csv", {"a": points[:, 0], "b": points[:, 1], "c": points[:, 2]})
    done = calor("run", "laplacian-eigenmaps", path, "--json", "-o", tmp_path / "out.json")
    document = json.loads((tmp_path / "out.json").read_text())
    found, values = document["quality"]["embedding"], document["result"]["values"]
    assert (found["rows"], found["of"], found["purity"]) == (1000, 5001, None)
    assert "on 1000 of 5001 rows" in done.stderr
    whole = sklearn.trustworthiness(points.astype(float), np.column_stack([values["dim1"], values["dim2"]]), n_neighbors=15)
    assert found["trustworthiness"] == pytest.approx(whole, abs=0.01)  # a row deviates by about 0.05: 0.0016 for the mean of 1,000


def test_cluster_agreement_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    document, _, values = result_of(["k-means", "iris", "--set", "k=5"])
    found = document["quality"]["clusters"]
    label = values[document["result"]["order"][-1]]
    assert found["ari"] == pytest.approx(metrics.adjusted_rand_score(label, values["cluster"]), abs=1e-12)
    assert found["nmi"] == pytest.approx(metrics.normalized_mutual_info_score(label, values["cluster"]), abs=1e-12)
    assert found["sizes"] == np.bincount(np.array(values["cluster"], int)).tolist() and found["count"] == 5


def test_predictions_are_judged_on_held_out_rows_only():
    metrics = pytest.importorskip("sklearn.metrics")
    document, _, values = result_of(["knn-classifier", "digits", "--train", "0.5"])
    found, held_out = document["quality"]["prediction"], ~np.array(document["train"])
    label = np.array(values[document["result"]["order"][-1]])
    scores = np.column_stack([values[f"p_{c}"] for c in found["classes"]]).astype(float)
    assert found["rows"] == held_out.sum() and found["unreached"] == 0
    predicted = np.array(values["prediction"])
    assert found["accuracy"] == pytest.approx((predicted == label)[held_out].mean(), abs=1e-12)
    assert found["log_loss"] == pytest.approx(metrics.log_loss(label[held_out], scores[held_out], labels=found["classes"]), abs=1e-9)
    assert found["confusion"] == metrics.confusion_matrix(label[held_out], predicted[held_out], labels=found["classes"]).tolist()
    # Without --train every label was seen, so nothing is judged.
    assert "prediction" not in result_of(["knn-classifier", "iris"])[0]["quality"]


def test_values_are_judged_and_placed_points_too(sources, tmp_path):
    metrics = pytest.importorskip("sklearn.metrics")
    calor("run", "knn-regressor", sources["waves"], "--save", tmp_path / "m.safetensors", "-q", "-o", tmp_path / "fit.csv")
    fresh = np.random.default_rng(1).uniform(0.1, 5.9, 60)
    path = write_csv(tmp_path / "fresh.csv", {"x": fresh.round(4), "y": np.sin(fresh).round(4)})
    done = calor("apply", tmp_path / "m.safetensors", path, "--label", "y", "--json", "--report", tmp_path / "apply.html")
    document = json.loads(done.stdout)
    found, values = document["quality"]["prediction"], document["result"]["values"]
    assert found["rows"] == 60 and document["fit_hash"] != document["input_hash"]
    assert found["root_mean_square_error"] == pytest.approx(metrics.mean_squared_error(values["y"], values["value"]) ** 0.5, rel=1e-6)
    assert found["r2"] == pytest.approx(metrics.r2_score(values["y"], values["value"]), rel=1e-6)
    assert "held-out rows" in done.stderr
    own = json.loads(calor("apply", tmp_path / "m.safetensors", sources["waves"], "--json", "-q").stdout)
    assert "prediction" not in own["quality"]  # the fit's own file: nothing is new there
    page = document_of(tmp_path / "apply.html")
    assert page["kind"] == "apply" and page["quality"] == document["quality"] and "result" not in page


def test_bandwidth_curve_is_the_sum_of_the_kernel():
    """On all pairs, against the sum written out; the curve comes from a histogram whose bins are 1.6 % wide."""
    points = np.loadtxt(ROOT / "data" / "iris.csv", delimiter=",", skiprows=1, usecols=(0, 1, 2, 3))
    document, _, _ = result_of(["diffusion-map", "iris"])
    series = document["series"]
    squares = ((points[:, None] - points[None]) ** 2).sum(-1)
    scales = np.array(series["bandwidth_scale"])
    # A bin's middle is up to 0.8 % off, and so is the exponent of a value that matters, which is of order one.
    direct = [np.log(np.exp(-squares / scale).sum()) for scale in scales]
    assert np.allclose(series["bandwidth_log_sum"], direct, atol=0.01)
    assert np.allclose(np.gradient(direct, np.log(scales))[2:-2], np.array(series["bandwidth_slope"])[2:-2], atol=0.03)
    assert scales[np.argmax(series["bandwidth_slope"])] == pytest.approx(document["figures"]["bandwidth"], rel=0.1)


def test_stress_history_falls_to_its_figure():
    document, _, _ = result_of(["mds-metric", "iris"])
    stress = document["series"]["stress"]
    assert all(b <= a for a, b in zip(stress, stress[1:]))
    assert stress[-1] == pytest.approx(document["figures"]["stress"], rel=1e-5)
    # What is judged on straight-line distances is what this recipe minimised: the same number at its optimum.
    assert document["quality"]["embedding"]["stress_1"] == pytest.approx(document["figures"]["stress_1"], rel=1e-4)


# ---- the file ----

def test_the_page_has_the_result_as_float32(reports):
    page = document_of(reports / "mds.html")
    table = np.genfromtxt(reports / "mds.csv", delimiter=",", names=True, dtype=None, encoding=None)
    view = page["picture"]["views"][0]
    assert view["name"] == "embedding" and view["axes"] == ["dim1", "dim2"]
    for axis, packed in zip(view["axes"], view["coordinates"]):
        assert np.array_equal(unpack(packed), table[axis].astype(np.float32))
    label = page["picture"]["colourings"][0]
    assert [label["classes"][i] for i in unpack(label["values"])] == [str(value) for value in table[table.dtype.names[-1]]]


def test_input_is_drawn_along_its_principal_axes(reports):
    decomposition = pytest.importorskip("sklearn.decomposition")
    page, points = document_of(reports / "k-means.html"), np.loadtxt(ROOT / "data" / "wine_data.csv", delimiter=",", skiprows=1, usecols=range(13))
    view = next(view for view in page["picture"]["views"] if view["name"] == "input")
    peer = decomposition.PCA(3, svd_solver="full").fit(points)
    ours, theirs = np.column_stack([unpack(packed) for packed in view["coordinates"]]), peer.transform(points)
    for axis in range(3):
        scale = np.abs(theirs[:, axis]).max()
        sign = np.sign(ours[:, axis] @ theirs[:, axis])
        assert np.allclose(sign * ours[:, axis], theirs[:, axis], atol=2e-3 * scale)  # a picture's iteration stops at 1e-7 of the variance
        assert f"({100 * peer.explained_variance_ratio_[axis]:.0f} %)" in view["axes"][axis]


def test_hidden_labels_are_drawn_but_marked(reports):
    page = document_of(reports / "knn-classifier.html")
    judged = unpack(page["picture"]["judged"])
    outcome = next(one for one in page["picture"]["colourings"] if one["name"] == "held-out rows")
    assert judged.sum() == page["quality"]["prediction"]["rows"]
    right = (unpack(outcome["values"])[judged == 1] == 0).mean()
    assert right == pytest.approx(page["quality"]["prediction"]["accuracy"])
    assert (unpack(outcome["values"])[judged == 0] == -1).all()


def test_a_run_that_fails_writes_no_report(tmp_path):
    page = tmp_path / "r.html"
    calor("run", "isomap", "iris", "--set", "knn.k=500", "--report", page, code=3)
    calor("run", "distance(1)", "iris", "--report", page, code=2)  # all pairs: nothing to read out
    calor("run", "mds", "iris", "--max-memory", "1K", "--report", page, code=4)
    assert list(tmp_path.iterdir()) == []


def test_report_paths_that_cannot_be(tmp_path):
    data = write_csv(tmp_path / "d.csv", {"a": range(20), "b": range(20)})
    text = data.read_text()
    html = tmp_path / "d.html"
    html.write_text(text)
    for path, word in ((tmp_path / "r.txt", ".html"), (tmp_path / "missing" / "r.html", "missing"), ("", "empty")):
        assert word in calor("run", "mds", data, "--report", path, code=2 if word != "missing" else 3).stderr
    assert "other than the inputs" in calor("run", "mds", html, "--report", html, code=2).stderr
    assert html.read_text() == text
    assert "named twice" in calor("run", "mds", data, "-o", tmp_path / "r.html", "--report", tmp_path / "." / "r.html", code=2).stderr
    assert not (tmp_path / "r.html").exists()


def test_two_runs_on_one_file_leave_a_whole_page(tmp_path):
    page = tmp_path / "r.html"
    words = [[CALOR, "run", recipe, "iris", "--report", page, "-q", "-o", tmp_path / f"{i}.csv"] for i, recipe in enumerate(["mds", "k-means"] * 4)]
    running = [subprocess.Popen(list(map(str, one)), cwd=ROOT) for one in words]
    assert [one.wait(timeout=600) for one in running] == [0] * 8
    assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert document_of(page)["title"] in ("mds on iris", "k-means on iris")
    assert {path.suffix for path in tmp_path.iterdir()} == {".html", ".csv"}  # nothing left beside it


def test_same_run_same_page(tmp_path):
    def page(threads):
        calor("run", "diffusion-map", "iris", "--threads", threads, "--report", tmp_path / "r.html", "-q", "-o", tmp_path / "r.csv")
        document = document_of(tmp_path / "r.html")
        del document["seconds"], document["command"]
        for stage in document["stages"]:
            del stage["seconds"], stage["processor_seconds"]
        return document

    assert page(1) == page(2)
