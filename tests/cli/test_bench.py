"""`calor bench --quick`: its answers are checked, its document is complete, and it says which instructions it measured."""
import json
import os

import pytest

from command import run as calor


@pytest.fixture(scope="module")
def document():
    return json.loads(calor("bench", "--quick", "--json").stdout)


def test_every_work_has_its_figures(document):
    assert document["kind"] == "bench" and document["quick"] is True
    names = [(work["name"], work["size"]) for work in document["work"]]
    assert len(set(names)) == len(names) >= 21
    for name in ("attention, products", "attention, distances, causal, with gradients", "15 nearest neighbours, exact"):
        assert any(name == found for found, _ in names)
    limits = document["limits"]
    assert limits["target"] and limits["flops"] > 0 and limits["exp_seconds"] > 0
    for work in document["work"]:
        assert work["error"] <= 4e-5 and work["seconds"] > 0
        assert work["share"] == pytest.approx(work["bound_seconds"] / work["seconds"])
    # Causal attention does half of the operations.
    size = next(size for name, size in names if "causal" in name)
    whole, half = (next(w["operations"] for w in document["work"] if w["name"] == name and w["size"] == size) for name in ("attention, products", "attention, products, causal"))
    assert whole == 2 * half


def test_threads_change_no_bit(document):
    assert document["threads"]["same_bits"] is True and document["threads"]["threads"] >= 1


def test_instructions_can_be_forced(document):
    forced = json.loads(calor("bench", "--quick", "--json", env={**os.environ, "CALOR_ISA": "scalar"}).stdout)
    assert forced["machine"]["isa"] == "scalar"
    assert [work["name"] for work in forced["work"]] == [work["name"] for work in document["work"]]


def test_the_table_shows_them(document):
    said = calor("bench", "--quick", "-q").stdout
    assert document["machine"]["processor"] in said and "of the core" in said and "15 nearest neighbours, exact" in said
