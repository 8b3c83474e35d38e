"""The picture of a search for a learning rate."""

from dataclasses import replace

import numpy as np
import pytest

from downslope.insight import find_rate
from downslope.network.notation import parse
from downslope.pictures import save
from downslope.pictures.rates import rate_search
from tests.learning import by_hand


@pytest.fixture(scope="module")
def found():
    return find_rate(parse("dense 3"), by_hand.classes_data(100, 60), batch_size=20, epochs=8)


def test_it_names_what_is_good_and_what_is_not(found, texts, overlaps):
    figure = rate_search(found, loss="cross_entropy")
    shown = texts(figure)
    assert shown[0] == f"A learning rate for points: {found.rate:g}"
    assert f"good: {found.rate:g}" in shown
    assert f"overshoots from {found.overshoots:.2g}" in shown
    assert f"too slow below {found.too_slow:.2g}" in shown
    assert f"good\n{found.rate:.2g}" in shown
    assert "Three short trainings" in shown
    assert not [pair for pair in overlaps(figure) if "bend" not in "".join(pair)]


def test_borders_that_were_not_found_are_left_out(found, texts, tmp_path):
    few = replace(found, overshoots=None, too_slow=None, curvature=None, proof=found.proof[1:2])
    figure = rate_search(few)
    assert not any("overshoots" in text or "slow" in text for text in texts(figure)[2:])
    save(figure, tmp_path / "rates.png")


def test_trainings_that_diverged_are_at_the_upper_edge(found, tmp_path):
    proof = [replace(one, batch_loss=np.full(30, np.nan, np.float32)) for one in found.proof]
    save(rate_search(replace(found, proof=tuple(proof))), tmp_path / "rates.png")
