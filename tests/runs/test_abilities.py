"""What every layer has to be able to do, tried on networks that hold the newer ones.

Each layer's values, gradients and exports have tests of their own, with drawn networks; here a run
of them is replayed, resumed, forked, repeated side by side, looked at and written for others.
"""

import dataclasses

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.engine.losses_at import losses_between, with_own_statistics
from downslope.exporting.export import FORMATS
from downslope.nn.layer import learned_arrays
from tests.exporting.drawn import load_source
from tests.plain import PLAIN
from tests.runs import by_hand

NETWORKS = {
    "norms": "conv 4 3, max_pool 2, batch_norm, relu, residual (conv 4 3, batch_norm, relu), "
    "parallel (global_max_pool | global_average_pool), dense 3",
    "groups": "conv 4 3 groups=2, silu, conv 4 3 groups=4, tanh, global_average_pool, dense 4 tanh,"
    " grouped 2 3, members 2",
}
EPOCHS = ds.Checkpoints(seconds=None, epochs=1)
SOURCES = [one for one in FORMATS if one not in ("onnx", "safetensors")]


def some_images() -> ds.Dataset:
    """Images (N, 6, 6, 2), the brighter the higher their class."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 48).astype(np.int32)
    inputs = rng.integers(0, 100, (48, 6, 6, 2)) + 50 * targets[:, None, None, None]
    parts = [
        ds.Samples(inputs[span].astype(np.uint8), targets[span])
        for span in (slice(32), slice(32, 40), slice(40, 48))
    ]
    scaling = ds.Scaling.learn(parts[0].inputs, "channel")
    return ds.Dataset("images", "classification", *parts, scaling, class_names=("a", "b", "c"))


DATA = some_images()
OPTIONS = PLAIN.replace(
    optimizer="momentum", learning_rate=0.02, batch_size=8, epochs=3, record=ds.Record(every=1),
    augment=ds.Augment(shift=0.2, average=True), label_smoothing=0.1,
)  # fmt: skip


@pytest.fixture(scope="module", params=NETWORKS)
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / request.param
    return ds.train(
        NETWORKS[request.param], DATA, options=OPTIONS, folder=folder, checkpoints=EPOCHS
    )


def assert_same(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


def test_it_is_replayed_resumed_forked_and_opened_bit_for_bit(run, tmp_path):
    past = ds.replay(run)
    assert_same(past.parameters(past.steps), run.parameters)
    opened = ds.open_run(run.folder)
    np.testing.assert_array_equal(opened.outputs(DATA.test.inputs), run.outputs(DATA.test.inputs))

    def broken_off(progress):
        raise KeyboardInterrupt

    begun = {"options": OPTIONS, "checkpoints": EPOCHS, "on_chunk": broken_off}
    with pytest.raises(KeyboardInterrupt):
        ds.train(run.network, DATA, folder=tmp_path / "begun", **begun)
    assert_same(ds.resume(tmp_path / "begun", data=DATA).parameters, run.parameters)
    same = ds.fork(dataclasses.replace(run, dataset=DATA), 5, folder=tmp_path / "fork")
    assert_same(same.parameters, run.parameters)
    other = ds.fork(
        dataclasses.replace(run, dataset=DATA), 5, folder=tmp_path / "other", learning_rate=0.01
    )
    assert_same(ds.replay(other).parameters(other.outcome.step), other.parameters)


@pytest.mark.slow
def test_side_by_side_it_predicts_as_alone(run):
    many = ds.train_side_by_side(run.network, DATA, options=OPTIONS, seeds=[0, 1])
    inputs = DATA.test.inputs
    np.testing.assert_allclose(
        many.model(0, DATA).outputs(inputs), run.outputs(inputs), rtol=1e-3, atol=1e-4
    )


@pytest.mark.slow
def test_its_surface_lies_where_its_metrics_do(run):
    found = ds.insight.surface(run, points=3)
    assert found.here.validation == pytest.approx(run.trace.validation_loss[-1], rel=1e-4)
    for direction in (found.plane.first, found.plane.second):
        held = sum(float(np.abs(one).sum()) for one in jax.tree.leaves(direction))
        assert held == pytest.approx(
            sum(float(np.abs(one).sum()) for one in learned_arrays(direction)), rel=1e-6
        )  # running statistics do not move


@pytest.mark.slow
def test_one_step_and_one_neuron_are_told(run):
    weight = ds.insight.trace_step(run, 3, layer=1).weight
    assert weight.difference.value == pytest.approx(weight.chain.gradient, rel=1e-3, abs=1e-6)
    neuron = ds.insight.neuron(run, 1, 2)
    assert neuron.products.sum() + neuron.bias == pytest.approx(neuron.sum, rel=1e-5)
    assert neuron.names[-1] == "patch[2,2,1]"  # in groups, the second one's channel


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")  # of the libraries
@pytest.mark.parametrize("to", [*SOURCES, "onnx"])
def test_it_is_written_for_others(run, to, tmp_path, monkeypatch):
    inputs = DATA.test.inputs
    if to == "onnx":
        onnxruntime = pytest.importorskip("onnxruntime")
        (path,) = ds.export(run, tmp_path / "net.onnx", to=to)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (made,) = session.run(["probabilities"], {"inputs": inputs.astype(np.float32)})
    else:
        if to != "numpy":
            pytest.importorskip("torch")
        if to == "keras":
            monkeypatch.setenv("KERAS_BACKEND", "torch")  # compiles nothing
            pytest.importorskip("keras")
        made = load_source(ds.export(run, tmp_path / "net.py", to=to)[0]).probabilities(inputs)
    np.testing.assert_allclose(made, run.probabilities(inputs), atol=1e-5)


@pytest.mark.peers
def test_gradients_of_ranks_groups_and_members_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    network = ds.parse_network("piecewise 4 2, dense 6 tanh, grouped 3 2 tanh, grouped 2 2")
    rng = np.random.default_rng(0)
    inputs, targets = rng.uniform(0, 4, (9, 3)), rng.normal(size=(9, 4))
    with jax.enable_x64(True):
        parameters = jax.tree.map(lambda one: rng.normal(size=one.shape), network.init((3,)))
        found = ds.backpropagate(network, parameters, inputs, targets, loss="squared_error")
    twins = [
        {name: torch.tensor(np.asarray(one), requires_grad=True) for name, one in own.items()}
        for own in parameters
    ]
    ranks = torch.tensor(inputs)[:, :2, None] - torch.arange(4)
    spread = ranks.clamp(0, 1).flatten(1) / 2  # the root of 4 bins
    x = torch.cat([spread, torch.tensor(inputs)[:, 2:]], 1)
    x = torch.tanh(x @ twins[1]["weights"] + twins[1]["biases"])
    for own, groups, end in ((twins[2], 3, torch.tanh), (twins[3], 2, lambda z: z)):
        seen = x.reshape(len(x), groups, -1)
        sums = torch.einsum("ngi,gio->ngo", seen, own["weights"])
        x = end((sums + own["biases"].reshape(groups, -1)).reshape(len(x), -1))
    ((x - torch.tensor(targets)) ** 2).mean(1).mean().backward()
    for ours, theirs in zip(found.gradients, twins, strict=True):
        for name, one in theirs.items():
            np.testing.assert_allclose(ours[name], one.grad, rtol=1e-9, atol=1e-12)


def test_on_a_line_each_point_has_statistics_of_its_own():
    data = by_hand.classes_data(256)
    network = "dense 5, batch_norm, tanh, dense 3"
    one, other = (ds.train(network, data, options=PLAIN, epochs=2, seed=seed) for seed in (0, 1))
    middle = jax.tree.map(lambda a, b: (a + b) / 2, one.parameters, other.parameters)
    found = with_own_statistics(one.model, middle, data.train)
    sums = one.scaling.apply(data.train.inputs) @ middle[0]["weights"] + middle[0]["biases"]
    np.testing.assert_allclose(found[1]["running_mean"], sums.mean(0), atol=1e-5)
    np.testing.assert_allclose(found[1]["running_variance"], sums.var(0, ddof=1), rtol=1e-4)
    assert_same([*map(learned_arrays, found)], [*map(learned_arrays, middle)])
    (losses,) = losses_between(
        one.model, other.parameters, np.array([0, 0.5, 1]), [data.train], data.train
    )
    expected = one.model.at(found).losses(data.train).mean()
    assert losses[1] == pytest.approx(expected, rel=1e-5)
    line = ds.insight.line(one, other, points=3)
    np.testing.assert_allclose(line.train_loss, losses, rtol=1e-6)
