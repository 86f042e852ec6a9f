"""The streamed second derivative: against the composition's, which materialises the scores (test_ops.py has central differences of both), over several
blocks of queries and with every mask; its memory; third derivatives."""
import subprocess
import sys

import pytest
import torch

from command import ROOT
from operators import EVERY_TORCH, SCORES, composed, draw, environment, op

MASKS = {
    "plain": {},
    "causal": {"causal": True},
    "masks": {"mask": True, "key_mask": True},
    "everything": {"mask": True, "key_mask": True, "causal": True, "own_key": 3},
}


def problem(masks, rows=530, keys=600, dtype=torch.double):
    inputs = {
        "q": draw(2, 2, rows, 5, dtype=dtype, gradient=True),
        "k": draw(2, 2, keys, 5, dtype=dtype, seed=1, gradient=True),
        "v": draw(2, 2, keys, 3, dtype=dtype, seed=2, gradient=True),
        "scale": torch.rand(2, dtype=dtype, generator=torch.Generator().manual_seed(4)).requires_grad_(),
        "bias": draw(1, 2, keys, dtype=dtype, seed=3, gradient=True),
    }
    generator = torch.Generator().manual_seed(9)
    options = dict(MASKS[masks])
    if "key_mask" in options:
        options["key_mask"] = torch.rand(2, keys, generator=generator) < 0.7
    if "mask" in options:
        options["mask"] = torch.rand(2, 1, rows, keys, generator=generator) < 0.7
        options["mask"][1, :, 7] = False  # a row that sees nothing
    return inputs, options


def second(function, inputs, options, score):
    out, lse = function(**inputs, **options, score=score)
    d_out, d_lse = draw(*out.shape, seed=6, gradient=True), draw(*lse.shape, seed=7, gradient=True)
    seen = torch.where(lse.isinf(), 0.0, lse)  # of rows that see nothing there is no derivative
    first = torch.autograd.grad((out, seen), list(inputs.values()), (d_out, d_lse), create_graph=True)
    sent = [draw(*x.shape, seed=20 + n) for n, x in enumerate(first)]
    return torch.autograd.grad(first, [*inputs.values(), d_out, d_lse], sent)


@pytest.mark.parametrize("masks", MASKS)
@pytest.mark.parametrize("score", SCORES)
def test_it_is_the_compositions(score, masks):
    inputs, options = problem(masks)
    for mine, theirs in zip(second(op, inputs, options, score), second(composed, inputs, options, score)):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("score", SCORES)
def test_what_is_masked_changes_nothing(score):
    inputs, options = problem("masks", rows=20, keys=30)
    plain = second(op, inputs, options, score)
    with torch.no_grad():
        for name in ("k", "v"):
            inputs[name][0, :, ~options["key_mask"][0]] = torch.nan
        inputs["q"][1, :, 7] = torch.nan
    for before, after in zip(plain, second(op, inputs, options, score)):
        torch.testing.assert_close(before, after, rtol=0, atol=0)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("wanted", ["q", "k", "v"])
def test_one_input_alone(score, wanted):
    inputs, _ = problem("plain", rows=9, keys=11)
    kept = {name: x if name == wanted else x.detach() for name, x in inputs.items()}

    def of(function):
        out, _ = function(**kept, score=score)
        (first,) = torch.autograd.grad(out.square().sum(), kept[wanted], create_graph=True)
        return torch.autograd.grad(first.square().sum(), kept[wanted])

    torch.testing.assert_close(of(op), of(composed))


@pytest.mark.parametrize("score", SCORES)
def test_third_derivatives_are_the_compositions(score):
    inputs, _ = problem("plain", rows=6, keys=7)

    def third(function):
        out, _ = function(**inputs, score=score)
        total = out.sin().sum()
        for _ in range(2):
            total = sum(x.sin().sum() for x in torch.autograd.grad(total, list(inputs.values()), create_graph=True))
        return torch.autograd.grad(total, list(inputs.values()))

    for mine, theirs in zip(third(op), third(composed)):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


