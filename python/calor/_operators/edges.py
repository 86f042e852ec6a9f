"""calor::edge_attention, calor::edge_sums, their gradients and compositions; kernels/edges.h has the formulas."""

import math

import torch

from .. import _engine
from ._registry import TYPES, check, fresh, graph_of_gradients, place_of, register, register_composed

_NAME = "[calor::edge_attention]"
_SCORES = ("dot", "squared_distance", "additive", "joined")
_FORWARD = ('(Tensor[] edges, Tensor q, Tensor k, Tensor v, Tensor? scale=None, Tensor? bias=None, Tensor? vector=None, str score="dot", float slope=0.2, float dropout=0.0, '
            "int seed=0, Tensor? features=None, Tensor? key_map=None, Tensor? value_map=None) -> (Tensor, Tensor)")


def _check_edges(edges, op):
    check(len(edges) == 5, ValueError, lambda: f"[calor::{op}] expected the five tensors of a graph's edges, found {len(edges)}: make them with edges_by_column")
    for i, tensor in enumerate(edges):
        wanted = torch.int32 if i in (1, 3) else torch.int64
        check(tensor.dtype == wanted, TypeError, lambda: f"[calor::{op}] expected edges of {str(wanted)[6:]} in place {i}, found {tensor.dtype}")
        check(tensor.dim() == 1 and tensor.is_contiguous(), ValueError, lambda: f"[calor::{op}] expected contiguous edges of one dimension in place {i}, found {list(tensor.shape)}")


def _check_like(tensor, first, sizes, op, name):
    check(tensor.dtype == first.dtype and tensor.device == first.device, TypeError,
          lambda: f"[calor::{op}] expected {name} of {first.dtype} on {first.device}, found {tensor.dtype} on {tensor.device}")
    check(tuple(tensor.shape) == tuple(sizes), ValueError, lambda: f"[calor::{op}] expected {name} of {list(sizes)}, found {list(tensor.shape)}")


def _check_first(tensor, op, name):
    check(tensor.dtype in (torch.float32, torch.float64), TypeError, lambda: f"[calor::{op}] expected {name} of float32 or float64, found {tensor.dtype}: convert with .float()")
    check(tensor.dim() == 3, ValueError, lambda: f"[calor::{op}] expected {name} of three dimensions (nodes, heads, features), found {list(tensor.shape)}")


def _check(edges, q, k, v, scale, bias, vector, score, dropout, features, key_map, value_map):
    op = "edge_attention"
    _check_edges(edges, op)
    _check_first(q, op, "q")
    rows, columns, count = edges[0].shape[0] - 1, edges[2].shape[0] - 1, edges[1].shape[0]
    _, heads, dim = q.shape
    _check_like(q, q, (rows, heads, dim), op, "q")
    _check_like(k, q, (columns, heads, dim), op, "k")
    _check_first(v, op, "v")
    value_dim = v.shape[2]
    _check_like(v, q, (columns, heads, value_dim), op, "v")
    check(heads > 0 and dim > 0 and value_dim > 0, ValueError, lambda: f"{_NAME} expected at least one head and one feature, found {list(q.shape)} and {list(v.shape)}")
    if scale is not None:
        _check_like(scale, q, (heads,), op, "scale")
    if bias is not None:
        _check_like(bias, q, (count, heads), op, "bias")
    check(score in _SCORES, ValueError, lambda: f'{_NAME} expected score "dot", "squared_distance", "additive" or "joined", found "{score}"')
    check((score == "joined") == (vector is not None), ValueError,
          lambda: f'{_NAME} expected a vector with score "joined" and with no other, found {"none" if vector is None else "one"} with "{score}"')
    if vector is not None:
        _check_like(vector, q, (heads, dim), op, "vector")
    check(score != "additive" or dim == 1, ValueError, lambda: f'{_NAME} expected q and k of one number a head with score "additive", found {dim}')
    check((features is not None) == (key_map is not None or value_map is not None), ValueError,
          lambda: f"{_NAME} expected features of edges and a key_map or a value_map of them together, found one without the other")
    if features is not None:
        check(features.dim() == 2 and features.shape[1] > 0, ValueError, lambda: f"{_NAME} expected features of two dimensions (edges, edge_dim), found {list(features.shape)}")
        edge_dim = features.shape[1]
        _check_like(features, q, (count, edge_dim), op, "features")
        if key_map is not None:
            _check_like(key_map, q, (heads, dim, edge_dim), op, "key_map")
        if value_map is not None:
            _check_like(value_map, q, (heads, value_dim, edge_dim), op, "value_map")
        check(score != "additive" or key_map is None, ValueError,
              lambda: f'{_NAME} expected no key_map with score "additive", found one: its bias is inside, give the map\'s numbers as bias')
    check(0 <= dropout < 1, ValueError, lambda: f"{_NAME} expected dropout from 0 to below 1, found {dropout}")


