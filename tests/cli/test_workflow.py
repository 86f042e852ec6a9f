"""The main jobs end to end, as a user runs them: compare with its report, train, interrupt, resume, predict.

Truth: the same computation done another way (another number of threads, interrupted and resumed, Python's own readers).
"""
import csv
import gzip
import io
import json
import os
import re
import signal
import struct
import subprocess
import time

import numpy as np
import pytest
from safetensors import safe_open

from blobs import SHORT, two_blobs
from command import CALOR, ROOT, cut_short


def without_times(document):
    """A compare document less what may differ between two equal runs: seconds, the command line and the machine."""
    if isinstance(document, dict):
        return {k: without_times(v) for k, v in document.items()
                if k not in ("seconds", "command", "machine", "seconds_to_common", "verdict")}
    if isinstance(document, list):
        return [without_times(v) for v in document]
    return document


def test_version_help_and_data(calor):
    assert calor("--version").stdout.startswith("calor 0.")
    overview = calor("--help").stdout
    for word in ("compare", "train", "predict", "data", "Exit codes"):
        assert word in overview
    listed = json.loads(calor("data", "--json").stdout)
    assert listed["schema"] == 1
    rows = {s["name"]: (s["rows"], s["columns"], s["classes"]) for s in listed["sets"]}
    assert rows == {"moons": (500, 2, 2), "digits": (1797, 64, 10), "iris": (150, 4, 3), "wine": (178, 13, 3),
                    "breast_cancer": (569, 30, 2)}
    for name in rows:
        assert name in calor("data").stdout


def test_compare_writes_a_report_and_its_data(calor, blobs, tmp_path):
    report = tmp_path / "r.html"
    done = calor("compare", blobs, "--epochs", "60", "--seeds", "3", "--report", report)
    assert "blobs: 32 training and 8 test points, 2 features, 2 classes; 3 seeds" in done.stdout
    for method in ("metric", "MLP", "logistic regression", "5-nearest neighbours", "nearest neighbours", "SVM", "propagator"):
        assert re.search(rf"^    {method} +(as it is|standardised|whitened)", done.stdout, re.M), method
    assert re.search(r"SVM +\D*; C [\d.]+.*; gamma [\d.]+", done.stdout)
    assert str(report) in done.stdout and "Verdict" in done.stdout
    assert done.stderr == 'read 40 rows x 2 features (label "kind", 2 classes; header yes; comma)\n', "progress belongs on a terminal only"
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["schema"] == 1 and document["kind"] == "compare"
    experiment = document["experiments"][0]
    assert experiment["data"]["classes"] == ["left", "right"]
    assert [row["attention"] for row in experiment["summary"]] == ["self", "l2", "metric", "uniform"]
    assert len(experiment["runs"]) == 12 and len(experiment["baselines"]) == 7
    assert len(experiment["regions"]) >= 1 and len(experiment["similarity"]) >= 1
    for run in experiment["runs"]:
        assert len(run["epoch"]) == len(run["loss"]) == len(run["test_accuracy"]) == len(run["share"])
        assert run["epoch"][0] == 0 and run["epoch"][-1] == 60
    for similarity in experiment["similarity"]:
        assert np.allclose(np.sum(similarity["matrix"], axis=1), 1, atol=1e-3)
        assert similarity["labels"] == sorted(similarity["labels"])
    # Two blobs four apart: every baseline separates them.
    assert all(b["accuracy_mean"] == 1 for b in experiment["baselines"])
    page = report.read_text()
    assert "blobs" in page and "<script src" not in page


def test_same_bits_for_any_number_of_threads(calor, blobs):
    words = ["compare", blobs, "--epochs", "15", "--seeds", "2", "--json"]
    documents = [without_times(json.loads(calor(*words, "--threads", n).stdout)) for n in (1, 2, 3)]
    assert documents[0] == documents[1] == documents[2]
    other = without_times(json.loads(calor(*words, "--seed", "5").stdout))
    assert other["experiments"][0]["runs"] != documents[0]["experiments"][0]["runs"]


