"""A chapter of the path in a terminal: shown, asked, answered, drawn."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from downslope.cli import curves
from downslope.cli.lines import ask_line, line_width, say, show_table
from downslope.cli.runner import Output, list_pictures
from downslope.errors import InputError
from downslope.learn.chapter import (
    WHAT_RUN_IS,
    Chapter,
    Numbers,
    Question,
    Sketch,
    Value,
    Worked,
    shown,
)
from downslope.text import Table

WIDEST, ROWS = 76, 10  # of a curve drawn as text
_EMPTY = chr(curves.BLANK)
LEAVE = ("q", "quit", "exit")


class Left(Exception):
    """The reader leaves."""


def teach(chapter: Chapter, count: int, output: Output, *, is_plain: bool) -> None:
    """Walk through a chapter.

    Args:
        chapter: The chapter.
        count: How many chapters there are.
        output: Where its pictures go.
        is_plain: Whether nobody is asked: the defaults are used, and the answer is shown.

    Raises:
        Left: The reader leaves.
    """
    say(heading=f"{chapter.number} · {chapter.title}")
    say(f"Chapter {chapter.number} of {count}")
    for paragraph in chapter.text:
        say(f"\n{paragraph}")
    numbers = chosen(chapter, is_plain=is_plain)
    say()
    with output.waiting("Computing ..."):
        worked = chapter.work(numbers)
    for part in worked.told:
        if isinstance(part, str):
            say(part)
        else:
            show_table(part)
    say()
    ask(worked.question, is_plain=is_plain)
    show_pictures(worked, output)
    say()
    say(heading="The same in Python")
    say("\n".join(f"    {line}".rstrip() for line in chapter.python_with(numbers).split("\n")))
    say()
    say(heading="Where this is in the code")
    show_table(Table(("src/downslope", "what"), chapter.code, indent="  "))
    if chapter.commands:
        say()
        say(heading="More of the same")
        say("\n".join(f"  {command}" for command in chapter.commands))
    if chapter.needs_run:
        say(WHAT_RUN_IS)


def chosen(chapter: Chapter, *, is_plain: bool) -> Numbers:
    """The reader's numbers; the defaults, said in a line each, where nobody is asked.

    Args:
        chapter: The chapter.
        is_plain: Whether nobody is asked.

    Raises:
        Left: The reader leaves.
    """
    numbers: dict[str, Value] = {}
    say()
    if not is_plain:
        say("Choose your own numbers. Enter takes the one in brackets; q leaves.")
    for one in chapter.asks:
        default = one.default if isinstance(one.default, str) else shown(one.default)
        if is_plain:
            say(f"  {one.words}: {default}")
            numbers[one.name] = one.default
        while one.name not in numbers:
            try:
                numbers[one.name] = one.read(_typed(f"  {one.words} [{default}]: "))
            except InputError as error:
                say(error)
    return numbers


def ask(question: Question, *, is_plain: bool) -> None:
    """Ask the question until it is answered; a wrong answer gets a hint, the second one the way.

    Args:
        question: The question.
        is_plain: Whether nobody is asked, and the answer is shown.

    Raises:
        Left: The reader leaves.
    """
    say(heading="Question")
    for line in question.lines():
        say(line)
    if is_plain:
        say(f"Answer: {question.right}. {question.worked}")
        return
    has_hint = False
    while True:
        typed = _typed("> ").strip()
        if not typed:
            say(f"The answer is {question.right}. {question.worked}")
            return
        try:
            is_right = question.check(typed)
        except InputError as error:
            say(f"{error} Enter alone shows the answer.")
            continue
        if is_right:
            say(f"Right. {question.worked}")
            return
        if has_hint:
            say(f"Not quite. The answer is {question.right}. {question.worked}")
            return
        say(f"Not quite. {question.hint} Try once more; Enter alone shows the answer.")
        has_hint = True


def _typed(prompt: str) -> str:
    text = ask_line(prompt)
    if text.strip().lower() in LEAVE:
        raise Left
    return text


def show_pictures(worked: Worked, output: Output) -> None:
    """Draw the curve as text, and the pictures into files.

    Args:
        worked: What the action found.
        output: Where they go.
    """
    if worked.sketch is not None and (sys.stdout.encoding or "").lower().startswith("utf"):
        say()
        say("\n".join(sketched(worked.sketch, min(WIDEST, line_width() - 2))))
    paths = output.draw(worked, output.folder)
    if paths and output.folder is not None:
        with output.waiting("Writing ..."):
            paths += [write(output.folder / name) for name, write in worked.pages.items()]
        say()
        say(worked.after)
        list_pictures(paths)


def sketched(sketch: Sketch, width: int) -> list[str]:
    """A curve as lines of text that begin with a blank.

    Args:
        sketch: The curve.
        width: Columns of the longest line.
    """
    scale = curves.Scale(sketch.y)
    scale.is_log = scale.is_log and sketch.is_log
    low, high = float(sketch.x[0]), float(sketch.x[-1])
    if low == high:
        return []
    ends = [shown(one, 4) for one in (scale.high, scale.low)]
    left = max(map(len, ends)) + 2
    room = max(10, width - left)
    positions = (np.asarray(sketch.x, float) - low) / (high - low)
    rows = curves.draw(positions, np.asarray(sketch.y, float), scale, room, ROWS)
    edges = [ends[0], *[""] * (ROWS - 2), ends[1]]
    lines = [f" {sketch.y_words}{', by its logarithm' if scale.is_log else ''}"]
    for edge, row in zip(edges, rows, strict=True):
        lines.append(f" {edge:>{left - 2}} {row.replace(_EMPTY, ' ')}".rstrip())
    lines += _below([(low, shown(low, 4)), (high, shown(high, 4))], low, high, left, room)
    if sketch.marks:
        named = [(one, f"^{shown(one, 4)}") for one in sketch.marks]
        lines += _below(named, low, high, left, room)
    return [*lines, f"{' ' * left}{sketch.x_words}"]


def _below(
    named: Sequence[tuple[float, str]], low: float, high: float, left: int, room: int
) -> list[str]:
    """Names below the places of an axis, each on a line of its own where they would touch."""
    rows: list[str] = []
    for at, name in sorted(named):
        column = left + round((at - low) / (high - low) * (room - 1))
        column = max(left, min(column, left + room - len(name)))
        for position, row in enumerate(rows):
            if len(row) < column:
                rows[position] = row.ljust(column) + name
                break
        else:
            rows.append(" " * column + name)
    return rows


def turn_page(following: Chapter | None) -> None:
    """Wait until the reader wants the next chapter.

    Args:
        following: The next chapter; None where all are done.

    Raises:
        Left: The reader leaves.
    """
    say()
    if following is None:
        say("That was the last chapter: all are done. To see one again: downslope learn 7")
        return
    say(f"Next: {following.number} · {following.title}")
    _typed("Enter goes on, q leaves: ")
    say()
