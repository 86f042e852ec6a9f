"""A report, inline in a notebook."""

from __future__ import annotations

import html
import pathlib
import tempfile
from typing import Any


class Page:
    """`show()` for what has `report(path, ...)`."""

    def show(self, *arguments: Any, height: int = 900, **named: Any) -> Any:
        """The report inline, in a notebook: the last expression of a cell.  height in pixels; what else is given goes to `report` behind its path."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "report.html"
            self.report(path, *arguments, **named)  # type: ignore[attr-defined]
            return Inline(path.read_text(encoding="utf-8"), height)


class Inline:
    """What a notebook shows by its HTML; needs no IPython."""

    def __init__(self, page: str, height: int) -> None:
        self.page, self.height = page, height

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self.page)}" width="100%" height="{self.height}" style="border: 0"></iframe>'

    def __repr__(self) -> str:
        return f"<report of {len(self.page) / 2**20:.1f} MiB: shown in a notebook; report(path) writes it>"
