"""Frames of other libraries come in with all their columns, or say which cannot."""

import datetime as dt
import decimal
import json
import uuid

import numpy as np
import pyarrow as pa
import pytest

import downslope as ds
from downslope.data.readers.frames import is_index, plain_table, table_from, why_unusable
from downslope.data.readers.table_file import read_table
from downslope.data.tables.column_types import describe

DAY = 86_400


def kinds(frame):
    return {one.name: one.kind for one in describe(table_from(frame))}


def values(frame, name="a"):
    return table_from(frame).column(name).to_pylist()


def test_an_arrow_table_keeps_what_it_can_and_names_the_rest():
    table = table_from(
        pa.table({"a": [1.5, float("nan"), 2.0], "b": [[1], [2], None], "c": [b"x", b"\xff", None]})
    )
    assert table.column("a").to_pylist() == [1.5, None, 2.0]
    assert why_unusable(table, "b") == "values of type list<item: int64>"
    assert why_unusable(table, "c") == "values of type binary"
    assert plain_table(table).equals(table, check_metadata=True)
    with pytest.raises(ds.DataError) as caught:
        ds.load(table, target="b")
    assert str(caught.value) == (
        "The column 'b' was named as the target, and it holds values of type list<item: int64>. "
        "Expected a column of numbers, texts, dates, times, categories or yes and no. Convert it, "
        "or name another column."
    )


def test_two_columns_of_one_name():
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(ds.DataError, match="The frame has more than one column called 'a'"):
        table_from(table)


def test_what_is_no_frame():
    with pytest.raises(ds.DataError, match="The source is of type dict"):
        table_from({"a": [1]})


def test_decimals_are_numbers_as_long_as_they_stay_apart():
    money = [decimal.Decimal("1.10"), None, decimal.Decimal("-2.25")]
    assert values(pa.table({"a": money})) == [1.1, None, -2.25]
    whole = pa.array([decimal.Decimal(3), decimal.Decimal(4)], pa.decimal256(40, 0))
    assert values(pa.table({"a": whole})) == [3, 4]
    keys = [decimal.Decimal(10**30), decimal.Decimal(10**30 + 1)]
    assert values(pa.table({"a": keys})) == [str(10**30), str(10**30 + 1)]


def test_durations_are_seconds_and_times_are_times_of_day():
    table = pa.table(
        {
            "long": [dt.timedelta(days=1), None, dt.timedelta(milliseconds=1500)],
            "at": [dt.time(0, 30), dt.time(13), None],
        }
    )
    assert table_from(table).column("long").to_pylist() == [86_400.0, None, 1.5]
    assert kinds(table)["at"] == "date"


def test_categories_of_texts_numbers_and_dates():
    chunks = [["x", "y"], ["y", "z"]]
    column = pa.chunked_array([pa.array(one).dictionary_encode() for one in chunks])
    assert values(pa.table({"a": column})) == ["x", "y", "y", "z"]
    numbers = pa.array([3.0, 4.0, None]).dictionary_encode()
    assert values(pa.table({"a": numbers})) == ["3", "4", None]
    days = pa.array([dt.date(2024, 5, 1), dt.date(2024, 5, 2)]).dictionary_encode()
    assert kinds(pa.table({"a": days})) == {"a": "date"}


def test_an_index_in_a_file_written_by_pandas_is_no_input(tmp_path):
    """Without pandas: what it writes beside the columns says which they are."""
    import pyarrow.parquet

    said = {"index_columns": ["__index_level_0__"], "columns": [], "pandas_version": "2.2.3"}
    table = pa.table({"x": [1.0, 2.0, 3.5], "__index_level_0__": [4, 1, 9]})
    pyarrow.parquet.write_table(
        table.replace_schema_metadata({"pandas": json.dumps(said)}), tmp_path / "a.parquet"
    )
    found = read_table(tmp_path / "a.parquet")
    assert is_index(found, "__index_level_0__") and not is_index(found, "x")
    index = describe(found)[1]
    assert (index.kind, index.note) == ("ignored", "the index of a pandas frame")
    assert describe(found, {"__index_level_0__": "number"})[1].kind == "number"
    for spoilt in (b"no JSON", b"[]", b'{"index_columns": 3}'):
        plain = plain_table(table.replace_schema_metadata({b"pandas": spoilt}))
        assert not is_index(plain, "__index_level_0__")


