"""pytest's side of it: puts the adapters in place of the peer's classes before its tests are read, and writes what became of each into PEERS_RESULTS."""
import json
import os

import pytest

import adapters
from sets import SETS

SET = SETS[os.environ["PEERS_SET"]]
SET.replace()  # now: pytest reads a folder's conftest before it configures its plugins
found = {}


def pytest_collection_modifyitems(items):
    for module in {item.module for item in items}:
        SET.trim(module)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    before = adapters.REACHED[0]
    yield
    item.reached = adapters.REACHED[0] > before


def missing_in(fault):
    """What ours has not; a test that expects a warning or another error hides it behind its own complaint."""
    while fault is not None:
        if isinstance(fault, adapters.Missing):
            return str(fault)
        fault = fault.__cause__ or fault.__context__
    return None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    fault = call.excinfo.value if call.excinfo else None
    if report.when == "call" or report.outcome != "passed":
        missing = missing_in(fault)
        found[item.nodeid] = {"file": item.path.name, "test": item.originalname if hasattr(item, "originalname") else item.name, "outcome": report.outcome,
                              "reached": getattr(item, "reached", False) or missing is not None, "missing": missing,
                              "fault": None if fault is None else f"{type(fault).__name__}: {fault}"[:400]}


def pytest_sessionfinish(session):
    with open(os.environ["PEERS_RESULTS"], "w") as file:
        json.dump(found, file, indent=1)
