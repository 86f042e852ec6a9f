"""Networks on surfaces from the command line: compare, train, predict; what is refused, and what must not be lost.

Truths: ellipsoids whose ends a network can tell from their middle; numbers that train and predict say of the same surfaces; published weights and what they are
known to reach.  CALOR_DATA names the data folder with human_seg and pretrained.
"""
import csv
import json
import os
import pathlib

import numpy as np
import pytest

from command import cut_short, document_of
from command import run as calor

DATA = pathlib.Path(os.environ.get("CALOR_DATA", "/nowhere"))
NET = "diffusion-net width=12 blocks=2 modes=30 dropout=0.1"


def ellipsoid(seed):
    """Points, triangles and a class for each triangle: a grid of angles on a long ellipsoid that is turned somehow."""
    random = np.random.default_rng(seed)
    rings, around = 9, 10
    points = [(0.0, 0.0, 1.0), (0.0, 0.0, -1.0)]
    for r in range(rings):
        u = np.pi * (r + 1) / (rings + 1)
        points += [(np.sin(u) * np.cos(v), np.sin(u) * np.sin(v), np.cos(u)) for v in 2 * np.pi * np.arange(around) / around]
    at = lambda r, k: 2 + r * around + k % around  # noqa: E731
    faces = []
    for k in range(around):
        faces += [(0, at(0, k), at(0, k + 1)), (1, at(rings - 1, k + 1), at(rings - 1, k))]
        for r in range(rings - 1):
            faces += [(at(r, k), at(r + 1, k), at(r + 1, k + 1)), (at(r, k), at(r + 1, k + 1), at(r, k + 1))]
    points, faces = np.array(points), np.array(faces)
    labels = np.where(np.abs(points[faces].mean(1)[:, 2]) > 0.6, "end", "middle")
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    return points * [1, 1 + 0.2 * random.random(), 2.2 + random.random()] @ turn, faces, labels


def write_set(folder, seeds, of="faces"):
    for part in ("meshes", "labels"):
        (folder / part).mkdir(exist_ok=True, parents=True)
    for seed in seeds:
        points, faces, labels = ellipsoid(seed)
        (folder / "meshes" / f"e{seed}.off").write_text(
            f"OFF\n{len(points)} {len(faces)} 0\n" + "".join(f"{x!r} {y!r} {z!r}\n" for x, y, z in points.tolist()) + "".join(f"3 {a} {b} {c}\n" for a, b, c in faces.tolist()))
        if of == "points":
            of_point = dict(zip(faces.ravel().tolist(), np.repeat(labels, 3), strict=True))
            labels = [of_point[i] for i in range(len(points))]
        (folder / "labels" / f"e{seed}.txt").write_text("\n".join(labels) + "\n")
    return folder


@pytest.fixture(scope="module")
def surfaces(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("surfaces"), range(6))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("fresh"), range(20, 23))


def words(folder):
    return folder / "meshes", "--labels", folder / "labels"


@pytest.fixture(scope="module")
def trained(surfaces, fresh, tmp_path_factory):
    """A model, and what train says of it."""
    model = tmp_path_factory.mktemp("model") / "m.safetensors"
    return model, json.loads(calor("train", surfaces / "meshes", "--test", fresh / "meshes", "--labels", both(surfaces, fresh), "--pipeline", NET, "--epochs", "60", "--lr", "0.01", "--save", model, "--json").stdout)


def both(surfaces, fresh):
    """One folder with the labels of both sets."""
    folder = surfaces.parent / "labels_of_both"
    folder.mkdir(exist_ok=True)
    for one in (surfaces, fresh):
        for file in (one / "labels").iterdir():
            (folder / file.name).write_text(file.read_text())
    return folder


