"""torch's operators calor::* without a library that was compiled for one torch: registered in Python over `_engine`'s kernels, for torch 2.9 and later.

The same names, arguments, checks and numbers as those of bindings/torch, which take its place where they were compiled for the torch at hand: those cost a
call a few microseconds, these some tens (docs/pytorch.md).  The second derivative of attention is the composition's here, with a matrix of the scores.
Importing this module registers them, once per process.
"""

from . import attention, edges

__all__ = ["attention", "edges"]
