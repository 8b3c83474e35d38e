"""Parts of a user's own: how a run calls them, and how they are given again when it is opened.

Code is never stored. A run folder names the functions and layers that it needs; whoever opens the
run gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from downslope.errors import RunError, SettingError
from downslope.names import own_name

Own = Mapping[str, Mapping[str, Any]]  # parts by their kinds and names

# what the arguments of `open_run` are called, and a part of that kind
KINDS = {
    "layers": "layer",
    "activations": "activation",
    "initializers": "initializer",
    "losses": "loss",
    "optimizers": "optimizer",
    "schedules": "schedule",
}
NOTHING: Own = {}
_LONGEST = 40  # letters of a name that is quoted
_NAMELESS = ("lambda", "optax", "partial")  # what has no name of its own


def part_name(part: Any, taken: Iterable[str] = ()) -> str:
    """What a part of the user's own is called: a word that no other part has.

    Args:
        part: The part: a record or a layer with a name, a function or a class.
        taken: The names that there are.
    """
    name = getattr(part, "name", None)
    if not isinstance(name, str):
        name = "optax" if hasattr(part, "update") else own_name(part)
    name = re.sub(r"\W+", "_", name).strip("_")
    name = name if name.isidentifier() else f"own_{name}".rstrip("_")
    others = {one.lower() for one in (*taken, "nan", "inf", "infinity")}  # numbers to Python
    free, number = name, 1
    while free.lower() in others:
        number += 1
        free = f"{name}_{number}"
    return free


def find_parts(needed: Mapping[str, Sequence[str]], given: Mapping[str, Any]) -> Own:
    """The parts that a run needs, among those that are given.

    Args:
        needed: The names of the parts that the run needs, by kind, in the order of the run.
        given: Parts by kind: one, a sequence of them, or a mapping from names. Parts of a
            sequence are found by their names, and what has none, as a lambda, by its order.

    Raises:
        RunError: A part is missing.
        SettingError: There is no such kind of part.
    """
    for kind in given:
        if kind not in KINDS:
            raise SettingError(
                f"The parts were given as {kind!r}.", "one of " + ", ".join(KINDS), "Rename them."
            )
    found = {kind: _of_kind(names, given.get(kind, ())) for kind, names in needed.items()}
    missing = {
        kind: [name for name in names if name not in found[kind]] for kind, names in needed.items()
    }
    if any(missing.values()):
        raise _missing(missing)
    return found


def _of_kind(names: Sequence[str], given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    is_one = not isinstance(given, Sequence) or hasattr(given, "init")  # optax's are tuples
    parts = [given] if is_one else list(given)
    by_name: dict[str, Any] = {}
    for part in parts:
        by_name[part_name(part, by_name)] = part
    rest = [name for name in by_name if name not in names]
    for needed in names:
        if needed not in by_name:  # ours may have its name, or it has none
            meant = next((one for one in rest if _may_be(one, needed)), None)
            if meant is not None:
                by_name[needed] = by_name[meant]
                rest.remove(meant)
    return by_name


def _may_be(given: str, needed: str) -> bool:
    names = [re.sub(r"_\d+$", "", name) for name in (given, needed)]
    return names[0] == names[1] or any(name in _NAMELESS for name in names)


def _missing(missing: Mapping[str, Sequence[str]]) -> RunError:
    said, written = [], []
    for kind, names in missing.items():
        short = [name[:_LONGEST] for name in names]
        if short:
            word = KINDS[kind] if len(short) == 1 else kind
            said.append(f"the {word} {', '.join(short)}")
            written.append(f"{kind}=[{', '.join(short)}]")
    return RunError(
        f"The run has parts of its user's own: {' and '.join(said)}.",
        "these functions or objects, since code is never stored",
        f"Open it from Python with open_run(folder, {', '.join(written)}).",
    )
