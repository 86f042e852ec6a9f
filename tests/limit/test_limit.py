"""`calor limit` as a user calls it: the table, JSON, exit codes, the report in headless Chromium, and points of one's own.

Needs build/calor (CALOR_BINARY names another).  Browser tests are SKIPPED where Chromium or its driver is not installed.
"""
import json
import re

import numpy as np
import pytest

from browser import browser, errors, in_browser, open_page, too_wide, wrong_words
from command import document_of, interrupted_at_work, run as calor

QUICK = ["gaussian1", "attention", "minimiser-set"]  # a third of a second
COARSE = ["--points", "100,200,400", "sphere", "--epsilon", "0.08,0.04,0.02", "--seeds", "3"]


# ---- the laboratory ----

def test_rows_as_json():
    document = json.loads(calor("limit", *QUICK, "--json", "-q").stdout)
    assert (document["schema"], document["kind"], document["pass"]) == (1, "limit", True)
    assert {row["group"] for row in document["rows"]} == set(QUICK)
    for row in document["rows"]:
        assert {"name", "theorem", "expected", "measured", "interval", "pass", "meaning", "tolerance", "verdict"} <= row.keys()
        low, high = row["interval"]
        assert low <= row["measured"] <= high
        assert row["pass"] is (abs(low - row["expected"]) <= row["tolerance"] and abs(high - row["expected"]) <= row["tolerance"])
    found = {row["name"]: row for row in document["rows"]}
    assert found["gaussian1 drift coefficient, alpha 0"]["measured"] == pytest.approx(2, abs=1e-5)
    assert found["gaussian1 drift coefficient, alpha 1"]["measured"] == pytest.approx(0, abs=1e-5)
    assert found["dot-product attention time, r = 2"]["measured"] == pytest.approx(1, abs=1e-5)
    assert found["ellipse of minimisers weight's power"]["measured"] == pytest.approx(1, abs=1e-4)


def test_every_row_of_the_default_run_agrees(tmp_path):
    done = calor("limit", "--json", "-q", "--report", tmp_path / "r.html")
    document = json.loads(done.stdout)
    assert all(row["plots"] for row in document_of(tmp_path / "r.html")["rows"])
    assert document["pass"] and {row["group"] for row in document["rows"]} == {group["name"] for group in document["groups"]}
    assert len(document["rows"]) == 82 and "All 82 rows agree" in document["summary"]


def test_table_has_a_sentence_for_each_row():
    document = json.loads(calor("limit", "gaussian1", "--json", "-q").stdout)
    text = calor("limit", "gaussian1", "-q").stdout
    for row in document["rows"]:
        assert row["name"] in text and row["meaning"] in text
    assert text.count("pass ") == len(document["rows"]) and text.rstrip().endswith("rows agree with the theory.")


def test_a_row_that_cannot_tell_gives_exit_code_6_and_still_its_results(tmp_path):
    done = calor("limit", *COARSE, "--json", "-q", "--report", tmp_path / "r.html", code=6)
    document = json.loads(done.stdout)
    failed = [row for row in document["rows"] if not row["pass"]]
    assert failed and not document["pass"] and "error: [limit]" in done.stderr and failed[0]["name"] in done.stderr
    assert all(row["verdict"] in ("too coarse to tell", "disagrees") for row in failed)
    assert document_of(tmp_path / "r.html")["pass"] is False
    assert "FAIL" in calor("limit", *COARSE, "-q", code=6).stdout


def test_threads_change_no_bit():
    def rows(threads):
        words = ["circle", "heads", "--points", "500,1000,4000", "--seeds", "4", "--threads", threads, "--json", "-q"]
        return json.loads(calor("limit", *words, code=(0, 6)).stdout)["rows"]

    assert rows(1) == rows(2)


@pytest.mark.parametrize("words, expected", [
    (["sphre"], 'did you mean "sphere"?'),
    (["circle", "--points", "1000,2000"], "at least 3 numbers of points"),
    (["circle", "--points", "1000,2000,x"], "x"),
    (["circle", "--epsilon", "0.1,nan,0.01"], "values of eps"),
    (["torus", "--points", "1000,2000,4000"], "circle or sphere"),
    (["circle", "--seeds", "1"], "3 to 1000 seeds"),
    (["circle", "--report", "r.txt"], ".html"),
    (["--function", "x"], "--data"),
    (["circle", "--data", "iris"], "--data alone"),
    (["--data", "iris", "--function", "petal"], "expected a column"),
    (["--data", "iris", "--function", "species"], "3 classes"),
])
def test_refusals(words, expected):
    assert expected in calor("limit", *words, code=2).stderr


def test_an_interruption_ends_it_without_a_row():
    code, out, said = interrupted_at_work("limit")
    assert (code, out) == (130, "") and re.search(r"error: \[[a-z ]+\] interrupted\r\n$", said), said


def test_help_and_completion_know_it():
    assert "limit" in calor("--help").stdout
    text = calor("limit", "--help").stdout
    script = calor("completion").stdout
    for group in ("circle", "minimiser-set", "heads"):
        assert group in text and group in script
    assert re.search(r'limit\) flags=".*--epsilon', script)


