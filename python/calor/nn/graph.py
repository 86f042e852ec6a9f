"""Graph layers on the engine's edges, with the arguments, conventions and parameter names of PyTorch Geometric's.

``GCNConv``, ``SGConv``, ``APPNP``, ``GATConv``, ``GATv2Conv`` and ``TransformerConv`` load the state dicts of their namesakes and give the same numbers;
memory is O(edges heads + nodes features), never edges x features.  ``GraphAttention`` takes any score: a dot product, a distance, a learned metric.

Every layer takes an ``edge_index`` ``[2, edges]`` (row 0: from, row 1: to, as there) or a ``Graph`` made of one, which saves sorting the edges anew.
"""

import math
import typing

from .._torch import torch
from ..ops import edge_attention, edge_sums
from .layers import learned_map

nn = torch.nn


class Graph:
    """The edges of a graph sorted by the node that they lead to, and by the node that they come from.

    rows, columns: how many nodes receive and send; nodes: both.  ``order``: for each edge here its place in the edge_index, to sort edge features by.
    A copy of no features; int64 and int32 tensors of 32 bytes per edge on the CPU.
    """

    def __init__(self, begin, column, columns, order=None):
        self.tensors = torch.ops.calor.edges_by_column(begin, column, columns)
        self.rows, self.columns = self.tensors[0].numel() - 1, columns
        self.order = order

    @classmethod
    def from_edge_index(cls, edge_index, nodes=None):
        """From ``[2, edges]`` integers: from, to.  nodes: how many there are, default one more than the largest number.  O(edges log edges)."""
        if edge_index.dim() != 2 or edge_index.shape[0] != 2 or edge_index.dtype.is_floating_point:
            raise ValueError(f"[calor.nn.Graph] expected integers of [2, edges], found {edge_index.dtype} of {list(edge_index.shape)}")
        source, target = edge_index.to("cpu", torch.long)
        least, most = (int(edge_index.min()), int(edge_index.max())) if source.numel() else (0, -1)
        nodes = most + 1 if nodes is None else int(nodes)
        if least < 0 or most >= nodes:
            raise ValueError(f"[calor.nn.Graph] expected nodes from 0 to {nodes - 1}, found {least if least < 0 else most}")
        order = torch.argsort(target, stable=True)
        begin = torch.zeros(nodes + 1, dtype=torch.long)
        begin[1:] = torch.cumsum(torch.bincount(target, minlength=nodes), 0)
        return cls(begin, source[order].to(torch.int32), nodes, order)

    @classmethod
    def from_scipy(cls, matrix):
        """From a scipy.sparse matrix: entry (i, j) is an edge from j to i.  Values are left out."""
        matrix = matrix.tocsr()
        return cls(torch.as_tensor(matrix.indptr, dtype=torch.long), torch.as_tensor(matrix.indices, dtype=torch.int32), matrix.shape[1])

    @property
    def edges(self):
        return self.tensors[1].numel()

    def targets(self):
        """The node that each edge leads to, in the order of the edges here."""
        begin = self.tensors[0]
        return torch.repeat_interleave(torch.arange(self.rows), begin[1:] - begin[:-1])

    def edge_index(self):
        """``[2, edges]``, in the order of the edges here."""
        return torch.stack([self.tensors[1].long(), self.targets()])

    def __repr__(self):
        return f"Graph({self.columns} nodes, {self.edges} edges)"


def _with_loops(edge_index, nodes, weight=None, *, keep=False, fill=1.0):
    """Edges with one from every node to itself; keep: a loop that is there keeps its weight."""
    nodes_all = torch.arange(nodes)
    loops = edge_index[0] == edge_index[1]
    new = torch.full((nodes,), fill, dtype=torch.get_default_dtype() if weight is None else weight.dtype)
    if weight is not None and keep:
        new[edge_index[0, loops]] = weight[loops]
    index = torch.cat([edge_index[:, ~loops], nodes_all.expand(2, -1)], 1)
    return index, None if weight is None else torch.cat([weight[~loops], new])


