"""scikit-learn's own checks of an estimator, all of them, for every one.  Those that fail are in FAILING, with the reason; docs/python.md has the same list."""
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import calor
from command import CALOR, ROOT
from estimators import ESTIMATORS, NETWORK, PIPELINES

ONE_CLUSTER = "it asks for one cluster, and a cut makes two at least"
A_GRAPH = "X is a square table of weights, and the check's is one of points"
ITS_OWN_WORDS = "of one row its text says what the stage at fault expected, not how many rows there are"
NOT_KNOWN = "-1 is no class but one that is not known, as in scikit-learn's semi_supervised"
FAILING = {
    "MarkovClustering": dict.fromkeys(["check_positive_only_tag_during_fit", "check_clustering"], A_GRAPH),
    "SpectralClustering": dict.fromkeys(["check_dont_overwrite_parameters", "check_methods_subset_invariance", "check_fit2d_1feature", "check_fit2d_predict1d"], ONE_CLUSTER),
}
FAILING_PIPELINES = {"check_fit2d_1sample": ITS_OWN_WORDS}
FAILING_CLASSIFIERS = {**FAILING_PIPELINES, "check_classifiers_classes": NOT_KNOWN}


def expected(estimator):
    if isinstance(estimator, calor.Pipeline):
        return FAILING_CLASSIFIERS if estimator.pipeline == "knn-classifier" else FAILING_PIPELINES
    return FAILING.get(type(estimator).__name__, {})


@parametrize_with_checks([*ESTIMATORS, *PIPELINES], expected_failed_checks=expected)
def test_check(estimator, check):
    check(estimator)


@pytest.mark.skipif(not (ROOT / "build" / "calor-learn").exists(), reason="calor-learn is not built")
@parametrize_with_checks([NETWORK])
def test_check_of_the_network(estimator, check, monkeypatch):
    monkeypatch.setenv("CALOR_PROGRAM", str(CALOR))  # with its torch half, which the wheel of these tests is without
    check(estimator)


def test_the_guide_lists_what_fails():
    text = " ".join((ROOT / "docs" / "python.md").read_text().split())
    for check in {check for checks in [*FAILING.values(), FAILING_CLASSIFIERS] for check in checks}:
        assert f"`{check}`" in text
