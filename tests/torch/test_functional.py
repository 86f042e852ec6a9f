"""calor.nn.functional.attention: torch's arguments against torch's own function (dot), and against scores by explicit differences (l2, metric)."""
import math

import pytest
import torch

from operators import calor, draw, written_out
from torch.nn.functional import scaled_dot_product_attention

attention, lowered = calor.nn.functional.attention, calor.nn.functional.lowered


def problem(dtype=torch.double, gradient=True):
    return [draw(2, 4, rows, 8, dtype=dtype, seed=seed, gradient=gradient) for seed, rows in enumerate((9, 11, 11))]


def by_differences(q, k, v, attn_mask=None, is_causal=False, bias=None, scale=8**-0.5):
    allowed = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).tril() if is_causal else None
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        allowed = attn_mask
    scores = -(q.unsqueeze(-2) - k.unsqueeze(-3)).square().sum(-1) * scale
    if bias is not None:
        scores = scores + bias.unsqueeze(-2)
    if attn_mask is not None and attn_mask.dtype != torch.bool:
        scores = scores + attn_mask
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -math.inf)
    return scores.softmax(-1).nan_to_num() @ v


SEEN = torch.rand(9, 11, generator=torch.Generator().manual_seed(1)) > 0.3
SEEN[:, 0] = True
HIDDEN = torch.where(SEEN, 0.0, -math.inf).double()
PADDING = torch.tensor([True] * 7 + [False] * 4).expand(2, 1, 1, 11)
CASES = {
    "plain": {},
    "bool": dict(attn_mask=SEEN),
    "bool of heads": dict(attn_mask=SEEN.expand(2, 1, 9, 11)),
    "minus infinity": dict(attn_mask=HIDDEN),
    "least number": dict(attn_mask=torch.zeros(9, 11).double().masked_fill(~SEEN, torch.finfo(torch.double).min)),
    "numbers": dict(attn_mask=draw(9, 11, seed=5)),
    "one for all queries": dict(attn_mask=draw(2, 1, 1, 11, seed=6)),
    "padding": dict(attn_mask=PADDING),
    "causal": dict(is_causal=True),
}


@pytest.mark.parametrize("case", CASES)
def test_dot_is_torch_s(case):
    inputs = problem()
    ours, theirs = attention(*inputs, **CASES[case]), scaled_dot_product_attention(*inputs, **CASES[case])
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours.square().sum(), inputs), torch.autograd.grad(theirs.square().sum(), inputs))


@pytest.mark.parametrize("function", [attention, lowered])
@pytest.mark.parametrize("case", [*CASES, "bias", "bias and causal"])
def test_distances_by_explicit_differences(case, function):
    inputs = problem()
    options = dict(CASES.get(case, {}), is_causal="causal" in case)
    if "bias" in case:
        options["bias"] = draw(4, 11, seed=7, gradient=True)
        inputs.append(options["bias"])
    ours, theirs = function(*inputs[:3], **options, score="l2"), by_differences(*inputs[:3], **options)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours.square().sum(), inputs), torch.autograd.grad(theirs.square().sum(), inputs))


def test_metric_is_the_distance_of_phi():
    q, k, v = problem()
    phi = torch.nn.Sequential(torch.nn.Linear(8, 5), torch.nn.Tanh()).double()
    out = attention(q, k, v, score="metric", phi=phi)
    torch.testing.assert_close(out, by_differences(phi(q), phi(k), v, scale=5**-0.5))
    out.sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in phi.parameters())


@pytest.mark.parametrize("score", ["dot", "l2"])
def test_fewer_heads_of_keys(score):
    q, k, v = problem()
    k, v = k[:, :2], v[:, :1]
    whole = attention(q, k.repeat_interleave(2, 1), v.repeat_interleave(4, 1), score=score)
    torch.testing.assert_close(attention(q, k, v, enable_gqa=True, score=score), whole)


@pytest.mark.parametrize("shape", [(), (3,), (2, 2, 3)])
def test_any_dimensions_in_front(shape):
    q, k, v = (draw(*shape, rows, 4, seed=seed) for seed, rows in enumerate((5, 6, 6)))
    mask = torch.ones(5, 6, dtype=torch.bool).tril()
    torch.testing.assert_close(attention(q, k, v, mask, score="l2"), by_differences(q, k, v, mask, scale=0.5))


