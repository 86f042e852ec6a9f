"""The figures of a fit by name and type."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Figures:
    """What the stages of a fit measured or chose: a field for each figure that there is, None where the fit has none of its kind.  The same numbers as `figures_`.

    >>> import numpy as np, calor
    >>> calor.KMeans(2, n_init=1).fit(np.array([[0.0], [1.0], [10.0], [11.0]])).figures
    Figures(change=0.0, inertia=1.0, repetitions=1)
    """

    a: float | None = None  #: of the map's curve 1 / (1 + a d^(2 b)), fitted to min_dist and spread (UMAP)
    alpha: float | None = None  #: the power of the density that was divided out, 0 to 1; chosen where "loo" was asked for
    area: float | None = None  #: of a surface, in squared units of its coordinates
    attractors: int | None = None  #: nodes that the flow of Markov clustering ends in
    b: float | None = None  #: see a
    bandwidth: float | None = None  #: h of exp(-d^p / h), in the units of the data to the power p; as given or chosen
    bounded: int | None = None  #: support vectors at the most weight, C
    change: float | None = None  #: of the last repetition, relative
    clusters: int | None = None  #: how many were found (mean shift)
    components: int | None = None  #: connected parts of the graph
    decided_again: int | None = None  #: rows whose vote was equal, decided by the nearer neighbours
    deviation: float | None = None  #: of the sums of rows from 1, the largest, after sinkhorn
    dimension: float | None = None  #: of the data near the bandwidth that was chosen, by the slope of the sum of similarities
    edges_exchanged: int | None = None  #: of a surface, to make its triangles Delaunay's
    gamma: float | None = None  #: of a support vector machine's kernel, 1 / squared units of the data
    inertia: float | None = None  #: sum of squared distances from each point to its centre, squared units of the data
    iterations: int | None = None  #: steps of sinkhorn or of a support vector machine
    judged: int | None = None  #: labelled rows that leave-one-out predicted
    kl: float | None = None  #: Kullback-Leibler divergence of the map's neighbourhoods from the data's, in nats
    largest: int | None = None  #: points of the largest component
    leave_one_out: float | None = None  #: what bandwidth and alpha were chosen by: mean log likelihood of a left-out row's label, in nats
    objective: float | None = None  #: what was minimised: of fuzzy c-means, of a support vector machine's dual
    offset: float | None = None  #: of a support vector machine's decision
    partition_coefficient: float | None = None  #: mean of the squared memberships' sum, 1 / clusters (fuzzy) to 1 (crisp)
    recall: float | None = None  #: share of the exact neighbours that an approximate search found, by a sample
    repetitions: int | None = None  #: of a loop until it had converged
    standardised: bool | None = None  #: whether the features were
    steps: int | None = None  #: of a descent
    stress: float | None = None  #: sum over pairs of the squared difference of distances, squared units of the data
    stress_1: float | None = None  #: Kruskal's: the root of the stress over the sum of squared distances
    support_vectors: int | None = None  #: rows that the machine rests on

    @classmethod
    def of(cls, figures: Mapping[str, float]) -> Figures:
        """From the engine's numbers; those without a field, of stages that are newer than this class, are left to `figures_`."""
        types = {field.name: str(field.type) for field in dataclasses.fields(cls)}
        named = {name.replace(" ", "_"): value for name, value in figures.items()}
        kinds = {"int | None": int, "bool | None": bool, "float | None": float}
        return cls(**{name: kinds[types[name]](value) for name, value in named.items() if name in types})

    def __repr__(self) -> str:
        there = ", ".join(f"{name}={value!r}" for name, value in dataclasses.asdict(self).items() if value is not None)
        return f"Figures({there})"
