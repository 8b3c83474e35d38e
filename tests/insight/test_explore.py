"""The hidden loss: its values and slopes, the way down, and the command in a pipe."""

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

import downslope as ds
from downslope.cli.main import cli
from downslope.insight.explore import explore, hidden_loss
from tests.cli.conftest import documented


@pytest.mark.parametrize("seed", [0, 1, 2, 7])
def test_losses_slopes_and_the_way_down(seed):
    found = explore((1, 4.5, 9), seed=seed)
    names = {"sin": math.sin}
    for w, loss, slope in zip(found.points, found.losses, found.slopes, strict=True):
        assert loss == pytest.approx(eval(found.formula, names, {"x": w}), rel=1e-13)
        ends = [eval(found.formula, names, {"x": w + step}) for step in (1e-6, -1e-6)]
        assert slope == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-8)
    assert found.guess == found.points[found.losses.argmin()] == found.path[0]
    np.testing.assert_allclose(np.diff(found.path),
                               -found.learning_rate * found.path_slopes[:-1])  # fmt: skip
    assert (np.diff(found.path_losses) < 0).all()  # no step goes uphill
    inside = 0.01 < found.path[-1] < 9.99
    assert abs(found.path_slopes[-1]) < 0.02 or not inside
    assert found.lowest_loss == pytest.approx(found.y.min())
    assert found.path_losses[-1] >= found.lowest_loss - 1e-4  # found on a grid
    assert list(found.plot()) == ["explore"]


def test_a_descent_into_a_local_minimum_is_told_as_such():
    found = explore([3], seed=2)  # the valleys of this curve are at 3.66 and 7.45
    assert found.path[-1] == pytest.approx(3.66, abs=0.03)
    assert not found.is_lowest and "That is a local minimum" in found.summary
    assert explore([9], seed=2).is_lowest


def ask(*words, typed):
    return CliRunner().invoke(cli, ["explore", "--no-pictures", *words], input=typed)


def test_the_command_in_a_pipe_hides_the_slope_until_the_end():
    result = ask("--seed", "1", typed="1\n4\n")
    lines = result.stdout.splitlines()
    assert lines[:3] == ["loss at w = 1: 1.071", "loss at w = 4: 0.844", "The loss at the points:"]
    assert result.stdout.split()[-60:] == str(explore((1, 4), seed=1)).split()[-60:]
    found = json.loads(ask("--seed", "1", "--json", typed="1\n4\n\n9\n").stdout)
    assert set(found) == documented("explore")
    assert found["points"] == [1, 4]  # an empty line ends it


def test_mistakes():
    result = ask(typed="2\nhere\n")
    assert result.exit_code == 2 and "The weight here was asked for." in result.stderr
    with pytest.raises(ds.SettingError, match=r"The weight 11 was asked for\. Expected a number"):
        explore([11])
    with pytest.raises(ds.SettingError, match="There are 0 points"):
        explore([])
    with pytest.raises(ds.SettingError, match="The seed is -1"):
        hidden_loss(-1)
