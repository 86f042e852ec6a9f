"""Classes that look like a peer's and compute with Calor's, so that the peer's own tests run on ours.

An adapter has the peer's parameters with the peer's defaults, hands those that ours has over, leaves out those that say how the peer computes (solvers, trees,
tolerances of an approximation), and raises Missing for what ours has not: that a test asks for it is then the reason that it does not pass.
"""
import inspect
import warnings

import numpy as np
from sklearn.base import BaseEstimator

import calor


class Missing(NotImplementedError):
    """What Calor does not have; never a ValueError, so that no test takes it for a refusal."""


REACHED = [0]  # how often anything of an adapter was used: tests that use none are about the peer's inner functions


def metric_of(metric, p=2, parameters=None):
    known = {"l2": "euclidean", "l1": "manhattan", "cityblock": "manhattan", ("minkowski", 2): "euclidean", ("minkowski", 1): "manhattan"}
    p = (parameters or {}).get("p", p)
    if parameters and set(parameters) != {"p"}:
        raise Missing("parameters of a metric")
    if callable(metric):
        raise Missing("a function as the metric")
    metric = known.get((metric, p) if metric == "minkowski" else metric, metric)
    if isinstance(metric, str) and metric not in ("euclidean", "manhattan", "cosine", "precomputed") and not metric.startswith("not_"):
        raise Missing(f"metrics other than euclidean, manhattan and cosine ({metric})")
    return metric


def start_of(start):
    if not isinstance(start, str):
        raise Missing("a start as an array or a function")
    return start


class Adapter(BaseEstimator):
    """peer: the class to look like.  ours: the class that computes.  names: {its parameter: ours}.  free: parameters that ours does without."""

    peer = ours = None
    names: dict = {}
    free = frozenset({"n_jobs", "verbose"})

    def __init_subclass__(cls):
        names = list(inspect.signature(cls.peer).parameters)

        def __init__(self, *args, **kwargs):
            REACHED[0] += 1
            given = inspect.signature(cls.peer).bind(*args, **kwargs)
            given.apply_defaults()
            for name in names:
                setattr(self, name, given.arguments[name])

        parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *inspect.signature(cls.peer).parameters.values()]
        __init__.__signature__ = inspect.Signature(parameters)
        cls.__init__ = __init__

    def handed_over(self):
        """Ours, with the parameters as they are now."""
        standard, given = inspect.signature(self.peer).parameters, {}
        for name, parameter in standard.items():
            value = getattr(self, name)
            if name in self.names:
                given[self.names[name]] = value
            elif name not in self.free and value is not parameter.default and not (np.isscalar(value) and value == parameter.default):
                raise Missing(f"the parameter {name}")
        return self.ours(**self.adapt(given))

    def adapt(self, given):
        """Parameters that mean something else in ours."""
        if "metric" in given:
            given["metric"] = metric_of(given["metric"], self.__dict__.get("p", 2), self.__dict__.get("metric_params"))
        return given

    def before(self, X):
        return X

    def fit(self, X, y=None, **more):
        if any(value is not None for value in more.values()):
            raise Missing("weights of rows" if "sample_weight" in more else f"fit's argument {next(iter(more))}")
        found = self.handed_over()
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            found.fit(self.before(X), y) if y is not None else found.fit(self.before(X))
        self.found = found
        return self

    def fit_transform(self, X, y=None, **more):
        return self.fit(X, y, **more).embedding_

    def fit_predict(self, X, y=None, **more):
        return self.fit(X, y, **more).labels_

    def transform(self, X):
        return self.of("transform")(X)

    def predict(self, X):
        return self.of("predict")(X)

    def of(self, name):
        REACHED[0] += 1
        found = self.__dict__.get("found")
        if found is None:  # as ours says it
            return getattr(self.handed_over(), name)
        return getattr(found, name)

    def __getattr__(self, name):
        if name.startswith("__") or name in ("found", "_sklearn_output_config", "_repr_html_"):
            raise AttributeError(name)
        found = self.__dict__.get("found")
        if found is not None and hasattr(found, name):
            return self.of(name)
        if found is not None and not name.startswith("_"):
            raise Missing(f"the attribute {name}")
        raise AttributeError(name)

    def __sklearn_is_fitted__(self):
        return "found" in self.__dict__

    def __sklearn_tags__(self):
        return self.ours().__sklearn_tags__()
