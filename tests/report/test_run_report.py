"""`--report` of calor run and calor apply: the page of every recipe in headless Chromium, quality figures against scikit-learn, and
what happens to the file when a run fails or two write it at once.

Needs build/calor (CALOR_BINARY names another).  Browser tests are SKIPPED where Chromium or its driver is not installed.
"""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALOR = pathlib.Path(os.environ.get("CALOR_BINARY", ROOT / "build" / "calor"))
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
in_browser = pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs chromium and chromedriver")

# What to run, and the headings of the figures that its page must have.
PICTURE, SPECTRUM, BANDWIDTH, CONVERGENCE, CLUSTERS = "The picture", "Spectrum", "Bandwidth", "Convergence", "Cluster sizes"
RECIPES = {
    "mds": (["iris"], {PICTURE, SPECTRUM}),
    "mds-metric": (["iris"], {PICTURE, CONVERGENCE}),
    "isomap": (["iris", "--set", "knn.k=10", "--set", "eigen.k=5"], {PICTURE, SPECTRUM, "Components of the graph"}),
    "lle": (["iris", "--set", "knn.k=60", "--set", "eigen.k=3"], {PICTURE, SPECTRUM}),
    "laplacian-eigenmaps": (["moons", "--set", "eigen.k=5"], {PICTURE, SPECTRUM}),
    "diffusion-map": (["iris", "--set", "eigen.k=4"], {PICTURE, SPECTRUM, BANDWIDTH}),
    "spectral-clustering": (["moons", "--set", "k=6"], {PICTURE, SPECTRUM, CLUSTERS}),
    "k-means": (["wine", "--set", "k=3"], {PICTURE, CLUSTERS}),
    "mean-shift": (["iris", "--set", "h=1"], {PICTURE, CLUSTERS, CONVERGENCE}),
    "knn-classifier": (["iris", "--train", "0.7"], {PICTURE, "Right and wrong", "As often right as it says"}),
    "knn-regressor": (["{waves}", "--train", "0.7"], {PICTURE, "Predicted and true"}),
    "nadaraya-watson": (["{waves}", "--train", "0.7"], {PICTURE, BANDWIDTH, "Predicted and true"}),
    "label-spreading": (["moons", "--train", "0.1"], {PICTURE, CONVERGENCE, "Right and wrong", "As often right as it says"}),
    "hopfield": (["iris"], {PICTURE, CONVERGENCE}),
    "pagerank": (["{web}"], {"Ranking", CONVERGENCE}),
}


