"""calor train --model propagator-regressor and predict with it, as a user runs them: against scikit-learn's nearest neighbours on its diabetes
set, evidence that adds up, columns by name and by place, text among numbers, Ctrl-C and the same command again."""
import json

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.neighbors import KNeighborsRegressor

from command import cut_short

TRAIN = ["--model", "propagator-regressor"]


def write(path, names, rows):
    path.write_text(",".join(names) + "\n" + "\n".join(",".join(f"{value:.9g}" for value in row) for row in rows) + "\n")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regressor")
    x, y = load_diabetes(return_X_y=True)
    names = load_diabetes().feature_names
    table = np.c_[x, y]
    return (write(folder / "train.csv", [*names, "progression"], table[:330]), write(folder / "test.csv", [*names, "progression"], table[330:]), names, x, y)


@pytest.fixture(scope="module")
def trained(calor, files, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    document = json.loads(calor("train", files[0], "--test", files[1], *TRAIN, "--epochs", "60", "--save", path, "--json", "-q").stdout)
    return path, document


def test_it_predicts_better_than_neighbours(trained, files):
    _, document = trained
    _, _, _, x, y = files
    assert document["model_kind"] == "propagator-regressor" and document["label"] == "progression" and document["classes"] == []
    assert [trial["noise"] for trial in document["trials"]] == [None, 0, 0.15, 0.3, 0.6] and all(trial["rmse"] is None or trial["rmse"] > 0 for trial in document["trials"])
    assert document["quality"]["rows"] == 112
    theirs = max(KNeighborsRegressor(k).fit(x[:330], y[:330]).score(x[330:], y[330:]) for k in (5, 10, 20))
    assert document["quality"]["r2"] > theirs - 0.03 and document["quality"]["r2"] > 0.4
    variance = np.mean((y[330:] - y[330:].mean()) ** 2)
    assert document["quality"]["rmse"] ** 2 == pytest.approx((1 - document["quality"]["r2"]) * variance, rel=1e-5)


def test_evidence_adds_up_and_columns_are_found_by_name(calor, trained, files, tmp_path):
    path, document = trained
    _, test, names, x, y = files
    found = json.loads(calor("predict", path, test, "--evidence", "330", "--json", "-q").stdout)
    assert found["quality"] == document["quality"]
    for row in found["rows"]:
        assert sum(one["weight"] for one in row["evidence"]) == pytest.approx(1)
        assert sum(one["weight"] * one["label"] for one in row["evidence"]) == pytest.approx(row["value"])
        assert all(one["label"] == pytest.approx(y[one["row"] - 1]) for one in row["evidence"][:3])
    turned = write(tmp_path / "turned.csv", names[::-1], x[330:, ::-1])  # another order, no values to compare with
    lines = calor("predict", path, turned, "--evidence", "1").stdout.splitlines()
    assert lines[0] == "value,evidence1,evidence1_label,evidence1_weight"
    assert [float(line.split(",")[0]) for line in lines[1:]] == pytest.approx([row["value"] for row in found["rows"]])
    (tmp_path / "few.csv").write_text("age,sex\n1,2\n")
    assert "bmi" in calor("predict", path, tmp_path / "few.csv", code=3).stderr


def test_what_it_cannot_train_on_is_refused(calor, tmp_path):
    text = tmp_path / "text.csv"
    text.write_text("a,colour,y\n" + "".join(f"{i},{'red' if i % 2 else 'blue'},{i * 0.5}\n" for i in range(20)))
    assert "colour" in calor("train", text, *TRAIN, code=3).stderr
    assert "colour" in calor("train", text, "--model", "propagator", "--label", "y", code=3).stderr
    equal = tmp_path / "equal.csv"
    equal.write_text("a,y\n" + "".join(f"{i},7\n" for i in range(20)))
    assert "values that differ" in calor("train", equal, *TRAIN, code=3).stderr
    assert "--noise" in calor("train", "iris", "--noise", "0.2", code=2).stderr


@pytest.mark.parametrize("model", ["propagator", "propagator-regressor"])
def test_interrupted_training_goes_on_to_the_same_model(calor, tmp_path, model):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 4))
    label = (x[:, 0] > 0).astype(int) if model == "propagator" else np.sin(x[:, 0])
    data = write(tmp_path / "data.csv", ["a", "b", "c", "d", "y"], np.c_[x, label])

    def train(epochs, path):
        return ["train", data, "--model", model, "--epochs", epochs, "--noise", "0.2", "-q", "--save", path]

    save, whole, checkpoint = (tmp_path / name for name in ("m.safetensors", "whole.safetensors", "m.safetensors.checkpoint"))
    epochs, code, said = cut_short(lambda *run: [*train(*run), "--checkpoint-seconds", "0"], save, 400)
    assert code == 130 and "goes on from" in said and not save.exists() and checkpoint.exists()
    assert "--restart" in calor(*train(epochs, save), "--seed", "5", code=3).stderr
    calor(*train(epochs, save))
    calor(*train(epochs, whole))
    assert save.read_bytes() == whole.read_bytes() and not checkpoint.exists()