@pytest.mark.parametrize("attend", ["train", "joint", "batch"])
def test_protocols_are_recorded(calor, blobs, attend):
    document = json.loads(calor("compare", blobs, "--epochs", "3", "--seeds", "1", "--attend", attend, "--optimizer", "adam",
                                "--layers", "1", "--width", "7", "--temperature", "learn", "--no-standardise", "--json",
                                code=SHORT).stdout)
    protocol = document["experiments"][0]["protocol"]
    assert (protocol["attend"], protocol["optimizer"], protocol["layers"], protocol["width"]) == (attend, "adam", 1, 7)
    assert protocol["temperature"] == "learn" and protocol["epochs"] == 3
    assert protocol["preprocessing"] == "untouched"
    assert all(run["preprocessing"] == "untouched" for run in document["experiments"][0]["runs"])
    literal = json.loads(calor("compare", blobs, "--epochs", "3", "--seeds", "1", "--reading", "paper-literal", "--json", code=SHORT).stdout)
    protocol = literal["experiments"][0]["protocol"]
    assert (protocol["residual"], protocol["optimizer"], protocol["reading"]) == (False, "adam", "paper-literal")


def read_csv(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_train_predict_and_python_reads_the_model(calor, tmp_path, blobs):
    model = tmp_path / "m.safetensors"
    done = calor("train", blobs, "--attention", "metric", "--epochs", "150", "--save", model)
    assert "metric: test accuracy 100.0 %" in done.stdout
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["blobs.csv", "m.safetensors"], "no checkpoint is left"
    rows = read_csv(calor("predict", model, blobs).stdout)
    truth = [row["kind"] for row in csv.DictReader(blobs.open())]
    assert np.mean([r["prediction"] == t for r, t in zip(rows, truth, strict=True)]) == 1
    assert all(abs(float(r["p_left"]) + float(r["p_right"]) - 1) < 1e-4 for r in rows)

    # Without the label column, columns in another order and one more: the same predictions.
    shuffled = tmp_path / "new.csv"
    with shuffled.open("w") as out:
        out.write("b,more,a\n")
        for row in csv.DictReader(blobs.open()):
            out.write(f"{row['b']},9,{row['a']}\n")
    assert read_csv(calor("predict", model, shuffled).stdout) == rows
    # One point alone is predicted as it is among others: test points do not see each other.
    alone = tmp_path / "alone.csv"
    first = next(csv.DictReader(blobs.open()))
    alone.write_text(f"a,b\n{first['a']},{first['b']}\n")
    got = read_csv(calor("predict", model, alone).stdout)[0]
    assert got["prediction"] == rows[0]["prediction"] and abs(float(got["p_left"]) - float(rows[0]["p_left"])) < 1e-5

    with safe_open(model, framework="np") as file:
        names, metadata = list(file.keys()), file.metadata()
        assert all(np.isfinite(file.get_tensor(name)).all() for name in names)
    text = json.dumps(metadata)
    for word in ("score(metric)", "left", "right", "seed", "version", "kind", "hash"):
        assert word in text, metadata
    out = tmp_path / "out.json"
    calor("predict", model, blobs, "--json", "-o", out)
    document = json.loads(out.read_text())
    assert document["schema"] == 1 and document["accuracy"] == 1.0 and len(document["rows"]) == 40


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_training_goes_on_to_the_same_bits(calor, tmp_path, how):
    path = tmp_path / "blobs.csv"
    path.write_text(two_blobs(300))
    whole, cut = tmp_path / "whole.safetensors", tmp_path / "cut.safetensors"

    def train(epochs, model):
        return ["train", path, "--attention", "metric", "--epochs", epochs, "--save", model, "--seed", "3", "--checkpoint-seconds", "0.1"]

    epochs, code, _ = cut_short(train, cut, 1500, how)
    checkpoint = tmp_path / "cut.safetensors.checkpoint"
    assert code == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert checkpoint.exists() and not cut.exists()
    done = calor(*train(epochs, cut))
    assert "went on from the checkpoint at epoch" in done.stdout
    assert not checkpoint.exists()
    calor(*train(epochs, whole))
    with safe_open(whole, framework="np") as a, safe_open(cut, framework="np") as b:
        assert set(a.keys()) == set(b.keys())
        for name in a.keys():
            assert a.get_tensor(name).tobytes() == b.get_tensor(name).tobytes(), name


def test_a_checkpoint_of_another_command_is_refused_until_restart(calor, tmp_path, blobs):
    model = tmp_path / "m.safetensors"
    (tmp_path / "m.safetensors.checkpoint").write_bytes(b"not a checkpoint")
    assert "--restart" in calor("train", blobs, "--epochs", "5", "--save", model, code=3).stderr
    assert (tmp_path / "m.safetensors.checkpoint").read_bytes() == b"not a checkpoint", "nothing is lost"
    calor("train", blobs, "--epochs", "5", "--save", model, "--restart")
    assert model.exists()


def test_two_runs_at_once_to_one_report(tmp_path, blobs):
    words = [str(CALOR), "compare", str(blobs), "--epochs", "5", "--seeds", "2", "--report", str(tmp_path / "r.html")]
    runs = [subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    for run in runs:
        _, problem = run.communicate(timeout=600)
        assert run.returncode in SHORT, problem
    assert json.loads((tmp_path / "r.json").read_text())["schema"] == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["blobs.csv", "r.html", "r.json"]


def test_the_same_points_in_every_format(calor, tmp_path):
    """csv, csv.gz, semicolons, npz, npy pair and idx pair of the same whole numbers give the same training loss."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = (rng.integers(0, 40, size=(60, 4)) + 60 * y[:, None]).astype(np.uint8)
    table = "x1,x2,x3,x4,label\n" + "".join(",".join(map(str, [*row, c])) + "\n" for row, c in zip(x, y))
    (tmp_path / "t.csv").write_text(table)
    (tmp_path / "s.csv").write_text(table.replace(",", ";").replace("\n", "\r\n"))
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(table.encode()))
    np.savez(tmp_path / "t.npz", X=x, y=y)
    np.savez_compressed(tmp_path / "c.npz", X=x.astype(np.float64), y=y.astype(np.int32))
    np.save(tmp_path / "x.npy", np.asfortranarray(x.astype(np.float32)))
    np.save(tmp_path / "y.npy", y)
    (tmp_path / "i-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 2051, 60, 2, 2) + x.tobytes())
    (tmp_path / "i-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, 60) + y.astype(np.uint8).tobytes())
    sources = [tmp_path / "t.csv", tmp_path / "s.csv", tmp_path / "t.csv.gz", tmp_path / "t.npz", tmp_path / "c.npz",
               f"{tmp_path / 'x.npy'},{tmp_path / 'y.npy'}", tmp_path / "i-images-idx3-ubyte"]
    losses = [json.loads(calor("train", s, "--epochs", "5", "--json").stdout)["loss"] for s in sources]
    assert all(loss == losses[0] for loss in losses), losses
    piped = calor("train", "-", "--epochs", "5", "--json", input=table)
    assert json.loads(piped.stdout)["loss"] == losses[0]


def test_an_official_test_file(calor, tmp_path):
    (tmp_path / "train.csv").write_text(two_blobs(60))
    turned = [line.split(",") for line in two_blobs(30).splitlines()]
    (tmp_path / "test.csv").write_text("\n".join(f"{c},{b},{a}" for a, b, c in turned) + "\n")  # columns go by name
    document = json.loads(calor("compare", tmp_path / "train.csv", "--test", tmp_path / "test.csv", "--epochs", "30", "--seeds",
                                "2", "--json").stdout)
    data = document["experiments"][0]["data"]
    assert (data["train"], data["test"]) == (60, 30) and data["test_source"].endswith("test.csv")
    # The reordered test file is the first half of the training file: what separates one separates the other.
    assert all(b["accuracy_mean"] == 1 for b in document["experiments"][0]["baselines"])
    (tmp_path / "bare.csv").write_text("a,b\n1,2\n")
    assert "kind" in calor("compare", tmp_path / "train.csv", "--test", tmp_path / "bare.csv", code=3).stderr


def test_labels_by_name_and_position(calor, tmp_path):
    lines = [line.split(",") for line in two_blobs().splitlines()]
    path = tmp_path / "first.csv"
    path.write_text("\n".join(",".join([row[2], row[0], row[1]]) for row in lines) + "\n")
    results = [json.loads(calor("train", path, "--label", label, "--epochs", "3", "--json").stdout)["loss"]
               for label in ("kind", "1", "-3")]
    assert results[0] == results[1] == results[2]


@pytest.mark.skipif("CALOR_DATA" not in os.environ, reason="SKIPPED: CALOR_DATA names no data folder")
def test_mnist_with_its_official_test_file(calor):
    folder = f"{os.environ['CALOR_DATA']}/mnist"
    done = calor("train", f"{folder}/train-images-idx3-ubyte.gz", "--test", f"{folder}/t10k-images-idx3-ubyte.gz",
                 "--attention", "uniform", "--epochs", "1", "--width", "16", "--lr", "1e-3", "--json")
    document = json.loads(done.stdout)
    assert (document["train"], document["test"]) == (60000, 10000)
    assert len(document["constant_columns"]) > 60, "MNIST's border pixels are never set"
    assert document["test_accuracy"][-1] > 0.5


def test_bash_completion(calor):
    """The script completes commands, flags and bundled names when bash runs it."""
    script = calor("completion").stdout

    def complete(*words):
        ask = f'COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; _calor; echo "${{COMPREPLY[@]}}"'
        return subprocess.run(["bash", "-c", script + ask], capture_output=True, text=True, check=True).stdout.split()

    assert "compare" in complete("calor", "com")
    assert sorted(complete("calor", "compare", "--see")) == ["--seed", "--seeds"]
    assert "digits" in complete("calor", "compare", "dig")
    assert complete("calor", "run", "iso") == ["isomap"]
    assert "geodesic" in complete("calor", "stages", "geo")


def test_one_run_at_a_time_saves_to_a_file(calor, tmp_path):
    model, lock = tmp_path / "m.safetensors", tmp_path / "m.safetensors.lock"

    def words(epochs):
        return ["train", "moons", "--epochs", str(epochs), "--save", str(model), "-q"]

    first = subprocess.Popen([str(CALOR), *words(10**6)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not lock.exists() or lock.read_text() == "":
        assert first.poll() is None, first.communicate()[1]
        time.sleep(0.001)
    for more in ([], ["--restart"]):
        refused = calor(*words(2), *more, code=3)
        assert f"found one at work (process {first.pid})" in refused.stderr and str(model) in refused.stderr
    calor("train", "moons", "--epochs", "2", "--save", tmp_path / "other.safetensors", "-q")
    first.kill()
    first.communicate()
    assert lock.exists(), "a killed process leaves the file, but not the lock"
    calor(*words(2), "--restart")
    assert {path.name for path in tmp_path.iterdir()} == {"m.safetensors", "other.safetensors"}


def test_a_file_of_somebodys_in_place_of_the_lock_is_left_alone(calor, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("mine\n")
    (tmp_path / "linked.safetensors.lock").symlink_to(notes)
    (tmp_path / "plain.safetensors.lock").write_text("what I have to do today, and tomorrow\n")
    for name in ("linked", "plain"):
        calor("train", "moons", "--epochs", "2", "--save", tmp_path / f"{name}.safetensors", "-q")
    assert notes.read_text() == "mine\n" and (tmp_path / "linked.safetensors.lock").is_symlink()
    assert "today" in (tmp_path / "plain.safetensors.lock").read_text()


def test_trainings_at_once_with_one_file_leave_a_whole_one(calor, tmp_path):
    def words(seed, path):
        return ["train", "moons", "--epochs", "20", "--checkpoint-seconds", "0", "--seed", str(seed), "--save", str(path), "-q"]

    alone = []
    for seed in (0, 1):
        calor(*words(seed, tmp_path / f"{seed}.safetensors"))
        alone.append((tmp_path / f"{seed}.safetensors").read_bytes())
    # The second is told of the first, or comes after it.
    for number, seeds in enumerate([(0, 0, 0), (0, 1)]):
        folder = tmp_path / f"together{number}"
        folder.mkdir()
        running = [subprocess.Popen([str(CALOR), *words(seed, folder / "model.safetensors")], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for seed in seeds]
        said = [process.communicate(timeout=600)[1] for process in running]
        for process, text in zip(running, said, strict=True):
            assert process.returncode == 0 or (process.returncode == 3 and "at work" in text), text
        assert 0 in [process.returncode for process in running]
        assert (folder / "model.safetensors").read_bytes() in [alone[seed] for seed in seeds]
        assert {path.name for path in folder.iterdir()} == {"model.safetensors"}
