"""Looking a value up by its name, with a helpful message when there is none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from downslope.errors import DownslopeError

Value = TypeVar("Value")

_NO_SYNONYMS: Mapping[str, str] = {}


class Named(Protocol):
    """A record: all that is known of one thing that has a name."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def synonyms(self) -> str:
        """What other libraries call it, separated by blanks; as `plain` leaves them."""
        ...


Record = TypeVar("Record", bound=Named)


class Registry(Mapping[str, Record], Generic[Record]):
    """All records of one kind by their names, in order.

    Args:
        kind: What the records are, in the singular, such as "loss".
        error: The class of error to raise for an unknown name.
        records: The records.
        instead: A sentence that says what to do, to the names that have no record.

    Example:
        >>> ACTIVATIONS["relu"].formula
        'max(z, 0)'
    """

    def __init__(
        self,
        kind: str,
        error: type[DownslopeError],
        records: Iterable[Record],
        instead: Mapping[str, str] = _NO_SYNONYMS,
    ) -> None:
        self.kind, self._error = kind, error
        self._records = {one.name: one for one in records}
        meant = {name: one.synonyms for name, one in self._records.items()}
        self.synonyms = synonyms({**meant, **instead})

    def __getitem__(self, name: str) -> Record:
        return self._records[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def find(self, name: str) -> Record:
        """The record of that name.

        Raises:
            DownslopeError: There is none; the nearest name is suggested.
        """
        return look_up(name, self._records, self.kind, self._error, self.synonyms)


def look_up(
    name: str,
    table: Mapping[str, Value],
    kind: str,
    error: type[DownslopeError],
    others: Mapping[str, str] = _NO_SYNONYMS,
) -> Value:
    """Return `table[name]`.

    Args:
        name: What the user asked for.
        table: The values by their names.
        kind: What the table holds, in the singular, such as "loss".
        error: The class of error to raise.
        others: What other libraries call them; see `suggestion`.

    Raises:
        error: The name is not in the table; the nearest name is suggested.
    """
    if isinstance(name, str) and name in table:
        return table[name]
    advice = suggestion(str(name), table, others) or "Choose one of them."
    raise error(f"There is no {kind} called {name!r}.", "one of " + ", ".join(table), advice)


def suggestion(
    name: str, known: Iterable[str], others: Mapping[str, str] = _NO_SYNONYMS
) -> str | None:
    """A sentence with the name that was probably meant; None where there is no such name.

    Case, blanks and punctuation do not matter: "ReLU" is relu, "Cross-Entropy" is cross_entropy.

    Args:
        name: What the user asked for.
        known: The names that there are.
        others: By a name as `plain` leaves it: one of `known`, or a sentence that says what to
            do instead.
    """
    plainly = plain(name)
    by_plain = {plain(one): one for one in known}
    meant = by_plain.get(plainly) or others.get(plainly)
    if meant is None:
        near = difflib.get_close_matches(plainly, by_plain, n=1) or difflib.get_close_matches(
            plainly, others, n=1, cutoff=0.8
        )
        if not near:
            return None
        meant = by_plain.get(near[0]) or others[near[0]]
    return f"Did you mean {meant!r}?" if meant in by_plain.values() else meant


def synonyms(meant: Mapping[str, str]) -> Mapping[str, str]:
    """What `suggestion` takes, from each meaning to the names that have it, separated by blanks."""
    return MappingProxyType(
        {name: meaning for meaning, names in meant.items() for name in names.split()}
    )


def plain(name: str) -> str:
    """A name without case, blanks and punctuation: "nn.Leaky-ReLU" is "leakyrelu"."""
    modules, _, last = name.rpartition(".")
    if last and all(one.isidentifier() for one in modules.split(".")):
        name = last
    return "".join(letter for letter in name.lower() if letter.isalnum())


def own_name(thing: object) -> str:
    """The name of a user's own function or class, without the brackets of a lambda's."""
    return getattr(thing, "__name__", type(thing).__name__).strip("<>")
