"""`calor inspect --report`: the page in headless Chromium.  SKIPPED where Chromium or its driver is not installed."""
import json

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from browser import browser, errors, in_browser, open_page, requests, wrong_words
from networks import write_network

pytestmark = in_browser


def test_the_page(calor, browser, tmp_path):
    page = tmp_path / "page.html"
    document = json.loads(calor("inspect", write_network(tmp_path / "m.safetensors", "qk"), "--report", page, "--json", "-q").stdout)
    open_page(browser, page)
    assert errors(browser) == []
    assert requests(browser) == 0
    drawn = browser.execute_script("return [...document.querySelectorAll('.plot')].map((p) => p.querySelectorAll('.point, .js-line').length)")
    assert len(drawn) == 11 and min(drawn) > 0
    assert browser.find_element(By.CSS_SELECTOR, ".headline").text.replace("−", "-") == document["summary"][0]
    rows = browser.find_elements(By.CSS_SELECTOR, ".heads tbody tr")
    assert [row.find_element(By.TAG_NAME, "th").text for row in rows] == ["1.1", "2.1"]
    Select(browser.find_element(By.TAG_NAME, "select")).select_by_index(1)
    assert wrong_words(browser) == []
