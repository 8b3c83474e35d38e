"""Samples in memory: arrays, lists, frames and sparse matrices as users have them."""

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

import downslope as ds
from downslope.errors import DataError, SettingError

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(60, 4))
Y = np.arange(60) % 3
COLOURS = np.array(["red", "green", "blue"])[Y]
IMAGES = DRAW.integers(0, 256, (60, 8, 12), np.uint8)
TABLE = pa.table({"size": X[:, 0], "colour": COLOURS.tolist()})


def refused(call, kind=DataError) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    ("y", "task", "names"),
    [
        (Y, "classification", ("0", "1", "2")),
        (Y.tolist(), "classification", ("0", "1", "2")),
        (COLOURS, "classification", ("blue", "green", "red")),
        (COLOURS.tolist(), "classification", ("blue", "green", "red")),
        (pa.array(COLOURS.tolist()), "classification", ("blue", "green", "red")),
        (np.eye(3)[Y], "classification", ("0", "1", "2")),
        (Y > 0, "classification", ("false", "true")),
        ((Y > 0).astype(float), "classification", ("0", "1")),
        ((X > 0).astype(int), "multilabel", ("label 1", "label 2", "label 3", "label 4")),
        (X[:, 0], "regression", ()),
        (X[:, :1].astype(np.float16), "regression", ()),
        (X[:, :2].tolist(), "regression", ()),
        (np.arange(60), "regression", ()),
    ],
)
def test_what_is_learnt_is_told_apart_as_in_tables(y, task, names):
    data = ds.load((X, y))
    assert (data.task, data.class_names, data.input_shape) == (task, names, (4,))
    assert data.sizes == {"train": 42, "validation": 6, "test": 12}


def test_each_input_keeps_its_target():
    data = ds.load((np.arange(60.0), COLOURS))
    for part in (data.train, data.validation, data.test):
        found = np.array(data.class_names)[part.targets]
        np.testing.assert_array_equal(found, COLOURS[part.inputs[:, 0].astype(int)])


@pytest.mark.parametrize(
    ("inputs", "shape"),
    [
        (X[:, 0], (1,)),
        (X > 0, (4,)),
        (X.tolist(), (4,)),
        (sparse.csr_matrix(X), (4,)),
        (sparse.coo_array(X), (4,)),
        (IMAGES, (8, 12, 1)),
        (IMAGES[..., None].repeat(3, -1), (8, 12, 3)),
        (IMAGES[:, None].repeat(3, 1), (8, 12, 3)),
    ],
)
def test_inputs_of_many_shapes(inputs, shape):
    assert ds.load((inputs, Y)).input_shape == shape


def test_the_same_arrays_in_a_file_are_divided_alike(tmp_path):
    np.savez(tmp_path / "a.npz", X=X.astype(np.float32), y=Y)
    kept = ds.load(tmp_path / "a.npz")
    assert ds.load((X.astype(np.float32), Y)).fingerprint == kept.fingerprint


def test_frames_are_read_as_tables_are():
    data = ds.load((TABLE, Y))
    assert data.input_names == ("size", "colour = blue", "colour = green", "colour = red")
    assert data.target_names == ("y",)
    mixed = [[size, colour] for size, colour in zip(X[:, 0], COLOURS, strict=True)]
    named = ds.Dataset.from_arrays(mixed, Y, names=["size", "colour"])
    assert named.fingerprint == data.fingerprint
    assert named.input_names == data.input_names


@pytest.mark.peers
def test_frames_of_pandas_and_polars():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    whole = ds.load((TABLE, Y)).fingerprint
    frame = TABLE.to_pandas()
    order = DRAW.permutation(60)
    shuffled = frame.iloc[order], pandas.Series(Y)[order]  # their indices are no inputs
    assert ds.load((frame, pandas.Series(Y))).fingerprint == whole
    assert ds.load((polars.from_arrow(TABLE), polars.Series("y", Y))).fingerprint == whole
    assert ds.load(shuffled).input_names[0] == "size"
    assert len(ds.load(shuffled).input_names) == 4
    labels = pandas.Series(COLOURS, dtype="category")
    assert ds.load((X, labels)).class_names == ("blue", "green", "red")
    several = ds.load((frame, pandas.DataFrame({"a": X[:, 1], "b": X[:, 2]})))
    assert (several.task, several.target_names) == ("regression", ("a", "b"))
    again = ds.load(frame.assign(y=Y), target="y")
    assert again.fingerprint == whole


def test_parts_as_fractions_and_as_arrays():
    make = ds.Dataset.from_arrays
    assert make(X, Y, validation=0.3, test=0).sizes == {"train": 42, "validation": 18, "test": 0}
    data = make(X, Y, validation=(X[:6], Y[:6]), test=(X[:9], Y[:9]))
    assert data.sizes == {"train": 60, "validation": 6, "test": 9}
    np.testing.assert_array_equal(data.train.inputs, X)
    np.testing.assert_array_equal(data.test.inputs, X[:9])
    np.testing.assert_array_equal(data.validation.targets, Y[:6])
    table = make(TABLE, COLOURS, test=(TABLE[:9], COLOURS[:9]))
    assert table.sizes == {"train": 54, "validation": 6, "test": 9}
    assert table.test.inputs.shape == (9, 4)


