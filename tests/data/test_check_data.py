"""What is planted is found, and clean data is silent."""

import io
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

import downslope as ds
from downslope.data.unsplit import Unsplit

COUNT = 600


def clean(seed=0, classes=3):
    """Numbers and categories that tell something of the class, and not all."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, classes, COUNT)
    return {
        "a": label + rng.normal(size=COUNT),
        "b": (2 * label + rng.normal(size=COUNT)).round(1),
        "c": rng.integers(0, 90, COUNT),
        "d": rng.choice(["red", "green", "blue"], COUNT),
        "label": label,
    }


def warnings(columns, target="label", **options):
    found = ds.check_data(ds.load(pa.table(columns), target=target, **options)).findings
    return {one.kind: one for one in found if one.level == "warning"}


RNG = np.random.default_rng(1)
LABEL = clean()["label"]
NAMES = RNG.permutation(10_000)[:COUNT]
OF_GROUP = NAMES[np.argsort(np.argsort(LABEL, kind="stable")) // 5]
PLANTED = {
    "as it is": ("leak", LABEL),
    "recoded": ("leak", np.array([7, 3, 9])[LABEL]),
    "affine": ("leak", -2.5 * LABEL + 4),
    "noisy": ("leak", LABEL + RNG.normal(0, 0.1, COUNT)),
    "category": ("leak", np.array(["k", "q", "z"])[LABEL]),
    "identifier": ("identifier", NAMES * 7),
    "groups of numbers": ("groups", OF_GROUP),
    "groups of texts": ("groups", np.array([f"P{one}" for one in OF_GROUP])),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_columns(name):
    kind, values = PLANTED[name]
    column = "record_id" if kind == "identifier" else "extra"
    found = warnings({**clean(), column: values})
    assert set(found) == {kind}
    assert found[kind].columns == (column,)
    if kind == "groups":
        assert warnings({**clean(), column: values}, group=column) == {}


def test_a_number_that_gives_a_number_away():
    columns = clean() | {"price": RNG.normal(size=COUNT)}
    noisy = 3 * columns["price"] + 2 + RNG.normal(0, 0.1, COUNT)
    assert warnings({**columns, "extra": noisy}, "price")["leak"].columns == ("extra",)
    assert warnings(columns, "price") == {}


@pytest.mark.parametrize("noise", [0, 1e-4])
def test_copied_rows(noise):
    columns = clean()
    again = np.r_[np.arange(COUNT), RNG.integers(0, COUNT, 60)]
    both = {name: np.asarray(values)[again] for name, values in columns.items()}
    both["a"] = both["a"] + noise * (np.arange(len(again)) >= COUNT)
    kind = "near copies" if noise else "copies"
    assert set(warnings(both)) == {kind}
    assert " test rows and " in warnings(both)[kind].says


def test_few_possible_values_make_no_copies():
    rng = np.random.default_rng(2)
    columns = {name: rng.integers(0, 4, COUNT) for name in "abc"}
    assert warnings(columns | {"label": rng.choice(["x", "y"], COUNT)}) == {}


def test_a_measure_of_few_values_is_no_group():
    """A few rare values among many rows of the others, as in the Shuttle set."""
    rng = np.random.default_rng(3)
    rare = np.repeat(np.arange(12, 92), 2)
    values = np.r_[rng.integers(0, 12, 1800), rare]
    label = np.where(values < 12, values > 6, rng.integers(0, 2, 92)[values])
    columns = {"a": rng.normal(size=len(values)), "extra": values, "label": label.astype(int)}
    assert warnings(columns) == {}


def test_small_classes_and_columns_that_are_left_out():
    columns = clean() | {"same": np.ones(COUNT), "row": np.arange(COUNT)}
    columns["label"] = np.where(np.arange(COUNT) < 4, 9, columns["label"])
    data = ds.check_data(ds.load(pa.table(columns), target="label"))
    assert [str(one) for one in data.findings or ()] == [
        "The class '9' has 4 samples: 2 for training, 1 for validation, 1 for the test. "
        "Add samples of it, join it with another class, or leave it out.",
        "The column 'same' has the same value in every row. It is left out.",
        "The column 'row' has the number of the row. It is left out.",
    ]


@pytest.mark.parametrize("seed", range(10))
def test_clean_tables_are_silent(seed):
    assert warnings(clean(seed, 2 + seed % 3)) == {}


@pytest.mark.parametrize("name", ["digits", "xor", "waves", "moons", "circles", "blobs"])
def test_clean_built_in_sets_are_silent(name):
    assert ds.check_data(ds.load(name)).findings == ()


@pytest.mark.peers
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits"])
def test_sets_of_scikit_learn_are_silent(name):
    sets = pytest.importorskip("sklearn.datasets")
    got = getattr(sets, f"load_{name}")()
    columns = dict(zip(map(str, got.feature_names), got.data.T, strict=True))
    assert warnings(columns | {"label": got.target}) == {}


def images():
    """Blurred noise: like photos, neighbouring pixels are alike."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 200, (300, 8, 8), dtype=np.uint8)
    fine = [Image.fromarray(one).resize((32, 32), Image.Resampling.BICUBIC) for one in coarse]
    inputs = np.stack([np.asarray(one) for one in fine])[..., None]
    samples = ds.Samples(inputs, rng.integers(0, 2, 300).astype(np.int32))
    return Unsplit("set", "classification", samples, class_names=("a", "b"), per="all").split(0)


