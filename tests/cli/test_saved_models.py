"""Models that earlier versions trained are read for ever, and those of later ones that hold more.

saved/1-<name>.safetensors were trained by 0.1, those on rows from tests/pipeline/saved/fit.csv, gat and sgc on nodes.csv with edges.csv (node_tables.py), and
diffusion-net on ball.off with two labels; 1-<name>.csv is what they then predicted.  None is ever made anew: what fails here is the reader."""
import pathlib

import pytest

from stored import as_newer, assert_says

SAVED = pathlib.Path(__file__).parent / "saved"
ROWS = SAVED.parents[1] / "pipeline" / "saved" / "new.csv"
DATA = {"gat": [SAVED / "nodes.csv", "--graph", SAVED / "edges.csv"], "sgc": [SAVED / "nodes.csv", "--graph", SAVED / "edges.csv"], "diffusion-net": [SAVED / "ball.off"]}
MODELS = sorted(SAVED.glob("*.safetensors"))
PRECISION = 1e-4  # of networks in floats, whose sums other builds take in another order


def said(calor, model, name):
    return calor("predict", model, *DATA.get(name, [ROWS]), "-q").stdout


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_an_old_model_says_what_it_said(calor, model):
    assert_says(said(calor, model, model.stem[2:]), model.with_suffix(".csv").read_text(), PRECISION)


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_a_model_with_what_a_later_minor_version_adds_says_the_same(calor, tmp_path, model):
    newer = as_newer(model, tmp_path / "newer.safetensors", {"version": "0.9.0", "a_later_key": "[]", "zz": ""}, {"a.later.array": [1.0, 2.0], "preprocessing.later": [[3.0]]})
    assert said(calor, newer, model.stem[2:]) == said(calor, model, model.stem[2:])


def test_a_model_of_another_schema_is_refused_with_what_to_do(calor, tmp_path):
    for model in MODELS:
        later = as_newer(model, tmp_path / "later.safetensors", {"schema": "7", "version": "2.0.0"}, {})
        refused = calor("predict", later, *DATA.get(model.stem[2:], [ROWS]), code=3).stderr
        assert "found 7: use the Calor that wrote it (2.0.0)" in refused, model.stem
