"""Steps of real trainings: what is told of them is true to the last digit that is promised."""

import os
import re
from random import Random

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.insight.step import trace_step
from downslope.nn.notation import parse
from downslope.numerals import rounded
from tests.insight.drawn_steps import drawn_question, drawn_training
from tests.plain import PLAIN
from tests.runs import by_hand

# Trainings, and questions about each: few here; 100 of one question are what is promised, and
# DOWNSLOPE_CASES=100 takes about ten minutes.
CASES = int(os.environ.get("DOWNSLOPE_CASES", "3"))
QUESTIONS = 3 if CASES == 3 else 1


@pytest.fixture
def _forgotten():
    """Hundreds of small programs each hold memory maps, of which a process has only so many."""
    yield
    jax.clear_caches()


def assert_same_bits(one, other):
    for mine, yours in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(yours))


@pytest.mark.usefixtures("_forgotten")
@pytest.mark.parametrize("seed", range(CASES))
def test_factors_difference_and_replay_of_a_drawn_training(seed):
    drawn, random = drawn_training(seed), Random(seed)
    for _ in range(QUESTIONS):
        check(drawn, drawn_question(random, drawn.run))


def check(drawn, question):
    run, step = drawn.run, question["step"]
    traced = trace_step(run, **question)
    # the replayed step is the recorded one
    assert_same_bits(ds.replay(run).state(step), drawn.states[step - 1])
    if step > 1:
        assert_same_bits(ds.replay(run).state(step - 1), drawn.states[step - 2])
    # the factors multiply to the gradient, and the measured slope is that, too
    slopes = [np.abs(one).max() for own in traced.way.layers
              for one in jax.tree.leaves(own.gradients)]  # fmt: skip
    scale = max(float(max(slopes)), 1e-6)
    chain, measured = traced.weight.chain, traced.weight.difference
    far = abs(chain.product - chain.gradient) / scale
    apart = abs(measured.value - chain.gradient) / scale
    print(f"factors {far:.1e}, difference {apart:.1e}, corner {measured.is_at_corner}")
    assert far < 1e-5
    if measured.is_at_corner:
        low, high = sorted((measured.left, measured.right))
        assert low - 1e-4 * scale <= chain.gradient <= high + 1e-4 * scale
    else:
        assert apart < 1e-4
    if chain.has_all_paths and chain.start.count == 1:
        total = sum(path.value for path in chain.paths)
        assert total == pytest.approx(chain.gradient, rel=1e-4, abs=1e-5 * scale)
    assert str(traced).count("\n") > 20


DATA = by_hand.classes_data(weighted=True)


@pytest.fixture(scope="module")
def run():
    network = parse("dense 4 tanh, dense 3")
    return ds.train(network, DATA, options=PLAIN, learning_rate=0.1, batch_size=8, epochs=2)


