"""Network, loss and data that do not belong together are told apart before training."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

import downslope as ds
from downslope.errors import NetworkError
from downslope.nn.losses import resolve
from downslope.nn.notation import parse
from downslope.runs.validate import check_fit
from tests.plain import PLAIN
from tests.runs import by_hand

CLASSES, NUMBERS = by_hand.classes_data(), by_hand.numbers_data()
CROWD = by_hand.crowd_data()
LOW = dataclasses.replace(
    CROWD,
    train=dataclasses.replace(
        CROWD.train, inputs=CROWD.train.inputs[:, :4], targets=CROWD.train.targets[:, :1]
    ),
)
EMPTY = dataclasses.replace(CLASSES, validation=CLASSES.validation.take(np.arange(0)))


@pytest.mark.parametrize(
    ("network", "data", "settings", "message"),
    [
        (
            "dense 10", CLASSES, {},
            "The network's last layer gives outputs of shape (10,). Expected (3,) for points with "
            "cross_entropy. There is one output per class: end with dense 3.",
        ),
        (
            "dense 1", NUMBERS, {},
            "The network's last layer gives outputs of shape (1,). Expected (2,) for numbers with "
            "squared_error. End with dense 2.",
        ),
        (
            "conv 1 3", CROWD, {"batch_size": 1},
            "The network's last layer gives outputs of shape (8, 16, 1). Expected (2, 4, 1) for "
            "spots with squared_error. Pool or stride to the same grid, and end with one channel: "
            'conv 1 1; or learn the count alone: load with task="regression" (--task regression), '
            "and end with dense 1.",
        ),
        (
            "dense 3 softmax", CLASSES, {},
            "The last layer has the activation softmax, and cross_entropy applies it by itself. "
            "Expected a last layer without an activation. Leave softmax out.",
        ),
        (
            "conv 3", CLASSES, {},
            "Layer 1 (Conv2D) got inputs of shape (4,). Expected images, (height, width, "
            "channels). Use dense layers for flat inputs, or give the inputs as images.",
        ),
    ],
)  # fmt: skip
def test_a_network_that_does_not_fit_reads_as_intended(network, data, settings, message):
    with pytest.raises(ds.NetworkError) as caught:
        ds.train(parse(network), data, options=PLAIN, **settings)
    assert str(caught.value) == message


def unhappy(prediction, target):
    raise ZeroDivisionError("this cannot work")


def total(prediction, target):
    return ((prediction - target) ** 2).mean()


@pytest.mark.parametrize(
    ("network", "data", "settings", "message"),
    [
        (
            "dense 3", CLASSES, {"loss": "binary_cross_entropy"},
            "The loss is binary_cross_entropy, and points has 3 classes. Expected two classes. "
            "Use cross_entropy.",
        ),
        (
            "dense 2", NUMBERS, {"loss": "cross_entropy"},
            "The loss is cross_entropy, and the targets of numbers are numbers. Expected a loss "
            "for numbers. Use squared_error, absolute_error, huber or poisson.",
        ),
        (
            "dense 3", CLASSES, {"loss": "huber"},
            "The loss is huber, and the targets of points are classes. Expected a loss for "
            "classes. Use cross_entropy.",
        ),
        (
            "dense 2", NUMBERS, {"loss": unhappy},
            "The loss unhappy failed on outputs of shape (2, 2) and targets of shape (2, 2): this "
            "cannot work. Expected a function loss(prediction, target) of jax.numpy operations. "
            "Correct the function.",
        ),
        (
            "dense 2", NUMBERS, {"loss": total},
            "The loss total gives values of shape () for 2 samples. Expected one value per "
            "sample, shape (2,). Average over all axes but the first.",
        ),
        (
            "dense 3", CLASSES, {"augment": ds.Augment()},
            "Changes to images were asked for, and the inputs of points have shape (4,). Expected "
            "images, (height, width, channels). Leave augment out.",
        ),
        (
            "average_pool 4, conv 1 1", LOW, {"augment": ds.Augment(crop=0.5), "batch_size": 1},
            "Parts of photos were asked for, and the images of spots are 4 x 16 pixels. Expected "
            "images of at least 8 x 8 pixels. Leave crop at 1.",
        ),
        (
            "average_pool 4, conv 1 1", CROWD, {"augment": ds.Augment(shift=0.1), "batch_size": 1},
            "Photos were to be changed by shift, and spots has a map of where people are for each. "
            "Expected flip or crop, which change the map with its photo. Use crop: its position is "
            "random as well.",
        ),
    ],
)  # fmt: skip
def test_settings_that_do_not_suit_the_data_read_as_intended(network, data, settings, message):
    with pytest.raises(ds.SettingError) as caught:
        ds.train(parse(network), data, options=PLAIN, **settings)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("network", "data", "settings", "told"),
    [
        (  # of the public program 41596619: one sigmoid for four classes
            "dense 3 relu, dense 1 sigmoid", CLASSES, {"loss": "binary_cross_entropy"},
            ["The loss is binary_cross_entropy, and points has 3 classes.",
             "The network's last layer gives outputs of shape (1,).",
             "The last layer has the activation sigmoid, and binary_cross_entropy applies it by "
             "itself."],
        ),
        (
            "dense 1 softmax", CLASSES,
            {"loss": "squared_error", "batch_size": 999, "class_weights": (1, 2)},
            ["The loss is squared_error, and the targets of points are classes.",
             "The network's last layer gives outputs of shape (1,).",
             "The last layer has the activation softmax, and cross_entropy applies it by itself.",
             "The batch size is 999, and there are 50 training samples.",
             "The class weights are (1, 2)."],
        ),
        (
            "dense 1 sigmoid", NUMBERS, {"loss": "binary_cross_entropy", "label_smoothing": 0.1},
            ["The loss is binary_cross_entropy, and the target 'target 1' of sample 0 of the train "
             "part is",
             "The network's last layer gives outputs of shape (1,).",
             "The last layer has the activation sigmoid, and binary_cross_entropy applies it by "
             "itself.",
             "Label smoothing was asked for, and numbers has no classes."],
        ),
        (
            "dense 2 softmax", CLASSES, {"learning_rate": -1000, "epochs": 0},
            ["The learning rate is -1000.", "The number of epochs is 0.",
             "The network's last layer gives outputs of shape (2,).",
             "The last layer has the activation softmax, and cross_entropy applies it by itself."],
        ),
    ],
)  # fmt: skip
def test_all_that_is_wrong_is_told_at_once(network, data, settings, told):
    with pytest.raises(ds.DownslopeError) as caught:
        ds.train(network, data, options=PLAIN, **settings)
    assert [
        one.received.startswith(start) for one, start in zip(caught.value.faults, told, strict=True)
    ] == [True] * len(told)
    message = str(caught.value)
    assert message.startswith(f"{len(told)} things are wrong. (1) {told[0]}")
    assert all(f"({at}) {one}" in message for at, one in enumerate(caught.value.faults, start=1))


def test_a_file_is_not_read_where_a_setting_is_wrong(tmp_path):
    with pytest.raises(ds.NetworkError) as caught:
        ds.train("dense 2 sofmax", tmp_path / "no such.csv", epochs=0, optimizer="adm")
    assert [one.received for one in caught.value.faults] == [
        "There is no activation called 'sofmax'.",
        "There is no optimizer called 'adm'.",
        "The number of epochs is 0.",
    ]


def test_a_part_without_samples_reads_as_intended():
    with pytest.raises(ds.DataError) as caught:
        ds.train(parse("dense 3"), EMPTY, options=PLAIN)
    assert str(caught.value) == (
        "points has no validation samples. Expected at least one. "
        "Split the data so that each part has some."
    )
    run = ds.train(parse("dense 3"), CLASSES, options=PLAIN, epochs=1)
    with pytest.raises(ds.DataError) as caught:
        run.measure(EMPTY.validation)
    assert str(caught.value) == (
        "There are no samples to measure the run on. Expected at least one. "
        "Check how they were read."
    )


def table_with_places() -> ds.Dataset:
    texts = [f"v{index:03}" for index in range(70) for _ in range(20)]
    return ds.load(
        pa.table({"a": texts, "y": np.arange(1400) % 2}), target="y", column_types={"y": "yes/no"}
    )


def test_places_have_to_be_looked_up():
    with pytest.raises(NetworkError) as caught:
        check_fit(parse("dense 2"), table_with_places(), resolve("cross_entropy"))
    assert str(caught.value) == (
        "The network does not look up 'a', whose values are given as indices. Expected a "
        "network that begins with embed 72 6. Put these layers first; how many numbers each "
        "becomes is yours to choose."
    )
    check_fit(parse("embed 72 3, dense 2"), table_with_places(), resolve("cross_entropy"))
