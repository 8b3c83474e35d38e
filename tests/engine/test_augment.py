"""Photos and their density maps change together."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds
from downslope.engine.augment import augment_from
from tests.plain import PLAIN

STRIDE = 8


def applied(augment, seed, images, targets, epoch=0, samples=None):
    """Change a batch of the samples 0, 1, ..., or of these."""
    samples = jnp.arange(len(images)) if samples is None else jnp.asarray(samples)
    return augment.apply(jax.random.key(seed), jnp.int32(epoch), samples, images, targets)[:2]


def photos_and_maps(count=6, height=48, width=64):
    """Photos whose red channel is their own density map, each cell drawn as a block."""
    maps = np.random.default_rng(0).random((count, height // STRIDE, width // STRIDE, 1))
    photos = np.kron(maps, np.ones((1, STRIDE, STRIDE, 1)))
    return jnp.asarray(photos, jnp.float32), jnp.asarray(maps, jnp.float32)


@pytest.mark.parametrize("augment", [ds.Augment(), ds.Augment(crop=0.5), ds.Augment(False, 0.7)])
def test_each_map_stays_on_its_photo(augment):
    photos, maps = applied(augment, 3, *photos_and_maps())
    assert photos.shape[1] == maps.shape[1] * STRIDE
    np.testing.assert_array_equal(photos[:, ::STRIDE, ::STRIDE], maps)


def test_a_flip_keeps_the_count_and_mirrors_about_half_of_them():
    photos, maps = photos_and_maps(64)
    flipped, flipped_maps = applied(ds.Augment(flip=True), 0, photos, maps)
    np.testing.assert_allclose(flipped_maps.sum((1, 2, 3)), maps.sum((1, 2, 3)), rtol=1e-5)
    same = (flipped == photos).all((1, 2, 3))
    mirrored = (flipped == photos[:, :, ::-1]).all((1, 2, 3))
    assert (same | mirrored).all()
    assert 16 < int(mirrored.sum()) < 48


def test_a_crop_has_its_share_and_falls_everywhere():
    photos, maps = photos_and_maps(200)
    cut, cut_maps = applied(ds.Augment(flip=False, crop=0.5), 0, photos, maps)
    assert cut.shape == (200, 24, 32, 1)
    assert cut_maps.shape == (200, 3, 4, 1)
    corners = {
        (i, j)
        for k in range(200)
        for i in range(4)
        for j in range(5)
        if (maps[k, i : i + 3, j : j + 4] == cut_maps[k]).all()
    }
    assert len(corners) == 20


def test_the_same_key_gives_the_same_photos():
    photos, maps = photos_and_maps()
    first = applied(ds.Augment(crop=0.5), 1, photos, maps)
    again = applied(ds.Augment(crop=0.5), 1, photos, maps)
    other = applied(ds.Augment(crop=0.5), 2, photos, maps)
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != other[0]).any()


def test_a_crop_out_of_range_reads_as_intended():
    with pytest.raises(ds.SettingError) as caught:
        ds.Augment(crop=0)
    assert str(caught.value) == (
        "The crop is 0. Expected a fraction above 0 and at most 1. 0.5 is usual."
    )


def images_and_labels(count=20, height=12, width=16):
    images = np.random.default_rng(1).integers(0, 256, (count, height, width, 3), np.uint8)
    return jnp.asarray(images), jnp.arange(count) % 3


@pytest.mark.parametrize("made", [photos_and_maps, images_and_labels])
@pytest.mark.parametrize("augment", [ds.Augment(), ds.Augment(crop=0.6), ds.Augment(shift=0.2)])
def test_a_pure_function_of_seed_epoch_and_sample(made, augment):
    if made is photos_and_maps and augment.shift:
        augment = ds.Augment(False, 0.5)
    images, targets = made()
    whole, _ = applied(augment, 5, images, targets, epoch=3)
    chosen = np.array([4, 1, 5])  # another order, place and size of the batch
    part, _ = applied(augment, 5, images[chosen], targets[chosen], 3, chosen)
    np.testing.assert_array_equal(part, whole[chosen])
    for seed, epoch in ((5, 4), (6, 3)):
        assert (applied(augment, seed, images, targets, epoch)[0] != whole).any()
    same = jnp.repeat(images[:1], 20, 0), jnp.repeat(targets[:1], 20, 0)
    assert len(np.unique(np.asarray(applied(augment, 5, *same)[0]), axis=0)) > 1


def test_a_training_changes_samples_alike_whatever_the_batch(monkeypatch):
    """The steps of the loop give each sample its own number and its epoch."""
    from downslope.engine import loop

    seen = {}

    def spy(self, key, epoch, samples, images, targets, sizes):
        jax.debug.callback(
            lambda *one: seen.setdefault(int(one[0]), set()).update(one[1].tolist()),
            epoch,
            samples,
        )
        return images, targets, sizes

    monkeypatch.setattr(loop.Augment, "apply", spy)
    images, labels = (np.asarray(one) for one in images_and_labels(20))
    part = ds.Samples(images, labels.astype(np.int32))
    data = ds.Dataset(
        "a",
        "classification",
        part,
        part,
        part,
        ds.Scaling.learn(images, "all"),
        class_names=("a", "b", "c"),
    )
    network = ds.Network([ds.Flatten(), ds.Dense(3)])
    ds.train(network, data, options=PLAIN, epochs=2, batch_size=6, augment=ds.Augment())
    jax.effects_barrier()
    assert seen == {0: {*range(20), -1}, 1: {*range(20), -1}}


def test_images_are_mirrored_or_left_alone():
    images, labels = images_and_labels(64)
    made, same_labels = applied(ds.Augment(), 0, images, labels)
    assert made.dtype == images.dtype
    np.testing.assert_array_equal(same_labels, labels)
    same = (made == images).all((1, 2, 3))
    mirrored = (made == images[:, :, ::-1]).all((1, 2, 3))
    assert (same ^ mirrored).all()
    assert 16 < int(mirrored.sum()) < 48


def test_a_shift_moves_by_whole_pixels_and_repeats_the_border():
    images, labels = images_and_labels(64)
    made, _ = applied(ds.Augment(flip=False, shift=0.25), 0, images, labels)
    moves = set()
    for image, moved in zip(np.asarray(images), np.asarray(made), strict=True):
        padded = np.pad(image, ((4, 4), (4, 4), (0, 0)), "edge")
        fits = [
            (y, x)
            for y in range(-4, 5)
            for x in range(-4, 5)
            if (padded[4 + y : 16 + y, 4 + x : 20 + x] == moved).all()
        ]
        assert len(fits) == 1
        moves |= set(fits)
    assert len(moves) > 20
    assert max(abs(y) for y, _ in moves) == 3
    assert max(abs(x) for _, x in moves) == 4


def test_a_crop_of_an_image_comes_back_at_its_size():
    ramp = jnp.broadcast_to(jnp.arange(33.0)[None, :, None], (9, 33, 1))
    images = jnp.repeat(ramp[None], 200, 0)
    made, _ = applied(ds.Augment(flip=False, crop=0.5), 0, images, jnp.zeros(200, jnp.int32))
    assert made.shape == images.shape
    steps = np.diff(np.asarray(made)[:, :, :, 0], axis=2)
    fractions = steps[:, 0, 0]  # a ramp looked at more closely is a flatter ramp
    np.testing.assert_allclose(
        steps, np.broadcast_to(fractions[:, None, None], steps.shape), atol=2e-5
    )
    assert 0.5 <= fractions.min() < 0.55
    assert 0.95 < fractions.max() <= 1
    assert np.asarray(made).min() >= 0
    assert np.asarray(made).max() <= 32


def test_cutout_covers_a_square_with_the_mean_colour():
    images, labels = images_and_labels(64)
    augment = ds.Augment(flip=False, cutout=0.5)
    made = np.asarray(applied(augment, 0, images, labels)[0])
    changed = (made != np.asarray(images)).any(-1)
    side = 0.5 * min(images.shape[1:3])
    sizes = changed.sum((1, 2))
    assert sizes.max() <= (side + 1) ** 2
    assert len(set(map(tuple, changed.reshape(64, -1)))) > 40
    for before, after, covered in zip(np.asarray(images), made, changed, strict=True):
        colour = before.astype(np.float32).mean((0, 1)).round()
        assert (np.abs(after[covered] - colour) <= 1).all()


def test_mixup_mixes_images_and_targets_alike():
    images, _ = images_and_labels(64)
    targets = jax.nn.one_hot(jnp.arange(64), 64)  # each sample's target tells it from all others
    augment = ds.Augment(flip=False, mixup=1.0)
    key, samples = jax.random.key(0), jnp.arange(64)
    made, mixed = augment.mix(key, jnp.int32(0), samples, images, targets)
    own = np.diag(np.asarray(mixed))
    assert own.min() >= 0.5
    assert own.std() > 0.1
    flat = np.asarray(images, np.float32).reshape(64, -1)
    expected = np.asarray(mixed) @ flat
    np.testing.assert_allclose(made.reshape(64, -1), expected, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(
    ("text", "augment"),
    [
        ("none", None),
        ("flip", ds.Augment()),
        ("flip,shift,crop", ds.Augment(True, 0.8, 0.1)),
        (" shift = 0.3 ", ds.Augment(False, 1.0, 0.3)),
        ("crop=0.5", ds.Augment(False, 0.5)),
        ("flip, average, cutout, mixup=1", ds.Augment(cutout=0.25, mixup=1.0, average=True)),
    ],
)
def test_what_a_text_says(text, augment):
    assert augment_from(text) == augment
    assert augment is None or augment_from(augment.notation) == augment


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "flip,turn",
            "The images are to be changed by 'turn'. Expected some of flip, shift, crop, cutout, "
            "mixup and average, separated by commas, or none. Write for example "
            "flip,shift=0.1,crop=0.8.",
        ),
        (
            "crop=big",
            "The fraction in 'crop=big' is no number. Expected a fraction such as crop=0.8. "
            "Correct it, or leave it out.",
        ),
        (
            "shift=1",
            "The shift is 1.0. Expected a fraction of at least 0 and below 1. 0.1 is usual.",
        ),
    ],
)
def test_texts_with_mistakes(text, message):
    with pytest.raises(ds.SettingError) as caught:
        augment_from(text)
    assert str(caught.value) == message
