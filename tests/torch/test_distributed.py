"""Several processes on one machine (Gloo): what they compute together is what one computes."""
import json
import pathlib
import subprocess
import sys

import pytest
import torch

from operators import calor, environment  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[2]
HALVES = """
import sys, torch
from calor.nn.distributed import attention_over_keys
torch.distributed.init_process_group("gloo")
rank, processes, (score, dtype, path) = torch.distributed.get_rank(), torch.distributed.get_world_size(), sys.argv[1:]
given = torch.load(path + "/given.pt")
q, k, v, d_out, d_lse, bias = (given[name].to(getattr(torch, dtype)) for name in ("q", "k", "v", "d_out", "d_lse", "bias"))
part = slice(0, 3) if rank == 0 else slice(3, None)  # parts of different size
q, k, v = q.requires_grad_(), k[:, :, part].clone().requires_grad_(), v[:, :, part].clone().requires_grad_()
out, lse = attention_over_keys(q, k, v, score=score, scale=0.4, bias=bias[..., part].contiguous(), return_lse=True)
((out * d_out).sum() + (lse * d_lse).sum()).backward()
torch.save({"out": out.detach(), "lse": lse.detach(), "q": q.grad, "k": k.grad, "v": v.grad}, f"{path}/{rank}.pt")
torch.distributed.destroy_process_group()
"""


def torchrun(*words, processes=2):
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else [sys.executable]
    for _ in range(3):  # once in some twenty runs a thread of torch's own outlives its process's end, and aborts it
        done = subprocess.run([*launcher, *map(str, words)], capture_output=True, text=True, timeout=300, env=environment(OMP_NUM_THREADS="1"))
        if done.returncode == 0 or "terminate called without an active exception" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("score", ["dot", "squared_distance"])
@pytest.mark.parametrize("dtype,tolerance", [("float32", 1e-6), ("float64", 1e-13)])
def test_halves_of_the_keys_join_to_the_whole(tmp_path, score, dtype, tolerance):
    torch.manual_seed(2)
    given = {"q": torch.randn(2, 3, 5, 8), "k": torch.randn(2, 3, 9, 8), "v": torch.randn(2, 3, 9, 4), "d_out": torch.randn(2, 3, 5, 4), "d_lse": torch.randn(2, 3, 5), "bias": torch.randn(2, 3, 9)}
    torch.save(given, tmp_path / "given.pt")
    (tmp_path / "halves.py").write_text(HALVES)
    torchrun(tmp_path / "halves.py", score, dtype, tmp_path)
    q, k, v, d_out, d_lse, bias = (given[name].to(getattr(torch, dtype)) for name in ("q", "k", "v", "d_out", "d_lse", "bias"))
    q, k, v = (x.requires_grad_() for x in (q, k, v))
    out, lse = calor.ops.attention(q, k, v, score=score, scale=0.4, bias=bias, return_lse=True)
    ((out * d_out).sum() + (lse * d_lse).sum()).backward()
    parts = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    whole = {"out": out.detach(), "lse": lse.detach(), "q": q.grad}
    for part in parts:
        for name, truth in whole.items():
            torch.testing.assert_close(part[name], truth, rtol=tolerance, atol=tolerance * 10)
    for name, truth in (("k", k.grad), ("v", v.grad)):
        torch.testing.assert_close(torch.cat([part[name] for part in parts], 2), truth, rtol=tolerance, atol=tolerance * 10)


def test_it_says_where_it_must_run():
    from calor.nn.distributed import attention_over_keys

    with pytest.raises(RuntimeError, match="under torchrun"):
        attention_over_keys(*(torch.randn(1, 1, 2, 4) for _ in range(3)))


@pytest.mark.parametrize("options", [(), ("--shard",)])
def test_data_parallel_training_has_the_losses_of_one_process(tmp_path, options):
    example = ROOT / "examples/python/data_parallel.py"
    torchrun(example, "--steps", 30, "--check", tmp_path / "one.json", processes=1)
    said = torchrun(example, "--steps", 30, *options, "--check", tmp_path / "two.json")
    assert "step 30: loss" in said
    one, two = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two"))
    assert one[-1] < one[0] - 0.05
    assert max(abs(a - b) for a, b in zip(one, two, strict=True)) < 1e-5
