"""The commands that are no estimators: compare, limit, inspect, as functions over the program in the package.

Each returns a `Result`: `document` is what the command line writes with ``--json``, `report(path)` and `show()` its page.  Progress goes to stderr with
verbose=True; Ctrl-C stops the program.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._command import program
from ._data import bytes_of, seed_of, threads_of
from ._inputs import Rows, is_anndata, is_path, read, taken, unpacked
from ._page import Page

_FAULTS: Mapping[int, type[Exception]] = {2: ValueError, 3: ValueError, 4: MemoryError, 5: ArithmeticError}


class Result(Page):
    """What a command found; also ``result["key"]`` for a key of the document.

    document: the JSON of the command line.  notes: what it said beside it, a text."""

    def __init__(self, document: dict[str, Any], page: bytes, notes: str) -> None:
        self.document, self.notes = document, notes
        self._page = page

    def __getitem__(self, key: str) -> Any:
        return self.document[key]

    def __repr__(self) -> str:
        return f"<calor {self.document.get('kind', 'result')}: {', '.join(self.document)}>"

    def report(self, path: str | os.PathLike[str]) -> None:
        """The page of the command line's --report: one HTML file that works offline."""
        pathlib.Path(path).write_bytes(self._page)


class Comparison(Result):
    """What attentions and baselines reached on held-out rows, over seeds.

    summary: a dict for each attention and baseline: name, mean and deviation of the accuracy, runs, parameters, and of attentions how many runs died.
    pairs: a dict for each two attentions: the paired difference with its interval, p, and p corrected by Holm.  verdict: what that comes to, in words."""

    @property
    def summary(self) -> list[dict[str, Any]]:
        experiment = self.document["experiments"][0]
        rows = []
        for name in experiment["attentions"]:
            runs = [run for run in experiment["runs"] if run["attention"] == name]
            found = [run["final_accuracy"] for run in runs]
            rows.append({"name": name, "mean": float(np.mean(found)), "deviation": float(np.std(found, ddof=1)) if len(found) > 1 else float("nan"),
                         "runs": len(runs), "parameters": runs[0]["parameters"], "dead": sum(bool(run["dead"]) for run in runs)})
        return rows + [{"name": one["name"], "mean": one["accuracy_mean"], "deviation": one["accuracy_sd"], "runs": len(one["accuracy"]), "parameters": one["parameters"]}
                       for one in experiment["baselines"]]

    @property
    def verdict(self) -> list[str]:
        return list(self.document["verdict"])

    @property
    def pairs(self) -> list[dict[str, Any]]:
        return list(self.document["experiments"][0]["pairs"])


