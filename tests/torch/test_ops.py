"""What the PyTorch operators compute, forward and backward.

Against: torch's scaled_dot_product_attention (dot), scores written out with explicit differences in double (squared distance), and
central differences (torch.autograd.gradcheck and gradgradcheck).  Tolerances: a float score of d terms errs by about
eps sqrt(d) |q||k|, a weight by as much relative to itself, an average of values then by at most that times their size; `bound` of
operators.py is eight times it.
"""
import math

import pytest
import torch

from operators import SCORES, bound, calor, composed, draw, masked_case, op, written_out


@pytest.mark.parametrize("dtype", [torch.float, torch.double])
@pytest.mark.parametrize("dims", [(1, 1, 1, 1, 1, 1), (2, 3, 17, 33, 10, 7), (1, 2, 65, 64, 64, 64), (1, 1, 5, 200, 100, 3)])
@pytest.mark.parametrize("causal", [False, True])
def test_dot_equals_torch(dims, dtype, causal):
    batch, heads, rows, keys, dim, value_dim = dims
    q, k = draw(batch, heads, rows, dim, dtype=dtype), draw(batch, heads, keys, dim, dtype=dtype, seed=1)
    v = draw(batch, heads, keys, value_dim, dtype=dtype, seed=2)
    inputs = [x.requires_grad_() for x in (q, k, v)]
    ours = calor.attention(*inputs, causal=causal)
    theirs = torch.nn.functional.scaled_dot_product_attention(*(x.double() for x in inputs), is_causal=causal)
    atol = bound(q.detach(), k.detach(), v.detach(), dim**-0.5)
    torch.testing.assert_close(ours.double(), theirs, rtol=0, atol=atol)
    d_out = draw(*ours.shape, seed=3)
    for mine, peer in zip(
        torch.autograd.grad(ours, inputs, d_out.to(dtype)), torch.autograd.grad(theirs, inputs, d_out.to(dtype).double())
    ):  # a gradient sums up to `keys` or `rows` such terms
        torch.testing.assert_close(mine.double(), peer.double(), rtol=0, atol=4 * atol * math.sqrt(max(rows, keys)))


@pytest.mark.parametrize("dtype", [torch.float, torch.double])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("operator", [op, composed])
def test_squared_distance_by_explicit_differences(operator, dtype, offset):
    """The same bound with the points far from the origin: a common offset costs no digits."""
    q, k = draw(2, 2, 19, 10, dtype=dtype), draw(2, 2, 37, 10, dtype=dtype, seed=1)
    q, k = q + offset, k + offset  # rounded here, so both sides see the same points
    v = draw(2, 2, 37, 5, dtype=dtype, seed=2)
    scale = torch.tensor(0.3, dtype=dtype)
    out, lse = operator(q, k, v, scale, score="squared_distance")
    expected, expected_lse = written_out(q, k, v, scale.double(), score="squared_distance")
    atol = bound(q - offset, k - offset, v, 2 * 0.3)
    torch.testing.assert_close(out.double(), expected, rtol=0, atol=atol)
    torch.testing.assert_close(lse.double(), expected_lse, rtol=8 * torch.finfo(dtype).eps, atol=atol)


@pytest.mark.parametrize("operator", [op, composed])
@pytest.mark.parametrize("score", SCORES)
def test_masks_bias_and_causal(operator, score):
    arguments, masks, allowed = masked_case()
    out, lse = operator(**arguments, **masks, score=score)
    scale = arguments["scale"].view(1, -1, 1, 1)
    expected, expected_lse = written_out(
        arguments["q"], arguments["k"], arguments["v"], scale, arguments["bias"], allowed, score
    )
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(lse, expected_lse)
    assert (out[0, :, 1] == 0).all() and (lse[0, :, 1] == -math.inf).all()


