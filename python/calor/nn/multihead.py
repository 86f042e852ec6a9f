"""torch's MultiheadAttention with another idea of what is similar, and the function that puts it into a model."""

import math
from typing import Any

from .._torch import torch
from .functional import SCORES, as_products, attention
from .layers import learned_map, starting_temperature

nn = torch.nn


class Phi(nn.Module):
    """The learned map of the joined heads; the identity where it starts with W2 = b2 = 0."""

    def __init__(self, width, hidden=None, *, identity=False, device=None, dtype=None):
        super().__init__()
        self.expand = nn.Linear(width, hidden or width, device=device, dtype=dtype)
        self.contract = nn.Linear(hidden or width, width, device=device, dtype=dtype)
        if identity:
            nn.init.zeros_(self.contract.weight)
            nn.init.zeros_(self.contract.bias)

    def forward(self, z):
        return learned_map(z, self.expand, self.contract)


class MultiheadAttention(nn.MultiheadAttention):
    """``torch.nn.MultiheadAttention`` by any score; arguments, masks, results and names of parameters are torch's.

    score: ``"dot"``; ``"l2"``, ``|W_q x - W_k y|^2``; or ``"metric"``, ``|phi(W_q x) - phi(W_q y)|^2`` with one projection and one learned phi for both sides,
    which makes it a pseudo-metric: the rows of in_proj_weight for keys are kept and not used.  "metric" adds ``phi.*`` to state_dict, and loads
    one of torch's too, phi staying as it is.
    temperature: scores are divided by it: ``"fixed"`` is sqrt(embed_dim / num_heads), ``"learn"`` starts there and is learned for each head, or a number.
    hidden: width of phi's hidden layer, default embed_dim.

    The weights are streamed unless need_weights (torch's default, of which torch.nn.Transformer asks nothing) or dropout while training: see
    ``functional.attention``.  torch's fused inference of encoder layers, which knows products only, is kept off.
    """

    def __init__(self, embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False, add_zero_attn=False, kdim=None, vdim=None, batch_first=False,
                 device=None, dtype=None, *, score="dot", temperature="fixed", hidden=None):
        super().__init__(embed_dim, num_heads, dropout, bias, add_bias_kv, add_zero_attn, kdim, vdim, batch_first, device, dtype)
        self._become(score, temperature, hidden, identity=False)

    def _become(self, score, temperature, hidden, identity):
        """What this class has beyond torch's; the layer's projections are there."""
        if score not in SCORES:
            raise ValueError(f'[calor.nn.MultiheadAttention] expected score "dot", "l2" or "metric", found {score!r}')
        if score == "metric" and self.kdim != self.embed_dim:
            raise ValueError(f"[calor.nn.MultiheadAttention] expected keys of {self.embed_dim} features, as the metric takes queries and keys alike, found kdim {self.kdim}")
        if hidden is not None and score != "metric":
            raise ValueError(f'[calor.nn.MultiheadAttention] expected hidden with score="metric", found {score!r}')
        start = starting_temperature(temperature, self.head_dim, "[calor.nn.MultiheadAttention]")
        like: dict[str, Any] = dict(device=self.out_proj.weight.device, dtype=self.out_proj.weight.dtype)
        self.score, self.temperature = score, start
        if temperature == "learn":
            self.log_temperature = nn.Parameter(torch.full((self.num_heads,), math.log(start), **like))
        else:
            self.register_parameter("log_temperature", None)
        self.phi = Phi(self.embed_dim, hidden, identity=identity, **like) if score == "metric" else None
        self._qkv_same_embed_dim = False  # torch's encoder layers then leave the attention to forward()

    @classmethod
    def like(cls, module, *, score="metric", temperature="fixed", hidden=None):
        """One that shares the parameters of a torch.nn.MultiheadAttention; phi starts as the identity."""
        new = cls.__new__(cls)
        nn.Module.__init__(new)
        state = module.__dict__
        new.__dict__.update({name: value for name, value in state.items() if name not in ("_parameters", "_buffers", "_modules")})
        for part in ("_parameters", "_buffers", "_modules"):
            new.__dict__[part] = dict(state[part])
        new._become(score, temperature, hidden, identity=True)
        return new.train(module.training)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs):
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own = [name for name, _ in self.named_parameters(prefix[:-1]) if name.removeprefix(prefix).startswith(("phi.", "log_temperature"))]
        if not any(name in state_dict for name in own):  # torch's layer: what only this one has stays as it is
            for name in own:
                state_dict[name] = self.get_parameter(name.removeprefix(prefix)).detach()

    def _projected(self, query, key, value):
        width = self.embed_dim
        if self.in_proj_weight is not None:
            of_query, of_key, of_value = self.in_proj_weight.split(width)
        else:
            of_query, of_key, of_value = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        biases = (None, None, None) if self.in_proj_bias is None else self.in_proj_bias.split(width)
        linear = nn.functional.linear
        if self.score == "metric":
            of_key, biases = of_query, (biases[0], biases[0], biases[2])
        q, v = linear(query, of_query, biases[0]), linear(value, of_value, biases[2])
        return q, q if self.score == "metric" and key is query else linear(key, of_key, biases[1]), v

    def forward(self, query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None, average_attn_weights=True, is_causal=False):
        """As torch's: (output, weights or None).  Masks of bool are true where nothing is attended to; is_causal says that attn_mask is the causal one."""
        name = "[calor.nn.MultiheadAttention]"
        if query.dim() not in (2, 3) or not query.dim() == key.dim() == value.dim():
            raise ValueError(f"{name} expected query, key and value of 3 dimensions, or of 2 without a batch, found {list(query.shape)}, {list(key.shape)} and {list(value.shape)}")
        if is_causal and attn_mask is None:
            raise RuntimeError(f"{name} expected attn_mask with is_causal, which says that it is the causal one, found none")
        batched = query.dim() == 3
        same = key is query
        if not batched:
            query, key, value = query.unsqueeze(0), key.unsqueeze(0), value.unsqueeze(0)
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        elif not self.batch_first:
            query, key, value = query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1)
        q, k, v = self._projected(query, query if same else key, value)
        batch, rows, keys = q.shape[0], q.shape[1], k.shape[1]
        extra = 0
        if self.bias_k is not None and self.bias_v is not None:
            k, v, extra = torch.cat([k, self.bias_k.expand(batch, 1, -1)], 1), torch.cat([v, self.bias_v.expand(batch, 1, -1)], 1), 1
            same = False
        if self.phi is not None:
            shared = same and k is q
            q = self.phi(q)
            k = q if shared else self.phi(k)
        if self.add_zero_attn:
            k, v, extra = nn.functional.pad(k, (0, 0, 0, 1)), nn.functional.pad(v, (0, 0, 0, 1)), extra + 1
        q, k, v = (x.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2) for x in (q, k, v))
        mask = self._mask(key_padding_mask, attn_mask, is_causal and not need_weights and extra == 0, batch, rows, keys, extra, q.dtype)
        causal = is_causal and not need_weights and extra == 0 and mask is None
        scale = 1 / self.temperature if self.log_temperature is None else torch.exp(-self.log_temperature)
        dropout = self.dropout if self.training else 0.0
        score = "dot" if self.score == "dot" else "l2"
        weights = None
        if need_weights:
            weights = _weights(q, k, scale, score, mask)
            out = nn.functional.dropout(weights, dropout) @ v
            weights = weights.mean(1) if average_attn_weights else weights
        else:
            out = attention(q, k, v, mask, dropout, causal, scale, score=score)
        out = self.out_proj(out.transpose(1, 2).flatten(2))
        if not batched:
            return out.squeeze(0), None if weights is None else weights.squeeze(0)
        return out if self.batch_first else out.transpose(0, 1), weights

    def _mask(self, key_padding_mask, attn_mask, causal, batch, rows, keys, extra, number):
        """One mask in the convention of functional.attention, [B|1, H|1, L|1, S]: bool where both are, else numbers; None where nothing is hidden or
        the causal flag alone says it."""
        name = "[calor.nn.MultiheadAttention]"
        parts = []
        if key_padding_mask is not None:
            if list(key_padding_mask.shape) != [batch, keys]:
                raise ValueError(f"{name} expected key_padding_mask of {[batch, keys]}, found {list(key_padding_mask.shape)}")
            parts.append(key_padding_mask[:, None, None])
        if attn_mask is not None and not (causal and not parts):
            shapes = ([rows, keys], [batch * self.num_heads, rows, keys])
            if list(attn_mask.shape) not in shapes:
                raise ValueError(f"{name} expected attn_mask of {shapes[0]} or {shapes[1]}, found {list(attn_mask.shape)}")
            parts.append(attn_mask if attn_mask.dim() == 2 else attn_mask.unflatten(0, (batch, self.num_heads)))
        if not parts:
            return None
        if all(part.dtype == torch.bool for part in parts):
            mask = ~(parts[0] if len(parts) == 1 else parts[0] | parts[1])
            pad: Any = True
        else:
            mask = sum(torch.zeros_like(part, dtype=number).masked_fill_(part, -math.inf) if part.dtype == torch.bool else part for part in parts)
            pad = 0.0
        return nn.functional.pad(mask, (0, extra), value=pad) if extra else mask


