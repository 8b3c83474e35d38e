"""Runs on the lab's page: of other processes, mended, on several pages; and the keyboard alone."""

import re
import signal

import numpy as np
import pytest

import downslope as ds
from downslope.nn import notation
from tests.browser.conftest import done
from tests.lab.test_watched import LONG, start, until

pytestmark = pytest.mark.peers


def step_of(page):
    return int(page.locator("output[data-step]").get_attribute("data-step"))


def test_a_training_of_another_process_is_watched_and_taken_over(lab, tmp_path):
    trainer = start(tmp_path, "train", "moons", *LONG, "--checkpoint-seconds", "0.2",
                    "--network", "dense 3 tanh, dense 2")  # fmt: skip
    try:
        folder = tmp_path / "runs" / "moons-1"
        until(lambda: (folder / "checkpoints" / "manifest.json").exists())
        page = lab("runs/moons-1")
        page.get_by_text("Watched: another process trains this run").wait_for(timeout=30_000)
        first = step_of(page)
        until(lambda: step_of(page) > first)
        assert page.get_by_role("button", name="Play").is_disabled()
        page.keyboard.press("Space")
        trainer.send_signal(signal.SIGINT)
        assert trainer.wait(60) == 130
    finally:
        trainer.kill()
        trainer.communicate()
    page.get_by_text("The other process has ended").wait_for(timeout=30_000)
    run = ds.open_run(folder)
    assert run.outcome.reason == "interrupted"
    done(page, run.outcome.step)
    weights = np.asarray(ds.replay(run).parameters(run.outcome.step)[0]["weights"])
    page.get_by_role("button", name="1 Dense, unit 0", exact=True).click()
    for source in range(2):
        said = page.locator(f'[data-weight="0.{source}.0"]').first.inner_text()
        assert float(said) == pytest.approx(weights[source, 0], rel=1e-3, abs=1e-3)
    page.get_by_role("button", name="One step").click()
    until(lambda: ds.open_run(folder).outcome.step == run.outcome.step + 1)
    assert page.complaints == []


def test_two_pages_and_a_lab_that_is_started_again(lab, tmp_path):
    page = lab("xor")
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_text("This is page 2").wait_for(timeout=30_000)
    page.get_by_text("Page 2 looks at this training as well").wait_for()
    page.get_by_role("button", name="One step").click()
    done(other, 1)
    other.get_by_text("Page 1 trains.").wait_for()
    other.get_by_role("button", name="One step").click()
    done(page, 2)
    page.get_by_text("Page 2 trains.").wait_for()
    other.close()

    page.process.send_signal(signal.SIGINT)
    assert page.process.wait(30) == 130
    page.get_by_text("The lab does not answer").wait_for(timeout=30_000)
    assert page.get_by_role("button", name="Play").is_disabled()
    again = lab("xor", "--port", re.search(r":(\d+)", page.url)[1])
    page.context.add_cookies(again.context.cookies())  # as one browser has them
    page.locator("code", has_text="xor-1").wait_for(state="attached", timeout=30_000)
    done(page, 2)
    page.get_by_role("button", name="One step").click()
    done(again, 3)
    assert [one.name for one in (tmp_path / "runs").iterdir()] == ["xor-1"]
    assert ds.open_run(tmp_path / "runs" / "xor-1").outcome.step == 3


def test_a_broken_training_is_diagnosed_and_mended_by_its_button(lab, tmp_path):
    page = lab()
    page.get_by_label("epochs", exact=True).fill("20")
    page.get_by_label("epochs", exact=True).press("Enter")
    page.get_by_label("learning rate").fill("30")  # before the first change has come back
    page.get_by_label("learning rate").press("Enter")
    page.locator("pre", has_text="--learning-rate 30 ").wait_for(state="attached")
    page.get_by_text("of 440").wait_for()
    page.get_by_label("learning rate").fill("-1")
    page.get_by_label("learning rate").press("Enter")
    page.get_by_role("alert").wait_for()
    assert page.get_by_label("learning rate").input_value() == "30"  # as it was
    page.get_by_role("button", name="Play").click()
    page.locator(".findings .finding").first.wait_for(timeout=60_000)
    page.get_by_role("button", name=re.compile("Why")).click()
    page.locator(".findings .proof").first.wait_for(timeout=90_000)
    page.get_by_role("button", name="Make this change").first.click()
    page.get_by_text("new run").first.wait_for()
    page.get_by_role("button", name="Play").click()
    page.locator("code", has_text="spirals-2").wait_for(state="attached", timeout=60_000)
    one, other = (ds.open_run(tmp_path / "runs" / f"spirals-{number}") for number in (1, 2))
    assert other.trace.validation_loss[-1] < one.trace.validation_loss[-1]


def focus(page, name):
    """Press Tab until an element with a name has the focus."""
    said = """() => { const one = document.activeElement, label = one.closest('label');
        return one.getAttribute('aria-label') || (label ?? one).textContent }"""
    for _ in range(150):
        page.keyboard.press("Tab")
        if re.search(name, page.evaluate(said)):
            return
    raise AssertionError(f"{name} cannot be reached")


def test_all_of_it_by_keyboard_alone(lab, tmp_path):
    page = lab()
    focus(page, r"^\+ layer")
    page.keyboard.press("Enter")
    page.locator("pre", has_text="dense 8 tanh, dense 8 tanh, dense 8 tanh").first.wait_for(
        state="attached"
    )
    focus(page, "^One step")
    page.keyboard.press("Enter")
    done(page, 1)
    focus(page, "^One epoch")
    page.keyboard.press("Enter")
    done(page, 22)
    focus(page, "^Step")
    page.keyboard.press("Home")
    done(page, 0)
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    done(page, 5)
    focus(page, "^learning rate")
    page.keyboard.press("Control+a")
    page.keyboard.type("0.05")
    page.keyboard.press("Enter")
    page.locator("pre", has_text="--learning-rate 0.05").wait_for(state="attached")
    focus(page, "^One step")
    page.keyboard.press("Enter")
    page.locator("code", has_text="spirals-2").wait_for(state="attached", timeout=60_000)
    other = ds.open_run(tmp_path / "runs" / "spirals-2")
    assert (other.parent.steps, other.outcome.step) == (5, 6)
    assert notation.describe(other.network).count("dense 8 tanh") == 3
    focus(page, "^Open it")
    page.keyboard.press("Enter")
    page.locator(".test pre").wait_for(timeout=30_000)
    page.locator("body").evaluate("one => document.activeElement.blur()")
    page.keyboard.press("r")
    done(page, 0)
    assert page.complaints == []
