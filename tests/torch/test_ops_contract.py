"""What holds of the PyTorch operators whatever they compute: masked contents reach nothing, strides, empty sizes and threads change
nothing, torch.library.opcheck agrees (schema, fake tensors), and errors name the argument."""
import math
import os
import subprocess
import sys

import pytest
import torch

from command import ROOT
from operators import SCORES, calor, composed, draw, masked_case, op


@pytest.mark.parametrize("operator", [op, composed])
@pytest.mark.parametrize("dtype", [torch.float, torch.double])
@pytest.mark.parametrize("score", SCORES)
def test_masked_contents_change_nothing(operator, dtype, score):
    """Keys that nobody sees: not a bit.  A query that sees nothing: nothing beyond rounding, as a block of rows with a
    number that float products cannot take is computed in double."""
    arguments, masks, allowed = masked_case(dtype)

    def run(poison_keys, poison_query):
        tensors = {name: tensor.detach().clone() for name, tensor in arguments.items()}
        tensors["k"][:, :, 2] = poison_keys
        tensors["v"][:, :, 2] = poison_keys
        tensors["q"][0, :, 1] = poison_query
        tensors = {name: tensor.requires_grad_() for name, tensor in tensors.items()}
        out, lse = operator(**tensors, **masks, score=score)
        loss = out.square().sum() + torch.where(lse.isinf(), 0.0, lse).sum()
        return (out, lse, *torch.autograd.grad(loss, list(tensors.values())))

    plain = run(0.0, 0.0)
    tolerance = 64 * torch.finfo(dtype).eps
    for poison in (math.nan, math.inf, 1e30):
        for expected, found in zip(plain, run(poison, 0.0)):
            assert torch.equal(expected, found)
        for expected, found in zip(plain, run(poison, poison)):
            torch.testing.assert_close(expected, found, rtol=tolerance, atol=tolerance)
    assert all(x.isfinite().all() for x in (plain[0], *plain[2:]))


@pytest.mark.parametrize("dtype", [torch.float, torch.double])
@pytest.mark.parametrize("score", SCORES)
def test_a_later_token_changes_no_earlier_row(dtype, score):
    """Causal: NaN in the last token reaches the last row only, forward and backward.  The gradient of a row is a sum of
    products of three vectors, hence the cube."""
    x = draw(1, 1, 40, 10, dtype=dtype)
    poisoned = x.clone()
    poisoned[..., -1, :] = math.nan
    results = []
    for data in (x, poisoned):
        data.requires_grad_()
        out = calor.attention(data, data.detach(), data.detach(), score=score, causal=True)
        (d_q,) = torch.autograd.grad(out[..., :-1, :].square().sum(), data)
        results.append((out[..., :-1, :], d_q[..., :-1, :]))
    scale = float(x.detach().norm(dim=-1).max())
    for expected, found in zip(*results):
        torch.testing.assert_close(expected, found, rtol=0, atol=16 * torch.finfo(dtype).eps * scale**3)


@pytest.mark.parametrize("score", SCORES)
def test_minus_infinity_bias_masks_the_key(score):
    q, k, v = draw(1, 2, 4, 3), draw(1, 2, 5, 3, seed=1), draw(1, 2, 5, 2, seed=2)
    scale = torch.tensor(0.5, dtype=torch.double)
    bias = torch.zeros(1, 1, 5, dtype=torch.double)
    bias[..., 3] = -math.inf
    keep = torch.tensor([[True, True, True, False, True]])
    for operator in (op, composed):
        torch.testing.assert_close(
            operator(q, k, v, scale, bias, score=score), operator(q, k, v, scale, key_mask=keep, score=score)
        )


@pytest.mark.parametrize("score", SCORES)
def test_strides_do_not_matter(score):
    """Heads cut out of one projection, an innermost stride of 2, broadcast keys, an expanded output gradient."""
    joined = draw(2, 7, 3 * 4 * 8, dtype=torch.float)
    q, k, v = joined.view(2, 7, 3, 4, 8).permute(2, 0, 3, 1, 4)
    wide = draw(2, 4, 7, 16, dtype=torch.float)[..., ::2]
    one = draw(1, 1, 7, 8, dtype=torch.float).expand(2, 4, 7, 8)
    scale = torch.tensor(0.4)
    for tensors in ((q, k, v), (wide, one, v), (one, wide, q)):
        inputs = [t.detach().requires_grad_() for t in tensors]
        dense = [t.detach().clone(memory_format=torch.contiguous_format).requires_grad_() for t in tensors]
        out, expected = op(*inputs, scale, score=score)[0], op(*dense, scale, score=score)[0]
        assert torch.equal(out, expected)
        for a, b in zip(torch.autograd.grad(out.sum(), inputs), torch.autograd.grad(expected.sum(), dense)):
            assert torch.equal(a, b)
    assert out.transpose(1, 2).flatten(2).data_ptr() == out.data_ptr()  # joining heads copies nothing


def test_fewer_dimensions():
    q, k, v = draw(2, 6, 3), draw(2, 5, 3, seed=1), draw(2, 5, 4, seed=2)
    full, lse = calor.attention(q[None], k[None], v[None], return_lse=True)
    torch.testing.assert_close(calor.attention(q, k, v, return_lse=True), (full[0], lse[0]))
    torch.testing.assert_close(calor.attention(q[1], k[1], v[1], mask=torch.ones(6, 5, dtype=torch.bool)), full[0, 1])


