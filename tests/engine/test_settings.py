"""Settings out of range are refused before anything is trained, each in its own words."""

import dataclasses

import numpy as np
import pytest

import downslope as ds
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand

NETWORK = parse("dense 3")


def training(**settings):
    return lambda: ds.train(NETWORK, by_hand.classes_data(), options=PLAIN, **settings)


RATES = "Expected a number above 0. Try 0.1 for sgd or 0.001 for adam."
BATCHES = 'Expected a whole number of at least 1. Try 32, or "full" for all samples.'
WEIGHTS = (
    "Expected 3 numbers of at least 0, one per class. Leave them out to weigh all classes alike."
)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (training(learning_rate=0), f"The learning rate is 0. {RATES}"),
        (training(learning_rate=-0.5), f"The learning rate is -0.5. {RATES}"),
        (training(learning_rate=float("nan")), f"The learning rate is nan. {RATES}"),
        (training(learning_rate=float("inf")), f"The learning rate is inf. {RATES}"),
        (training(learning_rate="fast"), f"The learning rate is 'fast'. {RATES}"),
        (
            training(loss="mse"),
            "There is no loss called 'mse'. Expected one of squared_error, absolute_error, huber, "
            "cross_entropy, binary_cross_entropy, poisson. Did you mean "
            "'squared_error'?",
        ),
        (
            training(batch_size=51),
            "The batch size is 51, and there are 50 training samples. Expected at most 50. "
            'Choose a smaller batch, or "full" for all samples.',
        ),
        (training(batch_size=0), f"The batch size is 0. {BATCHES}"),
        (training(batch_size=2.5), f"The batch size is 2.5. {BATCHES}"),
        (training(batch_size="all"), f"The batch size is 'all'. {BATCHES}"),
        (
            training(epochs=0),
            "The number of epochs is 0. Expected a whole number of at least 1. Try 20.",
        ),
        (training(seed=-1), "The seed is -1. Expected a whole number from 0 to 4294967295. Try 0."),
        (
            training(seed=2**32),
            "The seed is 4294967296. Expected a whole number from 0 to 4294967295. Try 0.",
        ),
        (training(class_weights=(1, 2)), f"The class weights are (1, 2). {WEIGHTS}"),
        (training(class_weights=(1, 2, -1)), f"The class weights are (1, 2, -1). {WEIGHTS}"),
        (training(class_weights=(0, 0, 0)), f"The class weights are (0, 0, 0). {WEIGHTS}"),
        (
            lambda: ds.Stop(patience=0),
            "The patience is 0. Expected a whole number of at least 1. 5 to 20 epochs are usual.",
        ),
        (
            lambda: ds.Record(samples=0),
            "The number of recorded samples is 0. Expected a whole number of at least 1. "
            "2048 is the default.",
        ),
        (
            lambda: ds.Record(every=0),
            "The number of epochs between two measurements is 0. Expected a whole number of at "
            "least 1. Try 1.",
        ),
    ],
)
def test_settings_out_of_range_read_as_intended(attempt, message):
    with pytest.raises(ds.SettingError) as caught:
        attempt()
    assert str(caught.value) == message


def test_numbers_of_numpy_are_numbers():
    settings = ds.Settings(
        "cross_entropy",
        learning_rate=np.float32(0.5),
        batch_size=np.int64(8),
        epochs=np.int32(3),
        seed=np.uint32(7),
        class_weights=np.array([1.0, 2.0]),
    )
    kept = (settings.learning_rate, settings.batch_size, settings.epochs, settings.seed)
    assert kept == (0.5, 8, 3, 7)
    assert [type(one) for one in kept] == [float, int, int, int]
    assert [type(one) for one in settings.class_weights] == [float, float]


@pytest.mark.parametrize("kind", [ds.Settings, ds.Record, ds.Stop, ds.Optimizer, ds.Schedule])
def test_settings_are_frozen(kind):
    value = kind("squared_error") if kind is ds.Settings else kind()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(kind)[0].name, None)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: ds.Stop(patience=0, keep="x", tolerance=-1), ["weights", "patience", "tolerance"]),
        (lambda: ds.Record(samples=0, every=0), ["number of epochs", "number of recorded"]),
        (lambda: ds.Optimizer("adam", b1=2, weight_decay=-1, clip_norm=-2),
         ["b1", "weight decay", "clip norm"]),
        (lambda: ds.Augment(shift=-1, crop=3), ["crop", "shift"]),
    ],
)  # fmt: skip
def test_all_that_is_wrong_with_a_value_is_told_at_once(make, told):
    with pytest.raises(ds.SettingError) as caught:
        make()
    faults = [one.received for one in caught.value.faults]
    assert len(faults) == len(told)
    assert all(one.startswith(f"The {name}") for one, name in zip(faults, told, strict=True))
