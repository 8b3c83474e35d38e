"""One weight in the story: the words and numbers of `trace_step`, as a table."""

import numpy as np
import pytest

import downslope as ds
from downslope.insight import trace_step
from downslope.reporting.material import Material
from downslope.reporting.pieces import Picture, Words
from downslope.reporting.story_weight import rows_of, the_change, the_factors, the_neuron
from downslope.text import Table
from tests.plain import PLAIN


def test_the_factors_of_the_sample_that_was_furthest_off(digits_run):
    material = Material(digits_run)
    losses = material.losses(material.beginning.untrained)
    sample = int(material.chosen[np.argmax(losses)])
    traced = trace_step(digits_run, 1, sample)
    first, name, grid, found, worked_out, _ = the_factors(material)
    assert f"with the target {digits_run.dataset.train.targets[sample]}." in first.text
    text = str(traced)
    assert "is that of relu, da/dz = 1 for z > 0, else 0 = " in worked_out.text
    for words in (name, found):
        assert all(part in text for part in words.text.split(". Measured"))
    assert isinstance(grid, Table) and grid.rows == rows_of(traced.weight.chain)
    (change,) = the_change(material)
    assert change.text.partition(": ")[2] in " ".join(text.split())
    said, picture = the_neuron(material)
    assert isinstance(said, Words) and isinstance(picture, Picture)
    unit = traced.weight.weight.unit
    assert f"Unit {unit} of layer 1 Dense" in picture.figure.get_label()
    assert f"Training sample {sample:,}:" in picture.figure.get_label()


@pytest.mark.parametrize("kind", ["digits", "waves", "crowd", "hostile"])
def test_each_row_multiplies_and_the_terms_add_up(kind, request):
    traced = Material(request.getfixturevalue(f"{kind}_run")).traced
    rows = rows_of(traced.weight.chain)
    assert float(rows[0][3]) == pytest.approx(traced.weight.chain.gradient, rel=1e-3)
    total, rest = 0.0, 0.0
    for name, _, numbers, value in rows:
        assert name
        if numbers:
            product = np.prod([float(one) for one in numbers.split(" × ")])
            assert product == pytest.approx(float(value), rel=2e-3, abs=1e-12)
        if name.startswith("term") or name == "the others":
            rest -= float(value)
        else:
            assert rest == pytest.approx(0, abs=1e-3 * max(total, 1e-9))
            total, rest = abs(float(value)), 0.0 if numbers else float(value)
    assert rest == pytest.approx(0, abs=1e-3 * total)


def test_the_loss_of_numbers_is_told_in_its_own_unit(waves_run):
    first, *_ = the_factors(Material(waves_run))
    assert first.text.endswith("divided by their standard deviation.")


def test_nothing_of_a_weight_where_the_beginning_is_not_known_or_too_large(waves_run, monkeypatch):
    more = ds.train(
        waves_run.network,
        waves_run.dataset,
        options=PLAIN,
        learning_rate=0.02,
        epochs=1,
        start=waves_run,
    )
    monkeypatch.setattr("downslope.reporting.material.MOST_TRACED", 15)
    for run in (more, waves_run):
        material = Material(run)
        assert [*the_factors(material), *the_change(material), *the_neuron(material)] == []
