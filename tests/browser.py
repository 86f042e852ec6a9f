"""Reports in headless Chromium.  A test module imports `browser`, the fixture, and marks its tests with `in_browser`, which skips them
where Chromium or its driver is not installed."""
import re
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
in_browser = pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs chromium and chromedriver")

# Of texts that a value which does not exist leaves on a page.
FORBIDDEN = ("undefined", "NaN", "null", "[object")


def chromium(page_load_strategy="normal"):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900", "--enable-unsafe-swiftshader"):
        options.add_argument(flag)
    options.page_load_strategy = page_load_strategy
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))


@pytest.fixture(scope="module")
def browser():
    driver = chromium()
    yield driver
    driver.quit()


def wait_until_drawn(driver):
    WebDriverWait(driver, 600).until(lambda d: d.execute_script("return document.body.dataset.ready") == "true")


def open_page(driver, path, width=1280, scheme="light"):
    """The page at a window's width in a colour scheme, drawn; what the console said before is forgotten."""
    driver.get_log("browser")
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    driver.get(path.as_uri())
    wait_until_drawn(driver)
    return driver


def errors(driver):
    """The console's errors and warnings.  SwiftShader, which stands in for a graphics card, remarks on its own slowness."""
    return [entry["message"] for entry in driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING") and not re.search(r"GPU stall|swiftshader|GL Driver Message|willReadFrequently", entry["message"], re.I)]


def requests(driver):
    """How many things the page asked the network for."""
    return driver.execute_script("return performance.getEntriesByType('resource').filter((e) => !/^(data|blob):/.test(e.name)).length")


def too_wide(driver, width):
    """What sticks out of a page of this width, but for what scrolls in its own container."""
    return driver.execute_script("""const width = arguments[0] + 1, out = (e) => e.getBoundingClientRect().right > width;
      const wide = [...document.querySelectorAll('main *, header *, footer *')].filter((e) => !e.closest('.scroll') && !e.closest('.plot') && out(e));
      const plots = [...document.querySelectorAll('.plot')].filter(out);
      const page = document.documentElement.scrollWidth >= width ? [document.documentElement] : [];
      return [...wide, ...plots, ...page].map((e) => e.outerHTML.slice(0, 90))""", width)


def wrong_words(driver, within="main"):
    """The words of FORBIDDEN that the page shows."""
    text = driver.find_element("css selector", within).text
    return [word for word in FORBIDDEN if word in text]


def press_key(driver, element):
    """By keyboard, as everyone must be able to."""
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].focus()", element)
    element.send_keys(" ")


def tables(driver):
    """Each table by its caption: its rows, as lists of cells; the head is the first."""
    return driver.execute_script("""return Object.fromEntries([...document.querySelectorAll('table')].map((table) => [
      table.getAttribute('aria-label') || (table.caption || {}).textContent, [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent))]))""")


def table_of(driver, caption):
    found = [rows for name, rows in tables(driver).items() if caption in (name or "")]
    assert len(found) == 1, (caption, list(tables(driver)))
    return found[0]


def facts_of(driver):
    """Terms and what is said of them, as in Protocol and Data."""
    return driver.execute_script("return Object.fromEntries([...document.querySelectorAll('dt')].map((dt) => [dt.textContent, dt.nextElementSibling.textContent]))")
