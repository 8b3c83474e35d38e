"""Networks whose samples meet in batch normalisation: trained, resumed, forked, looked at."""

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.engine.batches import BatchPlan, epoch_order
from downslope.nn.layer import numbered
from downslope.nn.notation import parse
from downslope.storage.arrays import flatten
from tests.plain import PLAIN
from tests.runs import by_hand

# 12 batches of 8 and one of 4, which is filled up
DENSE = parse("dense 6, batch_norm 0.2, tanh, residual (dense 6, batch_norm, relu), dense 3")
SETTINGS = {"batch_size": 8, "epochs": 2, "optimizer": "momentum", "learning_rate": 0.01, "seed": 3}
EVERY = ds.Record(every=1)


DATA = by_hand.classes_data(100)


def assert_same(one, other, **tolerance):
    """Compare nested parameters bit for bit, or within a tolerance."""
    flat = [flatten(numbered(parameters)) for parameters in (one, other)]
    by_hand.assert_same_parameters(*([each] for each in flat), **tolerance)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    every = ds.Checkpoints(seconds=None, epochs=1)
    options = {**SETTINGS, "record": EVERY, "folder": folder, "checkpoints": every}
    return ds.train(DENSE, DATA, options=PLAIN, **options)


def test_the_last_batch_of_an_epoch_is_filled_with_the_first_samples():
    plan = BatchPlan(10, 4, 2, seed=1, is_filled=True, is_whole=True)
    order = epoch_order(1, 0, 10)
    assert plan.epoch_batches(0).tolist() == [
        order[:4].tolist(),
        order[4:8].tolist(),
        [*order[8:], *order[:2]],
    ]
    assert not plan.has_short_batch


@pytest.mark.peers
def test_weights_and_running_statistics_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    text = "conv 4 3, batch_norm 0.2, relu, flatten, dense 5, batch_norm, relu, dense 3"
    rng = np.random.default_rng(0)
    images, targets = rng.normal(1, 2, (24, 4, 5, 2)), rng.integers(0, 3, 24)
    samples = ds.Samples(images.astype(np.float32), targets.astype(np.int32))
    names, scaling = ("a", "b", "c"), ds.Scaling.learn(samples.inputs)
    parts = samples, samples, samples
    dataset = ds.Dataset("images", "classification", *parts, scaling, class_names=names)
    plan = {"batch_size": 8, "epochs": 2, "learning_rate": 0.05, "optimizer": "momentum"}
    ours = ds.train(text, dataset, options=PLAIN, **plan)
    first = ds.replay(ours).parameters(0)
    nn = torch.nn
    twin = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4, momentum=0.2), nn.ReLU(),
        nn.Flatten(), nn.Linear(80, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3),
    ).double()  # fmt: skip

    def tensor(array):
        return torch.from_numpy(np.array(array, np.float64))

    flat = first[4]["weights"].reshape(4, 5, 4, 5).transpose(2, 0, 1, 3).reshape(80, 5)
    with torch.no_grad():
        twin[0].weight.copy_(tensor(first[0]["weights"].transpose(3, 2, 0, 1)))
        twin[4].weight.copy_(tensor(flat.T))
        twin[7].weight.copy_(tensor(first[7]["weights"].T))
        for place in (0, 4, 7):
            twin[place].bias.zero_()
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.05, momentum=0.9)
    scaled = tensor(ours.scaling.apply(samples.inputs)).movedim(-1, 1)
    for batch in BatchPlan(24, 8, 2, seed=0).batches(0, 6):
        optimizer.zero_grad()
        rows = torch.from_numpy(batch.astype(np.int64))
        loss = nn.functional.cross_entropy(twin(scaled[rows]), torch.from_numpy(targets)[rows])
        loss.backward()
        optimizer.step()
    for place in (1, 5):
        own, theirs = ours.parameters[place], twin[place]
        pairs = {
            "running_mean": theirs.running_mean,
            "running_variance": theirs.running_var,
            "scale": theirs.weight,
            "offset": theirs.bias,
        }
        for name, expected in pairs.items():
            np.testing.assert_allclose(own[name], expected.detach(), rtol=1e-5, atol=1e-5)
    expected = twin[7].weight.detach().numpy().T
    np.testing.assert_allclose(ours.parameters[7]["weights"], expected, rtol=1e-5, atol=1e-5)
    outputs = twin.eval()(scaled).detach()
    np.testing.assert_allclose(ours.outputs(samples.inputs), outputs, rtol=1e-4, atol=1e-5)


