"""Bad input gets a clear error with the right exit code, and nothing is lost or left behind.

Each case: what the user did, the exit code of the documentation (2 usage, 3 input, 4 memory), and words that the message
must hold: the place and the remedy.
"""
import gzip
import json
import os
import resource
import signal
import struct
import subprocess

import numpy as np
import pytest

from blobs import SHORT, two_blobs
from command import CALOR

QUICK = ["--epochs", "2", "--seeds", "1"]


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


FILES = {
    "empty": ("empty.csv", "", ["empty.csv"]),
    "header_only": ("header.csv", "a,b,kind\n", ["header.csv"]),
    "one_row": ("one.csv", "a,b,kind\n1,2,left\n", ["at least 2", "found 1", "one.csv"]),
    "one_class": ("one_class.csv", "a,b,kind\n" + "".join(f"{i},{i * i},left\n" for i in range(20)), ["2 classes", "found 1", "--label", "one_class.csv"]),
    "nan": ("nan.csv", two_blobs() + "nan,1,left\n", ["line 42", "a", "nan"]),
    "infinity": ("inf.csv", two_blobs() + "1,-inf,left\n", ["line 42", "b", "inf"]),
    "ragged": ("ragged.csv", two_blobs() + "1,2\n", ["line 42", "3", "2"]),
    "not_numeric": ("text.csv", two_blobs() + "1,blue,left\n", ["line 42", "b", "blue"]),
    "missing_value": ("hole.csv", two_blobs() + "1,,left\n", ["line 42", "b"]),
    "more_classes_than_half": ("regression.csv", "a,y\n" + "".join(f"{i},{i * 1.5}\n" for i in range(40)), ["y", "class"]),
}


@pytest.mark.parametrize("case", FILES)
def test_bad_csv(calor, tmp_path, case):
    name, content, words = FILES[case]
    path = write(tmp_path / name, content)
    done = calor("compare", path, *QUICK, code=3)
    for word in words:
        assert word in done.stderr, done.stderr
    said = [line for line in done.stderr.splitlines() if not line.startswith(("read ", "note: "))]
    assert said[0].startswith("error: ["), done.stderr
    assert done.stdout == ""


def test_more_classes_than_rows_can_train(calor, tmp_path):
    rows = "".join(f"{i},{i % 3},c{i}\n" for i in range(12))
    done = calor("compare", write(tmp_path / "classes.csv", "a,b,kind\n" + rows), *QUICK, code=3)
    assert "class" in done.stderr


def test_wrong_label_column_names_those_there_are(calor, blobs):
    done = calor("compare", blobs, "--label", "kidn", *QUICK, code=3)
    for word in ("kidn", "a, b, kind", 'did you mean "kind"'):
        assert word in done.stderr, done.stderr


def test_label_position_out_of_range(calor, blobs):
    assert "9" in calor("compare", blobs, "--label", "9", *QUICK, code=3).stderr


def test_missing_file_and_near_bundled_name(calor, tmp_path):
    assert "nowhere.csv" in calor("compare", tmp_path / "nowhere.csv", *QUICK, code=3).stderr
    assert "digits" in calor("compare", "digit", *QUICK, code=3).stderr


def test_folder_instead_of_file(calor, tmp_path):
    assert "folder" in calor("compare", tmp_path, *QUICK, code=3).stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="SKIPPED: root reads everything")
def test_unreadable_file(calor, blobs):
    blobs.chmod(0)
    assert "ermission" in calor("compare", blobs, *QUICK, code=3).stderr


def test_unwritable_report_is_refused_before_the_work(calor, tmp_path):
    done = calor("compare", "moons", "--report", tmp_path / "missing" / "r.html", code=3)
    assert "missing" in done.stderr
    done = calor("train", "iris", "--save", tmp_path, code=3)
    assert str(tmp_path) in done.stderr


