"""Time and memory of attention's second derivative, streamed, beside the first and beside the composition's: python bench/second_derivative.py [--rows N] [--heads H]."""

import argparse
import pathlib
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))


def measure(rows, heads, score, operator):
    import torch

    import calor

    calor.attention  # loads the operators
    torch.set_num_threads(1)
    torch.manual_seed(0)
    function = getattr(torch.ops.calor, operator)
    inputs = [torch.randn(1, heads, rows, 64, requires_grad=True) for _ in range(3)]
    d_out = torch.randn(1, heads, rows, 64, requires_grad=True)
    out, _ = function(*inputs, torch.tensor(0.125), score=score)

    def seconds(work):
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            work()
            best = min(best, time.process_time() - start)
        return best

    first = seconds(lambda: torch.autograd.grad(out, inputs, d_out, retain_graph=True))
    gradients = torch.autograd.grad(out, inputs, d_out, create_graph=True)
    sent = [torch.randn(g.shape) for g in gradients]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    second = seconds(lambda: torch.autograd.grad(gradients, [*inputs, d_out], sent, retain_graph=True))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{score:17} {operator:20} first {first:7.3f} s, second {second:7.3f} s: {second / first:5.2f} times; {(after - before) / 1024:6.0f} MiB more")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2048)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--one", nargs=2, metavar=("SCORE", "OPERATOR"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options.rows, options.heads, *options.one)
        return
    for score in ("dot", "squared_distance"):
        for operator in ("attention", "attention_composed"):  # each in a process of its own, for its memory
            subprocess.run([sys.executable, __file__, "--rows", str(options.rows), "--heads", str(options.heads), "--one", score, operator], check=True)


if __name__ == "__main__":
    main()
