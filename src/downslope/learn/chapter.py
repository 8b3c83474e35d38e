"""A chapter of the path as a value: text, an action, a question, a picture, code.

Every door shows the same value: the terminal walks through it, the documentation prints it. The
action runs on the engine with the reader's own numbers, and works out the answer of the question.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from downslope.errors import SettingError, printable, quoted
from downslope.numerals import rounded
from downslope.result import PROGRAM_ONLY, Part, Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from downslope.runs.outcome import Outcome

Value = float | int | str
Numbers = Mapping[str, Value]  # the reader's, by the names of the action's arguments
LETTERS = "abcdefgh"
WHAT_RUN_IS = (
    "RUN is the folder of a training of yours, such as runs/digits-1, which downslope train "
    "digits makes."
)
_TOLERANCE = 0.01  # of the answer, that a number may be off
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE)
_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-"})


def shown(value: float, digits: int = 6) -> str:
    """A number as the path writes it: 22,500 or −300."""
    return rounded(value + 0.0, digits).replace("-", "\N{MINUS SIGN}")


def read_number(text: str) -> float:
    """A number as a person types it: 22500, 22,500, -300, 1e-3; a fraction begins with a point.

    Args:
        text: What was typed.

    Raises:
        SettingError: It is not a finite number.
    """
    plain = text.strip().translate(_SIGNS)
    value = math.nan
    if plain and _NUMBER.fullmatch(plain):
        try:
            value = float(plain.replace(",", ""))
        except ValueError:  # a sign or a point alone
            value = math.nan
    if not math.isfinite(value):
        raise SettingError(
            f"{quoted(text.strip())} is not a number that can be read.",
            "a number such as 350, \N{MINUS SIGN}4.5 or 1e-3",
            "A fraction begins with a point: 0.5.",
        )
    return value


def must_be_whole(*outcomes: Outcome) -> None:
    """Check that nobody broke trainings off: Ctrl-C ends a training early, and here the chapter.

    Args:
        outcomes: How the trainings of a chapter ended.

    Raises:
        KeyboardInterrupt: Ctrl-C ended one of them.
    """
    if any(one.reason == "interrupted" for one in outcomes):
        raise KeyboardInterrupt


@dataclass(frozen=True)
class Ask:
    """A number or a word that the reader chooses before the action.

    Attributes:
        name: The argument of the action.
        words: What it is, in a few words.
        default: What is taken if the reader chooses nothing; a whole number asks for one.
        low: The lowest value.
        high: The highest value.
        choices: The words to choose from, where it is a word.
    """

    name: str
    words: str
    default: Value
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """What can be chosen, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        example = "" if isinstance(self.default, int) else ", such as 0.5 or 1e-3"
        return f"{kind} from {shown(self.low)} to {shown(self.high)}{example}"

    def read(self, text: str) -> Value:
        """What the reader chose; the default for an empty text.

        Args:
            text: What was typed.

        Raises:
            SettingError: It cannot be chosen.
        """
        if not text.strip():
            return self.default
        advice = f"Enter alone takes {self.default}."
        if self.choices:
            word = text.strip().lower()
            found = [one for one in self.choices if one.startswith(word)]
            if word in self.choices or len(found) == 1:
                return word if word in self.choices else found[0]
            raise SettingError(f"{quoted(text.strip())} is not known here.", self.expected, advice)
        try:
            value = read_number(text)
        except SettingError as error:
            raise SettingError(error.received, self.expected, advice) from None
        is_whole = value == int(value)
        if (isinstance(self.default, int) and not is_whole) or not self.low <= value <= self.high:
            raise SettingError(f"{shown(value)} does not suit here.", self.expected, advice)
        return int(value) if isinstance(self.default, int) else value


