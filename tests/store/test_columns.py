"""Columns in Parquet files: other tools open them, damage is said plainly."""

import subprocess
import sys

import numpy as np
import pytest

import downslope as ds
from downslope.store.columns import read_columns, write_columns

COLUMNS = {"step": np.arange(5), "loss": np.linspace(1, 0, 5, dtype=np.float32)}


def test_other_table_tools_read_the_file(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_columns(tmp_path / "trace.parquet", COLUMNS)
    table = parquet.read_table(tmp_path / "trace.parquet").to_pydict()
    assert table == {name: values.tolist() for name, values in COLUMNS.items()}


def test_pandas_is_not_loaded_for_it(tmp_path):
    pytest.importorskip("pandas")
    script = (
        "import sys, pathlib, numpy\n"
        "from downslope.store.columns import read_columns, write_columns\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "write_columns(path, {'step': numpy.arange(5)})\n"
        "assert read_columns(path)['step'].tolist() == [0, 1, 2, 3, 4]\n"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path / "trace.parquet"], check=True)


def test_columns_of_different_lengths_are_refused(tmp_path):
    with pytest.raises(ValueError, match="length"):
        write_columns(tmp_path / "trace.parquet", {**COLUMNS, "short": np.arange(4)})


@pytest.mark.parametrize("damage", ["missing", "cut", "noise", "empty"])
def test_a_file_that_cannot_be_read_reads_as_intended(tmp_path, damage):
    path = tmp_path / "trace.parquet"
    write_columns(path, COLUMNS)
    content = path.read_bytes()
    match damage:
        case "missing":
            path.unlink()
        case "cut":
            path.write_bytes(content[:-9])
        case "noise":
            path.write_bytes(b"\xff" * 100)
        case "empty":
            path.write_bytes(b"")
    with pytest.raises(ds.RunError) as caught:
        read_columns(path)
    assert caught.value.received.startswith(f"{path} cannot be read (")
    assert caught.value.expected == "a Parquet file as written by a training"
    assert caught.value.advice == "Restore the file, or train again."
