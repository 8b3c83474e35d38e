"""Where two runs part and what differed, in words: A is the first run, B the second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from downslope.insight.differing_settings import Change, Stretch, is_same_folder
from downslope.numerals import rounded

if TYPE_CHECKING:
    from downslope.insight.diff import Parting

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
    if len(parents) == 2 and is_same_folder(parents["A"].run, parents["B"].run):
        at = " and ".join(f"{name} at step {one.steps:,}" for name, one in parents.items())
        return [f"Both were forked from the run in {parents['A'].run}: {at}."]
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
    said = [
        f"{_capital('; '.join(map(str, part)))}." for part in (found.data, found.network) if part
    ]
    if found.start:
        said.append("They began with the weights of different runs, or one with new ones.")
    for part in found.stretches:
        what = _listed(part)
        if part.first > 1:
            said.append(f"From step {part.first:,} on: {what or 'the same in both'}.")
        elif what:
            said.append(f"{_capital(what)}.")
    return said


def _listed(part: Stretch) -> str:
    versions = ", ".join(f"{one.name} {one.one} and {one.other}" for one in part.versions)
    return "; ".join([*map(str, part.settings), *([f"versions: {versions}"] if versions else [])])


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
    verb = "is" if same == ["network"] else "are"
    if found.one.steps != found.other.steps and not found.data:
        return f"As far as both go, {together} {verb} the same."
    return f"{_capital(together)} {verb} the same."


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
    by = "" if found.parted_by is None else f", {_share(found.parted_by)} apart"
    pair = f"{rounded(first, 9)} and {rounded(second, 9)}"
    return f"{upto} step {found.parted_at:,} they are {pair}{by}."


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
    much = (
        f"one batch loss is {rounded(ratio, 3)} times the other"
        if ratio >= 1.1
        else f"the batch losses lie {_share(ratio - 1)} apart"
    )
    return f"The difference is largest at step {step:,}, where {much}."


def _share(value: float) -> str:
    """A share in percent, or of a millionth and less as rounding makes it."""
    return f"{rounded(100 * value, 2)} %" if value >= 0.0001 else f"{value:.1e} of their size"


def _weights(found: Parting) -> str:
    if found.same_weights is None:
        return "Their weights have other shapes and cannot be compared."
    kept = [side.outcome.kept_step for side in (found.one, found.other)]
    what = "final weights" + (
        "" if kept[0] == kept[1] else f" (of step {kept[0]:,} in A and {kept[1]:,} in B)"
    )
    if found.same_weights:
        return f"The {what} are the same, bit for bit."
    assert found.weights_apart is not None
    return (
        f"The {what} differ by {rounded(found.weights_apart, 2)} times their length (0: the same; "
        "1.4: nothing in common)."
    )


def _endings(found: Parting) -> list[str]:
    one, other = found.one.outcome, found.other.outcome
    if (one.message, one.step) == (other.message, other.step):
        return [f"Both: {one.message}"]
    return [f"A: {one.message}", f"B: {other.message}"]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
