"""calor-mpi as tests run it.  CALOR_MPI_BINARY names another than the one beside calor."""
import json
import os
import pathlib
import subprocess

import numpy as np

import command

PROGRAM = pathlib.Path(os.environ.get("CALOR_MPI_BINARY", command.CALOR.with_name("calor-mpi")))
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
               "OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_mpi_yield_when_idle": "1", "NO_COLOR": "1"}


def mpirun(processes, *words, code=0, **options):
    """The finished `mpirun -n processes calor-mpi words`."""
    return launch(["-n", processes, PROGRAM, *words], code=code, **options)


def launch(words, code=0, **options):
    options = {"capture_output": True, "text": True, "timeout": 300, "cwd": command.ROOT, "env": ENVIRONMENT, **options}
    done = subprocess.run(["mpirun", *map(str, words)], **options)
    assert code is None or done.returncode == code, f"{words}: exit {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done


def children_of(process):
    """The processes of calor-mpi that a running mpirun has started."""
    found = subprocess.run(["pgrep", "-P", str(process.pid), "-f", "calor-mpi run"], capture_output=True, text=True).stdout.split()
    return [int(pid) for pid in found]


def document(done):
    return json.loads(done.stdout)


def values(found):
    """The columns of numbers of a document's result."""
    order = [name for name in found["result"]["order"] if all(not isinstance(cell, str) for cell in found["result"]["values"][name])]
    return np.array([found["result"]["values"][name] for name in order], dtype=float).T