def test_a_network_learns_and_predict_says_the_same(trained, fresh, tmp_path):
    model, said = trained
    assert said["kind"] == "train-surfaces" and said["of"] == "triangles" and said["classes"] == ["end", "middle"] and (said["train"], said["test"]) == (6, 3)
    assert said["test_accuracy"][-1] > 0.9
    out = tmp_path / "p.json"
    result = calor("predict", model, *words(fresh), "-o", out)
    document = json.loads(out.read_text())
    assert document["accuracy"] == pytest.approx(said["test_accuracy"][-1], abs=1e-12)
    assert f"accuracy {100 * document['accuracy']:.2f} % of 540 triangles" in result.stderr
    assert [s["name"] for s in document["surfaces"]] == ["e20", "e21", "e22"] and [s["rows"] for s in document["surfaces"]] == [180] * 3
    truth = [line for seed in (20, 21, 22) for line in (fresh / "labels" / f"e{seed}.txt").read_text().split()]
    assert np.mean([row["prediction"] == label for row, label in zip(document["rows"], truth, strict=True)]) == pytest.approx(document["accuracy"])


def test_a_single_mesh_without_labels_as_csv(trained, fresh, tmp_path):
    table = tmp_path / "p.csv"
    calor("predict", trained[0], fresh / "meshes" / "e20.off", "-o", table, "-q")
    rows = list(csv.DictReader(table.open()))
    assert [row["name"] for row in rows] == [f"e20:{i}" for i in range(1, 181)]
    assert all(float(row["p_end"]) + float(row["p_middle"]) == pytest.approx(1, abs=1e-6) for row in rows)


def test_motions_and_scales_change_nothing(trained, fresh, tmp_path):
    points, faces, labels = ellipsoid(20)
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    moved = tmp_path / "e20.obj"
    moved.write_text("".join(f"v {x!r} {y!r} {z!r}\n" for x, y, z in (100 * points @ turn + 7).tolist()) + "".join(f"f {a + 1} {b + 1} {c + 1}\n" for a, b, c in faces.tolist()))
    tables = []
    for mesh in (moved, fresh / "meshes" / "e20.off"):
        table = tmp_path / f"{mesh.suffix[1:]}.csv"
        calor("predict", trained[0], mesh, "-o", table, "-q")
        tables.append([float(row["p_end"]) for row in csv.DictReader(table.open())])
    assert np.abs(np.subtract(*tables)).max() < 2e-4  # modes that share an eigenvalue may mix


def test_modes_are_kept_for_later_runs_and_change_nothing(surfaces, fresh, tmp_path):
    kept = tmp_path / "modes"
    train = ("train", *words(surfaces), "--pipeline", NET, "--epochs", "2")
    first = calor(*train, "--save", tmp_path / "a", "--modes", kept)
    assert f"note: modes of 0 surfaces found in {kept}, of 6 computed" in first.stderr
    again = calor(*train, "--save", tmp_path / "b", "--modes", kept)
    assert f"note: modes of 6 surfaces found in {kept}, of 0 computed" in again.stderr
    file = next(kept.iterdir())
    calor(*train, "--save", tmp_path / "c", "-q")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()
    compared = ("compare", *words(surfaces), "--pipeline", NET, "--epochs", "1", "--seeds", "2", "--no-baselines", "--modes", kept)
    assert "modes of 6 surfaces found" in calor(*compared, code=5).stderr  # nothing is learned in an epoch
    assert "of 3 computed" in calor("predict", tmp_path / "a", fresh / "meshes", "-o", tmp_path / "p.csv", "--modes", kept).stderr
    assert "expected a model of calor train, found the modes of a surface" in calor("predict", file, fresh / "meshes", code=3).stderr
    file.write_bytes(file.read_bytes()[:-9])
    predict = ("predict", tmp_path / "a", surfaces / "meshes", "-o", tmp_path / "p.csv", "--modes", kept)
    said = [calor(*predict).stderr for _ in range(2)]
    assert f"{file} is damaged" in said[0] and "damaged" not in said[1]
    for command in (("train", "iris"), ("compare", "iris")):
        assert "expected surfaces for --modes" in calor(*command, "--modes", kept, code=2).stderr


