"""docs/python.md and the README's Python block run as they are written."""
import doctest
import re

import pytest
from sklearn.datasets import load_iris

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
