"""The lab in a real browser, as its user walks through it."""

import re
from itertools import product

import numpy as np
import pytest

import downslope as ds
from tests.browser.conftest import done

pytestmark = pytest.mark.peers


def test_spirals_are_trained_and_every_number_is_the_run_s(lab, tmp_path):
    page = lab()
    page.get_by_role("button", name="One step").click()
    done(page, 1)
    page.get_by_role("button", name="One epoch").click()
    done(page, 22)
    run = ds.open_run(tmp_path / "runs" / "spirals-1").with_data()
    for layer in range(3):
        weights = np.asarray(run.parameters[layer]["weights"])
        for unit in range(weights.shape[1]):
            page.get_by_role("button", name=f"{layer + 1} Dense, unit {unit}", exact=True).click()
            for source in range(weights.shape[0]):
                said = page.locator(f'[data-weight="{layer}.{source}.{unit}"]').inner_text()
                assert float(said) == pytest.approx(weights[source, unit], rel=1e-3, abs=1e-3)
            said = page.locator(f'[data-bias="{layer}.{unit}"]').inner_text()
            bias = run.parameters[layer]["biases"][unit]
            assert float(said) == pytest.approx(bias, rel=6e-3, abs=1e-6)
    truth, chosen = (
        run.dataset.validation.targets,
        run.predict(run.dataset.validation.inputs),
    )
    for row in range(2):
        for column in range(2):
            said = page.locator(f'[data-confusion="{row}.{column}"]').inner_text()
            assert int(said) == ((truth == row) & (chosen == column)).sum()
    assert page.complaints == []


def test_back_to_a_step_and_into_another_future(lab, tmp_path):
    page = lab()
    page.get_by_label("epochs", exact=True).fill("4")
    page.get_by_label("epochs", exact=True).press("Enter")
    page.get_by_text("of 88").wait_for()
    page.get_by_role("button", name="Play").click()
    done(page, 88)
    slider = page.get_by_role("slider")
    slider.evaluate(
        "one => { one.value = 30; one.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    done(page, 30)
    page.get_by_label("learning rate").fill("0.1")
    page.get_by_label("learning rate").press("Enter")
    page.locator("pre", has_text="--learning-rate 0.1").wait_for(state="attached")
    page.get_by_role("button", name="Play").click()
    page.locator("code", has_text="spirals-2").wait_for(state="attached", timeout=60_000)
    other = ds.open_run(tmp_path / "runs" / "spirals-2")
    assert (other.parent.steps, other.settings.learning_rate) == (30, 0.1)


def test_the_six_steps_and_the_test_part(lab):
    page = lab()
    page.get_by_role("button", name="One step").click()
    done(page, 1)
    page.get_by_role("button", name=re.compile("Walk through")).click()
    page.locator(".walk ol li").nth(5).wait_for()
    assert page.locator(".walk ol li").count() == 6
    page.get_by_role("button", name="Open it").click()
    page.locator(".test pre").wait_for()
    assert "accuracy" in page.locator(".test pre").inner_text()


def test_markup_in_names_is_text(lab, tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    rows = [f'"{evil}",b,kind']
    rows += [f"{one},{one % 7},{'<b>yes</b>' if one % 2 else evil}" for one in range(80)]
    path = tmp_path / f"evil{chr(39)}.csv"
    path.write_text("\n".join(rows))
    page = lab()
    page.on("dialog", lambda dialog: page.complaints.append("a dialog opened"))
    page.set_input_files("input[type=file]", path)
    page.get_by_text("Column to predict").wait_for(timeout=30_000)
    page.get_by_label("Column to predict").fill("kind")
    page.get_by_role("button", name="Read", exact=True).click()
    page.get_by_text("<b>yes</b>").first.wait_for(timeout=30_000)
    page.get_by_role("button", name="One step").click()
    done(page, 1)
    assert page.locator("main img").count() == 0
    assert [one for one in page.complaints if "415" not in one] == []


def test_by_keyboard_alone(lab):
    page = lab()
    page.locator("body").press("n")
    done(page, 1)
    page.locator("body").press("e")
    done(page, 22)
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate(
                "document.activeElement.tagName + document.activeElement.textContent.slice(0, 12)"
            )
        )
    assert len(seen) > 8


def test_nothing_overflows_and_axe_finds_nothing(lab, browser, violations):
    page = lab("digits")
    page.get_by_role("button", name="One epoch").click()
    done(page, 40)
    for scheme, width in product(("light", "dark"), (1024, 1440, 2560)):
        context = browser.new_context(
            bypass_csp=True, storage_state=page.context.storage_state(), color_scheme=scheme,
            viewport={"width": width, "height": 1000},
        )  # fmt: skip
        again = context.new_page()
        again.goto(page.url)
        again.locator(".confusion").wait_for()
        wide = again.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1]
        if width == 1440:
            assert violations(again) == []
        context.close()
    assert page.complaints == []