@pytest.mark.parametrize(
    ("length", "ordinal", "start"),
    [
        ("M", 648, (2024, 1, 1)), ("Q-DEC", 216, (2024, 1, 1)), ("Q-MAR", 219, (2024, 1, 1)),
        ("Y-DEC", 54, (2024, 1, 1)), ("A-MAR", 54, (2023, 4, 1)), ("W-SUN", 2819, (2024, 1, 1)),
        ("W-WED", 2818, (2023, 12, 28)), ("D", 19723, (2024, 1, 1)), ("B", 14087, (2024, 1, 1)),
        ("h", 473352, (2024, 1, 1)), ("3h", 473352, (2024, 1, 1)), ("min", 28401120, (2024, 1, 1)),
        ("s", 1704067200, (2024, 1, 1)),
    ],
)  # fmt: skip
def test_periods_begin_when_pandas_says(length, ordinal, start):
    """Ordinals and their starts as pandas has them; a file says so, whoever reads it."""
    field = pa.field(
        "a",
        pa.int64(),
        metadata={
            "ARROW:extension:name": "pandas.period",
            "ARROW:extension:metadata": json.dumps({"freq": length}),
        },
    )
    table = pa.Table.from_arrays([pa.array([ordinal, None])], schema=pa.schema([field]))
    first, missing = values(table)
    assert missing is None
    assert tuple(first.timetuple())[:3] == start


