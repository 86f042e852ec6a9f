"""The operators under test, problems for them, and their definition written out.  SKIPS the importing tests where nothing is built."""
import math
import os
import sys

import pytest
import torch

from command import ROOT

EVERY_TORCH = os.environ.get("CALOR_TORCH_LIBRARY") == ""  # the operators of every torch, of the package that is installed; else those of the source tree
if not EVERY_TORCH:
    sys.path.insert(0, str(ROOT / "python"))


def environment(**more):
    """For child processes: the same package and operators."""
    path = [] if EVERY_TORCH else [str(ROOT / "python")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*path, *filter(None, [os.environ.get("PYTHONPATH")])]), **more}


try:
    import calor

    calor.attention  # loads the library
except ImportError as missing:  # without a build there is nothing to test; with one named, failing to load is a failure
    if "CALOR_TORCH_LIBRARY" in os.environ:
        raise
    pytest.skip(str(missing), allow_module_level=True)

SCORES = ["dot", "squared_distance"]
op = torch.ops.calor.attention
composed = torch.ops.calor.attention_composed


def draw(*shape, dtype=torch.double, seed=0, gradient=False):
    generator = torch.Generator().manual_seed(seed + 1000 * len(shape) + sum(shape))
    return torch.randn(*shape, dtype=dtype, generator=generator).requires_grad_(gradient)


def written_out(q, k, v, scale, bias=None, allowed=None, score="dot"):
    """The definition by explicit differences, in double; rows without an allowed key give zeros and -inf."""
    q, k, v = q.double(), k.double(), v.double()
    pairs = q.unsqueeze(3), k.unsqueeze(2)
    scores = (pairs[0] * pairs[1]).sum(-1) if score == "dot" else -(pairs[0] - pairs[1]).square().sum(-1)
    scores = scores * scale
    if bias is not None:
        scores = scores + bias.unsqueeze(-2)
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -math.inf)
    lse = scores.logsumexp(-1)
    weights = torch.exp(scores - torch.where(lse.isinf(), 0.0, lse).unsqueeze(-1))
    return weights @ v, lse


def bound(q, k, v, scale):
    size = q.norm(dim=-1).max() * k.norm(dim=-1).max() * scale
    return 8 * torch.finfo(q.dtype).eps * math.sqrt(q.shape[-1]) * max(1.0, float(size)) * float(v.abs().max())


def masked_case(dtype=torch.double):
    """Every kind of mask at once; key 2 is hidden from all, row 1 of batch 0 sees nothing."""
    batch, heads, rows, keys = 2, 2, 5, 6
    arguments = dict(
        q=draw(batch, heads, rows, 3, dtype=dtype, gradient=True),
        k=draw(batch, heads, keys, 3, dtype=dtype, seed=1, gradient=True),
        v=draw(batch, heads, keys, 2, dtype=dtype, seed=2, gradient=True),
        scale=torch.rand(heads, dtype=dtype, generator=torch.Generator().manual_seed(5)).requires_grad_(),
        bias=draw(1, heads, keys, dtype=dtype, seed=3, gradient=True),
    )
    masks = dict(
        key_mask=torch.tensor([[True, True, False, True, True, True]]),
        mask=torch.rand(batch, 1, rows, keys, generator=torch.Generator().manual_seed(6)) > 0.3,
        causal=True,
    )
    masks["mask"][0, 0, 1] = False
    masks["mask"][1, 0, 0, 0] = True
    allowed = masks["mask"] & masks["key_mask"][:, None, None] & torch.ones(rows, keys, dtype=torch.bool).tril()
    return arguments, masks, allowed