def test_samples_weighed_by_their_shares_make_the_batch_and_the_change(run):
    step = 3
    each = [trace_step(run, step, int(sample)) for sample in ds.replay(run).batch_of(step)]
    weights = DATA.train.weights[[one.sample.index for one in each]]
    fractions = weights / (len(each) * DATA.train.weights.mean(dtype=np.float64))
    assert [one.sample.fraction for one in each] == pytest.approx(fractions.tolist(), rel=1e-5)
    for index, layer in enumerate(each[0].layers):
        for name, batch in layer.batch_gradients.items():
            own = sum(
                one.sample.fraction * one.layers[index].way.gradients[name].astype(np.float64)
                for one in each
            )
            np.testing.assert_allclose(batch, own, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(layer.changes[name], -0.1 * batch, rtol=1e-4, atol=1e-6)
    weighed = sum(one.sample.fraction * one.way.loss for one in each)
    assert each[0].batch_loss == pytest.approx(weighed, rel=1e-5)
    assert each[0].batch_loss == run.trace.batch_loss[step - 1]


@pytest.mark.peers
@pytest.mark.parametrize(
    ("network", "data"),
    [
        ("dense 4 gelu, layer_norm, dense 2", by_hand.numbers_data()),
        ("conv 3 3 relu, max_pool 4, residual (conv 3 1 elu), conv 1 1",
         by_hand.crowd_data()),
    ],
    ids=["numbers", "photos"],
)  # fmt: skip
def test_signals_and_gradients_are_those_of_pytorch(network, data):
    pytest.importorskip("torch")
    from tests.reference import torch_twin

    run = ds.train(parse(network), data, options=PLAIN, learning_rate=0.02, batch_size=4, epochs=1)
    traced = trace_step(run, 2)
    twins = torch_twin.tensors(jax.tree.map(np.asarray, ds.replay(run).parameters(1)))
    given = torch_twin.tensor(traced.sample.inputs)
    for count, layer in enumerate(traced.layers, 1):
        part = ds.Network(run.network.layers[:count])
        found = torch_twin.forward(part, twins[:count], given).detach().numpy()[0]
        np.testing.assert_allclose(layer.way.activations, found, rtol=1e-4, atol=1e-5)
    outputs = torch_twin.forward(run.network, twins, given)
    value = torch_twin.per_sample(
        "squared_error", outputs, torch_twin.tensor(traced.sample.targets)
    )
    value.sum().backward()
    assert traced.way.loss == pytest.approx(float(value.detach().sum()), rel=1e-4)
    for layer, theirs in zip(traced.layers, torch_twin.gradients(twins), strict=True):
        pairs = zip(jax.tree.leaves(layer.way.gradients), jax.tree.leaves(theirs), strict=True)
        for mine, other in pairs:
            np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)


def test_the_six_steps_are_told_in_their_order(run):
    traced = trace_step(run, 3, layer=1, unit=2, weight="3")
    text = str(traced)
    heads = [line for line in text.splitlines() if line[:1].isdigit()]
    assert heads == [
        "1  A sample is shown to the network",
        "2  The network predicts",
        "3  The loss: how wrong the prediction is",
        "4  The gradient, from the last layer back to the first",
        "5  The update of the weights",
        "6  The same sample after the step",
    ]
    assert text.startswith(
        "Step 3 of 14 of the training on points: epoch 1, 8 samples, sgd, learning rate 0.1\n"
    )
    truth = DATA.class_names[int(traced.sample.target)]
    for line in (
        f'The target: "{truth}".',
        f"cross entropy: {traced.way.loss:.4g}, minus the natural logarithm of the probability "
        f"{traced.prediction[int(traced.sample.target)]:.4g} of the true class.",
        f"The loss of the whole batch, as recorded: {run.trace.batch_loss[2]:.6g}.",
        "One weight: weights[3,2] of layer 1, now",
        "dL/dweights[3,2] = x[3] × f'(z1[2]) × dL/da1[2]",
        f"Found by backpropagation: {traced.weight.chain.gradient:.4g}; product of the factors:",
        f"Measured (central difference in float64): {traced.weight.difference.value:.4g}.",
        f"Its loss was {traced.way.loss:.6g} and is {traced.loss_after:.6g}",
    ):
        assert line in text, line


def computed(text):
    """What a line of numbers such as "(2 (0.3 − 1)) / 2" comes to."""
    text = re.sub(r"(?<=[\d)]) \(", " * (", text.replace("−", "-"))
    return eval(text, {"sign": np.sign, "exp": np.exp})


def test_the_derivative_of_classes_with_its_numbers_comes_to_the_gradient(run):
    traced = trace_step(run, 3)
    assert_rows(traced, 3)
    assert "L = −log(softmax(y)_t),  dL/dy_i = softmax(y)_i − [i = t]" in str(traced)


def assert_rows(traced, outputs):
    tables = [one for one in traced.parts() if getattr(one, "head", ())[-1:] == ("dL/dy",)]
    (rows,) = (one.rows for one in tables)
    assert len(rows) == outputs
    for row in rows:
        slope = float(row[-1].replace(",", ""))
        assert computed(row[-2]) == pytest.approx(slope, rel=2e-3, abs=2e-3)


