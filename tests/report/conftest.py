"""Data and reports that several tests look at, made once."""
import numpy as np
import pytest

from command import run as calor
from recipe_pages import RECIPES, write_csv


@pytest.fixture(scope="session")
def sources(tmp_path_factory):
    """Data that no bundled set has: a noisy wave of one variable, and links between pages."""
    folder = tmp_path_factory.mktemp("sources")
    random = np.random.default_rng(0)
    x = np.sort(random.uniform(0, 6, 200))
    write_csv(folder / "waves.csv", {"x": x.round(4), "y": (np.sin(x) + 0.1 * random.normal(size=200)).round(4)})
    links = {(a, int(b)) for a in range(80) for b in random.integers(0, 1 + a // 3, 3)} | {(0, 79)}
    (folder / "web.txt").write_text("".join(f"page{a} page{b}\n" for a, b in sorted(links)))
    return {"waves": folder / "waves.csv", "web": folder / "web.txt"}


@pytest.fixture(scope="session")
def reports(sources, tmp_path_factory):
    """The page of each recipe, made once."""
    folder = tmp_path_factory.mktemp("reports")
    for recipe, (words, _) in RECIPES.items():
        calor("run", recipe, *[word.format(**sources) for word in words], "--report", folder / f"{recipe}.html", "-q", "-o", folder / f"{recipe}.csv")
    return folder
