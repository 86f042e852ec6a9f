"""Runs of calor-mpi beside runs of calor.  SKIPPED, with the reason, where there is no mpirun or no calor-mpi (`make test-mpi` builds it)."""
import pathlib
import shutil

import numpy as np
import pytest

from cluster import PROGRAM, document, mpirun


def pytest_collection_modifyitems(items):
    missing = None
    if shutil.which("mpirun") is None:
        missing = "mpirun is missing: tools/setup mpi"
    elif not PROGRAM.exists():
        missing = f"{PROGRAM} is missing: make test-mpi builds it"
    if missing:
        for item in items:
            if pathlib.Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture
def both(calor):
    """both(processes, pipeline, data, *options): the documents of calor-mpi and of calor."""
    def run(processes, pipeline, data, *options):
        words = ["run", pipeline, data, "--json", "--quiet", "--threads", 1, *options]
        return document(mpirun(processes, *words)), document(calor(*words))
    return run


@pytest.fixture(scope="session")
def roll(tmp_path_factory):
    """A sheet rolled up in three dimensions, 613 rows (a prime) as .npy."""
    random = np.random.default_rng(5)
    angle, height = 1.5 * np.pi * (1 + 2 * random.random(613)), 21 * random.random(613)
    path = tmp_path_factory.mktemp("roll") / "roll.npy"
    np.save(path, np.column_stack([angle * np.cos(angle), height, angle * np.sin(angle)]))
    return path