class _Edges:
    """Remembers the last graph that it has prepared, by the edge_index that it came from."""

    def __init__(self):
        self._key = self._made = None

    def of(self, edges, nodes, weight, make):
        version = None if isinstance(edges, Graph) else edges._version
        key = (edges, version, nodes, weight, None if weight is None else weight._version)
        if self._key is not None and all(a is b or (not torch.is_tensor(a) and not torch.is_tensor(b) and a == b) for a, b in zip(key, self._key)):
            return self._made
        self._key, self._made = key, make()
        return self._made


def _edge_index(edges):
    return edges.edge_index() if isinstance(edges, Graph) else edges.to("cpu", torch.long)


class _Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self._edges = _Edges()

    def __getstate__(self):
        return {**self.__dict__, "_edges": _Edges()}

    def __deepcopy__(self, memo):
        import copy

        new = self.__class__.__new__(self.__class__)
        memo[id(self)] = new
        for name, value in self.__dict__.items():
            new.__dict__[name] = _Edges() if name == "_edges" else copy.deepcopy(value, memo)
        return new


def _glorot(*shape, of):
    weight = torch.empty(*shape)
    bound = math.sqrt(6 / sum(of))
    return nn.Parameter(weight.uniform_(-bound, bound))


class _Map(nn.Module):
    """A linear map with Glorot's start, ``weight`` ``[out, in]``, as PyTorch Geometric's Linear is named."""

    def __init__(self, width, out, bias=False):
        super().__init__()
        self.weight = _glorot(out, width, of=(width, out))
        if bias:
            self.bias = nn.Parameter(torch.zeros(out))
        else:
            self.register_parameter("bias", None)

    def forward(self, x):
        return nn.functional.linear(x, self.weight, self.bias)


class _Fixed(_Layer):
    """D^-1/2 A D^-1/2, D the sums of the edges that lead to a node."""

    def __init__(self, add_self_loops=True, normalize=True, improved=False):
        super().__init__()
        self.add_self_loops, self.normalize, self.fill = add_self_loops, normalize, 2.0 if improved else 1.0

    def _similarity(self, x, edges, edge_weight):
        def make():
            index = _edge_index(edges)
            weight = torch.ones(index.shape[1], dtype=x.dtype) if edge_weight is None else edge_weight.detach().to("cpu", x.dtype).flatten()
            if weight.numel() != index.shape[1]:
                raise ValueError(f"[calor.nn] expected one weight per edge, {index.shape[1]}, found {weight.numel()}")
            if self.add_self_loops and self.normalize:
                index, weight = _with_loops(index, x.shape[0], weight, keep=True, fill=self.fill)
            graph = Graph.from_edge_index(index, x.shape[0])
            weight = weight[graph.order]
            if self.normalize:
                degree = torch.zeros(x.shape[0], dtype=x.dtype).index_add(0, graph.targets(), weight)
                factor = degree.pow(-0.5).masked_fill(degree == 0, 0)
                weight = factor[graph.targets()] * weight * factor[graph.tensors[1].long()]
            return graph, weight.unsqueeze(1)

        if edge_weight is not None and edge_weight.requires_grad:
            raise ValueError(f"[calor.nn.{type(self).__name__}] expected weights of edges that need no gradient, found some that do: use GATConv, or edge_sums")
        return self._edges.of(edges, x.shape[0], edge_weight, make)

    def _flow(self, x, similarity):
        graph, weight = similarity
        return edge_sums(graph, weight.to(x.dtype), x.unsqueeze(1)).squeeze(1)


class GCNConv(_Fixed):
    """``D^-1/2 (A + I) D^-1/2 X W + b`` (Kipf & Welling, arXiv 1609.02907); x ``[nodes, in_channels]``.

    improved: 2 I instead of I, with or without weights of edges (PyTorch Geometric 2.8 takes I where there are none).  cached is taken and needs nothing: the
    last graph is always kept.
    """

    def __init__(self, in_channels, out_channels, improved=False, cached=False, add_self_loops=True, normalize=True, bias=True):
        super().__init__(add_self_loops, normalize, improved)
        self.lin = _Map(in_channels, out_channels)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x, edge_index, edge_weight=None):
        out = self._flow(self.lin(x), self._similarity(x, edge_index, edge_weight))
        return out if self.bias is None else out + self.bias


