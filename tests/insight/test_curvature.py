"""The sharpest bend beside a dense Hessian in float64, and what it says of gradient descent."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import downslope as ds
from downslope.engine.scales import target_scaling
from downslope.insight import curvature
from downslope.nn.losses import resolve
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand


def dense_hessian(network, parameters, data, loss) -> np.ndarray:
    """Every second derivative of the mean training loss, float64."""
    samples, scaled = data.train, data.scaling.apply(data.train.inputs)
    predictions = target_scaling(data, resolve(loss))
    with jax.enable_x64(True):
        targets = jnp.asarray(samples.targets)
        if predictions is not None:
            targets = (targets.astype(float) - predictions.mean) / predictions.std
        start, unravel = ravel_pytree(
            jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), parameters)
        )
        inputs = jnp.asarray(scaled, jnp.float64)
        weights = np.ones(len(samples)) if samples.weights is None else samples.weights

        def mean(flat):
            losses = resolve(loss).per_sample(network.forward(unravel(flat), inputs), targets)
            return (losses * weights).sum() / weights.sum()

        return np.asarray(jax.jit(jax.hessian(mean))(start))


@pytest.mark.parametrize(
    ("text", "data", "loss"),
    [
        ("dense 6 tanh, dense 3", by_hand.classes_data(weighted=True), "cross_entropy"),
        ("dense 5 gelu, dense 4 tanh, dense 3", by_hand.classes_data(), "cross_entropy"),
        ("dense 6 softplus, dense 2", by_hand.numbers_data(), "squared_error"),
        ("layer_norm, dense 4 sigmoid, dense 2", by_hand.numbers_data(), "huber"),
    ],
)
def test_the_largest_eigenvalue_is_that_of_the_dense_hessian(text, data, loss):
    network = parse(text)
    parameters = network.init(data.input_shape, 1)
    found = curvature(
        ds.Model.on(data, network, resolve(loss), parameters),
        data.train,
    )
    values, vectors = np.linalg.eigh(dense_hessian(network, parameters, data, loss))
    assert found.eigenvalue == pytest.approx(values[-1], rel=0.01)
    assert found.uncertainty <= 1e-3 * found.eigenvalue
    assert found.samples == len(data.train)
    direction = np.asarray(ravel_pytree(found.direction)[0], np.float64)
    assert np.linalg.norm(direction) == pytest.approx(1, rel=1e-5)
    if values[-1] > 1.1 * values[-2]:
        assert abs(direction @ vectors[:, -1]) > 0.99


def test_a_convolution_bends_as_its_dense_hessian_says():
    network, data = parse("conv 2 3 tanh, average_pool 4, conv 1 1"), by_hand.crowd_data()
    parameters = network.init(data.input_shape, 0)
    predictions = target_scaling(data, resolve("squared_error"))
    found = curvature(
        ds.Model(
            network, "squared_error", parameters, scaling=data.scaling, target_scaling=predictions
        ),
        data.train,
    )
    values = np.linalg.eigvalsh(dense_hessian(network, parameters, data, "squared_error"))
    assert found.eigenvalue == pytest.approx(values[-1], rel=0.01)


def test_the_same_bits_again_and_fewer_samples_where_asked_for():
    network, data = parse("dense 6 tanh, dense 3"), by_hand.classes_data()
    parameters = network.init((4,), 0)
    model = ds.Model(network, "cross_entropy", parameters, scaling=data.scaling)
    one, other = (curvature(model, data.train) for _ in range(2))
    assert one.eigenvalue == other.eigenvalue
    by_hand.assert_same_parameters(one.direction, other.direction)
    few = curvature(model, data.train, most_samples=20)
    assert few.samples == 20
    assert few.eigenvalue != one.eigenvalue


@pytest.mark.parametrize(
    ("optimizer", "decay"), [("sgd", 0.0), ("momentum", 0.3), ("nesterov", 0.0)]
)
def test_descent_on_a_bowl_diverges_just_above_the_border_and_converges_just_below(
    optimizer, decay
):
    data = by_hand.numbers_data(outputs=1)
    network = parse("dense 1")  # with the squared error an exact bowl
    start = network.init(data.input_shape, 0)
    bend = curvature(
        ds.Model.on(data, network, resolve("squared_error"), start),
        data.train,
    )
    momentum = {} if optimizer == "sgd" else {"momentum": 0.8}
    chosen = ds.Optimizer(optimizer, **momentum, weight_decay=decay)
    border = bend.highest_rate_of(chosen)
    if optimizer == "sgd" and not decay:
        assert border == bend.highest_rate == 2 / bend.eigenvalue

    found = ds.train_side_by_side(
        network,
        data,
        options=PLAIN,
        optimizer=chosen,
        learning_rates=[0.985 * border, 1.015 * border],
        batch_size="full",
        epochs=1500,
    )
    below, above = (trace.batch_loss for trace in found.traces)
    assert np.isfinite(below).all()
    assert below[-1] == pytest.approx(below[-300], rel=1e-3)  # it has come to rest
    assert below[-1] < 0.7 * below[0]
    assert not np.isfinite(above[-1]) or above[-1] > 1e3 * above[0]


def test_no_rule_where_none_holds():
    network, data = parse("dense 3"), by_hand.classes_data()
    found = curvature(ds.Model(network, "cross_entropy", network.init((4,))), data.train)
    assert found.highest_rate_of(ds.Optimizer("adam")) is None
    assert found.highest_rate_of(ds.Optimizer("sgd", clip_norm=1.0)) is None


def test_a_loss_that_bends_nowhere_has_no_highest_rate():
    data = by_hand.numbers_data()

    def sloping(prediction, target):
        return (prediction - target.reshape(prediction.shape)).sum(axis=1)

    found = curvature(ds.Model(parse("dense 2"), sloping, parse("dense 2").init((3,))), data.train)
    assert (found.eigenvalue, found.highest_rate) == (0.0, np.inf)
    assert found.highest_rate_of(ds.Optimizer("momentum")) == np.inf


def test_what_cannot_be_measured_is_told():
    network, data = parse("dense 3"), by_hand.classes_data()
    parameters = network.init((4,))
    model = ds.Model(network, "cross_entropy", parameters)
    with pytest.raises(ds.DataError, match="There are no samples"):
        curvature(model, data.train.take(np.arange(0)))
    broken = jax.tree.map(lambda leaf: leaf * np.nan, parameters)
    with pytest.raises(ds.DataError) as raised:
        curvature(model.at(broken), data.train)
    assert str(raised.value) == (
        "The loss bends by no finite number at these weights. Expected weights and samples at "
        "which loss and slopes are finite. Look for missing or huge values in the data, or take "
        "earlier weights."
    )
