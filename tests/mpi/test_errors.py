"""Errors of runs in several processes: one message, the exit code of calor, and an end for all."""
import os
import signal
import subprocess
import time

import numpy as np
import pytest

import command
from cluster import ENVIRONMENT, PROGRAM, children_of, launch, mpirun


def errors(done):
    return [line for line in done.stderr.splitlines() if line.startswith("error:")]


@pytest.mark.parametrize("pipeline, stage, reason", [("sne", "match", "only student and rational have a form by rows"),
                                                      ("mds-metric", "match", "only student and rational have a form by rows"),
                                                      ("isomap", "geodesic", "shortest paths"),
                                                      ("distance(2) | exp(auto) | row | eigen(2) | knn(3)", "knn", "follows eigen"),
                                                      ("lle", "local_weights", "factorises"),
                                                      ("knn(5, method=hnsw)", "knn", "indices"), ("knn(5, method=forest)", "knn", "one process's")])
def test_a_method_that_does_not_distribute(pipeline, stage, reason):
    done = mpirun(3, "run", pipeline, "wine", code=2)
    (line,) = errors(done)
    assert f"found {stage}, which does not" in line and reason in line and "calor run" in line
    assert "^" in done.stderr


def test_a_pipeline_that_is_none_and_an_option_that_is_none():
    assert len(errors(mpirun(3, "run", "knn(", "wine", code=2))) == 1
    assert len(errors(mpirun(3, "run", "knn(3)", "wine", "--watch", code=2))) == 1


def test_a_file_that_is_not_there(tmp_path):
    (line,) = errors(mpirun(4, "run", "knn(3)", tmp_path / "none.npy", code=3))
    assert "none.npy" in line


def test_standard_input_is_one_process_s():
    (line,) = errors(mpirun(2, "run", "knn(3)", "-", code=2))
    assert "standard input" in line


def test_a_bad_file_in_one_process(tmp_path):
    """One process is given a damaged file, the others a whole one."""
    good, bad = tmp_path / "good.npy", tmp_path / "bad.npy"
    np.save(good, np.random.default_rng(0).normal(size=(40, 3)))
    bad.write_bytes(good.read_bytes()[:-100])
    done = launch(["-n", 2, PROGRAM, "run", "knn(3)", good, ":", "-n", 1, PROGRAM, "run", "knn(3)", bad, ":", "-n", 1, PROGRAM, "run", "knn(3)", good], code=3)
    (line,) = errors(done)
    assert "truncated" in line and "bad.npy" in line


def test_other_data_in_one_process(tmp_path):
    paths = [tmp_path / "a.npy", tmp_path / "b.npy"]
    for path, rows in zip(paths, (40, 41)):
        np.save(path, np.random.default_rng(0).normal(size=(rows, 3)))
    (line,) = errors(launch(["-n", 1, PROGRAM, "run", "knn(3)", paths[0], ":", "-n", 1, PROGRAM, "run", "knn(3)", paths[1]], code=3))
    assert "the same data in every process" in line and "41 x 3 in process 1" in line


def test_a_number_that_is_none_in_the_last_block(tmp_path):
    points = np.random.default_rng(0).normal(size=(50, 3))
    points[47, 1] = np.nan
    np.save(tmp_path / "points.npy", points)
    (line,) = errors(mpirun(4, "run", "knn(3)", tmp_path / "points.npy", code=3))
    assert "row 48, column 2" in line


def test_too_many_neighbours_and_too_little_memory(tmp_path):
    (line,) = errors(mpirun(3, "run", "knn(500)", "wine", code=3))
    assert "k of at most 177" in line
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(3000, 3)))
    (line,) = errors(mpirun(2, "run", "knn(2900)", tmp_path / "points.npy", "--max-memory", "100M", code=4))
    assert "memory" in line


def test_an_output_that_cannot_be_written(tmp_path):
    assert len(errors(mpirun(3, "run", "knn(3)", "wine", "-o", tmp_path / "no" / "folder.csv", code=3))) == 1
    assert len(errors(mpirun(3, "run", "knn(3)", "wine", "-o", tmp_path / "result.xyz", code=2))) == 1


def test_an_error_in_one_process_ends_all(tmp_path):
    """One process has too little memory for its part of the neighbours, while the others wait for its block."""
    path = tmp_path / "points.npy"
    np.save(path, np.random.default_rng(0).normal(size=(6000, 3)))
    words = [PROGRAM, "run", "knn(900)", path]
    done = launch(["-n", 1, *words, ":", "-n", 1, *words, "--max-memory", "80M", ":", "-n", 1, *words], code=4)
    (line,) = errors(done)
    assert "process 1 of 3 ends the run: [knn] expected at most" in line


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_killed_ends_all(tmp_path, how):
    """Work of minutes: 30,000 rows streamed under a small limit.  One process goes; mpirun says so and ends all, and no output appears."""
    path, result = tmp_path / "large.npy", tmp_path / "result.csv"
    np.save(path, np.random.default_rng(0).normal(size=(30000, 40)))
    process = subprocess.Popen(["mpirun", "-n", "3", str(PROGRAM), "run", "diffusion-map", str(path), "-o", str(result), "--max-memory", "500M"], env=ENVIRONMENT, cwd=command.ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and "30,000 rows" not in process.stderr.readline():
        pass
    ranks = children_of(process)
    assert len(ranks) == 3
    os.kill(ranks[1], how)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 128 + how, said
    assert f"signal {how.value}" in said
    end = time.monotonic() + 30
    while any(os.path.exists(f"/proc/{pid}") for pid in ranks) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in ranks if os.path.exists(f"/proc/{pid}")]
    assert not result.exists()
