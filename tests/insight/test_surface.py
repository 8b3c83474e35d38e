"""The loss around a run's weights equals PyTorch's, and the path is the one that was walked."""

import sys

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.insight import line, surface
from downslope.insight.path import path_of
from downslope.insight.plane import plane_of_path, plane_of_weights, random_plane
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand


def trained(data, text="dense 8 tanh, dense 3", **settings) -> ds.Run:
    settings = {"batch_size": 16, "epochs": 6, "learning_rate": 0.2, **settings}
    return ds.train(parse(text), data, options=PLAIN, record=ds.Record(every=1), **settings)


@pytest.fixture(scope="module")
def run():
    return trained(by_hand.classes_data(120, 60))


@pytest.fixture(scope="module")
def found(run):
    return surface(run, points=21)


def torch_loss(run, parameters, samples) -> float:
    """The mean loss of a network with these weights, by PyTorch."""
    torch = pytest.importorskip("torch")
    from tests.reference import torch_twin

    inputs = torch_twin.tensor(np.asarray(run.scaling.apply(samples.inputs), np.float32))
    outputs = torch_twin.forward(run.network, torch_twin.tensors(parameters), inputs)
    targets = samples.targets
    if run.target_scaling is not None and run.target_scaling.std.ndim:
        targets = run.model.units.scaled_targets(
            targets
        )  # of several targets, the loss is of these
    elif run.target_scaling is not None:
        outputs = outputs * float(run.target_scaling.std) + torch_twin.tensor(
            run.target_scaling.mean
        )
    losses = torch_twin.per_sample(run.loss.name, outputs, torch_twin.tensor(targets))
    weights = torch.ones(len(samples))
    if run.settings.class_weights:
        weights = torch.tensor(run.settings.class_weights)[torch_twin.tensor(samples.targets)]
    return float((losses * weights).sum().detach() / weights.sum())


@pytest.mark.peers
@pytest.mark.parametrize(
    ("data", "text", "settings"),
    [
        (by_hand.classes_data(120, 60), "dense 8 tanh, dense 3", {"class_weights": (1, 2, 0.5)}),
        (by_hand.numbers_data(), "dense 6 relu, dense 2", {"learning_rate": 0.02}),
    ],
)
def test_values_at_random_points_are_those_of_pytorch(data, text, settings):
    run = trained(data, text, **settings)
    for plane, weights in (
        ("path", ()),
        ("random", ()),
        ("weights", ("1.weights[2,3]", "2.biases[0]")),
    ):
        compare_with_pytorch(run, plane, weights)


def compare_with_pytorch(run, plane, weights):
    data = run.dataset
    found = surface(run, plane=plane, weights=weights, points=21)
    draw = np.random.default_rng(0)
    for _ in range(25):  # of each part
        row, column = draw.integers(0, 21, 2)
        moved = jax.tree.map(
            lambda origin, first, second, a=found.a[column], b=found.b[row]: np.asarray(
                origin + a * first + b * second, np.float32
            ),
            found.plane.origin,
            found.plane.first,
            found.plane.second,
        )
        for heights, part in (
            (found.train_loss, data.train),
            (found.validation_loss, data.validation),
        ):
            assert heights[row, column] == pytest.approx(torch_loss(run, moved, part), rel=1e-4)


def test_the_losses_of_the_path_are_those_of_the_trace(run, found):
    walked = found.walked
    assert walked.path.steps[0] == 0
    assert walked.path.steps[-1] == run.outcome.step
    indices = np.searchsorted(walked.path.steps, run.trace.epochs["step"])
    np.testing.assert_array_equal(walked.path.steps[indices], run.trace.epochs["step"])
    for mine, name in ((walked.train_loss, "train"), (walked.validation_loss, "validation")):
        recorded = run.trace.epochs[f"{name}_loss"]
        if name == "train":  # the trace measures as many as there are validation samples
            chosen = np.sort(np.random.default_rng(0).permutation(120)[:60])
            samples = run.dataset.train.take(chosen)
            mine = ds.losses_at(
                run.model.at(walked.path.parameters),
                samples,
            )
        np.testing.assert_allclose(mine[indices], recorded, rtol=1e-5)
    assert found.here == pytest.approx((walked.train_loss[-1], walked.validation_loss[-1]))


