"""Results of calor as arrays."""
import io

import numpy as np


def coordinates(document):
    names = [name for name in document["result"]["order"] if name.startswith("dim")]
    return np.column_stack([document["columns"][name].astype(float) for name in names])


def table(text):
    return np.genfromtxt(io.StringIO(text), delimiter=",", names=True, dtype=None, encoding=None)
