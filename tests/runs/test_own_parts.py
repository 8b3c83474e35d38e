"""Parts of a user's own: functions, transformations and layers where a name goes."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import downslope as ds
from tests.runs import by_hand

DATA = by_hand.classes_data()
QUICK = {"epochs": 2, "batch_size": 16, "schedule": "constant"}


def cube(z):
    return z**3


@dataclass(frozen=True)
class Scale(ds.Layer):
    """Each input times a factor of its own."""

    start: float = 1.0

    def output_shape(self, input_shape):
        return input_shape

    def init(self, key, input_shape):
        return {"factors": jnp.full(input_shape, self.start)}

    def weighted_sum(self, parameters, inputs, key=None):
        return inputs * parameters["factors"]

    def to_numpy(self, spot):
        return [f"x = x * {spot.array('factors')}"]


class Shift:
    """No `ds.Layer`, with a layer's three methods."""

    def output_shape(self, input_shape):
        return input_shape

    def init(self, key, input_shape):
        return {"by": jnp.zeros(input_shape)}

    def forward(self, parameters, inputs, key=None):
        return inputs + parameters["by"]


@pytest.fixture(scope="module")
def cubes():
    return ds.train(ds.Network([ds.Dense(4, cube), ds.Dense(3)]), DATA, **QUICK)


def same_weights(one, other):
    jax.tree.map(np.testing.assert_array_equal, one.parameters, other.parameters)


def test_a_lambda_as_activation_saved_and_opened_again(tmp_path):
    square = lambda z: z**2 / 4  # noqa: E731 - users write it so
    network = ds.Network([ds.Dense(8, activation=square), ds.Dense(3)])
    run = ds.train(network, DATA, folder=tmp_path / "run", **QUICK)
    with pytest.raises(ds.RunError) as caught:
        ds.open_run(tmp_path / "run")
    assert str(caught.value) == (
        "The run has parts of its user's own: the activation lambda. Expected these functions or "
        "objects, since code is never stored. Open it from Python with "
        "open_run(folder, activations=[lambda])."
    )
    opened = ds.open_run(tmp_path / "run", activations=[square])
    assert opened.network == run.network
    same_weights(opened, run)
    inputs = DATA.test.inputs
    np.testing.assert_array_equal(opened.outputs(inputs), run.outputs(inputs))


def test_two_activations_of_ones_own_are_told_apart(tmp_path):
    one, other = (lambda z: z**2), (lambda z: z**3)
    network = ds.Network(
        [ds.Dense(4, one), ds.Dense(4, other), ds.Dense(4, cube), ds.Dense(4, one), ds.Dense(3)]
    )
    run = ds.train(network, DATA, learning_rate=1e-4, **QUICK)
    run.save(tmp_path / "run")
    text = "dense 4 lambda, dense 4 lambda_2, dense 4 cube, dense 4 lambda, dense 3"
    assert f"{text!r}" in repr(run)
    assert ds.open_run(tmp_path / "run", activations=[one, other, cube]).network == network
    given = {"cube": cube, "lambda_2": other, "lambda": one}
    assert ds.open_run(tmp_path / "run", activations=given).network == network
    with pytest.raises(ds.RunError, match=r"activations=\[lambda_2, cube\]"):
        ds.open_run(tmp_path / "run", activations=[one])


def with_network(run, network):
    return replace(run, model=replace(run.model, network=network))


def test_a_function_called_like_one_of_ours_is_not_taken_for_it(cubes, tmp_path):
    def relu(z):
        return jnp.maximum(z, 0.1 * z)

    network = ds.Network([ds.Dense(4, relu), ds.Dense(3)])
    with_network(cubes, network).save(tmp_path / "run")
    with pytest.raises(ds.RunError, match="the activation relu_2"):
        ds.open_run(tmp_path / "run")
    assert ds.open_run(tmp_path / "run", activations=relu).network == network
    assert network != ds.parse_network("dense 4 relu, dense 3")


def test_what_is_ours_by_another_way_is_ours():
    network = ds.Network([ds.Dense(4, jax.nn.relu), ds.Dense(3, jnp.tanh)])
    assert network == ds.parse_network("dense 4 relu, dense 3 tanh")
    assert hash(network) == hash(ds.parse_network("dense 4 relu, dense 3 tanh"))


