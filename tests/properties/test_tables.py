"""Tables: a row's inputs depend on that row alone, and a table is the same in every file format."""

import datetime
import string
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import downslope as ds
from downslope.data.readers.table_file import read_table, read_table_text
from downslope.data.tables.encoding import Encoding
from downslope.errors import DataError
from tests.plain import PLAIN

ROWS = 120
MARKS = ("", "NA", "None", "?", "n/a", "-", "NaN")
WORDS = ("red", "Red", "1.10", "1.1", "007", "7", "TRUE", "None", "NA", "a  b", "é", "1,5", "-")


def cell(text: str) -> str:
    """As it stands in a CSV file."""
    return f'"{text}"' if set(text) & set(',"\n') or not text.strip() else text


def table_of(columns: dict[str, list[str]]) -> str:
    rows = zip(*columns.values(), strict=True)
    return "\n".join(",".join(map(cell, row)) for row in [tuple(columns), *rows]) + "\n"


def training() -> dict[str, list[str]]:
    """A column of each kind, and of each way to write it."""
    rng = np.random.default_rng(5)
    numbers = rng.normal(size=ROWS) * 1000
    day = datetime.date(2021, 3, 1)
    return {
        "plain": [f"{one:.3f}" for one in numbers],
        "whole": [str(round(one)) for one in numbers],
        "comma": [f"{one:.2f}".replace(".", ",") for one in numbers],
        "money": [f"${abs(one) + 1000:,.2f}" for one in numbers],
        "share": [f"{abs(one) / 50:.1f} %" for one in numbers],
        "mass": [f"{abs(one):.1f} kg" for one in numbers],
        "took": [f"{20 + one}:{one % 60:02}:30" for one in range(ROWS)],
        "owed": [f"{abs(one):.2f}{'-' if one < 0 else ''}" for one in numbers],
        "yes": [("yes", "no")[one % 2] for one in range(ROWS)],
        "true": [("TRUE", "False")[one % 3 == 0] for one in range(ROWS)],
        "flag": ["01"[one % 2] for one in range(ROWS)],
        "word": [WORDS[one % len(WORDS)] for one in range(ROWS)],
        "code": [f"{one % 40:05}" for one in range(ROWS)],
        "day": [str(day + datetime.timedelta(one)) for one in range(ROWS)],
        "gaps": [("1.5", "NA", "3.25", "")[one % 4] for one in range(ROWS)],
        "y": [f"{one:.3f}" for one in rng.normal(size=ROWS)],
    }


def encoding_of(text: str) -> Encoding:
    table = read_table_text(text.encode(), path)
    found = ds.load(table, target="y").encoding
    assert found is not None
    return found


path = Path("table.csv")
ENCODING = encoding_of(table_of(training()))

odd = st.text(string.printable.replace('"', "").replace("\r", ""), max_size=6)
number = st.floats(-1e6, 1e6).map(lambda one: f"{one:.3f}")
LATER = {
    "plain": number | st.sampled_from(MARKS) | odd,
    "whole": number | st.sampled_from(MARKS) | odd,
    "comma": number.map(lambda one: one.replace(".", ",")) | st.sampled_from(MARKS) | odd,
    "money": st.integers(0, 10**7).map(lambda one: f"${one:,}") | st.sampled_from(MARKS) | odd,
    "share": number.map(lambda one: f"{one}%") | st.sampled_from(MARKS) | odd,
    "mass": number.map(lambda one: f"{one} kg") | number | st.sampled_from(MARKS) | odd,
    "took": st.integers(0, 99).map(lambda one: f"{one}:07:{one % 60:02}") | number | odd,
    "owed": number.map(lambda one: f"{one}-") | number | st.sampled_from(MARKS) | odd,
    "yes": st.sampled_from(("yes", "NO", "true", "f", "1", "0", *MARKS)),
    "true": st.sampled_from(("TRUE", "false", "Y", "n", *MARKS)),
    "flag": st.sampled_from(("0", "1", "true", "no", *MARKS)),
    "word": st.sampled_from((*WORDS, *MARKS)) | odd,
    "code": st.integers(0, 99).map(lambda one: f"{one:05}") | number | st.sampled_from(MARKS) | odd,
    "day": st.dates(datetime.date(1980, 1, 1)).map(str) | st.sampled_from(MARKS),
    "gaps": number | st.sampled_from(MARKS) | odd,
}
rows_of = st.lists(st.fixed_dictionaries(LATER), min_size=2, max_size=6)


def encoded(rows: list[dict[str, str]]) -> np.ndarray | None:
    """What the network sees of these rows; None if the file is refused."""
    columns = {name: [row[name] for row in rows] for name in LATER}
    try:
        return ENCODING.encode(read_table_text(table_of(columns).encode(), path))
    except DataError:
        return None


@settings(max_examples=150, deadline=None)
@given(rows_of)
def test_the_inputs_of_a_row_do_not_depend_on_other_rows(rows):
    together = encoded(rows)
    each = [encoded([row]) for row in rows]
    if together is None:  # as one of them is refused by itself
        assert any(alone is None for alone in each)
        return
    for alone, among in zip(each, together, strict=True):
        assert alone is not None
        np.testing.assert_array_equal(alone[0], among)
    backwards = encoded(rows[::-1])
    np.testing.assert_array_equal(backwards[::-1], together)


