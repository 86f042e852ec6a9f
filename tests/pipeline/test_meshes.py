"""Surfaces from the command line: files of triangles as points, and their heat kernel signature.

Truth: on a sphere every point is like every other, so that a signature is one row; moving and scaling a surface changes nothing.
"""
import math

import numpy as np
import pytest

from command import run as calor


def icosphere(levels):
    """Points on the unit sphere, nearly evenly spread, and their triangles."""
    golden = (1 + math.sqrt(5)) / 2
    points = [np.array(p, float) / math.hypot(1, golden) for p in
              [(-1, golden, 0), (1, golden, 0), (-1, -golden, 0), (1, -golden, 0), (0, -1, golden), (0, 1, golden), (0, -1, -golden), (0, 1, -golden), (golden, 0, -1), (golden, 0, 1), (-golden, 0, -1), (-golden, 0, 1)]]
    faces = [(0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11), (1, 5, 9), (5, 11, 4), (11, 10, 2), (10, 7, 6), (7, 1, 8), (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8), (3, 8, 9), (4, 9, 5), (2, 4, 11), (6, 2, 10), (8, 6, 7), (9, 8, 1)]
    for _ in range(levels):
        middle, cut = {}, []

        def between(a, b):
            key = min(a, b), max(a, b)
            if key not in middle:
                point = points[a] + points[b]
                middle[key] = len(points)
                points.append(point / np.linalg.norm(point))
            return middle[key]

        for a, b, c in faces:
            ab, bc, ca = between(a, b), between(b, c), between(c, a)
            cut += [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
        faces = cut
    return np.array(points), np.array(faces)


def off(path, points, faces):
    path.write_text(f"OFF\n{len(points)} {len(faces)} 0\n" + "".join(f"{x!r} {y!r} {z!r}\n" for x, y, z in points.tolist()) + "".join(f"3 {a} {b} {c}\n" for a, b, c in faces.tolist()))
    return path


@pytest.fixture(scope="module")
def sphere():
    return icosphere(3)


def signature(path, *words):
    out = path.with_suffix(".npy")
    calor("run", "heat_signature(16)", path, "-o", out, "-q", *words)
    return np.load(out)


def test_all_points_of_a_sphere_are_alike(tmp_path, sphere):
    found = signature(off(tmp_path / "sphere.off", *sphere))
    assert found.shape == (len(sphere[0]), 16)
    assert (np.diff(found, axis=1) < 0).all(), "heat leaves a point as time goes on"
    assert (found.std(0) / found.mean(0) < 0.03).all()
    # After a long time a share 1 / area of the heat is everywhere; at time 1 the second eigenvalue, 2, leaves 3 exp(-2) / area beside it.
    assert found[:, -1].mean() * 4 * math.pi == pytest.approx(1 + 3 * math.exp(-2) + 5 * math.exp(-6), rel=0.02)


def test_motions_and_scales_change_nothing(tmp_path, sphere):
    points, faces = sphere
    points = points * (1, 0.6, 1.7)  # not a sphere any more
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    before, after = signature(off(tmp_path / "a.off", points, faces)), signature(off(tmp_path / "b.off", 30 * points @ turn + 5, faces))
    np.testing.assert_allclose(after, before, rtol=1e-6)


def test_the_formats_give_the_same(tmp_path, sphere):
    points, faces = sphere
    obj = tmp_path / "s.obj"
    obj.write_text("".join(f"v {x!r} {y!r} {z!r}\n" for x, y, z in points.tolist()) + "".join(f"f {a + 1} {b + 1} {c + 1}\n" for a, b, c in faces.tolist()))
    np.testing.assert_array_equal(signature(obj), signature(off(tmp_path / "s.off", points, faces)))


def test_other_pipelines_take_the_corners(tmp_path, sphere):
    path = off(tmp_path / "sphere.off", *sphere)
    calor("run", "distance(1) | double_center | eigen(3, time=0.5)", path, "-o", tmp_path / "mds.npy", "-q")
    found = np.load(tmp_path / "mds.npy")
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    calor("run", "distance(1) | double_center | eigen(3, time=0.5)", off(tmp_path / "sphere.txt", *sphere), "-o", tmp_path / "same.npy", "-q")
    np.testing.assert_array_equal(np.load(tmp_path / "same.npy"), found, "the content decides, not the name")
    said = calor("run", "heat_signature(8) | cluster(2)", path).stderr
    assert "read 642 points and 1,280 triangles (OFF)" in said


@pytest.mark.parametrize("words,message", [
    (["heat_signature(16)", "iris"], "iris"),
    (["distance(2) | exp(1) | row | apply | heat_signature(4)", "{sphere}"], "put it first"),
    (["heat_signature(1)", "{sphere}"], "from 2 to 1000"),
    (["heat_signature(16)", "{damaged}"], "damaged.off"),
])
def test_what_is_no_surface_is_named(tmp_path, sphere, words, message):
    places = {"sphere": off(tmp_path / "sphere.off", *sphere), "damaged": tmp_path / "damaged.off"}
    places["damaged"].write_text("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1\n3 0 1 2\n")
    assert message in calor("run", *(word.format(**places) for word in words), code=(2, 3)).stderr
