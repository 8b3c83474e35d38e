"""Several columns of a table are learnt together: numbers, or labels."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

import downslope as ds
from downslope.data.load import read
from downslope.data.tables.targets import named_targets
from downslope.errors import DataError, SettingError

RNG = np.random.default_rng(0)
COUNT = 400
X = RNG.normal(size=COUNT)


def table(**columns):
    return pa.table({"x": X, "z": RNG.normal(size=COUNT), **columns})


HEIGHT, WEIGHT = 1.7 + 0.1 * X, 70_000 + 9_000 * X


def message(kind, columns, **options):
    with pytest.raises(kind) as caught:
        ds.load(table(**columns), **options)
    return str(caught.value)


@pytest.mark.parametrize(
    "columns",
    [
        {"height": HEIGHT, "weight": WEIGHT},
        {"height": HEIGHT, "weight": np.arange(COUNT)},  # numbers the rows, as numbers may
        {"height": HEIGHT, "weight": RNG.integers(1, 6, COUNT)},  # classes, if it were alone
    ],
)
def test_several_numbers_are_targets_beside_each_other(columns):
    data = ds.load(table(**columns), target=["height", "weight"])
    assert (data.task, data.target_names) == ("regression", ("height", "weight"))
    assert data.input_names == ("x", "z")
    assert data.rows is not None
    values = np.stack([*columns.values()], axis=1)
    np.testing.assert_array_equal(data.test.targets, values[data.rows.parts.test])
    assert ds.load(table(**columns), **data.options).target_names == data.target_names


@pytest.mark.parametrize(
    "words",
    [("yes", "no"), ("True", "False"), (1, 0), (True, False), ("t", "f")],
)
def test_several_columns_of_yes_and_no_are_labels(words):
    holds = {"ill": X > 0, "old": X > 1}
    columns = {
        "ill": [words[0] if one else words[1] for one in holds["ill"]],
        "old": ["Y" if one else "N" for one in holds["old"]],
    }
    data = ds.load(table(**columns), target=("ill", "old"))
    assert (data.task, data.class_names) == ("multilabel", ("ill", "old"))
    assert data.rows is not None
    wanted = np.stack([*holds.values()], axis=1)[data.rows.parts.train]
    np.testing.assert_array_equal(data.train.targets, wanted)
    assert data.encoding is not None
    later = table(**columns | {"ill": [["nein", "yes"][index % 2] for index in range(COUNT)]})
    with pytest.raises(DataError, match="'nein' in row 1, which is neither yes nor no"):
        read(later, target=["ill", "old"], encoding=data.encoding)
    later = table(**columns | {"old": ["on"] * COUNT})  # by what it means
    again = read(later, target=["ill", "old"], encoding=data.encoding)
    np.testing.assert_array_equal(again.targets, np.stack([holds["ill"], X > -9], axis=1))


def test_names_may_be_separated_by_commas_unless_a_column_is_called_so():
    names = ["a", "b", "a,b", "c"]
    assert named_targets(["a,b"], names) == ("a,b",)
    assert named_targets(["b, c"], names) == ("b", "c")
    assert named_targets(["a", "c"], names) == ("a", "c")
    for said, told in [
        (["a", "a"], "'a' was named as a target twice"),
        (["c,b", "b"], "'b' was named as a target twice"),
        (["a, d"], "no column 'd'"),
        (["x, y"], "no column 'x, y'"),
        ([], "No column was named as the target"),
    ]:
        with pytest.raises(SettingError, match=told):
            named_targets(said, names)
    with pytest.raises(SettingError, match="The target is 3"):
        ds.load(table(), target=3)


YES = ["yes" if one else "no" for one in X > 0]
TOWN = RNG.choice(["Bern", "Rome", "Oslo"], COUNT)


@pytest.mark.parametrize(
    ("columns", "task", "says"),
    [
        ({"a": HEIGHT, "b": TOWN}, None, "'a' (number), 'b' (category)."),
        ({"a": TOWN, "b": TOWN}, None, "'a' (category), 'b' (category)."),
        ({"a": HEIGHT, "b": X > 0}, None, "'a' (number), 'b' (yes/no)."),
        ({"a": HEIGHT, "b": (X > 0) * 1}, None, "say --task regression"),
        ({"a": HEIGHT, "b": WEIGHT}, "classification", "and classification was asked for"),
        ({"a": HEIGHT, "b": YES}, "regression", "and regression was asked for"),
    ],
)
def test_targets_of_several_kinds_are_told(columns, task, says):
    told = message(DataError, columns, target=["a", "b"], task=task)
    assert "The targets cannot be learnt together: " in told
    assert says in told


def test_0_and_1_are_numbers_where_that_is_said():
    columns = {"a": HEIGHT, "b": (X > 0) * 1}
    data = ds.load(table(**columns), target=["a", "b"], task="regression")
    assert (data.task, set(data.train.targets[:, 1])) == ("regression", {0.0, 1.0})
    labels = {"a": (X > 1) * 1, "b": (X > 0) * 1}
    assert ds.load(table(**labels), target=["a", "b"]).task == "multilabel"
    assert ds.load(table(**labels), target=["a", "b"], task="regression").task == "regression"


def test_rows_that_lack_a_target_are_left_out_and_told():
    height = [None if index in (2, 5) else one for index, one in enumerate(HEIGHT)]
    weight = ["NA" if index in (5, 7, 9) else str(one) for index, one in enumerate(WEIGHT)]
    columns = {"height": height, "weight": weight}
    options = {"target": "height,weight", "column_types": {"weight": "number"}}
    data = ds.load(table(**columns), **options)
    assert data.rows is not None
    assert (data.rows.used, data.rows.left_out) == (COUNT - 4, {"with a target missing": 4})
    assert (
        "4 rows have no height or no weight and were left out (height: 2, weight: 3)." in data.notes
    )
    assert data.encoding is not None
    later = read(table(**columns), target=["height", "weight"], encoding=data.encoding)
    assert later.notes == data.notes[:1]
    np.testing.assert_array_equal(later.numbers[:4], [1, 2, 4, 5])
    never = {"a": [None, 1.5] * 200, "b": [2.5, None] * 200}
    assert "No row has a value of each target" in message(DataError, never, target=["a", "b"])
    marks = ["?" if index == 4 else str(one) for index, one in enumerate(X > 0)]
    found = ds.load(table(a=marks, b=X > 1), target=["a", "b"])
    assert (found.task, found.notes) == ("multilabel", ("1 row has no a and was left out.",))


def test_what_is_told_of_doubts_and_leaks_names_the_target():
    columns = {"height": HEIGHT, "stars": RNG.integers(1, 6, COUNT), "copy": 3 * WEIGHT}
    rows = table(weight=WEIGHT + RNG.normal(size=COUNT), **columns)
    data = ds.load(rows, target=["stars", "weight"])
    assert data.notes[0].startswith("The 5 different whole numbers of stars are learnt as numbers")
    leaks = [one for one in ds.check_data(data).findings or () if one.kind == "leak"]
    assert "copy" in {one.columns[0] for one in leaks}
    assert all("alone gives weight away" in str(one) for one in leaks)


def test_a_label_of_few_samples_is_told():
    rare = np.arange(COUNT) % 100 == 0
    data = ds.check_data(ds.load(table(a=X > 0, b=rare), target=["a", "b"]))
    told = [str(one) for one in data.findings or () if one.kind == "small class"]
    assert len(told) == 1
    assert told[0].startswith("The target 'b' is yes in 4 samples: ")


def test_names_of_targets_belong_to_them():
    part = ds.Samples(X[:, None], np.stack([HEIGHT, WEIGHT], axis=1))
    parts = (part, part, part)
    scaling = ds.Scaling.learn(part.inputs)
    data = ds.Dataset("d", "regression", *parts, scaling)
    assert data.target_names == ("target 1", "target 2")
    for names, told in [(("a",), "2 targets and 1 names"), (("a", "a"), "Two targets have one")]:
        with pytest.raises(DataError, match=told):
            ds.Dataset("d", "regression", *parts, scaling, target_names=names)


def test_other_targets_of_an_array_get_other_names():
    part = ds.Samples(X[:, None], np.stack([HEIGHT, WEIGHT], axis=1))
    data = ds.Dataset("d", "regression", part, part, part, ds.Scaling.learn(part.inputs))
    for count, names in [(1, ()), (3, ("target 1", "target 2", "target 3"))]:
        other = dataclasses.replace(part, targets=np.stack([HEIGHT] * count, axis=1))
        changed = dataclasses.replace(data, train=other, validation=other, test=other)
        assert changed.target_names == names
