"""Bombs of every kind of file, in a process that may take little memory."""

import sys

import pytest

from tests.campaigns.memory_bombs import BOMBS, drop

QUICK = ("images too large", "csv.gz, members", "parquet, texts", "npz, forged")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
@pytest.mark.parametrize(
    "name", [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in BOMBS]
)
def test_a_bomb_ends_in_a_message(tmp_path, name):
    told = drop(name, tmp_path / "data")
    assert told.is_held, told
    assert told.peak < 1.5