def run(command: str, words: Sequence[str], *, report: bool = True, verbose: bool = False, folder: str | None = None) -> tuple[dict[str, Any], bytes, str]:
    """The command's document, its page (empty without report) and what it said.  Raises ValueError, MemoryError, ArithmeticError or RuntimeError with its text."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        page = pathlib.Path(place) / "report.html"
        whole = [program(), command, *words, "--json", *(["--report", str(page)] if report else []), *([] if verbose else ["--quiet"])]
        with subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=None if verbose else subprocess.PIPE) as process:
            try:
                out, said = process.communicate()
            except KeyboardInterrupt:
                process.send_signal(2)
                process.communicate()
                raise
        notes = (said or b"").decode(errors="replace").strip()
        if process.returncode == 130:
            raise KeyboardInterrupt
        if process.returncode not in (0, 6):
            raise _FAULTS.get(process.returncode, RuntimeError)(notes.removeprefix("error: ") or f"[calor] expected `calor {command}` to end well, found exit code {process.returncode}")
        return json.loads(out), page.read_bytes() if report and page.exists() else b"", notes


def flags(options: Mapping[str, Any]) -> list[str]:
    """epochs=20 as --epochs 20, standardise=True as --standardise; None is left out, lists are joined by commas."""
    words: list[str] = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(flag)
        else:
            words += [flag, ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)]
    return words


def common(random_state: Any, n_jobs: int | None, max_memory: int | str | None) -> dict[str, Any]:
    return {"seed": seed_of(random_state), "threads": threads_of(n_jobs), "max_memory": bytes_of(max_memory) or None}


def given(X: Any, y: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    """X and y; of AnnData and of a parquet file, which the program does not read, by their label among the options."""
    if is_path(X) and y is not None:
        raise ValueError("[compare] expected the classes in the file, found y as well: say label=COLUMN")
    if not is_foreign(X) or y is not None:
        return X, y
    if options.get("label") is None:
        raise ValueError("[compare] expected label=COLUMN, what the classes are, found none")
    return read(X, **{name: options.pop(name, None) for name in ("label", "obsm", "layer")})


def is_foreign(X: Any) -> bool:
    return is_anndata(X) or (is_path(X) and os.fspath(X).lower().endswith(".parquet"))


def path_or_table(X: Any, place: pathlib.Path) -> str:
    """The path of a file that the program reads: X, or what is written of it."""
    return os.fspath(X) if is_path(X) and not is_foreign(X) else written_table(place, X)[0]


def written_table(path: pathlib.Path, X: Any, y: Any = None) -> list[str]:
    """X and y as a file of numpy's; the words that say so."""
    X = taken(X)
    X = np.asarray(X.values.toarray() if isinstance(X, Rows) else X)
    if X.ndim != 2 or X.dtype.kind not in "fiub":
        raise ValueError(f"[calor] expected X as a table of numbers, rows x features, found {X.dtype} of shape {X.shape}")
    if y is None:
        np.save(path.with_suffix(".npy"), X)
        return [str(path.with_suffix(".npy"))]
    y = np.asarray(unpacked(y))
    if y.ndim != 1 or len(y) != len(X):
        raise ValueError(f"[calor] expected y as one class for each of {len(X)} rows, found shape {y.shape}")
    if y.dtype.kind == "O":
        y = np.array([str(value) for value in y])
    np.savez(path.with_suffix(".npz"), x=X, y=y)
    return [str(path.with_suffix(".npz")), "--label", "y"]


def compare(X: Any, y: Any = None, *, attention: Sequence[str] | None = None, pipelines: Sequence[str] = (), seeds: int = 10, test: tuple[Any, Any] | None = None, baselines: bool = True,
            random_state: Any = 0, n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False, **options: Any) -> Comparison:
    """Trains networks on your data over several seeds, beside the propagator, SVM, nearest neighbours, logistic regression and an MLP.

    X: rows x features, or a file or bundled name with y=None; y: a class for each row.  Of a file, a .parquet file too, and of an AnnData object label=COLUMN says what the
    classes are.  test: (X, y) held out by you, else a share of the rows.
    attention: names or pipelines of attentions, by default "self", "l2", "metric" and "uniform", or none where pipelines are given.  pipelines: whole networks on rows, by name ("ipn
    score=dot", "mlp") or as stages.  options: the flags of `calor compare`, with underscores: epochs, layers, width, batch, lr, weight_decay, temperature, attend, test_share, ...
    Needs the package with its torch half (``CALOR_TORCH=1 pip install``).  Raises ValueError with the program's text for what it refuses."""
    with tempfile.TemporaryDirectory() as folder:
        X, y = given(X, y, options)
        words = [os.fspath(X)] if is_path(X) else written_table(pathlib.Path(folder) / "data", X, y)
        if test is not None:
            words += ["--test", written_table(pathlib.Path(folder) / "test", *test)[0]]
        for pipeline in [pipelines] if isinstance(pipelines, str) else pipelines:
            words += ["--pipeline", pipeline]
        words += flags({"attention": None if attention is None else list(attention), "seeds": seeds, "no_baselines": not baselines, **common(random_state, n_jobs, max_memory), **options})
        return Comparison(*run("compare", words, verbose=verbose, folder=folder))