def test_the_path_ends_at_the_weights_of_the_run_bit_for_bit(run, found):
    by_hand.assert_same_parameters(found.walked.path.at(-1), run.parameters)
    by_hand.assert_same_parameters(
        found.walked.path.at(0), run.network.init(run.data.input_shape, 0)
    )
    np.testing.assert_allclose([found.walked.a[-1], found.walked.b[-1]], 0, atol=1e-6)


def test_the_plane_is_that_of_the_principal_components(run, found):
    path = found.walked.path
    rows = np.concatenate(
        [
            np.asarray(leaf, float).reshape(len(path), -1)
            for leaf in jax.tree.leaves(path.parameters)
        ],
        axis=1,
    )
    values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
    fractions = values / values.sum()
    np.testing.assert_allclose(found.plane.fractions, fractions[:2], rtol=1e-6)
    assert found.plane.fraction == pytest.approx(fractions[:2].sum())
    first, second = (
        np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(one)]).astype(float)
        for one in (found.plane.first, found.plane.second)
    )
    assert np.linalg.norm(first) == pytest.approx(1, rel=1e-5)
    assert abs(first @ second) < 1e-5
    assert first @ (rows[-1] - rows[0]) > 0
    np.testing.assert_allclose(found.walked.a, (rows - rows[-1]) @ first, atol=1e-4)


def test_the_plane_reaches_beyond_the_path(found):
    for axis, own in ((found.a, found.walked.a), (found.b, found.walked.b)):
        assert axis[0] < own.min() < own.max() < axis[-1]
    assert found.train_loss.shape == (len(found.b), len(found.a)) == (21, 21)


def test_what_it_says(run, found):
    train, validation = found.here
    assert found.summary == (
        f"The plane holds {100 * found.plane.fraction:.1f} % of the path's variance. The run ended "
        f"at a training loss of {train:.4g} and a validation loss of {validation:.4g}; the lowest "
        f"training loss of the picture is {found.train_loss.min():.4g}."
    )
    assert not surface(run, plane="random", points=3).summary.startswith("The plane holds")


def test_points_of_a_path_in_short_and_in_long_trainings():
    data = by_hand.classes_data(60, 30)
    short = path_of(trained(data, epochs=2))
    assert short.steps.tolist() == list(range(9))  # every one of the eight steps
    long = path_of(trained(data, epochs=60), most=20)
    assert len(long) <= 20
    assert (long.steps[:-1] % 4 == 0).all()  # whole epochs
    assert long.steps[-1] == 240
    np.testing.assert_allclose(long.epochs, long.steps / 4)


def test_the_weights_that_were_kept_are_the_origin():
    stop = ds.Stop(patience=3)
    run = trained(by_hand.classes_data(60, 30), epochs=200, learning_rate=0.5, stop=stop)
    assert run.outcome.kept_step < run.outcome.step
    found = surface(run, points=3)
    path = found.walked.path
    assert path.steps[path.kept] == run.outcome.kept_step
    assert (found.walked.a[path.kept], found.walked.b[path.kept]) == pytest.approx((0, 0), abs=1e-6)


def test_random_directions_are_as_long_as_each_neuron():
    parameters = parse("conv 3 2, flatten, dense 5").init((4, 4, 2), 1)
    plane = random_plane(parameters, seed=3)
    for direction in (plane.first, plane.second):
        np.testing.assert_allclose(
            np.linalg.norm(direction[2]["weights"], axis=0),
            np.linalg.norm(parameters[2]["weights"], axis=0),
            rtol=1e-5,
        )
        np.testing.assert_allclose(
            np.sqrt((direction[0]["weights"] ** 2).sum((0, 1, 2))),
            np.sqrt((np.asarray(parameters[0]["weights"]) ** 2).sum((0, 1, 2))),
            rtol=1e-5,
        )
        assert not direction[0]["biases"].any()
    again = random_plane(parameters, seed=3)
    by_hand.assert_same_parameters(plane.first, again.first)
    other = random_plane(parameters, seed=4)
    assert (other.first[2]["weights"] != plane.first[2]["weights"]).all()


