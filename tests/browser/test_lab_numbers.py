"""Every number that the lab's page shows of a network is the run's own."""

import re

import numpy as np
import pytest

import downslope as ds
from tests.browser.conftest import done

pytestmark = pytest.mark.peers
PAGE = 1e-3  # of numbers that the page rounds to four digits
TOLD = 2e-5  # of those that are told with six


class Said:
    """Numbers that were read out of a page, each compared with what it should be."""

    def __init__(self, page):
        self.page, self.count = page, 0

    def cells(self, attribute):
        """All texts with a data attribute, by its value."""
        found = self.page.evaluate(
            "name => [...document.querySelectorAll(`[data-${name}]`)].map(one =>"
            " [one.getAttribute(`data-${name}`), one.textContent])", attribute,
        )  # fmt: skip
        return dict(found)

    def is_near(self, said, truth, digits):
        """Compare one number, within the rounding of what is shown."""
        truth = float(truth)
        rounding = 0.5 * 10 ** (np.floor(np.log10(abs(truth))) - 2) if "e" in said else 0.0
        value = float(said.replace(",", "").replace("δ", ""))
        assert value == pytest.approx(truth, rel=digits, abs=max(float(rounding), 1e-7))
        self.count += 1


def backpropagated(run, parameters, sample):
    """One sample's signals, and what backpropagation finds for it."""
    train = run.dataset.train.take(np.array([sample]))
    inputs = run.scaling.apply(train.inputs)
    found = ds.backpropagate(run.network, parameters, inputs, train.targets, loss=run.loss)
    return inputs[0], run.network.signals(parameters, inputs), found


def one_unit_is_the_run_s(said, run, layer, unit, signals, own):
    """Compare the sums of a unit, and the factors of its weight from input 2."""
    page = said.page
    before, delta = np.asarray(signals[layer - 1].activations[0]), float(own.deltas[layer][0, unit])
    weights = run.parameters[layer]["weights"][:, unit]
    for attribute, truth in (("input", before), ("weight", weights), ("product", before * weights)):
        for name, text in said.cells(attribute).items():
            said.is_near(text, truth[int(name.split(".")[1])], TOLD)
    z = float(np.asarray(signals[layer].pre_activations[0])[unit])
    a, rate = (np.tanh(z), 1 - np.tanh(z) ** 2) if layer < 2 else (z, 1)
    slope = float(own.slopes[layer][0, unit])
    numbers = [run.parameters[layer]["biases"][unit], z, a, rate, slope, delta]
    for name, text in said.cells("number").items():
        said.is_near(text, numbers[int(name.split(".")[2])], TOLD)
    gradient = float(own.gradients[layer]["weights"][2, unit])
    said.is_near(page.locator("[data-gradient]").inner_text(), gradient, TOLD)
    assert gradient == pytest.approx(before[2] * delta, rel=1e-5)
    for link in page.locator(".product").all():  # what a pupil would multiply
        factors = [float(one) for one in link.locator("[data-factor]").all_inner_texts()]
        said.is_near(link.locator("[data-product-of]").inner_text(), np.prod(factors), TOLD)


def test_300_numbers_are_the_run_s(lab, tmp_path):
    page = lab()
    page.get_by_label("epochs", exact=True).fill("4")
    page.get_by_label("epochs", exact=True).press("Enter")
    page.get_by_text("of 88").wait_for()
    page.get_by_label("Connections show").select_option("gradients")
    page.get_by_role("button", name="Play").click()
    done(page, 88)
    run = ds.open_run(tmp_path / "runs" / "spirals-1").with_data()
    page.get_by_label("Connections show").select_option("gradients")
    page.get_by_role("button", name="2 Dense, unit 3", exact=True).click()
    page.locator(".sums").wait_for()
    page.locator(".text summary").click()
    page.locator('[data-cell^="gradients.2"]').first.wait_for()
    said = Said(page)

    cells, train, seen = said.cells("cell"), run.dataset.train, set()
    inputs = run.scaling.apply(train.inputs)
    whole = ds.backpropagate(run.network, run.parameters, inputs, train.targets, loss=run.loss)
    sample = int(page.get_by_label("Training sample").input_value())
    _, signals, own = backpropagated(run, run.parameters, sample)
    truths = {
        "weights": [one["weights"] for one in run.parameters],
        "biases": [one["biases"] for one in run.parameters],
        "gradients": [one["weights"] for one in whole.gradients],
        "signals": [one.activations[0] for one in signals],
    }
    for name, text in cells.items():
        kind, *index = name.split(".")
        if kind in truths:
            layer, *spot = map(int, index)
            said.is_near(text, np.asarray(truths[kind][layer])[tuple(spot)], PAGE)
            seen.add((kind, layer))
        else:
            row = {"batch": run.trace.batch_loss} | dict(run.trace.epochs)
            said.is_near(text, row[kind][-1], PAGE)
    assert len(seen) == 12  # of all three layers

    for layer, unit in ((1, 3), (2, 0)):
        page.get_by_role("button", name=f"{layer + 1} Dense, unit {unit}", exact=True).click()
        page.locator(f'[data-weight="{layer}.2.{unit}"]').click()
        page.locator(".chain h3", has_text=f"weights[2,{unit}] of layer {layer + 1}").wait_for()
        one_unit_is_the_run_s(said, run, layer, unit, signals, own)

    truth, chosen = run.dataset.validation.targets, run.predict(run.dataset.validation.inputs)
    for name, text in said.cells("confusion").items():
        row, column = map(int, name.split("."))
        said.is_near(text, ((truth == row) & (chosen == column)).sum(), 0)
    for part, count in run.dataset.sizes.items():
        assert f"{part} {count}" in page.locator("dd").last.inner_text()
        said.count += 1

    page.get_by_role("button", name="Draw it").click()
    page.locator("[data-ball]").wait_for(timeout=60_000)
    heights, loss = page.evaluate(
        "import('/store.js').then(one => [[...one.relief.value.arrays.get('heights').values],"
        " document.querySelector('[data-ball]').textContent])"
    )
    found = ds.insight.surface(run, points=41)
    assert np.allclose(heights, found.train_loss.ravel(), rtol=1e-6, equal_nan=True)
    said.is_near(loss, found.walked.train_loss[-1], PAGE)
    assert said.count >= 300, said.count
    assert page.complaints == []


