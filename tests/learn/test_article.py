"""docs/learn.md: its commands run, and the article's numbers come out of them."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from downslope.cli.main import cli
from downslope.learn.path import chapters, find_chapter
from tests.learn.conftest import usual, worked

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "learn.md").read_text(encoding="utf-8")
FOUND = re.findall(r"^downslope (.*)$|`downslope ([^`]*)`", PAGE, re.MULTILINE)
COMMANDS = tuple(dict.fromkeys("".join(one) for one in FOUND))  # each once
POINTS = re.findall(r"^\| (\d+) \| (.+) \| (.+) \| (.*) \|$", PAGE, re.MULTILINE)


def called(*words: str) -> str:
    result = CliRunner().invoke(cli, list(words))
    assert result.exit_code == 0, (words, result.output)
    return result.stdout


def test_each_point_of_the_article_can_be_seen():
    assert [int(number) for number, *_ in POINTS] == list(range(1, len(POINTS) + 1))
    assert len(POINTS) >= 66
    for _, idea, how, chapter in POINTS:
        assert idea and ("`downslope" in how or "](" in how)
        for number in re.findall(r"\[(\d+)\]", chapter):
            found = find_chapter(int(number))
            head = re.sub(r"[^\w -]", "", f"{number}. {found.title}".lower()).replace(" ", "-")
            assert f"path.md#{head}" in chapter
    assert {int(one) for row in POINTS for one in re.findall(r"\[(\d+)\]", row[3])} == {
        one.number for one in chapters()
    }


@pytest.mark.campaign
@pytest.mark.slow
def test_every_command_of_the_page_runs(tmp_path, monkeypatch):
    """Those of chapters are walked by the tests of the chapters."""
    monkeypatch.chdir(tmp_path)
    told = {}
    for command in COMMANDS:
        words = shlex.split(command)
        if words[0] == "learn":
            assert words[1:] in ([], ["--list"], ["7", "--plain"]) or find_chapter(int(words[1]))
            continue
        options = [] if words[0] in ("test", "trace") else ["--no-pictures"]
        told[command] = called(*words, *options)
    assert "overshoots" in told["bowl --rates 1.02"]
    assert len(told) > 20


def test_the_losses_and_slopes_of_the_article():
    told = called("slope", "--no-pictures")
    for number in ("22,500", "10,000", "−300", "200"):
        assert number in told
    crowd = worked(chapters()[3], chapters()[3].defaults)
    assert [row[2] for row in crowd.told[2].rows] == ["22,500", "10,000"]
    derivative = worked(chapters()[4], chapters()[4].defaults)
    assert "= −300. So for each bit that y grows, the loss falls 300" in derivative.told[1]
    assert derivative.told[4].rows[1] == ("351", "22,201", "−299")
    assert derivative.question.answer == 200


def test_the_bowl_is_lowest_at_four_and_three():
    assert "The loss is lowest at (4, 3)." in called("bowl", "--no-pictures")
    found = worked(chapters()[6], {**chapters()[6].defaults, "w1": 4.0, "w2": 3.0})
    assert found.told[0].startswith("You start at (4, 3), where the loss is 0.")
    assert found.question.answer == 4  # nothing moves there


def test_six_steps_three_steps_and_seven_steps():
    for number, steps in ((3, 6), (16, 7)):
        chapter = find_chapter(number)
        told = [one for one in worked(chapter, usual(chapter)).told if isinstance(one, str)]
        assert [one[0] for one in told if re.match(r"\d  ", one)] == [*"1234567"[:steps]]
    loop = worked(find_chapter(10), usual(find_chapter(10)))
    assert re.findall(r"(\d)\. (\w+)", loop.told[0])[:3] == [
        ("1", "present"), ("2", "compute"), ("3", "adjust"),
    ]  # fmt: skip
    assert "in the order 3, 2, 1" in loop.question.worked  # from the last layer to the first


def test_the_surface_of_sixteen_weights_has_sixteen_slopes():
    """Checked against the gradient of the mean squared error, in float64 with NumPy."""
    chapter = find_chapter(8)
    table = worked(chapter, chapter.defaults).told[2]
    shown = [float(cell.replace("−", "-")) for row in table.rows for cell in row[1:]]
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(64, 4))
    targets = inputs @ draw.normal(size=(4, 4))
    weights = 0.1 * draw.normal(size=(4, 4))
    slopes = 2 * inputs.T @ (inputs @ weights - targets) / targets.size
    assert len(shown) == 16
    np.testing.assert_allclose(shown, slopes.ravel(), rtol=0.006)
    largest = np.abs(slopes).argmax()
    answer = worked(chapter, chapter.defaults).question.answer
    assert answer == pytest.approx(-0.2 * slopes.ravel()[largest], rel=1e-4)


def test_too_large_a_step_overshoots():
    chapter = find_chapter(9)
    question = worked(chapter, chapter.defaults).question
    assert question.answer == "larger than at the start"
    assert worked(chapter, {"rate": 0.9, "steps": 15}).question.answer == question.choices[0]


def test_some_hundred_leave_b_and_single_samples_leave_a_as_well():
    from downslope.insight.escape import escape

    found = escape(starts=20, batch_sizes=("full", 256, 1))
    full, some, single = found.walkers
    assert (full.came_to_a, full.ended_in_b) == (0, 20)
    assert some.came_to_a >= 19 and some.back_in_b <= 1 and some.ended_in_a >= 19
    assert single.came_to_a >= 19 and single.back_in_b >= 15