def test_lion_of_optax_as_optimizer_trains_resumes_and_forks(tmp_path):
    lion = optax.lion(0.03)
    network = ds.parse_network("dense 8 relu, dense 3")
    whole = ds.train(network, DATA, optimizer=lion, epochs=4, batch_size=16)
    assert whole.settings.learning_rate == 1  # it has a rate of its own
    assert whole.trace.batch_loss[-1] < 0.8 * whole.trace.batch_loss[0]
    run = ds.train(network, DATA, optimizer=lion, folder=tmp_path / "run", epochs=2, batch_size=16)
    with pytest.raises(ds.RunError, match=r"the optimizer optax.*optimizers=\[optax\]"):
        ds.open_run(tmp_path / "run")
    opened = ds.open_run(tmp_path / "run", optimizers=lion)
    assert opened.settings == run.settings
    again = ds.fork(replace(opened, dataset=DATA), 3, tmp_path / "fork", epochs=4)
    longer = ds.resume(tmp_path / "run", epochs=4, optimizers=lion, data=DATA)
    same_weights(longer, whole)
    same_weights(again, whole)
    many = ds.train_side_by_side(
        network, DATA, optimizer=lion, learning_rates=[1.0, 0.5], epochs=4, batch_size=16
    )
    np.testing.assert_allclose(many.train_loss[0], whole.trace.epochs["train_loss"][-1], rtol=1e-3)


def test_a_transformation_does_what_optax_does_with_it():
    network = ds.parse_network("dense 3")
    own = ds.train(network, DATA, optimizer=optax.sgd(0.05, momentum=0.9), **QUICK)
    ours = ds.train(network, DATA, optimizer="momentum", learning_rate=0.05, **QUICK)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6),
        own.parameters,
        ours.parameters,
    )


@pytest.mark.parametrize(
    ("optimizer", "said"),
    [
        (optax.lbfgs(), "needs gradients, its own state and the parameters alone"),
        (optax.adam(0.1, mu_dtype=jnp.bfloat16), "has a state of type bfloat16"),
        (
            3,
            "The optimizer is 3. Expected a name, an Optimizer, or an optax.GradientTransformation",
        ),
    ],
)
def test_what_cannot_train_says_why(optimizer, said):
    with pytest.raises(ds.SettingError) as caught:
        ds.train(ds.parse_network("dense 3"), DATA, optimizer=optimizer, **QUICK)
    assert said in str(caught.value)


def test_a_schedule_and_an_initializer_of_ones_own(tmp_path):
    network = ds.Network(
        [ds.Dense(4, "tanh", initializer=jax.nn.initializers.orthogonal()), ds.Dense(3)]
    )
    rest = {"epochs": 2, "batch_size": 16}
    linear = lambda step, steps: 1 - step / steps  # noqa: E731 - users write it so
    run = ds.train(network, DATA, learning_rate=0.1, optimizer="sgd", schedule=linear, **rest)
    rates = run.trace.steps["learning_rate"]
    np.testing.assert_allclose(rates, 0.1 * (1 - np.arange(len(rates)) / len(rates)), rtol=1e-6)
    first = ds.replay(run).state(0).parameters[0]["weights"]
    np.testing.assert_allclose(np.asarray(first @ first.T), np.eye(4), atol=1e-5)
    run.save(tmp_path / "run")
    with pytest.raises(ds.RunError, match="the initializer init and the schedule lambda"):
        ds.open_run(tmp_path / "run")
    given = {"initializers": network.layers[0].initializer, "schedules": linear}
    assert ds.open_run(tmp_path / "run", **given).settings == run.settings
    decay = optax.exponential_decay(1.0, 5, 0.5)
    run = ds.train(network, DATA, learning_rate=0.1, optimizer="sgd", schedule=decay, **rest)
    np.testing.assert_allclose(run.trace.steps["learning_rate"][5], 0.05, rtol=1e-6)


def test_a_layer_of_ones_own_trains_saves_opens_and_replays(tmp_path):
    network = ds.Network([Scale(0.5), ds.Residual([ds.Dense(4, "relu"), Shift()]), ds.Dense(3)])
    run = ds.train(network, DATA, folder=tmp_path / "run", **QUICK)
    assert (run.parameters[0]["factors"] != 0.5).all()
    with pytest.raises(ds.RunError, match="the layers Scale, Shift"):
        ds.open_run(tmp_path / "run")
    opened = ds.open_run(tmp_path / "run", layers=[Scale, Shift])
    same_weights(opened, run)
    state = ds.replay(replace(opened, dataset=DATA)).state(run.outcome.step)
    jax.tree.map(
        np.testing.assert_array_equal, tuple(map(dict, state.parameters)), tuple(run.parameters)
    )


