"""What the stages of calor-mpi compute and send, for the simulation: the steps of calor/cluster, with seconds from constants.

A constant is a pair: seconds of one processor for a pair of rows, and for a row (of exp: for a process) (measure.py)."""
import dataclasses
import math

BYTES = 8  # of a number


@dataclasses.dataclass(frozen=True)
class Case:
    rows: int
    dim: int
    processes: int
    k: int = 15           # neighbours, or clusters
    products: int = 192   # of an eigensolver
    vectors: int = 192    # of its basis
    steps: int = 10       # of Lloyd
    threads: int = 1      # processors of a process, all of them busy
    counts: int = 131072  # numbers that exp(auto) adds up: 1 MiB

    @property
    def sizes(self):
        return [self.rows // self.processes + (p < self.rows % self.processes) for p in range(self.processes)]

    def blocks(self):
        return [BYTES * self.dim * n for n in self.sizes]

    def seconds(self, constant, pairs, rows):
        return (constant[0] * pairs + constant[1] * rows) / self.threads


def neighbours(case, constants):
    """knn: one round of the ring; the own block costs less, since its pairs are met once."""
    sizes = case.sizes

    def program(process):
        own = sizes[process.rank]
        yield from process.ring(case.blocks(), lambda owner: case.seconds(constants["knn own" if owner == process.rank else "knn other"], own * sizes[owner], own))
        process.end("knn")
    return program


def diffusion_map(case, constants):
    """distance | exp(auto) | two_side | row | eigen with the scores of all pairs kept: one round of the ring, then passes and products with gathered vectors."""
    sizes = case.sizes
    vector = [BYTES * n for n in sizes]

    def program(process):
        own = sizes[process.rank]
        yield from process.ring(case.blocks(), lambda owner: constants["exp"][0] * own * sizes[owner] / case.threads)
        yield from process.compute(constants["exp"][1])  # by one thread
        yield from process.sums(BYTES * case.counts)
        process.end("exp")
        for stage in ("two_side", "row"):
            yield from process.compute(case.seconds(constants[stage], own * case.rows, own))
            yield from process.gather(vector)
            process.end(stage)
        for product in range(case.products):
            yield from process.gather(vector)
            yield from process.compute(case.seconds(constants["product"], own * case.rows, own))
            yield from process.gather([BYTES * (product % case.vectors + 1)] * case.processes)  # against the basis so far
        process.end("eigen")
    return program


def k_means(case, constants):
    """centres: draws of k centres, the best of some trials each, then steps."""
    sizes = case.sizes
    trials = 2 + int(math.log(case.k))

    def program(process):
        own = sizes[process.rank]
        for _ in range(case.k - 1):
            yield from process.gather([BYTES] * case.processes)
            yield from process.sums(BYTES * trials * case.dim)
            yield from process.compute(case.seconds(constants["draw"], own * trials, own))
            yield from process.sums(BYTES * trials)
        for _ in range(case.steps):
            yield from process.compute(case.seconds(constants["step"], own * case.k, own))
            yield from process.sums(BYTES * (case.k * (case.dim + 1) + 1))
        process.end("centres")
    return program


def attention(case, constants):
    """calor.nn.distributed.attention_over_keys, forward, one head of `dim` features in float32: all queries meet a process's own keys."""
    def program(process):
        yield from process.compute(case.seconds(constants["attention"], case.rows * case.sizes[process.rank], case.rows))
        yield from process.gather([4 * case.rows] * case.processes)  # log-sum-exps
        yield from process.sums(4 * case.rows * case.dim)            # outputs
        process.end("attention")
    return program


PROGRAMS = {"knn": neighbours, "diffusion-map": diffusion_map, "k-means": k_means, "attention": attention}
