"""Kernels take no more instructions than bench/baseline says: fixed problems on AVX2 under valgrind's callgrind, whose counts neither the load nor the model of a
machine changes.  What was measured once with the same compiler and libraries is the truth; the tolerance is counts.TOLERANCE."""
import json
import pathlib
import sys
import warnings

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "instructions"))
import counts  # noqa: E402

RECORDED = counts.read()


@pytest.fixture(scope="module")
def here():
    try:
        tools, names = counts.tools()
    except counts.NotHere as reason:
        pytest.skip(str(reason))
    return tools, names


@pytest.fixture(scope="module")
def counted(here):
    tools, names = here
    if differing := counts.differing(tools, RECORDED["tools"]):
        pytest.skip(f"the baseline was counted with other tools: {differing}")
    return counts.count(names)


@pytest.mark.parametrize("name", RECORDED["counts"])
def test_no_more_instructions_than_the_baseline(name, counted):
    assert name in counted, f"{name} is in the baseline, but no kernel of this name is counted. {counts.RENEW}"
    found, recorded = counted[name], RECORDED["counts"][name]
    if wrong := counts.verdict(name, found, recorded):
        pytest.fail(wrong, pytrace=False)
    if found < recorded * (1 - counts.TOLERANCE):
        warnings.warn(f"{name}: {found:,} instructions, {100 * (1 - found / recorded):.1f} % below the baseline of {recorded:,}. {counts.RENEW}", stacklevel=1)


def test_every_kernel_has_a_baseline(here):
    missing = [name for name in here[1] if name not in RECORDED["counts"]]
    assert RECORDED["counts"] and not missing, f"no baseline for {', '.join(missing)}. {counts.RENEW}"


def test_what_is_above_the_tolerance_is_said():
    assert counts.verdict("one", 102, 100) is None and counts.verdict("one", 50, 100) is None
    assert counts.verdict("one", 1100, 1000) == "one: 1,100 instructions, 10.0 % above the baseline of 1,000 (tolerance 2 %). " + counts.RENEW


def test_other_tools_are_named():
    assert counts.differing({"compiler": "GNU 12.2.0", "libc": "2.36"}, {"compiler": "GNU 13.2.0", "libc": "2.36"}) == "compiler GNU 13.2.0 there, GNU 12.2.0 here"
    assert counts.differing({"libc": "2.36"}, {"libc": "2.36"}) == ""


def test_a_renewed_baseline_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(counts, "BASELINE", tmp_path / "baseline" / "instructions.json")
    assert counts.read()["counts"] == {}
    counts.write({"libc": "2.36"}, {"a \"b\"": 1, "c": 2})
    assert counts.read() == json.loads(counts.BASELINE.read_text()) == {"schema": 1, "tools": {"libc": "2.36"}, "counts": {"a \"b\"": 1, "c": 2}}
