"""calor::attention, its gradients and its composition; kernels/attention.h has the formulas."""

import math
from typing import Any

import torch

from .. import _engine
from ._registry import TYPES, check, fresh, graph_of_gradients, innermost_contiguous, place_of, plain_type, register, register_composed

_MOST_DIM = 512
_BLOCK = 1 << 17  # numbers of a tile of scores in the second derivative, of which some forty are kept at a time
_NAME = "[calor::attention]"
_CHOICES = 'Tensor? bias=None, Tensor? key_mask=None, Tensor? mask=None, bool causal=False, str score="dot", int own_key=-1'


def _one_of(found, wanted):
    return found == wanted or found == 1


def _check_beside(tensor, q, name, plain=False):
    check(tensor.device == q.device, TypeError, lambda: f"{_NAME} expected {name} on the device of q, {q.device}, found {tensor.device}")
    wanted = plain_type(q.dtype) if plain else q.dtype
    what = f"of the dtype of q, {wanted}" if wanted == q.dtype else f"beside bfloat16 rows of dtype {wanted}"
    check(tensor.dtype == wanted, TypeError, lambda: f"{_NAME} expected {name} {what}, found {tensor.dtype}")


def _check_boolean(tensor, q, name):
    check(tensor.device == q.device, TypeError, lambda: f"{_NAME} expected {name} on the device of q, {q.device}, found {tensor.device}")
    check(tensor.dtype == torch.bool, TypeError, lambda: f"{_NAME} expected {name} of dtype bool (true = attend), found {tensor.dtype}: put a mask that is added to the "
          "scores into bias, or compare it with `mask == 0`")


def _check(q, k, v, scale, bias, key_mask, mask, score, own_key):
    check(q.dtype in TYPES, TypeError, lambda: f"{_NAME} expected float32, float64 or bfloat16, found {q.dtype}: convert q, k, v, scale and bias with .float() and the result back")
    _check_beside(k, q, "k")
    _check_beside(v, q, "v")
    _check_beside(scale, q, "scale", True)
    check(q.dim() == 4, ValueError, lambda: f"{_NAME} expected q of 4 dimensions [batch, heads, queries, dim], found {list(q.shape)}")
    batch, heads, queries, dim = q.shape
    check(k.dim() == 4 and k.shape[0] == batch and k.shape[1] == heads and k.shape[3] == dim, ValueError,
          lambda: f"{_NAME} expected k of [batch, heads, keys, dim] with the batch, heads and dim of q, {list(q.shape)}, found {list(k.shape)}")
    keys = k.shape[2]
    check(v.dim() == 4 and v.shape[0] == batch and v.shape[1] == heads and v.shape[2] == keys, ValueError,
          lambda: f"{_NAME} expected v of [batch, heads, keys, value dim] with the batch, heads and keys of k, {list(k.shape)}, found {list(v.shape)}")
    check(1 <= dim <= _MOST_DIM and 1 <= v.shape[3] <= _MOST_DIM, ValueError,
          lambda: f"{_NAME} expected a head dimension from 1 to {_MOST_DIM}, found {dim} (q and k) and {v.shape[3]} (v): use more heads")
    lead = 2 - scale.dim()
    check(lead >= 0 and all(_one_of(found, wanted) for found, wanted in zip(scale.shape, (batch, heads)[lead:])), ValueError,
          lambda: f"{_NAME} expected scale to broadcast to [batch, heads] = {[batch, heads]}, found {list(scale.shape)}")
    if bias is not None:
        _check_beside(bias, q, "bias", True)
        check(bias.dim() == 3 and _one_of(bias.shape[0], batch) and _one_of(bias.shape[1], heads) and bias.shape[2] == keys, ValueError,
              lambda: f"{_NAME} expected bias of [batch or 1, heads or 1, keys] for k of {list(k.shape)}, found {list(bias.shape)}")
    if key_mask is not None:
        _check_boolean(key_mask, q, "key_mask")
        check(key_mask.dim() == 2 and _one_of(key_mask.shape[0], batch) and key_mask.shape[1] == keys, ValueError,
              lambda: f"{_NAME} expected key_mask of [batch or 1, keys] for k of {list(k.shape)}, found {list(key_mask.shape)}")
    if mask is not None:
        _check_boolean(mask, q, "mask")
        check(mask.dim() == 4 and _one_of(mask.shape[0], batch) and _one_of(mask.shape[1], heads) and _one_of(mask.shape[2], queries) and mask.shape[3] == keys, ValueError,
              lambda: f"{_NAME} expected mask of [batch or 1, heads or 1, queries or 1, keys] for q of {list(q.shape)} and k of {list(k.shape)}, found {list(mask.shape)}")
    check(score in ("dot", "squared_distance"), ValueError, lambda: f'{_NAME} expected score "dot" or "squared_distance", found "{score}"')
    check(own_key >= -1, ValueError, lambda: f"{_NAME} expected own_key from 0, or -1 for none, found {own_key}")


