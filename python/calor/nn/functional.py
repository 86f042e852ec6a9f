"""Attention with the arguments of ``torch.nn.functional.scaled_dot_product_attention``, by any score."""

import math

from .._torch import torch

SCORES = ("dot", "l2", "metric")
_KERNEL = {"dot": "dot", "l2": "squared_distance"}
_MOST_FEATURES = 512  # of a row of q, k or v in the streamed operator


def attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False, *, score="dot", bias=None, phi=None):
    """``softmax(s) v`` where the score is a product or a distance; otherwise scaled_dot_product_attention.

    ``s_ij`` is ``scale q_i.k_j`` for ``score="dot"``, ``-scale |q_i - k_j|^2`` for ``"l2"``, and ``-scale |phi(q_i) - phi(k_j)|^2`` for
    ``"metric"``, where phi is a module or function of ``[..., d]`` (Ruan & Zhang, arXiv 2412.18288).

    q: ``[..., H, L, d]``, k: ``[..., H, S, d]``, v: ``[..., H, S, dv]``, floating point; with enable_gqa k and v may have fewer heads, which divide H.
    attn_mask: broadcastable to ``[..., H, L, S]``; bool, true = attend, or numbers that are added to the scores.
    dropout_p: of the weights, whatever the module's mode.  is_causal: row i sees rows 0..i, and attn_mask is None.
    scale: a number or a tensor that broadcasts to ``[B, H]``; default ``1 / sqrt(d)``, d that of phi(q).  A temperature is its inverse.
    bias: ``[..., H, S]`` or fewer dimensions in front, added to all scores of a key; differentiable.

    On the CPU the weights are streamed: O((L + S) d) memory forward and backward, rows of bfloat16 by the processor's products of them where it has any,
    float16 as 32-bit numbers; the second derivative too, in blocks of queries.  Dropout, masks of numbers other than 0 and minus infinity, more than 512 features, vmap, export, forward-mode
    derivatives, and other devices take torch's scaled_dot_product_attention with two more channels (`lowered`).  A row that may attend to nothing gives zeros.
    Under autocast the result has autocast's type.  Returns ``[..., H, L, dv]``.  Raises ValueError (shapes, arguments) and TypeError (types).
    """
    if (attn_mask is None and bias is None and phi is None and not dropout_p and not enable_gqa and score in _KERNEL and q.is_cpu and q.dtype in _STREAMED
            and q.dim() == 4 and 0 < (features := q.shape[-1]) <= _MOST_FEATURES and not isinstance(scale, torch.Tensor) and not _is_transformed()):
        operators = _operators or _loaded()
        factor = operators.scale_of(features**-0.5 if scale is None else scale, q.dtype)
        try:
            if is_causal or score != "dot":
                return operators.call_attention(q, k, v, factor, causal=is_causal, score=_KERNEL[score])[0]
            return operators.call_attention(q, k, v, factor)[0]
        except (TypeError, ValueError):  # sizes or types that the operator refuses: what follows knows more of them, and says more
            pass
    q, k, v, scale = _checked(q, k, v, attn_mask, is_causal, scale, enable_gqa, score, phi)
    wide = torch.get_autocast_dtype(q.device.type) if torch.is_autocast_enabled(q.device.type) and q.dtype != torch.float64 else q.dtype
    streams = (q.device.type == "cpu" and dropout_p == 0 and max(q.shape[-1], v.shape[-1]) <= _MOST_FEATURES and 0 not in (q.shape[-1], v.shape[-1])
               and not _must_be_standard(q, k, v))
    if attn_mask is not None and attn_mask.dim() > 1 and attn_mask.shape[-1] == 1 != k.shape[-2]:
        attn_mask = attn_mask.expand(*attn_mask.shape[:-1], k.shape[-2])
    mask, added = _as_bool(attn_mask) if streams else (None, None)
    if not streams or added is not None and added.shape[-2] != 1:
        return lowered(q, k, v, attn_mask, dropout_p, is_causal, scale, score=score, bias=bias)
    if added is not None:
        bias = added.squeeze(-2) if bias is None else bias + added.squeeze(-2)
    from .. import ops  # compiled for the CPU: elsewhere this module works without

    lead = q.shape[:-3]
    kernel_type = wide if wide in _STREAMED else torch.float32
    with torch.autocast("cpu", enabled=False):
        out = ops.attention(*(_four(x.to(kernel_type), lead, 3) for x in (q, k, v)), score=_KERNEL["dot" if score == "dot" else "l2"],
                            scale=scale.to(ops.plain_type(kernel_type)) if isinstance(scale, torch.Tensor) else scale,
                            bias=None if bias is None else _four(bias.to(ops.plain_type(kernel_type)), lead, 2), mask=None if mask is None else _four(mask, lead, 3),
                            causal=is_causal)
    return out.reshape(*lead, *out.shape[1:]).to(wide) if q.dim() > 2 else out[0, 0].to(wide)