class SGConv(_Fixed):
    """``(D^-1/2 (A + I) D^-1/2)^K X W + b`` (Wu et al., arXiv 1902.07153)."""

    def __init__(self, in_channels, out_channels, K=1, cached=False, add_self_loops=True, bias=True):
        super().__init__(add_self_loops)
        self.K, self.lin = K, _Map(in_channels, out_channels, bias)

    def forward(self, x, edge_index, edge_weight=None):
        similarity = self._similarity(x, edge_index, edge_weight)
        for _ in range(self.K):
            x = self._flow(x, similarity)
        return self.lin(x)


class APPNP(_Fixed):
    """``H <- (1 - alpha) S H + alpha H0``, K times (Gasteiger et al., arXiv 1810.05997)."""

    def __init__(self, K, alpha, dropout=0.0, cached=False, add_self_loops=True, normalize=True):
        super().__init__(add_self_loops, normalize)
        self.K, self.alpha, self.dropout = K, alpha, dropout

    def forward(self, x, edge_index, edge_weight=None):
        graph, weight = self._similarity(x, edge_index, edge_weight)
        start = x
        for _ in range(self.K):
            kept = nn.functional.dropout(weight, self.dropout, self.training)
            x = (1 - self.alpha) * self._flow(x, (graph, kept)) + self.alpha * start
        return x


class _Attention(_Layer):
    """Attention on edges: heads joined or averaged, loops, dropout, and a seed of its own for each pass."""

    lin_edge: typing.Any  # of layers with edge_dim: their linear map, whatever its class

    def __init__(self, out_channels, heads, concat, dropout, add_self_loops, bias):
        super().__init__()
        if heads < 1 or out_channels < 1:
            raise ValueError(f"[calor.nn] expected at least one head and channel, found {heads} and {out_channels}")
        if not 0 <= dropout < 1:
            raise ValueError(f"[calor.nn] expected dropout from 0 to below 1, found {dropout}")
        self.heads, self.out_channels, self.concat, self.dropout, self.add_self_loops = heads, out_channels, concat, dropout, add_self_loops
        self.bias = nn.Parameter(torch.zeros(heads * out_channels if concat else out_channels)) if bias else None

    def _graph(self, edges, nodes):
        def make():
            index = _edge_index(edges)
            return Graph.from_edge_index(_with_loops(index, nodes)[0] if self.add_self_loops else index, nodes)

        return edges if isinstance(edges, Graph) and not self.add_self_loops else self._edges.of(edges, nodes, None, make)

    def _features(self, edges, graph, edge_attr):
        """Features of the edges of ``graph``, in its order, from those of ``edges``: a node's own edge has the mean of those that lead to it."""
        edge_attr = edge_attr.unflatten(0, (-1, 1)) if edge_attr.dim() == 1 else edge_attr
        index = _edge_index(edges)
        if edge_attr.dim() != 2 or edge_attr.shape[0] != index.shape[1]:
            raise ValueError(f"[calor.nn.{type(self).__name__}] expected edge_attr of [{index.shape[1]}, edge_dim], found {list(edge_attr.shape)}")
        if not self.add_self_loops:
            return edge_attr if isinstance(edges, Graph) else edge_attr[graph.order]
        others = index[0] != index[1]
        kept, target = edge_attr[others], index[1, others]
        sums = kept.new_zeros(graph.rows, kept.shape[1]).index_add(0, target, kept)
        counts = torch.bincount(target, minlength=graph.rows).clamp(min=1).to(kept.dtype)
        return torch.cat([kept, sums / counts[:, None]])[graph.order]

    def _edge_features(self, edges, graph, edge_attr):
        """The features of each edge of ``graph``, or None without any."""
        if (edge_attr is None) != (self.edge_dim is None):
            raise ValueError(f"[calor.nn.{type(self).__name__}] expected edge_attr and edge_dim together, found one without the other")
        return None if edge_attr is None else self._features(edges, graph, edge_attr)

    def _edge_map(self):
        """The map of the edges' features, ``[heads, channels, edge_dim]``, or None."""
        return None if self.edge_dim is None else self.lin_edge.weight.unflatten(0, (self.heads, -1))

    def _split(self, x):
        return x.unflatten(-1, (self.heads, -1))

    def _attend(self, graph, q, k, v, **options):
        dropout = self.dropout if self.training else 0.0
        out = edge_attention(graph, q, k, v, dropout=dropout, **options)
        out = out.flatten(1) if self.concat else out.mean(1)
        return out if self.bias is None else out + self.bias


