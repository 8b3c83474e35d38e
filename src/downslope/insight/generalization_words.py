"""How seen and unseen samples compare, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from downslope.insight.generalization import Generalization


def said_of(found: Generalization) -> tuple[str, ...]:
    """A sentence or two for each question: how large the gap, since when, at what cost."""
    said = [_gap(found), _harm(found)]
    return (*said, *([_test(found)] if found.test is not None else []))


def _gap(found: Generalization) -> str:
    gap, place = found.gap, found.kept
    start = (
        f"At the weights of epoch {found.kept_epoch} the training loss is "
        f"{found.train_loss[place]:.3g} and the validation loss "
        f"{found.validation_loss[place]:.3g}: a gap of {gap.mean:.2g} "
        f"(95 % interval {gap.low:.2g} to {gap.high:.2g}), "
    )
    if not gap.is_told or gap.mean < 0:
        return start + "no more than the choice of samples explains."
    if found.opens_at is None:  # told at the kept epoch, and not at the end
        return start + "more than the choice of samples explains."
    if found.opens_at == found.epochs[0]:
        return start + f"open from epoch {found.opens_at} on, the first that was looked at."
    return start + f"open from epoch {found.opens_at} on."


def _harm(found: Generalization) -> str:
    rise, last = found.rise, int(found.epochs[-1])
    start = f"The validation loss was lowest in epoch {found.lowest_at}"
    if found.lowest_at == last:
        return f"{start}, the last: no overfitting that does harm."
    between = f"{rise.mean:.2g} (95 % interval {rise.low:.2g} to {rise.high:.2g})"
    if found.rises_at is None:
        why = "hardly more" if rise.low > 0 else "no more than chance explains"
        return f"{start}, and at the end is higher by {between}: {why}."
    return (
        f"{start}, and from epoch {found.rises_at} on lies above that, at the end by "
        f"{between}: overfitting that does harm. End earlier (patience), or try more samples, "
        "dropout or a smaller network."
    )


def _test(found: Generalization) -> str:
    assert found.test is not None
    assert found.test_interval is not None
    low, high = found.test_interval["loss"]
    loss, error = found.validation_loss[found.kept], found.validation_error[found.kept]
    apart = (
        "agrees with"
        if low <= loss + 1.96 * error and high >= loss - 1.96 * error
        else "differs from"
    )
    looks = "the first look" if found.openings <= 1 else f"look number {found.openings}"
    return (
        f"The sealed test part, opened for this ({looks}), says {found.test['loss']:.3g} "
        f"(95 % interval {low:.3g} to {high:.3g}), which {apart} the validation loss."
    )
