"""The digest of a result: equal for equal bits, whatever the number of threads; --portable computes with what all processors with AVX2 have."""
import json
import os

import pytest



def digest(calor, *words, env=None):
    document = json.loads(calor(*words, "--json", "-q", env=env).stdout)
    return document["digest"], document.get("kernels")


@pytest.mark.parametrize("recipe", ("tsne", "umap", "isomap", "diffusion-map", "lle", "k-means"))
def test_threads_change_no_bit_and_the_digest_says_so(calor, recipe):
    found = {digest(calor, "run", recipe, "digits", "--threads", n)[0] for n in (1, 2, 3)}
    assert len(found) == 1
    if recipe in ("tsne", "umap", "k-means"):  # of those that draw
        assert digest(calor, "run", recipe, "digits", "--seed", 1)[0] not in found


@pytest.mark.parametrize("recipe", ("umap", "diffusion-map", "propagator"))
def test_portable_is_avx2_wherever_it_runs(calor, recipe):
    avx2 = calor("run", recipe, "iris", "--json", "-q", env={**os.environ, "CALOR_ISA": "avx2"}, code=(0, 2))
    if avx2.returncode == 2:
        assert "expected a processor with AVX2" in calor("run", recipe, "iris", "--portable", code=2).stderr
        return
    portable = json.loads(calor("run", recipe, "iris", "--json", "-q", "--portable").stdout)
    assert portable["kernels"] == "avx2"
    assert portable["digest"] == json.loads(avx2.stdout)["digest"]
    # Other sums, other bits: what the option is for.
    scalar = json.loads(calor("run", recipe, "iris", "--json", "-q", env={**os.environ, "CALOR_ISA": "scalar"}).stdout)
    assert scalar["kernels"] == "scalar" and scalar["digest"] != portable["digest"]
