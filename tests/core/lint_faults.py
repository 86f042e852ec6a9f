"""The include lint finds what it is there for: a tree with one fault of each kind, planted in a temporary folder,
beside files that keep the rules narrowly."""
import pathlib
import subprocess
import sys
import tempfile

ONCE = "#pragma once\n"
FAULTS = {
    "calor/core/a.cpp": ("// first line\n" + '#include "calor/io/b.h"\n', ":2: core includes io"),
    "calor/io/b.h": ("int x;\n", ":1: a header needs #pragma once"),
    "calor/io/across.cpp": ('#include "calor/kernels/k.h"\n', ":1: io includes kernels"),
    "calor/report/c.cpp": ("#include <torch/torch.h>\n", ":1: report includes torch"),
    "calor/kernels/d.cpp": ('const char* p = "/' + 'home/me/data";\n', ":1: a path of one machine"),
    "docs/place.md": ("see ../" + "shared/notes\n", ":1: a path of one machine"),
    "calor/attic/e.cpp": ("\n", "room attic has no rank"),
    "bindings/torch/up.cpp": ('#include "calor/learn/d.h"\n', ":1: bindings/torch includes learn"),
    "tests/io/t.cpp": ("#include <c10/util/Half.h>\n", ":1: tests includes torch"),
}
CLEAN = {
    "calor/core/g.h": ONCE,
    "calor/kernels/k.h": ONCE + '#include "calor/core/g.h"\n',
    "calor/kernels/tile-inl.h": "// included once a target\n",
    "bindings/torch/attention.h": ONCE + '#include <ATen/ATen.h>\n#include "calor/kernels/k.h"\n',
    "calor/learn/f.cpp": '#include <torch/torch.h>\n#include "bindings/torch/attention.h"\n#include "calor/core/g.h"\n',
    "apps/calor/main.cpp": '#include "calor/learn/d.h"\n',
    "tests/learn/t.cpp": "#include <torch/torch.h>\n",
    "bench/b.cpp": "#include <ATen/ATen.h>\n",
    "docs/fine.md": "the frame/" + "work/ of it\n",
}


def run(files):
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        done = subprocess.run([sys.executable, sys.argv[1], name], capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines()


code, lines = run(CLEAN)
assert (code, lines) == (0, []), (code, lines)
code, lines = run({**{path: text for path, (text, _) in FAULTS.items()}, **CLEAN})
assert code == 1, code
assert len(lines) == len(FAULTS), lines
for path, (_, words) in FAULTS.items():
    assert any(line.startswith(path) and words in line for line in lines), (path, lines)
