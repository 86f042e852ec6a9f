"""docs/choosing.md: every recipe has a row in full, links lead somewhere, its commands run, and its C++ is the example, whose map is the command's."""
import csv
import json
import re
import shlex
import subprocess

import pytest

from command import ROOT

PAGE = (ROOT / "docs" / "choosing.md").read_text()
CELLS = 6  # recipe, Python, when, cost, a new point, but


def test_every_recipe_has_a_row(calor):
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| [")]
    for recipe in json.loads(calor("recipes", "--json").stdout)["recipes"]:
        named = [row for row in rows if row[0].startswith(f"[{recipe['name']}](recipes/")]
        assert len(named) == 1 and len(named[0]) == CELLS and all(named[0]), (
            f"docs/choosing.md has no row for {recipe['name']}: its estimator, when to take it, what it costs, what a new point costs, what to beware of")


def test_links_lead_somewhere():
    for target, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", PAGE):
        path = ROOT / "docs" / target if target else ROOT / "docs" / "choosing.md"
        assert path.exists(), target
        headings = [re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in path.read_text().splitlines() if line.startswith("#")] if anchor else []
        assert not anchor or anchor in headings, f"{target}#{anchor}"


@pytest.fixture
def wine(tmp_path):
    """A folder with wine.csv, and new.csv, its first rows without the label."""
    from sklearn.datasets import load_wine

    data = load_wine(as_frame=True)
    data.data.assign(cultivar=[f"cultivar {i + 1}" for i in data.target]).to_csv(tmp_path / "wine.csv", index=False)
    data.data[:3].to_csv(tmp_path / "new.csv", index=False)
    return tmp_path


def table(path):
    with open(path) as lines:
        return [tuple(float(row[f"dim{i}"]) for i in (1, 2)) for row in csv.DictReader(lines)]


def test_from_one_csv_to_a_picture(calor, wine):
    lines = [line.strip() for line in PAGE.splitlines() if line.startswith("    calor ")]
    assert len(lines) == 2
    for line in lines:
        calor(*shlex.split(line)[1:], cwd=wine)
    assert (wine / "wine.html").stat().st_size > 1_000_000
    drawn = table(wine / "map.csv")
    assert len(drawn) == 178 and table(wine / "placed.csv") == drawn[:3]

    code = re.search(r"```cpp\n(.*?)```", PAGE, re.S)[1]
    assert code == (ROOT / "examples" / "from_csv.cpp").read_text()
    (wine / "wine.html").unlink()
    (wine / "map.calor").unlink()
    done = subprocess.run([ROOT / "build" / "examples" / "example_from_csv", "wine.csv"], cwd=wine, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert [tuple(map(float, line.split(","))) for line in done.stdout.splitlines()] == drawn
    assert (wine / "wine.html").stat().st_size > 1_000_000 and (wine / "map.calor").exists()
