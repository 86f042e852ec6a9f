"""What calor predict and calor train write: rows keep their names, files are what their names say, --missing is heard.

Truth: the same predictions written in another form, or made of the rows with their gaps filled by hand.
"""
import json

import numpy as np
import pytest

from command import run as calor

MODELS = {"network": ["--epochs", "30"], "propagator": ["--model", "propagator", "--epochs", "3"],
          "propagator-regressor": ["--model", "propagator-regressor", "--epochs", "3", "--label", "y"]}


def write(path, text):
    path.write_text(text)
    return path


def lines_of(gaps=(), first=0, rows=40):
    return "id,a,b,y\n" + "".join(f"s{i},{'' if i in gaps else i % 2 * 3 + i / 100},{i % 2},{i % 2}\n" for i in range(first, first + rows))


def table(text, separator=","):
    header, *lines = [line.split(separator) for line in text.splitlines()]
    return dict(zip(header, zip(*lines, strict=True), strict=True))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Each kind of model, trained on whole rows and on rows with a gap that was filled."""
    folder = tmp_path_factory.mktemp("models")
    data, gap = write(folder / "whole.csv", lines_of()), write(folder / "gap.csv", lines_of(gaps=[4]))
    for name, words in MODELS.items():
        calor("train", data, *words, "--save", folder / name, "-q")
        calor("train", gap, *words, "--missing", "mean", "--save", folder / f"{name}-mean", "-q")
    return folder


@pytest.mark.parametrize("model", MODELS)
def test_predictions_in_every_form(models, tmp_path, model):
    data = models / "whole.csv"
    evidence = [] if model == "network" else ["--evidence", "2"]
    csv = calor("predict", models / model, data, *evidence, "-q").stdout
    found = table(csv)
    assert list(found)[0] == "name" and found["name"] == tuple(f"s{i}" for i in range(40))
    for suffix in ("csv", "txt", "tsv", "npy", "json"):
        calor("predict", models / model, data, *evidence, "-q", "-o", tmp_path / f"p.{suffix}")
    assert (tmp_path / "p.csv").read_text() == (tmp_path / "p.txt").read_text() == csv
    assert table((tmp_path / "p.tsv").read_text(), "\t") == found
    document = json.loads((tmp_path / "p.json").read_text())
    assert document["kind"] == "predict" and document["read"]["line"].startswith("read 40 rows")
    assert [row["name"] for row in document["rows"]] == list(found["name"])
    what = "value" if "regressor" in model else "prediction"
    assert [str(row[what]) for row in document["rows"]] == [text if what == "prediction" else str(float(text)) for text in found[what]]
    texts = {"name", "prediction"} | ({"evidence1_label", "evidence2_label"} if what == "prediction" else set())
    numbers = np.array([[float(cell) for cell in cells] for name, cells in found.items() if name not in texts]).T
    assert np.array_equal(np.load(tmp_path / "p.npy"), numbers)
    for suffix in ("npz", "foo"):
        assert "expected a .csv, .tsv, .npy or .json file" in calor("predict", models / model, data, "-o", tmp_path / f"p.{suffix}", code=2).stderr


@pytest.mark.parametrize("model", MODELS)
def test_rows_left_out_can_be_told(models, tmp_path, model):
    gap = write(tmp_path / "gap.csv", lines_of(gaps=[1, 3], rows=6))
    assert "--missing" in calor("predict", models / model, gap, code=3).stderr
    assert table(calor("predict", models / model, gap, "--missing", "drop", "-q").stdout)["name"] == ("s0", "s2", "s4", "s5")
    bare = write(tmp_path / "bare.csv", "\n".join(line.split(",", 1)[1] for line in gap.read_text().splitlines()))
    assert table(calor("predict", models / model, bare, "--missing", "drop", "-q").stdout)["name"] == ("1", "3", "5", "6")
    assert "name" not in table(calor("predict", models / model, write(tmp_path / "all.csv", "a,b\n1,0\n3,1\n"), "-q").stdout)


@pytest.mark.parametrize("model", MODELS)
def test_predict_does_what_missing_says(models, tmp_path, model):
    gap = write(tmp_path / "gap.csv", lines_of(gaps=[1], rows=6))
    for saved in (models / model, models / f"{model}-mean"):
        filled = calor("predict", saved, gap, "--missing", "mean", "-q").stdout
        assert len(filled.splitlines()) == 7
        assert len(calor("predict", saved, gap, "--missing", "drop", "-q").stdout.splitlines()) == 6
        assert "remove the row" in calor("predict", saved, gap, "--missing", "refuse", code=3).stderr
        assert "drop or mean" in calor("predict", saved, gap, "--missing", "neighbours", code=2).stderr
    assert calor("predict", models / f"{model}-mean", gap, "-q").stdout == filled
    for word in ("--features", "--one-hot"):
        assert f"expected no {word}" in calor("predict", models / model, gap, word, "a", code=2).stderr


def test_the_mean_is_that_of_the_training_rows(tmp_path):
    """All rows train, with a file of test rows: the mean of the column a is known."""
    data, test = write(tmp_path / "a.csv", lines_of()), write(tmp_path / "t.csv", lines_of(first=100, rows=6))
    calor("train", data, "--test", test, "--model", "propagator", "--epochs", "2", "--save", tmp_path / "m", "-q")
    mean = float(np.mean([i % 2 * 3 + i / 100 for i in range(40)]))
    gap = calor("predict", tmp_path / "m", write(tmp_path / "gap.csv", "a,b\n,1\n"), "--missing", "mean", "-q").stdout
    given = calor("predict", tmp_path / "m", write(tmp_path / "given.csv", f"a,b\n{mean!r},1\n"), "-q").stdout
    assert np.allclose([float(cell) for cell in gap.splitlines()[1].split(",")], [float(cell) for cell in given.splitlines()[1].split(",")], rtol=1e-9)


def test_train_says_what_it_read(tmp_path):
    data = write(tmp_path / "a.csv", lines_of(gaps=[7]))
    for words in MODELS.values():
        read = json.loads(calor("train", data, *words, "--missing", "drop", "--json", "-q").stdout)["read"]
        assert read["line"].startswith("read 39 rows x 2 features") and read["delimiter"] == "comma" and len(read["notes"]) >= 1


def test_what_is_wrong_is_said_in_words(tmp_path):
    constant = write(tmp_path / "c.csv", "a,b,kind\n" + "".join(f"1,2,{'pq'[i % 2]}\n" for i in range(20)))
    done = calor("train", constant, "--model", "propagator", code=3)
    assert "found all 2 constant" in done.stderr and "[loo]" not in done.stderr and "give a number" not in done.stderr
    wild = write(tmp_path / "w.csv", "a,kind\n" + "".join(f"{i % 2 + i / 100},{'pq'[i % 2]}\n" for i in range(20)))
    done = calor("train", wild, "--lr", "1e30", "--epochs", "20", code=5)
    assert "found that the loss became non-finite in epoch" in done.stderr
    assert "1 feature " in calor("train", wild, "--epochs", "1").stdout
    assert "1 feature, 2 classes; 1 seed\n" in calor("compare", wild, "--epochs", "1", "--seeds", "1", "--attention", "self", "--no-baselines", code=(0, 5)).stdout
