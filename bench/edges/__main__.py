"""Attention on the edges of a graph beside its peers: 100,000 nodes, a million edges of a power law, 64 features, float32, one thread.

  python bench/edges [--heads 1 8] [--rounds 7] [--nodes 100000] [--edges 1000000] [-o FILE.json]

Peers: the composition of gathers and scatters in torch as it is (what PyTorch Geometric's layers do), the same under torch.compile, and torch's sparse CSR
product (MKL) for plain sums.  All answers are compared with one another before anything is timed; rounds are interleaved, medians reported.
"""
import argparse
import json
import statistics
import time

import warnings

import torch

from calor import nn as cnn
from calor import ops


def power_law(nodes, edges, seed=0):
    """Targets of uneven degrees, sources with hubs."""
    generator = torch.Generator().manual_seed(seed)
    degree = (torch.rand(nodes, generator=generator) ** (-1 / 1.5)).clamp(max=2000)
    degree = (degree * (edges / degree.sum())).round().clamp(min=1).long()
    target = torch.repeat_interleave(torch.arange(nodes), degree)
    source = (nodes * torch.rand(target.numel(), generator=generator) ** 2).long().clamp(max=nodes - 1)
    return torch.stack([source, target])


def scattered(q, k, v, source, target):
    nodes, heads = q.shape[0], q.shape[1]
    scores = (q[target] * k[source]).sum(-1) * q.shape[-1] ** -0.5
    index = target[:, None].expand(-1, heads)
    greatest = torch.full((nodes, heads), -torch.inf).scatter_reduce(0, index, scores.detach(), "amax")
    raised = torch.exp(scores - greatest[target])
    sums = torch.zeros(nodes, heads).index_add(0, target, raised)
    return torch.zeros_like(v).index_add(0, target, (raised / sums[target])[..., None] * v[source])


def measured(calls, rounds):
    """Medians in milliseconds of calls that take turns."""
    times = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            begin = time.perf_counter()
            call()
            times[name].append(1e3 * (time.perf_counter() - begin))
    return {name: round(statistics.median(values), 1) for name, values in times.items()}


def attention(index, nodes, heads, features, rounds):
    graph = cnn.Graph.from_edge_index(index, nodes)
    source, target = (row[graph.order].contiguous() for row in index)
    torch.manual_seed(1)
    q, k, v = (torch.randn(nodes, heads, features // heads) for _ in range(3))
    received = torch.randn(nodes, heads, features // heads)
    compiled = torch.compile(scattered)
    ways = {"calor": lambda *qkv: ops.edge_attention(graph, *qkv), "compiled": lambda *qkv: compiled(*qkv, source, target), "eager": lambda *qkv: scattered(*qkv, source, target)}

    def both(way):
        inputs = [x.clone().requires_grad_() for x in (q, k, v)]

        def call():
            way(*inputs).backward(received)
            gradients = [x.grad for x in inputs]
            for x in inputs:
                x.grad = None
            return gradients

        return call

    forward = {name: (lambda way=way: way(q, k, v)) for name, way in ways.items()}
    backward = {name: both(way) for name, way in ways.items()}
    truth, gradients = forward["eager"](), backward["eager"]()
    for name in ways:
        torch.testing.assert_close(forward[name](), truth, rtol=1e-4, atol=1e-4)
        for found, expected in zip(backward[name](), gradients):
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    with torch.no_grad():
        result = {"forward_ms": measured(forward, rounds)}
    result["both_ms"] = measured(backward, rounds)
    return {"heads": heads, **result}


def sums(index, nodes, features, rounds):
    graph = cnn.Graph.from_edge_index(index, nodes)
    weights, v = torch.rand(graph.edges, 1), torch.randn(nodes, features)
    matrix = torch.sparse_csr_tensor(graph.tensors[0], graph.tensors[1].long(), weights.squeeze(1), (nodes, nodes))
    calls = {"calor": lambda: ops.edge_sums(graph, weights, v.unsqueeze(1)).squeeze(1), "torch sparse CSR": lambda: matrix @ v}
    torch.testing.assert_close(calls["calor"](), calls["torch sparse CSR"](), rtol=1e-4, atol=1e-3)
    return {"forward_ms": measured(calls, rounds)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("-o", "--output")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", UserWarning)  # sparse CSR is "in beta state"
    index = power_law(options.nodes, options.edges)
    results = {"torch": torch.__version__, "nodes": options.nodes, "edges": index.shape[1], "features": options.features, "attention": [], "sums": sums(index, options.nodes, options.features, options.rounds)}
    print(f"{options.nodes:,} nodes, {index.shape[1]:,} edges, {options.features} features, one thread; milliseconds, medians of {options.rounds} interleaved rounds")

    def line(what, times):
        ours = times["calor"]
        print(f"  {what:<28}" + "   ".join(f"{name} {value:8.1f}" + ("" if name == "calor" else f" ({value / ours:.2f}x)") for name, value in times.items()))

    line("weighted sums", results["sums"]["forward_ms"])
    for heads in options.heads:
        found = attention(index, options.nodes, heads, options.features, options.rounds)
        results["attention"].append(found)
        line(f"attention, {heads} heads, forward", found["forward_ms"])
        line(f"attention, {heads} heads, both", found["both_ms"])
    if options.output:
        with open(options.output, "w") as file:
            json.dump(results, file, indent=1)


main()
