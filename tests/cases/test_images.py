"""Images as people have them: turned by EXIF, of more than 8 bits, or no images at all.

The inputs of shared/cases/training/05_make_images.py and 05_read_images.py are built here as well.
"""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Transpose

import downslope as ds
from downslope.cli.inputs import read_inputs
from downslope.data.photos import photo_size, read_photo
from downslope.data.readers.image_file import FORMATS, read_header
from downslope.data.readers.image_set import look_at, read_pixels
from downslope.errors import DataError
from downslope.runs.run_folder import DataSummary
from tests.plain import PLAIN

UP = np.full((24, 16, 3), 60, np.uint8)
UP[:12, :8] = [250, 10, 10]
UP[12:, 8:] = [10, 10, 250]
RAMP = np.linspace(0, 1, 24 * 16).reshape(24, 16)
STORED = {
    1: None,
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}
LOSSLESS = {"webp": {"lossless": True}, "jpg": {"quality": 98, "subsampling": 0}}


def stored(path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image, turn = Image.fromarray(UP), STORED[orientation]
    image = image if turn is None else image.transpose(turn)
    image.save(path, exif=exif, **LOSSLESS.get(path.suffix[1:], {}))
    return path


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_upright_once_whatever_the_format(tmp_path, ending, orientation):
    path = stored(tmp_path / f"a.{ending}", orientation)
    assert look_at(path)[:2] == photo_size(path) == (16, 24)
    for pixels in (read_pixels(path, 24, 16, "RGB"), read_photo(path, 24)):
        assert np.abs(pixels.astype(float) - UP).mean() < 1


DEEP = {
    "u16.png": (RAMP * 65535).astype(np.uint16),
    "u16.tif": (RAMP * 65535).astype(np.uint16),
    "u12in16.png": (RAMP * 4095).astype(np.uint16),
    "u10in16.tif": (RAMP * 1023).astype(np.uint16),
    "dark16.png": (RAMP * 218).astype(np.uint16),
    "i32.tif": (RAMP * 6_553_500).astype(np.int32),
    "far32.tif": (1_000_000_000 + RAMP * 3000).astype(np.int32),
    "below.tif": (RAMP * 4000 - 1024).astype(np.int32),  # as in tomography
    "f01.tif": RAMP.astype(np.float32),
    "f255.tif": (RAMP * 255).astype(np.float32),
    "metres.tif": (RAMP * 812.5 - 30).astype(np.float32),
}


@pytest.mark.parametrize("name", DEEP)
def test_every_level_is_kept(tmp_path, name):
    path = tmp_path / name
    Image.fromarray(DEEP[name]).save(path)
    levels = len(np.unique(DEEP[name]))
    assert look_at(path).is_grey
    for pixels in (read_pixels(path, 24, 16, "L"), read_photo(path, 24)[..., 0]):
        assert len(np.unique(pixels)) == levels
        assert np.corrcoef(pixels.ravel(), RAMP.ravel())[0, 1] > 0.9999
        assert -0.001 <= pixels.min() <= pixels.max() <= 255.001


def test_unsigned_32_bits_do_not_wrap(tmp_path):
    values = (RAMP * (2**32 - 1)).astype(np.uint32)
    header = struct.pack("<2sHI", b"II", 42, 8)
    tags = [(256, 16), (257, 24), (258, 32), (259, 1), (262, 1), (273, 200), (277, 1), (278, 24)]
    tags += [(279, values.nbytes)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = header + struct.pack("<H", len(tags)) + entries + bytes(4)
    path = tmp_path / "u32.tif"
    path.write_bytes(head.ljust(200, b"\0") + values.astype("<u4").tobytes())
    pixels = read_pixels(path, 24, 16, "L")
    assert np.corrcoef(pixels.ravel(), RAMP.ravel())[0, 1] > 0.9999
    assert len(np.unique(pixels)) == 384


def png16(path, values):
    """A PNG of 16 bits and three or four channels, which Pillow cannot write."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    height, width, channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    return path


def test_colours_of_16_bits(tmp_path):
    twelve = (np.stack([RAMP, RAMP[::-1], RAMP / 2], -1) * 4095).astype(np.uint16)
    path = png16(tmp_path / "rgb12.png", twelve)
    expected = twelve / 4095 * 255
    np.testing.assert_allclose(read_pixels(path, 24, 16, "RGB"), expected, atol=1e-3)
    np.testing.assert_allclose(read_photo(path, 24), expected, atol=1e-3)
    clear = np.dstack([twelve, np.full((24, 16), 65535)])
    clear[:12, :, 3] = 0
    pixels = read_pixels(png16(tmp_path / "rgba12.png", clear), 24, 16, "RGB")
    assert pixels[:12].max() == 0
    assert pixels[12:].max() > 200


def test_the_range_is_decided_once_and_kept(tmp_path):
    """A dark image of a 12-bit camera is dark in training and in `predict`."""
    rng = np.random.default_rng(0)
    for number in range(12):
        for name, top in (("bright", 4000), ("dark", 300)):
            path = tmp_path / "data" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, top, (8, 8)).astype(np.uint16)).save(path)
    data = ds.load(tmp_path / "data")
    assert dict(data.ranges) == {"whole": (0, 4095)}
    assert "4,095 for white" in data.notes[0]
    dark = data.train.inputs[data.train.targets == 1]
    assert dark.max() < 300 / 4095 * 255 + 1
    run = ds.train(
        ds.Network([ds.Flatten(), ds.Dense(2)]), data, options=PLAIN, epochs=20, batch_size=4
    )
    run.save(tmp_path / "run")
    card = ds.open_run(tmp_path / "run").data
    assert card.ranges == {"whole": (0, 4095)}
    lone = tmp_path / "lone.png"
    Image.fromarray(rng.integers(0, 250, (8, 8)).astype(np.uint16)).save(lone)
    (one,) = read_inputs(lone, card)
    assert one.values.max() < 17
    assert run.predict(one.values[None])[0] == 1


def test_other_colours(tmp_path):
    image = Image.fromarray(UP)
    image.quantize(8).save(tmp_path / "pal.png")
    image.convert("CMYK").save(tmp_path / "cmyk.tif")
    image.convert("YCbCr").save(tmp_path / "ycc.tif")
    image.convert("LAB").save(tmp_path / "lab.tif")
    image.save(tmp_path / "a.jfif", "JPEG", quality=98, subsampling=0)
    image.save(tmp_path / "a.ppm")
    image.save(tmp_path / "anim.gif", save_all=True, append_images=[Image.fromarray(255 - UP)])
    for path in tmp_path.iterdir():
        assert np.abs(read_pixels(path, 24, 16, "RGB").astype(float) - UP).mean() < 3, path


def test_a_pixel_that_is_no_number_is_told(tmp_path):
    values = np.ones((8, 8), np.float32)
    values[3, 3] = np.nan
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(6):
            Image.fromarray(values).save(tmp_path / name / f"{number}.tif")
    with pytest.raises(DataError, match="has a pixel that is no finite number"):
        ds.load(tmp_path)


ENDLESS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\n{ } loop\n"


@pytest.mark.parametrize("content", [ENDLESS, b"\xc5\xd0\xd3\xc6" + bytes(26) + ENDLESS])
def test_no_image_starts_another_program(tmp_path, monkeypatch, content):
    """An EPS that is called .jpg: Pillow would hand it to Ghostscript."""
    (tmp_path / "bin").mkdir()
    for name in ("gs", "gswin64c", "gswin32c"):
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    for ending in ("jpg", "png", "tif", "ppm"):
        path = tmp_path / f"a.{ending}"
        path.write_bytes(content)
        for read in (look_at, lambda one: read_pixels(one, 8, 8, "RGB"), photo_size, read_header):
            with pytest.raises(DataError, match="cannot be read"):
                read(path)
        with pytest.raises(DataError, match="cannot be read"):
            read_photo(path, 16)
    for name in "ab":
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "1.jpg").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        ds.load(tmp_path / "data")
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("kind", ["PCX", "TGA", "ICO", "SGI", "DDS", "PSD", "XBM"])
def test_formats_that_are_not_documented_are_refused(tmp_path, kind):
    path = tmp_path / "a.png"
    if kind == "PSD":
        path.write_bytes(b"8BPS\0\1" + bytes(40))
    else:
        Image.fromarray(UP).convert("1" if kind == "XBM" else "RGB").save(path, kind)
    assert kind not in FORMATS
    with pytest.raises(DataError, match="Expected a whole image file: JPEG, PNG"):
        read_pixels(path, 8, 8, "RGB")


def test_one_place_opens_images():
    from pathlib import Path

    root = Path(ds.__file__).parent
    opening = [path.name for path in root.rglob("*.py") if "Image.open(" in path.read_text()]
    # pages.py opens the pictures that it has just drawn
    assert sorted(opening) == ["image_file.py", "pages.py"]


def test_a_card_remembers_its_ranges():
    assert "ranges" in DataSummary.__dataclass_fields__
