"""Each chapter as a value: its action, its question, its pictures and its code agree."""

import contextlib
import io
import json
import math
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import downslope
from downslope.errors import SettingError
from downslope.learn.chapter import Ask, Question, must_be_whole, read_number
from downslope.learn.pages import PICTURES, page, picture, section
from downslope.learn.path import chapters, find_chapter
from tests.learn.conftest import usual, worked

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "path.md").read_text(encoding="utf-8")
MAKE = "make the page anew: python -m downslope.learn.pages docs"
NONSENSE = ("what?", "1e999", "0,5", "\x1b[2J")
PACKAGE = Path(downslope.__file__).parent
EVERY = pytest.mark.parametrize("chapter", chapters(), ids=lambda one: one.name)


def test_chapters_are_numbered_from_one():
    assert [one.number for one in chapters()] == list(range(1, len(chapters()) + 1))
    assert len({one.name for one in chapters()}) == len(chapters())
    assert find_chapter(2) is chapters()[1]
    with pytest.raises(SettingError, match=r"Chapter 99 was asked for\. Expected a number from 1"):
        find_chapter(99)


@EVERY
def test_a_chapter_holds_together(chapter, walk, tmp_path):
    """One test for each: its action is computed once."""
    check_what_it_says(chapter)
    found = worked(chapter, usual(chapter))
    check_question(found.question)
    json.dumps(found.to_dict())
    check_python(chapter, found.question)
    check_pictures(chapter, found, tmp_path)
    check_page(chapter, found)
    for columns in (80, 120):
        check_walks(chapter, found.question, walk, columns)


def check_what_it_says(chapter):
    assert chapter.title and 1 <= len(chapter.text) <= 4
    assert all(len(one) < 700 for one in chapter.text)
    for file, what in chapter.code:
        assert (PACKAGE / file).is_file() and what
    for ask in chapter.asks:
        assert ask.read("") == ask.default
        assert ask.read(str(ask.default)) == ask.default


def check_question(question):
    assert question.check(question.right)
    assert question.hint and question.worked


def check_python(chapter, question):
    """The same in Python prints the answer last."""
    said, code = io.StringIO(), chapter.python_with(usual(chapter))
    assert max(map(len, code.split("\n"))) <= 76
    with contextlib.redirect_stdout(said):
        exec(compile(code, chapter.name, "exec"), {})
    assert question.check(said.getvalue().strip().split("\n")[-1].split()[-1]), said.getvalue()


def check_pictures(chapter, found, folder):
    drawn = found.plot(folder)
    assert drawn
    for name in drawn:
        assert name.startswith(chapter.name)
        assert (folder / f"{name}.png").stat().st_size > 10_000
        assert "\x00" not in (folder / f"{name}.svg").read_text(encoding="utf-8")


def without_numbers(text: str) -> str:
    return re.sub(r"[+−-]?\d[\d,.]*(?:e[+−-]?\d+)?", "#", text)


def check_page(chapter, found):
    """The documentation shows the chapter as it is; numbers of another machine may differ."""
    start, end = f"## {chapter.number}. ", f"\n## {chapter.number + 1}. "
    there = PAGE[PAGE.index(start) :].partition(end)[0].rstrip()
    here = section(chapter, found).rstrip()
    whole = [without_numbers(one.partition("<details>")[0]) for one in (there, here)]
    assert whole[0] == whole[1], MAKE
    fixed = [one.partition("**The same in Python**")[2] for one in (there, here)]
    assert fixed[0] == fixed[1], MAKE
    for name in found.figures():
        assert f"]({PICTURES}/{picture(name)})" in there
        assert (DOCS / PICTURES / picture(name)).is_file()


def test_the_page_has_no_other_chapters():
    assert re.findall(r"^## (\d+)", PAGE, re.MULTILINE) == [str(one.number) for one in chapters()]
    assert PAGE.startswith(page([""] * len(chapters())).rstrip())


def wrong(chapter) -> str:
    """An answer that is wrong."""
    question = worked(chapter, usual(chapter)).question
    if question.choices:
        return next(
            letter for letter, one in zip("abcdef", question.choices, strict=False)
            if one != question.answer
        )  # fmt: skip
    return str(2 * abs(question.answer) + 7)


def fits(text: str, columns: int) -> bool:
    """Whether no line is longer than the terminal, but for paths."""
    return all(len(line) <= columns for line in text.splitlines() if "/" not in line)


def check_walks(chapter, question, walk, columns):
    """Right, wrong and nonsensical answers, all answered kindly."""
    chosen = [str(one) for one in usual(chapter).values()]
    strange = [text for one in chosen for text in (*NONSENSE, one)]
    number, leave = ("--no-pictures", chapter.number), ["q"]
    right = walk(*number, lines=[*chosen, question.right, *leave], columns=columns)
    assert right.exit_code == 0, right.output
    assert "Right. " in right.output and "Not quite" not in right.output
    hinted = walk(
        *number, lines=[*strange, *NONSENSE, wrong(chapter), question.right, *leave],
        columns=columns,
    )  # fmt: skip
    assert hinted.exit_code == 0
    assert hinted.output.count("Expected") == len(NONSENSE) * (len(chapter.asks) + 1)
    assert hinted.output.count("Not quite. ") == hinted.output.count("Right. ") == 1
    told = walk(*number, lines=[*chosen, wrong(chapter), wrong(chapter), *leave], columns=columns)
    assert told.exit_code == 0
    assert told.output.count("Not quite. ") == 2
    answer = " ".join(told.output.split())
    assert f"The answer is {question.right}. {' '.join(question.worked.split())}" in answer
    for one in (right, hinted, told):
        assert fits(one.output, columns), one.output
        assert "\x1b" not in one.output
        assert "The same in Python" in one.output


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


def test_a_training_that_was_broken_off_ends_its_chapter():
    whole = SimpleNamespace(reason="epochs")
    must_be_whole(whole, whole)
    with pytest.raises(KeyboardInterrupt):
        must_be_whole(whole, SimpleNamespace(reason="interrupted"))


def test_the_first_neuron_is_computed_as_by_hand():
    neuron = chapters()[1]
    numbers = {**neuron.defaults, "x1": 2.0, "w1": -3.0, "activation": "sigmoid"}
    z = 2 * -3 + 0.3 * -2 + 0.2
    table = worked(neuron, numbers).told[0]
    assert float(table.rows[3][-1].replace("\N{MINUS SIGN}", "-")) == pytest.approx(z)
    assert float(table.rows[4][-1]) == pytest.approx(1 / (1 + math.exp(-z)), abs=1e-6)
    assert worked(neuron, numbers).question.answer == pytest.approx(-3)