@pytest.mark.parametrize("operator", [op, composed])
@pytest.mark.parametrize("score", SCORES)
def test_own_keys_are_a_hidden_diagonal(operator, score):
    q, k, v = (draw(1, 2, rows, 3, dtype=torch.float64, seed=rows, gradient=True) for rows in (5, 7, 7))
    scale = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    hidden = torch.ones(5, 7, dtype=torch.bool)
    hidden[torch.arange(5), torch.arange(5) + 1] = False
    results = [operator(q, k, v, scale, score=score, own_key=1), operator(q, k, v, scale, mask=hidden[None, None], score=score)]
    gradients = [torch.autograd.grad((out ** 2).sum() + lse.sum(), (q, k, v, scale)) for out, lse in results]
    torch.testing.assert_close(results[0], results[1], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-12, atol=1e-12)
    assert torch.autograd.gradgradcheck(lambda *x: op(*x, scale, score=score, own_key=1), (q, k, v))
    with pytest.raises(ValueError, match="own_key"):
        operator(q, k, v, scale, score=score, own_key=-2)


def finite(result):
    """out, and the log-sum-exp of the rows that have one, as gradcheck wants them."""
    return result[0], torch.where(result[1].isinf(), 0.0, result[1])


@pytest.mark.parametrize("operator", [op, composed])
@pytest.mark.parametrize("score", SCORES)
def test_gradients(operator, score):
    arguments, masks, _ = masked_case()
    call = lambda *tensors: finite(operator(*tensors, **masks, score=score))
    assert torch.autograd.gradcheck(call, tuple(arguments.values()))
    assert torch.autograd.gradgradcheck(call, tuple(arguments.values()))


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("shape", [(), (1,), (2,), (1, 2), (3, 1), (3, 2)])
def test_scale_broadcasts(score, shape):
    scale = (draw(*shape).abs() if shape else torch.tensor(0.7, dtype=torch.double)).requires_grad_()
    q, k, v = draw(3, 2, 4, 3), draw(3, 2, 5, 3, seed=1), draw(3, 2, 5, 2, seed=2)
    assert torch.autograd.gradcheck(lambda s: op(q, k, v, s, score=score), (scale,))
    torch.testing.assert_close(op(q, k, v, scale, score=score), composed(q, k, v, scale, score=score))


@pytest.mark.parametrize("score", SCORES)
def test_shared_input_differentiates_twice(score):
    """Queries and keys computed from one tensor: the second derivative keeps the paths apart."""
    x = draw(1, 1, 4, 3, gradient=True)
    scale = torch.tensor(0.5, dtype=torch.double)
    call = lambda x: op(x, x, x.sin(), scale, score=score)[0]
    assert torch.autograd.gradcheck(call, (x,)) and torch.autograd.gradgradcheck(call, (x,))
    d_out = draw(1, 1, 4, 3, seed=1)
    (streamed,) = torch.autograd.grad(call(x), x, d_out)
    (differentiable,) = torch.autograd.grad(call(x), x, d_out, create_graph=True)
    torch.testing.assert_close(streamed, differentiable)  # gradgradcheck alone would accept any first derivative


@pytest.mark.parametrize("score", SCORES)
def test_log_sum_exp_alone_is_differentiable(score):
    """Its gradient with respect to the bias is the attention weights: rows of a stochastic matrix, summed."""
    q, k, v = draw(1, 2, 4, 3), draw(1, 2, 5, 3, seed=1), draw(1, 2, 5, 2, seed=2)
    bias = draw(1, 2, 5, seed=3, gradient=True)
    scale = torch.tensor(0.5, dtype=torch.double)
    _, lse = op(q, k, v, scale, bias, score=score)
    (gradient,) = torch.autograd.grad(lse.sum(), bias)
    eye = torch.eye(5, dtype=torch.double).expand(1, 2, 5, 5)
    weights, _ = op(q, k, eye, scale, bias.detach(), score=score)
    torch.testing.assert_close(gradient, weights.sum(2))
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 2, 4, dtype=torch.double))
