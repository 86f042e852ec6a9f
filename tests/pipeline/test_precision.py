"""What the units and the origin of the data may change: nothing but the units of the result.

Data are scaled by powers of two, which rounds nothing, so the results are the same but for that factor and, where an iteration stops at
a tolerance, for rounding.  A file's digits beyond those of a 32-bit float count.
"""
import numpy as np
import pytest
from scipy.spatial.distance import pdist

from results import table


def cloud(rows=60, width=3, seed=0):
    points = np.random.default_rng(seed).normal(size=(rows, width))
    points[rows // 2 :, 0] += 6
    return points.astype(np.float32)


def write_exactly(path, points):
    path.write_text("\n".join([",".join("abcdef"[: points.shape[1]])] + [",".join(map(repr, row)) for row in points.tolist()]) + "\n")
    return path


# How the result goes with the unit of the data.
POWERS = {
    "mds": 1, "mds-metric": 1, "isomap": 1, "lle": 0, "laplacian-eigenmaps": 0, "diffusion-map": 0,
    "knn(10) | distance(1) | geodesic | match": 1,
    "knn(10) | dot | mean | eigen(2, time=0.5)": 1,
    "repeat(distance(2) | exp(auto) | row | apply, tolerance=1, max_iterations=1)": 1,
}  # fmt: skip


@pytest.mark.parametrize("recipe", POWERS)
@pytest.mark.parametrize("rows", [60, 300])
def test_the_unit_of_the_data_changes_the_unit_of_the_result_alone(calor, tmp_path, recipe, rows):
    points = cloud(rows)
    found = {}
    for exponent in (0, -100, 100):
        path = tmp_path / f"unit{exponent}.npy"
        np.save(path, points * np.float32(2.0**exponent))
        settings = ["--set", "knn.k=20"] if recipe in ("isomap", "laplacian-eigenmaps") else []
        model = tmp_path / "fit.safetensors"
        fit = table(calor("run", recipe, path, "--save", model, *settings, "-q").stdout)
        placed = table(calor("apply", model, path, "-q").stdout)
        unit = 2.0 ** (exponent * POWERS[recipe])
        found[exponent] = [np.column_stack([t[name] for name in t.dtype.names]) / unit for t in (fit, placed)]
    size = np.abs(found[0][0]).max()
    assert size > 1e-3
    for exponent in (-100, 100):
        for one, expected in zip(found[exponent], found[0]):
            # lle's regularisation and every eigensolver stop at tolerances relative to the matrix: 1e-10 of a value, 1e-5 of a vector
            assert np.abs(one - expected).max() < 1e-5 * size


@pytest.mark.parametrize("recipe", ["k-means", "spectral-clustering", "mean-shift"])
def test_the_unit_of_the_data_changes_no_cluster(calor, tmp_path, recipe):
    clusters, points = [], cloud()
    points[30:, 0] += 100
    for exponent in (0, -100, 100):
        path = tmp_path / f"unit{exponent}.npy"
        np.save(path, points * np.float32(2.0**exponent))
        settings = ["--set", "k=2" if recipe != "mean-shift" else f"h={4 * 4.0**exponent}"]
        clusters.append(calor("run", recipe, path, *settings, "-q").stdout)
    assert clusters[0] == clusters[1] == clusters[2] and len(set(clusters[0].split())) > 2


def test_a_unit_whose_squares_leave_the_range_is_said(calor, tmp_path):
    path = write_exactly(tmp_path / "tiny.csv", cloud().astype(float) * 1e-300)
    assert "another unit" in calor("run", "mds", path, code=3).stderr


@pytest.mark.parametrize("offset", [1e6, 1e9])
@pytest.mark.parametrize("form", ["csv", "npy"])
def test_variation_at_a_large_offset_is_seen(calor, tmp_path, offset, form):
    points = cloud().astype(float) + offset
    if form == "csv":
        path = write_exactly(tmp_path / "far.csv", points)
    else:
        path = tmp_path / "far.npy"
        np.save(path, points)
    done = calor("run", "mds", path, "--set", "eigen.k=3")
    embedding = np.column_stack(list(table(done.stdout)[name] for name in ("dim1", "dim2", "dim3")))
    assert np.abs(pdist(embedding) - pdist(points)).max() < 1e-5  # a double at 1e9 has 1e-7
    assert "note" not in done.stderr


def test_digits_that_a_file_has_lost_are_said(run, calor, tmp_path):
    far = (cloud() + np.array([0, 1e6, 0])).astype(np.float32)
    np.save(tmp_path / "far.npy", far)
    notes = run("mds", tmp_path / "far.npy")["notes"]
    assert [note["stage"] for note in notes] == ["data"]
    assert '"x2"' in notes[0]["text"] and "64-bit" in notes[0]["text"]
    assert "note: [data]" in calor("run", "mds", tmp_path / "far.npy", "-o", tmp_path / "o.csv").stderr
    # Nothing is lost of whole numbers, small offsets, or a constant.
    whole = np.random.default_rng(0).integers(0, 5, (50, 2)) + np.array([10_000_000, 0])
    np.save(tmp_path / "whole.npy", np.column_stack([whole, np.full(50, 0.1)]).astype(np.float32))
    np.save(tmp_path / "near.npy", cloud() + np.float32(1000))
    for name in ("whole.npy", "near.npy"):
        assert run("mds", tmp_path / name)["notes"] == []


def test_a_training_point_of_metric_scaling_comes_back(calor, tmp_path):
    """Exactly, and points beside it land near: within what the fit's stress had left to fall."""
    data, model = tmp_path / "d.npy", tmp_path / "m.safetensors"
    np.save(data, cloud(80))
    fit = coordinates_of(calor("run", "mds-metric", data, "--save", model, "-q"))
    assert np.abs(coordinates_of(calor("apply", model, data, "-q")) - fit).max() < 1e-6 * np.abs(fit).max()
    np.save(data, cloud(80) + np.float32(1e-4))
    assert np.abs(coordinates_of(calor("apply", model, data, "-q")) - fit).max() < 0.02 * np.abs(fit).max()


def coordinates_of(done):
    columns = table(done.stdout)
    return np.column_stack([columns[name] for name in columns.dtype.names])
