"""Each loss against PyTorch, in values and slopes, and where a naive formula would break."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.nn.losses import LOSSES
from tests.reference import torch_twin  # skipped where there is no PyTorch

pytestmark = pytest.mark.peers

SAMPLES, OUTPUTS = 12, 4


def draw(name, rng):
    """Outputs on both sides of every kink, and targets that suit the loss."""
    outputs = rng.normal(0, 3, (SAMPLES, OUTPUTS))
    match name:
        case "cross_entropy":
            return outputs, rng.integers(0, OUTPUTS, SAMPLES).astype(np.int32)
        case "binary_cross_entropy":
            return outputs, rng.integers(0, 2, (SAMPLES, OUTPUTS)).astype(float)
        case "poisson":
            return outputs, rng.poisson(3, (SAMPLES, OUTPUTS)).astype(float)
    return outputs, rng.normal(0, 3, (SAMPLES, OUTPUTS))


def compare(name, outputs, targets):
    """Values and slopes of both, in float64."""
    with jax.enable_x64(True):
        values, pullback = jax.vjp(
            lambda y: LOSSES[name].per_sample(y, jnp.asarray(targets)), jnp.asarray(outputs)
        )
        (slopes,) = pullback(jnp.ones_like(values))
    y = torch_twin.tensor(outputs, gradient=True)
    theirs = torch_twin.per_sample(name, y, torch_twin.tensor(targets))
    theirs.sum().backward()
    np.testing.assert_allclose(values, theirs.detach(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(slopes, y.grad, rtol=1e-9, atol=1e-12)
    return values


@pytest.mark.parametrize("name", LOSSES)
def test_values_and_slopes_equal_those_of_pytorch(name):
    values = compare(name, *draw(name, np.random.default_rng(0)))
    assert values.shape == (SAMPLES,)


def test_shares_of_classes_are_compared_as_in_pytorch():
    rng = np.random.default_rng(0)
    fractions = rng.dirichlet(np.ones(OUTPUTS), SAMPLES)
    compare("cross_entropy", rng.normal(0, 3, (SAMPLES, OUTPUTS)), fractions)


@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "huber", "poisson"])
def test_maps_are_compared_as_in_pytorch(name):
    rng = np.random.default_rng(0)
    compare(name, rng.normal(0, 1, (3, 2, 4, 1)), rng.poisson(2, (3, 2, 4, 1)).astype(float))


@pytest.mark.parametrize(
    ("name", "targets"), [("cross_entropy", [0, 1]), ("binary_cross_entropy", [[1, 0], [0, 1]])]
)
def test_huge_logits_keep_their_digits_in_float32(name, targets):
    outputs = jnp.array([[1000.0, -1000.0], [1000.0, -1000.0]], jnp.float32)
    values, pullback = jax.vjp(lambda y: LOSSES[name].per_sample(y, jnp.array(targets)), outputs)
    wrong = 2000 if name == "cross_entropy" else 1000
    np.testing.assert_allclose(values, [0, wrong], rtol=1e-6)
    assert np.isfinite(pullback(jnp.ones(2))[0]).all()


def test_huber_is_half_the_square_near_and_a_line_beyond():
    misses = jnp.array([[0.0], [0.5], [1.0], [3.0], [-3.0]])
    values = LOSSES["huber"].per_sample(misses, jnp.zeros((5, 1)))
    np.testing.assert_allclose(values, [0, 0.125, 0.5, 2.5, 2.5])


@pytest.mark.parametrize(
    ("name", "predictions"),
    [
        ("squared_error", [[-2.0, 0.0, 2.0]]),
        ("cross_entropy", [np.exp([-2, 0, 2]) / np.exp([-2, 0, 2]).sum()]),
        ("binary_cross_entropy", [1 / (1 + np.exp([2.0, 0.0, -2.0]))]),
        ("poisson", [np.exp([-2.0, 0.0, 2.0])]),
    ],
)
def test_the_link_turns_outputs_into_answers(name, predictions):
    np.testing.assert_allclose(LOSSES[name].link(jnp.array([[-2.0, 0.0, 2.0]])), predictions, 1e-6)


@pytest.mark.parametrize("name", [one for one in LOSSES if LOSSES[one].degree is not None])
def test_the_degree_says_how_a_loss_grows_with_the_unit(name):
    outputs, targets = draw(name, np.random.default_rng(0))
    loss, unit = LOSSES[name].per_sample, 7.0
    larger = loss(jnp.asarray(unit * outputs), jnp.asarray(unit * targets))
    expected = unit ** LOSSES[name].degree * loss(jnp.asarray(outputs), jnp.asarray(targets))
    np.testing.assert_allclose(larger, expected, rtol=1e-5)
