"""Which words of a text matter for a prediction: each is left out once, and stands alone once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from downslope.data.readers.frames import is_frame, table_from
from downslope.data.tables.column_types import as_texts
from downslope.data.tables.words import words_of
from downslope.errors import DataError, SettingError, printable
from downslope.names import look_up
from downslope.numerals import rounded
from downslope.result import PROGRAM_ONLY, Part, Result
from downslope.runs.run import Run
from downslope.text import Table

MOST_WORDS = 1000  # of a text: the network reads no more
SHOWN = 12


@dataclass(frozen=True, eq=False)
class WordContributions(Result):
    """How much each word of a text adds to a prediction.

    Attributes:
        run: The run.
        column: The column of the text.
        text: The text.
        words: Its words, as they are written, in order.
        contributions: By how much the prediction is higher by each word, on average beside all
            other words and beside none, (words,): of a class or label, the logarithm of its odds
            p / (1 - p); of a number, the number.
        predicted: What is predicted: the class, the label, or the target.
        value: That prediction for the whole text: a probability, or a number.
        without: The same for an empty text.
    """

    run: Run = field(repr=False, metadata=PROGRAM_ONLY)
    column: str
    text: str
    words: tuple[str, ...]
    contributions: Float[np.ndarray, " words"]
    predicted: str
    value: float
    without: float

    _also: ClassVar[tuple[str, ...]] = ("ranked",)

    @property
    def ranked(self) -> list[dict[str, Any]]:
        """The words with their contributions, the largest first, each word as often as it is."""
        order = np.argsort(-np.abs(self.contributions), kind="stable")
        return [
            {"word": self.words[at], "contribution": float(self.contributions[at])} for at in order
        ]

    @property
    def summary(self) -> str:
        """What is predicted, and for an empty text."""
        return (
            f"{printable(self.predicted)}: {self._shown(self.value)}, and "
            f"{self._shown(self.without)} for an empty text."
        )

    @property
    def is_probable(self) -> bool:
        """Whether what is predicted is a probability."""
        return self.run.data.task != "regression"

    def _shown(self, value: float) -> str:
        return f"{100 * value:.1f} %" if self.is_probable else rounded(value)

    def parts(self) -> Iterator[Part]:
        """The sentence, and the words that add or take most."""
        yield self.summary
        yield ""
        if not self.words:
            yield "The text has no word."
            return
        rows = [
            (printable(one["word"]), f"{one['contribution']:+.3g}") for one in self.ranked[:SHOWN]
        ]
        if len(self.words) > SHOWN:
            rows.append((f"{len(self.words) - SHOWN:,} other words", ""))
        yield Table(("word", "what it adds"), rows, (1,))
        yield ""
        of = "the logarithm of the odds" if self.is_probable else "the prediction"
        double = " (0.69 doubles the odds)" if self.is_probable else ""
        yield (
            f"What a word adds: by how much {of} is higher by it, on average beside all other "
            f"words of the text and beside none{double}."
        )


def word_contributions(
    run: Run,
    text: str,
    *,
    column: str | None = None,
    beside: Mapping[str, Any] | Any = None,
    output: str | None = None,
) -> WordContributions:
    """Find which words of a text made a run predict what it predicts.

    The text is predicted again without each of its words, and each word alone:

        c_i = (f(w_1 ... w_n) - f(w_1 ... w_(i-1) w_(i+1) ... w_n) + f(w_i) - f()) / 2

    These are the two ends of the Shapley value: of two words that each suffice, neither is missed
    beside the other, and both add alone. Here f is the predicted number, or log(p / (1 - p)) of
    the probability p of the class that is predicted for the whole text: where p is near 1, it
    hardly changes, and its odds do.

    Source: Shapley, A value for n-person games, 1953; Li, Monroe and Jurafsky, Understanding neural
    networks through representation erasure, 2016.

    Args:
        run: A run that was trained on a column of texts.
        text: The text; its first 1,000 words are read.
        column: The column of the text; None where there is one column of texts.
        beside: The values of the other columns: a mapping, or a frame of one row. Those that are
            left out are missing.
        output: The class, label or target to explain; None for the class that is predicted, the
            likeliest label, or the first target.

    Returns:
        The contribution of each word, in order.

    Raises:
        DataError: The run learned from no text, or `beside` has more rows than one.
        SettingError: There is no such column or output.

    Example:
        >>> spam, ham = "win free cash now", "call me later today"
        >>> texts = [f"{one} {row}" for row in range(20) for one in (spam, ham)]
        >>> run = ds.train(data=(texts, ["spam", "ham"] * 20), epochs=3)
        >>> found = ds.insight.word_contributions(run, "see you, free cash")
        >>> found.words
        ('see', 'you', ',', 'free', 'cash')
        >>> found.contributions.shape
        (5,)
    """
    encoding = run.data.encoding
    columns = () if encoding is None else encoding.columns
    texts = [one.name for one in columns if one.kind == "text"]
    if not texts:
        raise DataError(
            f"{run.data.name} has no column of texts.",
            "a run that learned from texts, such as messages",
            "Use important_inputs for numbers and images.",
        )
    if not isinstance(text, str):
        raise DataError(
            f"The text is of type {type(text).__name__}.", "one text", "Give it as a str."
        )
    if column is None and len(texts) > 1:
        raise SettingError(
            "No column of texts was named.", f"one of {', '.join(texts)}", "Say whose words."
        )
    column = texts[0] if column is None else column
    if column not in texts:
        look_up(column, dict.fromkeys(texts), "column of texts", SettingError)
    values = _beside(beside)
    places = [one.span() for one in words_of(text)][:MOST_WORDS]
    asked = [text, "", *(text[:first] + text[last:] for first, last in places)]
    asked += [text[first:last] for first, last in places]
    table = pa.table(
        {
            one.name: pa.array(asked, pa.string())
            if one.name == column
            else pa.array([values.get(one.name)] * len(asked))
            for one in columns
        }
    )
    assert encoding is not None
    inputs = encoding.encode(table)
    name, index = _output(run, inputs[:1], output)
    if run.data.task == "regression":
        found = run.predict(inputs).reshape(len(inputs), -1)[:, index].astype(np.float64)
        scores = found
    else:
        found, scores = _odds(run, inputs, index)
    words = tuple(text[first:last] for first, last in places)
    value, without = float(found[0]), float(found[1])
    left_out, alone = scores[2 : 2 + len(words)], scores[2 + len(words) :]
    added = (scores[0] - left_out + alone - scores[1]) / 2
    return WordContributions(run, column, text, words, added, name, value, without)


def _odds(run: Run, inputs: np.ndarray, index: int) -> tuple[np.ndarray, np.ndarray]:
    """The probability of a class or label, and the logarithm of its odds, (N,) each."""
    all_found = run.probabilities(inputs).astype(np.float64)
    own, others = all_found[:, index], 1 - all_found[:, index]
    if run.data.task == "classification":  # small ones keep their digits
        others = np.delete(all_found, index, axis=1).sum(axis=1)
    least = np.finfo(np.float32).tiny
    return own, np.log(np.maximum(own, least)) - np.log(np.maximum(others, least))


def _beside(given: Any) -> Mapping[str, Any]:
    """The values of one row by their columns."""
    if given is None:
        return {}
    if not is_frame(given):
        return dict(given)
    table = table_from(given)
    if table.num_rows != 1:
        raise DataError(
            f"The frame of the other columns has {table.num_rows:,} rows.",
            "one row, that of the text",
            "Cut it out first.",
        )
    return {name: as_texts(table.column(name))[0] for name in table.column_names}


def _output(run: Run, inputs: np.ndarray, said: str | None) -> tuple[str, int]:
    """What is explained, and its index among the outputs."""
    data = run.data
    names = data.class_names or data.target_names or ("prediction",)
    if said is not None:
        look_up(said, dict.fromkeys(names), "output", SettingError)
        return said, names.index(said)
    index = 0
    if data.class_names:
        index = int(run.probabilities(inputs)[0].argmax())
    return names[index], index
