"""A table and the name of a column make a data set."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from pyarrow import csv

import downslope as ds
from downslope.data.load import read
from downslope.errors import DataError, SettingError
from tests.plain import PLAIN

RNG = np.random.default_rng(0)
COUNT = 200


def houses(**more):
    """A table with a price, some of whose cells are empty."""
    area = RNG.uniform(30, 200, COUNT)
    town = RNG.choice(["Bern", "Rome", "Oslo"], COUNT)
    price = 3 * area + 50 * (town == "Rome")
    return pa.table(
        {
            "area": [None if index % 9 == 0 else one for index, one in enumerate(area)],
            "town": town,
            "garden": RNG.choice(["yes", "no"], COUNT),
            "built": [f"{year}-05-0{year % 9 + 1}" for year in RNG.integers(1900, 2020, COUNT)],
            "remark": [f"a long remark about the house {index}" for index in range(COUNT)],
            "price": price,
            **more,
        }
    )


def message(kind, table=None, **options):
    with pytest.raises(kind) as caught:
        ds.load(houses() if table is None else table, **options)
    return str(caught.value)


def test_numbers_are_learnt_as_numbers():
    data = ds.load(houses(), target="price")
    assert data.task == "regression"
    assert data.sizes == {"train": 140, "validation": 20, "test": 40}
    assert data.input_names[:3] == ("area", "area is missing", "town = Bern")
    assert data.input_names[-1].startswith("remark (word ")
    assert not any(name.startswith("price") for name in data.input_names)
    assert data.train.targets.shape == (140, 1)
    assert data.train.inputs.shape == (140, len(data.input_names))


@pytest.mark.parametrize(
    ("target", "names"), [("town", ("Bern", "Oslo", "Rome")), ("garden", ("no", "yes"))]
)
def test_categories_are_learnt_as_classes(target, names):
    data = ds.load(houses(), target=target)
    assert (data.task, data.class_names) == ("classification", names)


def test_few_whole_numbers_are_classes_in_the_order_of_numbers():
    table = houses(stars=[int(one) for one in RNG.integers(8, 12, COUNT)])
    assert ds.load(table, target="stars").class_names == ("8", "9", "10", "11")
    assert ds.load(table, target="stars", task="regression").task == "regression"


def test_what_columns_become_is_learnt_from_training_rows_only():
    data = ds.load(houses(), target="price")
    assert data.encoding is not None
    other = houses()
    area = np.array(other.column("area").to_pylist(), np.float64)
    parts = read(other, target="price")
    assert parts.table is other or parts.table.num_rows == COUNT
    fill = data.encoding.columns[0].fill
    known = data.train.inputs[data.train.inputs[:, 1] == 0, 0]
    assert fill == pytest.approx(np.median(known), rel=1e-6)
    assert fill != pytest.approx(np.nanmedian(area), rel=1e-6)


def test_rows_without_a_target_are_left_out_and_counted():
    table = houses(grade=["a" if index % 3 else None for index in range(100)] + ["b"] * 100)
    data = ds.load(table, target="grade")
    assert sum(data.sizes.values()) == COUNT - 34
    assert data.notes == ("34 rows have no grade and were left out.",)


def test_the_same_table_gives_the_same_parts(tmp_path):
    path = tmp_path / "houses.csv"
    csv.write_csv(houses(), path)
    data = ds.load(path, target="price", column_types={"garden": "ignored"}, split_seed=3)
    again = ds.load(data.source, **data.options)
    assert again.fingerprint == data.fingerprint
    assert data.name == "houses"
    assert not any(name.startswith("garden") for name in data.input_names)


def test_frames_of_other_libraries():
    class Frame:
        def __arrow_c_stream__(self, requested_schema=None):
            return houses().__arrow_c_stream__(requested_schema)

    assert ds.load(Frame(), target="price").name == "table"


def test_which_column():
    assert message(SettingError) == (
        "No column was named as the target. Expected one of the columns: area, town, garden, "
        "built, remark, price. Say which one is to be learnt, such as --target 'price'."
    )
    assert message(SettingError, target="prise") == (
        "There is no column 'prise'. Expected one of area, town, garden, built, remark, price. "
        "Did you mean 'price'?"
    )


def test_targets_that_cannot_be_learnt():
    assert message(DataError, target="remark") == (
        "The target 'remark' cannot be learnt: text. Expected numbers, or classes of several rows "
        "each. Name another column with --target."
    )
    assert message(DataError, target="built") == (
        "The target 'built' cannot be learnt: dates. Expected numbers, or classes of several rows "
        "each. Name another column with --target."
    )
    assert message(DataError, houses(same=[1] * COUNT), target="same") == (
        "The column 'same' has the same value in every row. Expected a target with at least two "
        "values. Name another column with --target."
    )
    assert message(DataError, houses(no=pa.nulls(COUNT)), target="no") == (
        "The column 'no' has no value in any row. Expected a target in each row that is to be "
        "learnt from. Name another column with --target, or fill it in."
    )
    assert message(DataError, target="town", task="regression") == (
        "The target 'town' is to be learnt as a number, and not all of its values are finite "
        "numbers. Expected numbers. Correct the values, or learn it as classes with --task "
        "classification."
    )
    assert message(DataError, houses().slice(0, 5), target="price") == (
        "table has 5 rows with a target. Expected at least 10. Add rows; a network needs hundreds "
        "to learn anything that lasts."
    )


def test_tasks_and_sources_that_do_not_fit():
    assert message(SettingError, target="price", task="guess") == (
        "The task is 'guess'. Expected classification or regression. Leave it out to see it."
    )
    assert message(SettingError, "digits", target="price") == (
        "A target or column types were given, and digits is no table. Expected a table (.csv, "
        ".tsv, .parquet or .arrow). Leave them out."
    )
    assert message(DataError, 3) == (
        "The source is of type int. Expected a name, a path, a frame of pandas, polars or "
        "Arrow, or the two (X, y) of arrays. Give one of these."
    )


def test_a_run_answers_to_raw_columns_and_comes_back(tmp_path):
    data = ds.load(houses(), target="price")
    network = ds.Network([ds.Dense(8, "tanh"), ds.Dense(1)])
    run = ds.train(network, data, options=PLAIN, epochs=30, learning_rate=0.05).save(
        tmp_path / "run"
    )
    asked = houses().drop_columns(["price"])
    again = ds.open_run(tmp_path / "run")
    assert data.encoding is not None
    encoded = data.encoding.encode(asked)
    np.testing.assert_array_equal(run.predict(asked), run.predict(encoded))
    np.testing.assert_array_equal(again.predict(asked), run.predict(encoded))
    assert run.test()["mae"] < 0.5 * run.baseline()["mae"]


def test_what_is_asked_may_hold_new_categories_and_must_hold_all_columns():
    data = ds.load(houses(), target="price")
    assert data.encoding is not None
    asked = houses(town=["Kyiv"] * COUNT)
    towns = [name.startswith("town") for name in data.input_names]
    assert data.encoding.encode(asked)[:, towns].sum() == 0  # no town that the training had
    with pytest.raises(DataError) as caught:
        data.encoding.encode(asked.drop_columns(["town"]))
    assert str(caught.value) == (
        "The table has no column 'town'. Expected the columns that the run was trained on: area, "
        "town, garden, built, remark. Add it; leave its cells empty where the value is not known."
    )
    notes: list[str] = []
    data.encoding.encode(houses(area=["large"] * COUNT), notes)
    assert notes == [
        f"The column 'area' has {COUNT} values that are no numbers, such as 'large' in row 1: "
        "they are taken as missing.",
        "The column 'area' has no number in any row: these predictions do without it. Numbers are "
        "expected as in the training, written like 1234.5.",
    ]


def test_all_that_is_said_wrongly_of_columns_is_told_at_once():
    with pytest.raises(SettingError) as caught:
        ds.load(
            houses(), target=["prize", "aera"], group="regin", task="regresion",
            column_types={"area": "numbr", "no": "number"},
        )  # fmt: skip
    assert [one.received for one in caught.value.faults] == [
        "There is no column 'prize'.",
        "There is no column 'aera'.",
        "There is no column 'regin'.",
        "The column 'area' is said to be 'numbr'.",
        "There is no column 'no'.",
        "The task is 'regresion'.",
    ]
