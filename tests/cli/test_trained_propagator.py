"""calor train --model propagator and calor predict with it, as a user runs them: the printed result, evidence that adds up to the
probabilities, the same bits for any number of threads, labels that the model does not know, and flags that do not go with it."""
import json

import numpy as np
import pytest

QUICK = ["--model", "propagator", "--epochs", "5"]


@pytest.fixture(scope="module")
def trained(calor, tmp_path_factory):
    path = tmp_path_factory.mktemp("propagator") / "wine.safetensors"
    document = json.loads(calor("train", "wine", *QUICK, "--save", path, "--json", "-q").stdout)
    return path, document


def test_the_document_says_what_was_chosen(trained):
    path, document = trained
    assert document["kind"] == "train-propagator" and document["model"] == str(path) and document["failure"] is None
    assert document["start"]["standardised"] is True
    assert [trial["noise"] for trial in document["trials"]] == [None, 0, 0.15, 0.3, 0.6]
    finished = [trial for trial in document["trials"] if trial["log_loss"] is not None]  # null: given up, for another was better already
    best = min(finished, key=lambda trial: trial["log_loss"])
    assert document["noise"] == best["noise"]
    assert len(document["loss"]) == (5 if best["noise"] is not None else 0)
    assert document["quality"]["rows"] == document["test"] == 36
    assert document["quality"]["accuracy"] > 0.85


def test_evidence_adds_up_to_the_prediction(calor, trained):
    path, document = trained
    found = json.loads(calor("predict", path, "wine", "--evidence", document["train"], "--json", "-q", "--threads", "1").stdout)
    again = json.loads(calor("predict", path, "wine", "--evidence", document["train"], "--json", "-q", "--threads", "2").stdout)
    assert found["rows"] == again["rows"]
    classes = found["classes"]
    for row in found["rows"]:
        votes = np.zeros(len(classes))
        for one in row["evidence"]:
            votes[classes.index(one["label"])] += one["weight"]
            assert 1 <= one["row"] <= 178
        assert np.allclose(votes, row["probability"], atol=1e-12) and sum(row["probability"]) == pytest.approx(1)
        weights = [one["weight"] for one in row["evidence"]]
        assert weights == sorted(weights, reverse=True)
    csv = calor("predict", path, "wine", "--evidence", "2", "-q").stdout.splitlines()
    assert csv[0].endswith("evidence1,evidence1_label,evidence1_weight,evidence2,evidence2_label,evidence2_weight")
    assert len(csv) == 179 and all(line.count(",") == csv[0].count(",") for line in csv)
    assert found["quality"]["accuracy"] == found["accuracy"]


def test_training_has_the_same_bits_for_any_threads(calor, tmp_path):
    for threads in (1, 2):
        calor("train", "iris", *QUICK, "--save", tmp_path / f"{threads}.safetensors", "--threads", threads, "-q", "--json")
    assert (tmp_path / "1.safetensors").read_bytes() == (tmp_path / "2.safetensors").read_bytes()


TEXT = "standardise(loo) | residual(linear({}) | bias | relu | linear(features), skip=linear) | distance(2, to=train) | exp(loo) | two_side(loo, of=keys) | row | vote"


def test_its_text_trains_the_same_model(calor, tmp_path):
    train = ("train", "iris", "--epochs", "5", "--noise", "0.3", "-q", "--json", "--save")
    ways = {"model": ("--model", "propagator", "--width", "40"), "name": ("--pipeline", "learned-propagator width=40"), "text": ("--pipeline", TEXT.format(40))}
    for name, words in ways.items():
        assert json.loads(calor(*train, tmp_path / name, *words).stdout)["pipeline"] == TEXT.format(40)
    assert (tmp_path / "model").read_bytes() == (tmp_path / "name").read_bytes() == (tmp_path / "text").read_bytes()
    assert TEXT.format("$width") in calor("recipes", "learned-propagator").stdout and "$width = 512" in calor("recipes", "learned-propagator").stdout
    assert "calor recipes learned-propagator" in calor("recipes", "propagator").stdout
    table = tmp_path / "curve.csv"
    table.write_text("x,y\n" + "".join(f"{i / 10},{np.sin(i / 10)}\n" for i in range(60)))
    values = json.loads(calor("train", table, "--label", "y", "--pipeline", "learned-propagator-regressor", "--noise", "0.3", "--epochs", "2", "-q", "--json").stdout)
    assert values["model_kind"] == "propagator-regressor" and values["pipeline"] == TEXT.format(512).replace("vote", "average")


@pytest.mark.parametrize(
    "text, said",
    [
        (TEXT.format(8).replace("exp(loo)", "exp(2)"), "[train] expected exp(loo) there, found exp(2)"),
        (TEXT.format(8).replace("relu", "tanh"), "found residual(linear(8) | bias | tanh"),
        (TEXT.format(8).replace("residual(linear(8) | bias | relu | linear(features), skip=linear) | ", ""), "expected residual(linear(512)"),
        ("learned-propagator width=0", "expected a whole number of at least 1 for width"),
        ("learned-propagator depth=2", "or a value for $width"),
    ],
)
def test_other_texts_are_refused_where_they_differ(calor, text, said):
    assert said in calor("train", "iris", "--pipeline", text, code=2).stderr


