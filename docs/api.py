"""Writes docs/api.md from the docstrings of the installed package: python docs/api.py [FILE]."""
import importlib
import inspect
import pathlib
import re
import sys

import calor

NN = ("layers", "multihead", "functional", "graph", "cache", "hugging_face", "distributed")
TITLES = {"_inputs": "Data", "_figures": "Figures", "commands": "Commands", "networks": "Networks", "warn": "Warnings", "ops": "Operators"}


def text_of(thing):
    return (inspect.getdoc(thing) or "").replace("``", "`")


def signature_of(thing):
    """As it is called: without self, and types without quotes."""
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(thing)).replace("self, ", "").replace("(self)", "()"))


def heading(name, thing, depth):
    try:
        signature = signature_of(thing)
    except (TypeError, ValueError):
        signature = ""
    return [f"{'#' * depth} {name}", "", f"    {name}{signature}", ""] if signature else [f"{'#' * depth} {name}", ""]


def recipe_of(thing):
    recipe = getattr(thing, "recipe", "")
    return ["", f"Source, limits and the parameters' ranges: [{recipe}](recipes/{recipe}.md)."] if recipe else []


def methods(kind):
    """What it says itself of its methods; those that its base says are with the base."""
    lines = []
    for name, member in vars(kind).items():
        member = getattr(member, "function", member)  # of available_if
        if name.startswith("_") or not (inspect.isfunction(member) or isinstance(member, property)) or not text_of(member):
            continue
        signature = "" if isinstance(member, property) else signature_of(member)
        lines.append(f"- `.{name}{signature}`: {' '.join(text_of(member).split())}")
    return ["", *lines] if lines else []


def entry(name, thing, depth=3):
    lines = [*heading(name, thing, depth), text_of(thing)]
    if inspect.isclass(thing):
        lines += recipe_of(thing) + methods(thing)
    return [*lines, ""]


def public(module):
    """What a module of calor.nn defines itself."""
    return [(name, thing) for name, thing in vars(module).items()
            if not name.startswith("_") and getattr(thing, "__module__", "") == module.__name__ and (inspect.isclass(thing) or inspect.isfunction(thing)) and thing.__doc__]


def page():
    from calor import _base

    lines = ["# Calor's Python interface", "", "Written by `docs/api.py` from the docstrings of the package. [The guide](python.md) shows how it is used, [the PyTorch page](pytorch.md) the networks.", "",
             "X is rows x features, 32- or 64-bit floats, in any of [these forms](python.md#what-x-may-be); y has an element for each row. Refusals are `ValueError`, beyond `max_memory` `MemoryError`; "
             "remarks are `CalorWarning`.", "", "## What all estimators share", ""]
    for kind in ("Estimator", "Embedder", "Clusterer", "Classifier", "Regressor", "Weighing"):
        lines += entry(kind, getattr(_base, kind))
    for name, members in calor._MODULES.items():
        module = importlib.import_module(f"calor.{name}")
        lines += [f"## {TITLES.get(name, name.capitalize())}", "", text_of(module) if name not in TITLES else "", ""]
        for member in members:
            thing = getattr(calor, member)
            if thing.__name__ == member:  # not a second name
                lines += entry(f"calor.{member}", thing)
    for name in NN:
        module = importlib.import_module(f"calor.nn.{name}")
        lines += [f"## calor.nn.{name}", "", text_of(module), ""]
        for member, thing in public(module):
            shown = f"calor.nn.{member}" if getattr(calor.nn, member, None) is thing else f"calor.nn.{name}.{member}"
            lines += entry(shown, thing)
    text = "\n".join(line.rstrip() for line in "\n".join(lines).splitlines())
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.rstrip() + "\n"


if __name__ == "__main__":
    pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("api.md")).write_text(page())
