"""Networks of any text on the rows of a table: trained, saved, applied, inspected, compared; what is refused, and where."""
import csv
import io
import json
import shlex

import pytest

from blobs import SHORT
from command import document_of

HEADS = "linear(12) | bias | relu | dropout(0.1) | linear(6, heads=2) | score(l2) | exp(learned) | row | apply | elu | linear(classes) | bias"
QUICK = ["--epochs", "3", "--seeds", "2", "--no-baselines", "--json", "-q"]


def probabilities(calor, model, path):
    return [[float(v) for k, v in row.items() if k.startswith("p_")] for row in csv.DictReader(io.StringIO(calor("predict", model, path, "-q").stdout))]


@pytest.mark.parametrize("pipeline", [HEADS, "ipn width=16 score=dot", "mlp", "logistic"])
def test_a_saved_network_predicts_a_row_alone_as_among_others(calor, blobs, tmp_path, pipeline):
    model = tmp_path / "m.safetensors"
    trained = json.loads(calor("train", blobs, "--pipeline", pipeline, "--epochs", "40", "--lr", "0.01", "--save", model, "--json", "-q").stdout)
    assert trained["attention"] == pipeline
    assert trained["test_accuracy"][-1] > 0.8
    lines = blobs.read_text().splitlines()
    one = tmp_path / "one.csv"
    one.write_text("\n".join([lines[0], lines[5]]) + "\n")
    assert probabilities(calor, model, one)[0] == pytest.approx(probabilities(calor, model, blobs)[4], abs=1e-5)


def test_the_recipe_is_the_attention_of_the_same_words(calor, blobs, tmp_path):
    words = ["--epochs", "12", "--json", "-q"]
    by_text = json.loads(calor("train", blobs, "--pipeline", "ipn width=10", *words, "--save", tmp_path / "a.safetensors").stdout)
    by_name = json.loads(calor("train", blobs, "--attention", "metric", "--width", "10", *words, "--save", tmp_path / "b.safetensors").stdout)
    assert by_text["loss"] == by_name["loss"] and by_text["network"] == by_name["network"]
    assert by_text["pipeline"].startswith("score(metric) | exp") and by_text["protocol"]["width"] == 10 and by_text["protocol"]["layers"] == 2
    reports = [json.loads(calor("inspect", tmp_path / name, "--json", "-q").stdout) for name in ("a.safetensors", "b.safetensors")]
    assert reports[0]["heads"] == reports[1]["heads"]


def test_a_name_of_ones_own(calor, blobs):
    named = json.loads(calor("train", blobs, "--pipeline", "plain: mlp width=5", "--epochs", "3", "--json", "-q").stdout)
    assert named["attention"] == "plain" and "linear(5)" in named["pipeline"]
    assert "colons" in calor("train", blobs, "--pipeline", "a:b: mlp", "-q", code=2).stderr
    assert "line breaks" in calor("train", blobs, "--pipeline", "a\nb: mlp", "-q", code=2).stderr
    assert 'found "SVM"' in calor("compare", blobs, "--pipeline", "SVM: mlp", "--seeds", "1", "--epochs", "2", "-q", code=2).stderr
    assert "NAME:" in calor("train", blobs, "--pipeline", ": mlp", "-q", code=2).stderr
    assert '"a" twice' in calor("compare", "blocks", "--pipeline", "a: mlp", "--pipeline", "a: logistic", *QUICK, code=2).stderr


def test_many_layers_and_heads_are_read_again(calor, blobs, tmp_path):
    model = tmp_path / "m.safetensors"
    twice = "linear(8) | score(l2) | exp | row | apply | " * 2
    for pipeline in ("ipn width=3 layers=65", twice + "linear(4, heads=3) | score(l2) | exp | row | apply | linear(classes)"):
        calor("train", blobs, "--pipeline", pipeline, "--epochs", "1", "--save", model, "-q")
        assert len(probabilities(calor, model, blobs)) == 40


def test_a_texts_own_shape_is_no_protocol(calor, blobs):
    protocol = json.loads(calor("train", blobs, "--pipeline", "mlp", "--epochs", "1", "--json", "-q").stdout)["protocol"]
    assert [protocol[name] for name in ("layers", "width", "residual", "temperature")] == [None] * 4 and protocol["epochs"] == 1


def test_another_network_cannot_be_inspected(calor, blobs, tmp_path):
    model = tmp_path / "m.safetensors"
    calor("train", blobs, "--pipeline", HEADS, "--epochs", "2", "--save", model, "-q")
    assert "calor recipes ipn" in calor("inspect", model, code=3).stderr