def test_names_of_inputs_and_classes():
    make = ds.Dataset.from_arrays
    pets = ("cat", "dog", "emu")
    for y in (Y, np.eye(3)[Y], np.array(pets)[Y]):
        data = make(X, y, names=["a", "b", "c", "d"], class_names=pets, test=(X, y))
        assert (data.class_names, data.input_names) == (pets, ("a", "b", "c", "d"))
        np.testing.assert_array_equal(data.test.targets, Y)
    assert make(X, ["no", "yes"] * 30, class_names=["yes", "no"]).class_names == ("yes", "no")
    assert make(X, (X > 0) * 1, class_names=list("abcd")).class_names == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: ds.load((X, Y[:5])),
            "The array X has 60 samples and y has 5. Expected a target for each input, and at "
            "least one. The first axis counts the samples.",
        ),
        (
            lambda: ds.load((X, Y, Y)),
            "The source is a tuple of 3. Expected the two (X, y): inputs and targets. For a test "
            "part of its own: Dataset.from_arrays(X, y, test=(X_test, y_test)).",
        ),
        (
            lambda: ds.load((np.where(X > 2, np.nan, X), Y)),
            f"Row {int((X > 2).any(axis=1).argmax()) + 1} of the array X has a value that is not a "
            "finite number. Expected finite numbers, of at most 3.4e38. Fill in what is missing, "
            "or leave the row out.",
        ),
        (
            lambda: ds.load((X, np.where(Y > 1, np.nan, X[:, 0]))),
            "Row 3 of the array y has no value. Expected a class or a number for each sample. "
            "Leave the row out.",
        ),
        (
            lambda: ds.load(([[1, 2], [3]] * 30, Y)),
            "The array X cannot be read as an array: setting an array element with a sequence. "
            "Expected numbers of one shape for each sample. Give each sample as many values; bring "
            "images to one size.",
        ),
        (
            lambda: ds.load((X, IMAGES)),
            "The array y, uint8 of shape (60, 8, 12), cannot be learnt. Expected a class or finite "
            "numbers for each sample. Save whole numbers, texts or float32.",
        ),
        (
            lambda: ds.load((sparse.csr_array((60, 10_000_000)), Y)),
            "The sparse array X, 60 rows and 10,000,000 columns, takes 2.24 GiB of memory once it "
            "is dense. Expected at most 1 GiB. Keep the columns that are used most (scikit-learn: "
            "max_features, TruncatedSVD), or raise the limit with the environment variable "
            "DOWNSLOPE_MAX_GIB=3.",
        ),
        (
            lambda: ds.Dataset.from_arrays(X, Y, class_names=["cat", "dog"]),
            "The target of sample 2 is 2, and there are 2 classes: cat, dog. Expected a whole "
            "number from 0 to 1. Name each class in class_names, or correct the targets.",
        ),
        (
            lambda: ds.Dataset.from_arrays(X, Y, test=(X, COLOURS)),
            "The targets of the parts are of the types int64 and string. Expected targets of one "
            "type. Read all parts in the same way.",
        ),
        (
            lambda: ds.Dataset.from_arrays(TABLE, Y, test=(TABLE.select(["size"]), Y)),
            "The parts cannot be joined: the columns have other names. Expected parts with the "
            "same columns, of the same types. Read all parts in the same way.",
        ),
    ],
)
def test_arrays_that_are_no_data_set(call, said):
    assert refused(call) == said


def test_settings_that_do_not_fit_arrays():
    assert refused(lambda: ds.Dataset.from_arrays(X, Y, names=["a"]), SettingError) == (
        "There are 1 names, and the inputs have shape (4,). Expected a name for each input, of "
        "inputs of shape (N, features). Leave names out, or give one for each."
    )
    assert "the source holds arrays" in refused(lambda: ds.load((X, Y), target="y"), SettingError)
    assert "0.5 for the test and 0.6" in refused(
        lambda: ds.Dataset.from_arrays(X, Y, validation=0.6, test=0.5), SettingError
    )


def test_a_column_that_only_one_part_lacks_a_value_in_is_left_out_there():
    some = [None, *COLOURS[1:9].tolist()]
    data = ds.Dataset.from_arrays(TABLE, COLOURS.tolist(), test=(TABLE[:9], some))
    assert data.sizes == {"train": 54, "validation": 6, "test": 8}


def test_all_that_is_wrong_with_arrays_is_told_at_once():
    with pytest.raises(ds.SettingError) as caught:
        ds.Dataset.from_arrays(np.ones((20, 3)), np.arange(19), validation=2, scaling="maximum")
    assert [one.received for one in caught.value.faults] == [
        "The scaling is 'maximum'.",
        "The fractions are 0.2 for the test and 2 for validation.",
        "The array X has 20 samples and y has 19.",
    ]
