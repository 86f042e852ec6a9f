"""Writes compare_fixture.json: what a comparison measures (runs, baselines, similarity, regions) before statistics are added.

    python tests/report/make_fixture.py

Made up, but shaped like real runs: on "moons" self-attention dies in 3 of 10 seeds and fresh points are there; on "digits" six
seeds, a learned temperature, saturated metric layers and classes enough for a sorted 10-class similarity matrix.
"""
import json
import pathlib

import numpy as np

ATTENTIONS = ["self", "l2", "metric", "uniform"]
PIPELINES = {"self": "score(qk) | exp | row | apply", "l2": "score(l2) | exp | row | apply",
             "metric": "score(metric) | exp | row | apply", "uniform": "score(constant) | exp | row | apply"}


def rounded(values, digits=4):
    return np.round(np.asarray(values, float), digits).tolist()


def run(random, attention, seed, *, epochs, classes, top, half, dead, extra, share_end, keys, learn):
    """One run: accuracy climbs from chance to `top`, half way at epoch `half`; a dead one stays at chance."""
    epoch = np.unique(np.concatenate([[0], np.geomspace(1, epochs, 24).astype(int)]))
    chance = 1 / classes
    rise = 0 * epoch if dead else 1 - np.exp(-epoch / (1.44 * half * random.uniform(0.85, 1.2)))
    noise = random.normal(0, 0.004, len(epoch)) * (epoch > 0)
    accuracy = chance + (top - chance) * rise
    test = np.clip(accuracy + noise, 0, 1)
    loss = np.log(classes) * (1 - 0.93 * rise) + 0.003 * np.abs(random.normal(size=len(epoch)))
    toward = (1 - np.exp(-epoch / half))[:, None]
    start = np.array([0.97, 0.99]) if attention == "self" else np.array([0.7, 0.8])
    end = np.array(share_end)
    share = np.exp((1 - toward) * np.log(start) + toward * np.log(end))
    if attention == "uniform":
        share = np.ones_like(share)
    factor = 1 + (toward * random.uniform(0.5, 2, 2) if learn else 0 * toward * np.ones(2))
    step = {"self": 1.0, "l2": 1.05, "metric": 1.3, "uniform": 0.7}[attention] * 0.004
    return {"attention": attention, "seed": seed, "parameters": {"metric": 562, "uniform": 142}.get(attention, 342),
            "epoch": epoch.tolist(), "loss": rounded(loss), "train_accuracy": rounded(np.clip(accuracy + 0.01 * rise, 0, 1)),
            "test_accuracy": rounded(test), "extra_accuracy": rounded(np.clip(accuracy + noise / 4 + 0.005 * rise, 0, 1)) if extra else None,
            "seconds": rounded(epoch * step), "share": rounded(np.clip(share, 1 / keys, 1), 5), "temperature": rounded(factor)}


def similarity(random, attention, classes, tokens, strength):
    labels = np.sort(np.arange(tokens) % classes)
    score = strength * (labels[:, None] == labels[None, :]) + random.normal(0, 0.6, (tokens, tokens))
    if attention == "uniform":
        score = 0 * score
    weights = np.exp(score)
    return {"attention": attention, "layer": 2, "seed": 0, "labels": labels.tolist(),
            "matrix": rounded(weights / weights.sum(1, keepdims=True), 4)}


def moons(random, n):
    side = np.arange(n) % 2
    angle = random.uniform(0, np.pi, n)
    x = np.where(side == 0, np.cos(angle), 1 - np.cos(angle)) + random.normal(0, 0.2, n)
    y = np.where(side == 0, np.sin(angle), 0.5 - np.sin(angle)) + random.normal(0, 0.2, n)
    return x, y, side


def regions(random, attention, sharp):
    x, y, side = moons(random, 200)
    gx, gy = np.linspace(-2, 3, 36), np.linspace(-1.5, 2, 36)
    px, py = np.meshgrid(gx, gy)
    boundary = 0.25 if attention == "uniform" else 0.25 + 0.45 * np.sin(2.6 * (px - 0.5)) * -1
    probability = 1 / (1 + np.exp(sharp * (py - boundary)))
    return {"attention": attention, "seed": 0, "x": rounded(gx), "y": rounded(gy), "probability": rounded(probability, 3),
            "winner": (probability > 0.5).astype(int).tolist(),
            "points": {"x": rounded(x, 3), "y": rounded(y, 3), "label": side.tolist(), "test": (np.arange(200) % 5 == 4).tolist()}}