def as_products(q, k, number):
    """Features of type `number` whose products are ``-|q - k|^2`` but for a term of each query, which no softmax sees.

    ``-|q - k|^2 = 2 q.k - |k|^2 - |q|^2``: keys get two more channels, which hold ``-|k|^2`` as the sum of a rounded number and its rest, so that 16-bit
    numbers lose no more there than in the products.  Rows are taken relative to the keys' mean first.
    """
    high = torch.float64 if q.dtype == torch.float64 else torch.float32
    q, k = q.to(high), k.to(high)
    centre = k.mean(-2, keepdim=True).detach()
    q, k = q - centre, k - centre
    square = -k.square().sum(-1, keepdim=True)
    head = square.to(number)
    ones = torch.ones_like(q[..., :1], dtype=number)
    return torch.cat([2 * q.to(number), ones, ones], -1), torch.cat([k.to(number), head, (square - head.to(high)).to(number)], -1)


def lowered(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, *, score="l2", bias=None):
    """The same by torch's own scaled_dot_product_attention, on any device and in any of its implementations: distances by `as_products`."""
    number = q.dtype
    if torch.is_autocast_enabled(q.device.type) and number != torch.float64:
        number = torch.get_autocast_dtype(q.device.type)
    if scale is None:
        scale = q.shape[-1] ** -0.5
    if score != "dot":
        q, k = as_products(q, k, number)
    if isinstance(scale, torch.Tensor):
        q, scale = (q * (scale[..., None, None] if scale.dim() else scale)).to(q.dtype), 1.0
    if bias is not None:
        added = bias.unsqueeze(-2)
        attn_mask = added if attn_mask is None else torch.where(attn_mask, added, -math.inf) if attn_mask.dtype == torch.bool else attn_mask + added
        if is_causal:
            below = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device).tril()
            attn_mask, is_causal = torch.where(below, attn_mask, -math.inf), False
    if attn_mask is not None and attn_mask.dtype != torch.bool:
        attn_mask = attn_mask.to(number)
    values = v.shape[-1]
    if q.device.type == "cuda":
        q, k, v = _of_one_width(q, k, v)
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v.to(q.dtype), attn_mask, dropout_p, is_causal, scale=scale)
    return out[..., :values]


def _of_one_width(q, k, v):
    """What torch's fused kernels for GPUs take: as many channels in all three, a multiple of 8; zeros change nothing."""
    most = max(q.shape[-1], v.shape[-1])
    most += -most % 8
    return tuple(torch.nn.functional.pad(x, (0, most - x.shape[-1])) if x.shape[-1] < most else x for x in (q, k, v))


