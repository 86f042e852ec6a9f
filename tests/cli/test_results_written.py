"""What the commands write: columns keep apart, files are what their names say, rows keep their names, and nothing is ignored.

Truth: the same result written in another form, or computed by numpy.
"""
import json

import numpy as np
import pytest

from command import document_of, run as calor


def write(path, text):
    path.write_text(text)
    return path


def table(text, separator=","):
    """Columns by name, which must be different."""
    header, *lines = [line.split(separator) for line in text.splitlines()]
    assert len(set(header)) == len(header), header
    return dict(zip(header, zip(*lines, strict=True), strict=True))


# ---- a page of figures that do not exist ----

@pytest.mark.parametrize("labels", [["", "", "p", "q"], ["p", "", "", "q"], ["", "p", "p", ""]])
def test_a_report_with_hardly_any_labels(tmp_path, labels):
    data = write(tmp_path / "few.csv", "a,label\n" + "".join(f"{a},{label}\n" for a, label in zip([1, 0, 2, 0], labels, strict=True)))
    page = tmp_path / "r.html"
    done = calor("run", "laplacian-eigenmaps", data, "--set", "knn.k=2", "--label", "label", "--report", page)
    document = document_of(page)
    assert document["quality"]["embedding"]["trustworthiness"] is not None
    assert all("null" not in text and "nan" not in text for text in [*document["summary"], done.stderr])


def test_a_report_where_labelled_rows_meet_in_the_picture_alone(tmp_path):
    """The top and the bottom of an ellipse: side by side along its long axis, far apart in the plane."""
    angles = 2 * np.pi * np.arange(40) / 40
    rows = [f"{2 * np.cos(t):.6f},{1.8 * np.sin(t):.6f},{'p' if i == 10 else 'q' if i == 30 else ''}" for i, t in enumerate(angles)]
    data = write(tmp_path / "two.csv", "a,b,label\n" + "\n".join(rows) + "\n")
    calor("run", "mds", data, "--set", "eigen.k=1", "--label", "label", "--report", tmp_path / "r.html")
    document = document_of(tmp_path / "r.html")
    quality = document["quality"]["embedding"]
    assert quality["purity"] == 0 and quality["purity_of_input"] is None
    assert any("share its label." in text for text in document["summary"])


# ---- columns ----

@pytest.mark.parametrize("recipe, label, words", [("k-means", "cluster", ["--set", "k=2"]), ("mds", "dim1", []), ("mds", "name", []), ("knn-regressor", "value", [])])
def test_the_result_keeps_its_column_names(tmp_path, recipe, label, words):
    numbers = recipe == "knn-regressor"
    rows = "".join(f"r{i},{i % 2 * 5 + i / 10},{i * i % 7},{i / 4 if numbers else 'AB'[i % 2]}\n" for i in range(12))
    data, other = (write(tmp_path / f"{name}.csv", f"id,b,c,{column}\n{rows}") for name, column in (("same", label), ("other", "kind")))
    plain = json.loads(calor("run", recipe, other, *words, "--label", "kind", "--json", "-q").stdout)["result"]
    done = calor("run", recipe, data, *words, "--label", label, "--json")
    found = json.loads(done.stdout)
    assert f'note: [output] the input\'s column "{label}" is written as "input_{label}"' in done.stderr
    assert {"stage": "output", "text": found["notes"][-1]["text"]} in found["notes"] and f"input_{label}" in found["notes"][-1]["text"]
    renamed = {("kind" if name == f"input_{label}" else name): values for name, values in found["result"]["values"].items()}
    assert renamed == plain["values"]
    assert found["result"]["order"] == [f"input_{label}" if name == "kind" else name for name in plain["order"]]
    # The same names in the other forms.
    csv = table(calor("run", recipe, data, *words, "--label", label, "-q").stdout)
    calor("run", recipe, data, *words, "--label", label, "-q", "-o", tmp_path / "out.tsv")
    assert list(csv) == found["result"]["order"] and table((tmp_path / "out.tsv").read_text(), "\t") == csv
    joined = table(calor("run", recipe, data, *words, "--label", label, "--append", "-q").stdout)
    assert {name: joined[name] for name in csv} == csv and {"b", "c"} < set(joined)


