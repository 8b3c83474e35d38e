"""Photos and their density maps change together."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds

STRIDE = 8


def photos_and_maps(count=6, height=48, width=64):
    """Photos whose red channel is their own density map, each cell drawn as a block."""
    maps = np.random.default_rng(0).random((count, height // STRIDE, width // STRIDE, 1))
    photos = np.kron(maps, np.ones((1, STRIDE, STRIDE, 1)))
    return jnp.asarray(photos, jnp.float32), jnp.asarray(maps, jnp.float32)


@pytest.mark.parametrize("augment", [ds.Augment(), ds.Augment(crop=0.5), ds.Augment(False, 0.7)])
def test_each_map_stays_on_its_photo(augment):
    photos, maps = augment.apply(jax.random.key(3), *photos_and_maps())
    assert photos.shape[1] == maps.shape[1] * STRIDE
    np.testing.assert_array_equal(photos[:, ::STRIDE, ::STRIDE], maps)


def test_a_flip_keeps_the_count_and_mirrors_about_half_of_them():
    photos, maps = photos_and_maps(64)
    flipped, flipped_maps = ds.Augment(flip=True).apply(jax.random.key(0), photos, maps)
    np.testing.assert_allclose(flipped_maps.sum((1, 2, 3)), maps.sum((1, 2, 3)), rtol=1e-5)
    same = (flipped == photos).all((1, 2, 3))
    mirrored = (flipped == photos[:, :, ::-1]).all((1, 2, 3))
    assert (same | mirrored).all()
    assert 16 < int(mirrored.sum()) < 48


def test_a_crop_has_its_share_and_falls_everywhere():
    photos, maps = photos_and_maps(200)
    cut, cut_maps = ds.Augment(flip=False, crop=0.5).apply(jax.random.key(0), photos, maps)
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
    first = ds.Augment(crop=0.5).apply(jax.random.key(1), photos, maps)
    again = ds.Augment(crop=0.5).apply(jax.random.key(1), photos, maps)
    other = ds.Augment(crop=0.5).apply(jax.random.key(2), photos, maps)
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != other[0]).any()


def test_a_crop_out_of_range_reads_as_intended():
    with pytest.raises(ds.SettingError) as caught:
        ds.Augment(crop=0)
    assert str(caught.value) == (
        "The crop is 0. Expected a share above 0 and at most 1. 0.5 is usual."
    )
