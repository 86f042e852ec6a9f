"""The peers of umap and tsne, each in a process of its own on one thread: what it takes of the processor counts without imports and without
what numba compiles (a small fit comes first).  All get the same points in float32, 15 neighbours (umap; min_dist 0.1) or perplexity 30, and
keep their own number of iterations, search of neighbours and start.  A peer that is not installed is left out by name."""
import importlib.metadata
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

ONE = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA", "RAYON")}
SMALL = 5000  # beyond the sizes at which umap-learn searches all pairs, so that its other search is compiled as well


def _umap_learn(points, small):
    import umap
    return umap.UMAP(random_state=0, n_jobs=1, n_epochs=2 if small else None).fit_transform(points)


def _manifolds_umap(epochs=500, **settings):
    def fit(points, small):
        import manifolds_rs
        return manifolds_rs.UMAP(n_neighbors=15, min_dist=0.1, n_epochs=2 if small else epochs, **settings).fit_transform(points)
    return fit


def _fastumap(points, small):
    import fastumap
    assert fastumap.accelerator_active()
    return fastumap.umap_project(points, 2, n_epochs=2 if small else None)


def _opentsne(points, small):
    import openTSNE
    steps = {"early_exaggeration_iter": 2, "n_iter": 2} if small else {}
    return np.asarray(openTSNE.TSNE(n_jobs=1, random_state=0, **steps).fit(points))


def _manifolds_tsne(**settings):
    def fit(points, small):
        import manifolds_rs
        return manifolds_rs.TSNE(perplexity=30.0, n_epochs=2 if small else 1000, **settings).fit_transform(points)
    return fit


def _h2pack(points, small):
    from tsne_h2pack import TSNE
    steps = {"max_iter": 2, "knn_params": {"n_trees": 5}} if small else {}  # its other search is compiled as well
    return TSNE(perplexity=30, random_state=0, n_jobs=1, **steps).fit_transform(points)


def _scikit_learn(points, small):
    from sklearn.manifold import TSNE
    return TSNE(perplexity=30, random_state=0, n_jobs=1, max_iter=250 if small else 1000).fit_transform(points[:500] if small else points)


_R = """library({library})
x <- matrix(readBin("{folder}/x", "numeric", {n} * {width}, size=4), ncol={width}, byrow=TRUE)
set.seed(0)
began <- proc.time()
y <- {call}
took <- proc.time() - began
writeBin(as.vector(t(y)), "{folder}/y")
cat("\\n", took["user.self"] + took["sys.self"], as.character(packageVersion("{library}")))"""
UWOT = "umap(x, n_neighbors=15, min_dist=0.1, n_threads=1, n_sgd_threads=1, verbose=FALSE)"
RTSNE = "Rtsne(x, perplexity=30, pca={pca}, check_duplicates=FALSE, num_threads=1)$Y"

# Name: the package, what fits, and how many iterations it makes unless it is told otherwise.
UMAP = {"umap-learn": ("umap-learn", _umap_learn, "500 epochs, 200 beyond 10,000 points"),
        "manifolds-rs": ("manifolds-rs", _manifolds_umap(), "500 epochs of Adam"),
        "manifolds-rs, SGD": ("manifolds-rs", _manifolds_umap(optimiser="sgd"), "500 epochs"),
        "fastumap": ("fastumap", _fastumap, "500 epochs, 200 beyond 10,000 points"),
        "uwot": ("uwot", UWOT, "500 epochs, 200 beyond 10,000 points")}
TSNE = {"openTSNE": ("openTSNE", _opentsne, "750 steps"),
        "manifolds-rs": ("manifolds-rs", _manifolds_tsne(), "1000 steps, Barnes-Hut"),
        "manifolds-rs, FFT": ("manifolds-rs", _manifolds_tsne(approx="fft_3k"), "1000 steps"),
        "tsne-h2pack": ("tsne-h2pack", _h2pack, "1000 steps"),
        "scikit-learn": ("scikit-learn", _scikit_learn, "1000 steps, Barnes-Hut"),
        "Rtsne": ("Rtsne", RTSNE.format(pca="TRUE"), "1000 steps, Barnes-Hut, of the first 50 principal components")}
# What many points need: approximate neighbours, and as many epochs as the others make of them.
LARGE_UMAP = {"umap-learn": UMAP["umap-learn"],
              "manifolds-rs": ("manifolds-rs", _manifolds_umap(ann="hnsw"), "500 epochs of Adam, hnsw"),
              "manifolds-rs, 200": ("manifolds-rs", _manifolds_umap(200, ann="hnsw"), "200 epochs of Adam, hnsw")}
LARGE_TSNE = {"openTSNE": TSNE["openTSNE"], "manifolds-rs, FFT": ("manifolds-rs", _manifolds_tsne(approx="fft_3k", ann="hnsw"), "1000 steps, hnsw")}
ALL = {"umap": UMAP, "tsne": TSNE, "large umap": LARGE_UMAP, "large tsne": LARGE_TSNE}


def _installed(package, fit):
    if not isinstance(fit, str):
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return None
    try:
        done = subprocess.run(["Rscript", "-e", f'cat(as.character(packageVersion("{package}")))'], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def chosen(names):
    """Those of the names that CALOR_PEERS="name;name" leaves in: all of them where it is not given."""
    wanted = os.environ.get("CALOR_PEERS")
    return [name for name in names if not wanted or name in wanted.split(";")]


def installed(group):
    """({name: words of its version and iterations} of the chosen, names of those that are not installed)."""
    versions = {name: _installed(package, fit) for name, (package, fit, _) in ALL[group].items()}
    return ({name: f"{versions[name]}, {ALL[group][name][2]}" for name in chosen(versions) if versions[name]},
            [name for name, version in versions.items() if not version])


def command(group, name, path, out):
    """The command of a fit, which writes the map to `out` and ends its output with a line {"seconds": ..}, and what its environment needs."""
    return [sys.executable, __file__, group, name, str(path), str(out)], os.environ | ONE


def fit(group, name, path, most=1200):
    """(processor seconds, map) of a peer; (most, None) when it took more than `most` seconds of the processor."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "map.npy"
        words, environment = command(group, name, path, out)
        done = subprocess.run(words, env=environment | {"MOST": str(most)}, capture_output=True, text=True)
        if done.returncode in (-9, -24, 137):
            return float(most), None
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout.splitlines()[-1])["seconds"], np.load(out)


def _r(call, library, points):
    with tempfile.TemporaryDirectory() as folder:
        points.tofile(f"{folder}/x")
        script = _R.format(library=library, folder=folder, n=len(points), width=points.shape[1], call=call)
        done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
        return float(done.stdout.split()[-2]), np.fromfile(f"{folder}/y").reshape(len(points), 2)


def _main(group, name, path, out):
    if "MOST" in os.environ:
        most = int(os.environ["MOST"])
        resource.setrlimit(resource.RLIMIT_CPU, (most + 60, most + 61))  # a minute for imports and compilation
    package, fit, _ = ALL[group][name]
    points = np.ascontiguousarray(np.load(path), np.float32)
    if isinstance(fit, str):
        took, found = _r(fit, package, points)
    else:
        fit(points[:SMALL], True)
        start = time.process_time()
        found = fit(points, False)
        took = time.process_time() - start
    np.save(out, np.asarray(found, np.float32))
    print("\n" + json.dumps({"seconds": took}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