def _rows_like(x, rows, dim):
    """[batch, heads, rows, dim] with the heads of a row next to each other in memory, so that joining heads after attention is a view and not a copy."""
    return x.new_empty((x.shape[0], rows, x.shape[1], dim)).transpose(1, 2)


def _inputs(q, k, v, scale, bias, key_mask, mask):
    """The kernel's sizes and inputs, and what they point to."""
    batch, heads, queries, dim = q.shape
    keys = k.shape[2]
    q, k, v = innermost_contiguous(q), innermost_contiguous(k), innermost_contiguous(v)
    scale = scale.expand(batch, heads)
    if bias is not None:
        bias = innermost_contiguous(bias).expand(batch, heads, keys)
    if key_mask is not None:
        key_mask = innermost_contiguous(key_mask).expand(batch, keys)
    if mask is not None:
        mask = innermost_contiguous(mask).expand(batch, heads, queries, keys)
    places = (place_of(q, 4), place_of(k, 4), place_of(v, 4), (scale.data_ptr(), *scale.stride()), place_of(bias, 3), place_of(key_mask, 2), place_of(mask, 4))
    return (batch, heads, queries, keys, dim, v.shape[3]), places, (q, k, v, scale, bias, key_mask, mask)


def _forward_meta(q, k, v, scale, bias=None, key_mask=None, mask=None, causal=False, score="dot", own_key=-1):
    _check(q, k, v, scale, bias, key_mask, mask, score, own_key)
    return _rows_like(q, q.shape[2], v.shape[3]), q.new_empty(q.shape[:3], dtype=plain_type(q.dtype))


def _forward(q, k, v, scale, bias=None, key_mask=None, mask=None, causal=False, score="dot", own_key=-1):
    out, lse = _forward_meta(q, k, v, scale, bias, key_mask, mask, causal, score, own_key)
    sizes, places, _kept = _inputs(q, k, v, scale, bias, key_mask, mask)
    _engine.attention_forward(TYPES[q.dtype], score, sizes, causal, own_key, torch.get_num_threads(), places, (place_of(out, 4), place_of(lse)))
    return out, lse


def _backward_meta(d_out, d_lse, q, k, v, scale, bias, key_mask, mask, out, lse, causal, score, own_key, scale_gradient, bias_gradient):
    plain = plain_type(q.dtype)
    return (_rows_like(q, q.shape[2], q.shape[3]), _rows_like(k, k.shape[2], k.shape[3]), _rows_like(v, v.shape[2], v.shape[3]),
            q.new_empty(q.shape[:2] if scale_gradient else (0,), dtype=plain), q.new_empty(k.shape[:3] if bias_gradient else (0,), dtype=plain))


def _backward(d_out, d_lse, q, k, v, scale, bias, key_mask, mask, out, lse, causal, score, own_key, scale_gradient, bias_gradient):
    _check(q, k, v, scale, bias, key_mask, mask, score, own_key)
    name = "[calor::attention_backward]"
    rows = q.shape[:3]
    check(out.dim() == 4 and out.shape[:3] == rows and out.shape[3] == v.shape[3] and lse.shape == rows, ValueError,
          lambda: f"{name} expected out of [batch, heads, queries, value dim] and lse of [batch, heads, queries] for q of {list(q.shape)}, found {list(out.shape)} and {list(lse.shape)}")
    plain = plain_type(q.dtype)
    check(out.dtype == d_out.dtype == q.dtype and lse.dtype == plain and (d_lse is None or d_lse.dtype == plain), TypeError,
          lambda: f"{name} expected out and d_out of the dtype of q, {q.dtype}, and lse and d_lse of {plain}")
    check(d_out.shape == out.shape and (d_lse is None or d_lse.shape == lse.shape), ValueError,
          lambda: f"{name} expected d_out of {list(out.shape)} and d_lse of {list(lse.shape)}, found {list(d_out.shape)} and {[] if d_lse is None else list(d_lse.shape)}")
    gradients = _backward_meta(d_out, d_lse, q, k, v, scale, bias, key_mask, mask, out, lse, causal, score, own_key, scale_gradient, bias_gradient)
    d_q, d_k, d_v, d_scale, d_bias = gradients
    sizes, places, _kept = _inputs(q, k, v, scale, bias, key_mask, mask)
    out, d_out, lse = innermost_contiguous(out), innermost_contiguous(d_out), lse.contiguous()
    d_lse = None if d_lse is None else d_lse.contiguous()
    _engine.attention_backward(TYPES[q.dtype], score, sizes, causal, own_key, torch.get_num_threads(), places,
                               (place_of(out, 4), place_of(lse), place_of(d_out, 4), place_of(d_lse), place_of(d_q, 4), place_of(d_k, 4), place_of(d_v, 4),
                                place_of(d_scale) if scale_gradient else None, place_of(d_bias) if bias_gradient else None))
    return gradients


