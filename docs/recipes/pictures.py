#!/usr/bin/env python3
"""Makes pictures/NAME.png for every recipe page and every pipeline of PIPELINES: runs build/calor with --report and photographs the page's first figure.

    .venv/bin/python docs/recipes/pictures.py [NAME ...]

Needs Chromium with its driver; with Pillow the files get a palette and are a third of the size.  CALOR_BINARY names another
program than build/calor.
"""
import base64
import io
import math
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CALOR = pathlib.Path(os.environ.get("CALOR_BINARY", ROOT / "build" / "calor"))
WIDTH, COLOURS = 720, 200

RUNS = {
    "mds": ["digits"],
    "mds-metric": ["wine"],
    "sne": ["digits"],
    "tsne": ["digits"],
    "umap": ["digits"],
    "isomap": ["digits", "--set", "knn.k=10"],
    "lle": ["digits"],
    "laplacian-eigenmaps": ["digits"],
    "diffusion-map": ["digits", "--set", "eigen.k=3"],
    "spectral-clustering": ["{crescents}", "--set", "k=2"],
    "k-means": ["iris", "--set", "k=3"],
    "fuzzy-c-means": ["iris", "--set", "k=3"],
    "mean-shift": ["iris", "--set", "h=0.5"],
    "knn-classifier": ["iris", "--train", "0.7"],
    "knn-regressor": ["{waves}", "--train", "0.7"],
    "nadaraya-watson": ["{waves}", "--train", "0.7"],
    "propagator": ["digits", "--train", "0.7"],
    "label-spreading": ["digits", "--train", "0.05"],
    "svm": ["moons", "--train", "0.7", "--set", "weigh.C=10", "--set", "kernel.gamma=2"],
    "svm-regressor": ["{waves}", "--train", "0.7", "--set", "weigh.C=10"],
    "one-class-svm": ["{crescents}", "--set", "weigh.nu=0.1", "--set", "kernel.gamma=2"],
    "hopfield": ["digits", "--set", "temperature=100"],
    "pagerank": ["{web}"],
    "mcl": ["{groups}"],
}
# Pipelines that are no recipe: their text before the data.
PIPELINES = {
    "svm-density": ["distance(2) | exp(auto) | two_side(1) | weigh(svm, C=100) | vote", "moons", "--train", "0.7"],
    "mcl-points": ["knn(10) | distance(2) | exp(auto) | mean | self_loops(greatest) | row | repeat(expand(2, prune=0.0001) | inflate(1.6) | row) "
                   "| components(attractors)", "iris"],
    "umap-on-geodesics": ["knn(10) | distance(1) | geodesic | exp(5) | match(rational, cross_entropy)", "{roll}", "--label", "part"],
    "tsne-on-diffusion": ["distance(2) | exp(auto) | two_side(1) | row | eigen(6) | knn(90) | distance(2) | exp(perplexity=30) | row | mean | global "
                          "| match(student, kl)", "{tree}", "--label", "branch"],
}
# The figure alone: its plots, and its classes without what switches them.
STYLE = """
  header, footer, figcaption, .reading, .skip, main > :not(:first-child), .controls > :not(.chips), .chips > :last-child:not(.toggle) {display: none !important}
  main, figure {margin: 0 !important; padding: 8px !important} .controls {margin: 0}
  .toggle {border-color: transparent !important; background: none !important; padding: 2px 6px} .modebar {display: none !important}
"""


def sources(folder):
    """Data where no bundled set suits: a noisy wave, two crescents, links between pages of which early ones are popular, a rolled sheet in
    three parts, five branches that leave one place in 20 dimensions, and groups of nodes with few edges between them."""
    drawn = random.Random(0)
    xs = sorted(drawn.uniform(0, 6) for _ in range(200))
    (folder / "waves.csv").write_text("x,y\n" + "".join(f"{x:.4f},{math.sin(x) + drawn.gauss(0, 0.15):.4f}\n" for x in xs))
    turns = [math.pi * drawn.random() for _ in range(500)]
    places = [(math.cos(t), math.sin(t)) if i % 2 else (1 - math.cos(t), 0.5 - math.sin(t)) for i, t in enumerate(turns)]
    (folder / "crescents.csv").write_text("a,b\n" + "".join(f"{a + drawn.gauss(0, 0.08):.4f},{b + drawn.gauss(0, 0.08):.4f}\n" for a, b in places))
    links = {(page, drawn.randrange(1 + page // 3)) for page in range(1, 80) for _ in range(3)}
    (folder / "web.txt").write_text("".join(f"page{a} page{b}\n" for a, b in sorted(links)))
    roll, tree = [], []
    for _ in range(1500):
        turn, height = drawn.random(), 20 * drawn.random()
        angle = 1.5 * math.pi * (1 + 2 * turn)
        roll.append(f"{angle * math.cos(angle) + drawn.gauss(0, 0.3):.4f},{height:.4f},{angle * math.sin(angle) + drawn.gauss(0, 0.3):.4f},{1 + int(3 * turn)}\n")
    (folder / "roll.csv").write_text("x,y,z,part\n" + "".join(roll))
    ways = [[drawn.gauss(0, 1) for _ in range(20)] for _ in range(5)]
    for i in range(1000):
        way, far = ways[i % 5], 6 * drawn.random()
        tree.append(",".join(f"{far * x / math.hypot(*way) + drawn.gauss(0, 0.35):.4f}" for x in way) + f",branch {i % 5 + 1}\n")
    (folder / "tree.csv").write_text(",".join(f"g{c + 1}" for c in range(20)) + ",branch\n" + "".join(tree))
    edges = {(a, b) for a in range(160) for b in range(a) if drawn.random() < (0.5 if a // 20 == b // 20 else 0.01)}
    (folder / "groups.txt").write_text("".join(f"{a} {b}\n" for a, b in sorted(edges)))
    return {name: folder / f"{name}.csv" for name in ("waves", "crescents", "roll", "tree")} | {name: folder / f"{name}.txt" for name in ("web", "groups")}


def open_browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-prefers-reduced-motion"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "light"}]})
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": WIDTH, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    return driver


def with_palette(png):
    try:
        from PIL import Image
    except ImportError:
        return png
    reduced = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(reduced, "PNG", optimize=True)
    return min(png, reduced.getvalue(), key=len)


def photograph(driver, page):
    driver.get(page.as_uri())
    ready = lambda d: d.execute_script("return document.body.dataset.ready") == "true"
    WebDriverWait(driver, 60).until(ready)
    driver.execute_script("document.head.append(h('style', {}, arguments[0]))", STYLE)
    driver.execute_async_script("drawAll().then(arguments[0])")
    height = driver.execute_script("return document.querySelector('main').getBoundingClientRect().bottom")
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
    return base64.b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})["data"])


def main(names):
    (HERE / "pictures").mkdir(exist_ok=True)
    driver = open_browser()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        given = sources(folder)
        for name in names or [*RUNS, *PIPELINES]:
            page = folder / f"{name}.html"
            words = [word.format(**given) for word in PIPELINES.get(name) or [name, *RUNS[name]]]
            subprocess.run([CALOR, "run", *words, "--report", page, "-o", folder / "out.csv", "-q"], check=True, cwd=ROOT)
            png = with_palette(photograph(driver, page))
            (HERE / "pictures" / f"{name}.png").write_bytes(png)
            print(f"{name}.png {len(png) / 1000:.0f} kB")
    driver.quit()


if __name__ == "__main__":
    main(sys.argv[1:])
