"""Remarks of the engine as Python's warnings."""

import warnings
from collections.abc import Iterable


class CalorWarning(UserWarning):
    """What a person should know about a result: several components, an unclear bandwidth, an iteration cut short."""


def warn_of(notes: Iterable[tuple[str, str]]) -> None:
    for stage, text in notes:
        warnings.warn(f"[{stage}] {text}", CalorWarning, stacklevel=4)
