"""What calor run and calor apply say of a result: clusters that exist, rows that nothing reached, labels that are measured."""
import json

import numpy as np
import pytest


def write(path, header, rows):
    path.write_text("\n".join([header] + [",".join(map(str, row)) for row in rows]) + "\n")
    return path


def blobs(seed=0):
    """Three blobs of twenty, thirty apart, and the number of each row's."""
    x = np.random.default_rng(seed).normal(size=(60, 2)) * 0.3
    which = np.arange(60) // 20
    x[:, 0] += 30 * which
    return x, which


@pytest.mark.parametrize("recipe", ["knn-classifier", "label-spreading", "propagator"])
def test_a_measured_target_is_refused_by_classifiers(calor, tmp_path, recipe):
    x = np.random.default_rng(1).normal(size=(40, 3))
    y = x @ [1, -2, 0.5]
    whole = write(tmp_path / "whole.csv", "a,b,c,y", np.column_stack([x, y]))
    partly = write(tmp_path / "partly.csv", "a,b,c,target", [[*row, "" if i % 7 == 0 else y[i]] for i, row in enumerate(x)])
    libsvm = tmp_path / "data.txt"
    libsvm.write_text("".join(f"{y[i]} 1:{row[0]} 2:{row[1]} 3:{row[2]}\n" for i, row in enumerate(x)))
    for data in (whole, partly, libsvm):
        for words in ([], ["--train", "0.5"]):
            said = calor("run", recipe, data, *words, code=3).stderr
            assert "measured" in said and "knn-regressor, nadaraya-watson, propagator-regressor" in said


@pytest.mark.parametrize("places, said", [(1, "1 cluster"), (2, "2 clusters"), (6, "6 clusters")])
def test_clusters_are_counted_that_have_rows(calor, tmp_path, places, said):
    at = np.random.default_rng(2).normal(size=(places, 2))
    data = write(tmp_path / "data.csv", "u,v", at[np.arange(36) % places])
    done = calor("run", "k-means", data, "--set", "k=10")
    lines = done.stderr.splitlines()
    assert said in lines
    notes = [line for line in lines if line.startswith("note: ")]
    assert len(notes) == 1 and f"{places} of the 10 clusters" in notes[0] and f"only {places} different place" in notes[0]
    page = tmp_path / "r.html"
    document = json.loads(calor("run", "k-means", data, "--set", "k=10", "--json", "--report", page).stdout)
    assert document["quality"]["clusters"]["count"] == places == len(document["quality"]["clusters"]["sizes"])
    assert set(document["result"]["values"]["cluster"]) == set(range(places))
    assert f"into {said}." in page.read_text()


def test_new_points_of_one_cluster_are_one_cluster(calor, tmp_path):
    x, which = blobs()
    model = tmp_path / "fit"
    fitted = json.loads(calor("run", "k-means", write(tmp_path / "data.csv", "u,v", x), "--set", "k=3", "--save", model, "--json").stdout)
    clusters = fitted["result"]["values"]["cluster"]
    last = which[np.argmax(clusters)]  # the blob of the largest number
    new, page = write(tmp_path / "new.csv", "u,v", x[which == last][:5]), tmp_path / "r.html"
    assert "1 cluster" in calor("apply", model, new, "--report", page).stderr.splitlines()
    assert "into 1 cluster." in page.read_text()
    quality = json.loads(calor("apply", model, new, "--json").stdout)["quality"]["clusters"]
    assert quality["count"] == 1 and quality["sizes"] == [0, 0, 5]


def test_rows_that_no_label_reaches_are_counted(calor, tmp_path):
    x, which = blobs()
    data = write(tmp_path / "data.csv", "u,v,label", [[*row, "ab"[k] if k < 2 else ""] for row, k in zip(x, which)])
    done = calor("run", "label-spreading", data, "--save", tmp_path / "fit")
    assert "note: [vote] no label reached 20 of 60 rows: they have no class" in done.stderr
    assert [line.startswith(",") for line in done.stdout.splitlines()[1:]] == [False] * 40 + [True] * 20
    far = write(tmp_path / "far.csv", "u,v", [[0, 0], [1e5, 0], [30, 0], [0, -1e5]])
    done = calor("apply", tmp_path / "fit", far)
    assert "note: [vote] no label reached 2 of 4 rows" in done.stderr
    assert [line.split(",")[0] for line in done.stdout.splitlines()[1:]] == ["a", "", "b", ""]


def test_new_points_out_of_reach_are_missing(calor, tmp_path):
    x, _ = blobs()
    data = write(tmp_path / "data.csv", "u,v", x)
    far = write(tmp_path / "far.csv", "u,v", [[0, 0], [1e5, 0], [30, 0], [0, -1e5]])
    page = tmp_path / "r.html"
    calor("run", "laplacian-eigenmaps", data, "--set", "knn.k=45", "--save", tmp_path / "maps")
    done = calor("apply", tmp_path / "maps", far, "--report", page)
    assert "note: [eigen] 2 of 4 rows are out of reach" in done.stderr
    assert [line == "," for line in done.stdout.splitlines()[1:]] == [False, True, False, True]
    document = json.loads(calor("apply", tmp_path / "maps", far, "--json").stdout)
    assert [value is None for value in document["result"]["values"]["dim1"]] == [False, True, False, True]
    calor("run", "spectral-clustering", data, "--set", "k=3", "--save", tmp_path / "clusters")
    done = calor("apply", tmp_path / "clusters", far, "--report", page)
    assert [line == "" for line in done.stdout.splitlines()[1:]] == [False, True, False, True]
    assert json.loads(calor("apply", tmp_path / "clusters", far, "--json").stdout)["result"]["values"]["cluster"][1] is None


def test_mean_shift_finds_its_bandwidth_and_says_so_once(calor, tmp_path):
    x, which = blobs()
    done = calor("run", "mean-shift", write(tmp_path / "data.csv", "u,v", x))
    assert [int(line) for line in done.stdout.splitlines()[1:]] == list(which)
    assert done.stderr.count("note:") <= 1
