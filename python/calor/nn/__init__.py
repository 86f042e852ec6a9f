"""Attention for PyTorch by what is similar: ``functional.attention`` beside scaled_dot_product_attention, ``MultiheadAttention`` beside torch's own
(``replace_attention`` puts it into an existing model), and layers that are written for a metric.  ``hugging_face`` makes it known to transformers.
On graphs: ``GCNConv``, ``GATConv`` and others with PyTorch Geometric's arguments, and ``GraphAttention`` by any score.
"""

from . import functional
from .cache import KeyValueCache
from .graph import APPNP, GATConv, GATv2Conv, GCNConv, Graph, GraphAttention, SGConv, TransformerConv
from .layers import L2Attention, MetricAttention, SelfAttention
from .multihead import MultiheadAttention, replace_attention

__all__ = [
    "APPNP", "GATConv", "GATv2Conv", "GCNConv", "Graph", "GraphAttention", "KeyValueCache", "L2Attention", "MetricAttention", "MultiheadAttention",
    "SGConv", "SelfAttention", "TransformerConv", "functional", "replace_attention",
]
