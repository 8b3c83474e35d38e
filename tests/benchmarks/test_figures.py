import pytest

from benchmarks import figures
from tests.benchmarks.contests import contest, row

OURS = row("ours", "ours", 1.0, 2.0, 4.0)
PEER = row("peer", "peer", 3.0, 4.0, 40.0)
SLOW = row("slow", "peer", 5.0, 5.0, 5.0)
ON_JAX = row("jax", "jax", 1.0, 1.0, 1.0)


def test_times_are_told_per_unit_with_their_spread():
    assert figures.spread(contest(OURS), OURS) == (0.2, 0.1, 0.4)


def test_a_ratio_is_the_median_of_the_rounds_and_not_the_ratio_of_the_medians():
    assert figures.ratio(OURS, PEER) == 3.0  # of 3, 2 and 10
    assert figures.ratio(PEER, OURS) == pytest.approx(1 / 3)


def test_a_ratio_needs_the_same_rounds():
    with pytest.raises(ValueError, match="zip"):
        figures.ratio(OURS, row("short", "peer", 1.0))


def test_the_best_of_a_role_has_the_lowest_median_and_came_to_the_end():
    failed = row("failed", "peer", absent="it crashed")
    both = contest(OURS, SLOW, PEER, ON_JAX, failed)
    assert figures.best(both, "peer") is PEER
    assert figures.best(both, "jax") is ON_JAX
    assert figures.best(contest(OURS, failed), "peer") is None


def test_what_came_once_is_told_apart():
    assert figures.compiling(row("a", "peer", 2.0, 3.0, 4.0, preparing=0.5)) == 6.5
    assert figures.compiling(row("a", "peer", 20.0, preparing=0.5)) == 0.5


def test_the_share_of_the_ceiling_is_against_the_best_rate_of_each_round():
    low = row("low", "ceiling", 1.0, 1.0, figures={"rate": (100.0, 300.0)})
    high = row("high", "ceiling", 1.0, 1.0, figures={"rate": (200.0, 100.0)})
    own = row("ours", "ours", 1.0, 1.0)
    assert figures.fraction_of_ceiling(contest(own, low, high, operations=60.0), own) == 0.25
    assert figures.fraction_of_ceiling(contest(own, operations=60.0), own) is None
    assert figures.fraction_of_ceiling(contest(own, low), own) is None


def test_whoever_learns_less_is_named():
    losses = [row(str(index), "peer", 1.0, loss=loss) for index, loss in enumerate((1.0, 1.1, 2.3))]
    assert figures.losses_far_apart(contest(*losses), 0.5) == [
        "2: loss 2.3, where the median is 1.1"
    ]
    lost = row("nan", "peer", 1.0, loss=float("nan"))
    assert len(figures.losses_far_apart(contest(*losses[:2], losses[0], lost), 0.5)) in (1, 3)
    assert figures.losses_far_apart(contest(row("a", "peer", 1.0)), 0.5) == []
