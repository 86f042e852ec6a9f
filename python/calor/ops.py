"""torch's operators calor::*, loaded, and called with the conveniences of Python."""

import os
import pathlib
import warnings

from ._torch import torch
from .warn import CalorWarning

NAME = "libcalor_torch.so"


def _candidates():
    here = pathlib.Path(__file__).resolve().parent
    return [here / NAME, here.parent.parent / "build" / "bindings" / "torch" / NAME]


def library_path():
    """The library of operators compiled for one torch that this process would use: CALOR_TORCH_LIBRARY, else the package's copy, else the source tree's build.
    None where there is none, or CALOR_TORCH_LIBRARY is empty: the operators are then those of every torch, registered in Python over the extension's kernels."""
    named = os.environ.get("CALOR_TORCH_LIBRARY")
    if named == "":
        return None
    if named:
        if not os.path.isfile(named):
            raise ImportError(f"[calor] expected CALOR_TORCH_LIBRARY to name {NAME}, found no file {named}")
        return os.path.abspath(named)
    return next((str(path) for path in _candidates() if path.is_file()), None)


def _load():
    path = library_path()
    if path is not None:
        try:
            torch.ops.load_library(path)
            return
        except OSError as error:
            text = f"[calor] expected a library built against this torch, {torch.__version__}, found {path}, which does not load: {error.__cause__ or error}"
            if os.environ.get("CALOR_TORCH_LIBRARY"):
                raise ImportError(f"{text}: build it again with this interpreter's torch") from error
            warnings.warn(f"{text}: operators of every torch take its place, of which a call costs some tens of microseconds more", CalorWarning, stacklevel=3)
    try:
        from . import _operators  # noqa: F401
    except ImportError as error:
        looked = " or ".join(str(path) for path in _candidates())
        raise ImportError(f"[calor] expected the package's extension or {looked}, found none: install the package, or build it with `cmake --build build --target calor_torch`, "
                          "or name it in CALOR_TORCH_LIBRARY") from error


_load()
_attention = torch.ops.calor.attention.default
call_attention = _attention._op  # the same without a Python function in front, which torch.compile would have to see


def _with_dimensions(tensor, dimensions):
    """`tensor` with leading dimensions of one up to `dimensions`."""
    return tensor if tensor is None or tensor.dim() == dimensions else tensor[(None,) * (dimensions - tensor.dim())]


_scales: dict = {}  # by number and type


def plain_type(dtype):
    """Of scale, bias and log-sum-exp beside rows of `dtype`."""
    return torch.float32 if dtype is torch.bfloat16 else dtype


def scale_of(scale, dtype):
    """A number as a tensor on the CPU for rows of `dtype`, which is kept: making one takes as long as a small attention."""
    dtype = plain_type(dtype)
    found = _scales.get((scale, dtype))
    if found is None:
        with torch.inference_mode(False):
            found = torch.full((), scale, dtype=dtype, device="cpu")
        if type(found) is torch.Tensor:  # not one that only stands for a tensor, under a mode of torch
            if len(_scales) >= 1024:
                _scales.clear()
            _scales[scale, dtype] = found
    return found


def _beside(tensor, like):
    """`tensor`, as floats beside rows of bfloat16."""
    return tensor.float() if tensor is not None and like.dtype is torch.bfloat16 else tensor


def scale_tensor(scale, like):
    """A number as the tensor that the operator takes beside rows like `like`."""
    if isinstance(scale, torch.Tensor):
        return _beside(scale, like)
    if torch.compiler.is_compiling() or like.device.type != "cpu":
        return torch.full((), scale, dtype=plain_type(like.dtype), device=like.device)
    return scale_of(scale, like.dtype)


