"""Files of `calor train --save` made by hand, and their forward pass in numpy."""
import json

import numpy as np
from safetensors.numpy import save_file

WIDTH, COLUMNS, LAYERS, KEPT = 6, 3, 2, 40
FACTOR = {"qk": WIDTH**-0.5, "l2": 0.7, "metric": 0.5, "additive": 1.3}
SHAPES = {"qk": {"query": (WIDTH, WIDTH), "key": (WIDTH, WIDTH)}, "l2": {"projection": (WIDTH, WIDTH)},
          "metric": {"hidden.weight": (WIDTH, WIDTH), "hidden.bias": (WIDTH,), "out.weight": (WIDTH, WIDTH), "out.bias": (WIDTH,)},
          "additive": {"projection": (WIDTH, WIDTH), "query": (1, WIDTH), "key": (1, WIDTH)}}


def network(score, seed=0):
    """The tensors of a file of `calor train --save` (docs/formats/model.md)."""
    random = np.random.default_rng(seed)
    draw = lambda *shape: random.normal(size=shape).astype(np.float32)
    tensors = {"network.encode.weight": draw(WIDTH, COLUMNS), "network.encode.bias": draw(WIDTH), "network.decode.weight": draw(2, WIDTH),
               "network.decode.bias": draw(2), "preprocessing.mean": np.array([1.0, -2.0, 5.0]), "preprocessing.deviation": np.array([2.0, 0.5, 0.0]),
               "tokens.values": draw(KEPT, COLUMNS), "tokens.labels": np.arange(KEPT) % 2}
    for layer in range(LAYERS):
        tensors[f"network.layers.{layer}.value"] = draw(WIDTH, WIDTH)
        tensors[f"network.layers.{layer}.factor"] = np.full((1, 1), FACTOR[score], np.float32)
        for name, shape in SHAPES[score].items():
            tensors[f"network.layers.{layer}.score.{name}"] = draw(*shape)
    return tensors


def write_network(path, score, pipeline=None, tensors=None, **metadata):
    protocol = {"layers": LAYERS, "width": WIDTH, "residual": True}
    texts = {"kind": "calor attention network", "schema": "1", "version": "0", "attention": score, "pipeline": pipeline or f"score({score}) | exp | row | apply",
             "protocol": json.dumps(protocol), "features": json.dumps(["a", "b", "c"]), "classes": json.dumps(["x", "y"])}
    save_file(tensors or network(score), path, metadata=texts | metadata)
    return path


def forward(tensors, score, points):
    """Hidden states before each layer and after the last, and each layer's weights S, in double."""
    t = {name: values.astype(np.float64) for name, values in tensors.items()}
    hidden, states, weights = np.tanh(points @ t["network.encode.weight"].T + t["network.encode.bias"]), [], []
    for layer in range(LAYERS):
        part = lambda name: t[f"network.layers.{layer}.{name}"]
        states.append(hidden)
        if score == "qk":
            scores = (hidden @ part("score.query").T) @ (hidden @ part("score.key").T).T
        elif score == "additive":
            projected = hidden @ part("score.projection").T
            sums = projected @ part("score.query").T + (projected @ part("score.key").T).T
            scores = np.where(sums > 0, sums, 0.2 * sums)
        else:
            z = hidden @ part("score.projection").T if score == "l2" else hidden + np.tanh(
                hidden @ part("score.hidden.weight").T + part("score.hidden.bias")) @ part("score.out.weight").T + part("score.out.bias")
            scores = -((z[:, None] - z[None]) ** 2).sum(-1)
        scores = scores * t[f"network.layers.{layer}.factor"][0, 0]
        similarity = np.exp(scores - scores.max(1, keepdims=True))
        weights.append(similarity / similarity.sum(1, keepdims=True))
        hidden = np.tanh(hidden + weights[-1] @ hidden @ part("value").T)
    return states + [hidden], weights