def test_two_weights_move_and_no_others():
    parameters = parse("dense 3 relu, dense 2").init((4,), 0)
    plane = plane_of_weights(parameters, ("1.weights[1,2]", "2.biases[0]"))
    assert plane.first[0]["weights"][1, 2] == plane.second[1]["biases"][0] == 1
    for one in (plane.first, plane.second):
        assert sum(np.count_nonzero(leaf) for leaf in jax.tree.leaves(one)) == 1
    assert plane.names == ("change of 1.weights[1,2]", "change of 2.biases[0]")


def test_the_centre_of_a_plane_is_the_run(run):
    for plane, weights in (("random", ()), ("weights", ("1.weights[0,0]", "2.biases[1]"))):
        found = surface(run, plane=plane, weights=weights, points=5)
        assert found.a[2] == found.b[2] == 0
        assert found.train_loss[2, 2] == pytest.approx(found.here[0], rel=1e-5)
        assert found.walked is None
    wide = surface(run, plane="random", points=5, reach=3.0)
    assert (wide.a[0], wide.a[-1]) == (-3.0, 3.0)


def test_progress_and_many_samples(run, monkeypatch):
    monkeypatch.setattr(sys.modules["downslope.insight.surface"], "PIECE", 1)
    told = []
    found = surface(
        run, points=4, most_samples=50, on_progress=lambda done, total: told.append((done, total))
    )
    assert found.samples == (50, 50)
    assert told == [(4 * (index + 1), 32) for index in range(8)]


def test_multiplications_are_counted():
    assert parse("dense 5 relu, dropout 0.5, dense 3").multiplications((4,)) == 4 * 5 + 5 * 3
    assert parse("conv 3 3, max_pool 2, flatten, dense 7").multiplications((8, 8, 2)) == (
        8 * 8 * 9 * 2 * 3 + 4 * 4 * 3 * 7
    )


def test_what_cannot_be_shown_is_told(run):
    def refused(**settings) -> str:
        with pytest.raises(ds.DownslopeError) as raised:
            surface(run, **settings)
        return str(raised.value)

    assert refused(points=1) == (
        "The number of points is 1. Expected a whole number from 2 to 501. 51 is usual."
    )
    assert refused(reach=-1.0) == "The reach is -1.0. Expected a number above 0. 1 is usual."
    assert refused(plane="flat") == (
        "There is no plane called 'flat'. Expected path, random or weights. Try path."
    )
    assert refused(plane="weights", weights=("1.weights[1,1]",)) == (
        "The weights are 1.weights[1,1]. Expected two different ones. Name two, such as "
        "1.weights[3,5] and 1.biases[5]."
    )
    assert refused(plane="weights", weights=("0.weights[1,1]", "1.biases[0]")) == (
        "0.weights[1,1] would be of layer 0. Expected a layer from 1, as trace and neuron count "
        "them. Write 1.weights[1,1] for the first layer."
    )
    assert refused(plane="weights", weights=("first", "1.biases[0]")) == (
        "'first' names no weight. Expected an array and the index in it. Write it as "
        "1.weights[3,5]: layer 1, input 3, neuron 5."
    )
    assert refused(plane="weights", weights=("1.weight[0,0]", "1.biases[0]")) == (
        "There is no array of weights called '1.weight'. Expected one of 1.biases, 1.weights, "
        "2.biases, 2.weights. Did you mean '1.weights'?"
    )
    assert refused(plane="weights", weights=("1.weights[4,0]", "1.biases[0]")) == (
        "There is no weight 1.weights[4,0]. Expected indices into an array of shape (4, 8). "
        "Count from 0, with one number for each axis."
    )


