"""calor run and calor apply in the hands of a stranger: names of rows, wrong files, full disks, two runs at once, Ctrl-C.

Every refusal has its exit code, names the place and a remedy, and leaves no file behind.
"""
import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

from command import CALOR, ROOT, interrupted_at_work
from results import coordinates, table

PAGES = ROOT / "docs" / "recipes"


def cloud(rows=40, width=3, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)


def write(path, header, rows):
    path.write_text("\n".join([header] + [",".join(map(str, row)) for row in rows]) + "\n")
    return path


# --- names of rows ------------------------------------------------------------------------------------------------------------


def test_row_names_travel_to_the_output_and_through_apply(calor, tmp_path):
    x = cloud()
    named = write(tmp_path / "named.csv", "gene,a,b,c", [[f"g{i}", *row] for i, row in enumerate(x)])
    plain = write(tmp_path / "plain.csv", "a,b,c", x)
    model = tmp_path / "fit.safetensors"
    with_names = calor("run", "mds", named, "--save", model)
    rows = with_names.stdout.splitlines()
    assert rows[0] == "name,dim1,dim2" and rows[1].startswith("g0,") and rows[40].startswith("g39,")
    assert "gene" in with_names.stderr, "which column became names is said"
    assert [row.split(",", 1)[1] for row in rows] == calor("run", "mds", plain, "-q").stdout.splitlines()
    assert calor("apply", model, named, "-q").stdout.splitlines()[1].startswith("g0,")
    assert calor("apply", model, plain, "-q").stdout.splitlines()[0] == "dim1,dim2"


def test_an_index_column_of_pandas_is_no_feature(calor, tmp_path):
    x = cloud()
    pandas = write(tmp_path / "pandas.csv", ",a,b,c", [[i, *row] for i, row in enumerate(x)])
    plain = write(tmp_path / "plain.csv", "a,b,c", x)
    rows = calor("run", "mds", pandas, "-q").stdout.splitlines()
    assert [row.split(",", 1)[1] for row in rows] == calor("run", "mds", plain, "-q").stdout.splitlines()


def test_measured_labels_keep_row_names(calor, tmp_path):
    x = cloud()
    path = write(tmp_path / "data.csv", "id,a,b,c,target", [[f"p{i}", *row, float(row[0]) * 2] for i, row in enumerate(x)])
    rows = calor("run", "knn-regressor", path, "-q").stdout.splitlines()
    assert rows[0] == "name,value,target" and rows[1].startswith("p0,")


# --- wrong input --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def fitted(calor, tmp_path):
    data = write(tmp_path / "train.csv", "a,b,c", cloud())
    model = tmp_path / "fit.safetensors"
    calor("run", "isomap", data, "--set", "knn.k=8", "--save", model, "-q")
    return model


@pytest.mark.parametrize(
    "header, rows, parts",
    [
        ("a,b", [[1, 2]], ["\"c\"", "new.csv"]),
        ("a,b,d", [[1, 2, 3]], ["\"c\"", "found a, b, d"]),
        ("1,2", [[1, 2]], ["expected 3 feature columns"]),
        ("a,b,c", [[1, "x", 3]], ["line 2", "\"b\""]),
        ("a,b,c", [[1, "nan", 3]], ["line 2", "\"b\"", "missing value"]),
        ("a,b,c", [[1, "1e400", 3]], ["line 2", "finite"]),
        ("a,b,c", [[1, 2, 3], [1, 2]], ["line 3", "expected 3 cells"]),
        ("a,b,c", [], ["only a header"]),
    ],
)
def test_new_points_that_do_not_fit(calor, tmp_path, fitted, header, rows, parts):
    out = tmp_path / "out.csv"
    done = calor("apply", fitted, write(tmp_path / "new.csv", header, rows), "-o", out, code=3)
    for part in parts:
        assert part in done.stderr, done.stderr
    assert not out.exists() and done.stdout == ""


