"""The tests of the installed package: `make test-python` runs them in the environment that its wheel is in.  Elsewhere they are skipped."""
import importlib.util

import pytest

import command

if importlib.util.find_spec("calor") is None or importlib.util.find_spec("calor._engine") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def digits():
    """The bundled digits with their labels, as the command line reads them."""
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)


@pytest.fixture(scope="session")
def wheel_calor():
    """command.run, of the program in the wheel."""
    from calor._command import program

    def run(*words, **options):
        before, command.CALOR = command.CALOR, command.pathlib.Path(program())
        try:
            return command.run(*words, **options)
        finally:
            command.CALOR = before

    return run
