"""scikit-learn's own checks of an estimator, all of them, for every one."""
from sklearn.utils.estimator_checks import parametrize_with_checks

from estimators import ESTIMATORS

ONE_CLUSTER = "it asks for one cluster, and a cut makes two at least"
A_GRAPH = "X is a square table of weights, and the check's is one of points"
FAILING = {
    "MarkovClustering": dict.fromkeys(["check_positive_only_tag_during_fit", "check_clustering"], A_GRAPH),
    "SpectralClustering": dict.fromkeys(["check_dont_overwrite_parameters", "check_methods_subset_invariance", "check_fit2d_1feature", "check_fit2d_predict1d"], ONE_CLUSTER),
}


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda estimator: FAILING.get(type(estimator).__name__, {}))
def test_check(estimator, check):
    check(estimator)
