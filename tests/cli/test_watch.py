"""`calor run --watch`: the report's file while a descent runs, how it ends, and what it must not change."""
import json
import shutil
import signal
import subprocess
import time

import pytest

from blobs import two_blobs
from command import CALOR, ROOT, document_of

RELOAD = '<meta http-equiv="refresh"'
ENDLESS = ["--set", "match.max_iterations=1000000000"]
MAPS = {"tsne": ["--set", "perplexity=5"], "umap": [], "sne": ["--set", "exp.perplexity=5"], "mds-metric": []}


def started(*words, **options):
    return subprocess.Popen([str(CALOR), "run", *map(str, words)], cwd=ROOT, stderr=subprocess.PIPE, text=True, **options)


def wait_for_picture(page, process):
    """The document of the first page that has points to show."""
    while process.poll() is None:
        if page.exists() and "picture" in (document := document_of(page)):
            return document
        time.sleep(0.01)
    raise AssertionError(f"the run ended before its page had a picture: {process.stderr.read()}")


def interrupt(process):
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=600)
    return process.returncode, out, said


@pytest.mark.parametrize("recipe", ["tsne", "umap"])
def test_the_page_shows_a_descent_and_ends_as_the_report(tmp_path, blobs, recipe):
    page, output = tmp_path / "r.html", tmp_path / "map.csv"
    process = started(recipe, blobs, *MAPS[recipe], *ENDLESS, "--watch", "--report", page, "-o", output, "--threads", "2")
    document = wait_for_picture(page, process)
    text = page.read_text(encoding="utf-8")
    assert RELOAD in text and "plotly.js v" not in text
    assert document["kind"] == "watch" and document["running"] and document["title"] == f"{recipe} on blobs"
    assert document["descent"]["step"] >= 1 and document["descent"]["most_steps"] == 1000000000
    assert (document["descent"]["loss"] or {"name": None})["name"] == {"tsne": "kl", "umap": None}[recipe]
    assert [view["axes"] for view in document["picture"]["views"]] == [["dim1", "dim2"]]
    assert [colouring["name"] for colouring in document["picture"]["colourings"]] == ["kind"]

    code, _, said = interrupt(process)
    assert code == 130 and "interrupted" in said
    report = page.read_text(encoding="utf-8")
    assert RELOAD not in report and "plotly.js v" in report
    assert document_of(page)["kind"] == "run" and document_of(page)["quality"]["embedding"]
    assert len(output.read_text().splitlines()) == 41
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blobs.csv", "map.csv", "r.html"]


@pytest.mark.parametrize("recipe", MAPS)
def test_watching_changes_no_bit(calor, tmp_path, blobs, recipe):
    def digest(*words):
        return json.loads(calor("run", recipe, blobs, *MAPS[recipe], "--json", "-q", *words).stdout)["digest"]

    page = tmp_path / "r.html"
    assert digest("--watch", "--report", page, "--threads", "2") == digest("--threads", "1")
    assert RELOAD not in page.read_text(encoding="utf-8") and document_of(page)["kind"] == "run"


def test_an_embedding_without_a_descent_has_its_report_at_the_end(calor, tmp_path, blobs):
    page = tmp_path / "r.html"
    calor("run", "mds", blobs, "--watch", "--report", page, "-q", "-o", tmp_path / "map.csv")
    assert document_of(page)["kind"] == "run" and RELOAD not in page.read_text(encoding="utf-8")


def test_what_cannot_be_watched_is_refused_before_anything_runs(calor, tmp_path, blobs):
    page = tmp_path / "r.html"
    assert "--report FILE" in calor("run", "tsne", blobs, "--watch", code=2).stderr
    for recipe, gives in (("k-means", "labels"), ("knn-classifier", "prediction"), ("knn(5)", "graph")):
        said = calor("run", recipe, blobs, "--watch", "--report", page, code=2).stderr
        assert f"gives {gives}" in said and "tsne" in said
    said = calor("run", "tsne", blobs, "--watch", "--report", tmp_path / "missing" / "r.html", code=3).stderr
    assert str(tmp_path / "missing" / "r.html") in said and "create the folder" in said
    assert not page.exists()


def test_a_run_that_fails_leaves_a_page_that_stands_still(calor, tmp_path):
    few, page = tmp_path / "few.csv", tmp_path / "r.html"
    few.write_text(two_blobs(20))
    assert "perplexity" in calor("run", "tsne", few, "--watch", "--report", page, code=(2, 3)).stderr
    document = document_of(page)
    assert document["kind"] == "watch" and not document["running"] and "picture" not in document
    assert RELOAD not in page.read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_loses_neither_run_nor_result(tmp_path, blobs):
    folder = tmp_path / "folder"
    folder.mkdir()
    page = folder / "r.html"
    process = started("tsne", blobs, *MAPS["tsne"], *ENDLESS, "--watch", "--report", page, stdout=subprocess.PIPE)
    wait_for_picture(page, process)
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)  # a page may come in between
    code, out, said = interrupt(process)
    assert code == 3 and len(out.splitlines()) == 41
    assert said.count(str(page)) >= 2 and "not all of the run's pages could be written" in said
