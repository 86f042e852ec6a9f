"""Compute similarities, then let information flow along them: streamed attention as PyTorch operators.

``calor.attention`` is the operator, ``calor.nn`` holds layers built on it.
"""

from . import nn
from .ops import attention, library_path

__all__ = ["attention", "library_path", "nn"]
__version__ = "0.1.0"