def test_any_step_is_replayed_and_a_resumed_training_has_the_same_bits(run, tmp_path):
    past = ds.replay(run)
    assert_same(past.parameters(past.steps), run.parameters)
    folder = tmp_path / "short"
    every = ds.Checkpoints(seconds=None, epochs=1)

    def interrupted(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ds.train(
            DENSE, DATA, options=PLAIN, **SETTINGS, record=EVERY, folder=folder, checkpoints=every,
            on_chunk=interrupted,
        )  # fmt: skip
    resumed = ds.resume(folder, data=DATA)
    by_hand.assert_same_trace(resumed.trace, run.trace)
    assert_same(resumed.parameters, run.parameters)


def test_side_by_side_each_is_as_trained_alone(run):
    many = ds.train_side_by_side(
        DENSE, DATA, options=PLAIN, seeds=[3, 4], record=EVERY,
        **{name: one for name, one in SETTINGS.items() if name != "seed"},
    )  # fmt: skip
    assert_same(many.parameters_of(0), run.parameters, rtol=2e-4, atol=2e-5)


def test_recorded_losses_are_those_of_the_running_statistics(run):
    outputs = run.outputs(DATA.validation.inputs)
    losses = by_hand.cross_entropies(outputs, DATA.validation.targets)
    assert run.trace.validation_loss[-1] == pytest.approx(losses.mean(), rel=1e-5)
    one_by_one = np.concatenate([run.outputs(one[None]) for one in DATA.validation.inputs[:3]])
    np.testing.assert_array_equal(one_by_one, outputs[:3])


def test_its_surface_curvature_and_steps_can_be_looked_at(run):
    train = DATA.train
    base = ds.losses_at(run.model, train, directions=[run.parameters], coefficients=np.zeros(1))
    losses = by_hand.cross_entropies(run.outputs(train.inputs), train.targets)
    assert base == pytest.approx(losses.mean(), rel=1e-5)
    found = ds.insight.curvature(run.model, train)
    flat = jax.tree_util.tree_leaves_with_path(found.direction)
    running = [leaf for path, leaf in flat if "running" in str(path)]
    assert max(np.abs(leaf).max() for leaf in running) < 1e-4  # no gradient goes there
    assert found.eigenvalue > 0
    for layer in (1, 2):
        step = ds.insight.trace_step(run, 2, layer=layer)
        weight = step.weight
        assert weight.chain.product == pytest.approx(weight.chain.gradient, rel=1e-4, abs=1e-7)
        assert weight.difference.value == pytest.approx(weight.chain.gradient, rel=1e-3, abs=1e-6)
        assert "held" in str(step)
    lengths = ds.insight.layers_over_time(run).layers[1].weight_length
    assert lengths[0] == pytest.approx(np.sqrt(6), rel=1e-3)  # of six scales: no statistic counts
    assert run.parameter_count == 4 * 6 + 6 + 12 + 6 * 6 + 6 + 12 + 6 * 3 + 3


def test_a_batch_of_one_sample_is_refused():
    with pytest.raises(ds.SettingError) as caught:
        ds.train(DENSE, DATA, options=PLAIN, batch_size=1)
    assert str(caught.value) == (
        "A batch has one sample, and layer 2 BatchNorm learns from how the samples of a batch "
        "differ. Expected at least two samples per batch. Choose a larger batch, or use group_norm "
        "or layer_norm."
    )
