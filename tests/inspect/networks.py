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


def log_sum_exp(values, axis):
    top = values.max(axis, keepdims=True)
    return np.log(np.exp(values - top).sum(axis, keepdims=True)) + top


def normalised(scores, steps, symmetric):
    """Weights from scores by the stages between exp and apply, from their definitions on the whole matrix of logarithms."""
    logs = scores
    for name, number in steps:
        if name == "row":
            logs = logs - log_sum_exp(logs, 1)
        elif name == "column":
            logs = logs - log_sum_exp(logs, 0)
        elif name == "two_side":
            sums = log_sum_exp(logs, 1)
            logs = logs - number * (sums + sums.T)
        else:  # sinkhorn starts from the scores again
            logs = scores
            for _ in range(number):
                if symmetric:
                    half = log_sum_exp(logs, 1) / 2
                    logs = logs - half - half.T
                else:
                    logs = logs - log_sum_exp(logs, 0)
                    logs = logs - log_sum_exp(logs, 1)
    return np.exp(logs)


def layer_count(tensors):
    return sum(name.endswith(".value") for name in tensors)


def scores_between(tensors, score, layer, a, b):
    """Scores from states a to states b in double."""
    part = lambda name: tensors[f"network.layers.{layer}.{name}"].astype(np.float64)
    factor = part("factor")[0, 0]
    if score == "qk":
        return factor * (a @ part("score.query").T) @ (b @ part("score.key").T).T
    if score == "additive":
        project = lambda x, side: x @ part("score.projection").T @ part(f"score.{side}").T
        sums = project(a, "query") + project(b, "key").T
        return factor * np.where(sums > 0, sums, 0.2 * sums)
    z = lambda x: x @ part("score.projection").T if score == "l2" else x + np.tanh(
        x @ part("score.hidden.weight").T + part("score.hidden.bias")) @ part("score.out.weight").T + part("score.out.bias")
    return -factor * ((z(a)[:, None] - z(b)[None]) ** 2).sum(-1)


def encode(tensors, points):
    return np.tanh(points @ tensors["network.encode.weight"].astype(np.float64).T + tensors["network.encode.bias"].astype(np.float64))


def value(tensors, layer, hidden):
    return hidden @ tensors[f"network.layers.{layer}.value"].astype(np.float64).T


def forward(tensors, score, points, steps=(("row", 0),)):
    """Hidden states before each layer and after the last, and each layer's weights, in double."""
    hidden, states, weights = encode(tensors, points), [], []
    for layer in range(layer_count(tensors)):
        states.append(hidden)
        weights.append(normalised(scores_between(tensors, score, layer, hidden, hidden), steps, symmetric=score in ("l2", "metric")))
        hidden = np.tanh(hidden + weights[-1] @ value(tensors, layer, hidden))
    return states + [hidden], weights


def probabilities(tensors, score, tokens, points, alpha=0):
    """What each point is predicted to be: it attends to the tokens and to itself, by two_side(alpha) | row."""
    states, _ = forward(tensors, score, tokens, (("two_side", alpha), ("row", 0)))
    hidden = encode(tensors, points)
    for layer in range(layer_count(tensors)):
        there = states[layer]
        among = scores_between(tensors, score, layer, there, there)
        to_tokens = scores_between(tensors, score, layer, hidden, there)
        own = np.diag(scores_between(tensors, score, layer, hidden, hidden))[:, None]
        logs = np.hstack([to_tokens, own])
        own_density = log_sum_exp(logs, 1)
        logs -= alpha * np.hstack([np.broadcast_to(log_sum_exp(among, 1).T, to_tokens.shape), own_density])
        s = np.exp(logs - log_sum_exp(logs, 1))
        hidden = np.tanh(hidden + s[:, :-1] @ value(tensors, layer, there) + s[:, -1:] * value(tensors, layer, hidden))
    out = hidden @ tensors["network.decode.weight"].astype(np.float64).T + tensors["network.decode.bias"].astype(np.float64)
    return np.exp(out - log_sum_exp(out, 1))
