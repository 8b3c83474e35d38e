"""What a network and a training can be made of: every record by its name, for people.

`docs/catalogue.md` is what `python -m downslope.insight.catalogue` prints.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from downslope.engine.optimizers import CLIP_NORM, OPTIMIZERS, SCHEDULES, WEIGHT_DECAY
from downslope.errors import SettingError
from downslope.names import look_up
from downslope.nn.activations import ACTIVATIONS, Activation
from downslope.nn.equations import explained, written
from downslope.nn.initializers import INITIALIZERS
from downslope.nn.losses import LOSSES, Loss
from downslope.nn.notation import LAYERS
from downslope.numerals import rounded
from downslope.result import Part, Result
from downslope.text import Table

_HEAD = ("name", "formula", "settings", "source")
_WORDS = {
    "layers": "Layers of a network: `dense 32 relu` in its notation, `ds.Dense(32, 'relu')` in "
    "Python. A setting without a value has to be given.",
    "activations": "Activations a of the pre-activation z, and the derivative da/dz; [i = j] is 1 "
    "for i = j, else 0. `initializer` is what "
    '`initializer="auto"` stands for in a layer with the activation.',
    "initializers": "Initializers draw a layer's first weights with mean 0 and this variance, from "
    "the number of a unit's inputs and outputs.",
    "losses": "Losses L of a sample, the mean over its outputs y and targets t, and the derivative "
    "dL/dy of one output. Outputs z are logits, or the logarithms of rates; [i = t] is 1 for the "
    "true class, else 0.",
    "optimizers": "Optimizers make an update of gradients g; for weights w `w <- w - "
    "learning_rate * update`. `learning_rate` is what each takes where you give none; "
    "`weight_decay` and `clip_norm` are settings of all.",
    "schedules": "Schedules: the fraction of the learning rate for step t of T, after the warm-up.",
}


@dataclass(frozen=True)
class Entry:
    """One thing that can be named.

    Attributes:
        name: Its name.
        formula: What it computes, in plain text.
        settings: Its settings with their defaults, "required" where there is none.
        source: Where it was published; empty where it is older than the field.
        derivative: The derivative of a loss or an activation.
    """

    name: str
    formula: str
    settings: Mapping[str, Any]
    source: str
    derivative: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The entry as a row of a table."""
        settings = [
            name if one == "required" else f"{name}={_text(one)}"
            for name, one in self.settings.items()
        ]
        derivative = (self.derivative,) if self.derivative else ()
        return self.name, self.formula, *derivative, ", ".join(settings), self.source


@dataclass(frozen=True)
class Catalogue(Result):
    """What there is, by kind.

    Attributes:
        entries: The entries of each kind, in order.
    """

    entries: Mapping[str, tuple[Entry, ...]]

    @property
    def summary(self) -> str:
        """How many there are of each kind."""
        return ", ".join(f"{len(of_kind)} {kind}" for kind, of_kind in self.entries.items())

    def parts(self) -> Iterator[Part]:
        """A table for each kind."""
        for index, (kind, of_kind) in enumerate(self.entries.items()):
            yield from [""] * (index > 0)
            yield _WORDS[kind].replace("`", "")
            yield Table(_head(of_kind), [one.cells for one in of_kind])

    def markdown(self) -> str:
        """The tables as a page of the documentation has them."""
        lines = []
        for kind, of_kind in self.entries.items():
            head = _head(of_kind)
            lines += [f"## {kind.capitalize()}", "", _WORDS[kind], "", f"| {' | '.join(head)} |"]
            lines += [f"|{'---|' * len(head)}", *map(_row, of_kind), ""]
        return "\n".join(lines)


def catalogue(kind: str | None = None) -> Catalogue:
    """List all layers, activations, initializers, losses, optimizers and schedules.

    Args:
        kind: One of these, in the plural; None for all of them.

    Returns:
        Their names, formulas, settings with defaults, and sources; `print` shows them as tables.

    Raises:
        SettingError: There is no such kind.

    Example:
        >>> found = ds.catalogue("activations")
        >>> [one.name for one in found.entries["activations"]]
        [...'relu'...]
    """
    made = {
        "layers": lambda: tuple(map(_layer, LAYERS.values())),
        "activations": lambda: tuple(
            _with_derivative(one, {"initializer": one.initializer}) for one in ACTIVATIONS.values()
        ),
        "initializers": lambda: tuple(
            Entry(one.name, one.formula, {}, one.source) for one in INITIALIZERS.values()
        ),
        "losses": lambda: tuple(_with_derivative(one, {}) for one in LOSSES.values()),
        "optimizers": _optimizers,
        "schedules": lambda: tuple(
            Entry(one.name, one.formula, {"warm_up": 0.0}, one.source) for one in SCHEDULES.values()
        ),
    }
    kinds = list(made) if kind is None else [kind]
    return Catalogue(
        {name: look_up(name, made, "kind of record", SettingError)() for name in kinds}
    )


def _head(entries: tuple[Entry, ...]) -> tuple[str, ...]:
    has_derivatives = any(one.derivative for one in entries)
    return (*_HEAD[:2], "derivative", *_HEAD[2:]) if has_derivatives else _HEAD


def _with_derivative(one: Activation | Loss, settings: Mapping[str, Any]) -> Entry:
    words = explained(one.formula)
    formula = f"{written(one.formula)}; {words}" if words else written(one.formula)
    return Entry(one.name, formula, settings, one.source, written(one.derivative) or "-")


def _optimizers() -> tuple[Entry, ...]:
    common = {"weight_decay": WEIGHT_DECAY.default, "clip_norm": CLIP_NORM.default}
    return tuple(
        Entry(
            one.name,
            one.formula,
            {
                "learning_rate": one.learning_rate,
                **{name: bounds.default for name, bounds in one.settings.items()},
                **common,
            },
            one.source,
        )
        for one in OPTIMIZERS.values()
    )


def _layer(kind: type) -> Entry:
    """A layer, told by its docstring and its fields."""
    text = inspect.getdoc(kind) or ""
    source = re.search(r"^Source: (.*?)\.?$", text, re.MULTILINE)
    required = dataclasses.MISSING
    settings = {
        one.name: "required" if one.default is required else one.default
        for one in dataclasses.fields(kind)
    }
    return Entry(kind.word, text.split("\n")[0], settings, source[1] if source else "")


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return rounded(value) if isinstance(value, float) else str(value)


def _row(entry: Entry) -> str:
    name, *cells = (cell.replace("|", "\\|") for cell in entry.cells)
    return f"| `{name}` | {' | '.join(cells)} |"


if __name__ == "__main__":
    print(catalogue().markdown(), end="")