def test_implicit_heat_learns_as_spectral_does(surfaces, fresh, tmp_path):
    labels = both(surfaces, fresh)
    model = tmp_path / "m"
    said = json.loads(calor("train", surfaces / "meshes", "--test", fresh / "meshes", "--labels", labels, "--pipeline", f"{NET} form=implicit", "--epochs", "40", "--lr", "0.01", "--save", model, "--json").stdout)
    assert "heat(implicit)" in said["pipeline"] and said["test_accuracy"][-1] > 0.9
    document = tmp_path / "p.json"
    calor("predict", model, *words(fresh), "-o", document)
    assert json.loads(document.read_text())["accuracy"] == pytest.approx(said["test_accuracy"][-1], abs=1e-12)
    text = "linear(8) | tanh | laplacian | heat(implicit) | linear(classes)"
    assert "heat(implicit)" in calor("compare", *words(surfaces), "--pipeline", text, "--epochs", "1", "--seeds", "1", "--no-baselines", code=(0, 5)).stdout
    assert "expected spectral, implicit" in calor("train", *words(surfaces), "--pipeline", text.replace("implicit", "explicit"), code=2).stderr


def test_labels_of_points(tmp_path):
    folder = write_set(tmp_path, range(4), of="points")
    model = tmp_path / "m"
    said = json.loads(calor("train", *words(folder), "--pipeline", "surface-metric width=8 layers=1", "--epochs", "2", "--save", model, "--json").stdout)
    assert said["of"] == "points" and (said["train"], said["test"]) == (3, 1)
    out = tmp_path / "p.json"
    calor("predict", model, folder / "meshes", "-o", out, "-q")
    assert len(json.loads(out.read_text())["rows"]) == 4 * 92
    error = calor("predict", model, *words(write_set(tmp_path / "faces", [0])), code=3).stderr
    assert "expected labels of points, as the model was trained with, found labels of triangles" in error


def test_training_goes_on_to_the_same_bits(surfaces, tmp_path):
    train = lambda epochs, model: ("train", *words(surfaces), "--pipeline", NET, "--epochs", epochs, "--save", model, "--checkpoint-seconds", "0.01", "-q")  # noqa: E731
    model = tmp_path / "cut"
    epochs, code, said = cut_short(train, model, 40)
    assert code == 130 and "the same command goes on from" in said and not model.exists()
    assert "went on from the checkpoint" in calor(*train(epochs, model)).stdout
    whole = tmp_path / "whole"
    calor(*train(epochs, whole))
    assert whole.read_bytes() == model.read_bytes()
    assert not (tmp_path / "cut.checkpoint").exists()


def test_a_comparison_and_its_document(surfaces, tmp_path):
    page = tmp_path / "r.html"
    said = calor("compare", *words(surfaces), "--pipeline", NET, "--pipeline", "surface-uniform", "--seeds", "2", "--epochs", "3", "--report", page).stdout
    assert "6 surfaces, 2 classes; 5 to train on, 1 to test (drawn for each seed); 2 seeds" in said and "plain network (surface-mlp)" in said
    experiment = document_of(page)["experiments"][0]
    assert experiment["protocol"]["of"] == "surfaces" and experiment["attentions"] == [NET, "surface-uniform"]
    assert experiment["data"]["rows"] == 6 * 180 and experiment["data"]["of"] == "triangles"
    (shown,) = experiment["surfaces"]
    assert len(shown["labels"]) == 180 and len(shown["predictions"][NET]) == 180 and len(shown["points"]) == 3 * 92
    right = np.mean(np.equal(shown["labels"], shown["predictions"][NET]))
    first = next(run for run in experiment["runs"] if run["attention"] == NET and run["seed"] == 0)
    assert shown["accuracy"][NET] == pytest.approx(right) and first["test_accuracy"][-1] == pytest.approx(right)


