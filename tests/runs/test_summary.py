"""A run shows itself in a notebook: what it knows, escaped, and without opening anything."""

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import downslope as ds
from tests.plain import PLAIN


@pytest.fixture(scope="module")
def run():
    network = ds.Network([ds.Dense(4, "tanh"), ds.Dense(2)])
    return ds.train(network, ds.load("moons"), options=PLAIN, epochs=3, record=ds.Record(every=1))


def test_what_a_card_says(run):
    facts = run.summary
    assert facts["network"] == "dense 4 tanh, dense 2 (22 weights and biases)"
    assert facts["trained"] == (
        "sgd, learning rate 0.1 (constant), batch size 32, 3 epochs, seed 0"
    )
    assert facts["ended"] == str(run.outcome)
    assert f"{run.trace.validation_loss[-1]:.4g} on validation samples" in facts["loss at the end"]


def test_the_card_is_html_with_both_losses_and_opens_no_test_part(run):
    seen = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: seen.append(tag)
    before = run.test_evaluations
    html = run._repr_html_()
    parser.feed(html)
    assert seen.count("polyline") == 2 and seen.count("tr") == 5
    assert "http" not in html
    assert run.test_evaluations == before


def test_names_are_escaped(run, tmp_path):
    data = replace(run.data, name="<script>alert(1)</script> & co")
    html = replace(run, data=data, folder=tmp_path / "<b>")._repr_html_()
    assert "<script" not in html and "/<b>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in html


@pytest.mark.parametrize("losses", [[], [np.nan, np.nan], [1.0, np.inf, 0.5], [0.5, 0.5]])
def test_losses_that_cannot_be_drawn_are_left_out(run, losses):
    epochs = {name: np.array(losses, np.float32) for name in ("train_loss", "validation_loss")}
    html = replace(run, trace=replace(run.trace, epochs=epochs))._repr_html_()
    assert "nan," not in html and "inf," not in html
    assert ("<polyline" in html) == (np.isfinite(losses).sum() >= 2)
