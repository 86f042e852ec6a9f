"""`--report` of a comparison of whole networks on the rows of a table, in headless Chromium: it speaks of networks, says their pipelines, and holds every method's standing as the
document does.  SKIPPED where Chromium or its driver is not installed."""
import pytest
from selenium.webdriver.common.by import By

from browser import browser, errors, facts_of, in_browser, open_page, requests, table_of, too_wide, wrong_words
from command import document_of
from command import run as calor

pytestmark = in_browser

HEADS = "linear(8) | bias | relu | linear(4, heads=2) | score(l2) | exp(learned) | row | apply | elu | linear(classes) | bias"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    page = tmp_path_factory.mktemp("rows") / "r.html"
    calor("compare", "iris", "--pipeline", "ipn", "--pipeline", f"heads: {HEADS}", "--pipeline", "mlp", "--seeds", "2", "--epochs", "20", "--report", page, "-q")
    return page


def test_the_page_is_of_networks(browser, page):
    open_page(browser, page)
    assert errors(browser) == [] and requests(browser) == 0
    assert wrong_words(browser, "body") == []
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "Which network for iris?" in text and HEADS in text
    facts = facts_of(browser)
    assert facts["networks"] == "each as its pipeline says" and "layers × width" not in facts and "temperature" not in facts
    assert facts["heads"] == HEADS


def test_its_tables_hold_the_documents_numbers(browser, page):
    open_page(browser, page)
    experiment = document_of(page)["experiments"][0]
    # ipn has two attentions, the text one, mlp none.
    head, *shares = table_of(browser, "Effective share of keys")
    assert {row[0] for row in shares} == {"ipn", "heads"} and len(head) == 5
    ends = next(s for s in experiment["summary"] if s["attention"] == "heads")
    cells = next(row for row in shares if row[0] == "heads")
    assert float(cells[1].rstrip("\u202f%")) == pytest.approx(100 * ends["share_initial"][0], abs=0.051)
    standing = table_of(browser, "All methods")
    assert [row[0] for row in standing[1:]] == [entry["name"] for entry in experiment["standing"]]
    for row, entry in zip(standing[1:], experiment["standing"], strict=True):
        assert row[1].startswith(f"{100 * entry['accuracy_mean']:.1f}")
    assert {"SVM", "propagator", "ipn", "heads", "mlp"} <= {row[0] for row in standing[1:]}


def test_a_phone_scrolls_down_only(browser, page):
    open_page(browser, page, width=390, scheme="dark")
    assert errors(browser) == []
    assert too_wide(browser, 390) == []
