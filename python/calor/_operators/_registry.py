"""What both families of operators are registered and checked by."""

import torch

LIBRARY = torch.library.Library("calor", "FRAGMENT")  # kept: with it the operators would go
TYPES = {torch.float32: "float32", torch.float64: "float64", torch.bfloat16: "bfloat16"}


def register(schema, cpu, meta, backward=None, setup=None):
    """An operator of the CPU, its shapes without data, and its derivative: backward(ctx, *gradients), setup(ctx, inputs, output)."""
    name = schema[: schema.index("(")]
    LIBRARY.define(schema)
    LIBRARY.impl(name, cpu, "CPU")
    LIBRARY.impl(name, meta, "Meta")
    if backward is not None:
        torch.library.register_autograd(f"calor::{name}", backward, setup_context=setup, lib=LIBRARY)


def register_composed(schema, function):
    """An operator that is made of torch's, which have derivatives and devices of their own."""
    LIBRARY.define(schema)
    LIBRARY.impl(schema[: schema.index("(")], function, "CompositeImplicitAutograd")


def check(condition, kind, text):
    if not condition:
        raise kind(text())


def plain_type(dtype):
    """Of scale, bias and log-sum-exp beside rows of `dtype`."""
    return torch.float32 if dtype is torch.bfloat16 else dtype


def place_of(tensor, dimensions=1):
    """A tensor as `_engine` takes it, (address, strides of all dimensions but the last), or None."""
    return None if tensor is None else (tensor.data_ptr(), *tensor.stride()[: dimensions - 1])


def innermost_contiguous(tensor):
    return tensor if tensor.stride(-1) == 1 or tensor.shape[-1] <= 1 else tensor.contiguous()


def graph_of_gradients(inputs, outputs, sent):
    """Gradients of `outputs`, which were sent `sent`, with respect to those of `inputs` that ask for one, as a graph of their own; None for the others."""
    wanted = [x for x in inputs if x is not None and x.requires_grad]
    dependent = [(y, d) for y, d in zip(outputs, sent) if d is not None and y.requires_grad]
    if not wanted or not dependent:
        return [None] * len(inputs)
    found = iter(torch.autograd.grad([y for y, _ in dependent], wanted, [d for _, d in dependent], create_graph=True, allow_unused=True))
    return [next(found) if x is not None and x.requires_grad else None for x in inputs]


def fresh(tensor):
    """A new node over the same values, so that a derivative stops there."""
    return None if tensor is None else tensor.view_as(tensor)
