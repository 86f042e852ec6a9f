"""The package itself: what it needs, what it loads, what it says of itself, its program."""
import importlib.metadata
import pathlib
import platform
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import calor
import calor._engine
from command import ROOT

WITHOUT = "import sys\nfor name in {blocked!r}: sys.modules[name] = None\n"


def run(code, blocked=()):
    done = subprocess.run([sys.executable, "-c", WITHOUT.format(blocked=blocked) + code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_metadata():
    about = importlib.metadata.metadata("calor")
    version = re.search(r"project\(Calor VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert calor.__version__ == about["Version"] == calor._engine.version == version
    assert about["License-Expression"] == "Apache-2.0" and about["Requires-Python"] == ">=3.11"
    needed = [line for line in about.get_all("Requires-Dist") if "extra" not in line]
    assert [re.match(r"\w+", line)[0] for line in needed] == ["numpy"]
    assert any("torch" in line and 'extra == "torch"' in line for line in about.get_all("Requires-Dist"))


def test_nothing_heavy_is_loaded_before_it_is_asked_for():
    loaded = run("import calor, sys; print([name for name in ('torch', 'sklearn', 'scipy', 'pandas', 'numpy') if name in sys.modules])")
    assert loaded == "[]\n"
    assert run("import calor, sys; calor.Isomap; print('torch' in sys.modules)") == "False\n"


def test_every_name_is_there():
    for name in set(calor.__all__) - {"attention", "library_path", "nn"}:  # which need torch
        assert getattr(calor, name) is not None and name in dir(calor)
    with pytest.raises(AttributeError, match="no attribute 'Isomop'"):
        calor.Isomop


def test_numpy_alone_is_enough():
    """Without scikit-learn, scipy and pandas: the same numbers, and the conveniences that are theirs."""
    code = """
import numpy as np, calor, pickle
X = np.random.default_rng(0).normal(size=(60, 3)); y = (X[:, 0] > 0).astype(int)
print(calor.MDS().fit_transform(X).sum().hex(), calor.KMeans(3).fit_predict(X).sum(), calor.Propagator().fit(X, y).score(X, y), calor.NadarayaWatson().fit(X, X[:, 0]).score(X, X[:, 0]).hex())
if calor.manifold.Embedder.__mro__[-2].__module__.startswith('calor'):
    print(calor.Isomap(n_neighbors=3), calor.Isomap().set_params(n_components=3).get_params()['n_components'], calor.MDS().fit(X).get_feature_names_out())
mine = pickle.loads(pickle.dumps(calor.LabelSpreading().fit(X, np.where(np.arange(60) % 2, y, -1))))
for wrong in (lambda: calor.MDS().transform(X), lambda: mine.predict(X[:, :2]), lambda: calor.MDS().fit(np.full((3, 3), np.nan)), lambda: calor.Isomap().set_params(k=3)):
    try: wrong(); print('accepted')
    except ValueError: pass
print(mine.predict(X).sum(), calor.Pipeline('knn(3)').fit(X).graph_ is not None, hasattr(calor.Pipeline('isomap'), 'predict'))
"""
    mine, theirs = run(code, ["sklearn", "scipy", "pandas", "torch"]).splitlines(), run(code).splitlines()
    assert mine[1] == "Isomap(n_neighbors=3) 3 ['mds0' 'mds1']"
    assert [mine[0], *mine[2:]] == theirs


def test_torch_is_an_extra():
    said = run("import calor\ntry: calor.nn\nexcept ImportError as error: print(error)\n", ["torch"])
    assert "calor[torch]" in said


def test_the_command_line_comes_along(wheel_calor):
    assert wheel_calor("--version").stdout == f"calor {calor.__version__}\n"
    done = subprocess.run([sys.executable, "-m", "calor", "run", "isomap", "iris"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 151
    found = columns_of(done.stdout)
    from sklearn.datasets import load_iris

    with pytest.warns(calor.CalorWarning):
        assert np.array_equal(found, calor.Isomap().fit_transform(load_iris().data))
    entry = importlib.metadata.entry_points(group="console_scripts")["calor"]
    assert entry.value == "calor._command:main"


def wheel_tag():
    return re.search(r"^Tag: (.*)$", importlib.metadata.distribution("calor").read_text("WHEEL"), re.M)[1]


@pytest.fixture
def manylinux():
    if "-manylinux" not in wheel_tag():
        pytest.skip("the wheel is for this machine alone")


def test_it_is_for_other_systems_too(manylinux):
    assert wheel_tag() == f"cp311-abi3-manylinux_2_34_{platform.machine()}"
    assert not any(shutil.which(name) for name in ("cc", "gcc", "c++", "ld", "ldconfig"))  # as make test-python calls us


OF_THE_SYSTEM = re.compile(r"(linux-vdso|ld-linux-[a-z0-9-]+|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+|z))\.so(\.[0-9]+)?")  # of what PEP 600 has in every manylinux system


def test_it_brings_its_libraries(manylinux):
    package = pathlib.Path(calor.__file__).parent
    loaded = set()
    for file in (calor._engine.__file__, package / "bin" / "calor"):
        lines = subprocess.run(["/usr/bin/ldd", file], check=True, capture_output=True, text=True, env={}).stdout.splitlines()
        for name, _, path in (line.strip().partition(" => ") for line in lines):
            name = pathlib.Path(name.split(" ")[0]).name
            if not OF_THE_SYSTEM.fullmatch(name):
                path = pathlib.Path(path.split(" ")[0]).resolve()
                assert path.parent == package.parent / "calor.libs" and path.exists(), f"{file} takes {name} from {path}"
                loaded.add(path)
    assert loaded == set((package.parent / "calor.libs").iterdir()) and len(loaded) >= 4  # and brings none for nothing


def test_it_says_what_is_inside(manylinux):
    """Each library's licence, and those of what was compiled or linked in."""
    licences = {path.name: path.read_text() for path in importlib.metadata.files("calor") if "third-party" in str(path)}
    inside = dict(re.findall(r"^(\S+) \S+: (.*)$", licences["README"], re.M))
    assert all(f"{name}.txt" in licences and len(licences[f"{name}.txt"]) > 500 for name in inside)
    libraries = [path.name.split("-")[0] for path in importlib.metadata.files("calor") if path.parent.name == "calor.libs"]
    assert sum(kinds == "a library beside" for kinds in inside.values()) == len(libraries)
    assert {"libeigen3-dev", "libspectra-dev", "nlohmann-json3-dev", "plotly"} <= set(inside) and "linked in" in inside["libstdc++-12-dev"]
    assert "libc6" not in inside and [name for name in inside if "Runtime Library Exception" in licences[f"{name}.txt"]] == ["libgcc-12-dev", "libgomp1", "libstdc++-12-dev"]


def columns_of(text):
    return np.array([[float(value) for value in line.split(",")[:2]] for line in text.splitlines()[1:]])


def test_types_are_declared():
    package = importlib.metadata.files("calor")
    assert {"py.typed", "_engine.pyi"} <= {path.name for path in package}


def test_types_hold():
    pytest.importorskip("mypy")
    done = subprocess.run([sys.executable, "-m", "mypy", "--ignore-missing-imports", "--check-untyped-defs", "--cache-dir", "/dev/null", str(ROOT / "python" / "calor")],
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
