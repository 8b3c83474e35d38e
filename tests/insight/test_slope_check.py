"""Slopes measured in float64."""

import numpy as np
import pytest

from downslope.insight.slope_check import difference_at
from downslope.insight.weight import Weight
from downslope.nn.losses import resolve
from downslope.nn.notation import parse

SQUARED = resolve("squared_error")


def measured(text, value, x=2.0, target=5.0):
    weight = Weight(1, "weights", (0, 0))
    network = parse(text)
    parameters = ({"weights": np.float32([[value]]), "biases": np.float32([0.5])},)
    return difference_at(
        network, parameters, np.float32([[x]]), np.float32([[target]]), SQUARED, weight
    )


def test_the_slope_of_a_square():
    found = measured("dense 1", 3.0)
    assert found.value == pytest.approx(2 * (3 * 2 + 0.5 - 5) * 2, rel=1e-9)
    assert not found.is_at_corner
    assert found.left < found.value < found.right


def test_a_corner_is_seen():
    found = measured("dense 1 relu", -0.25)  # the sum is 0
    assert found.is_at_corner
    assert found.left == pytest.approx(0, abs=1e-9)
    assert found.right == pytest.approx(2 * -5 * 2, rel=1e-4)


def test_a_flat_loss_is_no_corner():
    found = measured("dense 1 relu", -3.0)
    assert (found.value, found.left, found.right) == (0, 0, 0)
    assert not found.is_at_corner
