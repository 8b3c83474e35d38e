"""Columns in Parquet files, which other tools open."""

import io
import subprocess
import sys

import numpy as np
import pyarrow.parquet
import pytest

from downslope.storage import columns as columns_file
from downslope.storage.columns import encode_columns

COLUMNS = {"step": np.arange(5), "loss": np.linspace(1, 0, 5, dtype=np.float32)}


def read(content):
    return pyarrow.parquet.read_table(io.BytesIO(content))


def test_other_table_tools_read_the_file():
    table = read(encode_columns(COLUMNS)).to_pydict()
    assert table == {name: values.tolist() for name, values in COLUMNS.items()}


@pytest.mark.peers
def test_pandas_is_not_loaded_for_it():
    pytest.importorskip("pandas")
    script = (
        "import sys, numpy\n"
        "from downslope.storage.columns import encode_columns\n"
        "encode_columns({'step': numpy.arange(5)})\n"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="length"):
        encode_columns({**COLUMNS, "short": np.arange(4)})


def test_no_rows_are_a_table_as_well():
    table = read(encode_columns({"step": np.arange(0), "loss": np.zeros(0, np.float32)}))
    assert (table.num_rows, [str(one.type) for one in table.schema]) == (0, ["int64", "float"])


def test_many_groups_of_rows(monkeypatch):
    long = {"step": np.arange(400_001), "loss": np.linspace(0, 1, 400_001, dtype=np.float32)}
    monkeypatch.setattr(columns_file, "LARGEST_GROUP", 150_000)
    table = read(encode_columns(long))
    for name, values in long.items():
        np.testing.assert_array_equal(table[name].to_numpy(), values)
