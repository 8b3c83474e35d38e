"""The picture of many starts shows each of them, and nothing covers anything."""

import pytest

import downslope as ds
from downslope.insight.minima import minima
from downslope.nn.notation import parse
from downslope.plots.minima import minima_map
from tests.plain import PLAIN


@pytest.fixture(scope="module")
def found():
    return minima(
        parse("dense 4 tanh, dense 2"), ds.load("moons"), options=PLAIN, starts=5, epochs=2
    )


def test_every_start_is_there(found, texts, overlaps):
    figure = minima_map(found)
    shown = texts(figure)
    assert "Where 5 starts on moons ended" in shown
    assert "lowest training loss" in shown
    assert "hidden units\nmatched" in shown
    assert len(figure.axes[0].collections[0].get_offsets()) == 5
    losses = figure.axes[2].lines
    assert sorted(losses[0].get_ydata()) == pytest.approx(sorted(found.validation_loss))
    assert len(figure.axes[3].lines) == 2 * (4 + 1)
    assert overlaps(figure) == []


def test_networks_whose_units_have_no_order(texts, overlaps):
    figure = minima_map(
        minima(parse("dense 1"), ds.load("waves"), options=PLAIN, starts=2, epochs=1)
    )
    assert len(figure.axes[-1].lines) == 1 + 1
    assert "hidden units\nmatched" not in texts(figure)
    assert overlaps(figure) == []
