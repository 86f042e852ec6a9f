"""The page of `make bench` from results written here: its words and table say what they hold, and its plots are drawn in headless Chromium (those SKIPPED without it)."""
import json
import subprocess

import pytest
from selenium.webdriver.common.by import By

from browser import browser, errors, in_browser, open_page, requests, too_wide, wrong_words  # noqa: F401
from command import ROOT, document_of

SIZES = (32, 128, 512, 2048)
PROGRAM = ROOT / "build" / "bench" / "calor_bench_page"


def row(library, score, numbers, rows, backward, **more):
    seconds = 1e-9 * rows**2 * (1 if library == "calor" else 1.5 if rows < 2048 else 1.25)
    return {"rows": rows, "heads": 8, "dim": 64, "backward": backward, "name": f"{library} {score}", "library": library, "score": score, "numbers": numbers, "seconds": seconds,
            "flops": 4 * rows**2 * 512 / seconds, "ratio_to_peer": 1.5 if rows < 2048 else 1.25, "share_of_bound": 0.9 if library == "calor" else 0.6, "error": {"calor": 1e-6, "torch": 4e-6 if rows == 32 else 2e-6 if score == "metric" else 5e-7}.get(library, 1e-6), **more}


def made(folder, *more):
    works = (("dot", "float"), ("squared_distance", "float"), ("metric", "float"), ("dot", "bfloat16"))
    results = [row(library, score, numbers, rows, backward) for score, numbers in works for rows in SIZES for backward in (False, True) for library in ("torch", "calor")]
    (folder / "attention.json").write_text(json.dumps({"schema": 1, "kind": "bench_attention", "isa": "avx2", "torch": "2.13.0", "results": results,
                                                       "limits": {"target": "AVX2", "flops": 5e10, "exp_seconds": 2e-10}}))
    page = folder / "page.html"
    subprocess.run([PROGRAM, page, folder / "attention.json", *more], check=True, capture_output=True)
    return page


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    (folder / "steps.json").write_text(json.dumps({"kind": "bench_ipn_step", "results": [{"name": "calor", "points": 400, "width": 10, "seconds": 0.002, "ratio_to_peer": 2.5, "loss_difference": 0}]}))
    (folder / "ort.json").write_text(json.dumps({"kind": "bench_onnxruntime", "peer": "onnxruntime 9.9", "results": [row("onnxruntime", "dot", "float", n, False) for n in SIZES]}))
    return made(folder, folder / "steps.json", folder / "ort.json")


def test_the_document_has_a_line_for_each_library(page):
    document = document_of(page)
    assert document["findings"][0] == "Products, from 512 tokens: 1.25 to 1.50 times torch's speed, 90 % of what one core can do."
    # Torch's errors, written above, are 4 times Calor's at 32 tokens, and else twice them for the metric and half of them for the others.
    assert document["findings"][-2:] == ["Errors of float against double: 0.25 to 2.00 times torch's, 2.00 in the middle of 24 runs.",
                                         "Errors of bfloat16 against double: 0.25 to 2.00 times torch's, 2.00 in the middle of 8 runs."]
    assert [[series["name"] for series in plot["series"]] for plot in document["figures"][0]["plots"]] == [["calor", "torch", "onnxruntime"], ["calor", "torch"], ["calor", "torch", "onnxruntime"]]
    assert document["figures"][1]["plots"][0]["series"][1] == {"name": "torch", "x": list(SIZES), "y": [60.0] * 4, "line": "marked"}
    assert document["peers"] == ["torch 2.13.0", "onnxruntime 9.9"] and len(document["rows"]) == 68 and document["steps"][0]["points"] == 400


def test_a_page_without_other_peers(tmp_path):
    assert document_of(made(tmp_path))["peers"] == ["torch 2.13.0"]
    missing = subprocess.run([PROGRAM, tmp_path / "other.html", tmp_path / "none.json"], capture_output=True, text=True)
    assert missing.returncode == 3 and "run the benchmark that writes it" in missing.stderr and not (tmp_path / "other.html").exists()


@in_browser
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_is_drawn(browser, page, width):  # noqa: F811
    open_page(browser, page, width)
    assert len(browser.find_elements(By.CSS_SELECTOR, ".plot .scatterlayer .trace")) == 26
    assert not errors(browser) and not requests(browser) and not too_wide(browser, width) and not wrong_words(browser)
    said = browser.find_element(By.TAG_NAME, "main").text
    assert "onnxruntime dot" in said and "training step" in said
    ticks = [tick.text for tick in browser.find_elements(By.CSS_SELECTOR, "#dot .plot .xtick text")]
    assert "2,048" in ticks and "32" in ticks
