"""calor inspect as a user runs it."""
import json

import pytest


@pytest.fixture
def inspect(calor):
    """inspect(model, ...) returns the JSON document."""
    return lambda *words, **options: json.loads(calor("inspect", *words, "--json", "-q", **options).stdout)
