"""Fits that earlier versions wrote are read for ever, and fits of later ones that hold more.

saved/1-<recipe>.calor were written by 0.1 from every second row of iris (fit.csv), and 1-<recipe>.csv is what it then said of new.csv; those whose data are
of another form, from the fit-* and new-* that DATA names.  Diffusion-map to umap have short forms such as exp(loo) in their pipelines.  One more is made by

    calor run RECIPE fit.csv --label species --save 1-RECIPE.calor && calor apply 1-RECIPE.calor new.csv > 1-RECIPE.csv

and none is ever made anew: what fails here is the reader."""
import pathlib

import pytest

from stored import as_newer, assert_says

SAVED = pathlib.Path(__file__).parent / "saved"
FITS = sorted([*SAVED.glob("*.calor"), *SAVED.glob("*.model")])  # .model: libsvm's format
DATA = {"mcl": "graph.txt", "isomap-distances": "distances.csv", "svm-sparse": "sparse.libsvm", "svm-libsvm": "sparse.libsvm", "umap-sparse": "sparse.libsvm"}
MINIMUM = 1e-2  # new points on a map stand where a loss is least, as nearly as the descent comes
every_fit = pytest.mark.parametrize("model", FITS, ids=lambda path: path.stem)


def share(name):
    return MINIMUM if name.split("-")[0] in ("tsne", "umap", "sne") else 1e-8


def said(calor, model, name):
    return calor("apply", model, SAVED / f"new-{DATA[name]}" if name in DATA else SAVED / "new.csv", "-q").stdout


@every_fit
def test_an_old_fit_says_what_it_said(calor, model):
    name = model.stem[2:]
    assert_says(said(calor, model, name), model.with_suffix(".csv").read_text(), share(name))


@pytest.mark.parametrize("model", [path for path in FITS if path.suffix == ".calor"], ids=lambda path: path.stem)
def test_a_fit_with_what_a_later_minor_version_adds_says_the_same(calor, tmp_path, model):
    """docs/formats/model.md: what is not known is left unread, metadata, arrays of the data and arrays that stages kept."""
    name = model.stem[2:]
    newer = as_newer(model, tmp_path / "newer.calor", {"version": "0.9.0", "a_later_key": "{\"levels\": [1]}", "zz": ""},
                     {"a.later.array": [1.0, 2.0], "features.later": [[1.0]], "graph.later": [7.0], "stage.0.later": [[2.0, 3.0]], "zz": [[[4.0]]]})
    assert said(calor, newer, name) == said(calor, model, name)


def test_a_fit_of_another_major_format_is_refused_with_what_to_do(calor, tmp_path):
    later = as_newer(SAVED / "1-mds.calor", tmp_path / "later.calor", {"format": "calor-fit-2", "version": "2.0.0"}, {})
    assert "expected the format calor-fit-1, found calor-fit-2: use the Calor that wrote it, 2.0.0 or later" in calor("apply", later, SAVED / "new.csv", code=3).stderr


def test_the_pipeline_of_an_old_fit_is_shown_written_out(calor, tmp_path):
    calor("apply", SAVED / "1-propagator.calor", SAVED / "new.csv", "-q", "--json", "-o", tmp_path / "out.json")
    assert "tune(loo, standardise.by, exp.bandwidth, two_side.alpha, standardise | distance(2, to=train) | exp | two_side(of=keys)) | row | vote" in (
        tmp_path / "out.json").read_text()
