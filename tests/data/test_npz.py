"""Samples in NumPy's files."""

import numpy as np
import pytest

import downslope as ds
from downslope.errors import DataError, SettingError
from tests.plain import PLAIN

DRAW = np.random.default_rng(0)
IMAGES = DRAW.integers(0, 256, (60, 8, 12), np.uint8)
FEATURES = DRAW.normal(size=(60, 4))
DIGITS = np.arange(60) % 3
NAMES = np.array(["cat", "dog"])[np.arange(60) % 2]


def saved(folder, **arrays):
    path = folder / "a.npz"
    np.savez_compressed(path, **arrays)
    return path


def message(path, kind=DataError, **options):
    with pytest.raises(kind) as caught:
        ds.load(path, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "shape"),
    [
        (FEATURES, (4,)),
        (FEATURES[:, 0], (1,)),
        (IMAGES, (8, 12, 1)),
        (IMAGES[..., None].repeat(3, -1), (8, 12, 3)),
        (IMAGES[:, None].repeat(3, 1), (8, 12, 3)),
        (IMAGES > 9, (8, 12, 1)),
    ],
    ids=["features", "one feature", "grey", "colour", "channels first", "bits"],
)
def test_inputs_of_many_shapes(inputs, shape, tmp_path):
    data = ds.load(saved(tmp_path, X=inputs, y=DIGITS))
    assert (data.name, data.input_shape) == ("a", shape)
    assert data.sizes == {"train": 42, "validation": 6, "test": 12}
    assert ds.load(data.source, **data.options).fingerprint == data.fingerprint


@pytest.mark.parametrize(
    ("targets", "task", "names"),
    [
        (DIGITS, "classification", ("0", "1", "2")),
        (DIGITS[:, None].astype(np.uint8), "classification", ("0", "1", "2")),
        (np.eye(3)[DIGITS], "classification", ("0", "1", "2")),
        (NAMES, "classification", ("cat", "dog")),
        (NAMES.astype("S"), "classification", ("cat", "dog")),
        (DIGITS > 0, "classification", ("false", "true")),
        (FEATURES[:, 0], "regression", ()),
        (FEATURES[:, 0].astype(np.float16), "regression", ()),
        (FEATURES[:, :2], "regression", ()),
        (np.arange(60), "regression", ()),
    ],
    ids=["int", "int2", "onehot", "str", "bytes", "bool", "float", "half", "floats", "counting"],
)
def test_targets_of_many_types(targets, task, names, tmp_path):
    data = ds.load(saved(tmp_path, data=IMAGES, target=targets))
    assert (data.task, data.class_names) == (task, names)
    whole = np.concatenate([data.train.targets, data.validation.targets, data.test.targets])
    if task == "classification":
        assert sorted(np.bincount(whole)) == sorted(
            np.unique(targets, axis=0, return_counts=True)[1]
        )
    else:
        expected = targets.reshape(60, -1).astype(np.float64)
        np.testing.assert_array_equal(np.sort(whole, 0), np.sort(expected, 0))


@pytest.mark.parametrize("name", ["{kind}_{part}", "{part}_{kind}", "{kind}_{part}".upper()])
def test_parts_of_their_own(name, tmp_path):
    arrays = {
        name.replace("{PART}", part.upper())
        .replace("{KIND}", kind.upper())
        .format(part=part, kind=kind): array[:count]
        for part, count in (("train", 40), ("test", 9), ("val", 10))
        for kind, array in (("images", IMAGES), ("labels", DIGITS[:, None]))
    }
    data = ds.load(saved(tmp_path, **arrays))
    assert data.sizes == {"train": 45, "validation": 5, "test": 9}
    np.testing.assert_array_equal(data.test.inputs[..., 0], IMAGES[:9])
    np.testing.assert_array_equal(data.test.targets, DIGITS[:9])


def test_the_file_of_keras(tmp_path):
    path = saved(tmp_path, x_train=IMAGES, y_train=DIGITS, x_test=IMAGES[:6], y_test=DIGITS[:6])
    data = ds.load(path)
    assert data.sizes == {"train": 54, "validation": 6, "test": 6}
    run = ds.train(ds.Network([ds.Flatten(), ds.Dense(3)]), data, options=PLAIN, epochs=1)
    assert run.predict(data.test.inputs).shape == (6,)


