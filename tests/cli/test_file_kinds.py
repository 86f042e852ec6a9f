"""Each of Calor's own files given to the command of another: it is named, with the command that takes it."""
import json
import struct

import pytest


def tensors(path, **metadata):
    header = json.dumps({"__metadata__": metadata, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))


@pytest.fixture
def files(calor, tmp_path):
    calor("run", "mds", "iris", "--save", tmp_path / "fit", "-q")
    tensors(tmp_path / "network", kind="calor attention network")
    tensors(tmp_path / "propagator", kind="calor propagator")
    tensors(tmp_path / "checkpoint", kind="calor training checkpoint")
    tensors(tmp_path / "foreign.safetensors", format="pt")
    (tmp_path / "mapping.json").write_text(json.dumps({"schema": 1, "weights": "w.safetensors", "layers": [{"query": "q"}]}))
    calor("run", "mds", "iris", "--json", "-q", "-o", tmp_path / "results.json")
    return tmp_path


FIT = ["a fit of calor run", "place new points with calor apply"]
NETWORK = ["a network of calor train", "predict new points with calor predict"]
CHECKPOINT = ["a checkpoint of calor train", "give the command that began it once more"]
MAPPING = ["a mapping of attention weights", "look into its heads with calor inspect"]
RESULTS = ["results of calor run in JSON", "give the file that --save wrote"]
FOREIGN = ["written by another program"]


@pytest.mark.parametrize(
    "name, parts",
    [("checkpoint", CHECKPOINT), ("mapping.json", MAPPING), ("results.json", RESULTS), ("foreign.safetensors", FOREIGN)],
)
def test_apply_wants_a_fit(calor, files, name, parts):
    said = calor("apply", files / name, "iris", code=3).stderr
    assert "[apply] expected a fit that `calor run --save` wrote, found " in said and f"({files / name})" in said
    assert all(part in said for part in parts), said


@pytest.mark.parametrize(
    "name, parts", [("fit", FIT), ("checkpoint", CHECKPOINT), ("results.json", RESULTS)]
)
def test_inspect_wants_attention_heads(calor, files, name, parts):
    said = calor("inspect", files / name, code=3).stderr
    assert "[inspect] expected attention heads, found " in said and f"({files / name})" in said
    assert all(part in said for part in parts), said


def test_inspect_of_another_programs_file_tells_of_the_mapping(calor, files):
    said = calor("inspect", files / "foreign.safetensors", code=3).stderr
    assert "written by another program" in said and "mapping file" in said


@pytest.mark.parametrize(
    "name, parts",
    [("fit", FIT), ("checkpoint", CHECKPOINT), ("mapping.json", MAPPING), ("results.json", RESULTS), ("foreign.safetensors", FOREIGN)],
)
def test_predict_wants_a_model(calor, files, name, parts):
    done = calor("predict", files / name, "iris", code=(2, 3))
    if "expected a build with torch" in done.stderr:
        pytest.skip("a build without torch")
    assert done.returncode == 3 and "[predict] expected a model of calor train, found " in done.stderr
    assert all(part in done.stderr for part in parts), done.stderr


def test_apply_does_what_predict_does(calor, files):
    """The damaged models above reach the reader that predict has; a fit's own options are refused beside a model."""
    done = calor("apply", files / "network", "iris", code=(2, 3))
    if "expected a build with torch" in done.stderr:
        pytest.skip("a build without torch")
    for name in ("network", "propagator"):
        said = [calor(command, files / name, "iris", code=3).stderr for command in ("apply", "predict", "transform")]
        assert said[0] == said[1] == said[2] and "[model]" in said[0]
        for option in (["--append"], ["--report", files / "r.html"]):
            assert "leave them out" in calor("apply", files / name, "iris", *option, code=2).stderr
    for option in (["--graph", "g"], ["--labels", "l"]):
        assert "leave them out" in calor("apply", files / "fit", "iris", *option, code=2).stderr


def test_apply_of_trained_models(calor, tmp_path):
    """Byte for byte what predict writes, its evidence too."""
    if "needs torch" in calor("--help").stdout:
        pytest.skip("a build without torch")
    for model, *words in (("network", "--epochs", 2), ("propagator", "--model", "propagator", "--epochs", 2)):
        calor("train", "iris", *words, "--save", tmp_path / model, "-q")
        assert calor("apply", tmp_path / model, "iris", "-q").stdout == calor("predict", tmp_path / model, "iris", "-q").stdout
    words = [tmp_path / "propagator", "iris", "--evidence", 2, "-q"]
    assert calor("transform", *words).stdout == calor("predict", *words).stdout
    calor("apply", tmp_path / "network", "iris", "-o", tmp_path / "out.csv", "-q")
    assert (tmp_path / "out.csv").read_text() == calor("predict", tmp_path / "network", "iris", "-q").stdout