class TestPandas:
    """Frames of pandas."""

    @pytest.mark.peers
    def test_columns_of_all_kinds(self):
        pd = pytest.importorskip("pandas")
        rng = np.random.default_rng(0)
        few = pd.Series(rng.integers(0, 3, 60))
        frame = pd.DataFrame(
            {
                "category": pd.Categorical(few.map({0: "a", 1: "b", 2: "c"})),
                "grade": pd.Categorical(few, ordered=True),
                "cut": pd.cut(rng.normal(size=60), [-9, 0, 1, 9]),
                "month": pd.period_range("2020-01", periods=60, freq="M"),
                "nullable": pd.array([None, *range(59)], dtype="Int64"),
                "arrow": pd.array([None, *few[:59]], dtype="double[pyarrow]"),
                "text": pd.array(few.map({0: "u", 1: "v", 2: "w"}), dtype="string"),
                "decimal": [decimal.Decimal(one) / 7 for one in range(60)],
                "big": [2**70 * one for one in range(60)],
                "mixed": [("x", 1, 2.5)[one] for one in few],
                "uuid": [uuid.UUID(int=int(one)) for one in few],
                "sparse": pd.arrays.SparseArray(few.astype(float)),
                "span": pd.to_timedelta(few * 3, "h"),
                "bytes": few.map({0: b"r", 1: b"s", 2: b"t"}),
                "complex": rng.normal(size=60) * 1j,
                "list": [[one] for one in few],
                "object": [object() for _ in few],
                "y": rng.normal(size=60),
            }
        )
        found = kinds(frame)
        assert {one for one, kind in found.items() if kind == "ignored"} == {
            "complex", "list", "object",
        }  # fmt: skip
        assert {one for one, kind in found.items() if kind == "category"} == {
            "category", "grade", "cut", "text", "mixed", "uuid", "bytes",
        }  # fmt: skip
        assert found["month"] == "date"
        assert values(frame, "cut")[0] in ("(-9, 0]", "(0, 1]", "(1, 9]")
        assert values(frame, "big")[:2] == [0.0, 2.0**70]
        for target in ("category", "grade", "cut", "nullable", "decimal", "mixed", "span", "bytes"):
            dataset = ds.load(frame, target=target)
            assert dataset.encoding is not None
            again = dataset.encoding.encode(table_from(frame))
            assert np.isfinite(again).all()
        with pytest.raises(ds.DataError, match="holds values of type complex128"):
            ds.load(frame, target="complex")

    @pytest.mark.peers
    def test_the_index_is_no_input_whatever_it_is_called(self, tmp_path):
        pd = pytest.importorskip("pandas")
        index = pd.date_range("2024-01-01", periods=40, name="when")
        rng = np.random.default_rng(1)
        frame = pd.DataFrame({"x": rng.normal(size=40), "y": rng.normal(size=40)}, index=index)
        frame.to_parquet(tmp_path / "a.parquet")
        for source in (frame, tmp_path / "a.parquet"):
            dataset = ds.load(source, target="y")
            assert dataset.input_names == ("x",)
            by_time = ds.load(source, target="y", time="when")
            assert by_time.input_names == ("x",)
            assert by_time.rows is not None
            assert by_time.rows.parts.test.tolist() == list(range(32, 40))
        unnamed = frame.set_axis(rng.permutation(40))
        assert is_index(table_from(unnamed), "__index_level_0__")
        twice = frame.rename_axis("x")
        assert table_from(twice).column_names == ["x", "y"]

    @pytest.mark.peers
    def test_columns_without_proper_names(self):
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame([[1, 2], [3, 4]])
        assert table_from(frame).column_names == ["0", "1"]
        frame.columns = [1, "1"]
        with pytest.raises(ds.DataError, match="more than one column called '1'"):
            table_from(frame)

    @pytest.mark.peers
    def test_missing_targets_are_left_out_and_told(self):
        pd = pytest.importorskip("pandas")
        rng = np.random.default_rng(2)
        y = rng.normal(size=50)
        y[[3, 4]] = np.nan
        for kind in ("float64", "Float64", "double[pyarrow]"):
            frame = pd.DataFrame({"x": rng.normal(size=50), "y": pd.Series(y).astype(kind)})
            dataset = ds.load(frame, target="y")
            assert dataset.notes == ("2 rows have no y and were left out.",)


class TestPolars:
    """Frames of polars."""

    @pytest.mark.peers
    def test_columns_of_all_kinds(self):
        pl = pytest.importorskip("polars")
        few = [index * 7 % 3 for index in range(60)]
        frame = pl.DataFrame(
            {
                "text": ["abc"[one] for one in few],
                "category": pl.Series(["abc"[one] for one in few], dtype=pl.Categorical),
                "enum": pl.Series(["abc"[one] for one in few], dtype=pl.Enum(["a", "b", "c"])),
                "decimal": pl.Series([decimal.Decimal(one) / 4 for one in range(60)]),
                "time": pl.Series([dt.time(one % 24) for one in range(60)]),
                "span": pl.Series([dt.timedelta(hours=one) for one in few]),
                "bytes": pl.Series([b"abc"[one : one + 1] for one in few]),
                "whole": pl.Series(few, dtype=pl.Int128),
                "gaps": pl.Series([float("nan"), *map(float, few[1:])]),
                "list": pl.Series([[one] for one in few]),
                "object": pl.Series([object() for _ in few], dtype=pl.Object),
                "y": [float(one * one % 17) for one in range(60)],
            }
        )
        found = kinds(frame)
        assert {one for one, kind in found.items() if kind == "ignored"} == {"list", "object"}
        for target in ("text", "category", "enum", "decimal", "span", "bytes", "gaps"):
            assert ds.load(frame, target=target).train.inputs.shape[1] > 5
        with pytest.raises(ds.DataError, match="Collect it first"):
            table_from(frame.lazy())
