"""What the README shows runs: every command line (with fewer epochs, on a small csv), the Python block, the make targets."""
import os
import re
import shlex
import subprocess
import sys

from blobs import two_blobs
from command import ROOT

README = (ROOT / "README.md").read_text()


def test_command_lines(calor, tmp_path):
    lines = [line.split("#")[0].strip() for line in README.splitlines() if re.match(r"    calor ", line)]
    assert len(lines) >= 5
    (tmp_path / "mine.csv").write_text(two_blobs(label="species"))
    (tmp_path / "table.csv").write_text("0,3,4\n3,0,5\n4,5,0\n")
    (tmp_path / "new.csv").write_text("a,b\n1,2\n-2,0\n")
    for line in lines:
        words = shlex.split(line)[1:]
        if words[0] == "compare":
            words = [w for w in words if w != "10" and w != "--seeds"] + ["--seeds", "1"]
        if words[0] in ("compare", "train"):
            words += ["--epochs", "5" if "digits" in words else "100"]
        done = calor(*words, cwd=tmp_path)
        assert done.stdout or "-o" in words, line
    for page in ("digits.html", "flat.html"):
        assert (tmp_path / page).stat().st_size > 1_000_000
    for file, rows in (("flat.csv", 1797), ("classes.csv", 2)):
        assert len((tmp_path / file).read_text().splitlines()) == 1 + rows
    assert (tmp_path / "m.safetensors").exists()


def test_attention_block():  # the estimators' is run by tests/python/test_docs.py
    code = re.findall(r"```python\n(.*?)```", README, re.S)[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    environment["CALOR_TORCH_LIBRARY"] = str(ROOT / "build" / "bindings" / "torch" / "libcalor_torch.so")
    subprocess.run([sys.executable, "-c", code + "\nassert len(found['heads']) == 8"], env=environment, check=True, timeout=600)


def test_make_targets_and_links_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets, links = re.findall(r"`?make ([a-z-]+)", README), re.findall(r"\]\(([^)#]+)\)", README)
    assert targets and links
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M), target
    for link in links:
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_the_index_names_every_page():
    index = (ROOT / "docs" / "README.md").read_text()
    linked = {(ROOT / "docs" / link).resolve() for link in re.findall(r"\]\(([^)#]+)\)", index)}
    pages = {*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "formats").glob("compare.md"), ROOT / "docs" / "recipes" / "README.md"}
    assert all(page.exists() for page in linked)
    assert {page.name for page in pages - linked} == {"README.md"}
