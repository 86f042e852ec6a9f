"""`--report` of a comparison of networks on surfaces, in headless Chromium: it speaks of surfaces, draws them, and its controls change what is drawn.
SKIPPED where Chromium or its driver is not installed."""
import numpy as np
import pytest
from selenium.webdriver.common.by import By

from browser import browser, errors, in_browser, open_page, requests, too_wide, wrong_words
from command import document_of
from command import run as calor

pytestmark = in_browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Two networks on four long octahedra, whose upper faces are one class."""
    folder = tmp_path_factory.mktemp("surfaces")
    for part in ("meshes", "labels"):
        (folder / part).mkdir()
    generator = np.random.default_rng(0)
    for name in "abcd":
        corners = np.array([(1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0), (0, 0, 2), (0, 0, -1)]) + 0.1 * generator.normal(size=(6, 3))
        faces = [(k, (k + 1) % 4, 4) for k in range(4)] + [((k + 1) % 4, k, 5) for k in range(4)]
        (folder / "meshes" / f"{name}.obj").write_text("".join(f"v {x} {y} {z}\n" for x, y, z in corners) + "".join(f"f {a + 1} {b + 1} {c + 1}\n" for a, b, c in faces))
        (folder / "labels" / f"{name}.txt").write_text("up\n" * 4 + "down\n" * 4)
    page = folder / "r.html"
    calor("compare", folder / "meshes", "--labels", folder / "labels", "--pipeline", "diffusion-net-xyz width=8 blocks=1 modes=6 dropout=0", "--pipeline", "surface-self width=8 layers=1", "--seeds", "2",
          "--epochs", "60", "--lr", "0.02", "--report", page, "-q", code=(0, 5))
    return page


def test_the_page_is_of_surfaces(browser, page):
    open_page(browser, page)
    assert errors(browser) == [] and requests(browser) == 0
    text = browser.find_element(By.TAG_NAME, "body").text
    assert wrong_words(browser, "body") == []
    assert "Which network for meshes?" in text and "3 training surfaces, 1 test surface, 32 triangles in all" in text and "one surface a step" in text
    experiment = document_of(page)["experiments"][0]
    for name in experiment["attentions"]:
        assert experiment["pipelines"][name] in text


def test_a_surface_is_drawn_and_its_controls_work(browser, page):
    open_page(browser, page)
    experiment = document_of(page)["experiments"][0]
    plots = [plot for plot in browser.find_elements(By.CSS_SELECTOR, ".plot") if "surface" in plot.get_attribute("aria-label").lower()]
    if not plots:
        pytest.skip("this browser has no WebGL")
    said = next(plot for plot in plots if plot.get_attribute("aria-label").startswith("What the network says"))
    drawn = lambda: browser.execute_script("return arguments[0].data[0].facecolor", said)  # noqa: E731
    surface, names = experiment["surfaces"][0], experiment["attentions"]
    first = drawn()
    assert len(first) == 8 and len(set(first)) == len(set(surface["predictions"][names[0]]))

    def press(text):
        browser.execute_script("arguments[0].click()", next(b for b in browser.find_elements(By.CSS_SELECTOR, ".choice button") if b.text == text))

    press(names[1])
    assert f"{100 * surface['accuracy'][names[1]]:.1f}" in browser.find_element(By.TAG_NAME, "body").text
    press("mistakes")
    wrong = sum(a != b for a, b in zip(surface["predictions"][names[1]], surface["labels"], strict=True))
    colours = drawn()
    assert len(set(colours)) == (1 if wrong in (0, 8) else 2)


def test_a_phone_scrolls_down_only(browser, page):
    open_page(browser, page, width=390, scheme="dark")
    assert errors(browser) == []
    assert too_wide(browser, 390) == []
