"""calor inspect as a user runs it."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALOR = pathlib.Path(os.environ.get("CALOR_BINARY", ROOT / "build" / "calor"))


@pytest.fixture(scope="session")
def calor():
    """calor("inspect", path, code=0) runs the command, checks its exit code (None: any) and returns the finished process."""
    assert CALOR.exists(), f"{CALOR} is missing: run `make build`"

    def run(*words, code=0, **options):
        options.setdefault("timeout", 300)
        done = subprocess.run([str(CALOR), *map(str, words)], capture_output=True, text=True, cwd=ROOT, **options)
        assert code is None or done.returncode == code, f"{words}: exit {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def inspect(calor):
    """inspect(model, ...) returns the JSON document."""
    return lambda *words, **options: json.loads(calor("inspect", *words, "--json", "-q", **options).stdout)
