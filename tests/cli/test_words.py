"""The words that users meet: a command by its other name, and parameters by the names that they had.

Truth: the same command or parameter by its own name.
"""
import json

import pytest

from command import run as calor

CURRENT = "repeat(distance(2) | exp(1) | row | apply, tolerance=0.0001, max_iterations=900) | assign(merge)"
FORMER = "repeat(distance(2) | exp(1) | row | apply, until=0.0001, most=900) | assign(merge)"
REMARKS = ["note: [repeat] until is now called tolerance", "note: [repeat] most is now called max_iterations"]


def test_transform_is_apply(tmp_path):
    fit = tmp_path / "fit.calor"
    calor("run", "mds", "iris", "--save", fit, "-o", tmp_path / "fit.csv")
    by_name = {name: calor(name, fit, "iris", "--json") for name in ("apply", "transform")}
    found = {name: json.loads(done.stdout) for name, done in by_name.items()}
    assert found["transform"]["command"].startswith("calor transform ")
    for document in found.values():
        del document["command"]
    assert found["transform"] == found["apply"]
    assert by_name["transform"].stderr == by_name["apply"].stderr


def test_help_and_errors_know_transform():
    lines = [line for line in calor("--help").stdout.splitlines() if "transform" in line]
    assert len(lines) == 1 and lines[0].split()[:2] == ["apply,", "transform"]
    assert calor("transform", "--help").stdout == calor("apply", "--help").stdout
    assert 'did you mean "transform"?' in calor("transfrom", "a", "b", code=2).stderr


@pytest.mark.parametrize("words", [[FORMER], [CURRENT, "--set", "repeat.until=0.0001", "--set", "repeat.most=900"]])
def test_former_names_of_parameters(tmp_path, words):
    fit = tmp_path / "fit.calor"
    done = calor("run", *words, "iris", "--save", fit, "-o", tmp_path / "former.csv")
    assert [line for line in done.stderr.splitlines() if "is now called" in line] == REMARKS
    calor("run", CURRENT, "iris", "-o", tmp_path / "current.csv")
    assert (tmp_path / "former.csv").read_text() == (tmp_path / "current.csv").read_text()
    document = json.loads(calor("run", *words, "iris", "--json", "-q").stdout)
    assert document["pipeline"] == CURRENT and document["stages"][0]["text"] == CURRENT.rsplit(" | ", 1)[0]
    applied = calor("apply", fit, "iris", "--json")
    assert json.loads(applied.stdout)["pipeline"] == CURRENT and "is now called" not in applied.stderr, "it was saved by the new names"


def test_explain_remarks_on_former_names():
    told = calor("run", FORMER, "iris", "--explain").stdout
    assert told.startswith(CURRENT + "\n")
    assert [line for line in told.splitlines() if "is now called" in line] == REMARKS
    assert "is now called" not in calor("run", CURRENT, "iris", "--explain").stdout
