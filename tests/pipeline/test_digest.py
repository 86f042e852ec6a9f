"""The digest of a result: equal for equal bits, whatever the number of threads; --portable computes with what all processors with AVX2 have."""
import functools
import gzip
import hashlib
import json
import os
import pathlib
import re

import pytest

import command

DIGITS = pathlib.Path(command.ROOT) / "data" / "digits.csv.gz"
ROWS = 240  # above 200, where eigenvectors come from Lanczos's method; every recipe takes well under a second

# Without --portable a recipe may have other bits on another instruction set.  What differs on these rows, and why; what is in neither list is equal
# on all.  A recipe that has become equal must leave its list.
FUSED = "a product and its sum are rounded once, where the scalar definition rounds twice"
EXPONENTIAL = "besides, exponentials and powers are the vectors' own, where the scalar definition has those of the C library"
OTHER_ON_SCALAR = {"mds": FUSED, "isomap": FUSED, "diffusion-map": EXPONENTIAL, "umap": EXPONENTIAL, "fuzzy-c-means": FUSED, "propagator": EXPONENTIAL, "svm": EXPONENTIAL,
                   "svm-regressor": EXPONENTIAL, "one-class-svm": EXPONENTIAL, "hopfield": EXPONENTIAL}
WIDTH = "a row's sum is added up in as many parts as a vector has numbers"
OTHER_ON_AVX512 = {"mds-metric": WIDTH, "sne": WIDTH, "tsne": WIDTH, "nadaraya-watson": WIDTH, "propagator-regressor": WIDTH,
                   "lle": "the factor's panels are as wide as a vector, and its sums are cut by them"}


def digest(calor, *words, env=None):
    document = json.loads(calor(*words, "--json", "-q", env=env).stdout)
    return document["digest"], document.get("kernels")


@pytest.mark.parametrize("recipe", ("tsne", "umap", "isomap", "diffusion-map", "lle", "k-means"))
def test_threads_change_no_bit_and_the_digest_says_so(calor, recipe):
    found = {digest(calor, "run", recipe, "digits", "--threads", n)[0] for n in (1, 2, 3)}
    assert len(found) == 1
    if recipe in ("tsne", "umap", "k-means"):  # of those that draw
        assert digest(calor, "run", recipe, "digits", "--seed", 1)[0] not in found


@functools.cache
def instruction_sets():
    """Those that this machine can run, slowest first."""
    said = command.run("run", "k-means", "iris", "-q", env={**os.environ, "CALOR_ISA": "none"}, code=2).stderr
    return re.findall(r"[a-z]+[0-9]*", said[said.index("expected one of") + len("expected one of"):said.index(", found")].replace(" and ", " ").replace(" or ", " "))


RECIPES = ("mds", "mds-metric", "isomap", "lle", "laplacian-eigenmaps", "diffusion-map", "sne", "tsne", "umap", "spectral-clustering", "k-means", "fuzzy-c-means", "mcl",
           "knn-classifier", "knn-regressor", "nadaraya-watson", "propagator", "propagator-regressor", "svm", "svm-regressor", "one-class-svm", "label-spreading", "mean-shift",
           "hopfield", "pagerank")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """digits.csv: evenly drawn rows of the bundled digits; edges.txt: each row and the two after it, and another, with weights."""
    folder = tmp_path_factory.mktemp("digits")
    lines = gzip.decompress(DIGITS.read_bytes()).decode().split()[::7][:ROWS]
    header = ",".join([*(f"p{i}" for i in range(64)), "digit"])
    (folder / "digits.csv").write_text("\n".join([header, *lines]) + "\n")
    edges = [f"{i} {(i * step + step) % ROWS} {1 + (i * step) % 5 / 3:.4f}" for i in range(ROWS) for step in (1, 2, 31)]
    (folder / "edges.txt").write_text("\n".join(edges) + "\n")
    return folder


def run(recipe, rows, *words, **env):
    graph = recipe in ("mcl", "pagerank")
    return digest(command.run, "run", recipe, rows / ("edges.txt" if graph else "digits.csv"), "--threads", 1, *words, env={**os.environ, **env})


def needs_avx2():
    if "avx2" not in instruction_sets():
        assert "expected a processor with AVX2" in command.run("run", "umap", "iris", "--portable", code=2).stderr
        pytest.skip("this processor has no AVX2")


@pytest.mark.parametrize("recipe", RECIPES)
def test_portable_has_the_same_bits_on_every_instruction_set(rows, recipe):
    needs_avx2()
    found = {run(recipe, rows, "--portable", CALOR_ISA=isa) for isa in instruction_sets()}
    # As on a processor without AVX-512, where the C library takes other functions.
    found.add(run(recipe, rows, "--portable", GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512CD,-AVX512DQ,-ERMS,-FSRM"))
    assert len(found) == 1
    plain = {isa: run(recipe, rows, CALOR_ISA=isa) for isa in instruction_sets()}
    assert all(kernels == isa for isa, (_, kernels) in plain.items())
    assert found == {plain["avx2"]}
    assert (plain["scalar"][0] != plain["avx2"][0]) == (recipe in OTHER_ON_SCALAR or recipe in OTHER_ON_AVX512)
    if "avx512" in plain:
        assert (plain["avx512"][0] != plain["avx2"][0]) == (recipe in OTHER_ON_AVX512)


def test_the_lists_name_all_recipes_and_no_others(calor):
    shown = calor("recipes").stdout.split("\nNetworks")[0]
    assert RECIPES == tuple(re.findall(r"^([a-z0-9-]+)", shown, re.M))
    assert {*OTHER_ON_SCALAR, *OTHER_ON_AVX512} <= set(RECIPES)
    assert not {*OTHER_ON_SCALAR} & {*OTHER_ON_AVX512}


@pytest.mark.parametrize("network", (["--pipeline", "mlp"], ["--pipeline", "logistic"], ["--pipeline", "ipn"], ["--attention", "metric"]), ids=lambda words: words[1])
def test_portable_trains_the_same_network_whatever_torch_would_choose(rows, tmp_path, network):
    needs_avx2()

    def trained(*words, **env):
        command.run("train", rows / "digits.csv", *network, "--epochs", 2, "--save", tmp_path / "model.safetensors", "-q", *words, env={**os.environ, **env})
        return hashlib.sha256((tmp_path / "model.safetensors").read_bytes()).hexdigest()

    chosen = {"CALOR_ISA": "avx2", "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "COMPATIBLE"}
    assert trained("--portable") == trained("--portable", CALOR_ISA="scalar", ATEN_CPU_CAPABILITY="default", MKL_CBWR="AUTO") == trained(**chosen)
