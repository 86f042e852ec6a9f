"""A temperature divides scores, on the command line (`exp` in a trained network and in a pipeline) and in Python (scale is its inverse, `temperature=` of the layers);
what the score is there and here, and the fixed temperature, are those of the table in docs/pytorch.md.  The other side is calor.nn.functional.attention over the weights in the program's own model files."""
import json
import subprocess

import numpy as np
import pytest

import calor
from command import CALOR, ROOT

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")
RANDOM = np.random.default_rng(0)
X, NEW = RANDOM.normal(size=(12, 4)), RANDOM.normal(size=(5, 4))
WIDTH, HEADS = 6, 2


def run(*words):
    done = subprocess.run([str(CALOR), *map(str, words), "--json", "--quiet"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def learn():
    if not (ROOT / "build" / "calor-learn").exists():
        pytest.skip("calor-learn is not built")


def expected(path, score, temperature):
    """Each new row on its own: it attends to the rows of the training set and to itself."""
    tensors = {name: tensor.double() for name, tensor in safetensors.load_file(path).items()}
    found = []
    for row in NEW:
        tokens = torch.cat([tensors["tokens.values"], torch.from_numpy(row)[None]])
        features = (tokens @ tensors["network.encode.weight"].T).view(-1, HEADS, WIDTH).transpose(0, 1)[None]
        q, k = (torch.stack([features[0, h] @ tensors[f"network.score.{side}.{h}"].T for h in range(HEADS)])[None] for side in (("projection",) * 2 if score == "l2" else ("query", "key")))
        out = calor.nn.functional.attention(q, k, features, scale=1 / temperature, score=score)
        token = out.transpose(1, 2).reshape(1, -1, HEADS * WIDTH)[0, -1]
        found.append(torch.softmax(tensors["network.decode.weight"] @ token + tensors["network.decode.bias"], 0))
    return torch.stack(found).numpy()


@pytest.mark.parametrize("exp, number", [("exp(3)", 3.0), ("exp(0.5)", 0.5), ("exp", 1.0)], ids=["above 1", "below 1", "fixed"])
@pytest.mark.parametrize("score", ["dot", "l2"])
def test_a_trained_network(score, exp, number, tmp_path, learn):
    """Of products its score has 1 / sqrt(width) in it; its fixed temperature is 1."""
    temperature = number * WIDTH**0.5 if score == "dot" else number
    np.savez(tmp_path / "train.npz", x=X, y=np.arange(12) % 2)
    np.save(tmp_path / "new.npy", NEW)
    run("train", tmp_path / "train.npz", "--label", "y", "--test", tmp_path / "train.npz", "--save", tmp_path / "model.safetensors", "--epochs", 20, "--lr", 0.05, "--no-standardise",
        "--pipeline", f"linear({WIDTH}, heads={HEADS}) | score({score}) | {exp} | row | apply | linear(classes) | bias")
    found = np.array([row["probability"] for row in run("predict", tmp_path / "model.safetensors", tmp_path / "new.npy")["rows"]])
    mine = expected(tmp_path / "model.safetensors", score, temperature)
    assert np.abs(found - mine).max() < 1e-5  # 32-bit weights and activations; another temperature differs by 1e-2
    assert np.abs(found - expected(tmp_path / "model.safetensors", score, 1.5 * temperature)).max() > 1e-3


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_a_pipeline(temperature):
    """The weights of softmax(-d^2 / temperature) and of softmax(dot / temperature), which attention gives where the values are unit vectors."""
    points, unit = torch.from_numpy(X)[None, None], torch.eye(12, dtype=torch.float64)[None, None]
    squares = calor.Pipeline(f"distance(2) | exp({temperature}) | row").fit(X).similarity_
    assert np.abs(squares - calor.nn.functional.attention(points, points, unit, scale=1 / temperature, score="l2")[0, 0].numpy()).max() < 1e-12
    recalled = calor.Pipeline(f"dot(to=patterns) | exp({temperature}) | row | apply").fit(X).embedding_
    assert np.abs(recalled - calor.nn.functional.attention(points, points, points, scale=1 / temperature)[0, 0].numpy()).max() < 1e-12


@pytest.mark.parametrize("score", ["dot", "l2", "metric"])
def test_layers(score):
    """temperature=3 of MultiheadAttention is scale=1/3; "fixed" the square root of a head's features."""
    torch.manual_seed(0)
    tokens = torch.randn(2, 5, 16, dtype=torch.double)
    for temperature, number in ((3.0, 3.0), ("fixed", 2.0)):
        layer = calor.nn.MultiheadAttention(16, 4, score=score, temperature=temperature, batch_first=True, bias=False).double()
        q, k, v = (part(tokens).view(2, 5, 4, 4).transpose(1, 2) for part in (lambda x, w=w: x @ w.T for w in layer.in_proj_weight.split(16)))
        if score == "metric":
            q, k = (layer.phi(tokens @ layer.in_proj_weight[:16].T).view(2, 5, 4, 4).transpose(1, 2) for _ in range(2))
        out = calor.nn.functional.attention(q, k, v, scale=1 / number, score="dot" if score == "dot" else "l2")
        torch.testing.assert_close(layer(tokens, tokens, tokens)[0], out.transpose(1, 2).reshape(2, 5, 16) @ layer.out_proj.weight.T, rtol=1e-10, atol=1e-12)