def calor(*words, code=0):
    assert CALOR.exists(), f"{CALOR} is missing: run `make build`"
    done = subprocess.run([CALOR, *map(str, words)], capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.returncode == code, f"{words}: exit {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done


def write_csv(path, columns):
    rows = zip(*columns.values())
    path.write_text("\n".join([",".join(columns)] + [",".join(map(str, row)) for row in rows]) + "\n")
    return path


@pytest.fixture(scope="session")
def sources(tmp_path_factory):
    """Data that no bundled set has: a noisy wave of one variable, and links between pages."""
    folder = tmp_path_factory.mktemp("sources")
    random = np.random.default_rng(0)
    x = np.sort(random.uniform(0, 6, 200))
    write_csv(folder / "waves.csv", {"x": x.round(4), "y": (np.sin(x) + 0.1 * random.normal(size=200)).round(4)})
    links = {(a, int(b)) for a in range(80) for b in random.integers(0, 1 + a // 3, 3)} | {(0, 79)}
    (folder / "web.txt").write_text("".join(f"page{a} page{b}\n" for a, b in sorted(links)))
    return {"waves": folder / "waves.csv", "web": folder / "web.txt"}


@pytest.fixture(scope="session")
def reports(sources, tmp_path_factory):
    """The page of each recipe, made once."""
    folder = tmp_path_factory.mktemp("reports")
    for recipe, (words, _) in RECIPES.items():
        calor("run", recipe, *[word.format(**sources) for word in words], "--report", folder / f"{recipe}.html", "-q", "-o", folder / f"{recipe}.csv")
    return folder


def document_of(page):
    text = page.read_text(encoding="utf-8")
    begin = '<script id="document" type="application/json">'
    return json.loads(text[text.index(begin) + len(begin):].split("</script>", 1)[0])


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
    path = write_csv(tmp_path / "roll.csv", {"a": points[:, 0], "b": points[:, 1], "c": points[:, 2], "label": side})
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
    assert [one.wait(timeout=120) for one in running] == [0] * 8
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


# ---- in a browser ----

@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900", "--enable-unsafe-swiftshader"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def wait_until_drawn(driver):
    WebDriverWait(driver, 60).until(lambda d: d.execute_script("return document.body.dataset.ready") == "true")


def open_page(driver, path, width=1280, scheme="light"):
    driver.get_log("browser")
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    driver.get(path.as_uri())
    wait_until_drawn(driver)


def errors(driver):
    """SwiftShader, which stands in for a graphics card here, remarks on its own slowness."""
    return [entry["message"] for entry in driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING") and not re.search(r"GPU stall|swiftshader|GL Driver Message|willReadFrequently", entry["message"], re.I)]


PLOTS = """return [...document.querySelectorAll('.plot')].map((plot) => ({label: plot.getAttribute('aria-label'),
  drawn: plot.classList.contains('js-plotly-plot'), width: plot.getBoundingClientRect().width, traces: (plot.data || []).length,
  marks: plot.querySelectorAll('.js-line, .point, .hm image, .heatmaplayer image, .bars path, .gl-canvas').length}))"""


def assert_all_drawn(driver):
    plots = driver.execute_script(PLOTS)
    assert plots
    for plot in plots:
        assert plot["drawn"] and plot["marks"] > 0 and plot["traces"] > 0 and plot["width"] > 100 and plot["label"], plot


def first(driver, expression):
    return driver.execute_script(f"const plot = document.querySelector('.plot'); return {expression}")


def press(driver, text, within="main"):
    found = [b for b in driver.find_elements(By.CSS_SELECTOR, f"{within} button") if b.text.strip().startswith(text)]
    assert found, f"no button {text!r}"
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].focus()", found[0])
    found[0].send_keys(" ")


@in_browser
@pytest.mark.parametrize("recipe", RECIPES)
def test_page_of_each_recipe(browser, reports, recipe):
    page = reports / f"{recipe}.html"
    open_page(browser, page)
    assert errors(browser) == []
    assert_all_drawn(browser)
    headings = {heading.text for heading in browser.find_elements(By.CSS_SELECTOR, "figure h3")}
    assert headings == RECIPES[recipe][1]
    text = browser.find_element(By.TAG_NAME, "body").text
    for forbidden in ("undefined", "NaN", "null", "[object"):
        assert forbidden not in text
    document = document_of(page)
    for stage in document["stages"]:
        assert stage["text"] in text and stage["meaning"] in text
    assert document["input_hash"] in text and document["command"] in text and f"Calor {document['version']}" in text
    assert browser.execute_script("return performance.getEntriesByType('resource').filter((e) => !/^(data|blob):/.test(e.name)).length") == 0
    # A phone, in the dark: scrolls down only, nothing sticks out.
    light = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    open_page(browser, page, width=390, scheme="dark")
    assert errors(browser) == []
    assert_all_drawn(browser)
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") != light
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    assert browser.execute_script("""return [...document.querySelectorAll('main *, header *, footer *')].filter((e) =>
      !e.closest('.scroll') && !e.closest('.plot') && e.getBoundingClientRect().right > 391).map((e) => e.outerHTML.slice(0, 90))""") == []
    assert browser.execute_script("return [...document.querySelectorAll('.plot')].filter((p) => p.getBoundingClientRect().right > 391).length") == 0


@in_browser
def test_classes_colours_and_axes_can_be_chosen(browser, reports):
    open_page(browser, reports / "isomap.html")
    assert first(browser, "plot.data.length") == 3
    press(browser, "virginica")
    assert first(browser, "plot.data.length") == 2
    press(browser, "Show all")
    assert first(browser, "plot.data.length") == 3

    before = first(browser, "[...plot.data[0].x].slice(0, 5)")
    chosen = browser.find_elements(By.CSS_SELECTOR, ".selector select")
    assert len(chosen) == 2
    Select(chosen[0]).select_by_visible_text("dim4")
    assert first(browser, "[...plot.data[0].x].slice(0, 5)") != before
    assert first(browser, "plot.layout.xaxis.title.text") == "dim4"

    press(browser, "component")  # the other colouring
    assert first(browser, "plot.data.length") == 2
    assert browser.switch_to.active_element.text == "component"  # the keyboard stays where it was
    press(browser, "input")
    assert "principal axis 1" in first(browser, "plot.layout.xaxis.title.text")
    assert errors(browser) == []


@in_browser
def test_three_dimensions_where_asked(browser, reports):
    open_page(browser, reports / "lle.html")
    if not browser.execute_script("return hasWebGL"):
        pytest.skip("this browser has no WebGL")
    assert first(browser, "plot.data[0].type") == "scatter"
    press(browser, "3-D")
    WebDriverWait(browser, 30).until(lambda d: first(d, "plot.data[0].type") == "scatter3d" and first(d, "plot.querySelectorAll('.gl-container canvas').length") > 0)
    assert len(browser.find_elements(By.CSS_SELECTOR, ".selector select")) == 3
    press(browser, "3-D")
    WebDriverWait(browser, 30).until(lambda d: first(d, "plot.data[0].type") == "scatter")
    assert errors(browser) == []


@in_browser
def test_many_points_are_drawn_by_the_graphics_card_and_many_classes_are_grouped(browser, tmp_path):
    random = np.random.default_rng(0)
    group = random.integers(0, 30, 4000)
    path = write_csv(tmp_path / "many.csv", {"x": random.normal(size=4000).round(4), "y": (group + random.normal(size=4000)).round(4),
                                             "label": [f"class {g}" for g in group]})
    calor("run", "k-means", path, "--set", "k=12", "--report", tmp_path / "r.html", "-q", "-o", tmp_path / "r.csv")
    open_page(browser, tmp_path / "r.html")
    assert first(browser, "plot.data.length") == 12
    assert len(set(map(tuple, first(browser, "plot.data.map((t) => [t.marker.color, t.marker.symbol])")))) == 12
    press(browser, "label")
    assert first(browser, "plot.data.length") == 20  # 19 classes and the rest together
    assert first(browser, "plot.data.reduce((sum, t) => sum + t.x.length, 0)") == 4000
    assert "11 smaller ones" in browser.find_element(By.CSS_SELECTOR, ".chips").text
    if browser.execute_script("return hasWebGL"):
        assert first(browser, "plot.data[0].type") == "scattergl" and "not supported" not in first(browser, "plot.textContent")
        assert first(browser, "plot.querySelectorAll('.gl-canvas').length") > 0
    assert errors(browser) == []


@in_browser
def test_theme_changes_every_plot(browser, reports):
    open_page(browser, reports / "diffusion-map.html")
    ink = browser.execute_script("return [...document.querySelectorAll('.plot')].map((p) => p.layout.font.color)")
    browser.find_element(By.ID, "theme").click()
    wait_until_drawn(browser)
    after = browser.execute_script("return [...document.querySelectorAll('.plot')].map((p) => p.layout.font.color)")
    assert all(a != b for a, b in zip(ink, after))
    assert errors(browser) == []


@in_browser
def test_text_of_the_data_stays_text(browser, tmp_path):
    attack = "</script><img src=x onerror=document.title='owned'><b>bold</b> %{x} <!-- &amp;"
    rows = [f'{i % 7 + i / 50},{i % 5},"{attack if i % 2 else "<i>x</i>"}"' for i in range(40)]
    path = tmp_path / "<b>h.csv"
    path.write_text('"<u>a","b&amp;","class"\n' + "\n".join(rows) + "\n")
    calor("run", "k-means", path, "--set", "k=3", "--report", tmp_path / "r.html", "-q", "-o", tmp_path / "r.csv")
    open_page(browser, tmp_path / "r.html", width=390)
    assert errors(browser) == []
    press(browser, "class")
    assert "owned" != browser.title and "<b>h" in browser.title
    assert browser.find_elements(By.CSS_SELECTOR, "body b, body u, body i:not(.scale i), img[src=x]") == []
    assert first(browser, "plot.layout.xaxis.title.text").startswith("&lt;u&gt;")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