def _written_edges(path: pathlib.Path, graph: Any, rows: int) -> str:
    """Pairs of node numbers as text."""
    if hasattr(graph, "tocoo"):
        found = graph.tocoo()
        if found.shape != (rows, rows):
            raise ValueError(f"[compare] expected a matrix of {rows} x {rows} for as many nodes, found {found.shape}")
        pairs = np.stack([found.row, found.col], 1)
    else:
        pairs = np.asarray(graph)
        if pairs.ndim != 2 or pairs.dtype.kind not in "iu" or 2 not in pairs.shape:
            raise ValueError(f"[compare] expected edges as integers of [2, edges] or [edges, 2], or a scipy.sparse matrix, found {pairs.dtype} of shape {pairs.shape}")
        pairs = pairs.T if pairs.shape[1] != 2 else pairs
        if len(pairs) and not 0 <= pairs.min() <= pairs.max() < rows:
            raise ValueError(f"[compare] expected nodes from 0 to {rows - 1}, found {int(pairs.min())} to {int(pairs.max())}")
    np.savetxt(path, pairs, fmt="%d", header="from\tto", comments="", delimiter="\t")
    return str(path)


def compare_networks(X: Any, y: Any = None, graph: Any = None, *, pipelines: Sequence[str] = ("gcn", "gat", "graph-self", "graph-l2", "graph-metric", "graph-uniform"),
                     seeds: int = 10, baselines: bool = True, random_state: Any = 0, n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False,
                     **options: Any) -> Comparison:
    """Trains networks on the nodes of a graph over several seeds, beside logistic regression, a plain network and label spreading.

    X: nodes x features with y, a class for each node, and graph: edges as integers [2, edges] or [edges, 2], or a scipy.sparse matrix; each counts in both directions.
    Or X: a path that `calor compare --pipeline` reads, or "blocks"; graph: a path for a table's edges.  pipelines: names (`calor recipes`), with settings ("gat heads=4"), or texts.
    Of surfaces X is a mesh folder or list, and labels=FOLDER an option, as is test=: docs/surfaces.md.
    options: epochs, lr, weight_decay, per_class, patience, feature_scale.  Raises ValueError with the program's text for what it refuses."""
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        X, y = given(X, y, options)
        if is_path(X):
            words = [os.fspath(X)] + ([] if graph is None else ["--graph", os.fspath(graph)])
        else:
            if y is None or graph is None:
                raise ValueError("[compare] expected the nodes' classes and the graph beside their features, found none: compare_networks(X, y, graph)")
            words = written_table(place / "nodes", X, y) + ["--graph", _written_edges(place / "edges.tsv", graph, len(np.asarray(X)))]
        for pipeline in [pipelines] if isinstance(pipelines, str) else pipelines:
            words += ["--pipeline", pipeline]
        words += flags({"seeds": seeds, "no_baselines": not baselines, **common(random_state, n_jobs, max_memory), **options})
        return Comparison(*run("compare", words, verbose=verbose, folder=folder))


def limit(*names: str, data: Any = None, seeds: int | None = None, random_state: Any = 0, n_jobs: int | None = None, max_memory: int | str | None = None,
          verbose: bool = False, **options: Any) -> Result:
    """The theory in numbers: each theorem measured against its closed form (no names: all), or with data=X the drift and diffusion of your own points.

    options: the flags of `calor limit`: points, epsilon, function.  A figure outside its tolerance does not raise: see the document."""
    with tempfile.TemporaryDirectory() as folder:
        words = list(names)
        if data is not None:
            words += ["--data", path_or_table(data, pathlib.Path(folder) / "data")]
        words += flags({"seeds": seeds, **common(random_state, n_jobs, max_memory), **options})
        return Result(*run("limit", words, verbose=verbose, folder=folder))


def inspect(model: Any, tokens: Any = None, *, random_state: Any = 0, n_jobs: int | None = None, max_memory: int | str | None = None, verbose: bool = False,
            **options: Any) -> Result:
    """What attention heads do: metric defects, drift and diffusion, slow modes, clusters (`calor inspect`).

    model: a file that `calor inspect` knows; or a torch module, with tokens the input that it is called with (a tensor, or a tuple of them): each
    torch.nn.MultiheadAttention or calor.nn.MultiheadAttention in it that attends to its own input is inspected on what enters it, the first of
    the batch.  Of heads with score="metric" the tokens are the features of phi.  options: layer, head, modes, triples, text, tokeniser.
    document["layer_names"] names the modules."""
    shared = flags({**common(random_state, n_jobs, max_memory), **options})
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        if isinstance(model, (str, os.PathLike)):
            words = [os.fspath(model)]
            if tokens is not None:
                words += ["--tokens", path_or_table(tokens, place / "tokens")]
            return Result(*run("inspect", words + shared, verbose=verbose, folder=folder))
        names = _written_heads(model, tokens, place)
        document, page, notes = run("inspect", [str(place / "model.json"), "--tokens", str(place / "tokens.safetensors"), *shared], verbose=verbose, folder=folder)
        document["layer_names"] = names
        return Result(document, page, notes)