@pytest.mark.parametrize("sizes", [(0, 2, 3, 4), (2, 0, 3, 4), (2, 2, 0, 4), (2, 2, 3, 0)])
@pytest.mark.parametrize("score", SCORES)
def test_empty(sizes, score):
    batch, heads, rows, keys = sizes
    inputs = [draw(batch, heads, n, 5, gradient=True) for n in (rows, keys, keys)]
    scale = torch.ones((), dtype=torch.double, requires_grad=True)
    for operator in (op, composed):
        out, lse = operator(*inputs, scale, score=score)
        assert out.shape == (batch, heads, rows, 5) and (out == 0).all() and (lse == -math.inf).all()
        for gradient in torch.autograd.grad(out.sum(), [*inputs, scale]):
            assert (gradient == 0).all()


@pytest.mark.parametrize("operator", [op, composed])
@pytest.mark.parametrize("score", SCORES)
def test_torch_agrees_that_these_are_operators(operator, score):
    arguments, masks, _ = masked_case()
    outcome = torch.library.opcheck(operator.default, tuple(arguments.values()), dict(masks, score=score))
    assert set(outcome.values()) == {"SUCCESS"}, outcome


@pytest.mark.parametrize("score", SCORES)
def test_any_number_of_threads_gives_the_same_bits(score):
    inputs = [draw(2, 3, n, 16, dtype=torch.float, seed=i, gradient=True) for i, n in enumerate((131, 97, 97))]
    scale = torch.tensor(0.3, requires_grad=True)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            out, lse = op(*inputs, scale, score=score)
            results.append((out, lse, *torch.autograd.grad((out * out).sum() + lse.sum(), [*inputs, scale])))
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other))


def test_errors_name_the_argument():
    q, k, v = draw(2, 2, 4, 3), draw(2, 2, 5, 3), draw(2, 2, 5, 3)
    one = torch.ones((), dtype=torch.double)
    cases = [
        (TypeError, r"expected float32, float64 or bfloat16, found (Half|torch.float16): convert", lambda: op(q.half(), k.half(), v.half(), one.half())),
        (TypeError, r"found (Half|torch.float16)", lambda: calor.attention(q.half(), k.half(), v.half())),
        (TypeError, r"expected k of the dtype of q, (Double, found Float|torch.float64, found torch.float32)", lambda: op(q, k.float(), v, one)),
        (TypeError, r"expected scale beside bfloat16 rows of dtype (Float, found BFloat16|torch.float32, found torch.bfloat16)", lambda: op(q.bfloat16(), k.bfloat16(), v.bfloat16(), one.bfloat16())),
        (TypeError, r"expected mask of dtype bool", lambda: calor.attention(q, k, v, mask=torch.zeros(4, 5))),
        (ValueError, r"expected q of 4 dimensions", lambda: op(q[0], k, v, one)),
        (ValueError, r"expected k of .*found \[2, 2, 5, 2\]", lambda: op(q, k[..., :2], v, one)),
        (ValueError, r"expected v of .*found \[2, 2, 4, 3\]", lambda: op(q, k, v[:, :, :4], one)),
        (ValueError, r"expected scale to broadcast to \[batch, heads\] = \[2, 2\], found \[3\]", lambda: op(q, k, v, one.expand(3))),
        (ValueError, r"expected bias of", lambda: calor.attention(q, k, v, bias=draw(2, 2, 4))),
        (ValueError, r"expected key_mask of", lambda: calor.attention(q, k, v, key_mask=torch.ones(2, 4, dtype=torch.bool))),
        (ValueError, r"expected mask of", lambda: calor.attention(q, k, v, mask=torch.ones(5, 4, dtype=torch.bool))),
        (ValueError, r"expected score \"dot\" or \"squared_distance\", found \"cosine\"", lambda: calor.attention(q, k, v, score="cosine")),
        (ValueError, r"from 1 to 512, found 513", lambda: calor.attention(draw(3, 513), draw(3, 513), draw(3, 2))),
        (ValueError, r"expected q of 2 to 4 dimensions", lambda: calor.attention(q[0, 0, 0], k, v)),
        ((RuntimeError, ValueError), r"expected a finite scale, found nan", lambda: calor.attention(q, k, v, scale=math.nan)),
        (ValueError, r"expected heads that divide width", lambda: calor.nn.MetricAttention(10, heads=3)),
        (ValueError, r"expected temperature", lambda: calor.nn.L2Attention(8, temperature="warm")),
        (ValueError, r"expected temperature", lambda: calor.nn.SelfAttention(8, temperature=0.0)),
        (ValueError, r"expected x of", lambda: calor.nn.MetricAttention(10)(torch.zeros(4, 9))),
    ]
    for kind, message, call in cases:
        with pytest.raises(kind, match=message):
            call()


def test_a_missing_library_is_named():
    code = "import sys; sys.path.insert(0, sys.argv[1]); import calor; calor.attention"
    for path, message in (("/nowhere/lib.so", "expected CALOR_TORCH_LIBRARY to name"), (__file__, "does not load")):
        environment = dict(os.environ, CALOR_TORCH_LIBRARY=path)
        found = subprocess.run(
            [sys.executable, "-c", code, str(ROOT / "python")], env=environment, capture_output=True, text=True
        )
        assert found.returncode and message in found.stderr
