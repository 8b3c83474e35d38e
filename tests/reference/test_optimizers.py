"""Every optimizer on a parabola and beside PyTorch's; every schedule beside its formula."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import downslope as ds
from downslope.engine.optimizers import OPTIMIZERS, SCHEDULES

RATES = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "rmsprop": 0.01, "adam": 0.1, "adamw": 0.1}
START = {"weights": np.array([[3.0, -2.0], [0.5, 4.0]]), "biases": np.array([1.0, -5.0])}
CURVATURE = {"weights": np.array([[1.0, 2.0], [0.3, 1.5]]), "biases": np.array([0.7, 1.0])}


def slope(parameters):
    """The gradient of the bowl sum(c w^2) / 2."""
    return jax.tree.map(lambda c, w: c * w, CURVATURE, parameters)


def walk(optimizer, rate, steps):
    """The parameters behind each step of gradient descent on the bowl, in float64."""
    with jax.enable_x64(True):
        direction = optimizer.direction()
        parameters = jax.tree.map(jnp.asarray, START)
        optimizer_state, path = direction.init(parameters), []
        for _ in range(steps):
            uphill, optimizer_state = direction.update(
                slope(parameters), optimizer_state, parameters
            )
            parameters = jax.tree.map(lambda w, d: w - rate * d, parameters, uphill)
            path.append(jax.tree.map(np.asarray, parameters))
    return path


def test_the_table_of_rates_is_whole():
    assert set(RATES) == set(OPTIMIZERS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_gets_to_the_bottom_of_a_bowl(name):
    last = walk(ds.Optimizer(name), RATES[name], 1200)[-1]
    assert max(np.abs(leaf).max() for leaf in jax.tree.leaves(last)) < 0.02


def torch_optimizer(torch, name, parameters, rate, decay):
    kinds = {
        "sgd": (torch.optim.SGD, {}),
        "momentum": (torch.optim.SGD, {"momentum": 0.9}),
        "nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        "rmsprop": (torch.optim.RMSprop, {"alpha": 0.9, "eps": 1e-8}),
        "adam": (torch.optim.Adam, {}),
        "adamw": (torch.optim.AdamW, {}),
    }
    kind, settings = kinds[name]
    return kind(parameters, lr=rate, weight_decay=decay, **settings)


@pytest.mark.peers
@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_ten_steps_beside_pytorch(name, decay, clip):
    torch = pytest.importorskip("torch")
    ours = walk(ds.Optimizer(name, weight_decay=decay, clip_norm=clip), RATES[name], 10)
    theirs = {key: torch.tensor(value, requires_grad=True) for key, value in START.items()}
    optimizer = torch_optimizer(torch, name, theirs.values(), RATES[name], decay)
    for step in range(10):
        optimizer.zero_grad()
        sum((torch.tensor(CURVATURE[key]) * w**2).sum() / 2 for key, w in theirs.items()).backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(theirs.values(), clip)
        optimizer.step()
        for key, value in theirs.items():
            np.testing.assert_allclose(ours[step][key], value.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "settings", "theirs"),
    [
        ("momentum", {"momentum": 0.5}, optax.trace(0.5)),
        ("nesterov", {"momentum": 0.5}, optax.trace(0.5, nesterov=True)),
        ("rmsprop", {"decay": 0.5, "eps": 0.1}, optax.scale_by_rms(0.5, 0.1, eps_in_sqrt=False)),
        ("adam", {"b1": 0.5, "b2": 0.8, "eps": 0.1}, optax.scale_by_adam(0.5, 0.8, 0.1)),
        ("adamw", {"b1": 0.5, "b2": 0.8, "eps": 0.1}, optax.scale_by_adam(0.5, 0.8, 0.1)),
    ],
)
def test_each_setting_does_what_optax_does_with_it(name, settings, theirs):
    assert set(settings) == set(OPTIMIZERS[name].settings)
    ours = ds.Optimizer(name, **settings).direction()
    state, their_state = ours.init(START), theirs.init(START)
    for _ in range(3):
        update, state = ours.update(START, state, START)
        expected, their_state = theirs.update(START, their_state, START)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), update, expected)


def test_each_record_is_whole():
    for record in OPTIMIZERS.values():
        assert record.learning_rate > 0
        assert record.formula
        assert record.source[-4:].isdigit()  # ends with the year
        assert bool(record.state) == bool(
            jax.tree.leaves(ds.Optimizer(record.name).direction().init(START))
        )


OPTAX_SCHEDULES = {
    "constant": lambda rate, steps: optax.constant_schedule(rate),
    "step": lambda rate, steps: optax.piecewise_constant_schedule(
        rate, {steps // 2: 0.1, steps * 3 // 4: 0.1}
    ),
    "cosine": optax.cosine_decay_schedule,
    "one-cycle": lambda rate, steps: optax.cosine_onecycle_schedule(steps, rate, 0.3, 25.0, 1e4),
}


@pytest.mark.parametrize("steps", [4, 7, 40, 333])
@pytest.mark.parametrize("kind", SCHEDULES)
def test_schedules_are_those_of_optax(kind, steps):
    shape = OPTAX_SCHEDULES[kind](0.3, steps)
    expected = [float(shape(step)) for step in range(steps)]
    np.testing.assert_allclose(ds.Schedule(kind).rates(0.3, steps), expected, rtol=2e-4, atol=1e-7)


def test_warming_up_is_that_of_optax():
    climb = optax.linear_schedule(0.3 / 10, 0.3, 10)
    shape = optax.join_schedules([climb, optax.cosine_decay_schedule(0.3, 90)], [10])
    expected = [float(shape(step)) for step in range(100)]
    rates = ds.Schedule("cosine", warm_up=0.1).rates(0.3, 100)
    np.testing.assert_allclose(rates, expected, rtol=2e-4, atol=1e-7)


def test_constant_and_cosine_rates():
    np.testing.assert_allclose(ds.Schedule("constant").rates(0.3, 5), 0.3, rtol=1e-6)
    steps = np.arange(40)
    expected = 0.3 * (1 + np.cos(np.pi * steps / 40)) / 2
    np.testing.assert_allclose(ds.Schedule("cosine").rates(0.3, 40), expected, rtol=1e-4)


def test_rates_in_steps():
    rates = ds.Schedule("step").rates(1.0, 100)
    np.testing.assert_allclose(rates[[0, 49, 51, 74, 76, 99]], [1, 1, 0.1, 0.1, 0.01, 0.01], 1e-5)


def test_one_cycle_rises_to_its_peak_and_falls_to_almost_nothing():
    rates = ds.Schedule("one-cycle").rates(0.5, 1000)
    np.testing.assert_allclose(rates[[0, 300]], [0.02, 0.5], rtol=1e-4)
    assert rates[-1] < 0.5e-4
    assert (np.diff(rates[:300]) > 0).all()
    assert (np.diff(rates[300:]) < 0).all()


@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_warm_up_rises_in_a_straight_line_first(kind):
    rates = ds.Schedule(kind, warm_up=0.1).rates(1.0, 200)
    assert rates.shape == (200,)
    np.testing.assert_allclose(np.diff(rates[:20]), 1 / 20 - 1 / 400, rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ds.Optimizer("adm"),
            "There is no optimizer called 'adm'. Expected one of sgd, momentum, nesterov, "
            "rmsprop, adam, adamw. Did you mean 'adam'?",
        ),
        (
            lambda: ds.Optimizer("momentum", momentum=1.0),
            "The momentum is 1.0. Expected at least 0 and below 1. 0.9 is usual.",
        ),
        (
            lambda: ds.Optimizer("sgd", momentum=0.9),
            "The optimizer sgd was given momentum=0.9. Expected settings among weight_decay, "
            "clip_norm. Leave it out, or choose an optimizer that has it.",
        ),
        (
            lambda: ds.Optimizer("adam", eps=0),
            "The eps is 0. Expected a number above 0. 1e-08 is usual.",
        ),
        (
            lambda: ds.Optimizer("adam", b1="0.9"),
            "The b1 is '0.9'. Expected at least 0 and below 1. 0.9 is usual.",
        ),
        (
            lambda: ds.Optimizer(weight_decay=-1),
            "The weight decay is -1. Expected at least 0. 0.0001 is usual.",
        ),
        (
            lambda: ds.Optimizer(clip_norm=0),
            "The clip norm is 0. Expected a number above 0. 1 is usual.",
        ),
        (
            lambda: ds.Schedule("linear"),
            "There is no schedule called 'linear'. Expected one of constant, step, cosine, "
            "one-cycle. The nearest that there is: 'cosine', which falls to 0.",
        ),
        (
            lambda: ds.Schedule(warm_up=1),
            "The warm-up is 1. Expected a fraction of all steps, at least 0 and below 1. "
            "0.1 is usual.",
        ),
    ],
)
def test_settings_out_of_range_read_as_intended(make, message):
    with pytest.raises(ds.SettingError) as caught:
        make()
    assert str(caught.value) == message
