"""Calor's side of a benchmark: one `calor run` on one thread, timed by itself (the fit without loading or writing)."""
import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np

PROGRAM = os.environ.get("CALOR", str(pathlib.Path(__file__).resolve().parents[2] / "build" / "calor"))


def run(recipe, path, settings=(), options=()):
    """Gives (seconds, document) of `calor run RECIPE PATH --set ... --threads 1 --json`."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.json")
        command = [PROGRAM, "run", recipe, str(path), "--threads", "1", "--json", "-o", out, "--quiet", *options]
        for setting in settings:
            command += ["--set", setting]
        subprocess.run(command, check=True)
        with open(out) as file:
            document = json.load(file)
    return document["seconds"], document


def coordinates(document):
    """The embedding of a document, N x k."""
    names = [name for name in document["result"]["order"] if name.startswith("dim")]
    return np.column_stack([np.asarray(document["result"]["values"][name], float) for name in names])


def processor_seconds(document, *stages):
    """What the named stages took of the processor, all stages when none is named: the machine's other work does not count."""
    own = [stage for stage in document["stages"] if stage["depth"] == 0]
    return sum(stage["processor_seconds"] for stage in own if not stages or stage["text"].split("(")[0] in stages)