@pytest.mark.parametrize("dtype, most", [(torch.bfloat16, 2**-7), (torch.float16, 2**-9)])
@pytest.mark.parametrize("function", [attention, lowered])
def test_16_bit_numbers_far_from_the_origin(dtype, most, function):
    """Relative to the values' size; the products' own rounding, where keys lie around 0 after the shift."""
    q, k, v = (x.to(dtype) for x in problem(gradient=False))
    q, k = q + 8, k + 8
    out = function(q, k, v, score="l2")
    assert out.dtype == dtype
    assert (out.double() - by_differences(q.double(), k.double(), v.double())).abs().max() < most * v.abs().max() * 4


def test_autocast():
    q, k, v = problem(torch.float, gradient=False)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for function in (attention, lowered):
            out = function(q, k, v, score="l2")
            assert out.dtype == scaled_dot_product_attention(q, k, v).dtype == torch.bfloat16
            torch.testing.assert_close(out.double(), by_differences(q.double(), k.double(), v.double()), rtol=0.05, atol=0.05)


def test_channels_of_zeros_for_fused_kernels():
    q, k, v = problem(gradient=False)
    v = v[..., :5]
    q, k, wide = calor.nn.functional._of_one_width(q[..., :7], k[..., :7], v)
    assert q.shape[-1] == k.shape[-1] == wide.shape[-1] == 8
    torch.testing.assert_close(scaled_dot_product_attention(q, k, wide, scale=0.3)[..., :5], scaled_dot_product_attention(q[..., :7], k[..., :7], v, scale=0.3))


def test_rows_that_may_attend_to_nothing():
    q, k, v = problem()
    mask = SEEN.clone()
    mask[3] = False
    for function in (attention, lowered):
        out = function(q, k, v, mask, score="l2")
        assert (out[:, :, 3] == 0).all() and out.isfinite().all()


@pytest.mark.parametrize("score", ["dot", "l2"])
def test_dropout_keeps_the_mean(score):
    q, k, v = problem(gradient=False)
    torch.manual_seed(0)
    mean = sum(attention(q, k, v, dropout_p=0.25, score=score) for _ in range(400)) / 400
    whole = attention(q, k, v, score=score)
    assert (mean - whole).abs().max() < 0.25 and not torch.equal(mean, whole)


def test_second_derivatives_and_transforms():
    q, k, v = (x[:1, :1, :4, :3].detach().requires_grad_() for x in problem())
    call = lambda q, k, v: attention(q, k, v, score="l2")
    assert torch.autograd.gradcheck(call, (q, k, v)) and torch.autograd.gradgradcheck(call, (q, k, v))
    many = [torch.stack([x.detach(), x.detach() + 0.1]) for x in (q, k, v)]
    torch.testing.assert_close(torch.vmap(call)(*many), torch.stack([call(*(x[i] for x in many)) for i in range(2)]))
    _, forward = torch.func.jvp(lambda q: call(q, k.detach(), v.detach()).sum(), (q.detach(),), (torch.ones_like(q),))
    (gradient,) = torch.autograd.grad(call(q, k, v).sum(), q)
    torch.testing.assert_close(forward, gradient.sum())
    torch.testing.assert_close(torch.func.grad(lambda q: call(q, k, v).sum())(q), gradient)


