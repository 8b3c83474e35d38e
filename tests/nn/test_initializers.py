"""The first weights have the mean, the variance and the range that their formula says."""

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.nn.activations import ACTIVATIONS
from downslope.nn.initializers import INITIALIZERS, initializer

VARIANCES = {
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he": lambda fan_in, fan_out: 2 / fan_in,
    "lecun": lambda fan_in, fan_out: 1 / fan_in,
}
DRAWN = 100_000


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize(("fan_in", "fan_out"), [(100, 100), (30, 300)])
def test_mean_and_variance_follow_the_formula(name, fan_in, fan_out):
    weights = np.asarray(INITIALIZERS[name].draw(jax.random.key(0), (DRAWN,), fan_in, fan_out))
    variance = VARIANCES[name.split("_")[0]](fan_in, fan_out)
    # five standard errors; the variance of squares is 2 for the normal distribution, 0.8 here
    assert abs(weights.mean()) < 5 * np.sqrt(variance / DRAWN)
    assert weights.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / DRAWN))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_shape_of_the_distribution_is_the_one_of_its_name(name):
    weights = np.asarray(INITIALIZERS[name].draw(jax.random.key(0), (DRAWN,), 50, 70))
    bound = np.sqrt(3 * VARIANCES[name.split("_")[0]](50, 70))
    if name.endswith("uniform"):
        assert bound * 0.999 < np.abs(weights).max() <= bound
    else:
        beyond = (np.abs(weights) > bound).mean()
        assert beyond == pytest.approx(0.0833, abs=0.005)  # P(|normal| > sqrt(3))


@pytest.mark.parametrize(
    ("layer", "shape", "fan_in", "fan_out"),
    [
        (ds.Dense(400, initializer="glorot_normal"), (300,), 300, 400),
        (ds.Dense(400, initializer="he_uniform"), (300,), 300, 400),
        (ds.Conv2D(60, 3, initializer="glorot_normal"), (5, 5, 40), 9 * 40, 9 * 60),
        (ds.Conv2D(60, 3, initializer="lecun_normal"), (5, 5, 40), 9 * 40, 9 * 60),
    ],
)
def test_layers_count_the_inputs_and_outputs_of_a_unit(layer, shape, fan_in, fan_out):
    weights = np.asarray(layer.init(jax.random.key(0), shape)["weights"])
    variance = VARIANCES[layer.initializer.split("_")[0]](fan_in, fan_out)
    assert weights.var() == pytest.approx(variance, rel=0.05)


def test_each_activation_has_the_initializer_that_fits_it():
    fitting = {
        "he_normal": {"relu", "leaky_relu", "gelu", "silu"},
        "lecun_normal": {"elu", "softplus"},
        "glorot_uniform": {"identity", "sigmoid", "tanh", "softmax"},
    }
    for name, activations in fitting.items():
        found = {one for one, own in ACTIVATIONS.items() if own.initializer == name}
        assert found == activations
        for one in activations:
            assert initializer("auto", one) is INITIALIZERS[name]


@pytest.mark.parametrize("name", INITIALIZERS)
def test_each_names_its_source(name):
    assert INITIALIZERS[name].source[-4:].isdigit()  # ends with the year


def test_an_unknown_initializer_reads_as_intended():
    with pytest.raises(ds.NetworkError) as caught:
        ds.Dense(3, initializer="he")
    assert str(caught.value) == (
        "There is no initializer called 'he'. Expected one of glorot_normal, glorot_uniform, "
        "he_normal, he_uniform, lecun_normal, lecun_uniform. Choose one of them."
    )
