"""Attention by distances on a GPU, where torch's own kernels compute it: against explicit differences in double on the CPU."""
import math
import sys

import pytest
import torch

from command import ROOT

sys.path.insert(0, str(ROOT / "python"))
if not torch.cuda.is_available():
    pytest.skip("no GPU that torch can use", allow_module_level=True)

import calor.nn  # needs no compiled operators there

SEEN = torch.rand(70, 90, generator=torch.Generator().manual_seed(1)) > 0.3
SEEN[:, 0] = True
CASES = {
    "plain": {},
    "bool": dict(attn_mask=SEEN),
    "numbers": dict(attn_mask=torch.zeros(70, 90).masked_fill(~SEEN, -math.inf)),
    "padding": dict(attn_mask=torch.tensor([True] * 60 + [False] * 30).expand(2, 1, 1, 90)),
    "causal": dict(is_causal=True),
    "bias": dict(bias=torch.randn(4, 90, generator=torch.Generator().manual_seed(2))),
}


def problem(dtype, width=64, offset=0.0):
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randn(2, 4, rows, width, generator=generator) for rows in (70, 90, 90)]
    drawn[0], drawn[1] = drawn[0] + offset, drawn[1] + offset
    return [x.to("cuda", dtype).requires_grad_() for x in drawn]


def by_differences(q, k, v, attn_mask=None, is_causal=False, bias=None):
    scores = -(q.unsqueeze(-2) - k.unsqueeze(-3)).square().sum(-1) * q.shape[-1] ** -0.5
    if bias is not None:
        scores = scores + bias.double().unsqueeze(-2)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask.double()
    if is_causal:
        scores = scores.masked_fill(~torch.ones(scores.shape[-2:], dtype=torch.bool).tril(), -math.inf)
    return scores.softmax(-1) @ v


@pytest.mark.parametrize("dtype, most", [(torch.float, 1e-4), (torch.bfloat16, 0.08), (torch.float16, 0.01)])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [64, 10])
def test_distances(case, dtype, most, width):
    """16-bit products of 64 terms of size 1 err by a few hundredths in the score, and so does the mean relative to its size."""
    inputs = problem(dtype, width)
    options = {name: x.cuda().to(dtype) if torch.is_tensor(x) and x.is_floating_point() else x.cuda() if torch.is_tensor(x) else x for name, x in CASES[case].items()}
    out = calor.nn.functional.attention(*inputs, **options, score="l2")
    near = [x.detach().double().cpu().requires_grad_() for x in inputs]
    expected = by_differences(*near, **{name: x.cpu() if torch.is_tensor(x) else x for name, x in options.items()})
    assert out.dtype == dtype and (out.double().cpu() - expected).abs().max() < most
    out.float().square().sum().backward()
    expected.square().sum().backward()
    for ours, theirs in zip(inputs, near):
        assert (ours.grad.double().cpu() - theirs.grad).abs().max() < 4 * most * max(1.0, float(theirs.grad.abs().max()))


def test_far_from_the_origin():
    inputs = problem(torch.float, offset=100.0)
    expected = by_differences(*(x.detach().double().cpu() for x in inputs))
    assert (calor.nn.functional.attention(*inputs, score="l2").double().cpu() - expected).abs().max() < 1e-3


def test_layers_and_rows_that_may_attend_to_nothing():
    x = torch.randn(2, 16, 32, device="cuda")
    mask = torch.ones(2, 1, 16, 16, dtype=torch.bool, device="cuda")
    mask[0, :, 3] = False
    out = calor.nn.functional.attention(*[x.unflatten(-1, (4, 8)).transpose(1, 2)] * 3, mask, score="l2")
    assert out.isfinite().all() and (out[0, :, 3] == 0).all()
    for layer in (calor.nn.MetricAttention(32, heads=4, temperature="learn", causal=True), calor.nn.MultiheadAttention(32, 4, batch_first=True, score="metric")):
        layer = layer.cuda()
        out = layer(x) if isinstance(layer, calor.nn.MetricAttention) else layer(x, x, x, need_weights=False)[0]
        out.sum().backward()
        assert out.isfinite().all() and all(parameter.grad is not None for parameter in layer.parameters())