def test_a_path_that_cannot_be_walked_again_is_told(run):
    later = ds.train(
        run.network, run.dataset, options=PLAIN, start=run, epochs=2, batch_size=16, seed=7
    )
    with pytest.raises(ds.RunError, match="went on from another one"):
        surface(later)
    assert surface(later, plane="random", points=3).walked is None


def test_a_straight_path_spans_no_plane(run):
    path = path_of(run)
    straight = jax.tree.map(
        lambda leaf: leaf[:1] + np.arange(4).reshape(-1, *[1] * (leaf.ndim - 1)) * 0.5,
        path.parameters,
    )
    flat = type(path)(path.steps[:4], path.epochs[:4], straight, 3)
    with pytest.raises(ds.SettingError, match="The path lies on a straight line"):
        plane_of_path(flat)


@pytest.mark.peers
def test_a_line_between_two_solutions(run):
    other = trained(by_hand.classes_data(120, 60), seed=5)
    found = line(run, other, points=11)
    assert found.train_loss[0] == pytest.approx(run.measure(run.dataset.train)["loss"], rel=1e-4)
    assert found.train_loss[-1] == pytest.approx(
        other.measure(other.dataset.train)["loss"], rel=1e-4
    )
    half = jax.tree.map(lambda one, two: (one + two) / 2, run.parameters, other.parameters)
    assert found.train_loss[5] == pytest.approx(torch_loss(run, half, run.dataset.train), rel=1e-4)
    straight = np.linspace(found.train_loss[0], found.train_loss[-1], 11)
    assert found.barrier.train == pytest.approx(max(0, (found.train_loss - straight).max()))
    distance = np.sqrt(
        sum(
            float(((one - two) ** 2).sum())
            for one, two in zip(
                jax.tree.leaves(run.parameters), jax.tree.leaves(other.parameters), strict=True
            )
        )
    )
    assert found.distance == pytest.approx(distance, rel=1e-5)
    assert found.summary == (
        f"On the straight line from a training loss of {found.train_loss[0]:.4g} to one of "
        f"{found.train_loss[-1]:.4g} there is a barrier of {found.barrier.train:.4g} (validation: "
        f"{found.barrier.validation:.4g}). The distance between the two is {found.distance:.3g}."
    )
    itself = line(run, run, points=3)
    assert itself.barrier.train == pytest.approx(0, abs=1e-6)
    assert itself.distance == 0


def test_a_line_joins_only_what_belongs_together(run):
    others = {
        "network: 'dense 8 tanh, dense 3' and 'dense 3'": trained(run.dataset, "dense 3", epochs=1),
        "data": trained(by_hand.classes_data(120, 60, seed=3), epochs=1),
    }
    for what, other in others.items():
        with pytest.raises(ds.SettingError) as raised:
            line(run, other)
        assert str(raised.value) == (
            f"The two runs differ in their {what}. Expected two runs of one network on the same "
            "data with the same loss. Train both with the same words but another --seed."
        )
    with pytest.raises(ds.SettingError, match="The number of points is 1"):
        line(run, run, points=1)


def test_running_statistics_stay_while_weights_move():
    run = trained(by_hand.classes_data(60, 20), "dense 4, batch_norm, tanh, dense 3", epochs=4)
    path = path_of(run)
    plane = plane_of_path(path)
    for direction in (plane.first, plane.second):
        assert np.abs(direction[0]["weights"]).max() > 0
        for name in ("running_mean", "running_variance"):
            assert not direction[1][name].any()
    found = surface(run, points=3)
    moved = jax.tree.map(
        lambda start, u, v: start + found.a[2] * u + found.b[0] * v,
        *(plane.origin, plane.first, plane.second),
    )
    for name in ("running_mean", "running_variance"):
        np.testing.assert_array_equal(moved[1][name], run.parameters[1][name])
    expected = run.model.at(moved).losses(run.dataset.train).mean()
    assert found.train_loss[0, 2] == pytest.approx(expected, rel=1e-4)
