"""The linear model beside every figure, against scikit-learn's."""

import numpy as np
import pytest

import downslope as ds
from downslope.runs.linear import logistic, ridge
from downslope.runs.metric_text import verdict

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(80, 4))


@pytest.mark.peers
def test_ridge_is_scikit_learns():
    linear = pytest.importorskip("sklearn.linear_model")
    targets, weights = INPUTS[:, :2] * 3 + RNG.normal(size=(80, 2)), RNG.uniform(0, 2, 80)
    theirs = linear.Ridge(alpha=1).fit(INPUTS, targets, weights)
    found = ridge(INPUTS, targets, weights)
    np.testing.assert_allclose(found[:-1], theirs.coef_.T, rtol=1e-9)
    np.testing.assert_allclose(found[-1], theirs.intercept_, rtol=1e-9)


@pytest.mark.peers
@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression_is_scikit_learns(classes):
    linear = pytest.importorskip("sklearn.linear_model")
    targets = np.digitize(INPUTS[:, 0] + RNG.normal(size=80), [-0.5, 0.5][: classes - 1])
    weights = RNG.uniform(0, 2, 80)
    theirs = linear.LogisticRegression(tol=1e-8, max_iter=1000).fit(INPUTS, targets, weights)
    if classes == 2:
        found = logistic(INPUTS, targets[:, None].astype(float), weights)
        np.testing.assert_allclose(found[:-1, 0], theirs.coef_[0], atol=1e-4)
    else:
        found = logistic(INPUTS, np.eye(3)[targets], weights)
        np.testing.assert_allclose(found[:-1].T, theirs.coef_, atol=1e-4)


def test_a_line_is_found_and_told(tmp_path):
    rows = [f"{a:.3f},{b:.3f},{3 * a - b + 7:.3f}" for a, b in RNG.normal(size=(200, 2))]
    file = tmp_path / "line.csv"
    file.write_text("\n".join(["a,b,y", *rows]))
    run = ds.train(None, ds.load(file, target="y"), epochs=1)
    test = run.dataset.test
    linear = run.measure_linear(test)
    assert linear["rmse"] < 0.1 * run.measure_baseline(test)["rmse"]
    said = verdict(run, run.measure(test), run.intervals(test), run.measure_baseline(test), linear)
    assert "A linear model: " in said


def test_points_in_a_plane_have_one():
    run = ds.train("dense 8 tanh, dense 2", "moons", epochs=1)
    assert run.measure_linear(run.dataset.test)["accuracy"] > 0.8
