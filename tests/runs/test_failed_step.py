"""What is found in a step that could not be made, kind by kind, in the order of computing."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds
from downslope.nn.layer import Layer
from downslope.nn.losses import LOSSES, Loss, resolve
from downslope.nn.notation import parse
from downslope.runs import failed_step
from downslope.runs.failed_step import find_failure
from downslope.runs.failure import Failure
from downslope.runs.preparation import Preparation
from tests.plain import PLAIN
from tests.runs import by_hand

AS_IT_IS = ds.Scaling(np.zeros(1, np.float32), np.ones(1, np.float32))


def numbers(inputs=((2.0,), (3.0,)), targets=((1.0,), (4.0,)), scaling=AS_IT_IS) -> ds.Dataset:
    """A few samples, not scaled."""
    part = ds.Samples(np.array(inputs, np.float32), np.array(targets, np.float32))
    return ds.Dataset("few", "regression", part, part, part, scaling)


def dense(*weights) -> tuple:
    """Parameters of dense layers of one unit each, without biases."""
    return tuple({"weights": np.full((1, 1), one, np.float32), "biases": np.zeros(1, np.float32)}
                 for one in weights)  # fmt: skip


def found(network, data, loss="huber", parameters=None, batch=None, **settings) -> Failure | None:
    """What a first step of all samples, or of those of `batch`, finds."""
    network = parse(network) if isinstance(network, str) else network
    settings = ds.Settings(loss="", **{"batch_size": "full", **settings})
    prepared = Preparation(network, data, resolve(loss), settings)
    start = prepared.start()
    state = start.state if parameters is None else start.state._replace(parameters=parameters)
    batch = np.arange(len(data.train)) if batch is None else np.array(batch)
    return find_failure(
        prepared.program, data, state, prepared.material(start.key), batch.astype(np.int32),
        prepared.rates[0],
    )  # fmt: skip


def test_a_step_that_can_be_made():
    assert found("dense 1", numbers()) is None


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_an_input(value):
    data = dataclasses.replace(by_hand.classes_data(), input_names=("a", "b", "c", "d"))
    data.train.inputs[7, 1] = data.train.inputs[9, 0] = float(value)
    assert found("dense 3", data, "cross_entropy", batch=[3, 7, 9]) == Failure(
        "input", value, 3, 2, 7, (1,), "b"
    )


def test_an_input_that_is_too_far_away_for_its_scale():
    data = numbers(((2.0,), (-3e38,)), scaling=ds.Scaling(np.zeros(1), np.full(1, 0.1, "f4")))
    failure = found("dense 1", data)
    assert failure == Failure("input", "-inf", 2, 1, 1, cause="scaling", given="-3e+38")


def test_a_target_before_all_that_follows_from_it():
    data = numbers()
    data.train.targets[1, 0] = np.nan
    assert found("dense 1", data, "poisson") == Failure("target", "nan", 2, 1, 1)


def test_a_target_by_which_all_would_be_scaled():
    data = numbers()
    data.train.targets[1, 0] = np.nan
    with pytest.raises(ds.DataError) as caught:
        ds.train(parse("dense 1"), data, options=PLAIN, loss="squared_error", batch_size=1)
    assert str(caught.value) == (
        "The target of sample 1 is nan. Expected finite numbers. "
        "Fill in what is missing, or leave the sample out."
    )


def test_a_weight():
    data = by_hand.classes_data(weighted=True)
    data.train.weights[5] = np.inf
    assert found("dense 3", data, "cross_entropy", batch=[5, 8]) == Failure(
        "weight", "inf", 2, 1, 5
    )


def test_an_image_that_is_changed():
    @dataclasses.dataclass(frozen=True)
    class Division(ds.Augment):
        def apply(self, key, epoch, samples, images, targets, sizes):
            return images / jnp.where(samples == 3, 0, 1)[:, None, None, None], targets, sizes

    data = by_hand.crowd_data()
    data.train.inputs[3] = 200
    failure = found("conv 1 3, max_pool 4", data, batch=[1, 3], augment=Division())
    assert failure == Failure("input", "inf", 2, 1, 3, cause="augment")


def test_a_place_that_is_free_is_filled_with_sample_0():
    data = by_hand.classes_data()
    data.train.inputs[0, 0] = np.nan
    failure = found("dense 3", data, "cross_entropy", batch=[4, -1], batch_size=16)
    assert failure == Failure("input", "nan", 1, 1, 0, (0,))


def test_a_weighted_sum():
    failure = found("dense 1, dense 1 relu", numbers(), parameters=dense(1.0, 1.5e38))
    assert failure == Failure("sum", "inf", 2, 1, 1, layer="2 Dense")


@dataclasses.dataclass(frozen=True)
class Root(Layer):
    """The square root of a sum, whose slope at 0 is infinite."""

    word = "root"

    def output_shape(self, input_shape):
        return input_shape

    def weighted_sum(self, parameters, inputs, key=None):
        return inputs

    def activate(self, pre_activations):
        return jnp.sqrt(pre_activations)


def test_an_activation_of_a_layer_of_the_users_own():
    network = ds.Network([ds.Dense(1), Root()])
    failure = found(network, numbers(), parameters=(*dense(-1.0), {}))
    assert failure == Failure("activation", "nan", 2, 2, 0, layer="2 Root", function="Root")


def test_the_loss_of_a_sample():
    failure = found("dense 1", numbers(), "poisson", dense(40.0))
    assert failure == Failure("loss", "inf", 2, 1, 1, outputs="120", truth="4")


def test_the_loss_of_a_sample_with_a_class():
    part = ds.Samples(np.float32([[2], [3]]), np.int32([0, 1]))
    data = ds.Dataset(
        "few", "classification", part, part, part, AS_IT_IS, class_names=("a", "b", "c")
    )
    logits = {"weights": np.float32([[1e38, -1e38, 0]]), "biases": np.zeros(3, np.float32)}
    failure = found("dense 3", data, "cross_entropy", (logits,))  # 3e38 + 3e38 is infinite
    assert failure == Failure("loss", "inf", 2, 1, 1, outputs="3e+38, -3e+38, 0", truth="'b'")


def test_many_outputs_and_people_are_told_by_their_range_and_sum():
    def none(prediction, target):
        return jnp.full(len(prediction), jnp.nan)

    failure = found("average_pool 4, conv 1 1", by_hand.crowd_data(), none, batch=[2])
    assert failure is not None
    assert failure.function == "none"
    assert failure.truth == f"{by_hand.crowd_data().train.counts[2]:.4g} people"
    data = by_hand.numbers_data(outputs=6)
    failure = found("dense 6", data, none, batch=[2])
    assert failure is not None
    target = data.train.targets[2]
    assert failure.truth == f"6 numbers from {target.min():.4g} to {target.max():.4g}"


def test_the_mean_of_losses_that_have_a_value():
    loss = Loss("absolute_error", LOSSES["absolute_error"].per_sample)
    failure = found("dense 1", numbers(), loss, dense(1e38))
    assert failure == Failure("loss", "inf", 2)


def test_a_gradient_from_the_loss():
    def root(prediction, target):
        return jnp.sqrt((prediction - target)[:, 0] ** 2)  # no slope where it is 0

    failure = found("dense 1, dense 1", numbers(targets=((1.0,), (3.0,))), root, dense(1.0, 1.0))
    assert failure == Failure(
        "gradient", "nan", 2, 1, 1, cause="loss", layer="2 Dense", array="weights",
        outputs="3", truth="3", function="root",
    )  # fmt: skip


def test_a_gradient_from_a_layer():
    network = ds.Network([ds.Dense(1), Root(), ds.Dense(1)])
    data = numbers(((0.0,), (3.0,)))
    first, last = dense(1.0, 1.0)
    failure = found(network, data, parameters=(first, {}, last))
    assert failure is not None
    assert failure.value in ("nan", "inf")  # 0 times infinity, or the sum with it
    assert dataclasses.replace(failure, value="inf") == Failure(
        "gradient", "inf", 2, 1, 0, cause="2 Root", layer="1 Dense", array="weights",
        function="Root",
    )  # fmt: skip


def test_a_gradient_that_is_too_large_as_a_product():
    data = numbers(((1e30,), (0.0,)))
    failure = found("dense 1, dense 1", data, parameters=dense(0.0, 1e10))
    assert failure == Failure("gradient", "inf", 2, layer="1 Dense", array="weights")


def test_a_direction_and_a_change():
    decay = ds.Optimizer("sgd", weight_decay=1e30)
    failure = found("dense 1", numbers(), parameters=dense(1e10), optimizer=decay)
    assert failure == Failure("direction", "inf", 2, layer="1 Dense", array="weights")
    failure = found("dense 1", numbers(), parameters=dense(100.0), learning_rate=3e38)
    assert failure == Failure("change", "-inf", 2, layer="1 Dense", array="weights")


def test_what_may_not_fit_into_the_memory_is_looked_at_as_it_was_given(monkeypatch):
    monkeypatch.setattr(failed_step, "MOST_SIGNALS", 3)
    assert found("dense 1", numbers(), "poisson", dense(40.0)) is None
    assert found("dense 1", numbers(), "poisson", dense(40.0), batch=[1]) is not None
    data = numbers()
    data.train.inputs[1] = np.inf
    assert found("dense 1", data) == Failure("input", "inf", 2, 1, 1)


def test_a_function_that_fails_hides_nothing():
    def broken(prediction, target):
        raise ValueError("no")

    assert found("dense 1", numbers(), broken) is None


def test_a_failure_is_kept_with_the_run(tmp_path):
    data = by_hand.classes_data()
    data.train.inputs[7, 1] = np.nan
    run = ds.train(parse("dense 3"), data, options=PLAIN, batch_size=10, epochs=1)
    assert run.outcome.failure == Failure("input", "nan", 10, 1, 7, (1,))
    folder = run.save(tmp_path / "run").folder
    assert folder is not None
    assert ds.open_run(folder).outcome == run.outcome
