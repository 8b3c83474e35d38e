"""Photos come upright, in colour, shrunk, and broken ones are named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from downslope.data.photos import fitted_size, photo_size, read_photo, working_side
from downslope.errors import DataError, SettingError

RAMP = np.linspace(0, 255, 64 * 96 * 3).reshape(64, 96, 3).astype(np.uint8)


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("longer", "side"),
    [
        (640, 320),
        (1024, 512),
        (256, 256),
        (2048, 512),
        (400, 400),
        (401, 200),
        (512, 256),
        (1025, 512),
        (4000, 500),
        (1, 1),
    ],
)
def test_working_side(longer, side):
    assert working_side(longer) == side


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(8, 2000))
def test_fitted_sides_are_multiples_of_8_and_fit(width, height, side):
    across, down = fitted_size(width, height, side)
    assert across % 8 == down % 8 == 0
    assert min(across, down) >= 8
    assert max(across, down) <= side
    if min(width, height) >= 100 and side >= 1000 and max(width, height) <= side:
        assert abs(across - width) <= 8
        assert abs(down - height) <= 8


def test_fitted_size_of_the_real_sets():
    assert fitted_size(1024, 768, 512) == (512, 384)
    assert fitted_size(640, 480, 320) == (320, 240)
    assert fitted_size(256, 192, 256) == (256, 192)


def test_pixels_are_kept_where_nothing_has_to_shrink(tmp_path):
    np.testing.assert_array_equal(read_photo(save(tmp_path / "a.png", RAMP), 96), RAMP)


def test_halving_a_png_averages_four_pixels(tmp_path):
    small = read_photo(save(tmp_path / "a.png", RAMP), 48)
    expected = RAMP.reshape(32, 2, 48, 2, 3).mean(axis=(1, 3))
    assert small.shape == (32, 48, 3)
    assert abs(small - expected).max() < 1  # Pillow rounds after each direction


def test_halving_a_jpeg_while_decoding_looks_the_same(tmp_path):
    path = save(tmp_path / "a.jpg", RAMP, quality=95)
    assert abs(read_photo(path, 48).astype(int) - read_photo(path, 96)[::2, ::2]).max() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.png", RAMP, exif=exif)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read_photo(path, 96), expected)
    assert photo_size(path) == expected.shape[1::-1]


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_other_colours_become_rgb(tmp_path, mode):
    path = tmp_path / "a.tif"
    Image.fromarray(RAMP).convert(mode).save(path)
    assert read_photo(path, 96).shape == (64, 96, 3)


def test_sixteen_bits_keep_their_range(tmp_path):
    grey = (np.arange(64 * 64).reshape(64, 64) * 16).astype(np.uint16)
    read = read_photo(save(tmp_path / "a.png", grey), 64)
    np.testing.assert_allclose(read[..., 0], grey / 65_535 * 255, rtol=1e-6)


def check_unreadable(path):
    with pytest.raises(DataError) as caught:
        read_photo(path, 96)
    assert str(caught.value) == (
        f"The photo {path} cannot be read. Expected a whole image file: "
        "JPEG, PNG, GIF, BMP, WebP, TIFF, PPM or AVIF. "
        "Open it in an image viewer; replace or remove it if it is broken."
    )
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_cut_off_photo(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, RAMP.shape, dtype=np.uint8)
    path = save(tmp_path / f"a.{kind}", noise)
    path.write_bytes(path.read_bytes()[:2000])
    check_unreadable(path)


def test_no_photo_at_all(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_text("hello")
    check_unreadable(path)
    path.unlink()
    path.mkdir()
    check_unreadable(path)


def test_a_missing_photo(tmp_path):
    with pytest.raises(DataError) as caught:
        read_photo(tmp_path / "a.jpg", 96)
    assert str(caught.value) == (
        f"There is no photo {tmp_path / 'a.jpg'}. Expected an image file. Check the path."
    )


@pytest.mark.parametrize("limit", [6100, 1000])
def test_too_many_pixels(tmp_path, monkeypatch, limit):
    path = save(tmp_path / "a.png", RAMP)
    monkeypatch.setenv("DOWNSLOPE_MAX_GIB", str(12 * limit / 2**30))
    with pytest.raises(DataError, match="has 6,144 pixels, too many to be opened safely"):
        read_photo(path, 96)
    monkeypatch.setenv("DOWNSLOPE_MAX_GIB", str(12 * 6145 / 2**30))
    assert read_photo(path, 96).shape == RAMP.shape


def test_a_side_of_nothing():
    with pytest.raises(SettingError) as caught:
        fitted_size(64, 64, 7)
    assert str(caught.value) == (
        "The longer side of photos is set to 7 pixels. Expected at least 8. "
        "Use 256 or 512 to begin with."
    )
