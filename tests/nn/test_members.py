"""Several networks trained as one."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, logit, softmax

import downslope as ds
from downslope.nn.fusion import fuse
from downslope.nn.layer import Misfit
from downslope.nn.losses import LOSSES
from downslope.nn.members import loss_while_learning, while_learning, with_members
from downslope.nn.piecewise import Piecewise

RNG = np.random.default_rng(0)


def test_the_units_of_a_group_see_the_inputs_of_their_group_alone():
    layer = ds.GroupedDense(groups=2, units=3, activation="tanh")
    parameters = layer.init(jax.random.key(0), (8,))
    inputs = RNG.normal(size=(5, 8))
    weights, biases = np.asarray(parameters["weights"]), RNG.normal(size=(2, 3))
    expected = np.tanh(np.concatenate([inputs[:, :4] @ weights[0], inputs[:, 4:] @ weights[1]], 1))
    expected = np.tanh(np.arctanh(expected) + biases.ravel())
    own = {"weights": parameters["weights"], "biases": jnp.asarray(biases)}
    np.testing.assert_allclose(layer.forward(own, inputs), expected, atol=1e-6)
    network = ds.Network([layer])
    np.testing.assert_allclose(fuse(network).forward((own,), inputs), expected, atol=1e-6)
    assert (weights[0] != weights[1]).all()


def join(own, name):
    """The arrays of all members as those of one dense layer."""
    return jnp.concatenate([one[name] for one in own], axis=-1)


def stack(own):
    """The arrays of all members as those of a grouped layer."""
    return {name: jnp.stack([one[name] for one in own]) for name in own[0]}


def test_inputs_that_cannot_be_divided_are_refused():
    with pytest.raises(Misfit):
        ds.GroupedDense(3, 4).output_shape((8,))
    with pytest.raises(Misfit):
        ds.Members(3).output_shape((8,))
    with pytest.raises(ds.NetworkError, match="numbers, classes, labels, rates"):
        ds.Members(3, "pixels")


@pytest.mark.parametrize(
    ("of", "link", "back"),
    [
        ("numbers", lambda y: y, lambda y: y),
        ("classes", lambda z: softmax(z, axis=-1), np.log),
        ("labels", expit, logit),
        ("rates", np.exp, np.log),
    ],
)
def test_outputs_stand_for_the_mean_of_the_predictions(of, link, back):
    outputs = RNG.normal(scale=3, size=(5, 4, 3))
    found = ds.Members(4, of).forward({}, outputs.reshape(5, 12))
    np.testing.assert_allclose(found, back(link(outputs).mean(axis=1)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy", "poisson"])
def test_each_member_learns_as_if_it_were_alone(loss):
    alone = ds.parse_network("dense 6 tanh, dense 4 relu, dense 3")
    network = with_members(alone, 2, LOSSES[loss])
    inputs, classes = RNG.normal(size=(7, 5)), RNG.integers(0, 3, 7)
    targets = classes if loss == "cross_entropy" else RNG.uniform(0, 2, (7, 3))
    members = [alone.init((5,), seed) for seed in (1, 2)]
    first, second, third = ([one[index] for one in members] for index in range(3))
    together = ({name: join(first, name) for name in first[0]}, stack(second), stack(third), {})
    found = ds.backpropagate(
        while_learning(network),
        together,
        inputs,
        targets,
        loss=loss_while_learning(network, LOSSES[loss]),
    )
    own = [ds.backpropagate(alone, one, inputs, targets, loss=loss) for one in members]
    assert float(found.loss) == pytest.approx(sum(float(one.loss) for one in own), rel=1e-5)
    for index, one in enumerate(own):
        np.testing.assert_allclose(
            found.gradients[1]["weights"][index], one.gradients[1]["weights"], atol=1e-6
        )
        np.testing.assert_allclose(
            found.gradients[0]["weights"][:, 6 * index : 6 * index + 6],
            one.gradients[0]["weights"],
            atol=1e-6,
        )


def test_other_layers_than_dense_ones_have_no_members():
    network = ds.parse_network("dense 8 relu, layer_norm, dense 1")
    with pytest.raises(ds.NetworkError, match="LayerNorm"):
        with_members(network, 4, LOSSES["squared_error"])
    assert with_members(network, 1, LOSSES["squared_error"]) is network
    with pytest.raises(ds.SettingError, match="members"):
        ds.TrainOptions(members=0)


def test_what_is_shared_stays_and_the_rest_is_each_members_own():
    network = ds.parse_network("piecewise 4 2, dense 8 relu, dropout 0.1, dense 3")
    made = with_members(network, 2, LOSSES["cross_entropy"])
    text = "piecewise 4 2, dense 16 relu, dropout 0.1, grouped 2 3, members 2 classes"
    assert made == ds.parse_network(text)


def test_a_training_of_members_is_a_run_like_any_other(tmp_path):
    options = ds.TrainOptions(
        "dense 6 tanh, dense 2", members=3, epochs=2, batch_size=32, record=ds.Record(every=1)
    )
    run = ds.train(None, "moons", options=options, folder=tmp_path / "run")
    again = ds.open_run(tmp_path / "run").with_data()
    np.testing.assert_array_equal(
        again.predict(run.dataset.test.inputs), run.predict(run.dataset.test.inputs)
    )
    replayed = ds.replay(again).parameters(run.outcome.kept_step)
    assert all(
        np.array_equal(one, other)
        for one, other in zip(
            jax.tree.leaves(replayed), jax.tree.leaves(run.parameters), strict=True
        )
    )
    losses = replace(run, dataset=None).losses(run.dataset.validation)
    assert losses.mean() == pytest.approx(run.trace.validation_loss[-1], rel=1e-4)


def test_ranks_become_a_sum_of_clipped_steps():
    ranks = RNG.uniform(-1, 6, (20, 2))
    inputs = np.concatenate([ranks, RNG.normal(size=(20, 3))], axis=1)
    found = np.asarray(Piecewise(5, 2).forward({}, inputs)).astype(np.float64)
    found[:, :10] *= np.sqrt(5)
    np.testing.assert_allclose(found[:, :5].sum(axis=1), np.clip(ranks[:, 0], 0, 5), atol=1e-6)
    np.testing.assert_allclose(found[:, 5:10].sum(axis=1), np.clip(ranks[:, 1], 0, 5), atol=1e-6)
    np.testing.assert_allclose(found[:, 10:], inputs[:, 2:], atol=1e-6)


DISAGREEING = {
    "numbers": (500 + 40 * RNG.normal(size=(40, 2)), "squared_error", lambda z: z, None),
    "classes": (RNG.integers(0, 3, 40), "cross_entropy", lambda z: softmax(z, axis=-1), None),
    "one output for two classes": (RNG.integers(0, 2, 40), "binary_cross_entropy", expit, None),
    "rates": (RNG.poisson(3.0, 40).astype(float), "poisson", np.exp, "regression"),
}


@pytest.mark.parametrize("what", DISAGREEING)
def test_the_disagreement_is_that_of_members_computed_one_by_one(what):
    targets, loss, link, task = DISAGREEING[what]
    data = ds.Dataset.from_arrays(RNG.normal(size=(40, 3)), targets, task=task)
    outputs = 1 if what in ("one output for two classes", "rates") else {"classes": 3}.get(what, 2)
    run = ds.train(
        f"dense 5 tanh, dense {outputs}", data, loss=loss, members=3, epochs=2, batch_size=8
    )
    inputs = data.test.inputs
    first, last = run.parameters[:2]
    hidden = np.tanh(run.scaling.apply(inputs) @ first["weights"] + first["biases"])
    apart = np.split(np.asarray(hidden, np.float64), 3, axis=1)
    each = [
        own @ last["weights"][member] + last["biases"][member] for member, own in enumerate(apart)
    ]
    scaling = run.target_scaling
    found = [link(one if scaling is None else scaling.undo(one)) for one in each]
    if what == "one output for two classes":
        found = [np.concatenate([1 - one, one], axis=1) for one in found]
    expected = np.std(found, axis=0)
    assert (expected > 1e-4).any()
    np.testing.assert_allclose(run.disagreement(inputs), expected, rtol=2e-3, atol=1e-6)
    if what == "numbers":
        np.testing.assert_allclose(run.predict(inputs), np.mean(found, axis=0), rtol=1e-5)
    told = ds.predictions(run, inputs)
    rows = [line.split(",") for line in told.to_csv().splitlines()]
    own = expected if what == "numbers" else (
        np.take_along_axis(expected, run.predict(inputs)[:, None], 1)
        if run.data.task == "classification"
        else expected
    )  # fmt: skip
    count = own.shape[1]
    assert all(name.startswith("standard deviation") for name in rows[0][-count:])
    cells = np.array([row[-count:] for row in rows[1:]], float)
    np.testing.assert_allclose(cells, own, rtol=2e-3, atol=1e-6)
    as_json = told.predictions[0]["standard_deviation"]
    as_list = list(as_json.values()) if isinstance(as_json, dict) else [as_json]
    np.testing.assert_allclose(as_list, own[0], rtol=2e-3, atol=1e-6)
    assert "standard deviation" in str(told)


def test_a_network_without_members_has_no_disagreement():
    run = ds.train("dense 2", "moons", members=1, epochs=1)
    inputs = np.zeros((2, 2))
    with pytest.raises(ds.NetworkError, match="has one member"):
        run.disagreement(inputs)
    assert "standard" not in ds.predictions(run, inputs).to_csv()


def test_under_plain_descent_each_member_takes_the_steps_of_a_network_alone():
    """What is recorded is the mean of their losses; each has the whole learning rate."""
    settings = {"optimizer": "sgd", "learning_rate": 0.1, "epochs": 2, "batch_size": 16}
    data = ds.load("moons")
    run = ds.train("dense 6 tanh, dense 2", data, members=2, seed=4, **settings)
    for index in range(2):
        own = slice(6 * index, 6 * index + 6)
        first = ds.replay(run).parameters(0)
        start = (
            {"weights": first[0]["weights"][:, own], "biases": first[0]["biases"][own]},
            {name: array[index] for name, array in first[1].items()},
        )
        alone = ds.train("dense 6 tanh, dense 2", data, members=1, seed=4, start=start, **settings)
        np.testing.assert_allclose(
            np.asarray(run.parameters[1]["weights"][index]),
            np.asarray(alone.parameters[1]["weights"]), rtol=1e-4, atol=1e-5,
        )  # fmt: skip