@pytest.mark.parametrize("given, code, said", [
    (("train", "{meshes}", "--labels", "{labels}"), 2, "expected one --pipeline, found 0: name it, as in --pipeline diffusion-net"),
    (("train", "{meshes}", "--pipeline", "diffusion-net"), 2, "expected labels of surfaces for diffusion-net, found none: name their folder with --labels"),
    (("compare", "{meshes}", "--pipeline", "gcn", "--pipeline", "surface-l2"), 2, "expected labels of surfaces for surface-l2"),
    (("train", "{meshes}", "--labels", "{labels}", "--pipeline", "diffusion-net", "--label", "x"), 2, "expected no --label with surfaces, which are no tables"),
    (("train", "{meshes}", "--labels", "{labels}", "--pipeline", "diffusion-net", "--optimizer", "adam"), 2, "expected no --optimizer with surfaces, which are trained on one by one, with Adam"),
    (("train", "{meshes}/e1.off", "--labels", "{labels}/e1.txt", "--pipeline", "diffusion-net", "--test", "{meshes}/e2.off"), 2, "expected a folder of labels with --test"),
    (("compare", "{meshes}", "nowhere", "--labels", "{labels}"), 3, "found nothing at nowhere"),
    (("train", "{meshes}", "--labels", "{labels}", "--pipeline", "diffusion-net", "--model", "propagator"), 2, "expected surfaces without --model"),
    (("train", "{meshes}", "--labels", "{labels}", "--pipeline", "diffusion-net", "--width", "9"), 2, "expected no --width with surfaces"),
    (("train", "{meshes}", "--labels", "{labels}", "--pipeline", "diffusion-net", "--per-class", "9"), 2, "expected no --per-class with surfaces"),
    (("train", "{meshes}", "--labels", "{meshes}", "--pipeline", "diffusion-net"), 3, "expected one label on each line, found \"92 180 0\""),
    (("train", "{meshes}", "--labels", "{labels}", "--pipeline", "linear(classes) | laplacian | apply"), 2, "expected heat after laplacian"),
    (("train", "{meshes}", "--labels", "{labels}", "--pipeline", "diffusion-net blocks=0"), 2, "blocks"),
    (("compare", "{meshes}", "--labels", "{labels}", "--pipeline", "surface-mlp", "--pipeline", "surface-mlp"), 2, "expected different networks"),
    (("compare", "{meshes}", "--labels", "{labels}", "--seeds", "0"), 2, "expected at least one seed"),
    (("train", "{meshes}", "--labels", "{labels}", "--pipeline", "diffusion-net", "--max-memory", "1M"), 4, "memory"),
])
def test_what_does_not_fit_is_refused(surfaces, given, code, said):
    places = {"meshes": surfaces / "meshes", "labels": surfaces / "labels"}
    assert said.format(**places) in calor(*(word.format(**places) for word in given), code=code).stderr


def test_what_was_read_is_not_overwritten(trained, tmp_path):
    folder = write_set(tmp_path, range(3))
    mesh, labels, listed = folder / "meshes" / "e1.off", folder / "labels" / "e1.txt", folder / "meshes" / "list.txt"
    listed.write_text("e0.off\ne1.off\n")
    before = mesh.read_bytes(), labels.read_bytes()
    for data, save in ((folder / "meshes", mesh), (folder / "meshes", labels), (listed, mesh), (listed, listed)):
        assert "expected an output other than the inputs" in calor("train", data, "--labels", folder / "labels", "--pipeline", NET, "--epochs", "1", "--save", save, code=2).stderr
    (folder / "meshes" / "e1.off").rename(folder / "meshes" / "e1.html")
    assert "expected an output other than the inputs" in calor("compare", *words(folder), "--pipeline", NET, "--seeds", "1", "--epochs", "1", "--report", folder / "meshes" / "e1.html", code=2).stderr
    assert ((folder / "meshes" / "e1.html").read_bytes(), labels.read_bytes()) == before


