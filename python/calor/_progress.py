"""How far a fit is: a bar on stderr, or in a notebook one that is drawn anew in its place."""

from __future__ import annotations

import html
import sys
import time
from typing import Any

WIDTH = 30
MOMENT = 0.1  # seconds between two drawings in a notebook, each of which is a message to the browser


def bar() -> Terminal | Notebook:
    """The bar of where we are.  IPython is asked only where it runs already."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return Notebook() if getattr(shell, "kernel", None) is not None else Terminal()


def share_of(done: float, total: float) -> float:
    return min(1.0, max(0.0, done / total))


class Terminal:
    """One line that is written over: ``[#########...]  30 %  stress 4.2``; without a known end a count."""

    def __call__(self, done: float, total: float, what: str) -> None:
        share = share_of(done, total) if total > 0 else 0.0
        filled = int(share * WIDTH)
        drawn = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {100 * share:3.0f} %" if total > 0 else f"{done:.0f}"
        sys.stderr.write(f"\r{drawn}  {what:<40.40}")
        sys.stderr.flush()

    def close(self) -> None:
        sys.stderr.write("\r" + " " * (WIDTH + 50) + "\r")
        sys.stderr.flush()


class Notebook:
    """An HTML bar under the cell, and a line for front ends that show text alone; it goes when the fit ends."""

    def __init__(self) -> None:
        self.handle: Any = None
        self.drawn = 0.0

    def __call__(self, done: float, total: float, what: str) -> None:
        now = time.monotonic()
        if self.handle is not None and now - self.drawn < MOMENT:
            return
        self.drawn = now
        share = f"{100 * share_of(done, total):.0f} %" if total > 0 else f"{done:.0f}"
        reached = f' value="{share_of(done, total):.4f}"' if total > 0 else ""
        self._draw({"text/html": f"<progress{reached}></progress> {share} {html.escape(what)}", "text/plain": f"{share}  {what}"})

    def close(self) -> None:
        if self.handle is not None:
            self._draw({"text/html": "", "text/plain": ""})

    def _draw(self, bundle: dict[str, str]) -> None:
        from IPython.display import display

        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)
