"""What was promised of the built-in sets, trained as a user would train them."""

import json
import statistics

import pytest
from click.testing import CliRunner

from downslope.cli.main import cli

pytestmark = pytest.mark.slow


def trained(tmp_path, *words):
    """The JSON of a training whose run goes below `tmp_path`."""
    where = ["--out", str(tmp_path / f"run-{len(list(tmp_path.iterdir()))}"), "--json"]
    result = CliRunner().invoke(cli, ["train", *words, *where, "--no-pictures"])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize(("name", "least"), [("digits", 0.97), ("spam", 0.93)])
def test_the_median_accuracy_of_five_seeds(tmp_path, name, least):
    found = [trained(tmp_path, name, "--seed", str(seed)) for seed in range(5)]
    assert statistics.median(one["test"]["accuracy"] for one in found) >= least


def test_a_crowd_network_beats_the_mean_in_a_fifth_of_the_epochs(tmp_path):
    found = trained(tmp_path, "crowd", "--epochs", "4")
    assert found["test"]["mae"] <= found["baseline"]["mae"] / 2