def _weights(q, k, scale, score, mask):
    """softmax(s), [B, H, L, S]; rows that may attend to nothing are 0."""
    if isinstance(scale, torch.Tensor):
        scale = scale[..., None, None]
    if score != "dot":
        q, k = as_products(q, k, q.dtype)
    scores = (q @ k.transpose(-2, -1)) * scale
    if mask is None:
        return scores.softmax(-1)
    scores = torch.where(mask, scores, -math.inf) if mask.dtype == torch.bool else scores + mask
    return torch.where((scores == -math.inf).all(-1, keepdim=True), 0, scores.softmax(-1))


def replace_attention(model, score="metric", *, temperature="fixed", hidden=None, only=None):
    """Puts `MultiheadAttention` in the place of every torch.nn.MultiheadAttention in `model` (and of ours with another score); returns their names.

    Parameters are shared, so that optimisers that hold them stay good; those of "metric" (phi) and of a learned temperature are new: give them to the
    optimiser, or make it after this.  phi starts as the identity.  With ``score="dot"`` the model computes what it did.  only: a function of the
    name and the module that says which.  Raises ValueError where the model holds none, and where it is one itself (`MultiheadAttention.like`).
    """
    if isinstance(model, nn.MultiheadAttention):
        raise ValueError("[calor.nn.replace_attention] expected a model that holds attention, found the attention itself: MultiheadAttention.like(module) makes another")
    found = [(name, module) for name, module in model.named_modules()
             if isinstance(module, nn.MultiheadAttention) and getattr(module, "score", None) != score]
    chosen = [(name, module) for name, module in found if only is None or only(name, module)]
    if not chosen:
        kinds = sorted({type(module).__name__ for module in model.modules() if "ttention" in type(module).__name__})
        raise ValueError(f"[calor.nn.replace_attention] expected torch.nn.MultiheadAttention in the model, found {len(found)} of them, none chosen"
                         + (f"; it has {', '.join(kinds)}: models of transformers take calor.nn.hugging_face.register()" if kinds and not found else ""))
    new = {}
    for name, module in chosen:  # a module that stands in several places is one in all of them
        if id(module) not in new:
            new[id(module)] = MultiheadAttention.like(module, score=score, temperature=temperature, hidden=hidden)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if id(child) in new:
                setattr(parent, name, new[id(child)])
    for encoder in model.modules():  # nested tensors are for torch's fused layers
        if isinstance(encoder, nn.TransformerEncoder) and any(isinstance(module, MultiheadAttention) for module in encoder.modules()):
            encoder.use_nested_tensor = False
    return [name for name, _ in chosen]
