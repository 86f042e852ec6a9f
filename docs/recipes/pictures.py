#!/usr/bin/env python3
"""Makes pictures/RECIPE.png for every recipe page: runs build/calor with --report and photographs the page's first figure.

    .venv/bin/python docs/recipes/pictures.py [RECIPE ...]

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
    "mean-shift": ["iris", "--set", "h=0.5"],
    "knn-classifier": ["iris", "--train", "0.7"],
    "knn-regressor": ["{waves}", "--train", "0.7"],
    "nadaraya-watson": ["{waves}", "--train", "0.7"],
    "propagator": ["digits", "--train", "0.7"],
    "label-spreading": ["digits", "--train", "0.05"],
    "svm": ["moons", "--train", "0.7", "--set", "weigh.C=10", "--set", "kernel.gamma=2"],
    "svm-density": ["moons", "--train", "0.7"],
    "svm-regressor": ["{waves}", "--train", "0.7", "--set", "weigh.C=10"],
    "one-class-svm": ["{crescents}", "--set", "weigh.nu=0.1", "--set", "kernel.gamma=2"],
    "hopfield": ["digits", "--set", "temperature=100"],
    "pagerank": ["{web}"],
}
PIPELINES = {"svm-density": "distance(2) | exp(auto) | two_side(1) | weigh(svm, C=100) | vote"}  # what is no recipe
# The figure alone: its plots, and its classes without what switches them.
STYLE = """
  header, footer, figcaption, .reading, .skip, main > :not(:first-child), .controls > :not(.chips), .chips > :last-child:not(.toggle) {display: none !important}
  main, figure {margin: 0 !important; padding: 8px !important} .controls {margin: 0}
  .toggle {border-color: transparent !important; background: none !important; padding: 2px 6px} .modebar {display: none !important}
"""


def sources(folder):
    """Data where no bundled set suits: a noisy wave, two crescents, and links between pages of which early ones are popular."""
    drawn = random.Random(0)
    xs = sorted(drawn.uniform(0, 6) for _ in range(200))
    (folder / "waves.csv").write_text("x,y\n" + "".join(f"{x:.4f},{math.sin(x) + drawn.gauss(0, 0.15):.4f}\n" for x in xs))
    turns = [math.pi * drawn.random() for _ in range(500)]
    places = [(math.cos(t), math.sin(t)) if i % 2 else (1 - math.cos(t), 0.5 - math.sin(t)) for i, t in enumerate(turns)]
    (folder / "crescents.csv").write_text("a,b\n" + "".join(f"{a + drawn.gauss(0, 0.08):.4f},{b + drawn.gauss(0, 0.08):.4f}\n" for a, b in places))
    links = {(page, drawn.randrange(1 + page // 3)) for page in range(1, 80) for _ in range(3)}
    (folder / "web.txt").write_text("".join(f"page{a} page{b}\n" for a, b in sorted(links)))
    return {"waves": folder / "waves.csv", "crescents": folder / "crescents.csv", "web": folder / "web.txt"}


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


def main(recipes):
    (HERE / "pictures").mkdir(exist_ok=True)
    driver = open_browser()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        given = sources(folder)
        for recipe in recipes or RUNS:
            page = folder / f"{recipe}.html"
            words = [word.format(**given) for word in RUNS[recipe]]
            subprocess.run([CALOR, "run", PIPELINES.get(recipe, recipe), *words, "--report", page, "-o", folder / "out.csv", "-q"], check=True, cwd=ROOT)
            png = with_palette(photograph(driver, page))
            (HERE / "pictures" / f"{recipe}.png").write_bytes(png)
            print(f"{recipe}.png {len(png) / 1000:.0f} kB")
    driver.quit()


if __name__ == "__main__":
    main(sys.argv[1:])
