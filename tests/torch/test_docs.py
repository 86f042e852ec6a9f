"""docs/pytorch.md runs as it is written."""
import doctest
import re

from command import ROOT
from operators import calor  # noqa: F401  skips without a build


def test_the_page():
    text = (ROOT / "docs" / "pytorch.md").read_text()
    blocks = re.findall(r"```pycon\n(.*?)```", text, re.S)
    assert len(blocks) == 2
    session = doctest.DocTestParser().get_doctest("".join(blocks), {}, "pytorch.md", "docs/pytorch.md", 0)
    runner, said = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE), []
    runner.run(session, out=said.append)
    assert runner.failures == 0 and runner.tries > 10, "".join(said)


def test_the_cache_s_docstring():
    from calor.nn import cache

    assert doctest.testmod(cache, extraglobs={"torch": __import__("torch"), "KeyValueCache": cache.KeyValueCache}).failed == 0
