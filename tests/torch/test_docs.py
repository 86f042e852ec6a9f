"""docs/pytorch.md runs as it is written."""
import doctest
import re
import subprocess
import sys

from command import ROOT
from operators import calor, environment  # noqa: F401  skips without a build


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


def test_the_example_runs(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("abcdefgh " * 400)
    for words in (["vit"], ["gpt"], ["gpt", "--text", str(text)]):
        done = subprocess.run([sys.executable, str(ROOT / "examples" / "python" / "swap_attention.py"), *words, "--steps", "3", "--seeds", "2", "--rates", "0.003", "--scores", "dot,metric"],
                              capture_output=True, text=True, timeout=600, env=environment())
        assert done.returncode == 0, done.stderr
        assert re.search(r"^metric - dot: [+-]\d", done.stdout, re.M) and done.stdout.count("parameters") == 2
