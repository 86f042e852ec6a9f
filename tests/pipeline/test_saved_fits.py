"""Fits that earlier versions wrote are read for ever: saved/1-<recipe>.calor were written by 0.1 from every second row of iris (fit.csv), with
short forms such as exp(loo) in their pipelines, and 1-<recipe>.csv is what it then said of new.csv."""
import pathlib

import numpy as np
import pytest

from results import table

SAVED = pathlib.Path(__file__).parent / "saved"
MINIMA = {"tsne": 1e-2, "umap": 1e-2}  # new points stand where a loss is least, as nearly as the descent comes


@pytest.mark.parametrize("model", sorted(SAVED.glob("*.calor")), ids=lambda path: path.stem)
def test_an_old_fit_says_what_it_said(calor, model):
    found = table(calor("apply", model, SAVED / "new.csv", "-q").stdout)
    expected = table(model.with_suffix(".csv").read_text())
    assert found.dtype.names == expected.dtype.names
    for name in expected.dtype.names:
        if expected[name].dtype.kind == "U":
            assert (found[name] == expected[name]).all(), name
        else:
            tolerance = MINIMA.get(model.stem[2:], 1e-8) * np.abs(expected[name]).max()
            np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=tolerance, err_msg=name)


def test_the_pipeline_of_an_old_fit_is_shown_written_out(calor, tmp_path):
    calor("apply", SAVED / "1-propagator.calor", SAVED / "new.csv", "-q", "--json", "-o", tmp_path / "out.json")
    assert "tune(loo, standardise.by, exp.bandwidth, two_side.alpha, standardise | distance(2, to=train) | exp | two_side(of=keys)) | row | vote" in (
        tmp_path / "out.json").read_text()