# ---- points of one's own ----

@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 1500)
    path = tmp_path_factory.mktemp("data") / "ring.csv"
    rows = np.column_stack([10 * np.cos(angle), 10 * np.sin(angle), np.cos(angle)])
    np.savetxt(path, rows, delimiter=",", header="a,b,heat", comments="")
    return path


def test_own_points(ring):
    document = json.loads(calor("limit", "--data", ring, "--function", "heat", "--json", "-q").stdout)
    assert (document["kind"], document["points"], document["columns"], document["function"]) == ("limit-data", 1500, 2, "heat")
    assert document["dimension_by_neighbours"]["value"] == pytest.approx(1, abs=0.1)
    assert document["steepest"]["dimension"] == pytest.approx(1, abs=0.3)
    # On a circle of radius 10 with uniform density L h = -h / 100: the change in the linear regime is eps / 200.
    low, high = document["linear_regime"]
    inside = [at for at in document["curve"] if max(low, 3) <= at["epsilon"] <= min(high, 15)]
    assert inside
    for at in inside:
        assert at["change"] == pytest.approx(at["epsilon"] / 200, rel=0.2)


def test_own_points_against_numpy(ring):
    points = np.genfromtxt(ring, delimiter=",", skip_header=1).astype(np.float32).astype(float)
    weights = np.exp(-((points[:, None, :2] - points[None, :, :2]) ** 2).sum(2))  # eps = 1/2
    rows = weights / weights.sum(1, keepdims=True)
    h = points[:, 2]
    half = json.loads(calor("limit", "--data", ring, "--function", "heat", "--json", "-q").stdout)["half"]
    queries = 1000  # of 1,500: a sample's statistics
    assert half["change"] == pytest.approx(np.sqrt(((rows @ h - h) ** 2).mean()) / h.std(), rel=3 / np.sqrt(queries))
    assert half["neighbours"] == pytest.approx(np.median(1 / (rows**2).sum(1)), rel=0.05)


def test_own_points_in_words():
    text = calor("limit", "--data", "iris").stdout
    assert "attention's own eps" in text and "eps = 1/2" in text and "dimensions" in text


def test_points_that_say_nothing(tmp_path):
    same = tmp_path / "same.csv"
    same.write_text("a,b\n" + "1,2\n" * 30)
    assert "differ" in calor("limit", "--data", same, code=3).stderr
    few = tmp_path / "few.csv"
    few.write_text("a,b\n1,2\n2,1\n3,5\n")
    assert "at least 10 points" in calor("limit", "--data", few, code=3).stderr


# ---- the report ----

def open_whole(driver, path, width):
    """The page's text and its number of plots, all of them drawn."""
    open_page(driver, path, width)
    assert errors(driver) == [] and too_wide(driver, width) == [] and wrong_words(driver, "body") == []
    plots = driver.execute_script("""return [...document.querySelectorAll('.plot')].map((plot) => ({label: plot.getAttribute('aria-label'),
      marks: plot.querySelectorAll('.js-line, .point').length, points: (plot.data || []).reduce((sum, trace) => sum + trace.x.length, 0)}))""")
    assert plots and all(one["marks"] > 0 and one["points"] > 0 and one["label"] for one in plots), plots
    return driver.find_element("tag name", "body").text, len(plots)


@in_browser
def test_report_shows_every_row(browser, tmp_path):
    page = tmp_path / "r.html"
    calor("limit", *QUICK, "-q", "--report", page)
    document = document_of(page)
    text, plots = open_whole(browser, page, 1280)
    assert document["summary"] in text
    for row in document["rows"]:
        assert row["name"] in text and row["meaning"] in text and row["plots"]
    assert plots == sum(len(row["plots"]) for row in document["rows"])
    assert browser.execute_script("return [...document.querySelectorAll('td strong.warn')].length") == 0
    assert all(browser.execute_script("return [...document.querySelectorAll('a[href^=\"#\"]')].map((a) => document.querySelector(a.getAttribute('href')) !== null)"))
    open_whole(browser, page, 390)


@in_browser
def test_report_marks_what_does_not_agree(browser, tmp_path):
    page = tmp_path / "r.html"
    calor("limit", *COARSE, "-q", "--report", page, code=6)
    text, _ = open_whole(browser, page, 1280)
    failed = [row for row in document_of(page)["rows"] if not row["pass"]]
    assert failed[0]["verdict"] in text
    assert browser.execute_script("return document.querySelectorAll('td strong.warn').length") == 2 * len(failed)  # measured and verdict


@in_browser
def test_report_of_own_points(browser, ring, tmp_path):
    page = tmp_path / "<b>ring.html"
    data = tmp_path / "<b>ring.csv"
    data.write_text(ring.read_text())
    calor("limit", "--data", data, "-q", "--report", page)
    text, plots = open_whole(browser, page, 1280)
    assert plots == 6 and document_of(page)["findings"][0] in text and "<b>ring" in text
    open_whole(browser, page, 390)
