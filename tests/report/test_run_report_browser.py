"""`--report` of calor run: the page of every recipe in headless Chromium.  SKIPPED where Chromium or its driver is not installed."""
import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from browser import browser, errors, in_browser, open_page, press_key, requests, too_wide, wait_until_drawn, wrong_words
from command import document_of, run as calor
from recipe_pages import RECIPES, write_csv

pytestmark = in_browser

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
    press_key(driver, found[0])


@pytest.mark.parametrize("recipe", RECIPES)
def test_page_of_each_recipe(browser, reports, recipe):
    page = reports / f"{recipe}.html"
    open_page(browser, page)
    assert errors(browser) == []
    assert_all_drawn(browser)
    headings = {heading.text for heading in browser.find_elements(By.CSS_SELECTOR, "figure h3")}
    assert headings == RECIPES[recipe][1]
    text = browser.find_element(By.TAG_NAME, "body").text
    assert wrong_words(browser, "body") == []
    document = document_of(page)
    for stage in document["stages"]:
        assert stage["text"] in text and stage["meaning"] in text
    assert document["input_hash"] in text and document["command"] in text and f"Calor {document['version']}" in text
    assert requests(browser) == 0
    # A phone, in the dark: scrolls down only, nothing sticks out.
    light = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    open_page(browser, page, width=390, scheme="dark")
    assert errors(browser) == []
    assert_all_drawn(browser)
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") != light
    assert too_wide(browser, 390) == []


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


def test_a_map_is_coloured_by_what_it_keeps_and_by_its_islands(browser, tmp_path):
    points = np.random.default_rng(1).normal(size=(120, 3)) + np.repeat([[0, 0, 0], [40, 0, 0]], 60, axis=0)
    np.save(tmp_path / "groups.npy", points)
    calor("run", "umap", tmp_path / "groups.npy", "--report", tmp_path / "r.html", "-q", "-o", tmp_path / "map.npy")
    embedding = document_of(tmp_path / "r.html")["quality"]["embedding"]
    open_page(browser, tmp_path / "r.html")
    press(browser, "neighbours kept")
    assert first(browser, "plot.data.length") == 1 and first(browser, "[...plot.data[0].marker.color]") == pytest.approx(embedding["kept"], abs=1e-6)
    press(browser, "island")
    assert embedding["islands"]["count"] == 2
    shown = first(browser, "plot.data.map((trace) => trace.x.length)")
    assert sorted(n for n in shown if n > 3)[::-1] == embedding["islands"]["sizes"] and sum(shown) == 120
    assert errors(browser) == []


def test_three_dimensions_where_asked(browser, reports):
    open_page(browser, reports / "lle.html")
    if not browser.execute_script("return hasWebGL"):
        pytest.skip("this browser has no WebGL")
    assert first(browser, "plot.data[0].type") == "scatter"
    press(browser, "3-D")
    WebDriverWait(browser, 600).until(lambda d: first(d, "plot.data[0].type") == "scatter3d" and first(d, "plot.querySelectorAll('.gl-container canvas').length") > 0)
    assert len(browser.find_elements(By.CSS_SELECTOR, ".selector select")) == 3
    press(browser, "3-D")
    WebDriverWait(browser, 600).until(lambda d: first(d, "plot.data[0].type") == "scatter")
    assert errors(browser) == []


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


def test_theme_changes_every_plot(browser, reports):
    open_page(browser, reports / "diffusion-map.html")
    ink = browser.execute_script("return [...document.querySelectorAll('.plot')].map((p) => p.layout.font.color)")
    browser.find_element(By.ID, "theme").click()
    wait_until_drawn(browser)
    after = browser.execute_script("return [...document.querySelectorAll('.plot')].map((p) => p.layout.font.color)")
    assert all(a != b for a, b in zip(ink, after))
    assert errors(browser) == []


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
    assert too_wide(browser, 390) == []