def test_the_six_steps_are_walked_on_the_network(lab, tmp_path):
    page = lab()
    page.get_by_role("button", name="One step").click()
    done(page, 1)
    page.locator(".walker").wait_for(timeout=60_000)  # by itself
    page.get_by_role("button", name="Hold").click()
    run = ds.open_run(tmp_path / "runs" / "spirals-1").with_data()
    past = ds.replay(run)
    sample = int(past.batch_of(1)[0])
    assert f"Training sample {sample}" in page.locator(".walk").inner_text()
    before = past.parameters(0)
    scaled, signals, own = backpropagated(run, before, sample)
    said = Said(page)
    heads = ("1 Sample", "2 Prediction", "3 Loss", "4 Gradients", "5 Update", "6 Again")
    stages = [(0, -1), (1, 0), (1, 1), (1, 2), (2, 2), (3, 2), (3, 1), (3, 0), (4, -1), (5, -1)]
    page.get_by_role("button", name=heads[0], exact=True).click()
    for step, layer in stages:
        page.locator(f'[aria-current="step"]:has-text("{heads[step]}")').wait_for()
        assert page.locator("main").get_attribute("data-step") == str(step)
        for name, text in said.cells("shown").items():
            index, unit = map(int, name.split("."))
            if not text:
                assert step >= 4 or index > layer  # it has not come so far
                continue
            truth = scaled if index < 0 else np.asarray(signals[index].activations[0])
            if step in (3, 4) and index >= max(layer, 0):
                assert text.startswith("δ")
                truth = np.asarray(own.deltas[index][0])
            said.is_near(text, truth[unit], PAGE)
        caption = page.locator(".walker p").inner_text()
        if step == 2:
            sample_loss, batch_loss = map(float, re.findall(r"[\d.]+\d", caption))
            assert sample_loss == pytest.approx(float(own.loss), rel=1e-4)
            assert batch_loss == pytest.approx(run.trace.batch_loss[0], rel=1e-5)
        if step < 5:
            page.get_by_role("button", name="next stage").click()
    assert said.count > 100
    assert page.get_by_role("button", name="next stage").is_disabled()
    assert page.complaints == []


def test_a_connection_is_chosen_and_layers_and_rates_are_measured(lab):
    page = lab()
    page.emulate_media(reduced_motion="reduce")
    page.get_by_label("epochs", exact=True).fill("2")
    page.get_by_label("epochs", exact=True).press("Enter")
    page.get_by_text("of 44").wait_for()
    page.get_by_role("button", name="One step").click()
    done(page, 1)
    page.locator(".walk ol li").nth(5).wait_for(timeout=60_000)
    assert page.locator(".walker").count() == 0  # told without motion
    line = page.locator(".lines path").nth(7)  # from the first input to the last unit
    spot = line.evaluate(
        "one => { const at = one.getPointAtLength(one.getTotalLength() * 0.8), box ="
        " one.ownerSVGElement.getBoundingClientRect(); return [at.x + box.x, at.y + box.y] }"
    )
    page.mouse.click(*spot)
    page.locator(".chain").wait_for()
    assert "weights[0,7] of layer 1" in page.locator(".chain h3").inner_text()
    page.get_by_label("Training sample").fill("5")
    page.get_by_label("Training sample").press("Enter")
    page.locator('[data-weight="0.1.7"]').focus()
    page.keyboard.press("Enter")
    page.locator(".chain h3", has_text="weights[1,7]").wait_for()
    assert page.get_by_label("Training sample").input_value() == "5"
    page.get_by_role("button", name="Play").click()
    done(page, 44)
    page.get_by_role("button", name="Measure them").click()
    page.locator(".layers .uplot").nth(2).wait_for(timeout=60_000)
    page.get_by_role("button", name="Find a good one").click()
    page.locator(".rates").wait_for(timeout=120_000)
    page.locator(".take").click()
    rate = page.locator(".take").inner_text().split()[1]
    page.locator("pre", has_text=f"--learning-rate {rate}").wait_for(state="attached")
    assert page.complaints == []