def _whole_rows(x):
    """Rows of [heads, dim] numbers next to each other, any distance between rows."""
    return x if x.stride(2) == 1 and x.stride(1) == x.shape[2] else x.contiguous()


def _places(tensors):
    return tuple(place_of(x, x.dim()) if x is not None else None for x in tensors)


class _Call:
    """What both kernels begin with, and what it points to."""

    def __init__(self, edges, q, k, v, scale, bias, vector, score, slope, dropout, seed, features, key_map, value_map):
        kept = [_whole_rows(q), _whole_rows(k), _whole_rows(v), *(None if x is None else x.contiguous() for x in (scale, bias, vector, features, key_map, value_map))]
        sizes = (edges[0].shape[0] - 1, edges[2].shape[0] - 1, q.shape[1], q.shape[2], v.shape[2], 0 if features is None else features.shape[1])
        self.kept = kept, edges
        self.words = (TYPES[q.dtype], score, sizes, slope, dropout, seed, torch.get_num_threads(), _places(edges), _places(kept))


def _forward_meta(edges, q, k, v, scale=None, bias=None, vector=None, score="dot", slope=0.2, dropout=0.0, seed=0, features=None, key_map=None, value_map=None):
    _check(edges, q, k, v, scale, bias, vector, score, dropout, features, key_map, value_map)
    return q.new_empty((q.shape[0], q.shape[1], v.shape[2])), q.new_empty(q.shape[:2])


def _forward(*arguments, **named):
    results = _forward_meta(*arguments, **named)
    call = _Call(*_with_defaults(*arguments, **named))
    _engine.edge_attention_forward(*call.words, _places(results))
    return results


def _with_defaults(edges, q, k, v, scale=None, bias=None, vector=None, score="dot", slope=0.2, dropout=0.0, seed=0, features=None, key_map=None, value_map=None):
    return edges, q, k, v, scale, bias, vector, score, slope, dropout, seed, features, key_map, value_map


def _backward_meta(edges, d_out, d_lse, q, k, v, scale, bias, vector, out, lse, score, slope, dropout, seed, features, key_map, value_map):
    """Gradients of optional inputs have no elements where there is no such input."""
    plain = tuple(q.new_empty(x.shape) for x in (q, k, v))
    return plain + tuple(q.new_empty(0 if x is None else x.shape) for x in (scale, bias, vector, features, key_map, value_map))


def _backward(edges, d_out, d_lse, q, k, v, scale, bias, vector, out, lse, score, slope, dropout, seed, features, key_map, value_map):
    gradients = _backward_meta(edges, d_out, d_lse, q, k, v, scale, bias, vector, out, lse, score, slope, dropout, seed, features, key_map, value_map)
    call = _Call(edges, q, k, v, scale, bias, vector, score, slope, dropout, seed, features, key_map, value_map)
    given = [x.contiguous() if x is not None else None for x in (out, lse, d_out, d_lse)]
    filled = [gradient if x is not None else None for gradient, x in zip(gradients, (q, k, v, scale, bias, vector, features, key_map, value_map))]
    _engine.edge_attention_backward(*call.words, _places(given) + _places(filled))
    return gradients


def _rows_of(edges):
    begin = edges[0]
    return torch.repeat_interleave(torch.arange(begin.shape[0] - 1, device=begin.device), begin[1:] - begin[:-1])