def test_odd_sets_are_remarked_on(surfaces, tmp_path):
    said = calor("train", *words(surfaces), "--test", surfaces / "meshes", "--pipeline", NET, "--epochs", "1").stderr
    assert "note: 6 surfaces of the test set are in the training set as well" in said
    folder = write_set(tmp_path, range(5))
    for seed in range(5):
        labels = folder / "labels" / f"e{seed}.txt"
        labels.write_text(labels.read_text().replace("end", f"end{seed}"))
    assert "no training surface has the class end" in calor("train", *words(folder), "--pipeline", NET, "--epochs", "1").stderr
    # A loose piece, far smaller than the rest: heat stays on it.
    mesh = folder / "meshes" / "e0.off"
    lines = mesh.read_text().splitlines()
    lines[1] = "95 181 0"
    lines[94:94] = ["9 9 9", "9.0001 9 9", "9 9.0001 9"]
    mesh.write_text("\n".join([*lines, "3 92 93 94"]) + "\n")
    (folder / "labels" / "e0.txt").write_text((folder / "labels" / "e0.txt").read_text() + "middle\n")
    said = [calor("train", *words(folder), "--seed", str(seed), "--pipeline", NET, "--epochs", "1").stderr for seed in range(2)]  # e0 is not held out by both
    assert any("features of e0 reach" in one for one in said)


def test_any_unit_is_as_good(trained, fresh, tmp_path):
    points, faces, _ = ellipsoid(20)
    tables = []
    for scale in (1.0, 1e160, 1e-170):
        mesh = tmp_path / f"s{scale}.off"
        mesh.write_text(f"OFF\n{len(points)} {len(faces)} 0\n" + "".join(f"{x!r} {y!r} {z!r}\n" for x, y, z in (scale * points).tolist()) + "".join(f"3 {a} {b} {c}\n" for a, b, c in faces.tolist()))
        table = tmp_path / f"{scale}.csv"
        calor("predict", trained[0], mesh, "-o", table, "-q")
        tables.append([float(row["p_end"]) for row in csv.DictReader(table.open())])
    assert np.abs(np.subtract(tables[1:], tables[0])).max() < 2e-4


def test_weights_of_torch_are_named(fresh, tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.zeros(2)}, tmp_path / "m.pth")
    assert "safetensors.torch.save_file(torch.load(" in calor("predict", tmp_path / "m.pth", fresh / "meshes" / "e20.off", code=3).stderr


def test_one_surface_is_too_few(tmp_path):
    folder = write_set(tmp_path, [1])
    assert "expected at least 2 surfaces" in calor("train", *words(folder), "--pipeline", NET, code=3).stderr


def test_models_are_named_by_commands_that_do_not_take_them(trained, surfaces, tmp_path):
    mesh = surfaces / "meshes" / "e1.off"
    assert calor("apply", trained[0], mesh).stdout == calor("predict", trained[0], mesh).stdout
    assert "expected no --evidence and no --graph with a network on surfaces" in calor("predict", trained[0], surfaces / "meshes" / "e1.off", "--graph", "g.csv", code=2).stderr
    calor("train", "blocks", "--pipeline", "logistic", "--epochs", "2", "--save", tmp_path / "n", "-q")
    assert "expected a network on surfaces for --labels" in calor("predict", tmp_path / "n", "blocks", "--labels", surfaces / "labels", code=2).stderr


@pytest.mark.skipif(not DATA.exists(), reason="CALOR_DATA is not set")
@pytest.mark.parametrize("kind, accuracy", [("hks", "90.48"), ("xyz", "89.37")])
def test_published_weights_reach_what_they_are_known_for(tmp_path, kind, accuracy):
    result = calor("predict", DATA / "pretrained" / "diffusion_net" / f"human_seg_{kind}_4x128.safetensors", DATA / "human_seg" / "test", "--labels", DATA / "human_seg" / "fseg", "-o", tmp_path / "p.csv")
    assert f"accuracy {accuracy} % of 27,000 triangles" in result.stderr