def test_a_sample_of_another_batch_is_told_as_such(run):
    other = int(np.setdiff1d(np.arange(50), ds.replay(run).batch_of(3))[0])
    text = str(trace_step(run, 3, other))
    assert f"Training sample {other}: it is not in this step's batch" in text


def test_numbers_are_told_in_their_own_units():
    data = by_hand.numbers_data(outputs=1)
    run = ds.train(
        parse("dense 1"), data, options=PLAIN, learning_rate=0.05, batch_size=10, epochs=1
    )
    traced = trace_step(run, 5)
    sample = data.train.inputs[traced.sample.index : traced.sample.index + 1]
    assert traced.prediction_after[0] == pytest.approx(float(run.predict(sample)[0, 0]), rel=1e-5)
    target = float(data.train.targets[traced.sample.index, 0])
    own = (float(traced.prediction[0]) - target) ** 2
    assert traced.way.loss * traced.loss_unit == pytest.approx(own, rel=1e-3)
    assert traced.errors[0] == pytest.approx(float(traced.prediction[0]) - target, rel=1e-6)
    assert traced.prediction_gradients[0] == pytest.approx(2 * traced.errors[0], rel=1e-5)
    told = str(traced)
    assert f"the squared error, is the loss: {rounded(float(traced.errors[0]) ** 2, 6)}." in told
    # the gradient by the answer, measured in the units of the target
    step = 1e-3
    rise = ((traced.errors[0] + step) ** 2 - (traced.errors[0] - step) ** 2) / (2 * step)
    assert traced.prediction_gradients[0] == pytest.approx(float(rise), rel=1e-5)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "poisson"])
def test_slopes_by_the_answers_are_those_of_the_loss(loss, outputs):
    data = by_hand.numbers_data(outputs=outputs)
    run = ds.train(
        parse(f"dense {outputs}"), data, options=PLAIN, loss=loss, learning_rate=0.02, epochs=1
    )
    traced = trace_step(run, 1)
    assert str(traced).count("\n") > 20
    assert traced.errors == pytest.approx(traced.prediction - traced.truth)
    assert_rows(traced, outputs)
    if loss == "poisson":  # its outputs are logarithms
        assert traced.prediction_gradients is None
        return
    for index in range(outputs):
        ends = []
        for step in (-1e-2, 1e-2):
            moved = np.array(traced.way.outputs, np.float64)
            moved[index] += step
            ends.append(float(run.loss.per_sample(moved[None], traced.sample.targets)[0]))
        std = 1.0 if traced.target_scales is None else traced.target_scales[1][index]
        measured = (ends[1] - ends[0]) / 2e-2 * traced.loss_unit / std
        assert traced.prediction_gradients[index] == pytest.approx(measured, rel=1e-2, abs=1e-4)


def test_a_part_of_a_photo_has_the_people_in_it():
    data = by_hand.crowd_data()
    augment = ds.Augment(flip=True, crop=0.5)
    network = parse("conv 3 3 relu, max_pool 4, conv 1 1")
    run = ds.train(
        network, data, options=PLAIN, learning_rate=0.02, batch_size=4, epochs=1, augment=augment
    )
    batch, seen = ds.replay(run).batch_of(1), ds.replay(run).seen(1)
    people = np.asarray(run.model.units.predictions_of(np.asarray(seen.targets))).sum(
        axis=(1, 2, 3)
    )
    row = int((people - data.train.counts[batch]).argmin())  # most of them were cut off
    traced = trace_step(run, 1, int(batch[row]))
    assert traced.truth[0] == pytest.approx(people[row], abs=1e-5)
    assert traced.truth[0] < float(traced.sample.target) - 0.5
    assert traced.errors[0] == traced.prediction[0] - traced.truth[0]
    told = str(traced)
    assert f"people, of the {rounded(float(traced.sample.target), 6)} in the photo: this" in told
    assert "The network is not trained on this count but on where people are: a density map" in told
    whole = trace_step(
        ds.train(network, data, options=PLAIN, learning_rate=0.02, batch_size=4, epochs=1), 1
    )
    assert whole.truth[0] == pytest.approx(float(whole.sample.target), rel=1e-5)
    assert f"The target: {rounded(float(whole.sample.target), 6)} people." in str(whole)