class GATConv(_Attention):
    """``s_ij = LeakyReLU(a.W x_i + b.W x_j)`` (Velickovic et al., arXiv 1710.10903); with ``edge_dim``, plus ``c.U e_ij`` inside, for edge_attr ``[edges, edge_dim]``.

    The edge from a node to itself has the mean of the features of those that lead to it, as PyTorch Geometric fills it in.
    """

    def __init__(self, in_channels, out_channels, heads=1, concat=True, negative_slope=0.2, dropout=0.0, add_self_loops=True, edge_dim=None, bias=True):
        super().__init__(out_channels, heads, concat, dropout, add_self_loops, bias)
        self.negative_slope, self.edge_dim = negative_slope, edge_dim
        self.lin = _Map(in_channels, heads * out_channels)
        self.att_src = _glorot(1, heads, out_channels, of=(heads, out_channels))
        self.att_dst = _glorot(1, heads, out_channels, of=(heads, out_channels))
        if edge_dim is not None:
            self.lin_edge = _Map(edge_dim, heads * out_channels)
            self.att_edge = _glorot(1, heads, out_channels, of=(heads, out_channels))

    def forward(self, x, edge_index, edge_attr=None):
        z = self._split(self.lin(x))
        q, k = (z * self.att_dst).sum(-1, True), (z * self.att_src).sum(-1, True)
        graph = self._graph(edge_index, x.shape[0])
        features = self._edge_features(edge_index, graph, edge_attr)
        # c.U e = (U'c).e: numbers of edges x heads, not x features.
        bias = None if features is None else features @ torch.einsum("hcd,hc->dh", self._edge_map(), self.att_edge[0])
        return self._attend(graph, q, k, z, score="additive", slope=self.negative_slope, scale=1, bias=bias)


class GATv2Conv(_Attention):
    """``s_ij = a.LeakyReLU(R x_i + L x_j)`` (Brody, Alon & Yahav, arXiv 2105.14491); with ``edge_dim``, plus ``U e_ij`` inside, for edge_attr ``[edges, edge_dim]``.

    The edge from a node to itself has the mean of the features of those that lead to it, as in GATConv.
    """

    def __init__(self, in_channels, out_channels, heads=1, concat=True, negative_slope=0.2, dropout=0.0, add_self_loops=True, edge_dim=None, bias=True, share_weights=False):
        super().__init__(out_channels, heads, concat, dropout, add_self_loops, bias)
        self.negative_slope, self.share_weights, self.edge_dim = negative_slope, share_weights, edge_dim
        self.lin_l = _Map(in_channels, heads * out_channels, bias)
        self.lin_r = self.lin_l if share_weights else _Map(in_channels, heads * out_channels, bias)
        self.att = _glorot(1, heads, out_channels, of=(heads, out_channels))
        if edge_dim is not None:
            self.lin_edge = _Map(edge_dim, heads * out_channels)

    def forward(self, x, edge_index, edge_attr=None):
        values = self._split(self.lin_l(x))
        own = values if self.share_weights else self._split(self.lin_r(x))
        graph = self._graph(edge_index, x.shape[0])
        return self._attend(graph, own, values, values, score="joined", vector=self.att.squeeze(0), slope=self.negative_slope, scale=1,
                            features=self._edge_features(edge_index, graph, edge_attr), key_map=self._edge_map())