def saved_again(image):
    file = io.BytesIO()
    Image.fromarray(image[..., 0]).save(file, "JPEG", quality=70)
    return np.asarray(Image.open(file))[..., None]


def resized(image):
    return np.asarray(Image.fromarray(image[..., 0]).resize((24, 24)).resize((32, 32)))[..., None]


CHANGES = {
    "copies": lambda image: image,
    "near copies": saved_again,
    "near copies, resized": resized,
    "near copies, brighter": lambda image: (image.astype(int) * 1.1 + 10).clip(0, 255),
}


@pytest.mark.parametrize("name", CHANGES)
def test_copied_images(name):
    data = images()
    assert ds.check_data(data).findings == ()
    inputs = data.test.inputs.copy()
    for index in range(5):
        inputs[index] = CHANGES[name](data.train.inputs[index])
    (found,) = (
        ds.check_data(replace(data, test=ds.Samples(inputs, data.test.targets))).findings or ()
    )
    assert (found.kind, found.count) == (name.partition(",")[0], 5)
    assert found.says.startswith("5 of 60 test images are ")


OUTLIERS = {  # in place of a single value, or of a few
    "a typing error": [1e9],
    "a mark for nothing": [-9999999.0] * 3,
    "another unit": [4e5, 4.1e5],
}


@pytest.mark.parametrize("name", OUTLIERS)
def test_values_that_set_the_scale_are_told(name):
    columns = clean()
    columns["a"][: len(OUTLIERS[name])] = OUTLIERS[name]
    kind = "sentinel" if name == "a mark for nothing" else "outliers"
    found = warnings(columns)[kind]
    assert found.columns == ("a",)
    assert kind == "sentinel" or "set the scale" in found.says


SENTINELS = [  # a number, the other values, and whether it is told
    (-999, lambda rng, count: rng.uniform(0.2, 9.5, count), True),
    (9999, lambda rng, count: rng.integers(0, 120, count), True),
    (-1, lambda rng, count: rng.integers(5, 9, count), True),
    (-2147483648, lambda rng, count: rng.normal(0, 1e5, count), True),
    (99, lambda rng, count: rng.integers(0, 98, count), False),
    (-999, lambda rng, count: rng.normal(0, 900, count), False),
    (-357, lambda rng, count: rng.uniform(0, 1, count), False),
    (1, lambda rng, count: rng.choice([0.0, 0.1, 0.2], count), False),
]


@pytest.mark.parametrize(("number", "draw", "is_told"), SENTINELS)
def test_numbers_that_may_stand_for_a_missing_value_are_told(number, draw, is_told):
    rng = np.random.default_rng(3)
    values = draw(rng, COUNT).astype(float)
    values[rng.choice(COUNT, 9, replace=False)] = number
    found = warnings({**clean(), "e": values}).get("sentinel")
    assert (found is not None) == is_told
    if found is not None:
        assert found.columns == ("e",)
        assert found.count == 9
        assert f"has {number:g} in 9 rows, first in row " in found.says


def test_long_tails_are_no_outliers():
    rng = np.random.default_rng(0)
    counts = np.where(rng.random(COUNT) < 0.9, 0, rng.lognormal(0, 2, COUNT))
    tails = (rng.lognormal(0, 2, COUNT), rng.exponential(3, COUNT) ** 2, rng.pareto(2, COUNT))
    for tail in (*tails, counts):
        assert "outliers" not in warnings({**clean(), "e": tail})