def test_features_beside_a_result_of_their_names(tmp_path):
    data = write(tmp_path / "a.csv", "id,dim1,dim2,dim3\n" + "".join(f"r{i},{i},{i * i % 7},{i % 3}\n" for i in range(8)))
    plain = table(calor("run", "mds", data, "-q").stdout)
    done = calor("run", "mds", data, "--append")
    joined = table(done.stdout)
    assert list(joined) == ["name", "input_dim1", "input_dim2", "dim3", "dim1", "dim2"]
    assert joined["dim1"] == plain["dim1"] and joined["input_dim1"] == tuple(str(i) for i in range(8))
    assert done.stderr.count("note: [output]") == 2
    # Moved points have the features' own names.
    moved = table(calor("run", "mean-shift", data, "--append", "-q").stdout)
    assert moved["input_dim3"] == joined["dim3"] if "input_dim3" in moved else "cluster" in moved


def test_append_says_what_it_cannot_join(tmp_path):
    sparse = write(tmp_path / "a.libsvm", "".join(f"{i % 2} 1:{i + 1} {2 + i % 3}:1.5\n" for i in range(12)))
    assert "found sparse points" in calor("run", "knn-classifier", sparse, "--set", "knn.k=2", "--append", code=2).stderr
    distances = write(tmp_path / "d.csv", "a,b,c\n0,1,2\n1,0,1.5\n2,1.5,0\n")
    assert "found distances" in calor("run", "mds", distances, "--as", "distances", "--append", code=2).stderr
    assert "found a graph" in calor("run", "pagerank", write(tmp_path / "e.txt", "a b\nb c\n"), "--append", code=2).stderr


# ---- files are what their names say ----

def test_the_name_of_the_output_decides_its_form(tmp_path):
    data = write(tmp_path / "a.csv", "id,a,b,kind\n" + "".join(f"r{i},{i},{i * i},{'pq'[i % 2]}\n" for i in range(12)))
    calor("run", "mds", data, "--save", tmp_path / "fit", "-q")
    for command in (["run", "mds"], ["apply", tmp_path / "fit"]):
        csv = calor(*command, data, "-q").stdout
        for name in ("plain", "plain.txt", "plain.csv", "PLAIN.CSV"):
            calor(*command, data, "-q", "-o", tmp_path / name)
            assert (tmp_path / name).read_text() == csv, name
        calor(*command, data, "-q", "-o", tmp_path / "out.json")
        document = json.loads((tmp_path / "out.json").read_text())
        printed = json.loads(calor(*command, data, "-q", "--json").stdout)
        assert document["result"] == printed["result"] and set(document) == set(printed)
        for name in ("x.foo", "x.npz", "x.parquet", "x.csv.gz"):
            assert "expected a .csv, .tsv, .npy or .json file" in calor(*command, data, "-o", tmp_path / name, code=2).stderr
            assert not (tmp_path / name).exists()
        assert "--json" in calor(*command, data, "--json", "-o", tmp_path / "x.npy", code=2).stderr


# ---- apply ----

def with_a_gap(tmp_path, gaps=(3,)):
    return write(tmp_path / "gap.csv", "id,a,b,kind\n" + "".join(f"n{i},{'' if i in gaps else i + 0.5},{i % 3},{'pq'[i % 2]}\n" for i in range(9)))


@pytest.fixture
def whole(tmp_path):
    return write(tmp_path / "whole.csv", "id,a,b,kind\n" + "".join(f"r{i},{i},{i % 3},{'pq'[i % 2]}\n" for i in range(12)))


@pytest.mark.parametrize("fitted", [[], ["--missing", "drop"], ["--missing", "mean"], ["--missing", "neighbours"]])
def test_apply_does_what_missing_says(tmp_path, whole, fitted):
    gap, fit = with_a_gap(tmp_path), tmp_path / "fit"
    calor("run", "knn-classifier", whole, "--set", "knn.k=3", *fitted, "--save", fit, "-q")
    assert "--missing" in calor("apply", fit, gap, "--missing", "refuse", code=3).stderr
    dropped = table(calor("apply", fit, gap, "--missing", "drop").stdout)
    assert dropped["name"] == ("n0", "n1", "n2", "n4", "n5", "n6", "n7", "n8")
    filled = table(calor("apply", fit, gap, "--missing", "mean", "-q").stdout)
    mean = write(tmp_path / "mean.csv", gap.read_text().replace("n3,,", "n3,5.5,"))  # of 0..11
    assert filled == table(calor("apply", fit, mean, "-q").stdout) and len(filled["name"]) == 9
    near = table(calor("apply", fit, gap, "--missing", "neighbours", "-q").stdout)
    # b is 0 in the rows 0, 3, 6 and 9; the fifth nearest is the first of the others, the row 1.
    nearest = write(tmp_path / "near.csv", gap.read_text().replace("n3,,", f"n3,{np.mean([0, 3, 6, 9, 1])},"))
    assert near == table(calor("apply", fit, nearest, "-q").stdout)


