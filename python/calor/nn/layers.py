"""Attention layers that differ in one thing: what they call similar.

All map ``[B, N, width]`` (or ``[N, width]``) to the same shape: ``sum over heads of softmax(-f / temperature) V``.
"""

import math

from .._torch import torch
from .functional import lowered

nn = torch.nn


def starting_temperature(temperature, features, name):
    """Of heads of so many features, from "fixed", "learn" or a number."""
    start = math.sqrt(features) if isinstance(temperature, str) else float(temperature)
    if isinstance(temperature, str) and temperature not in ("fixed", "learn") or not 0 < start < math.inf:
        raise ValueError(f'{name} expected temperature "fixed", "learn" or a positive number, found {temperature!r}')
    return start


def learned_map(z, expand, contract):
    """``phi(z) = z + W2 tanh(W1 z + b1) + b2`` (Ruan & Zhang, arXiv 2412.18288)."""
    return z + contract(torch.tanh(expand(z)))


class _Attention(nn.Module):
    """Values, heads, temperature and masks; a subclass says what is similar through `score` and `_query_key`."""

    score = "squared_distance"

    def __init__(self, width, heads=1, *, temperature="fixed", causal=False, output=None):
        super().__init__()
        if width < 1 or heads < 1 or width % heads:
            raise ValueError(f"[calor.nn] expected heads that divide width, found width {width} and heads {heads}")
        self.width, self.heads, self.causal = width, heads, causal
        self.value = nn.Linear(width, width, bias=False)
        use_output = heads > 1 if output is None else output
        self.output = nn.Linear(width, width, bias=False) if use_output else nn.Identity()
        log_temperature = torch.full((heads,), math.log(starting_temperature(temperature, width / heads, "[calor.nn]")))
        if temperature == "learn":
            self.log_temperature = nn.Parameter(log_temperature)
        else:
            self.register_buffer("log_temperature", log_temperature)

    def _query_key(self, queries, memory):
        """Features whose score is taken, of queries and of memory, both ``[B, N, width]``."""
        raise NotImplementedError

    def _split(self, features):
        return features.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def forward(self, x, memory=None, *, key_mask=None, mask=None):
        """x: ``[B, N, width]`` or ``[N, width]``; memory: what x attends to, ``[B, M, width]``, default x itself.

        key_mask: bool ``[B, M]``, true = valid; mask: bool, broadcastable to ``[B, heads, N, M]``, true = attend.
        """
        if x.dim() not in (2, 3) or x.shape[-1] != self.width:
            raise ValueError(
                f"[calor.nn] expected x of [batch, rows, {self.width}] or [rows, {self.width}], found {list(x.shape)}"
            )
        queries, keys = self._query_key(x, memory)
        values = self.value(x if memory is None else memory)
        joined = self._attend(self._split(queries), self._split(keys), self._split(values), key_mask, mask)
        return self.output(joined.transpose(-3, -2).flatten(-2))

    def _attend(self, q, k, v, key_mask, mask):
        scale = torch.exp(-self.log_temperature)
        if q.device.type == "cpu":
            from ..ops import attention

            if q.dtype != v.dtype:  # under autocast maps give one type, and sums with what they were given another
                wide = torch.get_autocast_dtype("cpu")
                q, k, v = (x.to(wide if wide == torch.bfloat16 else torch.float32) for x in (q, k, v))
            return attention(q, k, v, score=self.score, scale=scale, key_mask=key_mask, mask=mask, causal=self.causal)
        allowed = None if key_mask is None else key_mask[..., None, None, :]
        for part in (mask, torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device).tril() if self.causal else None):
            allowed = part if allowed is None else allowed if part is None else allowed & part
        return lowered(q, k, v, allowed, scale=scale, score=self.score)


class MetricAttention(_Attention):
    """Attention by a learned metric: ``f(x, y) = |phi(P x) - phi(P y)|^2`` (Ruan & Zhang, arXiv 2412.18288).

    ``phi(z) = z + W2 tanh(W1 z + b1) + b2`` is shared by the query and the key side, so that f is a pseudo-metric
    whatever is learned; with several heads it acts before they are split.

    width: features of a token; heads: must divide width.  hidden: rows of W1, default width.
    temperature: f is divided by it: "fixed" is sqrt(width / heads), "learn" starts there and is learned for each head, a
    number stays as it is.  Distances saturate the softmax where the projection does not shrink them: prefer "learn"
    for heads of 64 dimensions and more.
    causal: row i sees rows 0..i.  project: learn P (default: when there are several heads, else P = 1); output: a
    linear map after joining the heads (same default).
    """

    def __init__(
        self, width, heads=1, hidden=None, *, temperature="fixed", causal=False, project=None, output=None
    ):
        super().__init__(width, heads, temperature=temperature, causal=causal, output=output)
        use_projection = heads > 1 if project is None else project
        self.projection = nn.Linear(width, width, bias=False) if use_projection else nn.Identity()
        self.expand = nn.Linear(width, hidden or width)
        self.contract = nn.Linear(hidden or width, width)

    def phi(self, x):
        """The learned map whose Euclidean distance is the metric, ``[..., width] -> [..., width]``."""
        return learned_map(self.projection(x), self.expand, self.contract)

    def _query_key(self, queries, memory):
        features = self.phi(queries)
        return features, features if memory is None else self.phi(memory)


class L2Attention(_Attention):
    """Attention by distance after a linear map: ``f(x, y) = |W x - W y|^2`` (Kim, Papamakarios & Mnih 2021)."""

    def __init__(self, width, heads=1, *, temperature="fixed", causal=False, output=None):
        super().__init__(width, heads, temperature=temperature, causal=causal, output=output)
        self.projection = nn.Linear(width, width, bias=False)

    def _query_key(self, queries, memory):
        features = self.projection(queries)
        return features, features if memory is None else self.projection(memory)


class SelfAttention(_Attention):
    """Dot-product attention: ``f(x, y) = -Q x . K y`` (Vaswani et al. 2017)."""

    score = "dot"

    def __init__(self, width, heads=1, *, temperature="fixed", causal=False, output=None):
        super().__init__(width, heads, temperature=temperature, causal=causal, output=output)
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)

    def _query_key(self, queries, memory):
        return self.query(queries), self.key(queries if memory is None else memory)