def test_the_training_rows_are_read_again_as_in_training():
    data = ds.load(read_table_text(table_of(training()).encode(), path), target="y")
    again = data.encoding.encode(read_table_text(table_of(training()).encode(), path))
    np.testing.assert_array_equal(again[data.rows.parts.train], data.train.inputs)
    np.testing.assert_array_equal(again[data.rows.parts.test], data.test.inputs)
    kinds = {code.name: code.kind for code in data.encoding.columns}
    assert kinds == {
        **dict.fromkeys(
            ("plain", "whole", "comma", "money", "share", "mass", "took", "owed", "gaps"), "number"
        ),
        **dict.fromkeys(("yes", "true", "flag"), "yes/no"),
        **dict.fromkeys(("word", "code"), "category"),
        "day": "date",
    }


def frame() -> pa.Table:
    """Values of every type that all three libraries and all three formats have."""
    rng = np.random.default_rng(7)
    moment = datetime.datetime(2021, 3, 1, 12, 30)
    words = ("red", "Blue, or so", 'say "x"', "None", "é")
    return pa.table(
        {
            "float": [None if one % 11 == 0 else float(rng.normal()) for one in range(ROWS)],
            "whole": [int(one) for one in rng.integers(-50, 50, ROWS)],
            "gaps": [None if one % 7 == 0 else int(one) % 13 for one in range(ROWS)],
            "bool": [bool(one % 3) for one in range(ROWS)],
            "word": [words[one % 5] for one in range(ROWS)],
            "code": [("01234", "A1", "94110")[one % 3] for one in range(ROWS)],
            "day": [moment.date() + datetime.timedelta(one) for one in range(ROWS)],
            "when": [moment + datetime.timedelta(minutes=77 * one) for one in range(ROWS)],
            "big": [1_700_000_000 + 37 * one for one in range(ROWS)],
            "y": [("yes", "no", "None")[one % 3] for one in range(ROWS)],
            "z": [float(rng.normal()) for one in range(ROWS)],
            "b": [one % 2 == 0 for one in range(ROWS)],
        }
    )


def by_pandas(table, folder):
    pandas = pytest.importorskip("pandas")
    found = table.to_pandas(types_mapper={pa.int64(): pandas.Int64Dtype()}.get)
    found.to_csv(folder / "a.csv", index=False)
    found.to_parquet(folder / "a.parquet")
    found.to_feather(folder / "a.arrow")


def by_polars(table, folder):
    polars = pytest.importorskip("polars")
    found = polars.from_arrow(table)
    found.write_csv(folder / "a.csv")
    found.write_parquet(folder / "a.parquet")
    found.write_ipc(folder / "a.arrow")


def by_pyarrow(table, folder):
    pyarrow.csv.write_csv(table, folder / "a.csv")
    pyarrow.parquet.write_table(table, folder / "a.parquet")
    pyarrow.feather.write_feather(table, folder / "a.arrow")


@pytest.mark.parametrize("target", ["y", "z", "b", "gaps"])
@pytest.mark.parametrize(
    "write",
    [
        by_pyarrow,
        pytest.param(by_pandas, marks=pytest.mark.peers),
        pytest.param(by_polars, marks=pytest.mark.peers),
    ],
)
def test_a_table_is_the_same_data_set_whoever_wrote_it(write, target, tmp_path):
    table = frame()
    ours = ds.load(table, target=target)
    write(table, tmp_path)
    for name in ("a.csv", "a.parquet", "a.arrow"):
        theirs = ds.load(tmp_path / name, target=target)
        assert theirs.input_names == ours.input_names, name
        assert theirs.class_names == ours.class_names, name
        for part in ("train", "validation", "test"):
            one, other = getattr(theirs, part), getattr(ours, part)
            np.testing.assert_array_equal(one.inputs, other.inputs, err_msg=name)
            np.testing.assert_array_equal(one.targets, other.targets, err_msg=name)
        assert theirs.fingerprint == ours.fingerprint
        read = read_table(tmp_path / name)
        np.testing.assert_array_equal(ours.encoding.encode(read), ours.encoding.encode(table))


def shifted(x: np.ndarray, shift: int, mark: str, others: str) -> str:
    """A file whose numbers lie far from 0, written exactly."""
    lines = []
    for one, rest in zip(np.rint(x * 1e6).astype(np.int64).tolist(), others, strict=True):
        micro = one + shift * 10**6
        whole = f"{'-' * (micro < 0)}{abs(micro) // 10**6}{mark}{abs(micro) % 10**6:06}"
        lines.append(f"{whole};{rest}".replace(".", mark))
    return "\n".join(["x;z;y", *lines]) + "\n"


@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.integers(0, 9), st.sampled_from((10**9, -(10**9), 1_700_000_000)), st.sampled_from(".,"))
def test_a_column_far_from_0_is_learnt_as_well(seed, shift, mark):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=240), rng.normal(size=240)
    y = 2 * x - z + 0.3 * rng.normal(size=240)
    others = [f"{one:.6f};{other:.6f}" for one, other in zip(z, y, strict=True)]
    network = ds.Network([ds.Dense(6, "tanh"), ds.Dense(1)])
    figures = []
    for far in (0, shift):
        table = read_table_text(shifted(x, far, mark, others).encode(), path)
        data = ds.load(table, target="y")
        run = ds.train(network, data, options=PLAIN, epochs=20, learning_rate=0.03)
        figures.append(run.test()["mae"])
        low, high = run.intervals(data.test)["mae"]
        assert low <= figures[0] <= high
    assert figures[1] == pytest.approx(figures[0], rel=1e-3)
