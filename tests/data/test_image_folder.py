"""Folders of images, a sub-folder per class."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import downslope as ds
from downslope.data.readers.image_set import look_at, read_pixels
from downslope.errors import DataError
from tests.plain import PLAIN

RNG = np.random.default_rng(0)
COLOURS = {"blue": (20, 30, 220), "red": (230, 20, 10)}


def draw(path, size=(12, 8), colour=(200, 0, 0), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = RNG.integers(0, 20, (size[1], size[0], 3))
    image = Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8))
    image.convert(mode).save(path)
    return path


def folder(path, count=12, parts=("",), **options):
    for part in parts:
        for name, colour in COLOURS.items():
            for index in range(count):
                draw(path / part / name / f"{index}.png", colour=colour, **options)
    return path


def message(path):
    with pytest.raises(DataError) as caught:
        ds.load(path)
    return str(caught.value)


def test_the_folders_are_the_classes(tmp_path):
    data = ds.load(folder(tmp_path / "paint"))
    assert (data.name, data.class_names) == ("paint", ("blue", "red"))
    assert data.input_shape == (8, 12, 3)
    assert sum(data.sizes.values()) == 24
    assert data.notes == ()
    for part in (data.train, data.validation, data.test):
        is_red = part.inputs[..., 0].mean(axis=(1, 2)) > 128
        np.testing.assert_array_equal(part.targets, is_red)
    assert ds.load(data.source, **data.options).fingerprint == data.fingerprint


def test_a_test_part_of_its_own(tmp_path):
    data = ds.load(folder(tmp_path, parts=("train", "test")))
    assert data.sizes["test"] == 24
    assert data.class_names == ("blue", "red")
    draw(tmp_path / "test" / "green" / "a.png")
    assert message(tmp_path) == (
        f"The test part {tmp_path / 'test'} has the class 'green'. Expected the classes of the "
        "training part: blue, red. Rename it, or add training images of it."
    )


def test_sizes_are_made_one(tmp_path):
    folder(tmp_path, size=(200, 100))
    draw(tmp_path / "red" / "tall.jpg", size=(50, 300))
    (tmp_path / "red" / "notes.txt").write_text("x")
    data = ds.load(tmp_path)
    assert data.input_shape == (32, 64, 3)
    assert data.notes == (
        "25 images were brought to 64 by 32 pixels.",
        "Found and not used: notes.txt. Images are JPEG, PNG, GIF, BMP, WebP, TIFF, PPM or AVIF.",
    )
    assert ds.load(tmp_path, photo_side=40).input_shape == (20, 40, 3)


def test_grey_stays_grey(tmp_path):
    assert ds.load(folder(tmp_path, mode="L")).input_shape == (8, 12, 1)


def test_pixels_are_upright_and_opaque(tmp_path):
    path = draw(tmp_path / "a.jpg", size=(30, 10))
    image = Image.open(path)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(path, exif=exif)
    assert look_at(path) == (10, 30, False, "bytes")
    assert read_pixels(path, 30, 10, "RGB").shape == (30, 10, 3)
    Image.new("RGBA", (4, 4), (255, 255, 255, 0)).save(tmp_path / "b.png")
    assert read_pixels(tmp_path / "b.png", 4, 4, "L").max() == 0
    Image.fromarray(np.full((4, 4), 65_535, np.uint16)).save(tmp_path / "c.png")
    assert read_pixels(tmp_path / "c.png", 4, 4, "L").min() == 255


def test_broken_images(tmp_path, monkeypatch):
    path = folder(tmp_path) / "red" / "0.png"
    path.write_bytes(path.read_bytes()[:60])
    assert message(tmp_path) == (
        f"The image {path} cannot be read. Expected a whole image file: "
        "JPEG, PNG, GIF, BMP, WebP, TIFF, PPM or AVIF. "
        "Open it in an image viewer; replace or remove it if it is broken."
    )
    path.write_bytes(b"no image")
    assert message(tmp_path).startswith(f"The image {path} cannot be read. ")
    draw(path)
    monkeypatch.setenv("DOWNSLOPE_MAX_GIB", str(12 * 50 / 2**30))
    assert "has 96 pixels, too many to be opened safely. Expected at most 0 million" in message(
        tmp_path
    )


def test_links_in_a_circle(tmp_path):
    folder(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "red" / "loop.png").symlink_to(tmp_path / "red" / "loop.png")
    assert message(tmp_path).startswith(f"The image {tmp_path / 'red' / 'loop.png'} cannot be read")


def test_a_network_learns_them(tmp_path):
    data = ds.load(folder(tmp_path))
    network = ds.Network([ds.Flatten(), ds.Dense(2)])
    run = ds.train(network, data, options=PLAIN, epochs=20, batch_size=4, learning_rate=0.01)
    assert run.test()["accuracy"] == 1.0


def test_an_image_of_too_many_pixels_word_for_word(tmp_path):
    """A header that claims 30,000 by 30,000 pixels, in a file of a few bytes."""
    import struct
    import zlib

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    path = folder(tmp_path) / "red" / "0.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    assert message(tmp_path) == (
        f"The image {path} has 900 million pixels, too many to be opened safely. Expected at most "
        "89 million pixels. Save a smaller copy of it, or, if it is meant to be so large, set the "
        "environment variable DOWNSLOPE_MAX_GIB=11."
    )


def test_a_jpeg_cut_short(tmp_path):
    path = draw(folder(tmp_path) / "red" / "x.jpg", size=(64, 64))
    path.write_bytes(path.read_bytes()[:-200])
    assert message(tmp_path) == (
        f"The image {path} cannot be read. Expected a whole image file: "
        "JPEG, PNG, GIF, BMP, WebP, TIFF, PPM or AVIF. Open it in an image "
        "viewer; replace or remove it if it is broken."
    )


def test_nothing_is_printed_beside_the_message(tmp_path):
    """Pillow logs what it dislikes, which Python shows where nobody has set up logging."""
    path = draw(tmp_path / "a.tif")
    samples = b"\x15\x01\x03\x00\x01\x00\x00\x00"  # the field of samples per pixel
    content = path.read_bytes()
    assert samples + b"\x03" in content
    path.write_bytes(content.replace(samples + b"\x03\x00", samples + b"\x03\x08"))
    code = (
        "import sys; from pathlib import Path\n"
        "from downslope.data.readers.image_set import look_at\n"
        "try: look_at(Path(sys.argv[1]))\n"
        "except Exception as error: print(type(error).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("DataError\n", "")


def test_validation_images_beside_a_test_part_are_not_lost(tmp_path):
    data = ds.load(folder(tmp_path, parts=("train", "val", "test")))
    assert data.sizes == {"train": 43, "validation": 5, "test": 24}
