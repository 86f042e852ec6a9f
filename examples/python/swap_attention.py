"""Attention by products, by a distance and by a learned metric in two models that are written with torch alone.

    python examples/python/swap_attention.py gpt [--text input.txt]    # a small GPT over characters: loss on the text's last twentieth, in nats
    python examples/python/swap_attention.py vit                       # a small vision transformer on scikit-learn's digits: accuracy in %

Without --text the GPT reads Python's own help of the language, which comes with every Python.  Each model is made anew for every score and seed;
`calor.nn.replace_attention` puts the score in.  Every score chooses its learning rate among --rates by the part for validation with a seed of its own, and is then
trained with --seeds others, from the same starting weights and batches for all scores.  Prints mean and standard deviation, and the paired differences from products
with a t interval of 95 %.
"""
import argparse
import math
import statistics
import time
from pydoc_data.topics import topics

import numpy
import torch
from scipy import stats

import calor

nn = torch.nn


class Body(nn.Module):
    """Tokens -> encoder layers -> numbers for each token."""

    def __init__(self, embed, positions, out, width, layers, heads):
        super().__init__()
        self.embed, self.out = embed, nn.Linear(width, out)
        self.position = nn.Parameter(0.02 * torch.randn(positions, width))
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)

    def forward(self, x, causal):
        h = self.embed(x) + self.position[: x.shape[1]]
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1]) if causal else None
        return self.out(self.encoder(h, mask=mask, is_causal=causal))


class Characters:
    """A small one of nanoGPT's settings for a laptop: 2 layers of 4 heads, 64 wide, 64 characters of context, 12 windows a step."""

    better, unit = min, "nats per character"
    steps, context, batch = 500, 64, 12

    def __init__(self, path):
        text = open(path, encoding="utf-8").read() if path else "\n".join(text for _, text in sorted(topics.items()))
        names = sorted(set(text))
        codes = torch.tensor([names.index(letter) for letter in text])
        self.size, cut = len(names), len(codes) * 9 // 10
        self.train, rest = codes[:cut], codes[cut:]
        self.parts = {"validation": rest[: len(rest) // 2], "test": rest[len(rest) // 2 :]}

    def model(self):
        return Body(nn.Embedding(self.size, 64), self.context, self.size, 64, 2, 4)

    def loss(self, model, generator):
        at = torch.randint(len(self.train) - self.context - 1, (self.batch,), generator=generator)
        windows = torch.stack([self.train[i : i + self.context + 1] for i in at])
        return nn.functional.cross_entropy(model(windows[:, :-1], True).flatten(0, 1), windows[:, 1:].flatten())

    def score(self, model, part):
        codes = self.parts[part]
        count = (len(codes) - 1) // self.context
        x, y = (codes[shift : shift + count * self.context].view(count, -1) for shift in (0, 1))
        losses = [nn.functional.cross_entropy(model(a, True).flatten(0, 1), b.flatten(), reduction="sum") for a, b in zip(x.split(64), y.split(64))]
        return float(sum(losses)) / y.numel()


class Digits:
    """Images of 8 x 8 as 16 patches of 2 x 2; 60 % to train, 20 % to choose, 20 % to test."""

    better, unit = max, "% right"
    steps, batch = 1500, 64

    def __init__(self):
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        order = numpy.random.default_rng(0).permutation(len(x))
        patches = torch.tensor(x[order] / 16, dtype=torch.float).view(-1, 4, 2, 4, 2).transpose(2, 3).reshape(-1, 16, 4)
        labels, first, second = torch.tensor(y[order]), len(x) * 6 // 10, len(x) * 8 // 10
        self.train = patches[:first], labels[:first]
        self.parts = {"validation": (patches[first:second], labels[first:second]), "test": (patches[second:], labels[second:])}

    def model(self):
        return Body(nn.Linear(4, 64), 16, 10, 64, 2, 4)

    def loss(self, model, generator):
        x, y = self.train
        rows = torch.randint(len(x), (self.batch,), generator=generator)
        return nn.functional.cross_entropy(model(x[rows], False).mean(1), y[rows])

    def score(self, model, part):
        x, y = self.parts[part]
        return 100 * float((model(x, False).mean(1).argmax(-1) == y).float().mean())


def trained(task, score, rate, seed, temperature):
    """The model, and the training loss of each step."""
    torch.manual_seed(seed)
    model = task.model()
    calor.nn.replace_attention(model, score, temperature=temperature)
    optimiser = torch.optim.AdamW(model.parameters(), rate, betas=(0.9, 0.99), weight_decay=0.01)
    warm = max(1, task.steps // 20)
    plan = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / warm, 0.1 + 0.45 * (1 + math.cos(math.pi * max(0, step - warm) / max(1, task.steps - warm)))))
    generator, losses = torch.Generator().manual_seed(seed), []
    for _ in range(task.steps):
        optimiser.zero_grad()
        loss = task.loss(model, generator)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        plan.step()
        losses.append(loss.item())
    return model.eval(), losses


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("gpt", "vit"))
    parser.add_argument("--text", help="the text that gpt learns from, instead of Python's help")
    parser.add_argument("--scores", default="dot,l2,metric")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rates", default="0.001,0.003")
    parser.add_argument("--temperature", default="learn", choices=("fixed", "learn"))
    parser.add_argument("--steps", type=int)
    options = parser.parse_args()
    if options.seeds < 1:
        parser.error("--seeds of at least 1")
    task = Characters(options.text) if options.task == "gpt" else Digits()
    task.steps = options.steps or task.steps
    scores, rates, found = options.scores.split(","), [float(rate) for rate in options.rates.split(",")], {}
    for score in scores:
        chosen, start = {}, time.time()
        for rate in rates if len(rates) > 1 else []:
            with torch.no_grad():
                model = torch.enable_grad()(trained)(task, score, rate, 1000, options.temperature)[0]
                chosen[task.score(model, "validation")] = rate
        rate = chosen[task.better(chosen)] if chosen else rates[0]
        results = []
        for seed in range(options.seeds):
            model, losses = trained(task, score, rate, seed, options.temperature)
            with torch.no_grad():
                results.append((task.score(model, "test"), statistics.mean(losses[-max(1, len(losses) // 10) :]), statistics.mean(losses[: max(1, len(losses) // 4)])))
        found[score] = results
        tests, last, first = zip(*results)
        spread = statistics.stdev(tests) if len(tests) > 1 else math.nan
        count = sum(parameter.numel() for parameter in model.parameters())
        print(f"{score:7} test {statistics.mean(tests):.3f} +- {spread:.3f} {task.unit}; training loss {statistics.mean(first):.3f} over the first quarter of the steps, "
              f"{statistics.mean(last):.3f} over the last tenth; rate {rate}; {count:,} parameters; {time.time() - start:.0f} s", flush=True)
    for score in scores[1:]:
        differences = [a[0] - b[0] for a, b in zip(found[score], found[scores[0]])]
        half = stats.t.ppf(0.975, len(differences) - 1) * statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.nan
        print(f"{score} - {scores[0]}: {statistics.mean(differences):+.3f}, 95 % interval {statistics.mean(differences) - half:+.3f} to {statistics.mean(differences) + half:+.3f}")


if __name__ == "__main__":
    main()
