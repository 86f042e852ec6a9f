"""A small transformer with metric attention, trained by several processes on one batch: torchrun --nproc-per-node 2 examples/python/data_parallel.py

Each process takes its part of every batch and DistributedDataParallel averages their gradients (Gloo on the CPU), so that the loss is that of one process
with the whole batch.  With --shard each keeps its part of the parameters as well (fully sharded data parallel).  Prints the loss of every tenth step; with --check P the losses go to a file of JSON.
"""
import argparse
import json
import os

import torch
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from calor.nn import MetricAttention


class Classifier(nn.Module):
    """Do more tokens lie right or left of 0?  Tokens of three features, a layer of attention, and a mean."""

    def __init__(self, width=32):
        super().__init__()
        self.encode, self.attention, self.decode = nn.Linear(3, width), MetricAttention(width, heads=4, temperature="learn"), nn.Linear(width, 2)

    def forward(self, tokens):
        hidden = self.encode(tokens)
        return self.decode((hidden + self.attention(hidden)).mean(1))


def batch(step, size=64, tokens=20):
    generator = torch.Generator().manual_seed(step)
    points = torch.randn(size, tokens, 3, generator=generator)
    return points, (points[..., 0] > 0).float().mean(1).gt(0.5).long()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--shard", action="store_true", help="parts of the parameters, too, in each process")
    parser.add_argument("--check", help="file of JSON for the losses")
    options = parser.parse_args()
    processes, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    torch.manual_seed(0)  # the same start everywhere
    model = Classifier()
    if processes > 1:
        torch.distributed.init_process_group("gloo")
        if options.shard:
            mesh = torch.distributed.init_device_mesh("cpu", (processes,))
            for module in (model.attention, model):
                fully_shard(module, mesh=mesh)
        else:
            model = DistributedDataParallel(model)
    optimiser, losses = torch.optim.AdamW(model.parameters(), 1e-2), []
    for step in range(options.steps):
        points, classes = batch(step)
        points, classes = points[rank::processes], classes[rank::processes]
        loss = nn.functional.cross_entropy(model(points), classes)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        mean = loss.detach() / processes
        if processes > 1:
            torch.distributed.all_reduce(mean)
        losses.append(float(mean))
        if rank == 0 and step % 10 == 9:
            print(f"step {step + 1}: loss {losses[-1]:.6f}")
    if options.check and rank == 0:
        with open(options.check, "w") as file:
            json.dump(losses, file)
    if processes > 1:
        del model, optimiser, loss  # what still holds the group, whose threads must not outlive it
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
