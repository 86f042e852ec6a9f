"""`calor inspect`: networks of `calor train` without torch against a forward pass in numpy, mapping files, pretrained models, memory,
and what is refused.  Needs build/calor (CALOR_BINARY names another); SKIPPED where CALOR_DATA has no pretrained models."""
import csv
import io
import json
import os
import pathlib
import resource

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from networks import KEPT, SHAPES, forward, network, probabilities, write_network

PRETRAINED = pathlib.Path(os.environ.get("CALOR_DATA", "/nonexistent")) / "pretrained"
pretrained = pytest.mark.skipif(not PRETRAINED.exists(), reason="SKIPPED: CALOR_DATA names no folder with pretrained/")


def centred(h):
    return h - h.mean(0)


def check_forward(document, tensors, score, points, steps=(("row", 0),)):
    """Figures that any slip in the forward pass changes, each from its definition in numpy."""
    states, weights = forward(tensors, score, points, steps)
    weights = [s / s.sum(1, keepdims=True) for s in weights]  # a sinkhorn that stops early has rows that add up to nearly 1
    for state, found in zip(states, document["states"], strict=True):
        assert found["spread"] == pytest.approx(np.linalg.norm(centred(state)) / np.linalg.norm(state), rel=1e-9)
        energy = np.linalg.svd(centred(state), compute_uv=False) ** 2
        energy = energy[energy > 0] / energy.sum()
        assert found["rank"] == pytest.approx(np.exp(-(energy * np.log(energy)).sum()), rel=1e-9)
    for head, s, x in zip(document["heads"], weights, states):
        entropy = -(s * np.log(np.maximum(s, 1e-300))).sum(1)
        assert head["attention"]["effective_neighbours"] == pytest.approx(np.exp(entropy).mean(), rel=1e-9)
        sink = head["attention"]["sinks"][0]  # of equal ones any
        assert sink["sum"] == pytest.approx(s.sum(0).max(), rel=1e-9) == pytest.approx(s.sum(0)[sink["token"] - 1], rel=1e-9)
        assert head["step"]["contraction"] == pytest.approx((centred(s @ x) ** 2).sum() / (centred(x) ** 2).sum(), rel=1e-8)
        moduli = np.sort(np.abs(np.linalg.eigvals(s)))[::-1]
        assert head["modes"]["gap"] == pytest.approx(1 - moduli[1], abs=1e-9)


@pytest.mark.parametrize("score", SHAPES)
def test_a_network_of_calor_train_without_torch(inspect, tmp_path, score):
    tensors = network(score)
    model = write_network(tmp_path / "m.safetensors", score, tensors=tensors)
    document = inspect(model)
    assert document["schema"] == 1 and document["kind"] == "inspect" and document["tokens"]["count"] == KEPT
    check_forward(document, tensors, score, tensors["tokens.values"].astype(np.float64))
    metric = score in ("l2", "metric")
    for head in document["heads"]:
        assert (head["defects"]["null"] is not None) == (score in ("qk", "l2"))
        if score == "additive":  # linear in both sides where no sum changes its sign: nothing is left after centring
            continue
        assert (head["defects"]["symmetry"] < 1e-12) == metric
        assert (head["defects"]["triangle"] == 0) == metric


def write_propagator(path, points, alpha):
    """A propagator of random maps on points in three columns; the mapped points, and the file."""
    draw = np.random.default_rng(7)
    t = {"metric.offset": draw.normal(size=(1, 3)), "metric.projection": draw.normal(size=(3, 2)), "metric.residual": np.eye(2) + 0.1 * draw.normal(size=(2, 2)),
         "metric.first": draw.normal(size=(4, 2)), "metric.first_bias": draw.normal(size=(1, 4)), "metric.second": 0.3 * draw.normal(size=(2, 4)),
         "temperature_and_alpha": np.array([[0.8, alpha]])}  # fmt: skip
    mapped = lambda x: (z := (x - t["metric.offset"]) @ t["metric.projection"]) @ t["metric.residual"].T + np.maximum(z @ t["metric.first"].T + t["metric.first_bias"], 0) @ t["metric.second"].T
    t["keys.values"] = mapped(points)
    save_file(t, path, metadata={"kind": "calor propagator", "schema": "1", "features": json.dumps(["a", "b", "c"]), "classes": "[]"})
    return mapped


