"""compare, limit and inspect in Python, the network as an estimator, and reports inline: against the command line's own documents."""
import json
import pickle
import subprocess

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

import calor
from calor import commands
from command import CALOR, ROOT

X, y = load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def built(monkeypatch):
    """The program with its torch half, which the wheel of these tests is without."""
    if not (ROOT / "build" / "calor-learn").exists():
        pytest.skip("calor-learn is not built")
    monkeypatch.setenv("CALOR_PROGRAM", str(CALOR))


def ring_of_blocks():
    generator = np.random.default_rng(1)
    y = np.arange(120) % 2
    pairs = np.stack([np.arange(120), (np.arange(120) + 2 * generator.integers(1, 20, 120)) % 120])
    return generator.normal(size=(120, 3)) + 0.3 * y[:, None], y, pairs


def test_networks_on_nodes_are_compared(tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    X, y, pairs = ring_of_blocks()
    words = {"pipelines": ["gcn", "graph-metric heads=2"], "seeds": 2, "epochs": 15, "baselines": False}
    found = calor.compare_networks(X, y, pairs, **words)
    assert [row["name"] for row in found.summary] == ["gcn", "graph-metric heads=2"] and found.document["experiments"][0]["data"]["edges"] > 100
    for same in (pairs.T, sparse.coo_matrix((np.ones(120), pairs), shape=(120, 120))):
        assert [row["mean"] for row in calor.compare_networks(X, y, same, **words).summary] == [row["mean"] for row in found.summary]
    assert calor.compare_networks("blocks", pipelines="logistic", seeds=1, epochs=5, baselines=False).summary[0]["name"] == "logistic"
    with pytest.raises(ValueError, match="nodes from 0 to 119, found 0 to 120"):
        calor.compare_networks(X, y, pairs + (pairs == 119), **words)
    with pytest.raises(ValueError, match="expected edges as integers"):
        calor.compare_networks(X, y, pairs.astype(float), **words)
    with pytest.raises(ValueError, match='did you mean "gcn"'):
        calor.compare_networks(X, y, pairs, pipelines=["gnc"])
    with pytest.raises(ValueError, match="classes and the graph"):
        calor.compare_networks(X, y)


def test_networks_on_surfaces_are_compared(tmp_path):
    for folder in ("meshes", "labels"):
        (tmp_path / folder).mkdir()
    generator = np.random.default_rng(0)
    for name in "abc":  # octahedra with their upper and lower faces
        corners = np.array([(1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0), (0, 0, 2), (0, 0, -1)]) + 0.1 * generator.normal(size=(6, 3))
        faces = [(k, (k + 1) % 4, 4) for k in range(4)] + [((k + 1) % 4, k, 5) for k in range(4)]
        (tmp_path / "meshes" / f"{name}.obj").write_text("".join(f"v {x} {y} {z}\n" for x, y, z in corners) + "".join(f"f {a + 1} {b + 1} {c + 1}\n" for a, b, c in faces))
        (tmp_path / "labels" / f"{name}.txt").write_text("up\n" * 4 + "down\n" * 4)
    found = calor.compare_networks(tmp_path / "meshes", labels=tmp_path / "labels", pipelines=["diffusion-net-xyz width=8 blocks=1 modes=6 dropout=0"], seeds=2, epochs=60, lr=0.02)
    experiment = found.document["experiments"][0]
    assert experiment["data"]["of"] == "triangles" and experiment["data"]["classes"] == ["down", "up"] and len(experiment["surfaces"][0]["labels"]) == 8
    with pytest.raises(ValueError, match="name their folder with --labels"):
        calor.compare_networks(tmp_path / "meshes", pipelines=["diffusion-net"])


def test_compare_is_the_command(tmp_path):
    found = calor.compare(X, y, attention=("self", "metric"), seeds=2, epochs=20, baselines=False)
    np.savez(tmp_path / "data.npz", x=X, y=y)
    words = [CALOR, "compare", tmp_path / "data.npz", "--label", "y", "--attention", "self,metric", "--seeds", "2", "--epochs", "20", "--no-baselines", "--json", "-q"]
    theirs = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    ours = found["experiments"][0]
    assert [run["final_accuracy"] for run in ours["runs"]] == [run["final_accuracy"] for run in theirs["experiments"][0]["runs"]]
    assert [row["name"] for row in found.summary] == ["self", "metric"] and all(row["runs"] == 2 and 0 < row["mean"] <= 1 for row in found.summary)
    (pair,), means = found.pairs, {row["name"]: row["mean"] for row in found.summary}
    assert pair["difference"] == pytest.approx(means[pair["a"]] - means[pair["b"]], abs=1e-9) and found.verdict[0] == theirs["verdict"][0]  # the others say times
    beside = calor.compare(X, y, attention=("metric",), seeds=2, epochs=20).summary
    assert [row["name"] for row in beside][:1] == ["metric"] and {"SVM", "propagator"} <= {row["name"] for row in beside} and beside[-1]["mean"] > 0.8
    found.report(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size > 1_000_000
    with pytest.raises(ValueError, match="expected a similarity or a pipeline"):
        calor.compare(X, y, attention=("nope",))
    texts = calor.compare(X, y, pipelines=["ipn score=dot width=8", "mlp"], seeds=2, epochs=60, baselines=False)
    assert [row["name"] for row in texts.summary] == ["ipn score=dot width=8", "mlp"]
    with pytest.raises(ValueError, match="one class for each of 150 rows"):
        calor.compare(X, y[:-1])
    with pytest.raises(ValueError, match="say label=COLUMN"):
        calor.compare("iris", y)


def test_limit():
    found = calor.limit("circle")
    assert found["pass"] and found["rows"] and found["kind"] == "limit"
    own = calor.limit(data=np.random.default_rng(0).normal(size=(200, 3)))
    assert own["kind"] == "limit-data" and own["points"] == 200 and own["columns"] == 3
    with pytest.raises(ValueError, match="sphere7"):
        calor.limit("sphere7")


def test_heads_of_torch_modules():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    encoder = torch.nn.TransformerEncoder(torch.nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True), 2, enable_nested_tensor=False)
    tokens = torch.randn(2, 40, 16)
    found = calor.inspect(encoder, tokens, modes=3)
    assert found["layer_names"] == ["layers.0.self_attn", "layers.1.self_attn"] and len(found["heads"]) == 8 and encoder.training
    assert all(head["defects"]["symmetry"] > 0.3 for head in found["heads"])
    # A head's weights by torch itself: their mean entropy is the logarithm of the neighbours that the document counts.
    attention = encoder.layers[0].self_attn
    with torch.no_grad():
        weights = attention(*[tokens[:1]] * 3, average_attn_weights=False)[1][0]
    neighbours = torch.exp(-(weights * weights.log()).sum(-1)).mean(-1)
    assert [head["attention"]["effective_neighbours"] for head in found["heads"][:4]] == pytest.approx(neighbours.tolist(), rel=1e-4)
    with pytest.raises(ValueError, match="expected tokens"):
        calor.inspect(encoder)
    with pytest.raises(ValueError, match="expected torch.nn.MultiheadAttention"):
        calor.inspect(torch.nn.Linear(2, 2), tokens)


def test_heads_by_a_metric_have_no_defects():
    torch = pytest.importorskip("torch")
    encoder = torch.nn.TransformerEncoder(torch.nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), 1, enable_nested_tensor=False)
    calor.nn.replace_attention(encoder, "metric")
    for head in calor.inspect(encoder, torch.randn(1, 30, 16), modes=3)["heads"]:
        assert max(head["defects"][name] for name in ("symmetry", "euclidean", "triangle")) < 1e-6


