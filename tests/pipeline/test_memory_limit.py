"""--max-memory is kept: what a run takes at its peak, as the kernel counts it, is within 5 % and 16 MiB of the limit, and a limit that
is too small is refused before anything is computed."""

import pathlib
import re
import subprocess
import tempfile
import time

import numpy as np
import pytest

import command

MIB = 1 << 20
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": MIB, "GiB": 1 << 30}


def peak_of(*arguments):
    """The exit code, standard error and greatest resident set of a run, in bytes."""
    with tempfile.TemporaryFile("w+") as errors, subprocess.Popen([command.CALOR, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=errors) as child:
        own = 0  # what the child has had since it began; what wait tells is at least what this process had when it forked
        while child.poll() is None:
            try:
                found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{child.pid}/status").read_text())
            except OSError:
                break
            own = max(own, int(found[1]) * 1024 if found else 0)
            time.sleep(0.002)
        child.wait()
        errors.seek(0)
        return child.returncode, errors.read(), own


def asked_for(message):
    """What a refusal says that it needs, with what is in use, rounded up by what the figures' digits leave open."""
    needed = re.search(r"found ([\d.]+) (\w+) (?:needed|in use)", message)
    used = re.search(r"beside ([\d.]+) (\w+) in use", message)
    assert needed, message
    return sum(float(found[1]) * UNITS[found[2]] for found in (needed, used) if found) * 1.02 + 2 * MIB


PIPELINES = {
    "isomap": ("isomap", 3500, 20),
    "mds-metric": ("distance(1) | match(distance, stress, max_iterations=12, tolerance=0.5)", 5000, 20),
    "diffusion-map": ("diffusion-map", 2500, 400),
    "knn": ("knn(90) | components", 60000, 20),
    "umap": ("knn(14) | distance(1, from=nearest) | exp(cardinality=log2(15)) | union | match(rational, cross_entropy, max_iterations=3)", 40000, 20),
    "tsne": ("knn(90) | distance(2) | exp(perplexity=30) | row | mean | global | match(student, kl, max_iterations=5)", 12000, 20),
    "attention": ("distance(2) | exp(9) | row | apply", 12000, 300),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_the_limit_is_kept_and_a_smaller_one_refused(tmp_path, name):
    pipeline, rows, columns = PIPELINES[name]
    data = tmp_path / "points.npy"
    np.save(data, np.random.default_rng(5).normal(size=(rows, columns)))
    run = ["run", pipeline, data, "-o", tmp_path / "out.npy", "--threads", 2, "-q"]

    limit, refused = 1 * MIB, 0
    for _ in range(12):  # as a person would who follows what the refusals say
        code, errors, peak = peak_of(*run, "--max-memory", int(limit))
        if code == 0:
            break
        assert code == 4, errors
        assert not (tmp_path / "out.npy").exists()
        refused = limit
        limit = max(asked_for(errors), limit * 1.001)
    assert code == 0, errors
    assert peak <= 1.05 * limit + 16 * MIB, f"{peak / MIB:.0f} MiB of {limit / MIB:.0f}"
    assert peak >= 0.8 * limit - 16 * MIB, f"asked for {limit / MIB:.0f} MiB, took {peak / MIB:.0f}"

    assert refused > 0
    code, errors, early = peak_of(*run, "--max-memory", int(0.93 * limit))
    assert code == 4, "less than it needs was accepted"
    assert early < 0.6 * peak + 16 * MIB, "it ran before it was refused"
