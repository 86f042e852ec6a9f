"""A report: a file, or inline in a notebook."""

from __future__ import annotations

import html
import os
import pathlib
import tempfile
from typing import Any


class Page:
    """`report(path)` and `show()` of what `_write_page(path, labels)` writes."""

    def _write_page(self, path: str, labels: Any = None) -> None:
        raise NotImplementedError

    def report(self, path: str | os.PathLike[str]) -> None:
        """The page of the command line's --report: one HTML file that works offline."""
        self._write_page(os.fspath(path))

    def show(self, labels: Any = None, *, height: int = 900) -> Any:
        """The report inline, in a notebook: the last expression of a cell.  height in pixels; labels as of `report`, where that takes any."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "report.html"
            self._write_page(str(path), labels)
            return Inline(path.read_text(encoding="utf-8"), height)


class Inline:
    """What a notebook shows by its HTML; needs no IPython."""

    def __init__(self, page: str, height: int) -> None:
        self.page, self.height = page, height

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self.page)}" width="100%" height="{self.height}" style="border: 0"></iframe>'

    def __repr__(self) -> str:
        return f"<report of {len(self.page) / 2**20:.1f} MiB: shown in a notebook; report(path) writes it>"
