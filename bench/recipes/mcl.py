"""mcl against the program mcl (Debian's 22-282) on planted groups of 50 among 20,000 nodes with 190,000 edges, one thread each.

Four fifths of the edges are drawn inside a group, the others anywhere.  The clusters must be the same, set by set.  Times are of the
processor: of our stages, and of all of the program, whose reading and writing take less than a second here."""
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

import numpy as np

import calor
import data
from interleave import interleave, row

SIZES = (190_000,)
NODES, GROUP, INSIDE, INFLATION = 20_000, 50, 0.8, "2"


def planted(edges, seed=1):
    """A path to `edges` distinct edges, the nodes in an order that says nothing of the groups."""
    path = data.CACHE / f"planted-{edges}.txt"
    if path.exists():
        return path
    drawn = np.random.default_rng(seed)
    names = drawn.permutation(NODES)
    found = set()
    while len(found) < edges:
        a = int(drawn.integers(NODES))
        b = a // GROUP * GROUP + int(drawn.integers(GROUP)) if drawn.random() < INSIDE else int(drawn.integers(NODES))
        if a != b:
            found.add(tuple(sorted((int(names[a]), int(names[b])))))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{a}\t{b}\t1\n" for a, b in sorted(found)))
    return path


def _calor(path):
    _, document = calor.run("mcl", path, [f"inflation={INFLATION}"])
    members = {}
    for name, cluster in zip(document["result"]["values"]["name"], document["result"]["values"]["cluster"]):
        members.setdefault(cluster, set()).add(str(name))
    return calor.processor_seconds(document), {frozenset(cluster) for cluster in members.values()}


def _mcl(path):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "clusters"
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run(["mcl", path, "--abc", "-I", INFLATION, "-te", "1", "-V", "all", "-q", "x", "-o", out], check=True)
        seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        return seconds, {frozenset(line.split("\t")) for line in out.read_text().splitlines()}


def measure(size, rounds):
    if not shutil.which("mcl"):
        sys.exit("[bench] expected the program mcl, found none: apt-get install mcl")
    path = planted(size)

    def check(answers):
        assert answers["calor"] == answers["mcl"], "the clusters differ"
        return f"the same {len(answers['mcl'])} clusters"

    seconds, quality = interleave({"calor": lambda: _calor(path), "mcl": lambda: _mcl(path)}, check, rounds)
    yield row(f"mcl, {NODES} nodes, {size} edges", seconds, quality)