def test_the_network_is_an_estimator():
    with pytest.raises(NotFittedError):
        calor.MetricAttentionClassifier().predict(X)
    names = load_iris().target_names[y]
    network = calor.MetricAttentionClassifier(learning_rate=0.01, n_jobs=1).fit(X[::2], names[::2])
    assert network.score(X[1::2], names[1::2]) > 0.9 and set(network.classes_) == set(names)
    proba = network.predict_proba(X[1::2])
    assert proba.shape == (75, 3) and np.allclose(proba.sum(1), 1, atol=1e-5)
    assert np.array_equal(pickle.loads(pickle.dumps(network)).predict_proba(X[1::2]), proba)
    again = clone(network).fit(X[::2], names[::2])
    assert np.array_equal(again.predict_proba(X[1::2]), proba) and network.training_["loss"][-1] < network.training_["loss"][0]
    assert cross_val_score(calor.MetricAttentionClassifier(epochs=40, learning_rate=0.01, n_jobs=1), X, y, cv=2).min() > 0.8
    other = calor.MetricAttentionClassifier(pipeline="linear(8, heads=2) | score(l2) | exp(learned) | row | apply | linear(classes) | bias", learning_rate=0.01, n_jobs=1)
    assert other.fit(X[::2], names[::2]).score(X[1::2], names[1::2]) > 0.9 and "heads=2" in other.training_["pipeline"]
    with pytest.raises(ValueError, match="two classes or more"):
        network.fit(X, np.zeros(150))
    with pytest.raises(ValueError, match="features"):
        network.predict(X[:, :2])


def test_reports_inline():
    shown = calor.MDS().fit(X).show(y)
    assert shown._repr_html_().startswith("<iframe srcdoc=") and "MiB" in repr(shown)


def test_faults_have_kinds():
    with pytest.raises(MemoryError, match="of memory"):
        calor.compare(X, y, max_memory="1M", seeds=1)
    assert commands.flags({"a_b": 1, "c": True, "d": False, "e": None, "f": [1, 2]}) == ["--a-b", "1", "--c", "--f", "1,2"]
