"""How seen and unseen samples compare, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from downslope.numerals import rounded

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
        f"{rounded(found.train_loss[place], 3)} and the validation loss "
        f"{rounded(found.validation_loss[place], 3)}: a gap of {rounded(gap.mean, 2)} "
        f"(95 % interval {rounded(gap.low, 2)} to {rounded(gap.high, 2)}), "
    )
    if not gap.is_told or gap.mean < 0:
        return start + "which chance can explain."
    if found.opens_at is None:  # told at the kept epoch, and not at the end
        return start + "more than chance explains."
    if found.opens_at == found.epochs[0]:
        return start + f"clear from epoch {found.opens_at} on, the first that was measured."
    return start + f"clear from epoch {found.opens_at} on."


def _harm(found: Generalization) -> str:
    rise, last = found.rise, int(found.epochs[-1])
    start = f"The validation loss was lowest in epoch {found.lowest_at}"
    if found.lowest_at == last:
        return f"{start}, the last: no harmful overfitting."
    by, low, high = (rounded(one, 2) for one in (rise.mean, rise.low, rise.high))
    between = f"95 % interval {low} to {high}"
    if found.rises_at is None:
        how = "slightly higher" if rise.low > 0 else "no clear difference"
        return f"{start}; {how} at the end ({_signed(rise.mean)}; {between})."
    return (
        f"{start}, and is clearly higher from epoch {found.rises_at} on, by {by} at the end "
        f"({between}): harmful overfitting. Stop earlier (patience), or try more samples, "
        "dropout or a smaller network."
    )


def _signed(value: float) -> str:
    return (
        f"+{rounded(value, 2)}" if value > 0 else rounded(value, 2).replace("-", "\N{MINUS SIGN}")
    )


def _test(found: Generalization) -> str:
    assert found.test is not None
    looks = "the first look" if found.openings <= 1 else f"look number {found.openings}"
    if not found.test_interval:
        return (
            f"The loss on the test part ({looks}) is {rounded(found.test['loss'], 3)}, of fewer "
            "than 10 samples: too few for an interval."
        )
    low, high = found.test_interval["loss"]
    loss, error = found.validation_loss[found.kept], found.validation_error[found.kept]
    apart = (
        "agrees with"
        if low <= loss + 1.96 * error and high >= loss - 1.96 * error
        else "differs from"
    )
    return (
        f"The loss on the test part ({looks}) is {rounded(found.test['loss'], 3)} (95 % interval "
        f"{rounded(low, 3)} to {rounded(high, 3)}), which {apart} the validation loss."
    )
