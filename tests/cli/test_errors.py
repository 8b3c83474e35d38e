"""Every mistake of a user ends in one message, word for word, and exit code 2."""

import errno
import json
import os

import numpy as np
import pytest

from tests.cli.folders import photo, shanghaitech

NAMES = "digits, spam, crowd, crowd-counts, circles, xor, moons, spirals, blobs, waves"
LAYOUTS = (
    "images/IMG_1.jpg with ground-truth/GT_IMG_1.mat (ShanghaiTech), "
    "frames/seq_000001.jpg with mall_gt.mat (Mall), "
    "photos with heads.csv or heads.json, "
    "train-images-idx3-ubyte with train-labels-idx1-ubyte (MNIST), "
    "images with a table that names them and their labels, "
    "or a folder of images for each class, such as cats/1.jpg and dogs/2.jpg"
)


def test_unknown_data(refused):
    assert refused("train", "digit") == (
        f"There is no data set 'digit'. Expected one of the built-in data sets ({NAMES}), or the "
        "path of a file or folder. Did you mean 'digits'?"
    )


def test_missing_path(refused, tmp_path):
    assert refused("train", tmp_path / "nowhere") == (
        f"There is no folder {tmp_path}/nowhere. Expected a file or folder that is there, or "
        f"one of the built-in data sets: {NAMES}. Check the path."
    )


