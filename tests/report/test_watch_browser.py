"""`--watch` of calor run in headless Chromium: a page that follows a descent by itself and turns into the report.  SKIPPED where Chromium or its
driver is not installed."""
import contextlib
import signal
import subprocess
import time

import pytest
import urllib3
from selenium.common.exceptions import JavascriptException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from browser import browser, chromium, errors, in_browser, open_page, requests, too_wide, wrong_words
from command import CALOR, ROOT, document_of

pytestmark = in_browser

RELOAD = '<meta http-equiv="refresh" content="2">'
RELOADS = "return document.querySelectorAll('meta[http-equiv=refresh]').length"
# How many pixels have colour, in how many hues of 30 degrees.
INK = """const canvas = document.querySelector('canvas.moving'), pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let coloured = 0; const hues = new Set();
  for (let i = 0; i < pixels.length; i += 4) {
    const [r, g, b, a] = pixels.subarray(i, i + 4), most = Math.max(r, g, b), least = Math.min(r, g, b);
    if (a < 100 || most - least < 40) continue;
    ++coloured;
    hues.add(Math.floor((most === r ? (g - b) / (most - least) + 6 : most === g ? (b - r) / (most - least) + 2 : (r - g) / (most - least) + 4) % 6 * 2));
  }
  return [coloured, hues.size]"""


@pytest.fixture(scope="module")
def following():
    """A browser whose commands do not wait for pages: one that reloads itself is often on its way.  A script that was sent to a page which has gone is
    never answered: it is given up soon, and sent again by `until`."""
    driver = chromium(page_load_strategy="none")
    driver.set_script_timeout(5)
    yield driver
    driver.quit()


def until(driver, condition):
    """Also while the page is being replaced."""
    return WebDriverWait(driver, 600, ignored_exceptions=(JavascriptException, TimeoutException)).until(condition)


def headline(driver):
    return driver.execute_script("return document.querySelector('.headline').textContent")


@contextlib.contextmanager
def endless(page, *words):
    """A run whose page has a picture, and that only a signal ends."""
    process = subprocess.Popen([str(CALOR), "run", *words, "--set", "match.max_iterations=1000000000", "--watch", "--report", str(page), "-q", "-o", str(page.with_suffix(".csv"))],
                               cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        while process.poll() is None and not (page.exists() and "picture" in document_of(page)):
            time.sleep(0.01)
        assert process.poll() is None, process.stderr.read()
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_page_follows_a_descent_and_becomes_the_report(following, tmp_path):
    try:
        follows(following, tmp_path / "r.html")
    except urllib3.exceptions.HTTPError as error:
        pytest.skip(f"Chromium's driver did not answer while the page was replaced: {error}")


def follows(following, page):
    with endless(page, "tsne", "iris") as process:
        following.get(page.as_uri())
        before = until(following, headline)
        until(following, lambda driver: headline(driver).startswith("Step ") and headline(driver) != before)  # nobody asked for it anew
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=600)
        assert process.returncode == 130
    until(following, lambda driver: driver.execute_script("return document.querySelectorAll('.js-plotly-plot').length > 0"))  # it came by itself
    assert until(following, lambda driver: [driver.execute_script(RELOADS)]) == [0]
    assert errors(following) == []


@pytest.mark.parametrize("words", [["tsne", "iris"], ["umap", "iris", "--label", "petal_length_cm"], ["tsne", "wine", "--set", "match.dims=1"]],
                         ids=["classes", "numbers", "one_coordinate"])
def test_the_page_shows_the_points(browser, tmp_path, words):
    page, still = tmp_path / "r.html", tmp_path / "still.html"
    with endless(page, *words):
        text = page.read_text(encoding="utf-8")
    assert text.count(RELOAD) == 1
    still.write_text(text.replace(RELOAD, ""), encoding="utf-8")
    open_page(browser, still)
    assert headline(browser).startswith("Step ")
    label = browser.find_element(By.CSS_SELECTOR, "canvas.moving").get_attribute("aria-label")
    assert label.startswith(("150 points after", "178 points after")) and "coloured by" in label
    coloured, hues = browser.execute_script(INK)
    assert coloured > 200 and hues >= 2, (coloured, hues)
    assert wrong_words(browser, "body") == [] and requests(browser) == 0 and errors(browser) == []
    open_page(browser, still, width=390, scheme="dark")
    coloured, hues = browser.execute_script(INK)
    assert coloured > 200 and hues >= 2, (coloured, hues)
    assert too_wide(browser, 390) == [] and errors(browser) == []


def test_a_run_that_ended_without_a_report_says_so(browser, tmp_path):
    few, page = tmp_path / "few.csv", tmp_path / "r.html"
    few.write_text("a,b\n" + "".join(f"{i},{i * i % 7}\n" for i in range(20)))
    subprocess.run([str(CALOR), "run", "tsne", str(few), "--watch", "--report", str(page)], cwd=ROOT, capture_output=True, timeout=600)
    open_page(browser, page)
    assert browser.execute_script(RELOADS) == 0
    assert "ended" in headline(browser) and "ended without a report" in browser.find_element(By.TAG_NAME, "header").text
    assert wrong_words(browser, "body") == [] and errors(browser) == []
