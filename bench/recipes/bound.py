"""What one core of this machine could do at best: the rate of a register-tiled float product out of cache, measured by
bench/calor_bench_limits."""
import functools
import os
import pathlib
import subprocess

PROGRAM = os.environ.get("CALOR_LIMITS", str(pathlib.Path(__file__).resolve().parents[2] / "build" / "bench" / "calor_bench_limits"))


@functools.lru_cache(maxsize=1)
def operations_per_second():
    """Multiply-adds counted as two, or None where the program is not built."""
    if not os.path.exists(PROGRAM):
        return None
    return float(subprocess.run([PROGRAM], check=True, capture_output=True, text=True).stdout)


def share_of_bound(rate):
    """A rate in words, as a share of the bound where that is known."""
    bound = operations_per_second()
    return f"{rate / 1e9:.0f} GFLOP/s" + (f" ({100 * rate / bound:.0f} % of the bound)" if bound else "")