def test_empty_folder(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    assert refused("train", tmp_path / "empty") == (
        f"The folder {tmp_path}/empty is empty. Expected {LAYOUTS}. "
        "Check the path, or add the files."
    )


def test_photo_without_labels(refused, tmp_path):
    folder = shanghaitech(tmp_path / "street", 3)
    (folder / "ground-truth" / "GT_IMG_2.mat").unlink()
    assert refused("train", folder) == (
        f"1 photo has no labels: {folder}/images/IMG_2.jpg. Expected ground-truth/GT_IMG_2.mat "
        "beside images/IMG_2.jpg. Add what is missing, or remove what is too many."
    )


def test_labels_without_photo(refused, tmp_path):
    folder = shanghaitech(tmp_path / "street", 3)
    (folder / "images" / "IMG_2.jpg").unlink()
    assert refused("train", folder) == (
        f"1 label file has no photo: {folder}/ground-truth/GT_IMG_2.mat. Expected "
        "images/IMG_2.jpg beside ground-truth/GT_IMG_2.mat. "
        "Add what is missing, or remove what is too many."
    )


def test_unreadable_image(refused, tmp_path, crowd_run):
    folder = shanghaitech(tmp_path / "street", 3)
    broken = folder / "images" / "IMG_2.jpg"
    broken.write_bytes(broken.read_bytes()[:200])
    message = (
        f"The photo {broken} cannot be read. Expected a whole image file: JPEG, PNG, GIF, BMP, "
        "WebP, TIFF, PPM or AVIF. "
        "Open it in an image viewer; replace or remove it if it is broken."
    )
    assert refused("train", folder) == message
    assert refused("count", crowd_run, broken) == message


def test_network_that_does_not_fit(refused):
    assert refused("train", "xor", "--network", "dense 8 relu, dense 3") == (
        "The network's last layer gives outputs of shape (3,). Expected (2,) for xor with "
        "cross_entropy. There is one output per class: end with dense 2."
    )
    assert refused("train", "xor", "--network", "conv 8 3, flatten, dense 2").startswith(
        "Layer 1 (Conv2D) got inputs of shape (2,). Expected "
    )


def test_unknown_loss(refused):
    assert refused("train", "xor", "--loss", "squared_eror") == (
        "There is no loss called 'squared_eror'. Expected one of squared_error, absolute_error, "
        "huber, cross_entropy, binary_cross_entropy, poisson. Did you mean 'squared_error'?"
    )


def test_unknown_optimizer(refused):
    assert refused("train", "xor", "--optimizer", "lion") == (
        "There is no optimizer called 'lion'. Expected one of sgd, momentum, nesterov, rmsprop, "
        "adam, adamw. The nearest that there is: 'adam'. From Python an optax transformation can "
        "be given."
    )


@pytest.mark.parametrize("rate", ["0", "-0.1", "nan"])
def test_learning_rate(refused, rate):
    assert refused("train", "xor", "--learning-rate", rate) == (
        f"The learning rate is {float(rate)}. Expected a number above 0. "
        "Try 0.1 for sgd or 0.001 for adam."
    )


def test_batch_larger_than_the_data(refused, tmp_path):
    assert refused("train", "xor", "--batch-size", "561") == (
        "The batch size is 561, and there are 560 training samples. Expected at most 560. "
        'Choose a smaller batch, or "full" for all samples.'
    )
    assert not (tmp_path / "runs").exists()


def test_output_folder_below_a_file(refused, tmp_path):
    (tmp_path / "file").write_text("")
    assert refused("train", "xor", "--out", tmp_path / "file" / "run") == (
        f"A part of the path is a file: {tmp_path}/file/run cannot be written. "
        "Expected a folder. Choose another folder."
    )


def test_output_folder_not_empty(refused, tmp_path):
    (tmp_path / "file").write_text("")
    assert refused("train", "xor", "--out", tmp_path) == (
        f"The folder {tmp_path} is not empty. Expected a new or empty folder. "
        "Choose another; nothing is ever overwritten."
    )


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_output_folder_that_nobody_can_write(refused):
    message = refused("train", "xor", "--out", "/proc/downslope")
    assert "/proc/downslope cannot be written. Expected a folder that can be written." in message


def refuse_to_sync(monkeypatch, after: int):
    """From the `after`-th file on, the disk is full."""
    calls = iter(range(1000))

    def fsync(descriptor):
        if next(calls) >= after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("words", [(), ("--out", "mine")])
def test_disk_full_before_the_training(refused, tmp_path, monkeypatch, words):
    refuse_to_sync(monkeypatch, after=0)
    message = refused("train", "xor", *words)
    assert message.startswith("The disk is full: ")
    assert message.endswith(
        " cannot be written. Expected free space on it. Free some space and try again."
    )
    assert list(tmp_path.iterdir()) == []


def test_disk_full_after_the_training(refused, call, tmp_path, monkeypatch):
    replace = os.replace

    def full(source, target):
        if target.name == "weights.safetensors":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    assert refused("train", "xor", "--epochs", 1, "--network", "dense 2") == (
        f"The disk is full: {tmp_path}/runs/xor-1/weights.safetensors cannot be written. "
        "Expected free space on it. Free some space and try again. The training is whole up to "
        f"step 18: go on from there with: downslope resume {tmp_path}/runs/xor-1."
    )
    monkeypatch.setattr(os, "replace", replace)
    made = json.loads(call("resume", "runs/xor-1", "--json", "--no-pictures").stdout)
    assert (made["outcome"]["reason"], made["steps"]) == ("epochs", 18)


@pytest.mark.parametrize("command", [("test",), ("predict", "x.csv"), ("count", "x.jpg")])
def test_not_a_run_folder(refused, tmp_path, command):
    (tmp_path / "folder").mkdir()
    message = (
        "Expected the folder of a run, such as runs/digits-1. "
        "Train one with: downslope train digits."
    )
    name, *rest = command
    assert refused(name, "folder", *rest) == f"{tmp_path}/folder has no run.json. {message}"
    assert refused(name, "nowhere", *rest) == f"{tmp_path}/nowhere does not exist. {message}"


def test_inputs_of_the_wrong_shape(refused, tmp_path, xor_run):
    np.save("wide.npy", np.zeros((5, 3)))
    assert refused("predict", xor_run, "wide.npy") == (
        "wide.npy holds an array of shape (5, 3). Expected numbers of shape (rows, 2), as in xor. "
        "Give one row per sample, as the run was trained."
    )
    (tmp_path / "wide.csv").write_text("1,2,3\n")
    assert refused("predict", xor_run, "wide.csv") == (
        "wide.csv holds an array of shape (1, 3). Expected numbers of shape (rows, 2), as in xor. "
        "Give one row per sample, as the run was trained."
    )
    photo(tmp_path / "photo.png")
    assert refused("predict", xor_run, "photo.png") == (
        "photo.png is no table, and the run was not trained on images. "
        "Expected a table (.csv, .npy or .npz). Give one row per sample, as the run was trained."
    )


def test_inputs_that_are_not_there(refused, xor_run):
    assert refused("predict", xor_run, "x.csv") == (
        "There is no file x.csv. Expected a table (.csv, .npy, .npz) or an image. Check the path."
    )


def test_counting_with_a_run_that_does_not_count(refused, xor_run):
    assert refused("count", xor_run, "x.jpg") == (
        f"The run in {xor_run} was trained for classification. Expected a run that counts people. "
        "Train one with: downslope train crowd. For other runs use: downslope predict."
    )


def test_other_data_that_does_not_fit(refused, xor_run):
    assert refused("test", xor_run, "--data", "waves") == (
        "waves is for regression, and the run was trained for classification. "
        "Expected data for classification, as xor. "
        "Choose other data, or train on this data first."
    )
    assert refused("test", xor_run, "--data", "digits") == (
        "The inputs of digits have shape (64,). Expected shape (2,), as in xor. "
        "Choose data with the inputs that the run was trained on."
    )
    assert refused("test", xor_run, "--data", "moons") == (
        "moons has the classes upper, lower. "
        "Expected the classes of xor: same signs, different signs. "
        "Choose data with the same classes in the same order."
    )


def test_several_mistakes_are_told_at_once_a_line_each(call):
    assert call(
        *("train", "moons", "--network", "dnse 3, dense 2 rlu", "--epochs", "0", "--patience", "0"),
        *("--learning-rate", "-1"),
    ).stderr == (
        "Error: 5 things are wrong.\n"
        "1. The patience is 0. Expected a whole number of at least 1. 5 to 20 epochs are usual.\n"
        "2. The network has a layer 'dnse 3'. Expected a layer: dense, conv, max_pool, "
        "average_pool, global_average_pool, global_max_pool, upsample, flatten, dropout, "
        "activation, batch_norm, layer_norm, group_norm, standardize, embed, embed_bag, "
        "piecewise, grouped, members, residual, parallel. Did you mean 'dense'?\n"
        "3. There is no activation called 'rlu'. Expected one of identity, sigmoid, tanh, relu, "
        "leaky_relu, elu, gelu, silu, softplus, softmax. Did you mean 'relu'?\n"
        "4. The learning rate is -1.0. Expected a number above 0. Try 0.1 for sgd or 0.001 for "
        "adam.\n"
        "5. The number of epochs is 0. Expected a whole number of at least 1. Try 20.\n"
    )


def test_what_does_not_suit_the_data_is_told_at_once(call):
    assert call(
        *("train", "digits", "--network", "dense 1 sigmoid", "--loss", "binary_cross_entropy"),
        *("--batch-size", "5000"),
    ).stderr.splitlines()[0::2] == [
        "Error: 4 things are wrong.",
        "2. The network's last layer gives outputs of shape (1,). Expected (10,) for digits with "
        "cross_entropy. There is one output per class: end with dense 10.",
        "4. The batch size is 5000, and there are 1258 training samples. Expected at most 1258. "
        'Choose a smaller batch, or "full" for all samples.',
    ]


def test_values_that_cannot_be_read_are_told_at_once(call):
    done = call("train", "moons", "--epochs", "x", "--batch-size", "y", "--task", "z")
    assert done.exit_code == 2
    assert [line for line in done.stderr.splitlines() if "Invalid value" in line] == [
        "Error: Invalid value for '--epochs': 'x' is not a valid integer.",
        "Invalid value for '--batch-size': 'y' is neither a whole number nor \"full\".",
        "Invalid value for '--task': 'z' is not one of 'classification', 'regression'.",
    ]
