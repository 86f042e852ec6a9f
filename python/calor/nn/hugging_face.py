"""Attention for models of transformers: ``register()``, then ``from_pretrained(..., attn_implementation="calor")``."""

from .functional import attention


def register(name="calor", *, score="dot"):
    """Makes ``attn_implementation=name`` known to transformers, by this score; the models' own scale is the inverse of the temperature.

    Masks are those of transformers' "sdpa".  A model that was trained with products computes something else with ``score="l2"``: train it on.
    Raises ImportError without transformers, and ValueError for a score that is not dot or l2.
    """
    if score not in ("dot", "l2"):
        raise ValueError(f'[calor.nn.hugging_face] expected score "dot" or "l2", found {score!r}')
    try:
        from transformers import AttentionInterface, AttentionMaskInterface
        from transformers.masking_utils import sdpa_mask
    except ImportError as missing:
        raise ImportError("[calor.nn.hugging_face] expected transformers 4.53 or later, found none: pip install transformers") from missing

    def forward(module, query, key, value, attention_mask=None, scaling=None, dropout=0.0, is_causal=None, **_):
        causal = getattr(module, "is_causal", False) if is_causal is None else is_causal
        causal = bool(causal) and attention_mask is None and query.shape[-2] > 1
        if attention_mask is not None:
            attention_mask = attention_mask[..., : key.shape[-2]]
        out = attention(query, key, value, attention_mask, dropout if module.training else 0.0, causal, scaling, True, score=score)
        return out.transpose(1, 2).contiguous(), None

    AttentionInterface.register(name, forward)
    AttentionMaskInterface.register(name, sdpa_mask)
    return name
