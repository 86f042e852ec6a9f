"""The reference is what the docstrings say, every public name has one, their examples run, and every figure of the engine has a field."""
import dataclasses
import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re

import numpy as np
import pytest

import calor
from command import ROOT

pytest.importorskip("torch")
MODULES = [module.name for module in pkgutil.walk_packages(calor.__path__, "calor.") if not module.name.endswith("__main__")]


def written():
    spec = importlib.util.spec_from_file_location("calor_docs_api", ROOT / "docs" / "api.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.page()


def test_the_reference_is_up_to_date():
    assert (ROOT / "docs" / "api.md").read_text() == written(), "run: python docs/api.py, with the package installed"


def test_every_public_name_has_a_docstring():
    text = (ROOT / "docs" / "api.md").read_text()
    for name in set(calor.__all__) - {"nn", "LLE"}:
        thing = getattr(calor, name)
        assert inspect.getdoc(thing) and f"### calor.{name}\n" in text, name


@pytest.mark.filterwarnings("ignore")
def test_the_examples_of_all_modules():
    examples = 0
    for name in MODULES:
        module = importlib.import_module(name)
        for found in doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs={"calor": calor, "np": np}):
            said = []
            outcome = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(found, out=said.append)
            assert outcome.failed == 0, "".join(said)
            examples += outcome.attempted
    assert examples >= 10


def test_every_figure_has_a_field():
    """By the source of the stages that one process runs, and by a fit of some."""
    named = {name for file in (ROOT / "calor").rglob("*.cpp") for name in re.findall(r'figures\["([^"]+)"\]', file.read_text())}
    fields = {field.name for field in dataclasses.fields(calor.Figures)}
    assert len(named) > 25 and {name.replace(" ", "_") for name in named} == fields
    fitted = calor.FuzzyCMeans(2).fit(np.random.default_rng(0).normal(size=(30, 2)))
    found = {name: value for name, value in dataclasses.asdict(fitted.figures).items() if value is not None}
    assert found == fitted.figures_ and isinstance(fitted.figures.repetitions, int) and isinstance(fitted.figures.objective, float)
