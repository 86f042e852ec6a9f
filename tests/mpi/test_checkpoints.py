"""--checkpoint: what a run that was killed had found is not looked for again, whatever the number of processes, and the result is that of `calor run`."""
import hashlib
import json
import os
import signal
import subprocess
import time

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import command
from cluster import ENVIRONMENT, PROGRAM, children_of, document, mpirun

KEPT = ["--json", "--quiet", "--threads", 1]


def resumed(processes, pipeline, path, folder, *options, code=0):
    done = mpirun(processes, "run", pipeline, path, "--checkpoint", folder, *KEPT, *options, code=code)
    return document(done) if code == 0 else done.stderr


def note_of(found):
    return [note["text"] for note in found["notes"] if "checkpoint" in note["text"]]


def files(folder):
    return sorted(path.name for path in folder.glob("*.checkpoint")) if folder.exists() else []


def killed(processes, pipeline, path, folder, ready):
    """A run that keeps all it finds and is killed once ready() holds."""
    process = subprocess.Popen(["mpirun", "-n", str(processes), str(PROGRAM), "run", pipeline, str(path), "--checkpoint", str(folder), "--checkpoint-seconds", "0", "--threads", "1",
                                "-o", str(folder.with_suffix(".csv"))], env=ENVIRONMENT, cwd=command.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 240
    while process.poll() is None and not ready() and time.monotonic() < end:
        time.sleep(0.005)
    ranks = children_of(process)
    assert ranks, "ended before it was killed: " + process.communicate()[1]
    os.kill(ranks[-1], signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode == 137 and not folder.with_suffix(".csv").exists()


def test_neighbours_go_on_with_another_number_of_processes(calor, tmp_path):
    path, folder = tmp_path / "points.npy", tmp_path / "kept"
    np.save(path, np.random.default_rng(1).normal(size=(16000, 40)))
    killed(4, "knn(8)", path, folder, lambda: files(folder))
    whole = document(calor("run", "knn(8)", path, *KEPT))
    found = resumed(3, "knn(8)", path, folder)
    (note,) = note_of(found)
    share = float(note.split("has ")[1].split(" %")[0])
    assert 0 < share < 100
    assert found["result"] == whole["result"]
    assert files(folder) == ["0-knn-0-5334.checkpoint", "0-knn-10667-16000.checkpoint", "0-knn-5334-10667.checkpoint"]
    again = resumed(2, "knn(8)", path, folder)  # with all of it no block is sent
    assert "has 100 %" in note_of(again)[0] and again["result"] == whole["result"]
    assert [one["messages"] for one in again["processes"]] == [0, 0]


@pytest.fixture
def lattice(tmp_path):
    """Points twice over on a lattice: distances are exact, and most of the nearest are tied."""
    points = np.array([[a, b] for a in range(1, 8) for b in range(1, 8)], dtype=float)
    points = np.vstack([points, points])[np.random.default_rng(1).permutation(98)]
    np.save(tmp_path / "lattice.npy", points)
    return tmp_path / "lattice.npy", points


def rewritten(path, tensors):
    with safe_open(path, "np") as file:
        metadata = dict(file.metadata())
    text = metadata["run"] + metadata["state"]
    bytes_of = b"".join(name.encode() + tensors[name].tobytes() for name in sorted(tensors))
    save_file(tensors, path, {**metadata, "digest": hashlib.sha256(text.encode() + bytes_of).hexdigest()})


def keep_part(path, points, first, end, seen, k):
    """As the file would be of a run that has met the columns in `seen` alone."""
    order, column, sizes = [], [], []
    for i in range(first, end):
        far = [(float(((points[i] - points[j]) ** 2).sum()), j) for begin, last in seen for j in range(begin, last) if j != i]
        near = sorted(far)[:k]
        sizes.append(len(near))
        order += [one[0] for one in near]
        column += [one[1] for one in near]
    rewritten(path, {"seen": np.array(seen, dtype=np.int64).reshape(-1), "sizes": np.array(sizes, dtype=np.int64), "order": np.array(order, dtype=np.float64),
                     "column": np.array(column, dtype=np.int32)})


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
def test_parts_that_fit_no_block(calor, tmp_path, lattice, processes):
    """Rows and columns of an earlier run lie across those of this one; ties go to the lower row all the same."""
    path, points = lattice
    folder = tmp_path / "kept"
    resumed(3, "knn(5)", path, folder)
    assert files(folder) == ["0-knn-0-33.checkpoint", "0-knn-33-66.checkpoint", "0-knn-66-98.checkpoint"]
    keep_part(folder / "0-knn-0-33.checkpoint", points, 0, 33, [(3, 20), (40, 41), (70, 98)], 5)
    keep_part(folder / "0-knn-33-66.checkpoint", points, 33, 66, [(0, 50)], 5)
    (folder / "0-knn-66-98.checkpoint").unlink()
    found = resumed(processes, "knn(5)", path, folder)
    assert note_of(found) == [f"goes on from a checkpoint that has {100 * (33 * 46 + 33 * 50) / 98**2:.3g} % of all pairs of rows"]
    assert found["result"] == document(calor("run", "knn(5)", path, *KEPT))["result"]


def test_what_was_kept_is_what_is_used(tmp_path, lattice):
    """A file whose neighbours are wrong, with a digest that fits: they are in the result."""
    path, _ = lattice
    folder = tmp_path / "kept"
    resumed(1, "knn(1)", path, folder)
    file = folder / "0-knn-0-98.checkpoint"
    tensors = load_file(file)
    wrong = np.where(np.arange(98) == 17, 18, 17).astype(np.int32)
    rewritten(file, {**tensors, "column": wrong})
    found = resumed(2, "knn(1)", path, folder)["result"]["values"]
    assert [value for name, value in found.items() if name != "row"] and set(map(int, found["to"])) <= {17, 18, 19}


def test_a_pipeline_goes_on_after_its_neighbours(calor, tmp_path):
    folder = tmp_path / "kept"
    first = resumed(4, "laplacian-eigenmaps", "digits", folder)
    second = resumed(2, "laplacian-eigenmaps", "digits", folder)
    assert note_of(second)[0] == "goes on from a checkpoint that has 100 % of all pairs of rows"
    np.testing.assert_allclose(first["spectrum"], second["spectrum"], rtol=0, atol=1e-10)


def of_eigen(folder):
    return [name for name in files(folder) if "-eigen-" in name]


def test_eigenpairs_go_on_with_another_number_of_processes(calor, tmp_path):
    """The diffusion map of breast_cancer, whose eigenvalues crowd at 1: the solver restarts its basis some twenty times."""
    words, folder = ("diffusion-map", "breast_cancer"), tmp_path / "kept"
    killed(4, *words, folder, lambda: of_eigen(folder))
    found = resumed(3, *words, folder)
    (note,) = note_of(found)
    assert "of 2 eigenpairs" in note and not note.startswith("goes on from a checkpoint that has 2")
    np.testing.assert_allclose(found["spectrum"], document(calor("run", *words, *KEPT))["spectrum"], rtol=0, atol=1e-10)


def test_eigenpairs_of_a_graph_go_on(tmp_path):
    """All pairs are kept at the end; files of one of three processes alone are no whole, and the solver begins anew."""
    folder = tmp_path / "kept"
    first = resumed(3, "laplacian-eigenmaps", "digits", folder)
    again = resumed(2, "laplacian-eigenmaps", "digits", folder)
    assert any("2 of 2 eigenpairs" in note for note in note_of(again))
    np.testing.assert_allclose(again["spectrum"], first["spectrum"], rtol=0, atol=1e-12)
    for name in of_eigen(folder)[1:]:
        (folder / name).unlink()
    anew = resumed(3, "laplacian-eigenmaps", "digits", folder)
    assert not any("eigenpairs" in note for note in note_of(anew))
    np.testing.assert_allclose(anew["spectrum"], first["spectrum"], rtol=0, atol=1e-10)


def test_starts_of_k_means_go_on(calor, tmp_path):
    folder = tmp_path / "kept"
    pipeline = "cluster(40, starts=60)"
    killed(2, pipeline, "digits", folder, lambda: files(folder))
    found = resumed(3, pipeline, "digits", folder)
    (note,) = note_of(found)
    done = int(note.split("has ")[1].split(" of 60 starts")[0])
    assert 0 < done < 60
    whole = document(calor("run", pipeline, "digits", *KEPT))
    assert found["result"]["values"] == whole["result"]["values"]
    assert found["figures"]["inertia"] == pytest.approx(whole["figures"]["inertia"], rel=1e-12)
    again = resumed(1, pipeline, "digits", folder)
    assert note_of(again) == ["goes on from a checkpoint that has 60 of 60 starts"] and again["result"]["values"] == whole["result"]["values"]


def test_foreign_and_damaged_checkpoints_are_refused(tmp_path, lattice):
    path, points = lattice
    folder = tmp_path / "kept"
    resumed(3, "knn(5)", path, folder)
    other = tmp_path / "other.npy"
    points[97, 1] += 1e-12
    np.save(other, points)
    said = resumed(2, "knn(5)", other, folder, code=3)
    assert said.count("error:") == 1 and "differs in points" in said and str(folder) in said
    assert 'differs in pipeline ("knn(4)", was "knn(5)")' in resumed(3, "knn(4)", path, folder, code=3)
    assert "differs in seed (1, was 0)" in resumed(1, "knn(5)", path, folder, "--seed", 1, code=3)
    file = folder / "0-knn-33-66.checkpoint"
    whole = file.read_bytes()
    for damage, words in ((whole[:-5], "knn-33-66"), (whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:], "digest does not fit"), (b"", "knn-33-66")):
        file.write_bytes(damage)
        said = resumed(2, "knn(5)", path, folder, code=3)
        assert said.count("error:") == 1 and words in said and "delete it" in said
    save_file({"x": np.zeros(3)}, file)
    assert "another kind of file" in resumed(2, "knn(5)", path, folder, code=3)
    file.write_bytes(whole)
    assert "has 100 %" in note_of(resumed(2, "knn(5)", path, folder))[0]


def test_a_folder_that_is_none(tmp_path, lattice):
    (tmp_path / "file").write_text("no folder")
    assert "expected a folder" in resumed(2, "knn(5)", lattice[0], tmp_path / "file", code=3)


def test_digest_of_points_is_that_of_any_blocks(tmp_path, lattice):
    seen = set()
    for processes in (1, 3):
        folder = tmp_path / f"kept{processes}"
        resumed(processes, "knn(5)", lattice[0], folder)
        with safe_open(folder / files(folder)[0], "np") as file:
            seen.add(json.loads(file.metadata()["run"])["points"])
    assert len(seen) == 1
