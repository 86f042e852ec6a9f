"""fuzzy-c-means against e1071's cmeans in R: the same k-means++ start, the same number of iterations, one thread each.

On the leading principal coordinates of Fashion-MNIST; the memberships must agree to 1e-6.  Times are of the processor: of our stages but the
start, and of cmeans without reading its data."""
import functools
import pathlib
import subprocess
import tempfile

import numpy as np

import calor
import data
from interleave import interleave, row

SIZES = (20_000,)
K, M, WIDTH, TOLERANCE = 10, 2, 10, 1e-4
START = f"centres({K}, starts=1, max_iterations=0)"
PIPELINE = f"{START} | repeat(distance(-2 / ({M} - 1), to=data) | column | inflate({M}) | row | apply, tolerance={TOLERANCE}) | memberships({M})"
SCRIPT = """library(e1071)
x <- matrix(readBin("{folder}/x", "double", {n} * {width}), ncol={width}, byrow=TRUE)
c <- matrix(readBin("{folder}/c", "double", {k} * {width}), ncol={width}, byrow=TRUE)
began <- proc.time()
r <- cmeans(x, c, iter.max={steps}, m={m}, control=list(reltol=0))
took <- proc.time() - began
writeBin(as.vector(t(r$membership)), "{folder}/u")
cat(took["user.self"])"""


def coordinates(size):
    path = data.CACHE / f"fashion-{size}-axes-{WIDTH}.npy"
    if not path.exists():
        points = data.points(size)[1]
        points -= points.mean(0)
        np.save(path, points @ np.linalg.eigh(points.T @ points)[1][:, -WIDTH:] / 255)
    return path, np.load(path)


def _columns(document, prefix):
    names = [name for name in document["result"]["order"] if name.startswith(prefix)]
    return np.column_stack([np.asarray(document["result"]["values"][name], float) for name in names])


def _calor(path):
    _, document = calor.run(PIPELINE, path)
    return calor.processor_seconds(document, "repeat", "memberships"), _columns(document, "membership")


def _e1071(points, centres, steps):
    with tempfile.TemporaryDirectory() as folder:
        points.tofile(f"{folder}/x")
        centres.tofile(f"{folder}/c")
        script = SCRIPT.format(folder=folder, n=len(points), width=WIDTH, k=K, steps=steps, m=M)
        done = subprocess.run(["Rscript", "-e", script], check=True, capture_output=True, text=True)
        return float(done.stdout.split()[-1]), np.fromfile(pathlib.Path(folder) / "u").reshape(-1, K)


def measure(size, rounds):
    path, points = coordinates(size)
    start = calor.run(START, path)[1]
    centres = np.column_stack([np.asarray(start["result"]["values"][name], float) for name in start["result"]["order"]])
    steps = int(calor.run(PIPELINE, path)[1]["figures"]["repetitions"])

    def check(answers):
        apart = np.abs(answers["calor"] - answers["e1071"]).max()
        assert apart < 1e-6, apart
        return f"{steps} iterations, memberships within {apart:.1g}"

    runs = {"calor": functools.partial(_calor, path), "e1071": functools.partial(_e1071, points, centres, steps)}
    yield row(f"fuzzy-c-means({K}), {size} x {WIDTH}", *interleave(runs, check, rounds))
