"""One sample followed by itself is what it is within its batch."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds
from downslope.insight.one_sample import held, see_sample, walk
from downslope.nn.losses import resolve
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand

RANDOM = parse(
    "dropout 0.4, residual (dropout 0.5), parallel (dropout 0.3 | layer_norm, dropout 0.3)"
)


def test_a_row_with_its_dropout_held_is_the_row_of_the_batch():
    parameters, key = RANDOM.init((5,), seed=1), jax.random.key(7)
    inputs = jnp.asarray(np.random.default_rng(0).normal(size=(8, 5)), jnp.float32)
    batch = jax.jit(RANDOM.forward)(parameters, inputs, key)
    alone = held(RANDOM, key, inputs.shape, 5)
    assert not alone.is_random
    prediction = jax.jit(alone.forward)(parameters, inputs[5:6])
    np.testing.assert_allclose(prediction[0], batch[5], rtol=1e-5, atol=1e-6)


def test_a_walk_is_backpropagation():
    network = parse("dense 4 tanh, layer_norm, dense 4 softmax, residual (dense 4 relu), dense 2")
    parameters = network.init((3,), seed=2)
    inputs, targets = jnp.asarray([[0.3, -1.2, 0.7]]), jnp.asarray([1])
    way = walk(network, parameters, inputs, targets, resolve("cross_entropy"))
    find = partial(ds.backpropagate, network, loss="cross_entropy")
    with_steps = jax.jit(find)(parameters, inputs, targets)
    assert way.loss == pytest.approx(float(with_steps.loss), rel=1e-6)
    for own, gradients, delta in zip(
        way.layers, with_steps.gradients, with_steps.deltas, strict=True
    ):
        np.testing.assert_allclose(own.delta, delta[0], rtol=1e-4, atol=1e-6)
        for mine, theirs in zip(
            jax.tree.leaves(own.gradients), jax.tree.leaves(gradients), strict=True
        ):
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(way.layers[-1].slope, way.slope)


@pytest.fixture(scope="module")
def replay():
    data = by_hand.classes_data(weighted=True)
    return ds.replay(ds.train(parse("dense 3"), data, options=PLAIN, batch_size=8, epochs=1))


def test_a_samples_share_of_its_batch_is_its_weight(replay):
    batch = replay.batch_of(2)
    weights = replay.run.dataset.train.weights
    fractions = [see_sample(replay, 2, int(index)).fraction for index in batch]
    np.testing.assert_allclose(fractions, weights[batch] / weights.mean() / 8, rtol=1e-6)
    assert see_sample(replay, 2).index == batch[0]


def test_a_sample_that_the_step_did_not_see_has_no_share(replay):
    other = int(np.setdiff1d(np.arange(50), replay.batch_of(2))[0])
    seen = see_sample(replay, 2, other)
    assert seen.fraction is None
    samples = replay.run.dataset
    np.testing.assert_allclose(
        seen.inputs[0], samples.scaling.apply(samples.train.inputs[other]), rtol=1e-6
    )
    assert seen.target == samples.train.targets[other]


def test_no_such_sample(replay):
    with pytest.raises(ds.DataError) as caught:
        see_sample(replay, 1, 50)
    assert str(caught.value) == (
        "Sample 50 was asked for, and points has 50 training samples. Expected a number from 0 to "
        "49. Choose another sample, or leave it out for the first one of the batch."
    )
