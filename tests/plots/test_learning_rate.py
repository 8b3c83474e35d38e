"""The picture of a search for a learning rate."""

from dataclasses import replace

import numpy as np
import pytest

import downslope as ds
from downslope.insight.curvature import Curvature
from downslope.insight.learning_rate import FoundRate, Proof
from downslope.insight.learning_rate_choice import choose
from downslope.insight.learning_rate_trials import Round
from downslope.plots import save
from downslope.plots.learning_rate import rate_search


def looked(rates: np.ndarray, seeds: int, steps: int) -> Round:
    """Losses that fall, rise, and explode from a rate of 1 on."""
    draw = np.random.default_rng(0)
    losses = 0.2 + 0.1 * np.log(rates / 0.1) ** 2
    losses = losses[:, None] * np.exp(0.1 * draw.normal(size=(len(rates), seeds)))
    losses = np.where(rates[:, None] > 10, np.inf, np.minimum(losses, 2.4))
    rose = np.repeat(rates[:, None] > 1, seeds, axis=1)
    return Round(rates, np.arange(seeds), steps / 160, steps, 2.3, losses, losses, rose)


@pytest.fixture(scope="module")
def found() -> FoundRate:
    near = looked(0.1 * 1.35 ** np.arange(-8, 4.0), 8, 160)
    wide = looked(np.geomspace(1e-5, 1e2, 24), 1, 20)
    choice = choose(near)
    steps = np.arange(20)
    rate = float(f"{choice.rate:.3g}")
    return FoundRate(
        learning_rate=rate,
        good=choice.good,
        overshoots=choice.overshoots(near, wide),
        too_slow=choice.too_slow(near, wide),
        first_look=wide,
        second_look=near,
        choice=choice,
        start_loss=2.3,
        proof=(
            Proof("too small", 0.001, 2.3 - 0.01 * steps),
            Proof("good", rate, 2.3 * np.exp(-0.1 * steps)),
            Proof("overshoots", 4.0, 2.3 * np.exp(0.1 * steps)),
        ),
        curvature=Curvature(4.0, 0.001, (), 10, 100),
        settings=ds.Settings("cross_entropy", learning_rate=rate),
        data="points",
        seconds=1.0,
    )


def test_it_names_what_is_good_and_what_is_not(found, texts, overlaps):
    figure = rate_search(found)
    shown = texts(figure)
    assert shown[0] == f"Learning rate for points: {found.learning_rate:g}"
    assert f"good: {found.learning_rate:g}" in shown
    assert f"overshoots above {found.overshoots:.2g}" in shown
    assert f"too slow below {found.too_slow:.2g}" in shown
    assert f"good\n{found.learning_rate:.2g}" in shown
    assert "Short trainings at three rates" in shown
    assert not [pair for pair in overlaps(figure) if "bend" not in "".join(pair)]


def test_borders_that_were_not_found_are_left_out(found, texts, tmp_path):
    few = replace(found, overshoots=None, too_slow=None, curvature=None, proof=found.proof[1:2])
    figure = rate_search(few)
    assert not any("overshoots" in text or "slow" in text for text in texts(figure)[2:])
    save(figure, tmp_path / "rates.png")


def test_trainings_that_diverged_are_at_the_upper_edge(found, tmp_path):
    proof = [replace(one, batch_loss=np.full(30, np.nan, np.float32)) for one in found.proof]
    save(rate_search(replace(found, proof=tuple(proof))), tmp_path / "rates.png")
