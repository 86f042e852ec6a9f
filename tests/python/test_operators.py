"""torch's operators calor::* of the installed package, registered in Python for any torch: beside those that are compiled for one, and instead of them.
What they compute and refuse is tested by tests/torch, which make test-python runs with them too."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import calor
from command import ROOT

pytest.importorskip("torch")
BUILT = ROOT / "build" / "bindings" / "torch" / "libcalor_torch.so"
NUMBERS = """
import hashlib, torch, calor
from calor import nn, ops
from calor.nn.functional import attention
torch.manual_seed(0)
def said(*tensors):
    print(hashlib.sha256(b"".join(x.detach().to(torch.float64).numpy().tobytes() for x in tensors)).hexdigest())
for dtype in (torch.float32, torch.float64, torch.bfloat16):
    for score in ("dot", "l2"):
        x = [torch.randn(2, 3, n, 24, dtype=dtype, requires_grad=True) for n in (70, 90, 90)]
        bias, mask = torch.randn(2, 3, 90, requires_grad=True), torch.rand(70, 90) > 0.3
        out = attention(*x, mask, score=score, bias=bias)
        said(out, *torch.autograd.grad(out.float().square().sum(), [*x, bias]))
graph = nn.Graph.from_edge_index(torch.randint(50, (2, 400)), 50)
for score in ("dot", "squared_distance"):
    x = [torch.randn(50, 2, 5, requires_grad=True) for _ in range(3)]
    out = ops.edge_attention(graph, *x, score=score, dropout=0.2, seed=7)
    said(out, *torch.autograd.grad(out.square().sum(), x))
print(calor.library_path())
"""


def run(library, code=NUMBERS, path=None):
    environment = {**os.environ, "CALOR_TORCH_LIBRARY": library}
    if library is None:
        del environment["CALOR_TORCH_LIBRARY"]
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines(), done.stderr


def test_the_same_bits_as_those_compiled_for_one_torch():
    if not BUILT.is_file():
        pytest.skip(f"needs {BUILT}: cmake --build build --target calor_torch")
    every, compiled = run("")[0], run(str(BUILT))[0]
    assert len(every) == 9 and every[-1] == "None" and compiled[-1] == str(BUILT)
    assert every[:-1] == compiled[:-1]


def test_they_take_the_place_of_a_library_for_another_torch(tmp_path):
    """A library beside the package that does not load: a warning, and the operators of every torch."""
    shutil.copytree(pathlib.Path(calor.__file__).parent, tmp_path / "calor", ignore=shutil.ignore_patterns("bin", "__pycache__", "libcalor_torch.so"))
    for libraries in pathlib.Path(calor.__file__).parent.parent.glob("calor.libs"):  # those that the extension loads
        (tmp_path / "calor.libs").symlink_to(libraries)
    (tmp_path / "calor" / "libcalor_torch.so").write_bytes(b"of another torch")
    code = "import torch, calor\nq = torch.ones(2, 3)\nprint(calor.attention(q, q, q).tolist())"
    said, warned = run(None, code, tmp_path)
    assert said == ["[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]"]
    assert "CalorWarning" in warned and "operators of every torch take its place" in warned and str(tmp_path) in warned
