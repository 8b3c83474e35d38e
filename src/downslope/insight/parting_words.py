"""Where two runs part and what differed, in words: A is the first run, B the second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from downslope.insight.unlike import Change, Unlike, is_same_folder

if TYPE_CHECKING:
    from downslope.insight.parting import Parting

ROUNDING = 1e-5  # as a share of a loss: the most that rounding in another order explains at once


def said_of(found: Parting) -> tuple[str, ...]:
    """Sentences: whence they come, what differs, where they part and why, how they ended."""
    if found.same_folder:
        return (f"Both are the same run: {found.one.folder}.",)
    said = [
        *_kinship(found),
        *_changes(found),
        *_unlike(found),
        _same(found),
        _course(found),
        _why(found),
        _apart(found),
        _weights(found),
        *_endings(found),
    ]
    return tuple(filter(None, said))


def _kinship(found: Parting) -> list[str]:
    """Which was forked from which, or from what else."""
    sides = {"A": found.one, "B": found.other}
    parents = {name: side.parent for name, side in sides.items() if side.parent is not None}
    said = []
    for name, parent in parents.items():
        whose = next(
            (
                own
                for own, side in sides.items()
                if own != name and is_same_folder(side.folder, parent.run)
            ),
            f"the run in {parent.run}" if parent.run else "a run without a folder",
        )
        said.append(f"{name} was forked from {whose} at step {parent.steps:,}.")
    return said


def _changes(found: Parting) -> list[str]:
    """Where each went on with other settings, unless what differs says so already."""
    told = {part.first - 1 for part in found.stretches if part.settings or part.versions}
    sides = {"A": found.one.changes, "B": found.other.changes}
    if sides["A"] == sides["B"]:
        sides = {"Both": sides["A"]}
    return [
        f"{name} went on from step {change.step:,} with {_changed(change)}."
        for name, changes in sides.items()
        for change in changes
        if change.step not in told and change.changed
    ]


def _changed(change: Change) -> str:
    return ", ".join(f"{one.name} {one.other} instead of {one.one}" for one in change.changed)


def _unlike(found: Parting) -> list[str]:
    said = [f"{_capital(_listed(part))}." for part in (found.data, found.network) if part]
    if found.start:
        said.append("They began with the weights of different runs, or one with new ones.")
    for part in found.stretches:
        unlike = part.settings + part.versions
        if not unlike and part.first == 1:
            continue
        since = f"From step {part.first:,} on" if part.first > 1 else ""
        what = _listed(unlike) if unlike else "the same settings and versions in both"
        said.append(f"{since}: {what}." if since else f"{_capital(what)}.")
    return said


def _same(found: Parting) -> str:
    """What is the same, of what could differ."""
    differs = {
        "data": found.data,
        "network": found.network,
        "settings": any(part.settings for part in found.stretches),
        "versions": any(part.versions for part in found.stretches),
    }
    same = [name for name, unlike in differs.items() if not unlike]
    if not same:
        return ""
    together = " and ".join([*([", ".join(same[:-1])] if same[:-1] else []), same[-1]])
    return (
        f"{_capital(together)} {'are' if len(same) > 1 or same != ['network'] else 'is'} the same."
    )


def _course(found: Parting) -> str:
    """Up to where the losses are the same bits."""
    if found.cause in ("data", "loss"):
        what = "learn from other data" if found.data else "have other losses"
        return f"They {what}, so that their losses cannot be compared step by step."
    if found.parted_at is None:
        if found.one.steps == found.other.steps:
            return f"All {found.steps:,} batch losses are the same, bit for bit."
        longer, side = ("A", found.one) if found.one.steps > found.steps else ("B", found.other)
        return (
            f"All {found.steps:,} batch losses that both have are the same, bit for bit; {longer} "
            f"went on to step {side.steps:,}."
        )
    first, second = found.first_losses or (0.0, 0.0)
    upto = (
        f"The batch losses are the same, bit for bit, up to step {found.equal_steps:,} of "
        f"{found.steps:,}; at"
        if found.equal_steps
        else f"The batch losses differ from the first of {found.steps:,} steps on: at"
    )
    share = found.parted_by
    by = "" if share is None else f", a difference of {share:.1e} of it"
    return f"{upto} step {found.parted_at:,} they are {first:.9g} and {second:.9g}{by}."


def _why(found: Parting) -> str:
    """Whether what differs explains that they part there."""
    step, effect = found.parted_at or 0, found.takes_effect_at or 0
    if found.cause == "settings":
        if step == effect:
            return "That is the first loss that what differs can change."
        return (
            f"What differs can change the losses from step {effect:,} on: it showed a little later."
        )
    if found.cause in ("versions", "unknown"):
        share = found.parted_by
        small = share is not None and share <= ROUNDING
        size = "It began as small as rounding in another order. " if small else ""
        if found.cause == "versions":
            return (
                "No setting that changes a step differs before that, but the versions do: under "
                f"others the bits may be others. {size}".strip()
            )
        return (
            "Nothing that is recorded explains it: no setting that changes a step differs before "
            f"that, and the versions are the same. {size}Another machine or another number of "
            "cores may be the reason; see docs/determinism.md."
        )
    return ""


def _apart(found: Parting) -> str:
    if found.largest_ratio is None:
        return ""
    ratio, step = found.largest_ratio
    much = f"{ratio:.3g} times" if ratio >= 1.01 else f"1 + {ratio - 1:.1e} times"
    return f"They lie farthest apart at step {step:,}, where one batch loss is {much} the other."


def _weights(found: Parting) -> str:
    if found.same_weights is None:
        return "Their weights have other shapes and cannot be compared."
    kept = [side.outcome.kept_step for side in (found.one, found.other)]
    what = "final weights" + (
        "" if kept[0] == kept[1] else f" (of step {kept[0]:,} in A and {kept[1]:,} in B)"
    )
    if found.same_weights:
        return f"The {what} are the same, bit for bit."
    return (
        f"The {what} lie {found.weights_apart:.2g} apart, as a multiple of their size (0: the "
        "same; 1.4: nothing in common)."
    )


def _endings(found: Parting) -> list[str]:
    one, other = found.one.outcome, found.other.outcome
    if (one.message, one.step) == (other.message, other.step):
        return [f"Both: {one.message}"]
    return [f"A: {one.message}", f"B: {other.message}"]


def _listed(unlike: Sequence[Unlike]) -> str:
    return "; ".join(map(str, unlike))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
