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
    assert len(dropped.stdout.splitlines()) == 20 and "r4," not in dropped.stdout and "1 of 20 rows has a missing value" in dropped.stderr
    fit = str(tmp_path / "fit.calor")
    run("run", "nadaraya-watson", data, "--label", "a", "--missing", "mean", "--save", fit)
    mean = float(np.mean([2 * i for i in range(20) if i != 4]))
    given = run("apply", fit, write(tmp_path / "new.csv", f"b\n{mean!r}\n")).stdout
    filled = run("apply", fit, write(tmp_path / "gap.csv", "b,c\nNA,0\n"))
    value = [float(text.split()[1]) for text in (filled.stdout, given)]
    assert value[0] == pytest.approx(value[1], rel=1e-12) and "filled in from the means of the training rows" in filled.stderr


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
    assert run("run", "mds", data, "-o", "-").stdout == csv and run("run", "mds", data).stdout == csv
    assert "only a result can go to standard output" in run("run", "mds", data, "--save", "-", code=2).stderr
    assert ".parquet" in run("run", "mds", data, "-o", str(tmp_path / "out.parquet"), code=2).stderr


def test_options_may_stand_before_the_data(tmp_path):
    data = write(tmp_path / "a.csv", "a,b,c\n" + "".join(f"{i},{i * i},{i % 3}\n" for i in range(9)))
    last = run("run", "k-means", data, "--set", "k=2", "--set", "centres.starts=3", "--features", "a,b").stdout
    assert run("run", "k-means", "--set", "k=2", "--set", "centres.starts=3", "--features", "a,b", data).stdout == last
    assert run("run", "--one-hot", "c", "k-means", "--features", "a", "--features", "c", "--set", "k=2", data).stdout.count("\n") == 10


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
    assert quality[sparse].keys() == quality[dense].keys()
    assert quality[sparse].pop("islands") == quality[dense].pop("islands")
    for name, value in quality[dense].items():
        assert quality[sparse][name] == pytest.approx(value, rel=1e-9), name
    assert quality[sparse]["trustworthiness"] > 0.8
    assert "trustworthiness" in run("run", "mds", sparse).stderr


ROWS = "".join(f"{i % 7},{i * i % 11},{'pq'[i % 2]}\n" for i in range(20))


@pytest.mark.parametrize("command", ["knn-classifier", "label-spreading"])
@pytest.mark.parametrize("signs", [("+", "-"), ("EU", "NA"), ("alt", "null")])
def test_a_class_may_look_like_a_missing_value(tmp_path, command, signs):
    data = write(tmp_path / "a.csv", "a,b,label\n" + ROWS.replace("p", signs[0]).replace("q", signs[1]))
    done = run("run", command, data)
    assert set(line.split(",")[0] for line in done.stdout.splitlines()[1:]) == set(signs)
    assert "2 classes" in done.stderr and "is read as a class" in done.stderr


def test_rows_without_a_label_are_counted(tmp_path):
    data = write(tmp_path / "a.csv", "a,b,label\n" + ROWS + "3,4,NA\n2,2,\n")
    assert '2 of 22 rows have no label ("NA")' in run("run", "label-spreading", data).stderr


def test_labels_of_an_archive_may_be_signs(tmp_path):
    points = np.array([[i % 2 + 0.01 * i, i] for i in range(20)])
    np.savez(tmp_path / "a.npz", X=points, y=np.array(["+-"[i % 2] for i in range(20)]), z=np.arange(20) % 2)
    done = run("run", "knn-classifier", str(tmp_path / "a.npz"))
    assert set(line.split(",")[0] for line in done.stdout.splitlines()[1:]) == {"+", "-"}
    missed = run("run", "knn-classifier", str(tmp_path / "a.npz"), "--label", "yy", code=3)
    assert '"yy"' in missed.stderr and "array" in missed.stderr
    assert 'label "z"' in run("run", "knn-classifier", str(tmp_path / "a.npz"), "--label", "z").stderr


def test_square_tables_are_matched_by_name(tmp_path):
    rows = {"a": {"a": 1, "b": 0.5, "c": 0}, "b": {"a": 0.5, "b": 1, "c": 2}, "c": {"a": 0, "b": 2, "c": 5}}

    def table(columns):
        return "x," + ",".join(columns) + "\n" + "".join(name + "," + ",".join(str(rows[name][c]) for c in columns) + "\n" for name in rows)

    straight = run("run", "pagerank", write(tmp_path / "s.csv", table("abc")), "--as", "similarities")
    turned = run("run", "pagerank", write(tmp_path / "t.csv", table("bca")), "--as", "similarities")
    assert straight.stdout == turned.stdout and "in the order of the rows" in turned.stderr
    other = write(tmp_path / "o.csv", table("abc").replace("x,a,b,c", "x,p,q,r"))
    assert "same names for rows and columns" in run("run", "pagerank", other, "--as", "similarities", code=3).stderr
    counted = write(tmp_path / "c.csv", table("abc").replace("x,a,b,c", ",0,1,2"))
    assert run("run", "pagerank", counted, "--as", "similarities").stdout == straight.stdout


