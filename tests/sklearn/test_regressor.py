"""The regressor beside MLPRegressor, and what it can do beyond it."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

import sklearn
from sklearn.datasets import load_diabetes, make_regression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from downslope.sklearn import NetworkRegressor

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

X, Y = make_regression(300, 5, noise=3, random_state=0)
FAST = {"hidden_layer_sizes": 16, "learning_rate_init": 0.02, "max_iter": 100, "random_state": 0}


def test_it_is_as_right_as_mlpregressor():
    own, theirs = [], []
    for seed in range(3):
        parts = train_test_split(*load_diabetes(return_X_y=True), random_state=seed)
        inputs, others, numbers, truth = parts
        for scores, kind in ((own, NetworkRegressor), (theirs, MLPRegressor)):
            model = make_pipeline(StandardScaler(), kind(random_state=seed))
            scores.append(model.fit(inputs, numbers).score(others, truth))
    assert np.mean(own) > max(0.2, np.mean(theirs) - 0.01)


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_weights_are_for_inputs_and_targets_as_they_came(outputs):
    targets = 50 + 9 * np.stack([Y, -Y, Y**2], axis=1)[:, :outputs]
    model = NetworkRegressor(**{**FAST, "max_iter": 5}).fit(4 - 9 * X, targets.squeeze())
    first, last = model.coefs_
    hidden = np.maximum((4 - 9 * X) @ first + model.intercepts_[0], 0)
    expected = hidden @ last + model.intercepts_[1]
    predictions = model.predict(4 - 9 * X)
    assert predictions.shape == ((300,) if outputs == 1 else (300, 3))
    assert model.out_activation_ == "identity"
    np.testing.assert_allclose(predictions.reshape(300, -1), expected, rtol=1e-4, atol=1e-2)


def test_the_unit_of_the_targets_does_not_matter():
    settings = {**FAST, "tol": 0.01, "max_iter": 300}
    one = NetworkRegressor(**settings).fit(X, Y)
    other = NetworkRegressor(**settings).fit(X, Y / 1024 + 5)
    assert one.run_.outcome.reason == "no_improvement"
    assert abs(other.n_iter_ - one.n_iter_) <= 3
    np.testing.assert_allclose(other.predict(X), one.predict(X) / 1024 + 5, atol=0.02)


def test_weights_of_samples_are_those_of_a_weighted_mean():
    counts = np.random.default_rng(0).uniform(0.1, 4, len(Y))
    settings = {
        "hidden_layer_sizes": (), "solver": "sgd", "momentum": 0, "alpha": 0, "standardize": False,
        "batch_size": len(Y), "random_state": 3, "n_iter_no_change": np.inf,
    }  # fmt: skip
    start = NetworkRegressor(**settings, learning_rate_init=1e-30, max_iter=1).fit(X, Y)
    model = NetworkRegressor(**settings, learning_rate_init=0.1, max_iter=9)
    model.fit(X, Y, sample_weight=counts)
    weights, bias = start.coefs_[0][:, 0], start.intercepts_[0][0]
    losses = []
    for _ in range(9):  # in the targets' own unit: the slopes are those of standardised ones
        miss = X @ weights + bias - Y
        losses.append(np.average(miss**2, weights=counts))
        delta = 2 * 0.1 * miss * counts / counts.sum()
        weights, bias = weights - X.T @ delta, bias - delta.sum()
    np.testing.assert_allclose(model.coefs_[0][:, 0], weights, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(model.intercepts_[0], bias, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=1e-4)


def test_a_weight_of_two_is_the_same_as_the_sample_twice():
    counts = np.random.default_rng(0).integers(0, 3, 80)
    one = NetworkRegressor(**FAST).fit(X[:80], Y[:80], sample_weight=counts)
    other = NetworkRegressor(**FAST).fit(X[:80].repeat(counts, 0), Y[:80].repeat(counts))
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "poisson"])
def test_other_losses(loss):
    targets = np.exp(Y / 100) if loss == "poisson" else Y / 50
    model = NetworkRegressor(**FAST, loss=loss).fit(X, targets)
    assert model.score(X, targets) > 0.9
    assert model.out_activation_ == ("exp" if loss == "poisson" else "identity")


def pinball(prediction, target):
    """Nine times in ten the target is below (Koenker and Bassett, 1978)."""
    import jax.numpy as jnp

    miss = target - prediction
    return jnp.maximum(0.9 * miss, -0.1 * miss)[:, 0]


def test_a_loss_of_ones_own():
    rng = np.random.default_rng(0)
    targets = X[:, 0] + rng.normal(size=300)
    model = NetworkRegressor(**{**FAST, "max_iter": 300}, loss=pinball).fit(X, targets)
    assert np.mean(targets < model.predict(X)) == pytest.approx(0.9, abs=0.04)


def test_search_cross_validation_and_a_copy_on_disk():
    pipeline = make_pipeline(StandardScaler(), NetworkRegressor(**FAST))
    grid = {"networkregressor__hidden_layer_sizes": [(), (8,)]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, Y)
    assert search.best_params_ == {"networkregressor__hidden_layer_sizes": ()}  # it is linear
    assert cross_val_score(pipeline, X, Y, cv=2).mean() > 0.9
    copy = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(copy.predict(X), search.predict(X))


def test_weights_and_validation_data_are_routed():
    counts = np.random.default_rng(0).integers(0, 3, len(Y))
    with sklearn.config_context(enable_metadata_routing=True):
        model = NetworkRegressor(**FAST).set_fit_request(sample_weight=True, validation_data=True)
        scaler = StandardScaler(with_mean=False, with_std=False)
        scaler.set_fit_request(sample_weight=False)
        if hasattr(scaler, "set_transform_request"):  # what newer versions pass on as well
            scaler.set_transform_request(copy=False)
        pipeline = make_pipeline(scaler, model)
        pipeline.fit(X, Y, sample_weight=counts, validation_data=(X[:9], Y[:9]))
    alone = NetworkRegressor(**FAST).fit(X, Y, counts, (X[:9], Y[:9]))
    np.testing.assert_array_equal(pipeline.predict(X), alone.predict(X))


def test_validation_scores_are_r2():
    model = NetworkRegressor(**FAST).fit(X[:200], Y[:200], validation_data=(X[200:], Y[200:]))
    assert model.validation_scores_[-1] == pytest.approx(
        r2_score(Y[200:], model.predict(X[200:])), abs=1e-5
    )


def test_it_learns_from_pieces():
    model = NetworkRegressor(hidden_layer_sizes=16, learning_rate_init=0.02, random_state=0)
    for _ in range(60):
        for start in range(0, 300, 100):
            model.partial_fit(X[start : start + 100], Y[start : start + 100])
    assert model.score(X, Y) > 0.9
    assert model.t_ == 60 * 300


def test_parameters_are_called_as_those_of_mlpregressor():
    own, theirs = NetworkRegressor().get_params(), MLPRegressor().get_params()
    shared = (own.keys() & theirs.keys()) - {"loss"}  # ours has a name for "what is usual"
    assert {name: own[name] for name in shared} == {name: theirs[name] for name in shared}


def test_mistakes_are_told_as_scikit_learn_does():
    with pytest.raises(ValueError, match="Input y contains a value too large"):
        NetworkRegressor().fit(X, Y * 1e300)
    with pytest.raises(ValueError, match=r"Input X contains infinity or a value too large"):
        NetworkRegressor().fit(X * 1e300, Y)
    with pytest.raises(ValueError, match=r"Some value\(s\) of y are out of the valid range of the"):
        NetworkRegressor(loss="poisson").fit(X, Y)
    with pytest.raises(ValueError, match=r"The 'loss' parameter of NetworkRegressor must be"):
        NetworkRegressor(loss="cross_entropy").fit(X, Y)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        NetworkRegressor(early_stopping=True).partial_fit(X, Y)