@pytest.mark.parametrize("case", ["plain", "bool", "numbers", "causal"])
def test_compiles_without_a_break(case):
    inputs = problem(torch.float)
    compiled = torch.compile(lambda q, k, v: attention(q, k, v, **{name: x.float() if torch.is_tensor(x) and x.is_floating_point() else x for name, x in CASES[case].items()}, score="l2"),
                             backend="aot_eager", fullgraph=True)
    expected = by_differences(*(x.double() for x in inputs), **CASES[case])
    torch.testing.assert_close(compiled(*inputs).double(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "fault, text, call",
    [
        (ValueError, "expected score", lambda q, k, v: attention(q, k, v, score="cosine")),
        (ValueError, "expected phi with", lambda q, k, v: attention(q, k, v, score="metric")),
        (ValueError, "expected phi with", lambda q, k, v: attention(q, k, v, score="l2", phi=torch.tanh)),
        (TypeError, "one floating-point type", lambda q, k, v: attention(q, k.float(), v)),
        (TypeError, "one floating-point type", lambda q, k, v: attention(*(x.long() for x in (q, k, v)))),
        (TypeError, "attn_mask of bool", lambda q, k, v: attention(q, k, v, SEEN.long())),
        (ValueError, "one feature or more", lambda q, k, v: attention(q[..., :0], k[..., :0], v)),
        (ValueError, "either attn_mask or is_causal", lambda q, k, v: attention(q, k, v, SEEN, is_causal=True)),
        (ValueError, "enable_gqa=True", lambda q, k, v: attention(q, k[:, :2], v[:, :2])),
        (ValueError, "heads of k and v that divide", lambda q, k, v: attention(q, k[:, :3], v[:, :3], enable_gqa=True)),
        (ValueError, "same sizes in front", lambda q, k, v: attention(q, k, v[:, :, :5])),
        (ValueError, "as many dimensions", lambda q, k, v: attention(q, k[0], v)),
    ],
)
def test_refusals(fault, text, call):
    with pytest.raises(fault, match=text):
        call(*problem())


def test_decoding_step_by_step_is_the_whole():
    q, k, v = (draw(1, 2, 12, 4, seed=seed) for seed in range(3))
    whole = attention(q, k, v, is_causal=True, score="l2")
    cache, start = calor.nn.KeyValueCache(), 0
    for rows in (5, 1, 1, 4, 1):
        end = start + rows
        keys, values = cache.append(k[:, :, start:end], v[:, :, start:end])
        torch.testing.assert_close(attention(q[:, :, start:end], keys, values, cache.mask(rows), score="l2"), whole[:, :, start:end])
        start = end
    assert len(cache) == 12
    with pytest.raises(ValueError, match="as many values as keys"):
        cache.append(k, v[:, :, 1:])
    with pytest.raises(ValueError, match="expected rows of"):
        cache.append(k[:, :1, :1], v[:, :1, :1])


@pytest.mark.parametrize("score", ["dot", "l2"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("scale", [None, 0.3])
def test_the_short_way_gives_what_the_long_one_does(score, causal, scale):
    """Four dimensions and no more arguments go straight to the operator; a bias of zeros does not."""
    q, k, v = (torch.randn(2, 3, 5, 8, requires_grad=True) for _ in range(3))
    results = []
    for bias in (None, torch.zeros(5)):
        out = attention(q, k, v, is_causal=causal, scale=scale, score=score, bias=bias)
        results.append([out, *torch.autograd.grad(out.sin().sum(), (q, k, v))])
    for short, long in zip(*results):
        torch.testing.assert_close(short, long, rtol=1e-6, atol=1e-6)


def test_a_kept_scale_serves_inference_mode_and_training():
    q = torch.randn(1, 1, 4, 8)
    with torch.inference_mode():
        first = attention(q, q, q, scale=0.123)
    x = q.clone().requires_grad_()
    second = attention(x, x, x, scale=0.123)
    second.sum().backward()
    assert torch.equal(first, second.detach()) and x.grad.isfinite().all()


def test_what_the_operator_refuses_takes_the_long_way():
    """520 features of v are more than it streams; the short way asks it all the same."""
    q, k, v = draw(1, 2, 5, 8), draw(1, 2, 7, 8, seed=1), draw(1, 2, 7, 520, seed=2)
    torch.testing.assert_close(attention(q, k, v), scaled_dot_product_attention(q, k, v))
    torch.testing.assert_close(attention(q, k, v, score="l2"), by_differences(q, k, v))


def test_the_short_way_is_one_call_and_none_where_tensors_are_not_what_they_seem(monkeypatch):
    short = []

    def call(*arguments, **options):
        short.append(1)
        return calor.ops._attention(*arguments, **options)

    q, k, v = (draw(1, 2, 5, 8, dtype=torch.float, seed=seed) for seed in range(3))
    attention(q, k, v)
    monkeypatch.setattr(calor.ops, "call_attention", call)
    attention(q, k, v)
    assert short == [1]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert attention(q, k, v).dtype == torch.bfloat16
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):  # has all derivatives
        torch.vmap(attention)(q[None], k[None], v[None])
        torch.func.jvp(lambda x: attention(x, k, v), (q,), (q,))
    torch.func.grad(lambda x: attention(x, k, v).sum())(q)
    torch.jit.trace(lambda x: attention(x, k, v), q, check_trace=False)
    torch.compile(lambda x: attention(x, k, v), backend="eager")(q)
    assert short == [1]
