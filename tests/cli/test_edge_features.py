"""Features of the edges of a graph, from the columns of its table to a network's predictions: against PyTorch Geometric's layers with the saved weights, and against
the same network without them."""
import json

import numpy as np
import pytest

from command import run as calor
from node_tables import lines, write, write_tables


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tables(tmp_path_factory.mktemp("nodes"))


@pytest.fixture(scope="module")
def featured(folder):
    """e.csv: the edges of g.csv, some in both directions, with two numbers each and a column of texts; about a third lead to another class, and the number "same" says which do not."""
    random = np.random.default_rng(2)
    rows = ["from,to,same,length,note"]
    for line in (folder / "g.csv").read_text().split():
        a, b = line.split(",")
        for one, other in ((a, b), (b, a))[:1 + (int(a[1:]) % 4 == 0)]:
            rows.append(f"{one},{other},{(int(a[1:]) % 3 == int(b[1:]) % 3) + 0.1 * random.normal():.4f},{random.normal():.4f},text")
    return write(folder / "e.csv", "\n".join(rows) + "\n")


def edges_of(path, nodes):
    """edge_index [2, edges] and the edges' features as a network has them: each way its own line, else that of the way back; standardised over both ways."""
    lines_of = {}
    for line in path.read_text().split("\n")[1:-1]:
        a, b, *numbers = line.split(",")
        lines_of.setdefault((nodes[a], nodes[b]), [float(number) for number in numbers[:2]])
    both = sorted({*lines_of, *((b, a) for a, b in lines_of)})
    features = np.array([lines_of.get(pair, lines_of.get(pair[::-1])) for pair in both])
    return np.array(both).T, (features - features.mean(0)) / features.std(0)


@pytest.mark.parametrize("layer", ["gatv2", "transformer", "gat"])
def test_networks_with_features_of_edges_are_pytorch_geometrics(folder, featured, tmp_path, layer):
    torch, geometric = pytest.importorskip("torch"), pytest.importorskip("torch_geometric.nn")
    from safetensors.torch import load_file

    attention = "adjacency | self_loops | score({}, edge_features=keys) | exp | row | apply | bias"
    text = {"gatv2": f"linear(3, heads=2) | {attention.format('joined')} | elu | linear(classes) | {attention.format('joined')}",
            "gat": f"linear(classes) | {attention.format('additive')}",
            "transformer": "graph-transformer width=3 heads=2 dropout=0 edge_features=both"}[layer]
    words = ["--graph", featured, "--feature-scale", "untouched"]
    calor("train", folder / "t.csv", *words, "--pipeline", text, "--epochs", "6", "--save", tmp_path / "m", "-q")
    found = json.loads(calor("predict", tmp_path / "m", folder / "t.csv", "--graph", featured, "--json", "-q").stdout)
    names = [line["id"] for line in lines()]
    index, features = edges_of(featured, {name: i for i, name in enumerate(names)})
    index, features = torch.as_tensor(index), torch.as_tensor(features, dtype=torch.float32)
    x = torch.tensor([[float(line[c]) for c in "abc"] for line in lines()])
    weights = list(load_file(tmp_path / "m").items())
    weights = {name.split(".", 1)[1]: value for name, value in weights if name.startswith("network.")}

    def of(place, role):
        (value,) = [value for name, value in weights.items() if name.split(".", 1)[0] == str(place) and name.split(".", 2)[2] == role]
        return value

    places = {int(name.split(".")[0]): name.split(".")[1] for name in weights}

    def after(stage, nth=0):
        return sorted(place for place, known in places.items() if known == stage)[nth]

    def gatv2(nth, h, heads, width):
        conv = geometric.GATv2Conv(h.shape[1], width, heads=heads, edge_dim=2, bias=True)
        with torch.no_grad():
            conv.lin_l.weight.copy_(of(after("linear", nth), "weight")), conv.lin_l.bias.zero_(), conv.lin_r.bias.zero_()
            conv.lin_r.weight.copy_(of(after("score", nth), "own")), conv.att.copy_(of(after("score", nth), "vector")[None])
            conv.lin_edge.weight.copy_(of(after("score", nth), "edge").flatten(0, 1)), conv.bias.copy_(of(after("bias", nth), "bias"))
        return conv(h, index, features)

    def gat(nth, h, heads, width):
        conv = geometric.GATConv(h.shape[1], width, heads=heads, edge_dim=2)
        with torch.no_grad():
            conv.lin.weight.copy_(of(after("linear", nth), "weight")), conv.bias.copy_(of(after("bias", nth), "bias"))
            conv.att_dst.copy_(of(after("score", nth), "own")[None]), conv.att_src.copy_(of(after("score", nth), "other")[None])
            conv.att_edge.copy_(conv.att_src), conv.lin_edge.weight.copy_(of(after("score", nth), "edge").flatten(0, 1))
        return conv(h, index, features)

    def transformer(nth, h, heads, width):
        conv = geometric.TransformerConv(h.shape[1], width, heads=heads, edge_dim=2)
        with torch.no_grad():
            conv.lin_value.weight.copy_(of(after("linear", nth), "weight")), conv.lin_value.bias.zero_(), conv.lin_key.bias.zero_()
            score = after("score", nth)
            conv.lin_query.weight.copy_(of(score, "query")), conv.lin_query.bias.copy_(of(score, "query_bias")), conv.lin_key.weight.copy_(of(score, "key"))
            conv.lin_edge.weight.copy_(of(score, "edge").flatten(0, 1))
            conv.lin_skip.weight.copy_(of(after("residual", nth), "skip")), conv.lin_skip.bias.copy_(of(after("bias", nth), "bias"))
        return conv(h, index, features)

    with torch.no_grad():
        if layer == "gat":
            logits = gat(0, x, 1, 3)
        else:
            conv = {"gatv2": gatv2, "transformer": transformer}[layer]
            logits = conv(1, torch.nn.functional.elu(conv(0, x, 2, 3)), 1, 3)
    truth = torch.softmax(logits, 1)
    ours = torch.tensor([row["probability"] for row in found["rows"]])
    torch.testing.assert_close(ours, truth, rtol=1e-5, atol=1e-5)
    assert truth.max(0).values.min() - truth.min(0).values.max() > 0.01, "predictions differ between nodes"