def _visible(q, k, bias, key_mask, mask, causal, own_key, first):
    """Which pairs may attend, broadcastable to [batch, heads, queries, keys]."""
    queries, keys = q.shape[2], k.shape[2]
    valid = torch.ones((1, 1, 1, keys), dtype=torch.bool, device=q.device)
    if causal or own_key >= 0:
        key, query = torch.arange(keys, device=q.device)[None, :], torch.arange(first, first + queries, device=q.device)[:, None]
        if causal:
            valid = valid & (key <= query)
        if own_key >= 0:
            valid = valid & (key != query + own_key)
    if key_mask is not None:
        valid = valid & key_mask[:, None, None]
    if mask is not None:
        valid = valid & mask
    if bias is not None:
        valid = valid & (bias.detach() != -math.inf).unsqueeze(2)
    return valid


def _composed(q, k, v, scale, bias=None, key_mask=None, mask=None, causal=False, score="dot", own_key=-1, first=0):
    """By the definition: a matrix of queries x keys.  The queries are those from `first` on."""
    _check(q, k, v, scale, bias, key_mask, mask, score, own_key)
    if q.dtype == torch.bfloat16:  # sums of products are float's there too
        out, lse = _composed(q.float(), k.float(), v.float(), scale, bias, key_mask, mask, causal, score, own_key, first)
        return out.to(torch.bfloat16), lse
    valid = _visible(q, k, bias, key_mask, mask, causal, own_key, first)
    # What nobody may see is zeroed, so that a NaN there meets no arithmetic, forward or backward.
    keep_rows, keep_keys = valid.any(3, keepdim=True), valid.any(2, keepdim=True).transpose(2, 3)
    queries, keys, values = torch.where(keep_rows, q, 0.0), torch.where(keep_keys, k, 0.0), torch.where(keep_keys, v, 0.0)
    temperature = scale.expand(q.shape[:2])[:, :, None, None]
    if score == "dot":
        scores = queries.matmul(keys.transpose(2, 3))
    else:
        count = keep_keys.to(k.dtype).expand(k[..., :1].shape).sum(2, keepdim=True).clamp_min(1.0)
        centre = keys.detach().sum(2, keepdim=True) / count  # a constant: no distance changes with it
        queries, keys = queries - centre, keys - centre
        scores = queries.matmul(keys.transpose(2, 3)) * 2.0 - queries.square().sum(3, keepdim=True) - keys.square().sum(3).unsqueeze(2)
    scores = scores * temperature
    if bias is not None:
        scores = scores + torch.where(bias == -math.inf, 0.0, bias).unsqueeze(2)
    # A row without a valid key takes scores of zero here and is dropped below: no infinity enters a derivative.
    live = keep_rows.expand(*q.shape[:3], 1)
    row_lse = torch.logsumexp(torch.where(valid, scores, torch.where(keep_rows, -math.inf, 0.0).to(q.dtype)), 3, keepdim=True)
    weights = torch.where(valid, scores - row_lse, -math.inf).exp()
    return weights.matmul(values), torch.where(live, row_lse, -math.inf).squeeze(3)


def _setup(ctx, inputs, output):
    *tensors, causal, score, own_key = inputs
    ctx.save_for_backward(*tensors, *output)
    ctx.choices = causal, score, own_key
    ctx.set_materialize_grads(False)


def _derivative(ctx, d_out, d_lse):
    q, k, v, scale, bias, key_mask, mask, out, lse = ctx.saved_tensors
    if d_out is None and d_lse is None:
        return (None,) * 10
    if d_out is None:
        d_out = torch.zeros_like(out)
    scale_gradient, bias_gradient = ctx.needs_input_grad[3], bias is not None and ctx.needs_input_grad[4]
    d_q, d_k, d_v, d_scale, d_bias = torch.ops.calor.attention_backward.default(d_out, d_lse, q, k, v, scale, bias, key_mask, mask, out.detach(), lse.detach(), *ctx.choices,
                                                                              scale_gradient, bias_gradient)
    return (d_q, d_k, d_v, d_scale.sum_to_size(scale.shape) if scale_gradient else None, d_bias.sum_to_size(bias.shape) if bias_gradient else None, None, None, None, None, None)


