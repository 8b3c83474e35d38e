"""The scikit-learn door: networks for pipelines, grid searches and cross-validation."""

from importlib.util import find_spec

if find_spec("sklearn") is None:
    raise ImportError(
        "scikit-learn is not installed. Expected version 1.6 or newer for downslope.sklearn. "
        "Install it with: pip install scikit-learn",
        name="sklearn",
    )

from downslope.sklearn.classifier import NetworkClassifier
from downslope.sklearn.regressor import NetworkRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor"]
