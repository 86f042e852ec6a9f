#!/usr/bin/env python3
"""Checks the rules that the source tree's layout promises; needs nothing but the standard library.

  lint_includes.py [ROOT]      exit 1 with "file:line: message" for every breach, 2 for a wrong call

1. Includes go downwards only: core < io, kernels, report < engine, bindings/torch < analyse, measure < limit, pipeline
   < similarity < propagate < recipes < api, cluster, inspect, model < learn, bindings/python < apps.
2. Only learn/, bindings/, their tests and the benchmarks include torch, ATen or c10.
3. Every header has #pragma once.
4. No file names a path of the machine it was written on.
"""

import re
import sys
from pathlib import Path

RANKS = {"core": 0, "io": 1, "kernels": 1, "report": 1, "engine": 2, "bindings/torch": 2, "analyse": 3, "measure": 3, "limit": 4, "pipeline": 4,
         "similarity": 5, "propagate": 6, "recipes": 7, "api": 8, "cluster": 8, "inspect": 8, "model": 8, "learn": 9, "bindings/python": 9, "apps": 10}
TORCH_ROOMS = ("learn", "bindings/torch")
SOURCE_FOLDERS = ("calor", "apps", "bindings", "tests", "bench", "python", "tools", "examples", "cmake", "data", "docs")
CODE_SUFFIXES = {".h", ".hpp", ".cpp", ".cc", ".cu", ".cuh", ".inc"}
TEXT_SUFFIXES = CODE_SUFFIXES | {".py", ".cmake", ".txt", ".in", ".md", ".js", ".css", ".html", ".json", ".toml", ".sh", ""}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
TORCH = re.compile(r"^(torch|ATen|c10)/")
# Written in pieces so that this file keeps its own rule.
FORBIDDEN = re.compile("|".join((r"(?<![\w.])/" + r"work/", r"\.\./" + r"shared\b", r"(?<![\w.])/" + r"home/\w", r"(?<![\w.])/" + r"root/")))


def room_of(parts):
    """The room of a path's parts or of an include's parts; None outside the rooms (tests, bench, the version header)."""
    if parts[0] == "calor" and len(parts) > 2:
        return parts[1]
    if parts[0] == "bindings" and len(parts) > 2:
        return "/".join(parts[:2])
    return "apps" if parts[0] == "apps" else None


def may_use_torch(parts):
    if room_of(parts) in TORCH_ROOMS:
        return True
    return parts[0] == "bench" or (parts[0] == "tests" and parts[1] in ("torch", "learn"))


def check_include(parts, target):
    """The breach of an include in the file with these path parts, or None."""
    room, other = room_of(parts), room_of(target.split("/"))
    if TORCH.match(target):
        return None if may_use_torch(parts) else f"{room or parts[0]} includes torch: only learn and bindings may"
    if room not in RANKS or other is None or room == other:
        return None
    if RANKS.get(other, len(RANKS)) >= RANKS[room]:
        return f"{room} includes {other} ({target}): includes go downwards only"
    return None


def check_file(path, parts):
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    breaches = []
    if path.suffix in CODE_SUFFIXES and room_of(parts) not in (None, *RANKS):
        breaches.append((1, f"room {room_of(parts)} has no rank: give it one in tools/lint_includes.py"))
    for number, line in enumerate(lines, 1):
        if found := FORBIDDEN.search(line):
            breaches.append((number, f"a path of one machine: {found.group(0)}"))
        include = INCLUDE.match(line) if path.suffix in CODE_SUFFIXES else None
        if include and (breach := check_include(parts, include.group(1))):
            breaches.append((number, breach))
    if path.suffix in (".h", ".hpp", ".cuh") and not path.name.endswith("-inl.h"):
        if not any(line.strip() == "#pragma once" for line in lines):
            breaches.append((1, "a header needs #pragma once"))
    return breaches


def files_below(root):
    for folder in SOURCE_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts:
                yield path
    yield from (path for path in sorted(root.iterdir()) if path.is_file() and path.suffix in TEXT_SUFFIXES and path.name != ".git")  # a linked work tree's


def lint(root):
    breaches = []
    for path in files_below(root):
        parts = path.relative_to(root).parts
        breaches += [f"{path.relative_to(root)}:{number}: {text}" for number, text in check_file(path, parts)]
    return breaches


def main(arguments):
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    if len(arguments) > 1 or not (root / "calor").is_dir():
        print("lint_includes.py: expected the root of the source tree", file=sys.stderr)
        return 2
    breaches = lint(root)
    print(*breaches, sep="\n", end="\n" if breaches else "")
    return int(bool(breaches))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