def test_networks_and_attentions_compared(calor, blobs, tmp_path):
    report = tmp_path / "r.html"
    document = json.loads(calor("compare", blobs, "--pipeline", f"mine: {HEADS}", "--pipeline", "mlp", *QUICK, "--report", report, code=SHORT).stdout)
    experiment = document["experiments"][0]
    assert experiment["attentions"] == ["mine", "mlp"] and experiment["pipelines"]["mine"] == HEADS and experiment["networks"]["mlp"] == experiment["pipelines"]["mlp"]
    assert experiment["protocol"]["width"] is None and experiment["protocol"]["layers"] is None
    assert [len(run["share"][-1]) for run in experiment["runs"]] == [1, 1, 0, 0]
    assert document_of(report)["experiments"][0]["networks"] == experiment["networks"]
    named = ["--attention", "self,l2,metric,uniform"]  # said, though it is the default
    assert len(json.loads(calor("compare", blobs, *named, "--pipeline", "mlp", *QUICK, code=SHORT).stdout)["experiments"][0]["attentions"]) == 5
    both = json.loads(calor("compare", blobs, "--attention", "metric", "--pipeline", "mlp", *QUICK, code=SHORT).stdout)["experiments"][0]
    assert both["attentions"] == ["metric", "mlp"] and both["protocol"]["layers"] == 2
    assert both["networks"]["metric"].startswith("linear(")
    other = {(run["attention"], run["seed"]): run["loss"] for run in experiment["runs"]}
    assert all(other.get((run["attention"], run["seed"]), run["loss"]) == run["loss"] for run in both["runs"])  # same bits in other company


@pytest.mark.parametrize("words, expected", [
    (["--pipeline", "gcn"], "--graph"),
    (["--pipeline", "surface-l2"], "--labels"),
    (["--pipeline", "linear(3) | score(l2) | exp | apply | linear(classes)"], "^^^^^"),
    (["--pipeline", "mlp", "--layers", "3"], "no --layers"),
    (["--pipeline", "mlp", "--reading", "paper-literal"], "no --reading"),
    (["--pipeline", "mlp", "--patience", "3"], "no --patience"),
    (["--pipeline", "ipnn"], 'did you mean "ipn"'),
])
def test_refusals(calor, blobs, words, expected):
    for command in (["train", blobs], ["compare", blobs, "--seeds", "1", "--no-baselines"]):
        assert expected in calor(*command, *words, "--epochs", "2", "-q", code=2).stderr


def test_refusals_of_train_and_compare_alone(calor, blobs):
    assert "found both" in calor("train", blobs, "--pipeline", "mlp", "--attention", "l2", "-q", code=2).stderr
    assert "found both" in calor("train", blobs, "--pipeline", "mlp", "--attention", "metric", "-q", code=2).stderr
    assert "no --patience" in calor("compare", blobs, "--attention", "l2", "--pipeline", "mlp", "--patience", "3", *QUICK, code=2).stderr
    assert 'found "uniform"' in calor("compare", blobs, "--pipeline", "uniform: mlp", *QUICK, code=2).stderr
    assert "found both" in calor("train", blobs, "--pipeline", "mlp", "--model", "propagator", "-q", code=2).stderr
    assert "found 2" in calor("train", blobs, "--pipeline", "mlp", "--pipeline", "ipn", "-q", code=2).stderr
    assert "'mlp' twice" in calor("compare", blobs, "--pipeline", "mlp", "--pipeline", "mlp", *QUICK, code=2).stderr
    assert "compare them one by one" in calor("compare", blobs, "blocks", "--pipeline", "mlp", *QUICK, code=2).stderr


def test_rows_out_of_all_proportion_are_refused(calor, blobs, tmp_path):
    model, far = tmp_path / "m.safetensors", tmp_path / "far.csv"
    calor("train", blobs, "--pipeline", "mlp", "--epochs", "2", "--save", model, "-q")
    far.write_text("a,b,kind\n1,1,left\n3e38,-3e38,right\n")
    assert "row 2" in calor("predict", model, far, "-q", code=3).stderr


def test_the_command_can_be_pasted_into_a_shell(calor, blobs):
    document = json.loads(calor("train", blobs, "--pipeline", "it's: linear(classes)", "--epochs", "2", "--json", "-q").stdout)
    assert shlex.split(document["command"])[:5] == ["calor", "train", str(blobs), "--pipeline", "it's: linear(classes)"]


def test_long_texts_keep_the_columns(calor, blobs):
    lines = calor("compare", blobs, "--pipeline", HEADS, "--pipeline", "mlp", *[word for word in QUICK if word != "--json"], code=SHORT).stdout.splitlines()
    head = next(line for line in lines if "accuracy %" in line)
    rows = [line for line in lines if line.startswith(("  linear(12)", "  mlp"))][:2]
    assert {len(row) for row in rows} == {len(head)} and rows[0][2:62].endswith("...")


def test_all_nodes_attend_to_all_where_there_is_no_adjacency(calor):
    document = json.loads(calor("compare", "blocks", "--pipeline", "ipn width=8", "--epochs", "30", "--lr", "0.01", "--seeds", "1", "--no-baselines", "--json", "-q", code=None).stdout)
    summary = document["experiments"][0]["summary"][0]
    assert summary["accuracy_mean"] > 0.5
