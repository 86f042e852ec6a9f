"""What is read is said, and every guess can be settled; results go out as the file's name says.  Expectations are written by hand."""
import json

import numpy as np
import pytest

from command import run


def write(path, text):
    path.write_text(text)
    return str(path)


PLACES = "x,y\n" + "".join(f"{10 * (i % 3) + i % 2},{5 * (i % 3) - i % 2}\n" for i in range(45))


def test_coordinates_called_y_stay_coordinates(tmp_path):
    data = write(tmp_path / "places.csv", PLACES)
    done = run("run", "k-means", data, "--set", "k=3")
    sizes = sorted(done.stdout.split()[1:].count(str(c)) for c in range(3))
    assert sizes == [15, 15, 15]
    assert "read 45 rows x 2 features (no label; header yes; comma)" in done.stderr


def test_the_line_is_in_json_with_its_parts(tmp_path):
    data = write(tmp_path / "a.csv", "id;a;b;kind\nr1;1,5;2;p\nr2;2,5;3;q\nr3;4,5;7;p\n# end\n")
    read = json.loads(run("run", "mds", data, "--json").stdout)["read"]
    assert read["line"] == 'read 3 rows x 2 features (label "kind", 2 classes; names "id"; header yes; semicolon; decimal comma)'
    assert read["delimiter"] == "semicolon" and read["decimal"] == "comma" and read["header"] is True and read["comments"] == 1
    assert read["notes"] == ["1 comment line left out"]


def test_quiet_says_nothing(tmp_path):
    data = write(tmp_path / "places.csv", PLACES)
    assert run("run", "mds", data, "-q").stderr == ""


@pytest.mark.parametrize("recipe", ["knn-classifier", "label-spreading", "propagator"])
@pytest.mark.parametrize("column", ["y", "label", "target", "class"])
def test_classifiers_refuse_measured_values_by_name(tmp_path, recipe, column):
    rows = "".join(f"{i},{i * i % 17},{0.37 * i - 3}\n" for i in range(40))
    done = run("run", recipe, write(tmp_path / "a.csv", f"a,b,{column}\n{rows}"), code=3)
    assert f'"{column}"' in done.stderr and "measured" in done.stderr and "knn-regressor" in done.stderr


def test_categories_are_kept_in_the_fit(tmp_path):
    rows = "".join(f"{['Oslo', 'Lund', 'Riga'][i % 3]},{i % 3 + 0.1 * (i % 2)},{['p', 'q', 'r'][i % 3]}\n" for i in range(30))
    data = write(tmp_path / "a.csv", "city,a,kind\n" + rows)
    fit = str(tmp_path / "fit.calor")
    run("run", "knn-classifier", data, "--one-hot", "city", "--save", fit)
    new = write(tmp_path / "new.csv", "a,city\n0.05,Oslo\n2.05,Riga\n")
    assert [line.split(",")[0] for line in run("apply", fit, new).stdout.splitlines()[1:]] == ["p", "r"]
    unseen = run("apply", fit, write(tmp_path / "unseen.csv", "a,city\n0.05,Oslo\n2.05,Bergen\n"), code=3)
    assert '"Bergen"' in unseen.stderr and "line 3" in unseen.stderr


def test_missing_values_are_filled_from_the_fit(tmp_path):
    data = write(tmp_path / "a.csv", "id,a,b\n" + "".join(f"r{i},{i},{'NA' if i == 4 else 2 * i}\n" for i in range(20)))
    refused = run("run", "mds", data, code=3)
    assert "line 6, column 3" in refused.stderr and "--missing" in refused.stderr
    dropped = run("run", "mds", data, "--missing", "drop")
    assert len(dropped.stdout.splitlines()) == 20 and "r4," not in dropped.stdout and "1 of 20 rows miss a value" in dropped.stderr
    fit = str(tmp_path / "fit.calor")
    run("run", "nadaraya-watson", data, "--label", "a", "--missing", "mean", "--save", fit)
    mean = float(np.mean([2 * i for i in range(20) if i != 4]))
    given = run("apply", fit, write(tmp_path / "new.csv", f"b\n{mean!r}\n")).stdout
    filled = run("apply", fit, write(tmp_path / "gap.csv", "b,c\nNA,0\n"))
    value = [float(text.split()[1]) for text in (filled.stdout, given)]
    assert value[0] == pytest.approx(value[1], rel=1e-12) and "filled in by the means of the rows that were learned from" in filled.stderr


