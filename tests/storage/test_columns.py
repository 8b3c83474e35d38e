"""Columns in Parquet files: other tools open them, damage is said plainly."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

import downslope as ds
from downslope.storage import columns as columns_file
from downslope.storage.columns import decode_columns, encode_columns
from tests.campaigns.watched import Memory

PATH = Path("steps.parquet")
COLUMNS = {"step": np.arange(5), "loss": np.linspace(1, 0, 5, dtype=np.float32)}


def test_other_table_tools_read_the_file(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "trace.parquet").write_bytes(encode_columns(COLUMNS))
    table = parquet.read_table(tmp_path / "trace.parquet").to_pydict()
    assert table == {name: values.tolist() for name, values in COLUMNS.items()}


@pytest.mark.peers
def test_pandas_is_not_loaded_for_it():
    pytest.importorskip("pandas")
    script = (
        "import sys, pathlib, numpy\n"
        "from downslope.storage.columns import decode_columns, encode_columns\n"
        "content = encode_columns({'step': numpy.arange(5)})\n"
        "read = decode_columns(content, pathlib.Path('trace.parquet'))\n"
        "assert read['step'].tolist() == [0, 1, 2, 3, 4]\n"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="length"):
        encode_columns({**COLUMNS, "short": np.arange(4)})


def test_no_rows_come_back_as_none():
    none = {"step": np.arange(0), "loss": np.zeros(0, np.float32)}
    found = decode_columns(encode_columns(none), PATH)
    assert {name: (len(one), one.dtype) for name, one in found.items()} == {
        "step": (0, np.int64),
        "loss": (0, np.float32),
    }


def refusal(content: bytes) -> str:
    with pytest.raises(ds.RunError) as caught:
        decode_columns(content, PATH)
    assert caught.value.received.startswith("steps.parquet cannot be read (")
    assert caught.value.expected == "a file as written by a training"
    assert caught.value.advice == "Restore the file, or train again."
    return caught.value.received[len("steps.parquet cannot be read (") : -2]


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "longer"])
def test_a_file_that_cannot_be_read(damage):
    content = encode_columns(COLUMNS)
    damaged = {
        "cut": content[:-9],
        "noise": b"\xff" * 100,
        "empty": b"",
        "longer": content + b"PAR1",
    }
    refusal(damaged[damage])


def written(columns: dict, **settings) -> bytes:
    """A Parquet file as others write it."""
    fields = [pa.field(name, one.type, nullable=False) for name, one in columns.items()]
    schema = settings.pop("schema", pa.schema(fields))
    buffer = io.BytesIO()
    plain = {"compression": "none", "use_dictionary": False, "store_schema": False}
    table = pa.table(columns, schema=schema)
    pyarrow.parquet.write_table(table, buffer, **{**plain, **settings})
    return buffer.getvalue()


NUMBERS = pa.array(np.arange(9))
PLAINLY = "the column 'a' is not written plainly"
NUMBERS_ONLY = "the column 'a' holds something else than plain numbers"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (written({"a": NUMBERS}, compression="zstd"), PLAINLY),
        (written({"a": NUMBERS}, use_dictionary=True), PLAINLY),
        (
            written({"a": NUMBERS}, column_encoding={"a": "DELTA_BINARY_PACKED"}),
            "a page of it is not written plainly",
        ),
        (
            written({"a": NUMBERS}, column_encoding={"a": "BYTE_STREAM_SPLIT"}),
            "a page of it is not written plainly",
        ),
        (
            written({"a": NUMBERS}, data_page_version="2.0"),
            "it does not say what it has to",
        ),
        (written({"a": NUMBERS}, store_schema=True), "it holds more than columns"),
        (written({"a": pa.array([1, None])}, schema=pa.schema([("a", pa.int64())])), NUMBERS_ONLY),
        (
            written({"a": pa.array([[1], [2]])}, schema=pa.schema([("a", pa.list_(pa.int64()))])),
            "it has 3 columns",
        ),
        (written({"a": pa.array(["x"])}), NUMBERS_ONLY),
        (written({"a": NUMBERS.cast(pa.timestamp("us"))}), NUMBERS_ONLY),
        (written({"a": NUMBERS.cast(pa.uint64())}), NUMBERS_ONLY),
        (written({"a": NUMBERS.cast(pa.int32())}), NUMBERS_ONLY),
        (written({f"c{at}": NUMBERS for at in range(65)}), "it has 65 columns"),
    ],
)
def test_columns_that_no_run_has(content, why):
    assert refusal(content) == why


def test_many_pages_and_parts_come_back(monkeypatch):
    long = {"step": np.arange(400_001), "loss": np.linspace(0, 1, 400_001, dtype=np.float32)}
    monkeypatch.setattr(columns_file, "LARGEST_GROUP", 150_000)
    found = decode_columns(encode_columns(long), PATH)
    for name, values in long.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype


@pytest.mark.parametrize(
    ("compression", "use_dictionary"),
    [("zstd", True), ("zstd", False), ("gzip", True), ("gzip", False), ("none", True)],
)
def test_a_small_file_of_very_many_rows_takes_little_memory(compression, use_dictionary):
    zeros = pa.array(np.zeros(20_000_000, np.int64))
    bomb = written({"a": zeros}, compression=compression, use_dictionary=use_dictionary)
    del zeros
    assert len(bomb) < 500_000
    memory = Memory()
    refusal(bomb)
    assert memory.taken() < 10e6


def test_a_footer_without_end_takes_little_memory():
    content = written({f"c{at}": NUMBERS for at in range(20_000)})
    memory = Memory()
    assert refusal(content) == "its footer is too long"
    assert memory.taken() < 10e6


def test_any_byte_of_it_may_be_another():
    """It reads, or is refused in words; what it claims is never more than it can hold."""
    content = encode_columns(COLUMNS)
    for place in range(len(content)):
        for value in (0, 0x7F, 0xFF, content[place] ^ 1):
            changed = content[:place] + bytes([value]) + content[place + 1 :]
            try:
                found = decode_columns(changed, PATH)
            except ds.RunError:
                continue
            assert sum(one.nbytes for one in found.values()) <= len(content)
