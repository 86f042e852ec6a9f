"""Markov clustering: the clusters of the program mcl (22-282, Debian) on real graphs, small graphs whose answer is known, new nodes.

The references were written by `mcl FILE --abc -I I` and are compared as sets of sets.
"""
import csv
import io
import json
import os
import pathlib
import random

import numpy as np
import pytest

DATA = os.environ.get("CALOR_DATA")
GRAPHS = pathlib.Path(DATA or ".") / "graphs"


def references():
    return sorted((GRAPHS / "mcl_reference_output").glob("*.clusters")) if DATA else []


def graph_of(name):
    for path in (GRAPHS / "plain" / f"{name}.edges", GRAPHS / "ppi" / f"{name}.txt", GRAPHS.parent / "cora" / "plain" / f"{name}.edges"):
        if path.exists():
            return path
    raise FileNotFoundError(name)


def cluster_of(text):
    return {row["name"]: row["cluster"] for row in csv.DictReader(io.StringIO(text))}


def clusters(text):
    members = {}
    for name, cluster in cluster_of(text).items():
        members.setdefault(cluster, set()).add(name)
    return {frozenset(cluster) for cluster in members.values()}


@pytest.mark.skipif(not DATA, reason="CALOR_DATA names no data folder")
@pytest.mark.parametrize("reference", references(), ids=lambda path: path.stem)
def test_clusters_are_those_of_the_program_mcl(calor, reference):
    name, inflation = reference.stem.split(".I")
    expected = {frozenset(line.split("\t")) for line in reference.read_text().splitlines()}
    assert clusters(calor("run", "mcl", graph_of(name), "--set", f"inflation={inflation}", "-q").stdout) == expected


def write(path, lines):
    path.write_text("".join(line + "\n" for line in lines))
    return path


def cliques(names, weight=1):
    return [f"{a} {b} {weight}" for i, a in enumerate(names) for b in names[i + 1:]]


# Of sums beyond the largest double, and of sums whose reciprocal is; one scale for all, and rows of very different ones.
@pytest.mark.parametrize("left, right, bridge", [("1e308", "1e308", "1e308"), ("1.7e308", "1.7e308", "1e300"), ("1e-310", "1e-310", "1e-310"), ("5e-324", "5e-324", "5e-324"),
                                                 ("1e308", "1e-310", "1e-310"), ("1e308", "1", "1e-5")])
def test_any_finite_weights_have_their_clusters(calor, tmp_path, left, right, bridge):
    path = write(tmp_path / "g.txt", cliques("abcde", left) + cliques("vwxyz", right) + [f"e v {bridge}"])
    assert clusters(calor("run", "mcl", path, "-q").stdout) == {frozenset("abcde"), frozenset("vwxyz")}


@pytest.mark.parametrize("power", [-1070, -900, 900, 1020])
def test_ranks_do_not_depend_on_the_unit_of_weights(calor, tmp_path, power):
    def ranks(name, unit):
        lines = [f"{a} {b} {weight * unit!r}" for a, b, weight in [("a", "b", 1.0), ("b", "c", 2.0), ("c", "a", 3.0), ("c", "d", 1.0), ("d", "a", 2.0), ("a", "d", 5.0)]]
        return json.loads(calor("run", "pagerank", write(tmp_path / name, lines), "--json", "-q").stdout)["result"]["values"]["rank"]

    plain, scaled = ranks("plain.txt", 1.0), ranks("scaled.txt", 2.0**power)
    np.testing.assert_allclose(scaled, plain, rtol=1e-12)


def test_two_cliques_joined_by_an_edge_are_two_clusters(calor, tmp_path):
    path = write(tmp_path / "g.txt", cliques("abcde") + cliques("vwxyz") + ["e v 1"])
    assert clusters(calor("run", "mcl", path, "-q").stdout) == {frozenset("abcde"), frozenset("vwxyz")}


def test_higher_inflation_gives_more_clusters(run, tmp_path):
    ring = [f"{i} {(i + step) % 60} 1" for i in range(60) for step in (1, 2)]
    path = write(tmp_path / "ring.txt", ring)
    counts = [run("mcl", path, "--set", f"inflation={r}")["quality"]["clusters"]["count"] for r in (1.2, 2, 4)]
    assert counts == sorted(counts) and counts[0] < counts[-1]


# What the program gives for a path of five, whatever the order of its nodes: the middle goes to the attractor that comes first.
@pytest.mark.parametrize("order, middle", [("abcde", "b"), ("edcba", "d"), ("adbce", "d"), ("bdeac", "b"), ("cdbae", "d")])
def test_a_point_between_two_clusters_goes_to_the_first_attractor(calor, tmp_path, order, middle):
    path = write(tmp_path / "path.txt", [f"{name} {name}" for name in order] + ["a b", "b c", "c d", "d e"])
    done = calor("run", "mcl", path)
    expected = {frozenset("abc"), frozenset("de")} if middle == "b" else {frozenset("ab"), frozenset("cde")}
    assert clusters(done.stdout) == expected
    assert "the flow of 1 point goes to several clusters alike" in done.stderr


