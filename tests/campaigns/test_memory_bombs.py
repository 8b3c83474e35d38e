"""Bombs of every kind of file, in a process that may take little memory."""

import sys

import pytest

from tests.campaigns.memory_bombs import drop

# the others take longer: python -m tests.campaigns.memory_bombs
SMALL = (
    "images too large", "csv.gz, members", "parquet, texts", "npz, forged", "parquet, numbers",
    "mat",
)  # fmt: skip


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
@pytest.mark.parametrize("name", SMALL)
def test_a_bomb_ends_in_a_message(tmp_path, name):
    told = drop(name, tmp_path / "data")
    assert told.is_held, told
    assert told.peak < 1.5
