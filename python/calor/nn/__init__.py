"""Attention for PyTorch by what is similar: ``functional.attention`` beside scaled_dot_product_attention, ``MultiheadAttention`` beside torch's own
(``replace_attention`` puts it into an existing model), and layers that are written for a metric.  ``hugging_face`` makes it known to transformers.
"""

from . import functional
from .cache import KeyValueCache
from .layers import L2Attention, MetricAttention, SelfAttention
from .multihead import MultiheadAttention, replace_attention

__all__ = ["KeyValueCache", "L2Attention", "MetricAttention", "MultiheadAttention", "SelfAttention", "functional", "replace_attention"]
