"""Pipelines as a user runs them: small data as csv files, and results as arrays."""
import json

import numpy as np
import pytest


@pytest.fixture
def csv(tmp_path):
    """csv(points, labels=None, name="data") writes a csv with columns a, b, ... and label, and returns its path."""

    def write(points, labels=None, name="data"):
        points = np.asarray(points, dtype=np.float32)  # what calor reads; the peers get the same
        header = [f"f{c}" for c in range(points.shape[1])] + (["label"] if labels is not None else [])
        lines = [",".join(header)]
        for i, row in enumerate(points):
            cells = [repr(float(v)) for v in row] + ([str(labels[i])] if labels is not None else [])
            lines.append(",".join(cells))
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def run(calor):
    """run("isomap", path, "--set", "knn.k=10") returns the JSON document, with result columns as arrays under "columns"."""

    def call(*words):
        document = json.loads(calor("run", *words, "--json", "-q").stdout)
        document["columns"] = {name: np.array(values) for name, values in document["result"]["values"].items()}
        return document

    return call