def _composed(edges, q, k, v, scale=None, bias=None, vector=None, score="dot", slope=0.2, dropout=0.0, seed=0, features=None, key_map=None, value_map=None):
    """By the definition: tensors of edges x heads x dim."""
    _check(edges, q, k, v, scale, bias, vector, score, dropout, features, key_map, value_map)
    row, column = _rows_of(edges), edges[1].long()

    def mapped(numbers):
        return features.matmul(numbers.flatten(0, 1).t()).unflatten(1, numbers.shape[:2])

    query, neighbour = q.index_select(0, row), k.index_select(0, column)
    key = neighbour if key_map is None else neighbour + mapped(key_map)
    if score == "dot":
        scores = (query * key).sum(2)
    elif score == "squared_distance":
        scores = -(query - key).square().sum(2)
    elif score == "joined":
        scores = (torch.nn.functional.leaky_relu(query + key, slope) * vector).sum(2)
    else:
        both = (query + key).squeeze(2)
        scores = torch.nn.functional.leaky_relu(both if bias is None else both + bias, slope)
    if scale is not None:
        scores = scores * scale
    if bias is not None and score != "additive":
        scores = scores + bias
    rows, heads = q.shape[:2]
    greatest = q.new_full((rows, heads), -math.inf).scatter_reduce(0, row[:, None].expand(-1, heads), scores.detach(), "amax")
    greatest = torch.where(greatest == -math.inf, 0.0, greatest)
    raised = (scores - greatest.index_select(0, row)).exp()
    sums = q.new_zeros((rows, heads)).index_add(0, row, raised)
    positive = torch.where(sums == 0, 1.0, sums)
    weights = raised / positive.index_select(0, row)
    if dropout > 0:
        factors = torch.empty((row.shape[0], heads), dtype=torch.float64)
        _engine.edge_dropout(tuple(factors.shape), dropout, seed, (place_of(factors),))
        weights = weights * factors.to(q.dtype)
    sent = v.index_select(0, column)
    out = q.new_zeros((rows, heads, v.shape[2])).index_add(0, row, weights.unsqueeze(2) * (sent if value_map is None else sent + mapped(value_map)))
    return out, torch.where(sums == 0, -math.inf, greatest + positive.log())


def _setup(ctx, inputs, output):
    edges, q, k, v, scale, bias, vector, score, slope, dropout, seed, features, key_map, value_map = inputs
    ctx.save_for_backward(*edges, q, k, v, scale, bias, vector, features, key_map, value_map, *output)
    ctx.choices = score, slope, dropout, seed
    ctx.set_materialize_grads(False)


def _derivative(ctx, d_out, d_lse):
    saved = ctx.saved_tensors
    edges, numbers, out, lse = list(saved[:5]), saved[5:14], saved[14], saved[15]
    if d_out is None and d_lse is None:
        return _returned(ctx, edges, [None] * 9)
    if d_out is None:
        d_out = torch.zeros_like(out)
    if torch.is_grad_enabled():
        own = [fresh(x) for x in numbers]
        gradients = graph_of_gradients(own, _composed(edges, *own[:6], *ctx.choices, *own[6:]), (d_out, d_lse))
    else:
        gradients = torch.ops.calor.edge_attention_backward.default(edges, d_out, d_lse, *numbers[:6], out, lse, *ctx.choices, *numbers[6:])
    asked = [gradient if x is not None and x.requires_grad else None for gradient, x in zip(gradients, numbers)]
    return _returned(ctx, edges, asked)


def _returned(ctx, edges, numbers):
    """One for each argument that the call had: torch leaves out those at the end that are as by default."""
    return ([None] * len(edges), *numbers[:6], None, None, None, None, *numbers[6:])[: len(ctx.needs_input_grad)]


def _sums_meta(edges, weights, v):
    op = "edge_sums"
    _check_edges(edges, op)
    _check_first(v, op, "v")
    _check_like(v, v, (edges[2].shape[0] - 1, v.shape[1], v.shape[2]), op, "v")
    _check_like(weights, v, (edges[1].shape[0], v.shape[1]), op, "weights")
    return v.new_empty((edges[0].shape[0] - 1, v.shape[1], v.shape[2]))


