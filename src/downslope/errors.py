"""Everything that can go wrong for a user, as one tree.

DownslopeError
├── InputError            what the user gave cannot be used
│   ├── DataError         a data set, a file of one, or an input to predict
│   ├── NetworkError      a layer, or a network that does not fit its data
│   ├── SettingError      a loss, an optimizer, a learning rate, an option
│   └── RunError          a folder that is not a readable run
└── StorageError          the disk or the folder refuses what must be written

Each message says three things: what was received, what was expected, what to do. It is one line of
bounded length, whatever names and texts of strangers it quotes.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

MOST_FAULTS = 8  # that one message tells
LONGEST_PART = 700  # letters of each of a message's three parts
# characters that are invisible although they count as letters, marks or symbols
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# other characters that no printable text needs: control, format, private, unassigned, separators
_UNPRINTABLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_HARMLESS = re.compile(r"[ -~]*")  # most text, told at once


def printable(text: str, keep: str = "") -> str:
    r"""A text as a terminal or a page can show it, whoever wrote it.

    Control characters (escape sequences, line ends), marks that reorder text, invisible characters
    and bytes that are no UTF-8 are replaced by their escapes, as Python writes them: `\x1b`.

    Args:
        text: Perhaps a stranger's: a column, a class, a path.
        keep: Characters to leave as they are, such as line ends between sentences of our own.

    Example:
        >>> printable("cat\x1b[2J")
        'cat\\x1b[2J'
    """
    if _HARMLESS.fullmatch(text):
        return text
    return "".join(one if one in keep else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _UNPRINTABLE and character not in _BLANK:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python holds a byte of a file name that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def escape_html(text: str, quote: bool = True) -> str:
    """A text in a page: `printable`, and without what HTML would obey."""
    return html.escape(printable(text, keep="\n"), quote)


def quoted(value: object) -> str:
    """A value as Python writes it, shortened; of a number too long to be written how long it is."""
    if isinstance(value, int) and value.bit_length() > LONGEST_PART:
        return f"a number of about {value.bit_length() * 3 // 10:,} digits"
    return shortened(repr(value), LONGEST_PART // 4)


def shortened(text: str, most: int) -> str:
    """A text without its middle, if it has more than `most` letters."""
    if len(text) <= most:
        return text
    return f"{text[: most * 2 // 3]} ... {text[len(text) - most // 3 :]}"


class DownslopeError(Exception):
    """Base of all errors that Downslope raises on purpose.

    Every message has three parts: what was received, what was expected, and what to do. Where
    several things are wrong, `faults` are all of them, and the message has the parts of each.

    Args:
        received: What was received, as a full sentence.
        expected: What was expected instead, as a noun phrase.
        advice: What to do now, as a full sentence.

    Example:
        >>> try:
        ...     ds.train("dense 2", "moons", optimizer="adm")
        ... except ds.DownslopeError as error:
        ...     print(error.advice)
        Did you mean 'adam'?
    """

    def __init__(self, received: str, expected: str, advice: str) -> None:
        parts = (printable(shortened(one, LONGEST_PART)) for one in (received, expected, advice))
        self.received, self.expected, self.advice = parts
        self._all: tuple[DownslopeError, ...] = ()
        super().__init__(f"{self.received} Expected {self.expected}. {self.advice}")

    @property
    def faults(self) -> tuple[DownslopeError, ...]:
        """Everything that is wrong, an error each; of a single fault the error itself."""
        return self._all or (self,)


class InputError(DownslopeError):
    """What the user gave cannot be used."""


class DataError(InputError):
    """A data set, one of its files, or an input to predict cannot be used."""


class NetworkError(InputError):
    """A layer is described wrongly, or a network does not fit its data."""


class SettingError(InputError):
    """A setting of training is unknown or out of range."""


class RunError(InputError):
    """A folder is not a run, or one of its files cannot be read."""


class StorageError(DownslopeError):
    """The disk or the folder refuses what must be written."""


class Faults:
    """What checks find that do not depend on each other, to be told in one message.

    Example:
        >>> try:
        ...     ds.train("dense 2 softmax", "moons", epochs=0, learning_rate=-1)
        ... except ds.DownslopeError as error:
        ...     print([one.received for one in error.faults][:2])
        ['The learning rate is -1.', 'The number of epochs is 0.']
    """

    def __init__(self) -> None:
        self._kept: dict[str, DownslopeError] = {}

    def __bool__(self) -> bool:
        return bool(self._kept)

    @contextmanager
    def check(self) -> Iterator[None]:
        """Keep what the block raises, and go on behind it."""
        try:
            yield
        except InputError as error:
            self.add(error)

    def add(self, error: DownslopeError) -> None:
        """Keep what an error says, once."""
        for one in error.faults:
            self._kept.setdefault(str(one), one)

    def tell(self) -> None:
        """Raise what was found, if anything: of several faults an error of the first one's kind.

        Raises:
            InputError: Something was found.
        """
        if not self._kept:
            return
        faults = tuple(self._kept.values())
        first, count = faults[0], len(faults)
        if count == 1:
            raise first
        error = type(first)(first.received, first.expected, first.advice)
        error._all = faults
        told = [f"({at}) {one}" for at, one in enumerate(faults[:MOST_FAULTS], start=1)]
        more = [] if count <= MOST_FAULTS else [f"And {count - MOST_FAULTS} more."]
        error.args = (" ".join([f"{count} things are wrong.", *told, *more]),)
        raise error
