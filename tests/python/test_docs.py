"""docs/python.md, the Python of docs/choosing.md and the README's Python block run as they are written."""
import doctest
import re
import shlex

import numpy as np
import pandas
import pytest
from sklearn.datasets import load_iris, load_wine

import calor
from command import ROOT


@pytest.fixture
def flowers(tmp_path, monkeypatch):
    """A folder with flowers.csv, worked in."""
    iris = load_iris(as_frame=True)
    frame = iris.data.set_axis(["sepal_length", "sepal_width", "petal_length", "petal_width"], axis=1)
    frame.assign(species=iris.target_names[iris.target]).to_csv(tmp_path / "flowers.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore")
def test_the_guide(flowers):
    text = (ROOT / "docs" / "python.md").read_text()
    blocks = re.findall(r"```pycon\n(.*?)```", text, re.S)
    assert len(blocks) == 4
    session = doctest.DocTestParser().get_doctest("".join(blocks), {}, "python.md", "docs/python.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    said = []
    runner.run(session, out=said.append)
    assert runner.failures == 0 and runner.tries > 15, "".join(said)
    assert (flowers / "flowers.html").stat().st_size > 1_000_000


@pytest.mark.filterwarnings("ignore")
def test_from_one_csv_to_a_picture(tmp_path, monkeypatch, wheel_calor):
    """The map of docs/choosing.md is that of its command line, to the last bit."""
    wine = load_wine(as_frame=True)
    wine.data.assign(cultivar=[f"cultivar {i + 1}" for i in wine.target]).to_csv(tmp_path / "wine.csv", index=False)
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "choosing.md").read_text()
    (block,) = re.findall(r"```pycon\n(.*?)```", text, re.S)
    session, said, names = doctest.DocTestParser().get_doctest(block, {}, "choosing.md", "docs/choosing.md", 0), [], {}
    session.globs = names
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(session, out=said.append, clear_globs=False)
    assert runner.failures == 0 and runner.tries > 5, "".join(said)
    assert (tmp_path / "wine.html").stat().st_size > 1_000_000
    command = next(line for line in text.splitlines() if line.startswith("    calor run "))
    wheel_calor(*shlex.split(command)[1:], cwd=tmp_path)
    drawn = pandas.read_csv(tmp_path / "map.csv", float_precision="round_trip")
    assert np.array_equal(names["picture"].embedding_, drawn[["dim1", "dim2"]].to_numpy())


def test_the_recipes_have_the_estimators_that_the_guide_says():
    rows = re.findall(r"^\| \[([a-z-]+)\]\(recipes/[a-z-]+\.md\) \| `(\w+)` \|", (ROOT / "docs" / "choosing.md").read_text(), re.M)
    assert {recipe: getattr(calor, name).recipe for recipe, name in rows} == {recipe: recipe for recipe in calor.recipes() if recipe != "pagerank"}


def test_the_table_has_every_estimator():
    text = (ROOT / "docs" / "python.md").read_text()
    rows = re.findall(r"^\| `(\w+)`(?:, `\w+`)? \| \[([a-z-]+)\]\((recipes/[a-z-]+\.md)\)", text, re.M)
    assert {getattr(calor, name).recipe: recipe for name, recipe, _ in rows} == {recipe: recipe for _, recipe, _ in rows}
    assert set(calor.recipes()) - {recipe for _, recipe, _ in rows} == {"pagerank"}
    assert all((ROOT / "docs" / page).exists() for _, _, page in rows)


@pytest.mark.filterwarnings("ignore")
def test_the_readme(flowers):
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    iris = load_iris()
    names = {"X": iris.data, "y": iris.target, "Z": iris.data[:5]}
    exec(compile(code, "README.md", "exec"), names)
    assert (flowers / "map.html").exists()
