"""The operator on rows of bfloat16: its values and gradients against the definition in double on the same numbers, autograd and compilation.

A result is a sum of weights that were rounded once (2^-9 relative, half a unit in the last of eight places) times exact numbers, and is rounded once itself: in
the square mean 2^-8 of the result's size bounds both.
"""
import pytest
import torch

from operators import SCORES, calor, draw, op, written_out

half = torch.bfloat16


def relative(found, expected):
    return float(((found.double() - expected).norm() / expected.norm()).detach())


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dims", [(2, 3, 37, 65, 10, 7), (1, 2, 300, 300, 64, 64)])
def test_values_and_gradients(score, causal, dims):
    batch, heads, rows, keys, dim, value_dim = dims
    inputs = [draw(batch, heads, rows, dim), draw(batch, heads, keys, dim, seed=1), draw(batch, heads, keys, value_dim, seed=2)]
    inputs = [x.to(half).requires_grad_() for x in inputs]
    exact = [x.detach().double().requires_grad_() for x in inputs]
    bias = draw(1, heads, keys, dtype=torch.float, seed=3, gradient=True)
    allowed = torch.ones(rows, keys, dtype=torch.bool).tril() if causal else None
    out, lse = calor.attention(*inputs, score=score, scale=0.3, bias=bias, causal=causal, return_lse=True)
    wide_bias = bias.detach().double().requires_grad_()
    expected, expected_lse = written_out(*exact, 0.3, wide_bias, allowed, score)
    assert out.dtype == half and lse.dtype == torch.float
    assert relative(out, expected) < 2**-8
    torch.testing.assert_close(lse.double(), expected_lse, rtol=0, atol=2e-4)
    d_out = draw(*out.shape, seed=4).to(half)
    found = torch.autograd.grad((out, lse.sum()), [*inputs, bias], (d_out, torch.tensor(1.0)))
    wanted = torch.autograd.grad((expected, expected_lse.sum()), [*exact, wide_bias], (d_out.double(), torch.tensor(1.0, dtype=torch.double)))
    for mine, theirs, x in zip(found, wanted, [*inputs, bias]):
        assert mine.dtype == x.dtype
        assert relative(mine, theirs) < 1.5 * 2**-8


def test_as_torch_has_it():
    q, k, v = (draw(2, 4, 128, 32, seed=seed).to(half) for seed in range(3))
    ours = calor.nn.functional.attention(q, k, v)
    theirs = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    exact = torch.nn.functional.scaled_dot_product_attention(q.double(), k.double(), v.double())
    assert ours.dtype == theirs.dtype
    assert relative(ours, exact) <= relative(theirs, exact) + 2**-10


@pytest.mark.parametrize("score", SCORES)
def test_float_scale_and_bias_come_beside(score):
    q, k, v = (draw(1, 2, 9, 8, seed=seed).to(half) for seed in range(3))
    scale = torch.rand(2).to(half).requires_grad_()
    bias = draw(2, 9).to(half).requires_grad_()
    out = calor.attention(q, k, v, score=score, scale=scale, bias=bias)
    gradients = torch.autograd.grad(out.float().sum(), (scale, bias))
    assert [x.dtype for x in gradients] == [half, half]
    torch.testing.assert_close(out, op(q, k, v, scale.float(), bias[None].float(), score=score)[0])


@pytest.mark.parametrize("score", SCORES)
def test_torch_agrees_that_it_is_an_operator(score):
    inputs = [draw(1, 2, 6, 4, seed=seed).to(half).requires_grad_() for seed in range(3)]
    outcome = torch.library.opcheck(op.default, (*inputs, torch.tensor(0.5)), {"score": score, "causal": True})
    assert all(result == "SUCCESS" for result in outcome.values()), outcome


@pytest.mark.parametrize("score", SCORES)
def test_a_second_derivative_is_the_definitions(score):
    inputs = [draw(1, 1, 12, 8, seed=seed).to(half).requires_grad_() for seed in range(3)]
    (once,) = torch.autograd.grad(calor.attention(*inputs, score=score).float().square().sum(), inputs[:1], create_graph=True)
    twice = torch.autograd.grad(once.float().square().sum(), inputs)
    exact = [x.detach().double().requires_grad_() for x in inputs]
    (once,) = torch.autograd.grad(written_out(*exact, 8**-0.5, score=score)[0].square().sum(), exact[:1], create_graph=True)
    for mine, theirs in zip(twice, torch.autograd.grad(once.square().sum(), exact)):
        assert relative(mine, theirs) < 0.05  # the first derivative was rounded on the way


def test_autocast_takes_rows_of_its_type():
    q, k, v = (draw(1, 2, 40, 16, dtype=torch.float, seed=seed) for seed in range(3))
    with torch.autocast("cpu", dtype=half):
        out = calor.nn.functional.attention(q, k, v, score="l2")
    assert torch.equal(out, calor.nn.functional.attention(q.to(half), k.to(half), v.to(half), score="l2"))


def test_compiled_it_is_the_same():
    q, k, v = (draw(1, 2, 40, 16, seed=seed).to(half) for seed in range(3))
    function = torch.compile(lambda q, k, v: calor.nn.functional.attention(q, k, v, is_causal=True, score="l2"), fullgraph=True, backend="aot_eager")
    assert torch.equal(function(q, k, v), calor.nn.functional.attention(q, k, v, is_causal=True, score="l2"))


def test_modules_of_bfloat16_train():
    layer = calor.nn.MultiheadAttention(16, 2, batch_first=True, score="metric").to(half)
    x = draw(2, 11, 16).to(half)
    out, _ = layer(x, x, x, need_weights=False)
    out.float().square().sum().backward()
    assert out.dtype == half
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for name, p in layer.named_parameters() if "in_proj" not in name)
