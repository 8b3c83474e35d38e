"""What a loss is besides its formula: weights, the user's own, and shapes that do not mix."""

import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds
from downslope.nn.losses import LOSSES, resolve


def test_the_mean_counts_each_sample_by_its_weight():
    outputs, targets = jnp.array([[1.0], [2.0], [5.0]]), jnp.zeros((3, 1))
    loss = LOSSES["squared_error"]
    assert loss.mean(outputs, targets) == pytest.approx((1 + 4 + 25) / 3)
    weights = jnp.array([3.0, 0.5, 0.0])
    assert loss.mean(outputs, targets, weights) == pytest.approx((3 * 1 + 0.5 * 4) / 3.5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_weight_of_two_is_the_same_sample_twice(name):
    rng = np.random.default_rng(0)
    outputs = rng.standard_normal((3, 2)).astype(np.float32)
    targets = rng.integers(0, 2, (3, 2)).astype(np.float32)
    again = np.array([0, 0, 1, 2])
    loss = LOSSES[name]
    weighted = loss.mean(jnp.asarray(outputs), jnp.asarray(targets), jnp.array([2.0, 1.0, 1.0]))
    repeated = loss.mean(jnp.asarray(outputs[again]), jnp.asarray(targets[again]))
    assert weighted == pytest.approx(float(repeated), rel=1e-6)


def test_a_batch_without_any_weight_has_no_loss_and_no_slope():
    network = ds.Network([ds.Dense(2)])
    found = ds.backpropagate(
        network,
        network.init((3,)),
        jnp.ones((4, 3)),
        jnp.zeros(4, jnp.int32),
        loss="cross_entropy",
        weights=jnp.zeros(4),
    )
    assert found.loss == 0
    np.testing.assert_array_equal(found.gradients[0]["weights"], np.zeros((3, 2)))


def test_a_function_of_the_users_own_is_a_loss():
    def quartic(prediction, target):
        return ((prediction - target) ** 4).sum(axis=1)

    network = ds.Network([ds.Dense(1)])
    parameters = ({"weights": jnp.array([[2.0]]), "biases": jnp.array([0.0])},)
    found = ds.backpropagate(
        network, parameters, jnp.array([[1.0]]), jnp.array([[5.0]]), loss=quartic
    )
    assert found.loss == pytest.approx(3**4)
    assert found.gradients[0]["weights"].item() == pytest.approx(4 * (2 - 5) ** 3)
    assert resolve(quartic).name == "quartic"


def test_a_loss_passes_through_unchanged():
    mine = ds.Loss("mine", lambda prediction, target: prediction[:, 0])
    assert resolve(mine) is mine


@pytest.mark.parametrize(
    "name", ["squared_error", "absolute_error", "huber", "poisson", "binary_cross_entropy"]
)
def test_targets_without_the_axis_of_outputs_are_not_spread_over_all_samples(name):
    outputs, targets = jnp.array([[0.0], [1.0], [2.0]]), jnp.array([0.0, 1.0, 0.0])
    flat = LOSSES[name].per_sample(outputs, targets)
    np.testing.assert_array_equal(flat, LOSSES[name].per_sample(outputs, targets[:, None]))


def test_classes_in_a_column_are_classes():
    outputs, classes = jnp.array([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]), jnp.array([0, 2])
    loss = LOSSES["cross_entropy"].per_sample
    np.testing.assert_array_equal(loss(outputs, classes[:, None]), loss(outputs, classes))


def test_an_unknown_loss_reads_as_intended():
    with pytest.raises(ds.SettingError) as caught:
        resolve("cross-entropy")
    assert str(caught.value) == (
        "There is no loss called 'cross-entropy'. Expected one of squared_error, "
        "absolute_error, huber, cross_entropy, binary_cross_entropy, poisson. "
        "Did you mean 'cross_entropy'?"
    )


def test_a_loss_of_the_users_own_with_the_name_of_ours_is_its_own():
    def poisson(prediction, target):
        return jnp.abs(prediction - target).sum(axis=1)

    inputs = np.linspace(-1, 1, 60)[:, None]
    data = (inputs, -3 - inputs)  # of ours, targets below 0 are refused
    with pytest.raises(ds.DataError, match="the loss is poisson"):
        ds.train("dense 1", data, loss="poisson", epochs=1)
    run = ds.train("dense 1", data, loss=poisson, optimizer="sgd", epochs=1)
    assert run.loss.name == "poisson"
    assert run.loss.built_in == ""
    assert np.isclose(run.baseline_output, run.dataset.train.targets.mean())
    assert LOSSES["poisson"].built_in == "poisson"