def test_features_of_edges_tell_who_is_worth_asking(tmp_path):
    """Features of the nodes are noise and half of the edges lead to another class: only what the edges say helps."""
    random = np.random.default_rng(5)
    nodes, rows = 300, ["from,to,told"]
    seen = set()
    while len(rows) < 1800:
        a, b = sorted(int(n) for n in random.integers(nodes, size=2))
        if a == b or (a, b) in seen or (a % 3 == b % 3) != (random.random() < 0.5):
            continue
        seen.add((a, b))
        rows.append(f"n{a},n{b},{(a % 3 == b % 3) + 0.2 * random.normal():.3f}")
    write(tmp_path / "e.csv", "\n".join(rows) + "\n")
    write(tmp_path / "t.csv", "id,a,b,c,kind\n" + "".join(f"n{i},{','.join(f'{v:.3f}' for v in np.eye(3)[i % 3] + 1.3 * random.normal(size=3))},{'pqr'[i % 3]}\n" for i in range(nodes)))
    experiment = json.loads(calor("compare", tmp_path / "t.csv", "--graph", tmp_path / "e.csv", "--seeds", "3", "--epochs", "100", "--no-baselines", "-q", "--json",
                                  "--pipeline", "graph-transformer dropout=0.2", "--pipeline", "graph-transformer dropout=0.2 edge_features=keys").stdout)["experiments"][0]
    without, told = (row["accuracy_mean"] for row in experiment["summary"])
    assert told > without + 0.1, (without, told)


def test_features_of_edges_belong_to_the_model(folder, featured, tmp_path):
    words = ["--pipeline", "graph-transformer edge_features=both", "--epochs", "5", "-q"]
    done = calor("train", folder / "t.csv", "--graph", featured, *words[:-1], "--save", tmp_path / "m")
    assert "of each edge same, length" in done.stderr and "note left out" in done.stderr
    assert "found none" in calor("train", folder / "t.csv", "--graph", folder / "g.csv", *words, code=3).stderr
    assert "found none" in calor("compare", "blocks", *words, "--seeds", "1", code=3).stderr
    assert "found none" in calor("predict", tmp_path / "m", folder / "t.csv", "--graph", folder / "g.csv", code=3).stderr
    text = featured.read_text()
    turned = write(tmp_path / "turned.csv", text.replace("same,length", "length,same"))
    assert "in this order" in calor("predict", tmp_path / "m", folder / "t.csv", "--graph", turned, code=3).stderr
    first = text.split("\n")[1]
    broken = write(tmp_path / "broken.csv", text.replace(first, ",".join([*first.split(",")[:2], "", *first.split(",")[3:]])))
    said = calor("predict", tmp_path / "m", folder / "t.csv", "--graph", broken, code=3).stderr
    assert 'column "same", found an empty cell' in said and "line 2" in said
    # Networks that ask nothing of the edges read the file as they did.
    calor("train", folder / "t.csv", "--graph", broken, "--pipeline", "gcn", "--epochs", "2", "-q")
    with_bits = [calor("predict", tmp_path / "m", folder / "t.csv", "--graph", featured, "-q", "--threads", threads).stdout for threads in (1, 2)]
    assert with_bits[0] == with_bits[1]