def _written_heads(model: Any, tokens: Any, place: pathlib.Path) -> list[str]:
    """A mapping file (docs/inspect.md) of the model's heads, their weights, and the tokens that enter each."""
    from ._torch import torch

    try:
        from safetensors.torch import save_file
    except ImportError as missing:
        raise ImportError("[inspect] expected safetensors for a torch module, found none: install the extra, pip install 'calor[torch]'") from missing
    found: list[tuple[str, Any]] = [(name or "attention", module) for name, module in model.named_modules() if isinstance(module, torch.nn.MultiheadAttention)]
    if not found:
        raise ValueError(f"[inspect] expected torch.nn.MultiheadAttention in the model, found none in {type(model).__name__}: give a mapping file (docs/inspect.md)")
    if tokens is None:
        raise ValueError("[inspect] expected tokens, the input that the model is called with, found none")
    entered: dict[str, Any] = {}

    def keep(name: str) -> Any:
        def hook(module: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
            given = dict(zip(("query", "key"), arguments)) | named
            query: Any = given["query"]
            if given["key"] is query and name not in entered:
                entered[name] = query if query.dim() == 2 else query[0] if module.batch_first else query[:, 0]
        return hook

    hooks = [module.register_forward_pre_hook(keep(name), with_kwargs=True) for name, module in found]
    training = model.training
    try:
        with torch.no_grad():
            model.eval()(*(tokens if isinstance(tokens, tuple) else (tokens,)))
    finally:
        for hook in hooks:
            hook.remove()
        model.train(training)
    found = [(name, module) for name, module in found if name in entered]
    if not found:
        raise ValueError("[inspect] expected attention of tokens to each other, found none in this call: heads that attend to other tokens are not inspected")
    weights: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    layers = []
    for number, (name, module) in enumerate(found):
        score, width = getattr(module, "score", "dot"), module.embed_dim
        temperature = getattr(module, "temperature", module.head_dim**0.5)
        if getattr(module, "log_temperature", None) is not None:
            temperature = float(module.log_temperature.exp().mean())
        layer: dict[str, Any] = {"score": "dot" if score == "dot" else "l2", "heads": module.num_heads, "scale": 1 / temperature, "tokens": f"tokens{number}"}
        tensor = entered[name]
        parts = module.in_proj_weight.split(width) if module.in_proj_weight is not None else (module.q_proj_weight, module.k_proj_weight, module.v_proj_weight)
        biases = (None,) * 3 if module.in_proj_bias is None else module.in_proj_bias.split(width)
        if score == "metric":
            with torch.no_grad():
                tensor = module.phi(torch.nn.functional.linear(tensor, parts[0], biases[0]))
            parts, biases = (torch.eye(width),), (None,)
        for word, part, bias in zip(("query", "key", "value"), parts, biases):
            layer[word] = f"{number}.{word}"
            weights[layer[word]] = part
            if bias is not None:
                layer[word + "_bias"] = f"{number}.{word}.bias"
                weights[layer[word + "_bias"]] = bias
        inputs[f"tokens{number}"] = tensor
        layers.append(layer)
    for name, tensors in (("weights", weights), ("tokens", inputs)):
        save_file({key: tensor.detach().cpu().double().clone(memory_format=torch.contiguous_format) for key, tensor in tensors.items()}, place / f"{name}.safetensors")
    (place / "model.json").write_text(json.dumps({"schema": 1, "weights": "weights.safetensors", "layout": "out,in", "layers": layers}))
    return [name for name, _ in found]
