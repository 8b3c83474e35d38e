"""Faulty programs that are refused before they train: the message names a fault that is true."""

import numpy as np
import pytest

import downslope as ds
from downslope.diagnosis.networks import with_changes_of


def classes(count, samples=40, features=5):
    draw = np.random.default_rng(0)
    return ds.Dataset.from_arrays(draw.normal(size=(samples, features)), np.arange(samples) % count)


def numbers(samples=40, features=5):
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(samples, features))
    return ds.Dataset.from_arrays(inputs, 100 * inputs[:, 0] - 300)


def images():
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(20, 6, 6, 1))
    return ds.Dataset.from_arrays(inputs, draw.normal(size=(20, 4)), task="regression")


REFUSED = {
    "softmax of one unit": ("dense 4 relu, dense 1 softmax", classes(2), "binary_cross_entropy",
                            "Leave softmax out"),
    "sigmoid before cross-entropy": ("dense 4 relu, dense 3 sigmoid", classes(3), "cross_entropy",
                                     "Leave sigmoid out"),
    "one output for several classes": ("dense 4 relu, dense 1", classes(5), "cross_entropy",
                                       "end with dense 5"),
    "a loss of two classes for four": ("dense 3 relu, dense 1", classes(4), "binary_cross_entropy",
                                       "Use cross_entropy"),
    "two outputs for a loss of one": ("dense 4 relu, dense 2", classes(2), "binary_cross_entropy",
                                      "End with dense 1"),
    "a loss of classes for numbers": ("dense 4 relu, dense 1", numbers(), "cross_entropy",
                                      "Use squared_error"),
    "a loss of labels for numbers": ("dense 4 relu, dense 1", numbers(), "binary_cross_entropy",
                                     "To learn numbers, use squared_error"),
    "counts below 0": ("dense 4 relu, dense 1", numbers(), "poisson", "use squared_error"),
    "squares of classes": ("dense 4 relu, dense 3", classes(3), "squared_error",
                           "Use cross_entropy"),
    "dense before flatten": ("conv 4 3, dense 8 relu, flatten, dense 4", images(), "squared_error",
                             "Flatten"),
}  # fmt: skip


@pytest.mark.parametrize("fault", REFUSED)
def test_the_message_names_the_fault(fault):
    network, data, loss, says = REFUSED[fault]
    with pytest.raises(ds.DownslopeError) as refused:
        ds.train(network, data, loss=loss, epochs=1)
    assert says in str(refused.value)


def test_a_rate_below_zero_is_refused():
    with pytest.raises(ds.SettingError, match=r"The learning rate is -1000"):
        ds.train("dense 4 relu, dense 3", classes(3), learning_rate=-1000.0, epochs=1)


def test_one_hot_rows_are_numbers_where_numbers_are_asked_for():
    rows = np.eye(4)[np.arange(40) % 4]
    inputs = np.random.default_rng(0).normal(size=(40, 3))
    data = ds.Dataset.from_arrays(inputs, rows, task="regression")
    assert data.output_shape == (4,)
    assert ds.Dataset.from_arrays(inputs, rows).task == "classification"


@pytest.mark.parametrize(
    ("after", "both"),
    [
        ("dense 8 relu, dense 1 sigmoid", "dense 8 relu, dense 1"),
        ("dense 32 sigmoid, dense 1 sigmoid", "dense 32 sigmoid, dense 1"),
    ],
)
def test_two_changes_of_a_network_become_one(after, both):
    first = ds.parse_network("dense 8 sigmoid, dense 1 sigmoid")
    now = ds.parse_network("dense 8 sigmoid, dense 1")
    made = with_changes_of(now, first, ds.parse_network(after))
    assert made == ds.parse_network(both)


def test_a_change_of_a_network_meets_layers_that_are_gone():
    first = ds.parse_network("dense 8, dropout 0.5, dense 8, dropout 0.5, dense 2")
    without = ds.parse_network("dense 8, dense 8, dense 2")
    bent = ds.parse_network("dense 8 relu, dropout 0.5, dense 8 relu, dropout 0.5, dense 2")
    wanted = ds.parse_network("dense 8 relu, dense 8 relu, dense 2")
    assert with_changes_of(without, first, bent) == wanted
    assert with_changes_of(bent, first, without) == wanted