def _setup_second(ctx, inputs, output):
    d_out, d_lse, q, k, v, scale, bias, key_mask, mask, _, _, causal, score, own_key, _, _ = inputs
    ctx.save_for_backward(d_out, d_lse, q, k, v, scale, bias, key_mask, mask)
    ctx.choices = causal, score, own_key
    ctx.set_materialize_grads(False)


def _second_derivative(ctx, *sent):
    """Through the composition: as a graph where a third derivative is wanted, else in blocks of queries, which know nothing of each other."""
    d_out, d_lse, q, k, v, scale, bias, key_mask, mask = ctx.saved_tensors
    given, rows = (q, k, v, scale, bias, d_out, d_lse), q.shape[2]
    asks = [x is not None and x.requires_grad for x in given]
    if torch.is_grad_enabled():
        found = _second_of(given, asks, sent, key_mask, mask, ctx.choices, further=True)
    else:
        of_queries = {0, 5, 6}
        parts: list[list[torch.Tensor]] = [[] for _ in given]
        sums: list[torch.Tensor | None] = [None] * len(given)
        step = max(1, _BLOCK // max(1, q.shape[0] * q.shape[1] * k.shape[2]))
        for begin in range(0, rows, step):

            def block(x, begin=begin):
                return None if x is None else x.narrow(2, begin, min(step, rows - begin))

            some = _second_of([block(x) if i in of_queries else x for i, x in enumerate(given)], asks, [block(sent[0]), *sent[1:]], key_mask,
                              mask if mask is None or mask.shape[2] == 1 else block(mask), ctx.choices, first=begin)
            for i, part in enumerate(some):
                if part is not None and i in of_queries:
                    parts[i].append(part)
                elif part is not None:
                    so_far = sums[i]
                    sums[i] = part if so_far is None else so_far.add_(part)
        found = [torch.cat(part, 2) if part else total for part, total in zip(parts, sums)]
    d_q, d_k, d_v, d_scale, d_bias, d_d_out, d_d_lse = found
    return d_d_out, d_d_lse, d_q, d_k, d_v, d_scale, d_bias, *(None,) * 9


def _second_of(given, asks, sent, key_mask, mask, choices, first=0, further=False):
    """Derivatives of the first gradients of queries `first` on, which were sent `sent`, with respect to q, k, v, scale, bias, d_out and d_lse; None for those that do not ask."""
    q, k = given[0], given[1]
    with torch.enable_grad(), torch.autocast(q.device.type, enabled=False):
        # The first gradients are functions of all of these, whichever asks for a derivative of them.
        own: list[Any] = [fresh(x) if ask and further else None if x is None else x.detach().requires_grad_(ask or i < 5) for i, (x, ask) in enumerate(zip(given, asks))]
        own_q, own_k, own_v, own_scale, own_bias, own_d_out, own_d_lse = own
        causal, score, own_key = choices
        # The first gradients are not yet summed over what is one for several heads.
        scale, bias = own_scale.expand(q.shape[:2]), None if own_bias is None else own_bias.expand(k.shape[:3])
        outputs = _composed(own_q, own_k, own_v, scale, bias, key_mask, mask, causal, score, own_key, first)
        gradients = graph_of_gradients((own_q, own_k, own_v, scale, bias), outputs, (own_d_out, own_d_lse))
        pairs = [(y, u) for y, u in zip(gradients, sent) if y is not None and u is not None and y.requires_grad]
        wanted = [x for x, ask in zip(own, asks) if ask and x is not None]
        if not pairs or not wanted:
            return [None] * len(given)
        found = iter(torch.autograd.grad([y for y, _ in pairs], wanted, [u for _, u in pairs], create_graph=further, allow_unused=True))
    return [next(found) if ask else None for ask in asks]


register_composed(f"attention_composed(Tensor q, Tensor k, Tensor v, Tensor scale, {_CHOICES}) -> (Tensor, Tensor)", _composed)
register("attention_backward(Tensor d_out, Tensor? d_lse, Tensor q, Tensor k, Tensor v, Tensor scale, Tensor? bias, Tensor? key_mask, Tensor? mask, Tensor out, Tensor lse, "
         "bool causal, str score, int own_key, bool scale_gradient, bool bias_gradient) -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
         _backward, _backward_meta, _second_derivative, _setup_second)
register(f"attention(Tensor q, Tensor k, Tensor v, Tensor scale, {_CHOICES}) -> (Tensor, Tensor)", _forward, _forward_meta, _derivative, _setup)