@pytest.mark.parametrize(
    "text, parts",
    [
        ("", ["empty file", "give a file with data"]),
        ("\n\n", ["empty file"]),
        ("a,b\n", ["only a header"]),
        ("a,b\n1,nan\n", ["line 2", "column 2", "remove the row or the column"]),
        ("a,b\n1,inf\n", ["line 2", "column 2"]),
        ("a,b\n1,1e39\n", ["line 2", "range of float"]),
        ("a,b\n1,2\n", ["at least 2 points"]),
        ("a;b\n1.000,5;2,5\n", ["decimal"]),
    ],
)
def test_data_that_are_none(calor, tmp_path, text, parts):
    path = tmp_path / "data.csv"
    path.write_text(text)
    out = tmp_path / "out.csv"
    done = calor("run", "mds", path, "-o", out, code=3)
    for part in parts:
        assert part in done.stderr, done.stderr
    assert not out.exists() and sorted(p.name for p in tmp_path.iterdir()) == ["data.csv"]


def test_huge_values_and_wide_data_have_a_result(run, csv):
    huge, plain = (coordinates(run("mds", csv(cloud() * np.float32(scale)))) for scale in (2.0**120, 1))
    assert np.allclose(np.abs(huge), np.abs(plain) * 2.0**120, rtol=1e-6, atol=2.0**90)
    wide = cloud(2, 10000)
    found = coordinates(run("mds", csv(wide)))
    expected = np.linalg.norm(wide[0].astype(float) - wide[1].astype(float))
    assert abs(np.linalg.norm(found[0] - found[1]) - expected) < 1e-6 * expected


