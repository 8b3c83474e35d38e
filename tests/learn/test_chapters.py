"""Each chapter as a value: its action, its question, its pictures and its code agree."""

import contextlib
import io
import json
import math
import re
from pathlib import Path

import pytest

import downslope
from downslope.errors import SettingError
from downslope.learn.chapter import Ask, Question, read_number
from downslope.learn.path import chapters, find_chapter
from tests.learn.conftest import usual, worked

PACKAGE = Path(downslope.__file__).parent
EVERY = pytest.mark.parametrize("chapter", chapters(), ids=lambda one: one.name)


def test_chapters_are_numbered_from_one():
    assert [one.number for one in chapters()] == list(range(1, len(chapters()) + 1))
    assert len({one.name for one in chapters()}) == len(chapters())
    assert find_chapter(2) is chapters()[1]
    with pytest.raises(SettingError, match=r"Chapter 99 was asked for\. Expected a number from 1"):
        find_chapter(99)


@EVERY
def test_a_chapter_says_what_it_is(chapter):
    assert chapter.title and 1 <= len(chapter.text) <= 4
    assert all(len(one) < 700 for one in chapter.text)
    for file, what in chapter.code:
        assert (PACKAGE / file).is_file() and what
    for ask in chapter.asks:
        assert ask.read("") == ask.default
        assert ask.read(str(ask.default)) == ask.default


@EVERY
def test_a_chapter_answers_its_own_question(chapter):
    question = worked(chapter, usual(chapter)).question
    assert question.check(question.right)
    assert question.hint and question.worked and question.right in question.worked + question.right
    json.dumps(worked(chapter, usual(chapter)).to_dict())


@EVERY
def test_the_same_in_python_prints_the_answer(chapter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = io.StringIO()
    code = chapter.python_with(usual(chapter))
    assert max(map(len, code.split("\n"))) <= 76
    with contextlib.redirect_stdout(said):
        exec(compile(code, chapter.name, "exec"), {})
    question = worked(chapter, usual(chapter)).question
    assert question.check(said.getvalue().strip().split("\n")[-1].split()[-1]), said.getvalue()


@EVERY
def test_pictures_are_drawn(chapter, tmp_path):
    drawn = worked(chapter, usual(chapter)).plot(tmp_path)
    assert drawn
    for name in drawn:
        assert name.startswith(chapter.name)
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
        assert "\x00" not in (tmp_path / f"{name}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "value"),
    [("22500", 22500), ("22,500", 22500), (" −300 ", -300), ("1e-3", 0.001), (".5", 0.5)],
)
def test_numbers_as_people_type_them(text, value):
    assert read_number(text) == value


@pytest.mark.parametrize(
    "text", ["", "abc", "0,5", "1,00", "nan", "inf", "1e999", "--3", "+", ".", "1 2", "x" * 999]
)
def test_what_is_no_number_is_said(text):
    with pytest.raises(SettingError, match=r"is not a number that can be read\. Expected"):
        read_number(text)


def test_numbers_that_do_not_suit():
    whole = Ask("n", "how many", 4, 1, 10)
    assert (whole.read("7"), whole.read("7.0")) == (7, 7)
    for text in ("0", "11", "2.5", "two"):
        with pytest.raises(SettingError, match="Enter alone takes 4"):
            whole.read(text)
    word = Ask("how", "the function", "tanh", choices=("tanh", "relu", "softmax", "softplus"))
    assert (word.read("RELU"), word.read("t")) == ("relu", "tanh")
    for text in ("soft", "sine", "1"):
        with pytest.raises(SettingError, match=r"one of tanh, relu, softmax, softplus\."):
            word.read(text)


def test_answers_within_a_hundredth_are_right():
    question = Question("?", 200.0, "hint", "worked")
    assert [question.check(one) for one in ("200", "201.9", "203", "-200")] == [1, 1, 0, 0]
    assert Question("?", 0.0, "", "").check("0") and not Question("?", 0.0, "", "").check("0.1")
    assert not Question("?", 1210, "", "", tolerance=0).check("1211")


def test_choices_are_letters_or_themselves():
    question = Question("?", "Up", "hint", "worked", choices=("Up", "Down"))
    assert question.right == "a"
    assert [question.check(one) for one in ("a", "A)", "b", "up", "DOWN")] == [1, 1, 0, 1, 0]
    assert list(question.lines()) == ["?", "  a) Up", "  b) Down"]
    for text in ("c", "", "ab"):
        with pytest.raises(SettingError, match="a letter from a to b"):
            question.check(text)


def numbers_of(text: str) -> set[float]:
    """All numbers in a text, without their commas."""
    plain = text.replace("\N{MINUS SIGN}", "-").replace(",", "")
    return {float(one) for one in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", plain)}


def test_the_first_neuron_is_computed_as_by_hand():
    neuron = chapters()[1]
    numbers = {**neuron.defaults, "x1": 2.0, "w1": -3.0, "activation": "sigmoid"}
    z = 2 * -3 + 0.3 * -2 + 0.2
    table = worked(neuron, numbers).told[0]
    assert float(table.rows[3][-1].replace("\N{MINUS SIGN}", "-")) == pytest.approx(z)
    assert float(table.rows[4][-1]) == pytest.approx(1 / (1 + math.exp(-z)), abs=1e-6)
    assert worked(neuron, numbers).question.answer == pytest.approx(-3)
