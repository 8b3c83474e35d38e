"""A real browser, where there is one."""

import shutil
import signal
import subprocess
import sys

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser():
    """Chromium, without a window."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no chromium")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def violations():
    """What axe finds wrong with a page that is open."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")

    def find(page) -> list[str]:
        found = axe.Axe().run(page).response["violations"]
        return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]

    return find


@pytest.fixture
def lab(tmp_path, browser):
    """Start the lab in a folder of its own; gives a function that opens a page of it."""
    started, contexts = [], []

    def start(*words, **sight):
        command = [sys.executable, "-c", "from downslope.cli import start; start()", "lab"]
        process = subprocess.Popen(
            [*command, *words, "--no-browser"], cwd=tmp_path, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        link = process.stdout.readline().split()[-1]
        context = browser.new_context(
            viewport={"width": 1440, "height": 1000}, bypass_csp=False, **sight
        )
        contexts.append(context)
        page = context.new_page()
        page.process = process
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on(
            "console",
            lambda line: page.complaints.append(line.text) if line.type == "error" else None,
        )
        page.goto(link)
        page.wait_for_selector(".node", timeout=60_000)
        return page

    yield start
    for context in contexts:
        context.close()
    for process in started:
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(30) == 130
        finally:
            process.kill()
            process.communicate()


def done(page, step):
    """Wait until the page shows a step."""
    page.wait_for_selector(f'output[data-step="{step}"]', timeout=60_000)