def test_what_does_not_go_with_it_is_refused(calor, trained, tmp_path):
    path, _ = trained
    assert "--layers" in calor("train", "wine", *QUICK, "--layers", "3", code=2).stderr
    assert "--attention" in calor("train", "wine", *QUICK, "--attention", "l2", code=2).stderr
    assert "learned-propagator width=3" in calor("train", "wine", "--pipeline", "learned-propagator", "--width", "3", code=2).stderr
    calor("train", "iris", "--epochs", "2", "--save", tmp_path / "network.safetensors", "-q", "--json")
    assert "--model propagator" in calor("predict", tmp_path / "network.safetensors", "iris", "--evidence", "2", code=2).stderr
    (tmp_path / "few.csv").write_text("a,b\n1,2\n")
    assert "alcohol" in calor("predict", path, tmp_path / "few.csv", code=3).stderr


def test_a_class_that_the_model_does_not_know_is_named(calor, tmp_path):
    rng = np.random.default_rng(1)
    rows = [f"{a:.3f},{b:.3f},{'left' if i % 2 else 'right'}" for i, (a, b) in enumerate(rng.normal(size=(40, 2)) + np.arange(40)[:, None] % 2 * 4)]
    (tmp_path / "data.csv").write_text("a,b,side\n" + "\n".join(rows) + "\n")
    calor("train", tmp_path / "data.csv", *QUICK, "--save", tmp_path / "m.safetensors", "-q", "--json")
    (tmp_path / "new.csv").write_text("a,b,side\n1,2,above\n")
    done = calor("predict", tmp_path / "m.safetensors", tmp_path / "new.csv", code=3)
    assert "above" in done.stderr and "known classes" in done.stderr
    (tmp_path / "bare.csv").write_text("b,a\n4,4\n0,0\n")  # columns by name, without labels
    values = calor("predict", tmp_path / "m.safetensors", tmp_path / "bare.csv", "-q").stdout.splitlines()
    assert [line.split(",")[0] for line in values[1:]] == ["left", "right"]


def clouds(rows, offset=0.0):
    random = np.random.default_rng(3)
    labels = np.arange(rows) % 3
    points = random.normal(size=(rows, 4)) + labels[:, None] * [2, -1, 0, 1] + offset
    return points, labels


def written(path, names, columns):
    np.savetxt(path, np.column_stack(columns), delimiter=",", header=",".join(names), comments="", fmt="%.17g")
    return path


def test_columns_are_matched_by_name_or_refused(calor, tmp_path):
    points, labels = clouds(90)
    names = ["x0", "x1", "x2", "x3"]
    data = written(tmp_path / "data.csv", [*names, "y"], [points, labels])
    model = tmp_path / "model.safetensors"
    accuracy = json.loads(calor("train", data, *QUICK, "--noise", "0", "--save", model, "--json", "-q").stdout)["quality"]["accuracy"]
    assert accuracy > 0.7
    turned = written(tmp_path / "turned.csv", ["x3", "x2", "x1", "x0", "y"], [points[:, ::-1], labels])
    assert calor("predict", model, turned, "-q").stdout == calor("predict", model, data, "-q").stdout
    renamed = written(tmp_path / "renamed.csv", ["x3", "x2", "x1", "q", "y"], [points[:, ::-1], labels])
    assert '"x0"' in calor("predict", model, renamed, code=3).stderr
    missing = written(tmp_path / "missing.csv", [*names[:3], "y"], [points[:, :3], labels])
    assert '"x3"' in calor("predict", model, missing, code=3).stderr
    assert '"nosuch"' in calor("predict", model, data, "--label", "nosuch", code=3).stderr


@pytest.mark.parametrize("flags", [["--noise", "1e9"], ["--width", "100001"], ["--batch", "1"], ["--lr", "0"], ["--weight-decay", "1e9"]])
def test_a_number_out_of_its_range_is_named(calor, flags):
    message = calor("train", "iris", "--model", "propagator", *flags, code=2).stderr
    assert f"expected {flags[0]} from" in message or f"{flags[0]}: " in message


def test_a_metric_that_does_not_fit_is_refused(calor):
    message = calor("train", "iris", *QUICK, "--width", "100000", "--max-memory", "20M", code=4).stderr
    assert "--width" in message


def test_a_step_too_far_says_what_to_make_smaller(calor):
    message = calor("train", "iris", *QUICK, "--noise", "0", "--lr", "1e5", code=5).stderr
    assert "--lr" in message and "non-finite" in message


def test_an_offset_costs_no_digits(calor, tmp_path):
    """1e12 is far beyond what floats tell apart."""
    quality = []
    for offset in (0.0, 1e12):
        points, labels = clouds(300, offset)
        data = written(tmp_path / f"{offset}.csv", ["a", "b", "c", "d", "y"], [points, labels])
        document = json.loads(calor("train", data, *QUICK, "--noise", "0.3", "--save", tmp_path / "m.safetensors", "--json", "-q").stdout)
        quality.append(document["quality"]["log_loss"])
        found = json.loads(calor("predict", tmp_path / "m.safetensors", data, "--json", "-q").stdout)
        assert found["accuracy"] > 0.7
    assert quality[1] == pytest.approx(quality[0], rel=1e-2)


def test_the_file_of_the_other_command_names_it(calor, trained, tmp_path):
    path, _ = trained
    assert calor("apply", path, "wine").stdout == calor("predict", path, "wine").stdout
    calor("run", "propagator", "iris", "--save", tmp_path / "fit.safetensors", "-q", "--json")
    assert "calor apply" in calor("predict", tmp_path / "fit.safetensors", "iris", code=3).stderr
