"""scikit-learn's classes, computed by ours."""
import numpy as np
import sklearn.cluster
import sklearn.cluster._kmeans
import sklearn.manifold
import sklearn.manifold._mds
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import NearestNeighbors  # noqa: F401  (its own: what a test compares with)

import calor
from adapters import Adapter, Missing, start_of


class ClassicalMDS(Adapter):
    peer, ours = sklearn.manifold.ClassicalMDS, calor.MDS
    names = {"n_components": "n_components", "metric": "metric"}
    free = frozenset({"metric_params"})


class MDS(Adapter):
    peer, ours = sklearn.manifold.MDS, calor.MetricMDS
    names = {"n_components": "n_components", "metric": "metric", "max_iter": "max_iter", "eps": "tol", "random_state": "random_state"}
    free = Adapter.free | {"n_init", "init", "metric_params"}  # ours begins where classical scaling ends, so that one start is enough

    def adapt(self, given):
        if not self.metric_mds or self.metric is False:
            raise Missing("non-metric scaling")
        return super().adapt(given)


class Isomap(Adapter):
    peer, ours = sklearn.manifold.Isomap, calor.Isomap
    names = {"n_neighbors": "n_neighbors", "n_components": "n_components", "metric": "metric"}
    free = Adapter.free | {"eigen_solver", "tol", "max_iter", "path_method", "neighbors_algorithm", "p", "metric_params"}


class LocallyLinearEmbedding(Adapter):
    peer, ours = sklearn.manifold.LocallyLinearEmbedding, calor.LocallyLinearEmbedding
    names = {"n_neighbors": "n_neighbors", "n_components": "n_components", "reg": "reg", "random_state": "random_state"}
    free = Adapter.free | {"eigen_solver", "tol", "max_iter", "hessian_tol", "modified_tol", "neighbors_algorithm"}

    def adapt(self, given):
        if self.method != "standard":
            raise Missing("LLE's Hessian, modified and tangent-space variants")
        return given


def affinities(estimator, X, default_gamma):
    """X as the table that affinity "rbf" or a function makes of it: ours takes the table."""
    gamma = estimator.gamma if estimator.gamma is not None else default_gamma
    table = rbf_kernel(X, gamma=gamma) if estimator.affinity == "rbf" else estimator.affinity(X)
    if not isinstance(table, np.ndarray):
        raise Missing("a function of two rows as the affinity")
    return table


def taken(affinity, neighbours):
    """What ours calls that X; in the peer's tables of the nearest each row is its own first neighbour."""
    if affinity == "precomputed_nearest_neighbors":
        return {"affinity": "nearest_neighbors", "metric": "precomputed", "n_neighbors": neighbours - 1}
    return {"affinity": affinity if affinity == "nearest_neighbors" else "precomputed"}


class SpectralEmbedding(Adapter):
    peer, ours = sklearn.manifold.SpectralEmbedding, calor.LaplacianEigenmaps
    names = {"n_components": "n_components", "n_neighbors": "n_neighbors", "affinity": "affinity", "random_state": "random_state"}
    free = Adapter.free | {"gamma", "eigen_solver", "eigen_tol"}

    def adapt(self, given):
        given |= taken(given["affinity"], given["n_neighbors"])
        if given["n_neighbors"] is None:
            del given["n_neighbors"]
        return given

    def before(self, X):
        if self.affinity == "rbf" or callable(self.affinity):
            X = affinities(self, X, 1 / X.shape[1])
        self.affinity_matrix_ = X
        return X


class TSNE(Adapter):
    peer, ours = sklearn.manifold.TSNE, calor.TSNE
    names = {name: name for name in ("n_components", "perplexity", "early_exaggeration", "learning_rate", "max_iter", "metric", "init", "random_state")}
    free = Adapter.free | {"method", "angle", "n_iter_without_progress", "min_grad_norm", "metric_params"}

    def adapt(self, given):
        given["init"] = start_of(given["init"])
        return super().adapt(given)


class KMeans(Adapter):
    peer, ours = sklearn.cluster.KMeans, calor.KMeans
    names = {"n_clusters": "n_clusters", "n_init": "n_init", "max_iter": "max_iter", "random_state": "random_state"}
    free = Adapter.free | {"tol", "copy_x", "algorithm", "init"}  # ours goes on until nothing moves; "random" starts are k-means++ ones in ours

    def adapt(self, given):
        start_of(self.init)
        if given["n_init"] == "auto":
            given["n_init"] = 1
        return given

    def fit_transform(self, X, y=None, **more):
        return self.fit(X, y, **more).transform(X)


class SpectralClustering(Adapter):
    peer, ours = sklearn.cluster.SpectralClustering, calor.SpectralClustering
    names = {name: name for name in ("n_clusters", "n_neighbors", "n_init", "affinity", "random_state")}
    free = Adapter.free | {"gamma", "eigen_solver", "eigen_tol"}

    def adapt(self, given):
        if self.assign_labels != "kmeans":
            raise Missing("labels by other means than k-means")
        if self.affinity not in ("nearest_neighbors", "precomputed", "precomputed_nearest_neighbors", "rbf") and not callable(self.affinity):
            raise Missing("kernels other than rbf as the affinity")
        return given | taken(given["affinity"], given["n_neighbors"])

    def before(self, X):
        return affinities(self, X, 1.0) if self.affinity == "rbf" or callable(self.affinity) else X


class MeanShift(Adapter):
    """The peer's kernel is flat within a radius r; ours a Gaussian, here the one whose variance is that of a ball of this radius."""

    peer, ours = sklearn.cluster.MeanShift, calor.MeanShift
    names = {"max_iter": "max_iter"}
    free = Adapter.free | {"bandwidth", "min_bin_freq"}

    def before(self, X):
        self.columns = np.shape(X)[1]
        return X

    def adapt(self, given):
        return given

    def fit(self, X, y=None):
        self.before(np.asarray(X))
        return super().fit(X, y)

    def handed_over(self):
        found = super().handed_over()
        return found if self.bandwidth is None else found.set_params(bandwidth=2 * self.bandwidth**2 / (self.columns + 2))


REPLACED = [ClassicalMDS, MDS, Isomap, LocallyLinearEmbedding, SpectralEmbedding, TSNE, KMeans, SpectralClustering, MeanShift]


def replace():
    for adapter in REPLACED:
        module = sklearn.manifold if adapter.peer.__module__.startswith("sklearn.manifold") else sklearn.cluster
        setattr(module, adapter.peer.__name__, adapter)
    sklearn.manifold._mds.MDS = MDS
