"""The count of a photo is one number, whatever photos stand beside it.

As in shared/cases/training/08_mixed_count.py: photos of several sizes, measured in the test part,
and read one by one.
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import downslope as ds
from downslope.data.dataset import Samples
from downslope.data.photos import read_photo
from downslope.engine.augment import Augment
from downslope.engine.losses_at import losses_at
from downslope.nn.layer import Padded
from downslope.nn.losses import LOSSES
from downslope.nn.padded import loss_without_padding, without_padding
from tests.plain import PLAIN

NETWORKS = {
    "as in the case": (
        "standardize, conv 8 3 relu stride=2, max_pool 2, conv 16 3 relu, max_pool 2, conv 1 1"
    ),
    "group_norm": (
        "conv 8 5 relu stride=2, group_norm 4, max_pool 4, conv 8 3 relu dilation=2, conv 1 1"
    ),
    "own": (
        "layer_norm, conv 8 4 tanh stride=2, average_pool 4, residual (conv 8 3 relu, conv 8 3), "
        "parallel (conv 4 3 | conv 4 5 relu), conv 1 1"
    ),
}
SIZES = ((48, 96), (96, 48), (32, 32))


def crowd(folder, count=24, sizes=SIZES, seed=1):
    folder.mkdir(parents=True)
    rng, heads = np.random.default_rng(seed), {}
    for number in range(count):
        height, width = sizes[number % len(sizes)]
        points = np.c_[
            rng.uniform(3, width - 3, number % 9), rng.uniform(3, height - 3, number % 9)
        ]
        pixels = rng.integers(90, 110, (height, width, 3)).astype(np.uint8)
        for x, y in points:
            pixels[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3] = 240
        Image.fromarray(pixels).save(folder / f"p{number:02}.png")
        heads[f"p{number:02}.png"] = points.tolist()
    (folder / "heads.json").write_text(json.dumps(heads))
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return ds.load(crowd(tmp_path_factory.mktemp("crowd") / "mixed", 60))


@pytest.mark.parametrize("name", NETWORKS)
def test_padded_and_alone_are_the_same(data, name):
    """Drawn weights are enough: the function is the same, and so are its gradients."""
    network, few = ds.parse_network(NETWORKS[name]), data.train.take(np.arange(6))
    weights = network.init(data.input_shape, seed=3)
    pixels, sizes = few.inputs.astype(np.float32) / 255, few.sizes
    loss = LOSSES["squared_error"]

    @jax.jit
    def both(weights, signals, targets):
        is_padded = isinstance(signals, Padded)
        own = without_padding(network) if is_padded else network
        return own.forward(weights, signals), ds.backpropagate(
            own, weights, signals, targets,
            loss=loss_without_padding(loss) if is_padded else loss,
        )  # fmt: skip

    found, together = both(weights, Padded(pixels, sizes), few.targets)
    alone = []
    for index, (height, width) in enumerate(sizes.astype(int)):
        own = pixels[index : index + 1, :height, :width]
        outputs, back = both(
            weights, own, few.targets[index : index + 1, : height // 8, : width // 8]
        )
        down, across = outputs.shape[1:3]
        assert (down, across) == tuple(np.asarray(found.sizes)[index])
        np.testing.assert_allclose(found.values[index, :down, :across], outputs[0], atol=2e-5)
        alone.append(back)
    np.testing.assert_allclose(together.loss, np.mean([one.loss for one in alone]), rtol=1e-4)
    mean = jax.tree.map(lambda *ones: sum(ones) / len(ones), *[one.gradients for one in alone])
    pairs = zip(jax.tree.leaves(together.gradients), jax.tree.leaves(mean), strict=True)
    for mine, theirs in pairs:
        np.testing.assert_allclose(mine, theirs, atol=1e-5 + 1e-4 * np.abs(theirs).max())


@pytest.mark.parametrize(
    ("name", "loss"), [("as in the case", "poisson"), ("own", "squared_error")]
)
def test_every_door_gives_the_same_count(data, tmp_path, name, loss):
    run = ds.train(
        ds.parse_network(NETWORKS[name]),
        data,
        options=PLAIN,
        loss=loss,
        optimizer="adam",
        learning_rate=0.01,
        batch_size=8,
        epochs=2,
        record=ds.Record(every=1),
        augment=Augment(flip=True, crop=0.5) if loss == "poisson" else None,
    )
    test, folder = data.test, data.source
    padded = run.predict(test)
    alone = [
        run.predict(read_photo(f"{folder}/{one}", data.photo_side)[None])[0] for one in test.sources
    ]
    np.testing.assert_allclose(padded, alone, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(run.densities(test).sum(axis=(1, 2, 3)), padded, rtol=1e-6)
    figures = run.test()
    off = np.abs(np.array(alone) - test.counts).mean()
    assert figures["mae"] == pytest.approx(off, rel=1e-4, abs=1e-4)
    losses = run.losses(test)
    for index in range(2):
        alone = read_photo(f"{folder}/{test.sources[index]}", data.photo_side)[None]
        own = run.losses(Samples(alone, _own_map(test, index)))
        assert own[0] == pytest.approx(losses[index], rel=1e-3)
    last = float(run.trace.epochs["validation_mae"][-1])
    assert last == pytest.approx(run.measure(data.validation)["mae"], rel=1e-3)
    if loss == "squared_error" and name == "own":
        points = losses_at(
            run.model.at(jax.tree.map(lambda leaf: leaf[None], run.parameters)), data.validation
        )
        assert points[0] == pytest.approx(run.measure(data.validation)["loss"], rel=1e-3)


def _own_map(samples, index):
    height, width = samples.sizes[index].astype(int)
    return samples.targets[index : index + 1, : height // 8, : width // 8]


def test_a_step_is_told_as_it_was_made(data):
    """In a batch of one photo its own loss, found without its padding, is the batch's."""
    network = ds.parse_network("standardize, conv 4 3 relu, max_pool 8, dropout 0.2, conv 1 3")
    augment = Augment(flip=True, crop=0.5)
    run = ds.train(
        network, data, options=PLAIN, optimizer="sgd", batch_size=1, epochs=1, augment=augment
    )
    traced = ds.insight.trace_step(run, 2)
    height, width = traced.sample.inputs.shape[1:3]
    assert (height, width) in [(24, 48), (48, 24), (16, 16)]
    assert traced.way.loss * traced.loss_unit == pytest.approx(traced.batch_loss, rel=1e-3)


