"""The commands that need torch are a program of their own, which `calor` becomes: seen from outside there is one program."""

import shutil
import subprocess

import pytest

LEARNING = ["compare", "train", "predict", "train-translation", "translate"]


@pytest.mark.parametrize("command", LEARNING)
def test_help_and_errors_are_the_commands_own(calor, command):
    page = calor(command, "--help")
    assert f"Usage: calor {command}" in page.stdout and "--json" in page.stdout
    assert page.stdout.splitlines()[0] in calor("--help").stdout  # the summary
    refused = calor(command, "--no-such-flag", code=2)
    assert f"[{command}]" in refused.stderr and f"calor {command} --help" in refused.stderr


def test_completion_knows_their_flags(calor):
    script = calor("completion").stdout
    for flag in ("--attention", "--model", "--evidence", "--set"):
        assert flag in script, flag


def test_without_the_program_the_error_names_it(calor, tmp_path):
    alone = shutil.copy(calor("--version").args[0], tmp_path / "calor")
    found = subprocess.run([alone, "train", "moons"], capture_output=True, text=True)
    assert found.returncode == 2 and "calor-learn" in found.stderr and str(tmp_path) in found.stderr
    assert subprocess.run([alone, "data"], capture_output=True).returncode == 0
