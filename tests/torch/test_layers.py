"""The layers of the Python package: their formula by explicit differences, torch.compile, and that they learn."""
import math

import numpy
import pytest
import torch

from operators import calor, draw, written_out


def test_compiles():
    layer = calor.nn.MetricAttention(8, heads=2).double()
    x = draw(2, 6, 8, gradient=True)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), layer(x))
    (a,) = torch.autograd.grad(compiled(x).square().sum(), x)
    (b,) = torch.autograd.grad(layer(x).square().sum(), x)
    torch.testing.assert_close(a, b)


@pytest.mark.parametrize("kind", ["MetricAttention", "L2Attention", "SelfAttention"])
def test_layers_are_their_formula(kind):
    """softmax(-f / temperature) V written out with explicit differences, for two heads with learned temperatures."""
    torch.manual_seed(1)
    layer = getattr(calor.nn, kind)(8, heads=2, temperature="learn").double()
    with torch.no_grad():
        layer.log_temperature += torch.tensor([0.3, -0.4])
    x, memory = draw(3, 5, 8), draw(3, 7, 8, seed=1)
    queries, keys = layer._query_key(x, memory)
    if kind == "MetricAttention":
        z = memory @ layer.projection.weight.T
        hidden = torch.tanh(z @ layer.expand.weight.T + layer.expand.bias)
        keys = z + hidden @ layer.contract.weight.T + layer.contract.bias
    heads = lambda t: t.view(*t.shape[:2], 2, 4).transpose(1, 2)
    out, _ = written_out(
        heads(queries),
        heads(keys),
        heads(memory @ layer.value.weight.T),
        torch.exp(-layer.log_temperature).view(1, 2, 1, 1),
        score=layer.score,
    )
    expected = out.transpose(1, 2).reshape(3, 5, 8) @ layer.output.weight.T
    torch.testing.assert_close(layer(x, memory), expected)
    torch.testing.assert_close(layer(x[0], memory[0]), expected[0])
    layer(x).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in layer.parameters())


def two_moons(points, seed):
    random = numpy.random.default_rng(seed)
    half = points // 2
    angle = random.uniform(0, math.pi, points)
    upper = numpy.arange(points) < half
    x = numpy.where(upper, numpy.cos(angle), 1 - numpy.cos(angle))
    y = numpy.where(upper, numpy.sin(angle), 0.5 - numpy.sin(angle))
    data = numpy.stack([x, y], 1) + random.normal(0, 0.2, (points, 2))
    return torch.tensor(data, dtype=torch.float), torch.tensor(~upper, dtype=torch.long)


class Propagation(torch.nn.Module):
    """The network of the paper in miniature: points are the tokens of one sequence."""

    def __init__(self, width=10):
        super().__init__()
        self.read = torch.nn.Linear(2, width)
        self.layers = torch.nn.ModuleList(calor.nn.MetricAttention(width, temperature=1.0) for _ in range(2))
        self.write = torch.nn.Linear(width, 2)

    def forward(self, points):
        tokens = self.read(points).tanh()
        for layer in self.layers:
            tokens = (tokens + layer(tokens)).tanh()
        return self.write(tokens)


def test_metric_attention_learns_two_moons():
    """Fresh points attend over themselves.  A straight line reaches 87 %, the best methods 97 %: over 92 % it has bent."""
    torch.manual_seed(0)
    points, labels = two_moons(200, seed=1)
    fresh, fresh_labels = two_moons(1000, seed=2)
    network = Propagation()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=1e-4)
    for _ in range(150):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(points), labels).backward()
        optimizer.step()
    with torch.no_grad():
        accuracy = (network(fresh).argmax(1) == fresh_labels).double().mean()
    assert accuracy > 0.92


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("layer", ["MetricAttention", "L2Attention", "SelfAttention"])
def test_under_autocast_rows_have_one_type(layer, heads):
    torch.manual_seed(0)
    module = getattr(calor.nn, layer)(8, heads)
    x = torch.randn(2, 7, 8, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = module(x)
    found.float().square().sum().backward()
    assert torch.isfinite(x.grad).all()
    torch.testing.assert_close(found.float(), module(x), rtol=0.05, atol=0.05)