def test_layers_without_a_dataclass_are_told_apart_by_their_attributes():
    class Power(ds.Layer):
        def __init__(self, exponent):
            self.exponent = exponent

        def output_shape(self, input_shape):
            return input_shape

        def weighted_sum(self, parameters, inputs, key=None):
            return inputs**self.exponent

    assert Power(2) == Power(2)
    assert Power(2) != Power(3)
    assert len({Power(2), Power(2), Power(3)}) == 2
    inputs = np.full((1, 2), 3.0, np.float32)
    for exponent in (2, 3):  # a program that is compiled for one is not used for the other
        network = ds.Network([Power(exponent), ds.Dense(1)])
        assert network.signals(network.init((2,)), inputs)[0].pre_activations[0, 0] == 3.0**exponent
    with pytest.raises(ds.NetworkError, match="cannot be hashed"):
        ds.Network([Power(np.ones(2))])


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (ds.Dense(3, activation=lambda z: z.sum()), "gives outputs of shape ()"),
        (
            ds.Dense(3, activation=lambda z: z if z > 0 else 0),
            "failed (ValueError: The truth value",
        ),
        (ds.Dense(3, activation=lambda z: z > 0), "gives outputs of type bool"),
    ],
)
def test_a_function_that_does_not_work_says_so_before_the_training(layer, said):
    with pytest.raises(ds.NetworkError) as caught:
        ds.train(ds.Network([layer]), DATA, **QUICK)
    assert said in str(caught.value)


def test_an_export_without_a_form_is_refused_before_it_writes(tmp_path):
    layers = [Scale(2.0), ds.Residual([Scale(), ds.Dense(4, cube)]), ds.Dense(3)]
    run = ds.train(ds.Network(layers), DATA, **QUICK)
    with pytest.raises(ds.NetworkError, match="The activation cube has no form for numpy"):
        ds.export(run, tmp_path / "cubes.py", to="numpy")
    shifted = with_network(run, ds.Network([Shift(), *layers[1:]]))
    with pytest.raises(ds.NetworkError, match="The layer Shift has no form for onnx"):
        ds.export(shifted, tmp_path / "shift.onnx", to="onnx")
    assert not list(tmp_path.iterdir())
    named = ds.Activation("cube", cube, numpy="z**3")
    layers[1] = ds.Residual([Scale(), ds.Dense(4, named)])
    run = with_network(run, ds.Network(layers))
    ds.export(run, tmp_path / "cubes.py", to="numpy")
    space = {"__file__": str(tmp_path / "cubes.py"), "__name__": "cubes"}
    exec((tmp_path / "cubes.py").read_text(), space)
    expected = run.outputs(DATA.test.inputs)
    np.testing.assert_allclose(space["outputs"](DATA.test.inputs), expected, rtol=1e-4, atol=1e-5)


def test_the_chain_rule_of_a_layer_of_ones_own_is_that_of_backpropagation():
    @dataclass(frozen=True)
    class Power(ds.Layer):
        """Inputs to a power that is learnt, which is not linear in it."""

        activation: bool = True  # no activation, whatever its name

        def output_shape(self, input_shape):
            return input_shape

        def init(self, key, input_shape):
            return {"inside": {"powers": jnp.full(input_shape, 1.5)}}

        def weighted_sum(self, parameters, inputs, key=None):
            return (1 + inputs**2) ** parameters["inside"]["powers"]

        def activate(self, pre_activations):
            return jnp.tanh(pre_activations / 8)

    network = ds.Network([Power(), ds.Dense(4, cube), ds.Dense(3)])
    run = ds.train(network, DATA, learning_rate=0.01, **QUICK)
    traced = ds.insight.trace_step(run, 3, layer=1, weight="inside.powers[2]")
    chain = traced.weight.chain
    assert chain.gradient != 0
    assert chain.product == pytest.approx(chain.gradient, rel=1e-4)
    assert "Power" in str(ds.insight.layers_over_time(run))


@pytest.mark.peers
def test_estimators_take_functions_and_transformations():
    pytest.importorskip("sklearn")
    from downslope.sklearn import NetworkClassifier

    X, y = DATA.train.inputs, DATA.train.targets
    model = NetworkClassifier(
        (8,), cube, solver=optax.lion(0.01), learning_rate=lambda step, steps: 1 - step / steps,
        max_iter=5, random_state=0,
    ).fit(X, y)  # fmt: skip
    assert model.run_.settings.learning_rate == 1
    assert model.run_.network.layers[0].activation.function is cube
    assert model.predict(X).shape == (50,)