class TransformerConv(_Attention):
    """``softmax_j(q_i.k_j / sqrt(channels)) v_j`` over neighbours, plus a map of x_i itself (Shi et al., arXiv 2009.03509).

    With ``edge_dim`` a map of edge_attr ``[edges, edge_dim]`` is added to k_j and to v_j.  beta: how much of the map of x_i itself is taken depends on both.
    """

    def __init__(self, in_channels, out_channels, heads=1, concat=True, beta=False, dropout=0.0, edge_dim=None, bias=True, root_weight=True):
        super().__init__(out_channels, heads, concat, dropout, False, False)
        width = heads * out_channels
        self.edge_dim, self.beta = edge_dim, beta and root_weight
        self.lin_key, self.lin_query, self.lin_value = (nn.Linear(in_channels, width, bias) for _ in range(3))
        given = width if concat else out_channels
        self.lin_skip, self.root_weight = nn.Linear(in_channels, given, bias), root_weight
        if edge_dim is not None:
            self.lin_edge = nn.Linear(edge_dim, width, bias=False)
        if self.beta:
            self.lin_beta = nn.Linear(3 * given, 1, bias=False)

    def forward(self, x, edge_index, edge_attr=None):
        q, k, v = (self._split(linear(x)) for linear in (self.lin_query, self.lin_key, self.lin_value))
        graph, map_ = self._graph(edge_index, x.shape[0]), self._edge_map()
        out = self._attend(graph, q, k, v, score="dot", features=self._edge_features(edge_index, graph, edge_attr), key_map=map_, value_map=map_)
        if not self.root_weight:
            return out
        own = self.lin_skip(x)
        if not self.beta:
            return out + own
        share = self.lin_beta(torch.cat([out, own, out - own], -1)).sigmoid()
        return share * own + (1 - share) * out


class GraphAttention(_Attention):
    """Attention on edges by any score, of features mapped head by head: ``z = W x``, values z.

    score: "dot", ``Qz_i.Kz_j / sqrt(channels)``; "l2", ``-|P z_i - P z_j|^2``; "metric", ``-|phi(z_i) - phi(z_j)|^2`` with ``phi(z) = z + W2 tanh(W1 z + b1) + b2``;
    "uniform", the plain mean of the neighbours.  With ``edge_dim`` a learned map of edge_attr ``[edges, edge_dim]`` is added to the scores, a number a head.
    The networks ``graph-self``, ``graph-l2`` ... of ``calor compare`` are made of it.
    """

    def __init__(self, in_channels, out_channels, heads=1, score="metric", concat=True, dropout=0.0, add_self_loops=True, edge_dim=None, bias=True):
        super().__init__(out_channels, heads, concat, dropout, add_self_loops, bias)
        self.edge_dim = edge_dim
        if score not in ("dot", "l2", "metric", "uniform"):
            raise ValueError(f'[calor.nn.GraphAttention] expected score "dot", "l2", "metric" or "uniform", found {score!r}')
        self.score = score
        self.lin = _Map(in_channels, heads * out_channels)

        def head_map():
            return _glorot(heads, out_channels, out_channels, of=(out_channels, out_channels))

        if score == "dot":
            self.query, self.key = head_map(), head_map()
        elif score == "l2":
            self.projection = head_map()
        elif score == "metric":
            self.hidden, self.out = head_map(), head_map()
            self.hidden_bias, self.out_bias = (nn.Parameter(torch.zeros(heads, out_channels)) for _ in range(2))
        if edge_dim is not None:
            self.lin_edge = _Map(edge_dim, heads)

    def forward(self, x, edge_index, edge_attr=None):
        z = self._split(self.lin(x))

        def mapped(features, weight):
            return torch.einsum("nhc,hdc->nhd", features, weight)

        score, scale = "squared_distance", 1.0
        if self.score == "dot":
            q, k, score, scale = mapped(z, self.query), mapped(z, self.key), "dot", self.out_channels**-0.5
        elif self.score == "l2":
            q = k = mapped(z, self.projection)
        elif self.score == "metric":
            q = k = learned_map(z, lambda f: mapped(f, self.hidden) + self.hidden_bias, lambda f: mapped(f, self.out) + self.out_bias)
        else:
            q = k = torch.zeros_like(z[..., :1])
        graph = self._graph(edge_index, x.shape[0])
        features = self._edge_features(edge_index, graph, edge_attr)
        return self._attend(graph, q, k, z, score=score, scale=scale, bias=None if features is None else self.lin_edge(features))
