"""openTSNE's classes, computed by ours."""
import numpy as np
import openTSNE
import openTSNE.affinity
import openTSNE.sklearn
import scipy.sparse

import calor
from adapters import REACHED, Adapter, Missing, metric_of, start_of

SEVERAL = "affinities of several perplexities, uniform or made elsewhere"
STEPS = "descent in single calls (prepare_initial, optimize)"


class Affinities:
    """P of the neighbour graph, by ours as a pipeline."""

    text, first = "", ""

    def __init__(self, data=None, *first, method="auto", metric="euclidean", metric_params=None, symmetrize=True, n_jobs=1, random_state=None, verbose=False,
                 knn_kwargs=None, knn_index=None, **own):
        REACHED[0] += 1
        if data is None and knn_index is not None:
            raise Missing("an index of neighbours from outside")
        if knn_kwargs is not None:
            raise Missing("arguments of a search for neighbours")
        if (data is None) == (knn_index is None):
            raise ValueError("either data or an index of neighbours")
        metric = metric_of(metric, parameters=metric_params)
        self.n_samples = len(data)
        self.take(**dict(zip([self.first], first)), **own)
        text = self.text if symmetrize else self.text.replace(" | mean", "")
        settings = [] if metric == "precomputed" else [f"knn.metric={metric}", f"distance.metric={metric}"]
        graph = calor.Pipeline(text, settings, takes="distances" if metric == "precomputed" else "points").fit(np.asarray(data)).graph_
        self.P = scipy.sparse.csr_matrix(graph / graph.sum())

    def __getattr__(self, name):
        raise Missing(f"what {name} of affinities says or does")


def effective(perplexity, rows):
    """openTSNE's rule: three times as many neighbours have to be there."""
    if not np.isscalar(perplexity):
        raise Missing(SEVERAL)
    return min(perplexity, (rows - 1) / 3)


class PerplexityBasedNN(Affinities):
    first = "perplexity"

    def take(self, perplexity=30, k_neighbors="auto"):
        if k_neighbors != "auto":
            raise Missing("neighbours counted apart from the perplexity")
        self.perplexity, self.effective_perplexity_ = perplexity, effective(perplexity, self.n_samples)
        k = min(self.n_samples - 1, int(3 * self.effective_perplexity_))
        self.text = f"knn({k}) | distance(2) | exp(perplexity={self.effective_perplexity_!r}) | row | mean"


class FixedSigmaNN(Affinities):
    first = "sigma"

    def take(self, sigma=1.0, k=30):
        self.text = f"knn({k}) | distance(2) | exp({2.0 * sigma**2!r}) | row | mean"


class Embedding(np.ndarray):
    """Points that remember how they came."""

    def transform(self, X, **how):
        return np.asarray(self.fitted.transform(X))

    @property
    def affinities(self):
        return PerplexityBasedNN(self.data_of_fit, perplexity=self.fitted.perplexity, metric=self.fitted.metric)

    def optimize(self, *args, **kwargs):
        raise Missing(STEPS)

    prepare_partial = optimize


class TSNE(Adapter):
    peer, ours = openTSNE.TSNE, calor.TSNE
    names = {"n_components": "n_components", "perplexity": "perplexity", "learning_rate": "learning_rate", "early_exaggeration": "early_exaggeration",
             "early_exaggeration_iter": "early_exaggeration_iter", "dof": "degrees_of_freedom", "initialization": "init", "metric": "metric", "random_state": "random_state"}
    free = Adapter.free | {"theta", "n_interpolation_points", "min_num_intervals", "ints_in_interval", "neighbors", "negative_gradient_method", "metric_params",
                           "initial_momentum", "final_momentum", "max_grad_norm", "max_step_norm", "callbacks_every_iters", "early_exaggeration_iter", "n_iter"}

    def adapt(self, given):
        given = super().adapt(given)
        if self.early_exaggeration_iter + self.n_iter == 0:
            raise Missing("a descent of no steps")
        given |= {"max_iter": self.early_exaggeration_iter + self.n_iter, "init": start_of(given["init"])}
        given["perplexity"] = effective(given["perplexity"], self.rows)
        if given["metric"] == "precomputed" and given["init"] == "pca":  # openTSNE does so too
            given["init"] = "auto"
        if given["early_exaggeration"] == "auto":
            given["early_exaggeration"] = 12.0
        return given

    def fit(self, X=None, affinities=None, initialization=None):
        if affinities is not None or initialization is not None:
            raise Missing("affinities or a start as arguments of fit")
        if X is None:
            raise ValueError("no data")
        self.rows = len(X)
        super().fit(X)
        points = self.found.embedding_.view(Embedding)
        points.fitted, points.data_of_fit = self.found, X
        return points

    def prepare_initial(self, *args, **kwargs):
        raise Missing(STEPS)


class OfSklearn(TSNE):
    """openTSNE.sklearn.TSNE"""

    peer = openTSNE.sklearn.TSNE

    def fit(self, X, y=None):
        self.rows = len(X)
        return Adapter.fit(self, X)

    def fit_transform(self, X, y=None):
        return np.asarray(self.fit(X).embedding_)


def missing(what):
    class Refused:
        def __init__(self, *args, **kwargs):
            REACHED[0] += 1
            raise Missing(what)

    return Refused


def replace():
    openTSNE.TSNE = openTSNE.tsne.TSNE = TSNE
    openTSNE.TSNEEmbedding = openTSNE.tsne.TSNEEmbedding = missing(STEPS)
    openTSNE.sklearn.TSNE = OfSklearn
    openTSNE.affinity.PerplexityBasedNN, openTSNE.affinity.FixedSigmaNN = PerplexityBasedNN, FixedSigmaNN
    for name in ("Multiscale", "MultiscaleMixture", "Uniform", "PrecomputedAffinities"):
        setattr(openTSNE.affinity, name, missing(SEVERAL))


def trim(module):
    """The affinities that some tests go through have three kinds that ours has not in one form (Multiscale, MultiscaleMixture, Uniform): the other two are tested."""
    if hasattr(module, "AFFINITY_CLASSES"):
        module.AFFINITY_CLASSES = [(name, made) for name, made in module.AFFINITY_CLASSES if made.func in (PerplexityBasedNN, FixedSigmaNN)]
