"""`--report` of a comparison of networks on nodes, in headless Chromium: what it says is of networks and neighbours, and is what its document holds.
SKIPPED where Chromium or its driver is not installed."""
import json

import pytest
from selenium.webdriver.common.by import By

from browser import browser, errors, facts_of, in_browser, open_page, requests, table_of, too_wide, wrong_words
from command import document_of
from command import run as calor

pytestmark = in_browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Two networks, of which one learns its weights on edges."""
    page = tmp_path_factory.mktemp("nodes") / "r.html"
    calor("compare", "blocks", "--pipeline", "gcn", "--pipeline", "graph-metric", "--seeds", "2", "--epochs", "20", "--report", page, "-q")
    return page


def test_the_page_is_of_networks_and_neighbours(browser, page):
    open_page(browser, page)
    assert errors(browser) == [] and requests(browser) == 0
    text = browser.find_element(By.TAG_NAME, "body").text
    assert wrong_words(browser, "body") == []
    assert "Which network for blocks?" in text and "How many neighbours a node attends to" in text
    assert "keys a token" not in text and "standardised on the training rows" not in text
    experiment = document_of(page)["experiments"][0]
    assert json.loads(page.with_suffix(".json").read_text())["experiments"][0] == experiment
    for name in experiment["attentions"]:
        assert experiment["pipelines"][name] in text


def test_its_tables_hold_the_documents_numbers(browser, page):
    open_page(browser, page)
    experiment = document_of(page)["experiments"][0]
    rows = {row[0]: row for row in browser.execute_script("""return [...document.querySelector('#experiment-0 table').tBodies[0].rows].map((row) =>
      [...row.cells].map((cell) => cell.textContent))""")}
    assert set(rows) == {"gcn", "graph-metric"}
    for summary in experiment["summary"]:
        assert rows[summary["attention"]][1].startswith(f"{100 * summary['accuracy_mean']:.1f} ± {100 * summary['accuracy_sd']:.1f}")
        assert f"{summary['dead']} of 2" in rows[summary["attention"]]
    # gcn's weights on edges are the graph's: only graph-metric has shares.
    head, *shares = table_of(browser, "Effective share of neighbours")
    assert head == ["network", "layer 1, start", "end", "layer 2, start", "end"] and [row[0] for row in shares] == ["graph-metric"]
    metric = next(s for s in experiment["summary"] if s["attention"] == "graph-metric")
    ends = [value for pair in zip(metric["share_initial"], metric["share_final"], strict=True) for value in pair]
    assert [float(cell.rstrip("\u202f%")) for cell in shares[0][1:]] == pytest.approx([100 * value for value in ends], abs=0.051)
    baselines = [row[0] for row in table_of(browser, "Baselines")[1:]]
    assert sorted(baselines) == ["label spreading", "logistic regression", "plain network (mlp)"]


def test_its_protocol_is_that_of_nodes(browser, page):
    open_page(browser, page)
    facts = facts_of(browser)
    assert facts["optimiser"] == "adam, coupled decay" and facts["learning rates tried"].startswith("0.1") and facts["epochs"] == "20"
    assert facts["training nodes of a class"] == "20" and facts["features of the networks"] == "standardised"
    assert "batch" not in facts and "a test point attends to" not in facts
    assert facts["nodes × features"].endswith("× 16") and facts["test set"] == "drawn for each seed"


def test_a_phone_scrolls_down_only(browser, page):
    open_page(browser, page, width=390, scheme="dark")
    assert errors(browser) == []
    assert too_wide(browser, 390) == []