def test_output_formats(tmp_path):
    data = write(tmp_path / "a.csv", "id,a,b,kind\n" + "".join(f"r{i},{i},{i * i},{'pq'[i % 2]}\n" for i in range(12)))
    for suffix in ("csv", "tsv", "npy"):
        run("run", "mds", data, "-o", str(tmp_path / f"out.{suffix}"))
    csv = (tmp_path / "out.csv").read_text()
    assert (tmp_path / "out.tsv").read_text() == csv.replace(",", "\t")
    numbers = np.load(tmp_path / "out.npy")
    assert np.array_equal(numbers, np.array([[float(cell) for cell in line.split(",")[1:3]] for line in csv.splitlines()[1:]]))
    run("run", "mds", data, "--append", "-o", str(tmp_path / "joined.csv"))
    joined = (tmp_path / "joined.csv").read_text().splitlines()
    assert joined[0] == "name,a,b,dim1,dim2,kind"
    assert joined[3].startswith("r2,2,4,")
    assert ".parquet" in run("run", "mds", data, "-o", str(tmp_path / "out.parquet"), code=2).stderr


def test_options_that_no_file_fits(tmp_path):
    data = write(tmp_path / "a.csv", "a,b\n1,2\n3,4\n5,7\n")
    assert "the columns are a, b" in run("run", "mds", data, "--features", "other,b", code=3).stderr
    assert "--delimiter" in run("run", "mds", data, "--delimiter", "ab", code=2).stderr
    assert "--missing" in run("run", "mds", data, "--missing", "mode", code=2).stderr
    assert "encoding" in run("run", "mds", data, "--encoding", "klingon", code=2).stderr


@pytest.mark.parametrize("model", ["network", "propagator"])
def test_trained_models_keep_categories_and_means(tmp_path, model):
    rows = "".join(f"{['Oslo', 'Lund'][i % 2]},{'' if i == 7 else i % 2 + 0.01 * i},{['p', 'q'][i % 2]}\n" for i in range(60))
    data = write(tmp_path / "a.csv", "city,a,kind\n" + rows)
    saved = str(tmp_path / "m.safetensors")
    run("train", data, "--model", model, "--one-hot", "city", "--missing", "mean", "--epochs", "200", "--save", saved)
    out = run("predict", saved, write(tmp_path / "new.csv", "a,city\nNA,Oslo\n1.3,Lund\n"))
    assert [line.split(",")[0] for line in out.stdout.splitlines()[1:]] == ["p", "q"] and "filled in" in out.stderr
    assert "use mean" in run("train", data, "--missing", "neighbours", "--one-hot", "city", "--save", saved, code=2).stderr


def test_sparse_points_made_dense_are_judged_as_dense_ones(tmp_path):
    random = np.random.default_rng(3)
    points = np.where(random.random((60, 9)) < 0.4, random.random((60, 9)).round(3), 0) + 3 * np.eye(3)[np.arange(60) % 3].repeat(3, axis=1)
    sparse = write(tmp_path / "a.svm", "".join(f"{i % 3} " + " ".join(f"{c + 1}:{value}" for c, value in enumerate(row) if value) + "\n" for i, row in enumerate(points)))
    dense = write(tmp_path / "a.csv", ",".join(f"x{c}" for c in range(9)) + ",label\n" + "".join(",".join(map(str, row)) + f",{i % 3}\n" for i, row in enumerate(points)))
    found = {path: run("run", "mds", path, "--label", "label", "--json", "--report", str(tmp_path / "r.html")) for path in (sparse, dense)}
    quality = {path: json.loads(done.stdout)["quality"]["embedding"] for path, done in found.items()}
    assert quality[sparse] == pytest.approx(quality[dense], rel=1e-9)
    assert quality[sparse]["trustworthiness"] > 0.8
    assert "trustworthiness" in run("run", "mds", sparse).stderr
