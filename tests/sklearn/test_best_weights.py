"""Early stopping gives the best weights that were measured, whatever ended the training."""

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.exceptions import ConvergenceWarning

from downslope.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = pytest.mark.peers


@pytest.mark.parametrize("kind", [NetworkClassifier, NetworkRegressor])
def test_where_all_epochs_are_used(kind):
    draw = np.random.default_rng(0)
    X = draw.normal(size=(120, 10))
    y = X[:, 0] + 2 * draw.normal(size=120)
    y = (y > 0).astype(int) if kind is NetworkClassifier else y
    estimator = kind(
        (32,), early_stopping=True, n_iter_no_change=500, max_iter=40, validation_fraction=0.4,
        learning_rate_init=0.02, random_state=0, tol=0,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning):
        estimator.fit(X, y)
    run = estimator.run_
    losses = run.trace.validation_loss
    assert run.outcome.reason == "epochs"
    assert run.outcome.kept_step < run.outcome.step
    assert run.measure(run.dataset.validation)["loss"] == pytest.approx(losses.min(), rel=1e-5)
