"""Compute similarities, then let information flow along them.

The classical half are scikit-learn's kind of estimators over one engine: ``calor.TSNE().fit_transform(X)``, ``calor.KMeans(5).fit_predict(X)``,
``calor.Propagator().fit(X, y).predict(Z)``, and ``calor.Pipeline("knn(15) | distance(2) | exp(auto) | row | eigen(3)")`` for any other pipeline.
``calor.attention`` and ``calor.nn`` are the learned half, operators and layers for PyTorch (the extra ``calor[torch]``).

Everything is imported when it is first asked for: ``import calor`` loads neither torch nor scikit-learn.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_MODULES = {
    "manifold": ("DiffusionMap", "Isomap", "LLE", "LaplacianEigenmaps", "LocallyLinearEmbedding", "MDS", "MetricMDS", "SNE", "TSNE", "UMAP"),
    "clusters": ("FuzzyCMeans", "KMeans", "MarkovClustering", "MeanShift", "SpectralClustering"),
    "machines": ("OneClassSVM", "SVC", "SVR"),
    "predictors": ("KNeighborsClassifier", "KNeighborsRegressor", "LabelSpreading", "NadarayaWatson", "Propagator", "PropagatorRegressor"),
    "memory": ("Hopfield",),
    "networks": ("MetricAttentionClassifier",),
    "commands": ("compare", "compare_networks", "inspect", "limit"),
    "pipelines": ("Pipeline", "load", "recipes"),
    "_inputs": ("Rows", "read"),
    "_figures": ("Figures",),
    "warn": ("CalorWarning",),
    "ops": ("attention", "library_path"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [*sorted(_HOME), "nn"]


def __getattr__(name: str) -> Any:
    if name == "nn":
        return importlib.import_module(".nn", __name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if TYPE_CHECKING:
    from . import nn as nn
    from .commands import compare as compare, compare_networks as compare_networks, inspect as inspect, limit as limit
    from .clusters import (
        FuzzyCMeans as FuzzyCMeans,
        KMeans as KMeans,
        MarkovClustering as MarkovClustering,
        MeanShift as MeanShift,
        SpectralClustering as SpectralClustering,
    )
    from ._figures import Figures as Figures
    from ._inputs import Rows as Rows, read as read
    from .machines import SVC as SVC, SVR as SVR, OneClassSVM as OneClassSVM
    from .manifold import (
        LLE as LLE,
        MDS as MDS,
        SNE as SNE,
        TSNE as TSNE,
        UMAP as UMAP,
        DiffusionMap as DiffusionMap,
        Isomap as Isomap,
        LaplacianEigenmaps as LaplacianEigenmaps,
        LocallyLinearEmbedding as LocallyLinearEmbedding,
        MetricMDS as MetricMDS,
    )
    from .memory import Hopfield as Hopfield
    from .networks import MetricAttentionClassifier as MetricAttentionClassifier
    from .ops import attention as attention, library_path as library_path
    from .pipelines import Pipeline as Pipeline, load as load, recipes as recipes
    from .predictors import (
        KNeighborsClassifier as KNeighborsClassifier,
        KNeighborsRegressor as KNeighborsRegressor,
        LabelSpreading as LabelSpreading,
        NadarayaWatson as NadarayaWatson,
        Propagator as Propagator,
        PropagatorRegressor as PropagatorRegressor,
    )
    from .warn import CalorWarning as CalorWarning