def attention(q, k, v, *, score="dot", scale=None, bias=None, key_mask=None, mask=None, causal=False, own_key=None,
              return_lse=False):
    """Softmax-weighted sums of the rows of ``v``, streamed: no queries x keys matrix is formed.

    ``out_i = sum_j softmax_j(s_ij) v_j`` with ``s_ij = scale * q_i.k_j + bias_j`` for ``score="dot"`` and
    ``s_ij = -scale * |q_i - k_j|^2 + bias_j`` for ``score="squared_distance"``.

    q: ``[B, H, N, d]``, k: ``[B, H, M, d]``, v: ``[B, H, M, dv]``, float32, float64 or bfloat16, on the CPU; ``[H, N, d]`` and
    ``[N, d]`` are taken as one batch and one head.  d and dv from 1 to 512.  Rows of bfloat16 are multiplied as they are, where the processor can,
    and summed as float32, which the log-sum-exp is.
    scale: a number or a tensor that broadcasts to ``[B, H]``; default ``1 / sqrt(d)``.  Differentiable.
    bias: ``[B, H, M]`` added to the scores of a key; differentiable.  key_mask: bool ``[B, M]``, true = valid.
    mask: bool ``[B, H, N, M]``, true = attend.  Dimensions of these three may be 1 or, in front, missing.
    causal: query i sees keys 0..i.  own_key: query i does not see key ``own_key + i`` (0 where queries are the keys and none
    may see itself).

    A query without a valid key gives zeros, log-sum-exp -inf and zero gradients.  What nobody may attend to changes
    nothing, NaN included.  Returns out in the dimensions of q, and with return_lse also the log-sum-exp of the
    scores.  Differentiable any number of times; from the third on with a matrix of
    the scores.
    Raises ValueError (shapes) and TypeError (dtype, device).
    """
    dimensions = q.dim()
    if not 2 <= dimensions <= 4:
        raise ValueError(
            f"[calor.attention] expected q of 2 to 4 dimensions ([[batch,] heads,] queries, dim), found {list(q.shape)}"
        )
    if k.dim() != dimensions or v.dim() != dimensions:
        raise ValueError(
            f"[calor.attention] expected k and v of {dimensions} dimensions like q, found {list(k.shape)} and {list(v.shape)}"
        )
    if scale is None:
        scale = q.shape[-1] ** -0.5
    out, lse = _attention(
        _with_dimensions(q, 4),
        _with_dimensions(k, 4),
        _with_dimensions(v, 4),
        scale_tensor(scale, q),
        _with_dimensions(_beside(bias, q), 3),
        _with_dimensions(key_mask, 2),
        _with_dimensions(mask, 4),
        causal,
        score,
        -1 if own_key is None else own_key,
    )
    if dimensions < 4:
        lead = (0,) * (4 - dimensions)
        out, lse = out[lead], lse[lead]
    return (out, lse) if return_lse else out


def _edges(graph):
    tensors = getattr(graph, "tensors", graph)
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(f"[calor.edges] expected a calor.nn.Graph, found {type(graph).__name__}: make one with Graph.from_edge_index")
    return list(tensors)


def edge_attention(graph, q, k, v, *, score="dot", scale=None, bias=None, vector=None, slope=0.2, dropout=0.0, seed=None, features=None, key_map=None, value_map=None,
                   return_lse=False):
    """Softmax-weighted sums of the neighbours' ``v`` over a graph's edges, head by head, without a tensor of edges x features.

    ``out_i = sum_e P_e v_j(e)`` over the edges e that lead to node i, ``P`` the softmax of their scores: ``scale q_i.k_j`` ("dot"), ``-scale |q_i - k_j|^2``
    ("squared_distance"), ``scale leaky(q_i + k_j + bias_e)`` of one number a head ("additive"), ``scale vector.leaky(q_i + k_j)`` ("joined"); of all but
    "additive" ``bias_e`` is added at the end.  leaky(x) is x above 0, else ``slope x``.

    graph: a ``calor.nn.Graph``.  q ``[rows, heads, d]``, k ``[columns, heads, d]``, v ``[columns, heads, dv]``, float32 or float64, on the CPU.  scale: a number or
    ``[heads]``, default ``1 / sqrt(d)``; bias ``[edges, heads]``, in the graph's order of edges; vector ``[heads, d]``.  dropout: share of the weights set to 0, the rest divided by
    what is left, drawn by (seed, edge, head); seed: default one drawn from torch's generator.

    features: of the edges, ``[edges, edge_dim]`` in the graph's order.  key_map ``[heads, d, edge_dim]`` and value_map ``[heads, dv, edge_dim]``, one or both: what they make of an
    edge's features is added to the neighbour's k (of any score but "additive", whose bias is inside) and v.

    A node without edges gives zeros, and log-sum-exp -inf.  Differentiable in all tensors, twice.  Time O(edges heads (d + dv)), with features edges heads edge_dim more (times d for a
    key_map of a score other than "dot"); memory O(edges (heads + edge_dim) + nodes heads d); the second derivative takes edges x heads x d.  Same bits for any number of threads.
    Raises ValueError (shapes) and TypeError (dtype, device).
    """
    if scale is None:
        scale = q.shape[-1] ** -0.5
    if not isinstance(scale, torch.Tensor):
        scale = torch.full((q.shape[1],), scale, dtype=q.dtype) if q.dim() == 3 else None
    if dropout and seed is None:
        seed = int(torch.randint(2**62, ()))
    out, lse = torch.ops.calor.edge_attention(_edges(graph), q, k, v, scale, bias, vector, score, slope, dropout, seed or 0, features, key_map, value_map)
    return (out, lse) if return_lse else out


def edge_sums(graph, weights, v):
    """``out_i = sum_e w_e v_j(e)`` over the edges e that lead to node i: a sparse matrix times features, head by head.

    weights: ``[edges, heads]`` in the graph's order of edges; v: ``[columns, heads, dv]``.  Differentiable in both, twice; memory O(nodes heads dv).
    """
    return torch.ops.calor.edge_sums(_edges(graph), weights, v)