def _sums_call(edges, weights, v):
    kept = weights.contiguous(), _whole_rows(v)
    sizes = (edges[0].shape[0] - 1, edges[2].shape[0] - 1, v.shape[1], v.shape[2])
    return (TYPES[v.dtype], sizes, torch.get_num_threads(), _places(edges), _places(kept)), kept


def _sums(edges, weights, v):
    result = _sums_meta(edges, weights, v)
    words, _kept = _sums_call(edges, weights, v)
    _engine.edge_sums_forward(*words, _places((result,)))
    return result


def _sums_backward_meta(edges, d_out, weights, v):
    return v.new_empty(weights.shape), v.new_empty(v.shape)


def _sums_backward(edges, d_out, weights, v):
    results = _sums_backward_meta(edges, d_out, weights, v)
    words, _kept = _sums_call(edges, weights, v)
    d_out = d_out.contiguous()
    _engine.edge_sums_backward(*words, _places((d_out, *results)))
    return results


def _sums_composed(edges, weights, v):
    _sums_meta(edges, weights, v)
    return v.new_zeros((edges[0].shape[0] - 1, v.shape[1], v.shape[2])).index_add(0, _rows_of(edges), weights.unsqueeze(2) * v.index_select(0, edges[1].long()))


def _setup_sums(ctx, inputs, output):
    edges, weights, v = inputs
    ctx.save_for_backward(*edges, weights, v)


def _sums_derivative(ctx, d_out):
    *edges, weights, v = ctx.saved_tensors
    if torch.is_grad_enabled():
        own = fresh(weights), fresh(v)
        gradients = graph_of_gradients(own, (_sums_composed(edges, *own),), (d_out,))
    else:
        gradients = torch.ops.calor.edge_sums_backward.default(edges, d_out, weights, v)
    return [None] * 5, *(gradient if x.requires_grad else None for gradient, x in zip(gradients, (weights, v)))


def _by_column(begin, column, columns):
    name = "[calor::edges]"
    begin, column = begin.long().contiguous(), column.int().contiguous()
    check(begin.dim() == 1 and begin.shape[0] >= 1 and column.dim() == 1, ValueError,
          lambda: f"{name} expected starts and columns of one dimension, found {list(begin.shape)} and {list(column.shape)}")
    rows, count = begin.shape[0] - 1, column.shape[0]
    check(begin[0] == 0 and begin[rows] == count, ValueError, lambda: f"{name} expected starts from 0 to the number of edges, {count}, found {int(begin[0])} to {int(begin[rows])}")
    falling = (begin[1:] < begin[:-1]).nonzero()
    check(not len(falling), ValueError, lambda: f"{name} expected ascending starts, found {int(begin[falling[0]])} before {int(begin[falling[0] + 1])} in row {int(falling[0])}")
    outside = ((column < 0) | (column >= columns)).nonzero()
    check(not len(outside), ValueError, lambda: f"{name} expected columns from 0 to {columns - 1}, found {int(column[outside[0]])} for edge {int(outside[0])}")
    edges = [begin, column, begin.new_empty(columns + 1), column.new_empty(count), begin.new_empty(count)]
    _engine.edges_by_column((rows, columns), _places(edges))
    return edges


register_composed(f"edge_attention_composed{_FORWARD}", _composed)
register_composed("edge_sums_composed(Tensor[] edges, Tensor weights, Tensor v) -> Tensor", _sums_composed)
register_composed("edges_by_column(Tensor begin, Tensor column, int columns) -> Tensor[]", _by_column)
register("edge_attention_backward(Tensor[] edges, Tensor d_out, Tensor? d_lse, Tensor q, Tensor k, Tensor v, Tensor? scale, Tensor? bias, Tensor? vector, Tensor out, Tensor lse, "
         "str score, float slope, float dropout, int seed, Tensor? features, Tensor? key_map, Tensor? value_map) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)",
         _backward, _backward_meta)
register(f"edge_attention{_FORWARD}", _forward, _forward_meta, _derivative, _setup)
register("edge_sums_backward(Tensor[] edges, Tensor d_out, Tensor weights, Tensor v) -> (Tensor, Tensor)", _sums_backward, _sums_backward_meta)
register("edge_sums(Tensor[] edges, Tensor weights, Tensor v) -> Tensor", _sums, _sums_meta, _sums_derivative, _setup_sums)