def test_what_begins_at_0_has_no_fraction_and_a_schedule_is_named():
    run = ds.train(parse("dense 4 tanh, dense 3"), DATA, learning_rate=0.1, batch_size=8, epochs=2,
                   schedule="one-cycle", optimizer="adam")  # fmt: skip
    first, later = str(trace_step(run, 1)), str(trace_step(run, 9))
    assert "biases   0 " in first and "e+" not in first
    assert " was 0\n" in first and " was 0\n" not in later
    assert (
        "learning rate 0.004\nThe one-cycle schedule changes the learning rate from step to "
        in first
    )
    assert "the highest is the 0.1 of the settings." in first
    assert "Plain gradient descent would change it by minus 0.004 (learning rate)" in first


@pytest.mark.parametrize(
    ("targets", "lines"),
    [
        ([5.0], ["The prediction is exact: 5 instead of 5.",
                 "That is right; the square of the error",
                 "by 1 (their standard deviation, or 1 where all are alike)"]),
        ([0.0, 0.0], ["The target: 0.", " too high: "]),
        ([1e12, 2e12, -3e12], ["instead of -3,000,000,000,000.", "squared error, is the loss: "]),
        ([1e-12, 2e-12, -3e-12], ["instead of -3e-12."]),
    ],
    ids=["one sample", "zeros", "huge", "tiny"],
)  # fmt: skip
def test_numbers_at_the_ends_of_the_scale(targets, lines):
    part = ds.Samples(np.arange(len(targets), dtype=float)[:, None], np.array(targets)[:, None])
    data = ds.Dataset("ends", "regression", part, part, part, ds.Scaling.learn(part.inputs))
    run = ds.train(
        parse("dense 1"), data, options=PLAIN, learning_rate=0.05, batch_size="full", epochs=1
    )
    traced = trace_step(run, 1, len(targets) - 1)
    told = str(traced)
    for line in lines:
        assert line in told, told
    error = float(traced.prediction[0]) - targets[-1]
    assert traced.errors[0] == pytest.approx(error)
    if error:
        assert f"is the loss: {rounded(error**2, 6)}." in told
        assert traced.prediction_gradients[0] == pytest.approx(2 * error, rel=1e-5)


def test_the_step_that_failed_can_be_looked_at():
    data = by_hand.numbers_data()
    run = ds.train(
        parse("dense 4 relu, dense 2"), data, options=PLAIN, learning_rate=50.0, epochs=3
    )
    failed = run.outcome.step + 1
    traced = trace_step(run, failed)
    assert not traced.is_made
    assert all((one == 0).all() for layer in traced.layers for one in layer.changes.values())
    told = str(traced).replace("\n   ", " ")
    assert traced.failure == run.outcome.message
    assert f"This step was not made; the training ended here. {run.outcome.message}" in told
    assert told.endswith("Nothing changes: the step was not made.")


def test_it_can_be_written_as_json(run):
    import json

    plain = json.loads(json.dumps(trace_step(run, 3).to_dict()))
    assert plain["sample"]["index"] == int(ds.replay(run).batch_of(3)[0])
    assert "network" not in plain["sample"]
    assert len(plain["layers"]) == 2
    assert plain["weight"]["chain"]["start"]["terms"][0]["factors"][0]["symbol"].startswith("x[")


@pytest.mark.parametrize("step", [0, 15])
def test_no_such_step(run, step):
    with pytest.raises(ds.RunError) as caught:
        trace_step(run, step)
    assert str(caught.value) == (
        f"Step {step} was asked for, and the run has 14 steps. Expected a step from 1 to 14. Steps "
        "are counted from 1."
    )