def _checked(q, k, v, attn_mask, is_causal, scale, enable_gqa, score, phi):
    """The tensors with as many heads, features whose score is taken, and the scale."""
    name = "[calor.nn.functional.attention]"
    if score not in SCORES:
        raise ValueError(f'{name} expected score "dot", "l2" or "metric", found {score!r}')
    if (score == "metric") != (phi is not None):
        raise ValueError(f'{name} expected phi with score="metric" and only there: a module or function of [..., d]; "l2" takes q and k as they are')
    if not (q.is_floating_point() and q.dtype == k.dtype == v.dtype):
        raise TypeError(f"{name} expected q, k and v of one floating-point type, found {q.dtype}, {k.dtype} and {v.dtype}")
    if min(q.dim(), k.dim(), v.dim()) < 2 or not q.dim() == k.dim() == v.dim():
        raise ValueError(f"{name} expected q, k and v with as many dimensions, 2 or more, found {list(q.shape)}, {list(k.shape)} and {list(v.shape)}")
    if q.shape[-1] == 0:
        raise ValueError(f"{name} expected one feature or more, found q of {list(q.shape)}")
    if attn_mask is not None and attn_mask.dtype != torch.bool and not attn_mask.is_floating_point():
        raise TypeError(f"{name} expected attn_mask of bool (true = attend) or of numbers to add, found {attn_mask.dtype}")
    if is_causal and attn_mask is not None:
        raise ValueError(f"{name} expected either attn_mask or is_causal, found both: join them in attn_mask")
    if enable_gqa and q.dim() > 2 and k.shape[-3] != q.shape[-3]:
        groups = [q.shape[-3] // x.shape[-3] if x.shape[-3] and q.shape[-3] % x.shape[-3] == 0 else 0 for x in (k, v)]
        if 0 in groups:
            raise ValueError(f"{name} expected heads of k and v that divide q's {q.shape[-3]}, found {k.shape[-3]} and {v.shape[-3]}")
        k, v = (x.repeat_interleave(group, -3) if group > 1 else x for x, group in zip((k, v), groups))
    if score == "metric":
        q, k = phi(q), phi(k)
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2] or not q.shape[:-2] == k.shape[:-2] == v.shape[:-2]:
        raise ValueError(f"{name} expected q [..., L, d], k [..., S, d] and v [..., S, dv] with the same sizes in front, found "
                         f"{list(q.shape)}, {list(k.shape)} and {list(v.shape)}" + ("" if enable_gqa else "; enable_gqa=True lets k and v have fewer heads"))
    return q, k, v, q.shape[-1] ** -0.5 if scale is None else scale


_STREAMED = (torch.float32, torch.float64, torch.bfloat16)
_operators = None  # the module ops, once it is loaded: an import statement takes as long as two checks
_is_compiling, _is_autocast = torch.compiler.is_compiling, torch._C._is_any_autocast_enabled
_transformation, _trace, _forward_ad = torch._C._functorch.peek_interpreter_stack, torch._C._get_tracing_state, torch.autograd.forward_ad


def _is_exporting():
    """torch.compiler.is_exporting(), which torch.compile of 2.9 takes for true."""
    return torch.compiler._is_exporting_flag


def _is_transformed():
    """Under compilation, export, tracing, functorch's transformations, forward-mode derivatives or autocast, where tensors are not what they seem."""
    return (_is_compiling() or _is_exporting() or _transformation() is not None or _forward_ad._current_level >= 0 or _trace() is not None
            or _is_autocast())


def _loaded():
    global _operators
    from .. import ops

    _operators = ops
    return ops


def _must_be_standard(*tensors):
    """Where the operator does not reach: exported programs, and functorch's vmap and forward-mode derivatives."""
    if _is_exporting() or torch.onnx.is_in_onnx_export():
        return True
    return not torch.compiler.is_compiling() and any(
        torch._C._functorch.is_batchedtensor(x) or torch._C._functorch.is_gradtrackingtensor(x) or torch.autograd.forward_ad.unpack_dual(x).tangent is not None
        for x in tensors)


def _as_bool(mask):
    """A mask as (true = attend, what else is added): of numbers, those that only hide become a bool mask and those that are one for all
    queries (shape[-2] == 1) a bias.  Either is None where nothing is left for it."""
    if mask is None or mask.dtype == torch.bool:
        return mask, None
    least = torch.finfo(mask.dtype).min  # what transformers writes for minus infinity
    seen = mask > least
    if mask.shape[-2] == 1:
        return seen, torch.where(seen, mask, 0)
    if torch.compiler.is_compiling() or mask.requires_grad or not bool(((mask == 0) | ~seen).all()):
        return None, mask
    return seen, None


def _four(tensor, lead, kept):
    """`tensor` with the last `kept` dimensions and those of `lead`, or ones, as one in front."""
    while tensor.dim() < kept:
        tensor = tensor.unsqueeze(0)
    front = tensor.shape[:-kept]
    if not front:
        return tensor.unsqueeze(0)
    if len(front) > 1 or len(lead) > 1:
        tensor = tensor.expand(*lead, *tensor.shape[-kept:]).reshape(-1, *tensor.shape[-kept:])
    return tensor
