"""Every check of scikit-learn's own for estimators."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from downslope.sklearn import NetworkClassifier, NetworkRegressor

# few samples and the default rate: not each training ends by itself
pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


@parametrize_with_checks([NetworkClassifier(), NetworkRegressor()])
def test_check(estimator, check):
    check(estimator)


def test_the_check_that_asks_for_a_process_of_its_own():
    """It is skipped unless SciPy was loaded with this variable set."""
    code = """
from sklearn.utils.estimator_checks import check_array_api_input
from downslope.sklearn import NetworkClassifier, NetworkRegressor
for estimator in (NetworkClassifier(), NetworkRegressor()):
    check_array_api_input(
        type(estimator).__name__, estimator, "numpy", expect_only_array_outputs=False
    )
print("passed")
"""
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "passed\n", done.stderr