def test_any_number_of_threads_gives_the_same_bits():
    inputs, options = problem("causal", dtype=torch.float)
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            out, _ = op(**inputs, **options)
            first = torch.autograd.grad(out.square().sum(), list(inputs.values()), create_graph=True)
            results.append(torch.autograd.grad(sum(x.square().sum() for x in first), list(inputs.values())))
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other))


def test_memory_grows_with_the_rows_and_not_with_their_square():
    """A matrix of scores would take 256 MiB here, and the composition holds a dozen of them."""
    program = """
import resource, torch, calor
torch.set_num_threads(1)
x = [torch.randn(1, 1, 8192, 16, requires_grad=True) for _ in range(3)]
out = calor.attention(*x, score="squared_distance")
first = torch.autograd.grad(out.sum(), x, create_graph=True)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
torch.autograd.grad(sum(g.square().sum() for g in first), x)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, env=environment())
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < (512 if EVERY_TORCH else 64)  # of blocks that come and go the allocator keeps some


@pytest.mark.parametrize("score", SCORES)
def test_what_is_sent_to_nobody_changes_nothing(score):
    """The root of a sum of squares has no derivative at 0: a gradient penalty sends NaN to padded rows."""
    inputs, options = problem("masks", rows=20, keys=30)

    def penalty(function):
        out, _ = function(**inputs, **options, score=score)
        first = torch.autograd.grad(out.square().sum(), [inputs["q"], inputs["k"]], create_graph=True)
        return torch.autograd.grad(sum(g.square().sum(-1).sqrt().sum() for g in first), [inputs["q"], inputs["k"], inputs["v"]])

    for mine, theirs in zip(penalty(op), penalty(composed)):
        assert torch.isfinite(mine).all()
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


def test_distances_far_from_the_origin_with_few_keys_seen():
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, 1, rows, 4) for rows in (20, 200, 200))
    q, k = (q + 100).requires_grad_(), (k + 100).requires_grad_()
    seen = torch.arange(200)[None] < 10

    def second_of(function, *inputs):
        out, _ = function(*inputs, torch.tensor(0.5, dtype=inputs[0].dtype), key_mask=seen, score="squared_distance")
        first = torch.autograd.grad(out.square().sum(), inputs[:2], create_graph=True)
        return torch.autograd.grad(sum(g.square().sum() for g in first), inputs[:2])

    exact = second_of(composed, *(x.detach().double().requires_grad_() for x in (q, k, v)))
    for mine, theirs in zip(second_of(op, q, k, v), exact):
        assert (mine - theirs).abs().max() < 1e-4 * theirs.abs().max()


def test_under_autocast_it_keeps_its_types():
    x = [draw(1, 2, 9, 8, dtype=torch.float, seed=seed, gradient=True) for seed in range(3)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out, _ = op(*x, torch.tensor(0.3))
        first = torch.autograd.grad(out.square().sum(), x, create_graph=True)
        second_here = torch.autograd.grad(sum(g.square().sum() for g in first), x)
    out, _ = op(*x, torch.tensor(0.3))
    first = torch.autograd.grad(out.square().sum(), x, create_graph=True)
    for mine, theirs in zip(second_here, torch.autograd.grad(sum(g.square().sum() for g in first), x)):
        torch.testing.assert_close(mine, theirs)


def test_values_alone():
    """Of them the log-sum-exp does not depend, and a loss of both is a loss still."""
    q, k, v = (draw(1, 1, 5, 3, seed=seed) for seed in range(3))
    v.requires_grad_()
    out, lse = op(q, k, v, torch.tensor(0.3, dtype=torch.double))
    (first,) = torch.autograd.grad(out.pow(3).sum() + lse.sum(), v, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), v, create_graph=True)
    assert torch.isfinite(torch.autograd.grad(second.sum(), v)[0]).all()
