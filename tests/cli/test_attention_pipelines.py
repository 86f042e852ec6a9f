"""Learned pipelines on the command line: names and texts side by side, refusals with a caret, saved models, dead ends."""
import csv
import io
import json

import pytest

from blobs import SHORT

DENSITY = "score(metric) | exp | two_side(1) | row | apply"
DOUBLY = "score(qk) | exp | sinkhorn(max_iterations=5) | apply"
QUICK = ["--epochs", "3", "--seeds", "2", "--no-baselines", "--json", "-q"]


def test_names_and_pipelines_side_by_side(calor, blobs):
    words = ["--attention", f"self,metric,{DENSITY}", "--attention", DOUBLY, "--attention", "score(additive) | exp | row | apply"]
    experiment = json.loads(calor("compare", blobs, *words, *QUICK, code=SHORT).stdout)["experiments"][0]
    assert experiment["attentions"] == ["self", "metric", "metric two_side(1)", "self sinkhorn(5)", "additive"]
    assert experiment["pipelines"]["metric two_side(1)"] == DENSITY
    assert experiment["pipelines"]["self"] == "score(qk) | exp | row | apply"
    again = ["--attention", f"{DOUBLY},{DENSITY}", *QUICK, "--threads", "2"]
    other = json.loads(calor("compare", blobs, *again, code=SHORT).stdout)["experiments"][0]
    losses = {(r["attention"], r["seed"]): r["loss"] for r in experiment["runs"]}
    assert all(losses[r["attention"], r["seed"]] == r["loss"] for r in other["runs"])  # same bits in other company


def test_twenty_attentions(calor, blobs, tmp_path):
    pipelines = ",".join(f"score(l2) | exp({k}) | row | apply" for k in range(1, 21))
    report = tmp_path / "r.html"
    document = json.loads(calor("compare", blobs, "--attention", pipelines, *QUICK, "--report", report, code=SHORT).stdout)
    assert len(document["experiments"][0]["summary"]) == 20 and report.exists()


@pytest.mark.parametrize("attention, expected", [
    ("knn(5) | score(qk) | exp | row | apply", "two_side(alpha) or sinkhorn"),
    ("score(qk) | exp | row", "found the end"),
    ("score(qk) | score(l2) | exp | row | apply", "found score"),
    ("score(qk | exp | row | apply", "^"),
    (f"metric,,{DENSITY}", "found ''"),
    ("metric,score(metric)|exp|row|apply", "'metric' twice"),
    (f"{DENSITY},score(metric) | exp | two_side | row | apply", "'metric two_side(1)' twice"),
])
def test_refusals(calor, blobs, attention, expected):
    stderr = calor("compare", blobs, "--attention", attention, *QUICK, code=2).stderr
    assert expected in stderr
    if "|" in attention and "twice" not in expected and "''" not in expected:
        assert stderr.rstrip().splitlines()[-1].strip().strip("^") == ""


@pytest.mark.parametrize("pipeline", [DENSITY, DOUBLY, "score(additive) | exp(learned) | column | row | apply"])
def test_a_saved_model_predicts_a_point_alone_as_among_others(calor, blobs, tmp_path, pipeline):
    model = tmp_path / "m.safetensors"
    trained = json.loads(calor("train", blobs, "--attention", pipeline, "--epochs", "40", "--save", model, "--json", "-q").stdout)
    assert trained["pipeline"] == pipeline
    lines = blobs.read_text().splitlines()
    one = tmp_path / "one.csv"
    one.write_text("\n".join([lines[0], lines[5]]) + "\n")
    numbers = lambda path: [[float(v) for k, v in row.items() if k.startswith("p_")]
                            for row in csv.DictReader(io.StringIO(calor("predict", model, path, "-q").stdout))]
    assert numbers(one)[0] == pytest.approx(numbers(blobs)[4], abs=1e-5)


def test_when_every_run_is_dead_the_exit_code_says_so(calor, tmp_path):
    data, report = tmp_path / "coin.csv", tmp_path / "r.html"  # every point once with each label: nothing can be learned
    data.write_text("a,b,label\n" + "".join(f"{i % 5},{i % 3},{side}\n" for i in range(15) for side in "xy"))
    done = calor("compare", data, "--attention", "metric", "--epochs", "1", "--seeds", "2", "--no-baselines", "-q", "--report", report,
                 code=5)
    assert "all 2 dead" in done.stderr and report.exists() and "Verdict" in done.stdout
