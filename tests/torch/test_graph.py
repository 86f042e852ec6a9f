"""Graph layers and the operators on edges: against PyTorch Geometric on the same weights, and against their definition."""

import copy
import pickle
import subprocess
import sys

import pytest


torch = pytest.importorskip("torch")

import operators  # noqa: E402  puts the package on the path, and SKIPS where nothing is built
from calor import nn as cnn  # noqa: E402
from calor import ops  # noqa: E402

SCORES = ["dot", "squared_distance", "additive", "joined"]


def graph_of(rows, columns, edges, seed=0):
    """Random edges, some twice; node 1 receives none."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(rows, (edges,), generator=generator)
    source = torch.randint(columns, (edges,), generator=generator)[target != 1]
    target = target[target != 1]
    order = torch.argsort(target, stable=True)
    begin = torch.zeros(rows + 1, dtype=torch.long)
    begin[1:] = torch.cumsum(torch.bincount(target, minlength=rows), 0)
    return cnn.Graph(begin, source[order].int(), columns)


def problem(score, dtype=torch.float64, rows=9, columns=7, heads=2, dim=3, seed=0):
    torch.manual_seed(seed)
    graph = graph_of(rows, columns, 30)
    dim = 1 if score == "additive" else dim
    numbers = [torch.randn(rows, heads, dim, dtype=dtype), torch.randn(columns, heads, dim, dtype=dtype), torch.randn(columns, heads, 4, dtype=dtype),
               torch.rand(heads, dtype=dtype) + 0.5, torch.randn(graph.edges, heads, dtype=dtype)]
    numbers.append(torch.randn(heads, dim, dtype=dtype) if score == "joined" else None)
    return graph, [None if n is None else n.requires_grad_() for n in numbers]


def edge_features(graph, numbers, score, edge_dim=3):
    """Features of the edges with a map to the keys, where the score takes one, and one to the values."""
    q, v = numbers[0], numbers[2]
    features = [torch.randn(graph.edges, edge_dim, dtype=q.dtype), torch.randn(*q.shape[1:], edge_dim, dtype=q.dtype), torch.randn(*v.shape[1:], edge_dim, dtype=q.dtype)]
    return [n.requires_grad_() if n is not features[1] or score != "additive" else None for n in features]


def call(op, graph, numbers, score, dropout=0.0, features=(None, None, None)):
    return op(graph.tensors, *numbers, score, 0.2, dropout, 5, *features)


@pytest.mark.parametrize("featured", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("score", SCORES)
def test_streamed_is_composed_with_gradients(score, dropout, featured):
    graph, numbers = problem(score)
    features = edge_features(graph, numbers, score) if featured else [None] * 3
    results = []
    for op in (torch.ops.calor.edge_attention, torch.ops.calor.edge_attention_composed):
        out, lse = call(op, graph, numbers, score, dropout, features)
        finite = torch.where(torch.isinf(lse), 0, lse)
        loss = (out * torch.arange(out.numel(), dtype=out.dtype).view_as(out).sin()).sum() + finite.sin().sum()
        results.append([out, lse, *torch.autograd.grad(loss, [n for n in [*numbers, *features] if n is not None])])
    for streamed, composed in zip(*results):
        torch.testing.assert_close(streamed, composed, rtol=1e-11, atol=1e-12)
    assert (results[0][0][1] == 0).all() and torch.isinf(results[0][1][1]).all()


@pytest.mark.parametrize("featured", [False, True])
@pytest.mark.parametrize("score", SCORES)
def test_gradients_and_second_gradients_are_differences(score, featured):
    graph, numbers = problem(score, rows=4, columns=4)
    numbers += edge_features(graph, numbers, score, 2) if featured else [None] * 3
    used = [n for n in numbers if n is not None]

    def out_of(*given):
        rest = iter(given)
        all_ = [None if n is None else next(rest) for n in numbers]
        out, lse = call(torch.ops.calor.edge_attention, graph, all_[:6], score, features=all_[6:])
        return out, torch.where(torch.isinf(lse), 0, lse)

    assert torch.autograd.gradcheck(out_of, used)
    assert torch.autograd.gradgradcheck(out_of, used)


def test_sums_and_their_gradients():
    graph, _ = problem("dot")
    weights = torch.randn(graph.edges, 2, dtype=torch.float64, requires_grad=True)
    v = torch.randn(7, 2, 5, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(torch.ops.calor.edge_sums(graph.tensors, weights, v), torch.ops.calor.edge_sums_composed(graph.tensors, weights, v))
    assert torch.autograd.gradcheck(lambda w, x: ops.edge_sums(graph, w, x), (weights, v))
    assert torch.autograd.gradgradcheck(lambda w, x: ops.edge_sums(graph, w, x), (weights, v))


def test_the_operators_keep_torchs_contract():
    for score in SCORES:
        graph, numbers = problem(score, dtype=torch.float32)
        torch.library.opcheck(torch.ops.calor.edge_attention, (graph.tensors, *numbers, score, 0.2, 0.0, 0))
        torch.library.opcheck(torch.ops.calor.edge_attention, (graph.tensors, *numbers, score, 0.2, 0.0, 0, *edge_features(graph, numbers, score)))
    graph, numbers = problem("dot", dtype=torch.float32)
    torch.library.opcheck(torch.ops.calor.edge_sums, (graph.tensors, numbers[4], numbers[2]))


def test_compiles_into_one_graph():
    graph, numbers = problem("squared_distance", dtype=torch.float32)
    compiled = torch.compile(lambda q, k, v: ops.edge_attention(graph, q, k, v, score="squared_distance").relu(), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*numbers[:3]), ops.edge_attention(graph, *numbers[:3], score="squared_distance").relu())


def test_memory_is_that_of_nodes_and_edges():
    nodes, edges, heads, channels = 2000, 200_000, 4, 64
    graph = cnn.Graph.from_edge_index(torch.randint(nodes, (2, edges)), nodes)
    z = torch.randn(nodes, heads, channels, requires_grad=True)
    sizes = []

    def keep(tensor):
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        ops.edge_attention(graph, z, z, z, score="dot").sum().backward()
    assert max(sizes) <= max(nodes * heads * channels, edges * heads) < edges * heads * channels


def peak_of(work):
    """The most memory that a fresh process ever had, in bytes, after `work`, and before it."""
    code = f"import resource, torch\nfrom calor import nn, ops\ntorch.set_num_threads(1)\n{work}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=operators.environment(), check=True)
    before, after = map(int, done.stdout.split())
    return (after - before) * 1024


@pytest.mark.parametrize("layer", ["GATv2Conv(32, 32, heads=8, edge_dim=4)", "TransformerConv(32, 32, heads=8, edge_dim=4)"])
def test_features_of_edges_take_no_memory_of_edges_times_channels(layer):
    nodes, edges, width = 2000, 400_000, 256
    peak = peak_of(f"""