def test_loops_directions_and_repeated_lines_do_not_matter(calor, tmp_path):
    edges = cliques("abcd", 2) + cliques("wxyz", 3) + ["d w 1"]
    expected = clusters(calor("run", "mcl", write(tmp_path / "one.txt", edges), "-q").stdout)
    turned = [" ".join(np.array(line.split())[[1, 0, 2]]) for line in edges]
    for more in (turned, edges, ["a a 100", "w w 7"], ["d w 0.5", "w d 0.25"], ["q q 1"]):
        found = clusters(calor("run", "mcl", write(tmp_path / "more.txt", edges + more), "-q").stdout)
        assert {cluster for cluster in found if cluster != {"q"}} == expected


def test_awkward_graphs(calor, tmp_path):
    assert clusters(calor("run", "mcl", write(tmp_path / "one.txt", ["a a 1"]), "-q").stdout) == {frozenset("a")}
    zero = write(tmp_path / "zero.txt", ["a b 1", "b c 0", "d e 0"])
    assert clusters(calor("run", "mcl", zero, "-q").stdout) == {frozenset("ab"), frozenset("c"), frozenset("d"), frozenset("e")}
    assert "not negative" in calor("run", "mcl", write(tmp_path / "n.txt", ["a b 1", "b c -1"]), code=3).stderr
    calor("run", "mcl", write(tmp_path / "e.txt", ["# nothing"]), code=3)
    assert "found iris, a bundled table" in calor("run", "mcl", "iris", code=3).stderr
    assert "[inflate] expected a number from 0.001" in calor("run", "mcl", zero, "--set", "inflation=0", code=2).stderr
    complete = write(tmp_path / "k.txt", cliques([f"n{i}" for i in range(150)]))
    assert len(clusters(calor("run", "mcl", complete, "-q").stdout)) == 1


def test_columns_do_the_same_as_rows(calor, tmp_path):
    drawn = random.Random(3)
    lines = [f"{a} {b} {drawn.random():.3f}" for a in range(80) for b in range(a) if drawn.random() < (0.5 if a // 10 == b // 10 else 0.02)]
    path = write(tmp_path / "g.txt", lines)
    text = "adjacency(loops=drop, edges=undirected) | self_loops(greatest) | {0} | repeat(expand(2, prune=0.0001, keep=1100, recover=1400) | inflate(2) | {0}) | components(attractors)"
    rows = clusters(calor("run", text.format("row"), path, "-q").stdout)
    assert len(rows) > 3
    assert clusters(calor("run", text.format("column"), path, "-q").stdout) == rows == clusters(calor("run", "mcl", path, "-q").stdout)
    for threads in ("1", "2"):
        assert clusters(calor("run", "mcl", path, "-q", "--threads", threads).stdout) == rows


def test_new_nodes_join_the_cluster_that_most_of_their_weight_leads_to(calor, tmp_path):
    path = write(tmp_path / "g.txt", cliques("abcde") + cliques("vwxyz") + ["e v 1"])
    model = tmp_path / "mcl.calor"
    cluster = cluster_of(calor("run", "mcl", path, "-q", "--save", model).stdout)
    new = write(tmp_path / "new.txt", ["p a 1", "p v 0.4", "y p 0.5", "q w 2", "q a 2", "q b 0.1", "r s 1", "a b 5", "t z 1"])
    done = calor("apply", model, new)
    assert cluster_of(done.stdout) == {"p": cluster["a"], "q": cluster["a"], "r": "", "s": "", "t": cluster["z"]}
    assert "1 edge among new nodes" in done.stderr and "1 edge among the fit's nodes" in done.stderr and "2 of 5 new points have no edge" in done.stderr
    # One at a time they get the same.
    assert cluster_of(calor("apply", model, write(tmp_path / "p.txt", ["p a 1", "p v 0.4", "y p 0.5"]), "-q").stdout) == {"p": cluster["a"]}
    assert "expected nodes that the fit has not" in calor("apply", model, path, code=3).stderr


def columns_of(text):
    """The columns of a file in mcl's own format: {column: [(row, value)]}."""
    listed = (column.split() for column in text.split("begin")[1].split(")")[0].split("$"))
    entries = [[(int(row), float(value or 1)) for row, _, value in (word.partition(":") for word in words)] for words in listed if words]
    return {words[0][0]: words[1:] for words in entries}


@pytest.mark.skipif(not DATA, reason="CALOR_DATA names no data folder")
@pytest.mark.parametrize("name", ["small", "falkner", "proteins"])
def test_clusters_of_its_own_format_are_those_of_the_program_mcl(calor, tmp_path, name):
    columns = columns_of((GRAPHS / "mcl" / f"{name}.mci").read_text())  # one way: some have no reverse
    path = write(tmp_path / "g.txt", [f"{node} {to} {value}" for node, edges in columns.items() for to, value in edges])
    expected = {frozenset(str(node) for node, _ in members) for members in columns_of((GRAPHS / "mcl_reference_output" / f"{name}.I2.0.mcl").read_text()).values()}
    assert clusters(calor("run", "mcl", path, "--set", "adjacency.edges=directed", "-q").stdout) == expected
