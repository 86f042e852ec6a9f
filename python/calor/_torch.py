"""torch, where it is installed."""

try:
    import torch
except ImportError as missing:
    raise ImportError("[calor] expected torch for attention and nn, found none: install the extra, pip install 'calor[torch]'") from missing

__all__ = ["torch"]
