"""`calor inspect --report`: the page in headless Chromium.  SKIPPED where Chromium or its driver is not installed."""
import json
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from networks import write_network

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs chromium and chromedriver")


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def test_the_page(calor, browser, tmp_path):
    page = tmp_path / "page.html"
    document = json.loads(calor("inspect", write_network(tmp_path / "m.safetensors", "qk"), "--report", page, "--json", "-q").stdout)
    browser.get(page.as_uri())
    WebDriverWait(browser, 60).until(lambda d: d.execute_script("return document.body.dataset.ready") == "true")
    assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    assert browser.execute_script("return performance.getEntriesByType('resource').filter((e) => !/^(data|blob):/.test(e.name)).length") == 0
    drawn = browser.execute_script("return [...document.querySelectorAll('.plot')].map((p) => p.querySelectorAll('.point, .js-line').length)")
    assert len(drawn) == 11 and min(drawn) > 0
    assert browser.find_element(By.CSS_SELECTOR, ".headline").text.replace("−", "-") == document["summary"][0]
    rows = browser.find_elements(By.CSS_SELECTOR, ".heads tbody tr")
    assert [row.find_element(By.TAG_NAME, "th").text for row in rows] == ["1.1", "2.1"]
    Select(browser.find_element(By.TAG_NAME, "select")).select_by_index(1)
    text = browser.find_element(By.TAG_NAME, "main").text
    for forbidden in ("undefined", "NaN", "null", "[object"):
        assert forbidden not in text
