"""How umap and tsne grow to a million points: 100 Gaussian clusters in 50 dimensions that touch, neighbours exact, by a forest and by hnsw, one thread;
beside umap-learn, openTSNE and manifolds-rs.  Processor seconds of the fit, of Calor also those of its stages, the peak of memory of the whole
process, and the purity of 15 neighbours of 10,000 rows.  Calor must stay within 16 GiB; a peer that takes more than 30 minutes of the processor is
stopped.  CALOR_PEERS="umap, forest;umap-learn" chooses among them.  pip install umap-learn openTSNE manifolds-rs."""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from sklearn.neighbors import NearestNeighbors

import calor
import data
import map_peers

SIZES = (10_000, 100_000, 1_000_000)
WIDTH, CLUSTERS, APART = 50, 100, 0.75  # the centres' deviation, of the clusters' own: the neighbours of many points lie in several clusters
MOST_SECONDS, MOST_MEMORY = 1800, 16 * 2**30  # a peer's, ours
MAKE = """import sys, numpy as np
n, width, clusters, apart, points, labels = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), *sys.argv[5:]
random = np.random.default_rng(0)
centres, own = random.normal(0, apart, (clusters, width)), random.integers(0, clusters, n)
np.save(labels, own)
np.save(points, np.concatenate([centres[some] + random.normal(size=(len(some), width)) for some in np.array_split(own, 100)]).astype(np.float32))"""
# A process's peak counts that of the one that started it: a bare interpreter lies between.
WATCH = """import json, os, resource, sys
pid = os.fork()
if pid == 0:
    resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[2]), int(sys.argv[2]) + 1))
    os.execvp(sys.argv[3], sys.argv[3:])
_, status, used = os.wait4(pid, 0)
json.dump({"status": os.waitstatus_to_exitcode(status), "seconds": used.ru_utime + used.ru_stime, "memory": 1024 * used.ru_maxrss},
          open(sys.argv[1], "w"))"""


def points_of(size):
    """Paths of points and labels; another process makes them, so that this one stays small."""
    points, labels = (data.CACHE / f"blobs-{size}-{what}.npy" for what in ("points", "labels"))
    if not points.exists():
        data.CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-c", MAKE, *map(str, (size, WIDTH, CLUSTERS, APART, points, labels))], check=True)
    return points, labels


def _watched(command, folder, most=10**6, environment=None):
    out = folder / "used.json"
    words = [sys.executable, "-I", "-S", "-c", WATCH, str(out), str(most), *command]
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    used = json.loads(out.read_text())
    assert used["status"] in (0, -9, -24), done.stderr[-2000:]
    return used, done.stdout


def _purity(found, labels):
    rows = np.random.default_rng(0).permutation(len(found))[:10_000]
    nearest = NearestNeighbors(n_neighbors=16).fit(found).kneighbors(found[rows], return_distance=False)[:, 1:]
    return (labels[nearest] == labels[rows, None]).mean()


def _calor(recipe, method, path, folder):
    out = folder / "out.json"
    command = [calor.PROGRAM, "run", recipe, str(path), "--set", f"knn.method={method}", "--threads", "1", "--max-memory", "16GiB", "--json", "--quiet",
               "-o", str(out)]
    used, _ = _watched(command, folder)
    assert used["status"] == 0 and used["memory"] <= MOST_MEMORY, used
    document = json.loads(out.read_text())
    parts = {stage["text"].split("(")[0]: stage["processor_seconds"] for stage in document["stages"] if stage["depth"] == 0}
    found, whole = calor.coordinates(document), sum(parts.values())
    return used, whole, found, ", ".join(f"{name} {took:.1f}" for name, took in parts.items() if took > whole / 50)


def _peer(group, name, path, folder, words):
    out = folder / "map.npy"
    command, environment = map_peers.command(group, name, path, out)
    used, said = _watched(command, folder, MOST_SECONDS, environment)
    if used["status"] != 0:
        return used, None, None, words
    return used, json.loads(said.splitlines()[-1])["seconds"], np.load(out), words


def measure(size, _rounds):
    path, labels = points_of(size)
    labels = np.load(labels)
    ours = [f"{recipe}, {method}" for method in ("forest", "exact", "hnsw") for recipe in ("umap", "tsne")]
    runs = {name: lambda folder, name=name: _calor(*name.split(", "), path, folder) for name in map_peers.chosen(ours)}
    for group in ("large umap", "large tsne"):
        for name, words in map_peers.installed(group)[0].items():
            runs[f"{name} {group.split()[1]}"] = lambda folder, group=group, name=name, words=words: _peer(group, name, path, folder, words)
    for name, run in runs.items():
        with tempfile.TemporaryDirectory() as folder:
            used, took, found, words = run(pathlib.Path(folder))
        title = f"{name:<26} {size:>9,} x {WIDTH}"
        if found is None:
            yield f"{title}   stopped after {used['seconds']:.0f} s, {used['memory'] / 2**30:.2f} GiB   ({words})"
            continue
        assert np.isfinite(found).all() and found.shape == (size, 2), name
        yield (f"{title}   {took:8.2f} s, whole process {used['seconds']:8.2f} s, {used['memory'] / 2**30:5.2f} GiB   purity {_purity(found, labels):.4f}"
               f"   ({words})")