def protocol(seeds, keys, **other):
    base = {"reading": "recommended", "attend": "train", "layers": 2, "width": 10, "residual": True, "optimizer": "adamw",
            "learning_rate": 0.001, "weight_decay": 0.0001, "batch": keys, "epochs": 1000, "temperature": "fixed",
            "seeds": list(range(seeds)), "base_seed": 0, "tokens": keys,
            "seed_means": "the split, the initial weights and the order of the batches"}
    return base | other


def moons_experiment(random):
    tops = {"self": (0.962, 290), "l2": (0.958, 340), "metric": (0.961, 220), "uniform": (0.885, 200)}
    ends = {"self": (0.4, 0.3), "l2": (0.3, 0.2), "metric": (0.15, 0.1), "uniform": (1, 1)}
    runs = [run(random, a, s, epochs=1000, classes=2, top=tops[a][0] + random.normal(0, 0.006), half=tops[a][1] / 3,
                dead=a == "self" and s in (2, 5, 6), extra=True, share_end=ends[a], keys=400, learn=False)
            for a in ATTENTIONS for s in range(10)]
    baselines = [{"name": name, "parameters": parameters, "accuracy": rounded(top + random.normal(0, 0.012, 10)),
                  "extra_accuracy": rounded(top + 0.005 + random.normal(0, 0.003, 10))}
                 for name, top, parameters in (("logistic regression", 0.868, 6), ("5-NN", 0.962, None), ("MLP", 0.965, 352))]
    return {"data": {"name": "moons", "source": "moons (bundled)", "hash": "sha256:5d1f0a9c3be2", "rows": 500, "columns": 2,
                     "classes": ["upper", "lower"], "features": ["x1", "x2"], "label": "label", "train": 400, "test": 100,
                     "test_source": None, "constant_columns": [], "extra_test": 2000},
            "majority": 0.5, "protocol": protocol(10, 400), "attentions": ATTENTIONS, "pipelines": PIPELINES, "runs": runs, "baselines": baselines,
            "similarity": [similarity(random, a, 2, 30, {"self": 0.8, "l2": 1.5}.get(a, 2.5)) for a in ATTENTIONS],
            "regions": [regions(random, a, {"self": 6, "l2": 7, "metric": 9, "uniform": 3}[a]) for a in ATTENTIONS]}


def digits_experiment(random):
    tops = {"self": (0.949, 30), "l2": (0.976, 20), "metric": (0.977, 15), "uniform": (0.93, 35)}
    ends = {"self": (0.2, 0.1), "l2": (0.02, 0.01), "metric": (0.0025, 0.004), "uniform": (1, 1)}
    runs = [run(random, a, s, epochs=60, classes=10, top=tops[a][0] + random.normal(0, 0.006), half=tops[a][1] / 3.5,
                dead=False, extra=False, share_end=ends[a], keys=479, learn=a != "uniform") for a in ATTENTIONS for s in range(8)]
    baselines = [{"name": name, "parameters": parameters, "accuracy": rounded(top + random.normal(0, 0.004, 8)), "extra_accuracy": []}
                 for name, top, parameters in (("logistic regression", 0.966, 650), ("5-NN", 0.987, None), ("MLP", 0.967, 26810))]
    return {"data": {"name": "digits", "source": "digits (bundled)", "hash": "sha256:08c1e77b4a90", "rows": 1797, "columns": 64,
                     "classes": [str(c) for c in range(10)], "features": [f"pixel_{i}" for i in range(64)], "label": "digit",
                     "train": 1437, "test": 360, "test_source": None, "standardised": True,
                     "constant_columns": ["pixel_0", "pixel_32", "pixel_39"], "extra_test": 0},
            "majority": 0.1, "protocol": protocol(8, 479, attend="batch", width=100, epochs=60, temperature="learn"),
            "attentions": ATTENTIONS, "pipelines": PIPELINES, "runs": runs, "baselines": baselines,
            "similarity": [similarity(random, a, 10, 50, {"self": 1.0, "l2": 3.0}.get(a, 4.0)) for a in ATTENTIONS], "regions": []}


def main():
    random = np.random.default_rng(3)
    fixture = {"schema": 1, "kind": "compare", "version": "0.1.0",
               "command": "calor compare moons digits --seeds 10 --report report.html",
               "machine": {"processor": "Example CPU @ 2.80GHz", "threads": 2, "isa": "avx512"}, "seconds": 123.4,
               "experiments": [moons_experiment(random), digits_experiment(random)]}
    text = json.dumps(fixture, separators=(",", ":"))
    (pathlib.Path(__file__).parent / "compare_fixture.json").write_text(text + "\n")
    print(f"compare_fixture.json: {len(text) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
