"""What the tests of every folder share; the modules beside this file can be imported by all."""
import pytest

import command


@pytest.fixture(scope="session")
def calor():
    """calor("run", "isomap", path, code=0): command.run."""
    return command.run