def test_truncated_gz(calor, tmp_path):
    whole = gzip.compress(two_blobs(4000).encode())
    done = calor("compare", write(tmp_path / "cut.csv.gz", whole[: len(whole) // 2]), *QUICK, code=3)
    assert "cut.csv.gz" in done.stderr and "truncated" in done.stderr


def test_truncated_npz(calor, tmp_path):
    path = tmp_path / "cut.npz"
    np.savez(path, X=np.random.default_rng(0).normal(size=(50, 4)), y=np.arange(50) % 2)
    write(path, path.read_bytes()[:700])
    assert "cut.npz" in calor("compare", path, *QUICK, code=3).stderr


def test_truncated_npy_and_huge_shape(calor, tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 1048576), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    path = write(tmp_path / "huge.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 64)
    done = calor("compare", path, *QUICK, code=3)
    assert "huge.npy" in done.stderr


def test_npz_labels_of_another_length(calor, tmp_path):
    path = tmp_path / "short.npz"
    np.savez(path, X=np.zeros((50, 4)), y=np.arange(49) % 2)
    done = calor("compare", path, *QUICK, code=3)
    assert "50" in done.stderr and "49" in done.stderr


def test_truncated_idx_and_huge_header(calor, tmp_path):
    labels = write(tmp_path / "labels", struct.pack(">II", 2049, 20) + bytes(i % 2 for i in range(20)))
    cut = write(tmp_path / "images", struct.pack(">IIII", 2051, 20, 4, 4) + b"\0" * 100)
    assert "images" in calor("compare", f"{cut},{labels}", *QUICK, code=3).stderr
    huge = write(tmp_path / "images2", struct.pack(">IIII", 2051, 2**32 - 1, 2**32 - 1, 2**32 - 1))
    assert "images2" in calor("compare", f"{huge},{labels}", *QUICK, code=3).stderr


def test_truncated_model_and_foreign_file(calor, tmp_path, blobs):
    model = tmp_path / "m.safetensors"
    calor("train", blobs, "--epochs", "2", "--save", model)
    whole = model.read_bytes()
    for cut in (0, 7, 40, len(whole) - 1):
        done = calor("predict", write(tmp_path / "cut.safetensors", whole[:cut]), blobs, code=3)
        assert "cut.safetensors" in done.stderr
    huge = struct.pack("<Q", 2**62) + whole[8:]
    assert "header" in calor("predict", write(tmp_path / "huge.safetensors", huge), blobs, code=3).stderr
    assert "blobs.csv" in calor("predict", blobs, blobs, code=3).stderr


def test_predict_with_missing_columns_and_unknown_class(calor, tmp_path, blobs):
    model = tmp_path / "m.safetensors"
    calor("train", blobs, "--epochs", "2", "--save", model)
    other = write(tmp_path / "other.csv", "a,c\n1,2\n")
    assert "b" in calor("predict", model, other, code=3).stderr
    unknown = write(tmp_path / "unknown.csv", "a,b,kind\n1,2,left\n1,2,middle\n")
    assert "middle" in calor("predict", model, unknown, code=3).stderr


USAGE = [
    (["compare", "moons", "--seeds", "0"], "seeds"),
    (["compare", "moons", "--epochs", "-3"], "epochs"),
    (["compare", "moons", "--epochs", "0"], "epochs"),
    (["compare", "moons", "--width", "513"], "512"),
    (["compare", "moons", "--attention", "metrik"], 'metric'),
    (["compare", "moons", "--attention", ""], "attention"),
    (["compare", "moons", "--attention", "self,self"], "self"),
    (["compare", "moons", "--attend", "trian"], "train"),
    (["compare", "moons", "--optimizer", "sgd"], "adamw"),
    (["compare", "moons", "--reading", "literal"], "paper-literal"),
    (["compare", "moons", "--temperature", "warm"], "learn"),
    (["compare", "moons", "--lr", "nan"], "learning rate"),
    (["compare", "moons", "--lr", "-1"], "learning rate"),
    (["compare", "moons", "--max-memory", "lots"], "512M"),
    (["compare", "moons", "--threads", "-1"], "threads"),
    (["compare", "moons", "iris", "--test", "x.csv"], "--test"),
    (["compare", "moons", "--seed", "-1"], "seed"),
    (["compare", "moons", "--report", ""], "report"),
    (["compare", "moons", "--report", "r.json"], ".html"),
    (["train", "moons", "--save", ""], "save"),
    (["compare"], "data"),
    (["comapre", "moons"], "compare"),
    (["compare", "moons", "--sedes", "3"], "sedes"),
    ([], "command"),
]


@pytest.mark.parametrize("words, expected", USAGE, ids=[" ".join(w) or "nothing" for w, _ in USAGE])
def test_usage(calor, words, expected):
    done = calor(*words, code=2)
    assert expected in done.stderr, done.stderr
    assert done.stdout == ""


def test_memory_limit_is_refused_before_the_work(calor):
    done = calor("compare", "digits", "--max-memory", "1M", code=4)
    assert "memory" in done.stderr


def test_a_device_that_this_build_does_not_have(calor):
    for device, remedy in (("gpu", "no back end for GPUs"), ("abacus", "name one that this build has")):
        done = calor("run", "isomap", "moons", code=2, env={**os.environ, "CALOR_DEVICE": device})
        assert f'expected "cpu", found "{device}"' in done.stderr and remedy in done.stderr


def test_unknown_isa_lists_those_there_are(calor):
    done = calor("compare", "moons", *QUICK, code=2, env={**os.environ, "CALOR_ISA": "mmx"})
    assert "mmx" in done.stderr and "scalar" in done.stderr


def limited(limit):
    """Every file larger than `limit` bytes fails to grow, as on a full disk."""
    def apply():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it; a shell does not
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return apply


def test_disk_full_half_way_keeps_the_old_report(tmp_path):
    report = write(tmp_path / "r.html", "the old report")
    old = write(tmp_path / "r.json", "{}")
    done = subprocess.run([str(CALOR), "compare", "iris", *QUICK, "--report", str(report)], capture_output=True, text=True,
                          preexec_fn=limited(4096), timeout=600)
    assert done.returncode == 3, done.stderr
    assert "r.json" in done.stderr or "r.html" in done.stderr
    assert report.read_text() == "the old report" and old.read_text() == "{}"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.html", "r.json"]


def test_full_standard_output(calor):
    with open("/dev/full", "w") as full:
        done = subprocess.run([str(CALOR), "data"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=600)
    assert done.returncode == 3 and "output" in done.stderr


def test_constant_column_is_named_and_kept(calor, tmp_path):
    lines = two_blobs().splitlines()
    rows = ["flat," + lines[0]] + ["7," + line for line in lines[1:]]
    done = calor("compare", write(tmp_path / "flat.csv", "\n".join(rows) + "\n"), *QUICK, code=SHORT)
    assert "constant columns: flat" in done.stdout
    document = json.loads(calor("compare", "digits", *QUICK, "--attention", "uniform", "--no-baselines", "--json", code=SHORT).stdout)
    assert len(document["experiments"][0]["data"]["constant_columns"]) >= 3


def test_a_loss_that_diverges_is_said_and_saves_nothing(calor, tmp_path, blobs):
    model = tmp_path / "m.safetensors"
    done = calor("train", blobs, "--lr", "1e30", "--epochs", "30", "--save", model, code=5)
    assert "loss" in done.stderr and "--lr" in done.stderr
    assert not model.exists()


def test_an_output_never_replaces_an_input(calor, tmp_path, blobs):
    model = tmp_path / "m.safetensors"
    calor("train", blobs, "--epochs", "2", "--save", model)
    before = blobs.read_bytes(), model.read_bytes()
    for words in (["train", blobs, "--save", blobs], ["predict", model, blobs, "-o", model], ["predict", model, blobs, "-o", blobs]):
        assert "other than the inputs" in calor(*words, code=2).stderr
    assert (blobs.read_bytes(), model.read_bytes()) == before


def test_huge_features_do_not_overflow_the_neighbours(calor, tmp_path):
    rows = "".join(f"{(1 if i % 2 else -1) * (1 + i / 40) * 1e38},{i % 7},c{i % 2}\n" for i in range(60))
    path = write(tmp_path / "huge.csv", "a,b,kind\n" + rows)
    document = json.loads(calor("compare", path, *QUICK, "--attention", "uniform", "--no-standardise", "--json", code=SHORT).stdout)
    accuracy = {b["name"]: b["accuracy_mean"] for b in document["experiments"][0]["baselines"]}
    assert accuracy["5-nearest neighbours"] == 1


def test_constant_features_still_have_a_region(calor, tmp_path):
    path = write(tmp_path / "flat.csv", "a,b,kind\n" + "".join(f"{i % 3},2,c{i % 2}\n" for i in range(40)))
    document = json.loads(calor("compare", path, *QUICK, "--attention", "metric", "--json", code=SHORT).stdout)
    for region in document["experiments"][0]["regions"]:
        assert region["x"][0] < region["x"][-1] and region["y"][0] < region["y"][-1]
