"""Training a translator: `calor train-translation` beside the same network in plain torch (scaled_dot_product_attention), one thread each, in turns.

    PYTHON bench/translation.py TRAIN.en.gz TRAIN.de.gz [--pairs 4000] [--rounds 3] [--runs self self-bf16 l2 metric]

Pieces of both sides a second of processor time, so that other work on the machine disturbs little.  Calor's time is that of a training of two epochs less
that of one, in which the vocabulary and the start cancel; torch's is its loop.  Medians of the rounds, and their ratio to torch's.  Needs torch and sentencepiece (tools/requirements-bench.txt).
"""
import argparse
import gzip
import json
import math
import os
import pathlib
import random
import resource
import statistics
import subprocess
import tempfile
import time

import sentencepiece
import torch
from safetensors.numpy import load_file
from torch import nn
from torch.nn import functional

ROOT = pathlib.Path(__file__).resolve().parents[1]
CALOR = pathlib.Path(os.environ.get("CALOR_BINARY", ROOT / "build" / "calor"))
PAD, BEGIN, END = 0, 2, 3
WIDTH, LAYERS, HEADS, HIDDEN, DROPOUT, BUDGET, SMOOTHING = 256, 3, 4, 1024, 0.1, 2000, 0.1


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))

    def forward(self, x, memory, mask=None, causal=False):
        q, k, v = (m(y).unflatten(2, (HEADS, -1)).transpose(1, 2) for m, y in ((self.query, x), (self.key, memory), (self.value, memory)))
        return self.output(functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal).transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self, across):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3 if across else 2))
        self.attention = Attention()
        self.across = Attention() if across else None
        self.forward_map = nn.Sequential(nn.Linear(WIDTH, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, WIDTH))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x, memory, mask):
        n = self.norms[0](x)
        x = x + self.dropout(self.attention(n, n, None if self.across else mask, causal=self.across is not None))
        if self.across:
            x = x + self.dropout(self.across(self.norms[2](x), memory, mask))
        return x + self.dropout(self.forward_map(self.norms[1](x)))


class Translator(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, WIDTH)
        nn.init.normal_(self.embedding.weight, std=WIDTH**-0.5)
        self.encoder = nn.ModuleList(Layer(False) for _ in range(LAYERS))
        self.decoder = nn.ModuleList(Layer(True) for _ in range(LAYERS))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.dropout = nn.Dropout(DROPOUT)
        angle = torch.arange(2048.0)[:, None] * 10000 ** (-torch.arange(0, WIDTH, 2.0) / WIDTH)
        self.register_buffer("positions", torch.stack([angle.sin(), angle.cos()], 2).flatten(1))

    def embed(self, pieces):
        return self.dropout(self.embedding(pieces) * math.sqrt(WIDTH) + self.positions[: pieces.shape[1]])

    def forward(self, source, target):
        mask = (source != PAD)[:, None, None, :]
        x = self.embed(source)
        for layer in self.encoder:
            x = layer(x, None, mask)
        memory, x = self.norms[0](x), self.embed(target)
        for layer in self.decoder:
            x = layer(x, memory, mask)
        return self.norms[1](x)


def batches(pairs, seed):
    """As calor/learn/text/batches.h."""
    draw = random.Random(seed)
    order = list(pairs)
    draw.shuffle(order)
    order.sort(key=lambda pair: (1 + max(map(len, pair)), len(pair[1]), len(pair[0])))
    groups = []
    for pair in order:
        if not groups or (len(groups[-1]) + 1) * (1 + max(map(len, pair))) > BUDGET:
            groups.append([])
        groups[-1].append(pair)
    draw.shuffle(groups)
    return groups


def padded(rows):
    longest = max(map(len, rows))
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])


def torch_rate(pairs, vocabulary):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = Translator(vocabulary)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-9)
    pieces = 0
    begin = time.process_time()
    for group in batches(pairs, 0):
        source, target, wanted = (padded(rows) for rows in ([s + [END] for s, _ in group], [[BEGIN] + t for _, t in group], [t + [END] for _, t in group]))
        pieces += int((source != PAD).sum() + (wanted != PAD).sum())
        features = model(source, target)[wanted != PAD]
        loss = functional.cross_entropy(features @ model.embedding.weight.T, wanted[wanted != PAD], label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return pieces / (time.process_time() - begin)


def calor_seconds(files, run, epochs, folder):
    """(processor seconds, document)"""
    score, _, precision = run.partition("-")
    command = [CALOR, "train-translation", *files, "--validation", folder / "one.en", folder / "one.de", "--attention", score, "--precision", precision or "float", "--epochs", str(epochs), "--threads", "1", "--json", "-q",
               "--save", folder / "model.safetensors", "--checkpoint-seconds", "1e9"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs=2)
    parser.add_argument("--pairs", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", nargs="+", default=["self", "self-bf16", "l2", "metric"], metavar="SCORE[-PRECISION]")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        texts = []
        for path, language in zip(given.files, ("en", "de")):
            with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8", newline="\n") as file:
                texts.append([line.rstrip("\n") for line in file][: given.pairs])
            (folder / f"train.{language}").write_text("\n".join(texts[-1]) + "\n", encoding="utf-8")
            (folder / f"one.{language}").write_text(texts[-1][0] + "\n", encoding="utf-8")
        files = folder / "train.en", folder / "train.de"
        rates = {}
        for _ in range(given.rounds):
            for run in given.runs:
                (one, _), (two, document) = (calor_seconds(files, run, epochs, folder) for epochs in (1, 2))
                rates.setdefault(f"calor {run}", []).append(document["epochs"][1]["pieces"] / (two - one))
            pieces = sentencepiece.SentencePieceProcessor(model_proto=load_file(folder / "model.safetensors")["vocabulary"].tobytes())
            pairs = [tuple(pieces.encode(list(pair))) for pair in zip(*texts)]
            rates.setdefault("torch self", []).append(torch_rate(pairs, pieces.get_piece_size()))
            medians = {name: statistics.median(found) for name, found in rates.items()}
            print(", ".join(f"{name} {rate:.0f} ({rate / medians['torch self']:.2f})" for name, rate in medians.items()), flush=True)


if __name__ == "__main__":
    main()