@pytest.mark.parametrize("alpha", [0, 0.7])
def test_a_propagator(inspect, tmp_path, alpha):
    """One head whose score is a metric, on its training rows or on others: figures from its formula in numpy."""
    draw = np.random.default_rng(3)
    points, others = draw.normal(size=(23, 3)), draw.normal(size=(17, 3))
    mapped = write_propagator(tmp_path / "m.safetensors", points, alpha)
    np.save(tmp_path / "others.npy", others)
    for words, given in (([], points), (["--tokens", tmp_path / "others.npy"], others)):
        document = inspect(tmp_path / "m.safetensors", *words)
        (head,) = document["heads"]
        y = mapped(given)
        s = np.exp(-0.8 * ((y[:, None] - y[None]) ** 2).sum(-1))
        q = s.sum(1)
        s = s / (q[:, None] * q[None]) ** alpha
        s /= s.sum(1, keepdims=True)
        assert document["tokens"]["count"] == len(given) and document["model"]["kind"] == "calor propagator"
        entropy = -(s * np.log(s)).sum(1)
        assert head["attention"]["effective_neighbours"] == pytest.approx(np.exp(entropy).mean(), rel=1e-9)
        assert head["step"]["contraction"] == pytest.approx((centred(s @ y) ** 2).sum() / (centred(y) ** 2).sum(), rel=1e-8)
        assert head["defects"]["symmetry"] < 1e-12 and head["defects"]["triangle"] == 0
        for found, state in zip(document["states"], (y, s @ y), strict=True):
            assert found["spread"] == pytest.approx(np.linalg.norm(centred(state)) / np.linalg.norm(state), rel=1e-9)


# What stands between exp and apply, and the same as steps.
NORMALISED = {"two_side(1) | row": [("two_side", 1), ("row", 0)], "two_side(0.5) | column | row": [("two_side", 0.5), ("column", 0), ("row", 0)],
              "column | row": [("column", 0), ("row", 0)], "row | two_side(0.3) | row": [("row", 0), ("two_side", 0.3), ("row", 0)],
              "sinkhorn": [("sinkhorn", 10)], "sinkhorn(3)": [("sinkhorn", 3)], "sinkhorn(2) | row": [("sinkhorn", 2), ("row", 0)]}


@pytest.mark.parametrize("score", SHAPES)
@pytest.mark.parametrize("stages", NORMALISED)
def test_other_normalisations(inspect, tmp_path, score, stages):
    tensors = network(score)
    document = inspect(write_network(tmp_path / "m.safetensors", score, pipeline=f"score({score}) | exp | {stages} | apply", tensors=tensors))
    check_forward(document, tensors, score, tensors["tokens.values"].astype(np.float64), NORMALISED[stages])
    assert all(head["lipschitz"]["bound"] is None for head in document["heads"])


@pytest.mark.parametrize("alpha, pipeline", [(0, "metric"), (0, "self"), (1, "score(metric) | exp | two_side(1) | row | apply")])
def test_the_forward_pass_is_that_of_predict(calor, inspect, tmp_path, alpha, pipeline):
    """A trained model: `calor predict` (torch, float) and `calor inspect` (double) both against the same pass in numpy."""
    random = np.random.default_rng(5)
    points, new = random.normal(size=(60, 2)), random.normal(size=(9, 2))
    lines = [f"{a:.6f},{b:.6f},{'left' if a * b > 0 else 'right'}" for a, b in points]
    (tmp_path / "points.csv").write_text("a,b,kind\n" + "\n".join(lines) + "\n")
    (tmp_path / "new.csv").write_text("a,b\n" + "\n".join(f"{a:.6f},{b:.6f}" for a, b in new) + "\n")
    model = tmp_path / "m.safetensors"
    done = calor("train", tmp_path / "points.csv", "--attention", pipeline, "--epochs", 40, "--save", model, "-q", code=None)
    if "expected a build with torch" in done.stderr:
        pytest.skip("SKIPPED: this calor was built without torch")
    assert done.returncode == 0, done.stderr
    tensors = load_file(model)
    score = "qk" if pipeline == "self" else "metric"
    check_forward(inspect(model), tensors, score, tensors["tokens.values"].astype(np.float64), (("two_side", alpha), ("row", 0)))
    prepared = (np.round(new, 6) - tensors["preprocessing.mean"]) / tensors["preprocessing.deviation"]
    expected = probabilities(tensors, score, tensors["tokens.values"].astype(np.float64), prepared, alpha)
    found = list(csv.DictReader(io.StringIO(calor("predict", model, tmp_path / "new.csv").stdout)))
    assert [[float(row["p_left"]), float(row["p_right"])] for row in found] == [pytest.approx(list(row), abs=2e-5) for row in expected]


def test_new_rows_are_preprocessed_and_their_label_left_out(inspect, tmp_path):
    tensors = network("qk")
    model = write_network(tmp_path / "m.safetensors", "qk", tensors=tensors)
    rows = np.random.default_rng(1).normal(size=(30, 3)).astype(np.float32)
    lines = ["name,c,a,b,kind"] + [f"p{i},{c!r},{a!r},{b!r},{'xy'[i % 2]}" for i, (a, b, c) in enumerate(rows.astype(float).tolist())]
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n")
    document = inspect(model, "--tokens", tmp_path / "new.csv")
    prepared = np.stack([(rows[:, 0].astype(float) - 1) / 2, (rows[:, 1].astype(float) + 2) / 0.5, np.zeros(30)], 1)
    check_forward(document, tensors, "qk", prepared)
    assert document["tokens"]["names"][:2] == ["p0", "p1"]