layer = nn.{layer}
index, x, attr = torch.randint({nodes}, (2, {edges})), torch.randn({nodes}, 32), torch.randn({edges}, 4, requires_grad=True)
graph = nn.Graph.from_edge_index(index, {nodes})
layer(x, index[:, :100], attr[:100]).sum().backward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
layer(x, index, attr).sum().backward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)""")
    assert peak < edges * width * 4 / 2, peak  # one such array has 400 MB


@pytest.mark.parametrize("make,message", [
    (lambda g, q, k, v: ops.edge_attention(g, q[:, :1], k, v), "expected k of"),
    (lambda g, q, k, v: ops.edge_attention(g, q, k, v, score="cosine"), 'expected score "dot"'),
    (lambda g, q, k, v: ops.edge_attention(g, q, k, v, score="joined"), "expected a vector with score"),
    (lambda g, q, k, v: ops.edge_attention(g, q, k, v, score="additive"), "one number a head"),
    (lambda g, q, k, v: ops.edge_attention(g, q, k, v, dropout=1.0), "expected dropout from 0"),
    (lambda g, q, k, v: ops.edge_attention(g, q[:-1], k, v), "expected q of"),
    (lambda g, q, k, v: ops.edge_attention(g, q[0], k, v), "three dimensions"),
    (lambda g, q, k, v: ops.edge_attention(g, q, k, v, features=v.new_ones(g.edges, 2)), "a key_map or a value_map"),
    (lambda g, q, k, v: ops.edge_attention(g, q, k, v, value_map=v.new_ones(2, 4, 3)), "a key_map or a value_map"),
    (lambda g, q, k, v: ops.edge_attention(g, q, k, v, features=v.new_ones(g.edges, 2), value_map=v.new_ones(2, 4, 3)), "expected value_map of"),
    (lambda g, q, k, v: ops.edge_attention(g, q, k, v, features=v.new_ones(3, 2), key_map=v.new_ones(2, 3, 2)), "expected features of"),
    (lambda g, q, k, v: ops.edge_attention(g, q[..., :1], k[..., :1], v, score="additive", features=v.new_ones(g.edges, 2), key_map=v.new_ones(2, 1, 2)), "no key_map with score"),
    (lambda g, q, k, v: ops.edge_sums(g, torch.ones(3, 2, dtype=v.dtype), v), "expected weights of"),
])
def test_what_does_not_fit_is_named(make, message):
    graph, (q, k, v, *_) = problem("dot")
    with pytest.raises(ValueError, match=message):
        make(graph, q, k, v)


def test_other_types_are_named():
    graph, (q, k, v, *_) = problem("dot")
    with pytest.raises(TypeError, match="float32 or float64"):
        ops.edge_attention(graph, q.half(), k.half(), v.half())
    with pytest.raises(TypeError, match="expected k of"):
        ops.edge_attention(graph, q, k.float(), v)
    with pytest.raises(TypeError, match="calor.nn.Graph"):
        ops.edge_attention(torch.zeros(2, 3), q, k, v)


@pytest.mark.parametrize("index,nodes,message", [
    (torch.tensor([[0, 5], [1, 2]]), 5, "nodes from 0 to 4, found 5"),
    (torch.tensor([[0, -1], [1, 2]]), None, "found -1"),
    (torch.zeros(3, 2, dtype=torch.long), None, r"\[2, edges\]"),
    (torch.zeros(2, 3), None, r"\[2, edges\]"),
])
def test_edges_that_are_none_are_named(index, nodes, message):
    with pytest.raises(ValueError, match=message):
        cnn.Graph.from_edge_index(index, nodes)


def test_a_graph_without_edges_gives_zeros():
    graph = cnn.Graph.from_edge_index(torch.zeros(2, 0, dtype=torch.long), 3)
    x = torch.randn(3, 1, 2, requires_grad=True)
    out = ops.edge_attention(graph, x, x, x)
    out.sum().backward()
    assert (out == 0).all() and (x.grad == 0).all()


def test_scipys_matrices_are_graphs():
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.random(6, 5, density=0.4, random_state=1, format="csr")
    graph = cnn.Graph.from_scipy(matrix)
    v = torch.randn(5, 1, 3, dtype=torch.float64)
    found = ops.edge_sums(graph, torch.as_tensor(matrix.data).unsqueeze(1), v).squeeze(1)
    torch.testing.assert_close(found, torch.as_tensor(matrix @ v.squeeze(1).numpy()))


# The layers against their namesakes: the same numbers from the same weights, gradients too.

def layers():
    def pair(name, *args, **options):
        return pytest.param(name, args, options, id=f"{name}-{'-'.join(f'{k}={v}' for k, v in options.items())}")

    yield pair("GCNConv", 6, 5)
    yield pair("GCNConv", 6, 5, bias=False)
    yield pair("GCNConv", 6, 5, add_self_loops=False)
    yield pair("SGConv", 6, 5, K=3)
    yield pair("APPNP", K=4, alpha=0.2)
    for concat in (True, False):
        yield pair("GATConv", 6, 5, heads=3, concat=concat)
        yield pair("GATv2Conv", 6, 5, heads=3, concat=concat)
        yield pair("TransformerConv", 6, 5, heads=2, concat=concat)
    yield pair("GATConv", 6, 5, heads=2, negative_slope=0.1, add_self_loops=False, bias=False)
    yield pair("GATv2Conv", 6, 5, heads=2, share_weights=True)
    yield pair("TransformerConv", 6, 5, root_weight=False)
    yield pair("TransformerConv", 6, 5, heads=2, beta=True)


@pytest.mark.parametrize("name,args,options", list(layers()))
@pytest.mark.parametrize("loops", [False, True])
def test_layers_are_pytorch_geometrics(name, args, options, loops):
    geometric = pytest.importorskip("torch_geometric.nn")
    torch.manual_seed(3)
    theirs, ours = getattr(geometric, name)(*args, **options), getattr(cnn, name)(*args, **options)
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter)
    ours.load_state_dict(theirs.state_dict())
    index = torch.randint(20, (2, 70))
    index = index if loops else index[:, index[0] != index[1]]
    results = []
    for layer in (theirs, ours):
        x = torch.randn(20, 6, generator=torch.Generator().manual_seed(5), requires_grad=True)
        out = layer(x, index)
        out.sin().sum().backward()
        results.append([out, x.grad, *(p.grad for _, p in sorted(layer.named_parameters()) if p.grad is not None)])
        layer.zero_grad()
    assert len(results[0]) == len(results[1])
    for a, b in zip(*results):
        torch.testing.assert_close(b, a, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("improved", [False, True])
def test_weights_of_edges_are_pytorch_geometrics(improved):
    geometric = pytest.importorskip("torch_geometric.nn")
    theirs, ours = geometric.GCNConv(6, 5, improved=improved), cnn.GCNConv(6, 5, improved=improved)
    ours.load_state_dict(theirs.state_dict())
    index, weight, x = torch.randint(20, (2, 70)), torch.rand(70), torch.randn(20, 6)
    torch.testing.assert_close(ours(x, index, weight), theirs(x, index, weight), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name,options", [
    ("GATConv", {"add_self_loops": True}), ("GATConv", {"add_self_loops": False}),
    ("GATv2Conv", {"add_self_loops": True}), ("GATv2Conv", {"add_self_loops": False, "share_weights": True}),
    ("TransformerConv", {}), ("TransformerConv", {"beta": True, "concat": False}),
])
@pytest.mark.parametrize("as_graph", [False, True])
def test_features_of_edges_are_pytorch_geometrics(name, options, as_graph):
    geometric = pytest.importorskip("torch_geometric.nn")
    torch.manual_seed(4)
    options = {"heads": 3, "edge_dim": 2, **options}
    theirs, ours = getattr(geometric, name)(6, 5, **options), getattr(cnn, name)(6, 5, **options)
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter)
    ours.load_state_dict(theirs.state_dict())
    index, attr = torch.randint(20, (2, 70)), torch.randn(70, 2)
    graph = cnn.Graph.from_edge_index(index, 20)
    results = []
    for layer, edges in ((theirs, index), (ours, graph if as_graph else index)):
        x = torch.randn(20, 6, generator=torch.Generator().manual_seed(5), requires_grad=True)
        features = attr.clone().requires_grad_()
        out = layer(x, edges, features[graph.order] if torch.is_tensor(edges) is False else features)
        out.sin().sum().backward()
        results.append([out, x.grad, features.grad, *(p.grad for _, p in sorted(layer.named_parameters()))])
    for a, b in zip(*results):
        torch.testing.assert_close(b, a, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("score", ["dot", "l2", "metric", "uniform"])
def test_a_map_of_edge_features_is_added_to_any_score(score):
    torch.manual_seed(0)
    layer = cnn.GraphAttention(6, 4, heads=2, score=score, edge_dim=3, add_self_loops=False).double()
    x, index, attr = torch.randn(9, 6, dtype=torch.float64), torch.randint(9, (2, 30)), torch.randn(30, 3, dtype=torch.float64)
    without = cnn.GraphAttention(6, 4, heads=2, score=score, add_self_loops=False).double()
    without.load_state_dict({name: value for name, value in layer.state_dict().items() if not name.startswith("lin_edge")})
    # A map of zeros changes nothing, one that hides all edges but one of each node leaves that edge's value.
    with torch.no_grad():
        layer.lin_edge.weight.zero_()
    torch.testing.assert_close(layer(x, index, attr), without(x, index))
    first = torch.tensor([e for e in range(30) if e == (index[1] == index[1, e]).nonzero()[0, 0]])
    attr = torch.full((30, 3), -1.0, dtype=torch.float64)
    attr[first] = 1
    with torch.no_grad():
        layer.lin_edge.weight.fill_(400)
        layer.bias.zero_()
    torch.testing.assert_close(layer(x, index, attr)[index[1, first]], layer.lin(x)[index[0, first]])


def test_edge_features_that_do_not_fit_are_refused():
    x, index = torch.randn(5, 6), torch.randint(5, (2, 9))
    with pytest.raises(ValueError, match="edge_attr and edge_dim together"):
        cnn.GATConv(6, 4)(x, index, torch.randn(9, 2))
    with pytest.raises(ValueError, match="edge_attr and edge_dim together"):
        cnn.GATConv(6, 4, edge_dim=2)(x, index)
    with pytest.raises(ValueError, match=r"edge_attr of \[9, edge_dim\]"):
        cnn.GraphAttention(6, 4, edge_dim=2)(x, index, torch.randn(8, 2))


@pytest.mark.parametrize("score", ["dot", "l2", "metric", "uniform"])
def test_graph_attention_is_its_formula(score):
    torch.manual_seed(0)
    layer = cnn.GraphAttention(6, 4, heads=2, score=score).double()
    x, index = torch.randn(9, 6, dtype=torch.float64), torch.randint(9, (2, 30))
    z = layer.lin(x).view(9, 2, 4)
    if score == "dot":
        q, k = torch.einsum("nhc,hdc->nhd", z, layer.query), torch.einsum("nhc,hdc->nhd", z, layer.key)
        scores = torch.einsum("ihd,jhd->ijh", q, k) / 2
    elif score == "uniform":
        scores = torch.zeros(9, 9, 2, dtype=torch.float64)
    else:
        f = torch.einsum("nhc,hdc->nhd", z, layer.projection) if score == "l2" else z + torch.einsum(
            "nhc,hdc->nhd", torch.tanh(torch.einsum("nhc,hdc->nhd", z, layer.hidden) + layer.hidden_bias), layer.out) + layer.out_bias
        scores = -(f[:, None] - f[None]).square().sum(-1)
    counts = torch.zeros(9, 9, dtype=torch.float64)
    for source, target in index.t():
        counts[target, source] += source != target
    counts += torch.eye(9, dtype=torch.float64)
    weights = counts[..., None] * torch.exp(scores)
    weights = weights / weights.sum(1, keepdim=True)
    torch.testing.assert_close(layer(x, index), torch.einsum("ijh,jhd->ihd", weights, z).flatten(1))


def test_dropout_is_drawn_from_torchs_seed_in_training_alone():
    layer = cnn.GATConv(6, 4, heads=2, dropout=0.5)
    x, index = torch.randn(30, 6), torch.randint(30, (2, 90))
    torch.manual_seed(1)
    first, second = layer(x, index), layer(x, index)
    torch.manual_seed(1)
    assert torch.equal(layer(x, index), first) and not torch.equal(first, second)
    layer.eval()
    assert torch.equal(layer(x, index), layer(x, index))


def test_layers_copy_pickle_and_see_new_edges():
    layer = cnn.GCNConv(6, 4)
    x, index = torch.randn(10, 6), torch.randint(10, (2, 30))
    before = layer(x, index)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x, index), before)
    index[0] = (index[0] + 1) % 10  # in place: the edges are sorted anew
    assert not torch.equal(layer(x, index), before)
    graph = cnn.Graph.from_edge_index(index, 10)
    torch.testing.assert_close(layer(x, graph), layer(x, index))


def test_the_same_bits_for_any_number_of_threads():
    graph = cnn.Graph.from_edge_index(torch.randint(3000, (2, 60000)), 3000)
    z = torch.randn(3000, 2, 8)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            x = z.clone().requires_grad_()
            out = ops.edge_attention(graph, x, x, x, score="squared_distance", dropout=0.3, seed=4)
            out.square().sum().backward()
            results.append((out.detach(), x.grad))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results))