BLACK = [  # of a photo of 24 by 48 pixels: rows below and columns to the right that are black
    (16, 48), (24, 40), (8, 8),
]  # fmt: skip


@pytest.mark.parametrize("seen", BLACK)
def test_a_photo_that_is_black_at_its_border_counts_with_it(data, tmp_path, seen):
    """What is padding is known from the photo's size, and not from black pixels."""
    run = ds.train(ds.parse_network(NETWORKS["own"]), data, options=PLAIN, epochs=1)
    photo = np.random.default_rng(2).integers(1, 256, (1, 24, 48, 3), np.uint8)
    photo[:, seen[0] :] = photo[:, :, seen[1] :] = 0
    alone = run.predict(photo)
    beside = np.full((2, 48, 48, 3), 9, np.uint8)
    beside[0] = 0
    beside[0, :24] = photo[0]
    sizes = np.array([(24, 48), (48, 48)], np.float32)
    both = Samples(beside, np.zeros((2, 6, 6, 1), np.float32), sizes=sizes)
    np.testing.assert_allclose(run.predict(both)[0], alone[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(both.take(np.array([1, 0])).sizes, sizes[::-1])
    assert both.take(np.array([1])).sizes is None
    cut = run.predict(photo[:, : seen[0], : seen[1]])  # black is seen, and nothing is not
    assert abs(cut[0] - alone[0]) > 1e-3


@pytest.mark.parametrize(
    "sizes", [np.ones((2, 2)), np.full((2, 3), 8), np.full((2, 2), 0), [[24, 50]] * 2]
)
def test_sizes_that_are_none(sizes):
    with pytest.raises(ds.DataError, match="The sizes of 2 photos have"):
        Samples(np.ones((2, 24, 48, 3), np.uint8), np.zeros((2, 3, 6, 1), np.float32), sizes=sizes)


def test_crops_stay_within_their_photos():
    photos = np.zeros((64, 96, 96, 3), np.uint8)
    maps = np.zeros((64, 12, 12, 1), np.float32)
    photos[:, :48, :96], maps[:, :6, :12] = 50, 1
    sizes = np.full((64, 2), (48, 96), np.float32)
    images, density, own = Augment(flip=True, crop=0.5).apply(
        jax.random.key(0), jnp.int32(1), jnp.arange(64), photos, maps, sizes
    )
    assert images.shape[1:3] == (48, 48)
    np.testing.assert_array_equal(own, np.full((64, 2), (24, 48)))
    assert np.asarray(images)[:, :24, :48].min() == 50
    assert np.asarray(density)[:, :3, :6].min() == 1
