"""What an optimizer keeps, where a training goes on with another one."""

import jax
import numpy as np
import pytest

from downslope.engine.optimizers import Optimizer, carried_over, keeps_state

WEIGHTS = ({"weights": np.ones((2, 3), np.float32), "biases": np.ones(3, np.float32)},)
DECAYED = Optimizer("adam", weight_decay=0.1)


def fresh(optimizer):
    return optimizer.direction().init(WEIGHTS)


def used(optimizer):
    return jax.tree.map(lambda one: one + 7, fresh(optimizer))


@pytest.mark.parametrize(
    ("before", "now", "is_kept"),
    [
        ("momentum", "rmsprop", False),  # the same shapes: roots of sums were nan at once
        ("rmsprop", "momentum", False),
        ("nesterov", "rmsprop", False),
        ("adam", "rmsprop", False),
        ("rmsprop", "adamw", False),
        ("adam", "momentum", False),
        ("momentum", "nesterov", True),  # both keep the same sum of gradients
        ("nesterov", "momentum", True),
        ("adam", "adamw", True),
        (DECAYED, "adamw", False),  # its means hold the pull of the weights as well
        ("adam", DECAYED, True),
        ("momentum", Optimizer("momentum", momentum=0.5), True),
        ("rmsprop", Optimizer("rmsprop", clip_norm=1.0), True),
    ],
)
def test_it_is_kept_where_it_means_the_same(before, now, is_kept):
    before, now = (Optimizer(one) if isinstance(one, str) else one for one in (before, now))
    assert keeps_state(before, now) == is_kept
    found, note = carried_over(used(before), before, now, fresh(now))
    like = used(now) if is_kept else fresh(now)
    assert jax.tree.structure(found) == jax.tree.structure(like)
    for one, other in zip(*map(jax.tree.leaves, (found, like)), strict=True):
        np.testing.assert_array_equal(one, other)
    if is_kept:
        assert note == ""
    else:
        assert note == (
            f"{now.name} starts with a fresh optimizer state: what {before.name} kept means "
            "nothing to it."
        )


def test_what_was_never_kept_is_said():
    adam = Optimizer("adam")
    found, note = carried_over(None, adam, adam, fresh(adam))
    assert note == "adam starts with a fresh optimizer state: none was kept."
    assert not jax.tree.leaves(found)[1].any()


def test_plain_descent_has_none_that_could_be_missed():
    sgd = Optimizer("sgd")
    assert carried_over(None, Optimizer("adam"), sgd, fresh(sgd))[1] == ""


@pytest.mark.parametrize("value", [1e20, 3e38, 1.0, 1e-30])
def test_gradients_are_clipped_however_long_they_are(value):
    gradients = ({"weights": np.float32([[value, -value]]), "biases": np.float32([0])},)
    optimizer = Optimizer("sgd", clip_norm=0.5)
    clipped, _ = optimizer.direction().update(gradients, optimizer.direction().init(gradients))
    expected = min(value, 0.5 / np.sqrt(2)) * np.array([[1, -1]])
    np.testing.assert_allclose(clipped[0]["weights"], expected, rtol=1e-5)
