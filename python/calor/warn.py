"""Remarks of the engine as Python's warnings."""

import pathlib
import sys
import warnings
from collections.abc import Iterable

_PACKAGE = str(pathlib.Path(__file__).parent)


class CalorWarning(UserWarning):
    """What a person should know about a result: several components, an unclear bandwidth, an iteration cut short."""


def warn_of(notes: Iterable[tuple[str, str]]) -> None:
    """At the line that called the package."""
    depth, frame = 1, sys._getframe()
    while frame.f_back and frame.f_code.co_filename.startswith(_PACKAGE):
        depth, frame = depth + 1, frame.f_back
    for stage, text in notes:
        warnings.warn(f"[{stage}] {text}", CalorWarning, stacklevel=depth)