def test_layer_and_head_pick_one(inspect, tmp_path):
    model = write_network(tmp_path / "m.safetensors", "qk")
    whole, one = inspect(model), inspect(model, "--layer", 2, "--head", 1)
    assert [(head["layer"], head["head"]) for head in one["heads"]] == [(2, 1)]
    assert one["heads"][0] == whole["heads"][1]


def mapping(folder, name="map.json", **changes):
    (folder / name).write_text(json.dumps({"schema": 1, "weights": "w.safetensors", "layers": [{"query": "q", "key": "k", "value": "v"}]} | changes))
    return folder / name


@pytest.fixture
def encoder(tmp_path):
    """Two heads of 4 on 8 columns, stored [in, out] with biases, and 50 tokens."""
    random = np.random.default_rng(2)
    tensors = {name: random.normal(size=(8, 8)).astype(np.float32) for name in "qkv"} | {"b": random.normal(size=8).astype(np.float32)}
    save_file(tensors, tmp_path / "w.safetensors")
    np.save(tmp_path / "x.npy", random.normal(size=(50, 8)))
    return tmp_path, tensors, np.load(tmp_path / "x.npy")


def test_a_mapping_names_the_weights(inspect, encoder):
    folder, t, x = encoder
    document = inspect(mapping(folder, layout="in,out", heads=2, query_bias="b", causal=True), "--tokens", folder / "x.npy")
    assert document["model"]["causal"] and len(document["heads"]) == 2
    for head, part in zip(document["heads"], (slice(0, 4), slice(4, 8))):
        scores = (x @ t["q"][:, part] + t["b"][part]) @ (x @ t["k"][:, part]).T / 2
        scores[np.triu_indices(50, 1)] = -np.inf
        s = np.exp(scores - scores.max(1, keepdims=True))
        s /= s.sum(1, keepdims=True)
        assert head["attention"]["effective_neighbours"] == pytest.approx(np.exp(-(s * np.log(np.maximum(s, 1e-300))).sum(1)).mean(), rel=1e-9)
        assert head["attention"]["self_weight"] == pytest.approx(np.diag(s).mean(), rel=1e-9)


def test_safetensors_of_tokens_and_a_tied_distance(inspect, encoder):
    folder, _, x = encoder
    save_file({"first": x, "second": x[::-1].copy()}, folder / "x.safetensors")
    path = mapping(folder, score="l2", scale=0.5, layers=[{"query": "q", "tokens": "first"}, {"query": "k", "tokens": "second"}])
    document = inspect(path, "--tokens", folder / "x.safetensors")
    assert [head["defects"]["symmetry"] < 1e-12 for head in document["heads"]] == [True, True]