def test_pickled_objects_are_never_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return exit, ()

    labels = np.empty(60, object)
    labels[:] = [Trap()] * 60
    path = saved(tmp_path, X=IMAGES, y=labels)
    assert message(path) == (
        f"The array y of {path} holds Python objects, which could run any program when they are "
        "read. Expected numbers or texts. Write it again with a dtype of its own, such as "
        "array.astype(str)."
    )


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (
            {"a": IMAGES, "b": DIGITS},
            "{path} holds the arrays a, b. Expected the arrays X and y; or x_train, y_train, "
            "x_test and y_test. Save them under these names.",
        ),
        (
            {"X": IMAGES},
            "{path} holds the arrays X. Expected the arrays X and y; or x_train, y_train, x_test "
            "and y_test. Save them under these names.",
        ),
        (
            {"X": IMAGES, "y": DIGITS[:59]},
            "In {path} the array X has 60 samples and y has 59. Expected a target for each input, "
            "and at least one. Keep the arrays of one data set together; the first axis counts "
            "the samples.",
        ),
        (
            {"X": IMAGES[:0], "y": DIGITS[:0]},
            "In {path} the array X has 0 samples and y has 0. Expected a target for each input, "
            "and at least one. Keep the arrays of one data set together; the first axis counts "
            "the samples.",
        ),
        (
            {"X": np.where(FEATURES[3, 0] == FEATURES, np.nan, FEATURES), "y": DIGITS},
            "Row 4 of the array X of {path} has a value that is not a finite number. Expected "
            "finite numbers, of at most 3.4e38. Fill in what is missing, or leave the row out.",
        ),
        (
            {"X": np.where(FEATURES[3, 0] == FEATURES, 1e39, FEATURES), "y": DIGITS},
            "Row 4 of the array X of {path} has a value that is not a finite number. Expected "
            "finite numbers, of at most 3.4e38. Fill in what is missing, or leave the row out.",
        ),
        (
            {"X": IMAGES[..., None, None], "y": DIGITS},
            "The array X of {path} has the shape (60, 8, 12, 1, 1). Expected (N, F) for features, "
            "(N, H, W) or (N, H, W, channels) for images with 1, 3 or 4 channels. Save it in one "
            "of these shapes.",
        ),
        (
            {"X": NAMES, "y": DIGITS},
            "The array X of {path} holds values of type <U3. Expected numbers. Save texts as a "
            "table; save numbers with a dtype such as float32.",
        ),
        (
            {"X": IMAGES, "y": DIGITS * 1j},
            "The array y of {path}, complex128 of shape (60,), cannot be learnt. Expected a class "
            "or finite numbers for each sample. Save whole numbers, texts or float32.",
        ),
        (
            {"X": IMAGES, "y": DIGITS * 0},
            "The column 'y' has the same value in every row. Expected a target with at least two "
            "values. Name another column with --target.",
        ),
        (
            {"x_train": IMAGES, "y_train": DIGITS, "x_test": IMAGES[:, 1:], "y_test": DIGITS},
            "In {path} the inputs of the parts have the shapes (8, 12, 1) and (7, 12, 1). Expected "
            "inputs of one shape. Keep the arrays of one data set together.",
        ),
        (
            {"x_train": IMAGES, "y_train": DIGITS % 2, "x_test": IMAGES, "y_test": DIGITS},
            "The test part has the class '2'. Expected the classes of the training part: 0, 1. "
            "Correct it, or add training samples of it.",
        ),
    ],
    ids=range(12),
)
def test_arrays_that_are_no_data_set(arrays, said, tmp_path):
    path = saved(tmp_path, **arrays)
    assert message(path) == said.format(path=path)


def test_columns_have_no_meaning_here(tmp_path):
    path = saved(tmp_path, X=IMAGES, y=DIGITS)
    assert message(path, SettingError, target="y") == (
        "A target or column types were given, and a.npz holds arrays. Expected a table (.csv, "
        ".tsv, .parquet or .arrow). Leave them out; --task says whether classes or numbers are "
        "learnt."
    )
    assert ds.load(path, task="regression").task == "regression"


@pytest.mark.parametrize(
    ("images", "white"),
    [(IMAGES, 255), (IMAGES / 255, 1), (IMAGES / 2.0, 255), (IMAGES / 255 - 0.5, 0)],
    ids=["bytes", "shares", "floats", "centred"],
)
def test_what_white_is(images, white, tmp_path):
    assert ds.load(saved(tmp_path, X=images, y=DIGITS)).white == white
