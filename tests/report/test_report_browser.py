"""The report in headless Chromium: no console error, nothing asked of the network, every plot drawn, controls that work, a page that
fits a phone, a dark theme, and text of the data that stays text.

Needs the test program make_report_page (CALOR_REPORT_PAGE names it; default build/tests/report/make_report_page).  CALOR_TEST_PAGE
names a finished page to look at instead of the fixture's.  SKIPPED where Chromium or its driver is not installed.
"""
import json
import os
import pathlib
import subprocess

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from browser import browser, errors, in_browser, open_page, press_key, requests, too_wide, wait_until_drawn, wrong_words
from command import ROOT

HERE = pathlib.Path(__file__).resolve().parent
TOOL = pathlib.Path(os.environ.get("CALOR_REPORT_PAGE", ROOT / "build/tests/report/make_report_page"))

pytestmark = in_browser

# How much of a plot is there: marks in the SVG, or the image of a heat map.
DRAWN = """return [...document.querySelectorAll('.plot')].map((plot) => ({label: plot.getAttribute('aria-label'),
  drawn: plot.classList.contains('js-plotly-plot'), width: plot.getBoundingClientRect().width,
  marks: plot.querySelectorAll('.js-line, .point, .hm image, .heatmaplayer image, .contourlayer path').length}))"""