# What is wrong, and what the message must name.
REFUSED = {
    "no such file": (lambda f: ["absent.bin"], 3, "absent.bin"),
    "another kind of file": (lambda f: [f / "x.npy"], 3, "ends in .safetensors"),
    "a safetensors file without a mapping": (lambda f: [f / "w.safetensors"], 3, "mapping"),
    "a mapping without schema": (lambda f: [mapping(f, schema=2)], 3, "schema"),
    "a misspelt key": (lambda f: [mapping(f, causl=True)], 3, 'did you mean "causal"'),
    "a missing tensor": (lambda f: [mapping(f, layers=[{"query": "qq", "key": "k"}]), "--tokens", f / "x.npy"], 3, "did you mean 'q'"),
    "heads that do not divide": (lambda f: [mapping(f, heads=3), "--tokens", f / "x.npy"], 3, "3 heads"),
    "an unknown score": (lambda f: [mapping(f, score="cosine"), "--tokens", f / "x.npy"], 3, '"cosine"'),
    "not JSON": (lambda f: [(f / "bad.json", (f / "bad.json").write_text("{"))[0]], 3, "JSON"),
    "no tokens": (lambda f: [mapping(f)], 2, "--tokens"),
    "tokens of another width": (lambda f: [mapping(f), "--tokens", (f / "y.npy", np.save(f / "y.npy", np.eye(5)))[0]], 3, "tokens of 8 columns, found 5"),
    "one token": (lambda f: [mapping(f), "--tokens", (f / "y.npy", np.save(f / "y.npy", np.ones((1, 8))))[0]], 3, "at least 2 tokens"),
    "a NaN": (lambda f: [mapping(f), "--tokens", (f / "y.npy", np.save(f / "y.npy", np.full((3, 8), np.nan)))[0]], 3, "finite"),
    "a layer too many": (lambda f: [mapping(f), "--tokens", f / "x.npy", "--layer", 2], 2, "layer from 1 to 1"),
    "a head too many": (lambda f: [mapping(f), "--tokens", f / "x.npy", "--head", 9], 2, "head from 1 to 1"),
    "text for numbers": (lambda f: [mapping(f), "--text", "hello"], 2, "a text"),
    "both tokens and text": (lambda f: [mapping(f), "--tokens", f / "x.npy", "--text", "hello"], 2, "both"),
    "too little memory": (lambda f: [mapping(f), "--tokens", f / "x.npy", "--max-memory", "100K"], 4, "50 tokens"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(calor, encoder, case):
    words, code, named = REFUSED[case]
    done = calor("inspect", *words(encoder[0]), code=code)
    assert named in done.stderr and "error: [" in done.stderr and done.stdout == ""


def test_damaged_models_are_refused(calor, tmp_path):
    whole = write_network(tmp_path / "m.safetensors", "metric").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-10])
    assert "cut.safetensors" in calor("inspect", tmp_path / "cut.safetensors", code=3).stderr
    missing = network("metric")
    del missing["network.layers.1.score.out.bias"]
    assert "score.out.bias" in calor("inspect", write_network(tmp_path / "n.safetensors", "metric", tensors=missing), code=3).stderr
    wide = network("metric") | {"network.layers.0.value": np.ones((5, 6), np.float32)}
    assert "network.layers.0.value" in calor("inspect", write_network(tmp_path / "w.safetensors", "metric", tensors=wide), code=3).stderr
    for last in ("column", "two_side(1)"):
        other = write_network(tmp_path / "o.safetensors", "metric", pipeline=f"score(metric) | exp | {last} | apply")
        assert "rows do not add up to 1" in calor("inspect", other, code=3).stderr
    other = write_network(tmp_path / "o.safetensors", "metric", pipeline="score(metric) | exp | inflate(2) | row | apply")
    assert "inflate is not known here" in calor("inspect", other, code=3).stderr
    for size, bytes_ in ((10, b"0123456789"), (4000, bytes(4000)), (4000, b"\x01\x00\x00\x00" * 1000)):
        (tmp_path / "x.bin").write_bytes(bytes_)
        assert "llama2.c" in calor("inspect", tmp_path / "x.bin", code=3).stderr, size


# A head of 4,096 tokens within 80 MB of heap, where N x N doubles alone would be 134 MB.
def test_memory_is_bounded(calor, tmp_path):
    random = np.random.default_rng(3)
    save_file({name: random.normal(size=(16, 16)).astype(np.float32) / 16 for name in "qkv"}, tmp_path / "w.safetensors")
    np.save(tmp_path / "x.npy", random.normal(size=(4096, 16)).astype(np.float32))
    limit = 80 << 20
    calor("inspect", mapping(tmp_path, heads=4), "--tokens", tmp_path / "x.npy", "--head", 1, "--threads", 1, "--modes", 3, "-q",
          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))


def test_table_and_completion_know_the_command(calor, tmp_path):
    table = calor("inspect", write_network(tmp_path / "m.safetensors", "metric")).stdout
    assert "Calor network (metric): 2 layers of 1 head; 40 tokens of width 6" in table
    assert table.count("\n1.1") == 2 and "before" in table
    assert "inspect" in calor("--help").stdout and "inspect)" in calor("completion").stdout


@pretrained
def test_the_story_model(inspect, calor, tmp_path):
    model = PRETRAINED / "stories260K" / "stories260K.bin"
    document = inspect(model, "--text", "Once upon a time, there was a little girl named Lily.", "--layer", 1)
    assert document["model"]["kind"] == "llama2.c" and document["model"]["causal"] and len(document["heads"]) == 8
    assert "".join(document["tokens"]["names"][1:]).strip() == "Once upon a time, there was a little girl named Lily."
    assert all(head["step"]["sphere"]["dimension"] == 63 for head in document["heads"])
    assert "at most 512 tokens" in calor("inspect", model, "--text", "a b " * 600, code=3).stderr
    np.save(tmp_path / "ids.npy", np.array([[3], [512]]))
    assert "token numbers from 0 to 511" in calor("inspect", model, "--tokens", tmp_path / "ids.npy", code=3).stderr


@pretrained
def test_the_sentence_encoder(inspect, calor):
    model = PRETRAINED / "use_lite" / "use_lite.safetensors"
    document = inspect(model, "--text", "The quick brown fox jumps over the lazy dog.")
    assert document["tokens"]["count"] == 12 and len(document["heads"]) == 8
    assert document["tokens"]["names"][1] == "▁quick"
    # Behind a layer normalisation tokens have mean 0 too: one dimension less.
    assert {head["step"]["sphere"]["dimension"] for head in document["heads"]} == {254, 510}
    assert "--text" in calor("inspect", model, code=2).stderr