def test_damaged_models_are_refused_wherever_they_are_damaged(calor, tmp_path, fitted):
    fresh = write(tmp_path / "new.csv", "a,b,c", cloud(5))
    whole = fitted.read_bytes()
    damaged = tmp_path / "damaged.safetensors"
    header = int.from_bytes(whole[:8], "little")
    cases = [b"", whole[:4], whole[: header // 2], whole[: 8 + header], whole[:-1], whole + b"x", b"\xff" * 8 + whole[8:], b"PK\x03\x04" + whole]
    names = re.findall(rb'"((?:stage\.\d+\.\w+|features))":', whole[8 : 8 + header])
    needed = [name for name in names if name != b"stage.4.values"]  # the spectrum is for reports
    cases += [whole.replace(b'"' + name + b'"', b'"' + name[:-1] + b'X"', 1) for name in needed]  # a tensor is missing
    cases += [whole.replace(b"knn(8)", b"knn(9)", 1), whole.replace(b"geodesic", b"geodesix", 1), whole.replace(b'"F64"', b'"F32"', 1)]
    for content in cases:
        damaged.write_bytes(content)
        done = subprocess.run([str(CALOR), "apply", str(damaged), str(fresh), "-q"], capture_output=True, text=True, timeout=600)
        if content == cases[-3]:
            continue  # another pipeline over the same numbers is a fit
        assert done.returncode == 3, (content[:60], done.returncode, done.stderr)
        assert "expected" in done.stderr and done.stdout == ""


def test_every_changed_byte_of_a_header_is_survived(tmp_path, calor, fitted):
    """No crash and no endless work, whatever the header says; a byte in a name or a number may still leave a valid fit."""
    fresh = write(tmp_path / "new.csv", "a,b,c", cloud(3))
    whole = bytearray(fitted.read_bytes())
    header = int.from_bytes(whole[:8], "little")
    damaged = tmp_path / "damaged.safetensors"
    for place in np.random.default_rng(1).integers(0, 8 + header, 60):
        changed = bytearray(whole)
        changed[place] ^= 1 << int(place) % 7
        damaged.write_bytes(changed)
        done = subprocess.run([str(CALOR), "apply", str(damaged), str(fresh), "-q"], capture_output=True, text=True, timeout=600)
        assert done.returncode in (0, 2, 3, 4), (place, done.returncode, done.stderr)


# --- the command line ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words, code, parts",
    [
        (["spectral-clustering", "iris", "--set", "k=0"], 2, ["at least 2 for k (number of clusters), found 0"]),
        (["spectral-clustering", "iris", "--set", "k=1"], 2, ["at least 2 for k", "found 1"]),
        (["spectral-clustering", "iris", "--set", "k=2.5"], 2, ["a whole number", "found 2.5"]),
        (["k-means", "iris", "--set", "k=0"], 2, ["at least 1 for k (number of clusters), found 0"]),
        (["k-means", "iris", "--set", "k=many"], 2, ["a whole number", "found many"]),
        (["k-means", "iris", "--set", "k=3)"], 2, ['one value such as 3, auto or 2 * 3, found "3)"']),
        (["mds", "iris", "--set", "eigen.k="], 2, ["one value", 'found ""']),
        (["mds", "iris", "--set", "eigen.k=2)|row("], 2, ["one value"]),
        (["k-means", "iris", "--set", "k=151"], 3, ["at most as many centres as points", "give a smaller k, or more points"]),
        (["mds", "iris", "--seed", "18446744073709551616"], 2, ["from 0 to 18446744073709551615"]),
        (["mds", "iris", "--seed", "-1"], 2, ["from 0 to"]),
        (["mds", "iris", "--seed", "1e3"], 2, ["from 0 to"]),
        (["foo", "iris"], 2, ["expected a recipe"]),
        (["foo | row", "iris"], 2, ["unknown name (known: "]),
        (["distance(2) | exp(auto)", "iris"], 2, ["end with eigen, apply, vote", "                ^^^^^^^^^"]),
    ],
)  # fmt: skip
def test_wrong_words_are_answered(calor, words, code, parts):
    done = calor("run", *words, code=code)
    for part in parts:
        assert part in done.stderr, done.stderr
    assert "did you mean" not in done.stderr


def test_the_largest_seed_is_a_seed(calor, tmp_path):
    model = tmp_path / "fit.safetensors"
    document = json.loads(calor("run", "k-means", "iris", "--set", "k=3", "--seed", 2**64 - 1, "--save", model, "--json", "-q").stdout)
    assert document["seed"] == 2**64 - 1
    assert json.loads(calor("apply", model, "iris", "--json", "-q").stdout)["seed"] == 2**64 - 1


def test_an_edge_list_has_no_labels(calor, tmp_path):
    edges = tmp_path / "edges.txt"
    edges.write_text("a b\nb a\n")
    assert "leave it out" in calor("run", "pagerank", edges, "--label", "x", code=3).stderr


def test_refusals_that_only_data_tell_show_the_place(calor, tmp_path):
    refused = calor("run", "knn(200) | distance(1) | geodesic | double_center | eigen(2)", "iris", code=3).stderr
    assert "\n  knn(200) | distance(1)" in refused and "\n  ^^^^^^^^\n" in refused
    one = write(tmp_path / "one.csv", "a,b", [[1, 2]])
    assert "give more points" in calor("run", "mds", one, code=3).stderr
    memory = calor("run", "mds", "digits", "--max-memory", "30M", code=4).stderr
    assert memory.rstrip().endswith("^" * len("double_center"))


# --- the machine --------------------------------------------------------------------------------------------------------------


# --- labels that are not all there ---------------------------------------------------------------------------------------------


def groups(label):
    """Two far groups of twenty points and the text of each one's label."""
    x = cloud(40, 2)
    x[20:] += 50
    return [[*row, label(i)] for i, row in enumerate(x)]


@pytest.mark.parametrize("missing", ["", "?", "NA"])
@pytest.mark.parametrize("names", ["ab", "12"])
def test_unlabelled_rows_are_predicted(calor, tmp_path, missing, names):
    rows = groups(lambda i: names[i // 20] if i % 20 == 3 else missing)  # one label a group
    data = write(tmp_path / "data.csv", "u,v,label", rows)
    model = tmp_path / "fit.safetensors"
    for recipe in ["label-spreading", "knn-classifier"]:
        k = {"label-spreading": 5, "knn-classifier": 1}[recipe]
        columns = table(calor("run", recipe, data, "--set", f"knn.k={k}", "--save", model, "-q").stdout)
        found = [str(name).removesuffix(".0") for name in columns["prediction"]]
        unlabelled = [i for i in range(40) if i % 20 != 3]  # a labelled row is not its own neighbour
        assert [found[i] for i in unlabelled] == [names[i // 20] for i in unlabelled]
    spread = calor("run", "label-spreading", data, "--train", "1", "--json", "-q").stdout
    assert '"train":[false,false,false,true' in spread.replace(" ", "").replace("\n", ""), "rows without a label do not train"
    assert calor("apply", model, data, "-q").stdout.splitlines()[0].startswith("prediction,")


def test_rows_without_a_value_are_predicted_from_the_others(calor, tmp_path):
    x = cloud(40, 2)
    x[20:] += 50
    height = [i // 20 * 10 + 0.1 + i * 1e-6 for i in range(40)]  # all different: no classes
    rows = [[*row, height[i] if i % 20 < 14 else ("", "?", "NA")[i % 3]] for i, row in enumerate(x)]
    data, model = write(tmp_path / "data.csv", "u,v,height", rows), tmp_path / "fit.safetensors"
    for recipe, words in {"knn-regressor": ["--set", "knn.k=2"], "nadaraya-watson": [], "propagator-regressor": []}.items():
        done = calor("run", recipe, data, *words, "--save", model, "-q").stdout.splitlines()
        for lines in (done, calor("apply", model, data, "-q").stdout.splitlines()):
            assert lines[0] == "value,height" and lines[18].endswith(",") and lines[1].endswith(",0.1")
            values = [float(line.split(",")[0]) for line in lines[1:]]
            assert np.abs(np.array(values) - np.repeat([0.1, 10.1], 20)).max() < 1e-3
    none = write(tmp_path / "none.csv", "u,v,height", [[*row, ""] for row in x])
    assert "height" in calor("run", "knn-regressor", none, code=3).stderr


def test_names_cannot_be_averaged_and_what_to_do_instead_works(calor, tmp_path):
    data = write(tmp_path / "data.csv", "u,v,kind", groups(lambda i: "ab"[i // 20]))
    for words in ([], ["--label", "kind"]):
        refused = calor("run", "knn-regressor", data, *words, code=3).stderr
        assert 'column "kind", found "a"' in refused and "numeric column with --label" in refused and "knn-classifier" in refused
    calor("run", "knn-classifier", data, "-q")
    assert calor("run", "knn-regressor", data, "--label", "v", code=3).stderr.count("\"kind\"") == 1  # its texts are no feature
    numbers = write(tmp_path / "numbers.csv", "u,v,w", cloud(40))
    assert calor("run", "knn-regressor", numbers, "--label", "v", "-q").stdout.startswith("value,v\n")


def test_labels_that_a_recipe_needs_and_finds_none_of(calor, tmp_path):
    plain = write(tmp_path / "plain.csv", "a,b,c", cloud())
    assert "--label" in calor("run", "knn-classifier", plain, code=3).stderr
    none = write(tmp_path / "none.csv", "u,v,label", groups(lambda i: ""))
    assert "label" in calor("run", "label-spreading", none, "--label", "label", code=3).stderr
    assert "above 0" in calor("run", "knn-classifier", "iris", "--train", "0", code=2).stderr


def test_new_points_of_an_embedding_may_have_other_labels(calor, tmp_path):
    data = write(tmp_path / "data.csv", "u,v,label", groups(lambda i: "ab"[i // 20]))
    other = write(tmp_path / "other.csv", "label,v,u", [["c", 1, 2], ["d", 3, 4]])
    model, page = tmp_path / "fit.safetensors", tmp_path / "r.html"
    calor("run", "mds", data, "--save", model)
    applied = calor("apply", model, other, "--report", page).stdout.splitlines()
    assert applied[0].endswith(",label") and applied[1].endswith(",c")
    calor("run", "knn-classifier", data, "--save", model)
    assert "known classes" in calor("apply", model, other, code=3).stderr


def test_the_header_of_an_edge_list_is_no_edge(calor, tmp_path):
    edges = tmp_path / "edges.csv"
    for header, rows in [("from,to", "a,b\nb,a\n"), ("Source,Target,Weight", "a,b,1\nb,a,1\n"), ("src dst", "a b\nb a\n"), ("one,two,three", "a,b,1\nb,a,1\n")]:
        edges.write_text(header + "\n" + rows)
        assert calor("run", "pagerank", edges, "-q").stdout.splitlines() == ["name,rank", "a,0.5", "b,0.5"]
    assert "--header no if it is an edge" in calor("run", "pagerank", edges).stderr
    edges.write_text("a,b,1\na,c,x\n")
    assert "a header reads" in calor("run", "pagerank", edges, code=3).stderr


def test_each_output_has_a_file_of_its_own(calor, csv, tmp_path):
    data = csv(cloud())
    (tmp_path / "folder").mkdir()
    for same in [tmp_path / "out", tmp_path / "folder" / ".." / "out"]:
        assert "named twice" in calor("run", "mds", data, "-o", tmp_path / "out", "--save", same, code=2).stderr
    assert not (tmp_path / "out").exists()
    calor("run", "mds", data, "-o", "/dev/null", "--save", "/dev/null")


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said(calor, csv):
    done = calor("run", "mds", csv(cloud()), "-o", "/dev/full", "-q", code=3)
    assert "/dev/full" in done.stderr and "No space" in done.stderr
    done = subprocess.run(f"{CALOR} run mds {csv(cloud())} -q > /dev/full", shell=True, capture_output=True, text=True, timeout=600)
    assert done.returncode == 3 and "standard output" in done.stderr


def test_two_runs_into_one_file_leave_one_whole_result(csv, tmp_path):
    path, out = csv(cloud(200)), tmp_path / "out.csv"
    runs = [subprocess.Popen([str(CALOR), "run", "mds", str(path), "-o", str(out), "-q"], cwd=ROOT) for _ in range(4)]
    assert [run.wait(600) for run in runs] == [0] * 4
    assert len(out.read_text().splitlines()) == 201
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.csv", "out.csv"]


LONG = {
    "knn(15)": (40000, 200),
    "distance(2) | exp(1e-2) | row | eigen(50)": (6000, 3),
    "knn(15) | distance(1) | geodesic | double_center | eigen(2)": (9000, 3),
}


@pytest.mark.parametrize("pipeline", LONG)
def test_ctrl_c_stops_long_work_without_a_file(tmp_path, pipeline):
    path, out = tmp_path / "data.npy", tmp_path / "out.csv"
    np.save(path, cloud(*LONG[pipeline]))
    code, _, said = interrupted_at_work("run", pipeline, path, "-o", out)
    assert code == 130 and "interrupted" in said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.npy"]


# --- the pages ----------------------------------------------------------------------------------------------------------------


def test_the_stage_on_the_page_is_the_stage_that_is_compiled():
    source = (ROOT / "tests" / "pipeline" / "own_stage_test.cpp").read_text()
    compiled = source.split("// [begin: the stage]\n")[1].split("// [end: the stage]")[0]
    page = (PAGES / "write-your-own-stage.md").read_text()
    assert page.split("```cpp\n")[1].split("```")[0] == compiled


def commands(page):
    """The indented `calor run` commands of a page."""
    return re.findall(r"^    (?:\$ )?calor (run .*)$", page.read_text(), re.M)


def test_the_pipelines_on_the_page_run(calor, tmp_path):
    import shlex

    found = commands(PAGES / "write-your-own-pipeline.md")
    assert len(found) == 4
    words = shlex.split(found[0])
    words[words.index("map.csv")] = str(tmp_path / "map.csv")
    calor(*words, "-q")
    assert len(table((tmp_path / "map.csv").read_text()).dtype.names) == 4  # three coordinates and the digit
    refused = calor(*shlex.split(found[1]), code=2).stderr
    shown = (PAGES / "write-your-own-pipeline.md").read_text().split("$ calor " + found[1] + "\n")[1].split("\n\n")[0]
    lines = [line[4:] for line in shown.splitlines()]
    assert refused.startswith(lines[0].rstrip(". ").rstrip())
    assert all(line in refused for line in lines[1:])
    sys.path.insert(0, str(PAGES))
    import pictures  # which draws the data of the two others

    drawn = pictures.sources(tmp_path)
    for command in found[2:]:
        words = shlex.split(command)
        words = [str(drawn[word.removesuffix(".csv")]) if word.endswith(".csv") else word for word in words]
        assert len(table(calor(*words, "-q").stdout).dtype.names) == 3  # two coordinates and the label