@dataclass(frozen=True)
class Question:
    """A question whose answer the engine worked out from the reader's numbers.

    Attributes:
        text: The question.
        answer: The right answer: a number, or one of the choices.
        hint: What helps after a wrong answer, with the reader's numbers.
        worked: How the answer follows from the numbers.
        choices: The answers to choose from; none where a number is asked for.
        tolerance: How far a number may be off; a hundredth of the answer if left out.
    """

    text: str
    answer: Value
    hint: str
    worked: str
    choices: tuple[str, ...] = ()
    tolerance: float | None = None

    def check(self, text: str) -> bool:
        """Whether an answer is right.

        Args:
            text: What was typed: a number, or the letter of a choice or the choice itself.

        Raises:
            SettingError: It is neither.
        """
        if not self.choices:
            assert not isinstance(self.answer, str)
            off = abs(read_number(text) - self.answer)
            allowed = _TOLERANCE * abs(self.answer) if self.tolerance is None else self.tolerance
            return off <= allowed + 1e-9
        typed = text.strip().lower().rstrip(").")
        letters = LETTERS[: len(self.choices)]
        if len(typed) == 1 and typed in letters:
            return self.choices[letters.index(typed)] == self.answer
        found = [one for one in self.choices if one.lower() == typed]
        if not found:
            raise SettingError(
                f"{quoted(text.strip())} is not one of the answers.",
                f"a letter from a to {letters[-1]}",
                "Type the letter before the answer that you choose.",
            )
        return found[0] == self.answer

    @property
    def right(self) -> str:
        """The right answer as one types it."""
        if isinstance(self.answer, str):
            return LETTERS[self.choices.index(self.answer)]
        return shown(self.answer)

    def lines(self) -> Iterator[str]:
        """The question, and below it the choices with their letters."""
        yield self.text
        for letter, choice in zip(LETTERS, self.choices, strict=False):
            yield f"  {letter}) {choice}"


@dataclass(frozen=True, eq=False)
class Sketch:
    """A curve that a terminal draws as text.

    Attributes:
        x: Rising positions, (N,).
        y: The values there, (N,).
        x_words: What x is.
        y_words: What y is.
        marks: Positions that are named below the curve.
        is_log: Whether equal heights may be equal factors.
    """

    x: np.ndarray
    y: np.ndarray
    x_words: str
    y_words: str
    marks: tuple[float, ...] = ()
    is_log: bool = False


@dataclass(frozen=True, eq=False)
class Worked(Result):
    """What the action of a chapter found with the reader's numbers.

    Attributes:
        told: What it tells, in order: lines, empty ones between paragraphs, and tables.
        question: The question that follows.
        drawings: The pictures by name, drawn after the question, whose answer they may show.
        after: What to say about the pictures.
        sketch: A curve for the terminal.
        pages: Files beside the pictures by name: functions that write them to a path.
    """

    told: tuple[Part, ...]
    question: Question
    drawings: Mapping[str, Callable[[], Figure]] = field(metadata=PROGRAM_ONLY)
    after: str = ""
    sketch: Sketch | None = None
    pages: Mapping[str, Callable[[Path], Path]] = field(default_factory=dict, metadata=PROGRAM_ONLY)

    @property
    def summary(self) -> str:
        """How the question is answered."""
        return self.question.worked

    def parts(self) -> Iterator[Part]:
        """What the action tells, and the question."""
        yield from self.told
        yield ""
        yield from self.question.lines()

    def figures(self) -> Mapping[str, Callable[[], Figure]]:
        """What can be drawn."""
        return self.drawings


@dataclass(frozen=True)
class Chapter:
    """A chapter.

    Attributes:
        number: Its position on the path, from 1.
        name: One word for files and for the reader's progress.
        title: Its title.
        text: Paragraphs.
        asks: What the reader chooses.
        act: The action, with an argument for each of `asks`.
        python: The same in Python, which prints the answer last; `$name` stands for a number of
            the reader's.
        code: Where this is in the code: files of the package, each with what is there.
        commands: Commands that show more of the same.
    """

    number: int
    name: str
    title: str
    text: tuple[str, ...]
    asks: tuple[Ask, ...]
    act: Callable[..., Worked]
    python: str
    code: tuple[tuple[str, str], ...]
    commands: tuple[str, ...] = ()

    @property
    def defaults(self) -> Numbers:
        """What is taken where the reader chooses nothing."""
        return {ask.name: ask.default for ask in self.asks}

    @property
    def needs_run(self) -> bool:
        """Whether a command of `commands` looks at a training."""
        return any(" RUN" in one for one in self.commands)

    def work(self, numbers: Numbers) -> Worked:
        """Run the action.

        Args:
            numbers: What the reader chose, by name.
        """
        return self.act(**numbers)

    def python_with(self, numbers: Numbers) -> str:
        """The same in Python, with the reader's numbers.

        Args:
            numbers: What the reader chose, by name.
        """
        return Template(self.python.strip("\n")).substitute(
            {name: printable(str(value)) for name, value in numbers.items()}
        )

    def to_dict(self, numbers: Numbers) -> dict[str, Any]:
        """The chapter as JSON has it, worked with these numbers.

        Args:
            numbers: What the reader chose, by name.
        """
        return {
            "number": self.number,
            "name": self.name,
            "title": self.title,
            "text": list(self.text),
            "numbers": dict(numbers),
            "worked": self.work(numbers).to_dict(),
            "python": self.python_with(numbers),
            "code": [{"file": file, "what": what} for file, what in self.code],
            "commands": list(self.commands),
        }