def page_of(document, path):
    assert TOOL.exists(), f"{TOOL} is missing: build the target make_report_page"
    source = path.with_suffix(".in.json")
    source.write_text(json.dumps(document))
    done = subprocess.run([TOOL, source, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def measured():
    return json.loads((HERE / "compare_fixture.json").read_text())


@pytest.fixture(scope="module")
def page(measured, tmp_path_factory):
    given = os.environ.get("CALOR_TEST_PAGE")
    return pathlib.Path(given).resolve() if given else page_of(measured, tmp_path_factory.mktemp("page") / "page.html")


def assert_all_drawn(driver):
    plots = driver.execute_script(DRAWN)
    assert len(plots) >= 8
    for plot in plots:
        assert plot["drawn"] and plot["marks"] > 0 and plot["width"] > 100, plot


def button(driver, text, within="main"):
    found = [b for b in driver.find_elements(By.CSS_SELECTOR, f"{within} button") if b.text.strip() == text]
    assert found, f"no button {text!r}"
    return found[0]


def lines_of(driver, place=0):
    return driver.execute_script("return document.querySelectorAll('.plot')[arguments[0]].data.length", place)


def test_page_opens_without_errors_and_draws_every_plot(browser, page):
    open_page(browser, page)
    assert errors(browser) == []
    assert_all_drawn(browser)
    assert requests(browser) == 0
    verdicts = [v.text for v in browser.find_elements(By.CSS_SELECTOR, ".verdict .headline")]
    assert verdicts and all(len(v) > 20 for v in verdicts)
    for figure in browser.find_elements(By.CSS_SELECTOR, "figure"):
        assert figure.find_element(By.CSS_SELECTOR, "h3").text
        if figure.find_elements(By.CSS_SELECTOR, ".plot"):
            assert "How to read this." in figure.find_element(By.CSS_SELECTOR, ".reading").text
    assert wrong_words(browser) == []


def test_numbers_on_the_page_are_those_of_the_document(browser, page):
    open_page(browser, page)
    document = json.loads(browser.execute_script("return document.getElementById('document').textContent"))
    rows = browser.find_elements(By.CSS_SELECTOR, "#experiment-0 .tabular:first-of-type tbody tr")[:len(document["experiments"][0]["summary"])]
    for row, summary in zip(rows, document["experiments"][0]["summary"]):
        assert summary["attention"] in row.text
        assert f"{100 * summary['accuracy_mean']:.1f} ± {100 * summary['accuracy_sd']:.1f}" in row.text
        assert f"{summary['dead']} of {summary['runs']}" in row.text


def test_toggles_change_what_is_drawn(browser, page):
    open_page(browser, page)
    before = lines_of(browser)

    single = button(browser, "Single runs")
    assert single.get_attribute("aria-pressed") == "false"
    press_key(browser, single)
    assert single.get_attribute("aria-pressed") == "true"
    with_runs = lines_of(browser)
    assert with_runs > before
    press_key(browser, single)
    assert lines_of(browser) == before

    press_key(browser, button(browser, "Log loss"))
    assert browser.execute_script("return document.querySelector('.plot').layout.yaxis.type") == "log"

    press_key(browser, button(browser, "seconds"))
    assert "time" in browser.execute_script("return document.querySelector('.plot').layout.xaxis.title.text")

    chip = browser.find_element(By.CSS_SELECTOR, ".chips button")
    before = lines_of(browser)
    press_key(browser, chip)
    assert lines_of(browser) < before
    assert errors(browser) == []


def test_dead_runs_can_be_hidden(browser, page):
    open_page(browser, page)
    if not browser.execute_script("return result.experiments[0].runs.some((run) => run.dead)"):
        pytest.skip("no dead runs on this page")
    before = lines_of(browser)
    press_key(browser, button(browser, "Dead runs"))
    assert lines_of(browser) < before


def test_a_phone_scrolls_down_only(browser, page):
    open_page(browser, page, width=390)
    assert_all_drawn(browser)
    assert too_wide(browser, 390) == []
    assert errors(browser) == []


def colours(driver):
    return driver.execute_script("""const plot = document.querySelector('.plot');
      return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color, plot.layout.font.color]""")


def test_dark_and_light(browser, page):
    light = colours(open_page(browser, page))
    dark = colours(open_page(browser, page, scheme="dark"))
    assert all(a != b for a, b in zip(light, dark))

    open_page(browser, page)
    browser.find_element(By.ID, "theme").click()
    WebDriverWait(browser, 600).until(lambda d: colours(d) == dark)
    wait_until_drawn(browser)
    assert_all_drawn(browser)
    browser.find_element(By.ID, "theme").click()
    WebDriverWait(browser, 600).until(lambda d: colours(d) == light)
    wait_until_drawn(browser)
    assert errors(browser) == []


def test_text_of_the_data_stays_text(browser, measured, tmp_path):
    attack = "</script><img src=x onerror=\"document.title='owned'\"><b>bold</b> %{x} <!-- &amp;"
    hostile = json.loads(json.dumps(measured))
    for experiment in hostile["experiments"]:
        experiment["data"]["classes"][:2] = [attack, "<b>x</b>"]
        experiment["data"]["features"][0] = attack
        experiment["data"]["constant_columns"] = [attack]
    hostile["experiments"][0]["data"]["name"] = attack
    hostile["command"] = attack
    renamed = hostile["experiments"][0]
    renamed["attentions"] = [attack if name == "l2" else name for name in renamed["attentions"]]
    for entry in renamed["runs"] + renamed["similarity"] + renamed["regions"]:
        entry["attention"] = attack if entry["attention"] == "l2" else entry["attention"]
    open_page(browser, page_of(hostile, tmp_path / "hostile.html"), width=390)
    assert errors(browser) == []
    assert_all_drawn(browser)
    assert "owned" != browser.title and attack in browser.title
    assert browser.find_elements(By.CSS_SELECTOR, "body b:not(.scale b), img[src=x]") == []
    assert attack in browser.find_element(By.CSS_SELECTOR, "#experiment-0 h2").text
    ticks = browser.execute_script("return [...document.querySelectorAll('.plot .xtick text, .plot .ytick text')].map((t) => t.textContent)")
    assert any(tick.startswith("</script>") for tick in ticks)
    assert "<b>x</b>" in ticks  # Plotly would have made it bold
    assert too_wide(browser, 390) == []


def test_one_seed_and_no_baselines(browser, measured, tmp_path):
    """The thinnest document: numbers that do not exist show as an en dash, no figure breaks."""
    thin = json.loads(json.dumps(measured))
    thin["experiments"] = thin["experiments"][:1]
    experiment = thin["experiments"][0]
    experiment["runs"] = [run for run in experiment["runs"] if run["seed"] == 0]
    experiment["protocol"]["seeds"] = [0]
    experiment.update(baselines=[], similarity=[], regions=[])
    open_page(browser, page_of(thin, tmp_path / "thin.html"))
    assert errors(browser) == []
    assert_all_drawn(browser)
    text = browser.find_element(By.TAG_NAME, "main").text
    assert "null" not in browser.find_element(By.TAG_NAME, "body").text
    assert "–" in text and "NaN" not in text and "undefined" not in text
    assert "No test of accuracy is possible with 1 seed" in text
