"""Attention whose keys lie in several processes (torch.distributed): each holds some of them, with their values, and all hold the queries.

A process computes what its own keys come to; softmaxes over parts of the keys join exactly through their log-sum-exp, so that one exchange of what a
query is long joins them: ``out = sum_r exp(lse_r - lse) out_r``, ``lse = log sum_r exp(lse_r)``.  Keys and values never travel.
"""

from .._torch import torch
from ..ops import attention as _streamed

distributed = torch.distributed


class _Joined(torch.autograd.Function):
    @staticmethod
    def forward(context, q, k, v, scale, score, bias, group):
        with torch.enable_grad():
            inputs = [x.detach().requires_grad_(x.requires_grad) for x in (q, k, v)]
            own_out, own_lse = _streamed(*inputs, score=score, scale=scale, bias=bias, return_lse=True)
        processes = distributed.get_world_size(group)
        all_lse = [torch.empty_like(own_lse) for _ in range(processes)]
        distributed.all_gather(all_lse, own_lse.detach().contiguous(), group=group)
        lse = torch.logsumexp(torch.stack(all_lse), 0)
        share = torch.exp(own_lse.detach() - torch.where(torch.isinf(lse), 0, lse)).unsqueeze(-1)  # of all weights, those of the own keys
        out = share * own_out.detach()
        distributed.all_reduce(out, group=group)
        context.save_for_backward(share, out)
        context.own = inputs, own_out, own_lse
        context.group = group
        return out, lse

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context, d_out, d_lse):
        share, out = context.saved_tensors
        inputs, own_out, own_lse = context.own
        d_own_lse = share.squeeze(-1) * ((own_out.detach() - out) * d_out).sum(-1) + share.squeeze(-1) * d_lse
        wanted = [x for x in inputs if x.requires_grad]
        found = iter(torch.autograd.grad((own_out, own_lse), wanted, (share * d_out, d_own_lse)))
        d_q, d_k, d_v = (next(found) if x.requires_grad else None for x in inputs)
        if d_q is not None:  # every process has seen its own keys alone
            d_q = d_q.contiguous()
            distributed.all_reduce(d_q, group=context.group)
        return d_q, d_k, d_v, None, None, None, None


def attention_over_keys(q, k, v, *, score="dot", scale=None, bias=None, group=None, return_lse=False):
    """``softmax(s) v`` over the keys of all processes of a group, for queries that each of them has.

    q ``[B, H, N, d]``, the same in every process; k ``[B, H, M, d]`` and v ``[B, H, M, dv]``, this process's own, any M; float32 or float64, on the CPU.
    score: "dot" or "squared_distance" (of features that phi has mapped, for a metric); scale: a number, default ``1 / sqrt(d)``; bias ``[B, H, M]`` of the own keys.
    Every process gets the whole result, and the whole gradient of q; gradients of k and v are those of its own.  Every process must reach the same loss.
    Sent and received per call: ``B H N (dv + 1)`` numbers forward, ``B H N d`` backward, whatever M is.  Needs torch.distributed to be initialised.
    """
    if not distributed.is_available() or not distributed.is_initialized():
        raise RuntimeError("[calor.nn.distributed] expected torch.distributed to be initialised, found it is not: run under torchrun and call init_process_group")
    if q.dim() != 4:
        raise ValueError(f"[calor.nn.distributed] expected q of 4 dimensions (batch, heads, queries, features), found {list(q.shape)}")
    scale = q.shape[-1] ** -0.5 if scale is None else float(scale)
    out, lse = _Joined.apply(q, k, v, scale, score, bias, group)
    return (out, lse) if return_lse else out
