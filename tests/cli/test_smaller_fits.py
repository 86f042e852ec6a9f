"""calor run --save with --landmarks and --compact: smaller files, and what is said where they cannot be."""
import io

import numpy as np


def table(text):
    return np.genfromtxt(io.StringIO(text), delimiter=",", names=True)


def test_a_smaller_file_places_held_out_digits_among_their_class(calor, tmp_path):
    calor("run", "umap", "digits", "--save", tmp_path / "whole.calor", "-o", tmp_path / "map.csv", "-q")
    calor("run", "umap", "digits", "--save", tmp_path / "small.calor", "--landmarks", "600", "--compact", "-o", tmp_path / "again.csv", "-q")
    assert (tmp_path / "map.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()  # the result is of all rows
    assert (tmp_path / "small.calor").stat().st_size * 15 < (tmp_path / "whole.calor").stat().st_size
    fit = table((tmp_path / "map.csv").read_text())
    placed = table(calor("apply", tmp_path / "small.calor", "digits", "-q").stdout)
    at = np.column_stack([fit["dim1"], fit["dim2"]])
    found = np.column_stack([placed["dim1"], placed["dim2"]])
    distance = np.linalg.norm(found[:, None] - at, axis=2)
    distance[np.arange(len(at)), np.arange(len(at))] = np.inf
    nearest = fit["digit"][distance.argsort(axis=1)[:, :15]]
    assert (nearest == placed["digit"][:, None]).mean() > 0.95


def test_what_landmarks_cannot_stand_for_is_refused_before_it_runs(calor, tmp_path):
    save = ["--save", tmp_path / "fit.calor", "-o", tmp_path / "out.csv"]
    done = calor("run", "isomap", tmp_path / "not-even-read.csv", *save, "--landmarks", "100", code=2)
    assert "[landmarks] expected stages that keep nothing of all rows together, found geodesic: leave out --landmarks" in done.stderr
    # By the data: classes, and sparse points.
    done = calor("run", "knn-classifier", "iris", *save, "--landmarks", "2", code=2)
    assert "[landmarks] expected at least one for each of 3 classes, found 2: raise --landmarks" in done.stderr
    (tmp_path / "points.libsvm").write_text("".join(f"{i % 2} {1 + i}:1 {20 + i % 2}:1\n" for i in range(12)))
    done = calor("run", "knn-classifier", tmp_path / "points.libsvm", *save, "--landmarks", "4", code=2)
    assert "[landmarks] expected a fit of points in columns, found one of sparse points: leave out --landmarks" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["points.libsvm"]


def test_a_fit_that_landmarks_turn_out_not_to_stand_for_is_saved_whole(calor, tmp_path):
    done = calor("run", "tsne", "moons", "--save", tmp_path / "fit.calor", "--landmarks", "3", "-o", tmp_path / "out.csv")
    assert "the whole fit is saved: [landmarks] expected enough landmarks to place new points among, found 3" in done.stderr
    again = calor("apply", tmp_path / "fit.calor", "moons", "-q").stdout
    assert len(table(again)) == len(table((tmp_path / "out.csv").read_text()))


def test_smaller_files_need_a_file(calor, tmp_path):
    for option in (["--compact"], ["--landmarks", "5"]):
        done = calor("run", "umap", "moons", *option, code=2)
        assert f"expected --save with {option[0]}" in done.stderr
    done = calor("run", "svm", "digits", "--save", tmp_path / "svm.model", "--compact", code=2)
    assert "asks for libsvm's format" in done.stderr