def test_distances_with_labels_in_a_second_file(tmp_path):
    points = np.array([i % 2 * 10 + 0.1 * i for i in range(12)])
    distances = np.abs(points[:, None] - points[None, :])
    np.savetxt(tmp_path / "d.csv", distances, delimiter=",")
    write(tmp_path / "l.csv", "kind\n" + "".join(f"{'pq'[i % 2]}\n" for i in range(12)))
    done = run("run", "knn-classifier", f"{tmp_path}/d.csv,{tmp_path}/l.csv", "--as", "distances", "--set", "knn.k=3")
    assert [line.split(",")[0] for line in done.stdout.splitlines()[1:]] == list("pq" * 6)


def test_one_row_of_distances_is_condensed(tmp_path):
    row = run("run", "mds", write(tmp_path / "a.csv", "3,4,5\n"), "--as", "distances")
    table = run("run", "mds", write(tmp_path / "b.csv", "0,3,4\n3,0,5\n4,5,0\n"), "--as", "distances")
    assert row.stdout == table.stdout
    six = run("run", "mds", write(tmp_path / "c.csv", "3,4,5,3,4,5\n"), "--as", "distances")
    assert len(six.stdout.splitlines()) == 5


def test_pairs_whose_distance_is_not_known(tmp_path):
    table = write(tmp_path / "a.csv", "0,3,nan\n3,0,5\nnan,5,0\n")
    refused = run("run", "mds", table, "--as", "distances", code=3).stderr
    assert "--missing" not in refused
    half = write(tmp_path / "h.csv", "0,3,4\n,0,5\n,,0\n")
    full = write(tmp_path / "f.csv", "0,3,4\n3,0,5\n4,5,0\n")
    assert run("run", "mds", half, "--as", "distances").stdout == run("run", "mds", full, "--as", "distances").stdout
    assert "no --missing" in run("run", "mds", table, "--as", "distances", "--missing", "mean", code=3).stderr


def test_graphs_and_points_are_told_apart(tmp_path):
    graphml = write(tmp_path / "g.graphml", '<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
                                            '<node id="a"/><node id="b"/><edge source="a" target="b"/></graph></graphml>')
    assert "graph" in run("run", "mds", graphml, code=3).stderr
    assert "found digits, a bundled table" in run("run", "pagerank", "digits", code=3).stderr
    dot = run("run", "pagerank", write(tmp_path / "g.dot", "// made\ndigraph g {\n  a -> b;\n}\n"), code=3).stderr
    assert "found DOT" in dot and "read_dot" in dot
    square = write(tmp_path / "m.csv", "0,1,0,1\n1,0,1,0\n0,1,0,1\n1,0,1,0\n")
    assert "--as similarities" in run("run", "pagerank", square, code=3).stderr
    negative = run("run", "pagerank", write(tmp_path / "n.txt", "10 20 1\n20 30 -2\n"), code=3).stderr
    assert '"20"' in negative and '"30"' in negative
    assert "no --features" in run("run", "pagerank", write(tmp_path / "e.txt", "a b\nb c\n"), "--features", "a", code=3).stderr


def test_apply_refuses_what_the_fit_knows(tmp_path):
    data = write(tmp_path / "a.csv", "a,b,label\n" + ROWS)
    fit = str(tmp_path / "fit.calor")
    run("run", "knn-classifier", data, "--save", fit)
    assert '"zz"' in run("apply", fit, data, "--label", "zz", code=3).stderr
    assert "no --features" in run("apply", fit, data, "--features", "a", code=2).stderr
    np.save(tmp_path / "n.npy", np.ones((3, 5)))
    short = run("apply", fit, str(tmp_path / "n.npy"), code=3).stderr
    assert "n.npy" in short and "2 feature" in short and "5 columns" in short


def test_json_has_every_part_of_the_line(tmp_path):
    data = write(tmp_path / "a.csv", "# hand\nid,a,b,c,kind\nr1,1,2,0,p\nr2,2,3,0,q\nr3,4,7,0,p\n")
    read = json.loads(run("run", "mds", data, "--json").stdout)["read"]
    expected = {"rows": 3, "features": 3, "label": "kind", "classes": 2, "names": "id", "constant": 1, "missing": 0, "comments": 1, "edges": None}
    assert {key: read[key] for key in expected} == expected
    graph = json.loads(run("run", "pagerank", write(tmp_path / "e.txt", "a b\nb c\n"), "--json").stdout)["read"]
    assert graph["rows"] == 3 and graph["edges"] == 2 and graph["label"] is None


def test_a_test_file_is_said_to_be_read(tmp_path):
    data = write(tmp_path / "a.csv", "a,b,label\n" + ROWS)
    test = write(tmp_path / "t.csv", "a,b,label\n1,,p\n2,3,q\n4,4,p\n")
    done = run("train", data, "--model", "propagator", "--missing", "drop", "--test", test, "--epochs", "2")
    assert "test file: read 2 rows" in done.stderr and "1 of 3 rows has a missing value and is left out" in done.stderr
    read = json.loads(run("train", data, "--model", "propagator", "--epochs", "2", "--json").stdout)["read"]
    assert read["rows"] == 20 and read["features"] == 2 and read["label"] == "label" and read["classes"] == 2