def test_apply_refuses_what_it_would_ignore(tmp_path, whole):
    fit = tmp_path / "fit"
    calor("run", "knn-classifier", whole, "--save", fit, "-q")
    assert "expected no --features" in calor("apply", fit, whole, "--features", "a", code=2).stderr
    assert "expected no --one-hot" in calor("apply", fit, whole, "--one-hot", "auto", code=2).stderr
    distances = write(tmp_path / "d.csv", "a,b,c\n0,1,2\n1,0,1.5\n2,1.5,0\n")
    calor("run", "mds", distances, "--as", "distances", "--set", "eigen.k=1", "--save", fit, "-q")
    assert "a fit of distances" in calor("apply", fit, distances, "--missing", "mean", code=2).stderr


def test_the_rows_of_the_fit_are_not_held_out(tmp_path):
    random = np.random.default_rng(1)
    points = random.normal(size=(30, 2)).astype(np.float32)
    kinds = ["pq"[int(a > 0)] for a, _ in points]
    lines = [f"{a!r},{b!r},{kind}" for (a, b), kind in zip(points.tolist(), kinds, strict=True)]
    fit = tmp_path / "fit"
    calor("run", "knn-classifier", write(tmp_path / "train.csv", "\n".join(["a,b,kind", *lines[:20]])), "--save", fit, "-q")
    again = calor("apply", fit, write(tmp_path / "again.tsv", "\n".join(["a,b,kind", *lines[:20]]).replace(",", "\t")))
    assert "accuracy" not in again.stderr and "these are the rows of the fit" in again.stderr
    some = calor("apply", fit, write(tmp_path / "some.csv", "\n".join(["a,b,kind", *lines[15:]])))
    assert "5 of 15 rows have the same features as a row of the fit" in some.stderr and "on 15 labelled rows" in some.stderr
    fresh = calor("apply", fit, write(tmp_path / "fresh.csv", "\n".join(["a,b,kind", *lines[20:]])))
    assert "on 10 held-out rows" in fresh.stderr and "note: [apply]" not in fresh.stderr


# ---- values and counts ----

def test_a_target_that_is_infinite_is_refused_by_its_line(tmp_path):
    data = write(tmp_path / "a.csv", "a,y\n" + "".join(f"{i},{'inf' if i == 3 else i * 2.5}\n" for i in range(12)))
    assert '"inf"' in (done := calor("run", "knn-regressor", data, "--label", "y", code=3)).stderr and "line 5" in done.stderr


def test_measured_values_are_no_classes(tmp_path):
    data = write(tmp_path / "a.csv", "a,y\n" + "".join(f"{i},{i * 2.5}\n" for i in range(12)))
    assert 'label "y", 12 different values;' in calor("run", "knn-regressor", data, "--label", "y").stderr
    few = write(tmp_path / "b.csv", "a,y\n" + "".join(f"{i},{i % 2}\n" for i in range(12)))
    assert 'label "y", 2 classes;' in calor("run", "knn-classifier", few, "--label", "y").stderr


def test_one_row_is_one_row(tmp_path):
    data = write(tmp_path / "a.csv", "a\n0\n0.1\n9\n")
    done = calor("run", "radius(1) | distance(2) | exp(1) | row | eigen(1)", data, code=None)
    assert "1 of 3 rows is empty and stays so" in done.stderr


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"], ["recipes"]])
def test_help_that_cannot_be_written_is_an_error(words):
    with open("/dev/full", "w") as full:
        done = calor(*words, code=3, capture_output=False, stdout=full, stderr=-1)
    assert "[output] expected to write standard output" in done.stderr and "No space left" in done.stderr
