"""Keys and values of earlier rows, for decoding step by step."""

from typing import Any

from .._torch import torch


class KeyValueCache:
    """Grows by doubling, so that n steps copy O(n) rows.

    >>> cache = KeyValueCache()
    >>> k, v = cache.append(torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 4))      # a prompt of 3 rows
    >>> k, v = cache.append(torch.ones(1, 2, 1, 4), torch.ones(1, 2, 1, 4))      # the next row
    >>> len(cache), tuple(k.shape), cache.mask(1).tolist()
    (4, (1, 2, 4, 4), [[True, True, True, True]])

    """

    def __init__(self):
        self._keys: Any = None
        self._values: Any = None
        self._rows = 0

    def __len__(self):
        return self._rows

    def append(self, k, v):
        """k ``[..., S, d]`` and v ``[..., S, dv]`` behind what is there; all keys and values so far, views of the cache's own memory."""
        if k.shape[-2] != v.shape[-2]:
            raise ValueError(f"[calor.nn.KeyValueCache] expected as many values as keys, found {list(v.shape)} and {list(k.shape)}")
        self._keys = self._with(self._keys, k)
        self._values = self._with(self._values, v)
        self._rows += k.shape[-2]
        return self._keys[..., : self._rows, :], self._values[..., : self._rows, :]

    def mask(self, queries):
        """Causal, bool ``[queries, len(self)]``: for the last `queries` of the rows so far."""
        rows = torch.arange(self._rows - queries, self._rows, device=self._keys.device)
        return torch.arange(self._rows, device=self._keys.device) <= rows[:, None]

    def clear(self):
        """Forgets all rows and keeps the memory."""
        self._rows = 0

    def _with(self, held, new):
        end = self._rows + new.shape[-2]
        if held is None or end > held.shape[-2]:
            larger = new.new_empty(*new.shape[:-2], max(end, 2 * self._rows), new.shape[-1])
            if held is not None:
                larger[..., : self._rows, :] = held[..., : self._rows, :]
            held = larger
        elif held.shape[:-2] != new.shape[:-2] or held.shape[-1] != new.shape[-1]:
            raise ValueError(f"[calor.nn.KeyValueCache] expected rows of {list(held.shape[:-2])} and {held.shape[-1]} features, found {list(new.shape)}")
        held[..., self._rows : end, :] = new
        return held
