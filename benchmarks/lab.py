"""The lab's page: how soon it moves, how often it draws, what it costs a training, and a soak.

    python -m benchmarks.lab speed              # needs playwright and a chromium, some minutes
    python -m benchmarks.lab soak --minutes 30  # five clients at one training
    python -m benchmarks.lab table              # what they found, shortly

The first two end by themselves and write what they found, as it comes, to a file of JSON lines.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from downslope.lab.messages import unpacked

RESULTS = Path(__file__).parent / "results" / "lab.jsonl"
EPOCHS = 600  # of digits: some seconds of training
ROWS = "size,price\n" + "".join(f"{one},{2 * one + 5}\n" for one in range(200))


class Lab:
    """A lab that runs in a process of its own.

    Args:
        process: The process.
        folder: Where it works.
        link: The one-time link.
    """

    def __init__(self, process: subprocess.Popen[str], folder: Path, link: str) -> None:
        self.process, self.folder, self.link = process, folder, link
        self.host = re.findall(r"127\.0\.0\.1:\d+", link)[0]
        self._cookie = ""

    @property
    def cookie(self) -> str:
        """What the link is exchanged for."""
        if not self._cookie:
            http = HTTPConnection(self.host)
            http.request("GET", self.link.split(self.host)[1])
            self._cookie = (http.getresponse().getheader("set-cookie") or "").split(";")[0]
            http.close()
        return self._cookie

    @asynccontextmanager
    async def client(self) -> AsyncIterator[ClientConnection]:
        """A client without a page."""
        headers = {"Cookie": self.cookie, "Origin": f"http://{self.host}"}
        url = f"ws://{self.host}/socket"
        async with connect(url, additional_headers=headers, max_size=None) as client:
            yield client

    @property
    def worker(self) -> int:
        """The number of the process that trains."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[0])

    def last_run(self) -> dict[str, Any]:
        """What is kept of the last run that ended."""
        runs = sorted(
            (self.folder / "runs").glob("*/run.json"), key=lambda one: one.stat().st_mtime
        )
        return json.loads(runs[-1].read_text())


@contextmanager
def lab(source: str) -> Iterator[Lab]:
    """Start a lab in a folder of its own, and end it."""
    folder = Path(tempfile.mkdtemp(prefix="lab-"))
    command = [sys.executable, "-m", "downslope", "lab", source, "--no-browser", "--port", "0"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Lab(process, folder, process.stdout.readline().split()[-1])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(40)
        shutil.rmtree(folder, ignore_errors=True)


async def ask(client: ClientConnection, **command: Any) -> None:
    """Send a command."""
    await client.send(json.dumps(command))


async def until(client: ClientConnection, kind: str, is_it: Callable[[Any], bool]) -> Any:
    """The next message of a kind that is as asked."""
    while True:
        header, _ = unpacked(await client.recv())  # pyright: ignore[reportArgumentType]
        if type(header).__name__ == kind and is_it(header):
            return header


def write(out: Path, **found: Any) -> None:
    """Write a line of what was found, and show it."""
    line = json.dumps(found)
    print(line, flush=True)
    with out.open("a") as file:
        file.write(line + "\n")


# what a page costs a training


async def _trained(run: Lab, client: ClientConnection) -> tuple[float, float]:
    """Seconds in the loop, and processor seconds of the worker, of one training of digits."""
    await ask(client, do="renew")
    await ask(client, do="pace", steps=0)
    began = processor_seconds(run.worker)
    await ask(client, do="play")
    await until(client, "Findings", lambda one: one.title == "At the end")
    return run.last_run()["seconds"]["training"], processor_seconds(run.worker) - began


async def costs(rounds: int, out: Path) -> None:
    """Train without a page, with one that is seen, with a hidden and with a stalled one."""
    with lab("digits") as run:
        async with run.client() as control:
            await ask(control, do="setup", epochs=EPOCHS)
            await until(control, "Scene", lambda one: one.settings["epochs"] == EPOCHS)
            await _trained(run, control)  # caches are warm from here on
            for number in range(rounds):
                for kind in ("none", "visible", "hidden", "stalled", "none again"):
                    async with watching(run, kind):
                        loop, processor = await _trained(run, control)
                    write(out, what="training", round=number, page=kind,
                          loop_seconds=loop, processor_seconds=processor)  # fmt: skip


@asynccontextmanager
async def watching(run: Lab, kind: str) -> AsyncIterator[None]:
    """One more that looks at a training, in some way."""
    if kind == "visible":
        page = await asyncio.to_thread(PageProcess, run)
        try:
            yield
        finally:
            await asyncio.to_thread(page.end)
    elif kind == "hidden":  # a hidden page draws nothing, and so asks for nothing
        async with run.client() as client:
            reading = asyncio.create_task(read_all(client))
            yield
            reading.cancel()
    elif kind == "stalled":  # asks, and then does not read what it is sent
        async with run.client() as client:
            await ask(client, do="ready")
            client.transport.pause_reading()
            yield
            client.transport.abort()
    else:
        yield


async def read_all(client: ClientConnection) -> None:
    """Read, and ask for nothing."""
    with suppress(Exception):
        async for _ in client:
            pass


class PageProcess:
    """A page in a browser of its own process, so that it waits for nobody."""

    def __init__(self, run: Lab) -> None:
        command = [sys.executable, "-m", "benchmarks.lab", "page", run.host, run.cookie]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "open\n"

    def end(self) -> None:
        """Close it."""
        self._process.communicate("\n", timeout=30)


@contextmanager
def opened(host: str, cookie: str) -> Iterator[Any]:
    """A page of the lab, so high that network, curves and surface are all in sight."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1440, "height": 1600})
        name, value = cookie.split("=", 1)
        context.add_cookies([{"name": name, "value": value, "url": f"http://{host}"}])
        page = context.new_page()
        page.goto(f"http://{host}/")
        page.wait_for_selector(".node", timeout=60_000)
        yield page
        browser.close()


READY = "button.play:not([disabled])"
MOVES = """() => new Promise(done => {
  const out = document.querySelector("output[data-step]"), start = performance.now();
  const watch = new MutationObserver(() => {
    if (Number(out.dataset.step) === 0) return;
    watch.disconnect();
    requestAnimationFrame(() => done((performance.now() - start) / 1000));
  });
  watch.observe(out, { attributes: true });
  document.querySelector("button.play").click();
})"""
DROPS = """([name, text]) => new Promise(done => {
  const given = new DataTransfer(), start = performance.now();
  given.items.add(new File([text], `${name}.csv`));
  const watch = new MutationObserver(() => {
    if (![...document.querySelectorAll("select")].some(one => one.value.startsWith(name))) return;
    watch.disconnect();
    requestAnimationFrame(() => done((performance.now() - start) / 1000));
  });
  watch.observe(document.body, { subtree: true, childList: true, attributes: true });
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: given }));
})"""
DRAWS = """() => new Promise(done => {
  const out = document.querySelector("output[data-step]"), start = performance.now();
  let drawn = 0, moved = 0;
  const watch = new MutationObserver(() => { moved += 1; });
  watch.observe(out, { attributes: true, attributeFilter: ["data-step"] });
  const draw = () => {
    drawn += 1;
    const seconds = (performance.now() - start) / 1000;
    if (seconds < 5) return requestAnimationFrame(draw);
    watch.disconnect();
    done([drawn / seconds, moved / seconds]);
  };
  requestAnimationFrame(draw);
})"""


def moves(rounds: int, out: Path) -> None:
    """Seconds until something moves after play and after a drop; frames a second of digits."""
    with lab("spirals") as run, opened(run.host, run.cookie) as page:
        page.wait_for_selector(READY)
        for number in range(rounds + 1):  # the first one warms the caches
            seconds = page.evaluate(MOVES)
            page.get_by_role("button", name="Pause").click()
            page.get_by_role("button", name="Begin again").click()
            page.wait_for_selector('output[data-step="0"]')
            page.wait_for_selector(READY)
            if number:
                write(out, what="first movement", round=number, seconds=seconds)
        page.set_input_files(
            "input[type=file]",
            {"name": "first.csv", "mimeType": "text/csv", "buffer": ROWS.encode()},
        )
        page.get_by_label("Column to predict").fill("price")
        page.get_by_role("button", name="Read", exact=True).click()
        page.locator("dd", has_text="regression").wait_for()
        for number in range(1, rounds + 1):
            seconds = page.evaluate(DROPS, [f"drop{number}", f"{ROWS}{number},{2 * number + 5}\n"])
            write(out, what="after a drop", round=number, seconds=seconds)
    with lab("digits") as run, opened(run.host, run.cookie) as page:
        page.get_by_label("epochs", exact=True).fill("50000")
        page.get_by_label("epochs", exact=True).press("Enter")
        page.get_by_role("button", name="One epoch").click()
        page.wait_for_selector('output[data-step="40"]', timeout=60_000)
        page.get_by_role("button", name="Draw it").click()
        page.wait_for_selector(".hills", timeout=120_000)
        page.get_by_label("Pace").select_option(index=0)
        page.get_by_role("button", name="Play").click()
        for number in range(1, rounds + 1):
            drawn, moved = page.evaluate(DRAWS)
            write(out, what="frames", round=number, drawn_a_second=drawn, news_a_second=moved)


def processor_seconds(number: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def memory(number: int) -> float:
    """MiB of a process that are in memory."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{number}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


# what was found


def table(out: Path) -> str:
    """Medians and shares of a file of results, and the memory of its soak, as Markdown."""
    found = [json.loads(line) for line in out.read_text().splitlines()]

    def middle(what: str, name: str, **where: Any) -> float:
        """The median of a value in the lines of a kind."""
        return statistics.median(
            one[name] for one in found
            if one["what"] == what and all(one[key] == value for key, value in where.items())
        )  # fmt: skip

    rows = ["| measured | median |", "| --- | ---: |"]
    if any(one["what"] == "first movement" for one in found):
        moved, read = (middle(what, "seconds") for what in ("first movement", "after a drop"))
        rows += [
            f"| seconds from play to the first step on the screen | {moved:.2f} |",
            f"| seconds from a dropped table to its page | {read:.2f} |",
            f"| frames a second while digits trains | {middle('frames', 'drawn_a_second'):.0f} |",
        ]
        without = statistics.median(
            one["processor_seconds"] for one in found if one.get("page") in ("none", "none again")
        )
        for kind in ("visible", "hidden", "stalled"):
            share = without / middle("training", "processor_seconds", page=kind)
            rows.append(f"| speed of a training with a page that is {kind} | {100 * share:.0f} % |")
    minutes = [one for one in found if one["what"] == "soak"]
    if minutes:
        rows += ["", "| minute | server, MiB | worker, MiB |", "| ---: | ---: | ---: |"]
        rows += [
            f"| {one['minute']} | {one['server_mib']} | {one['worker_mib']} |"
            for one in minutes if one["minute"] in (0, 1, 2) or one["minute"] % 5 == 4
        ]  # fmt: skip
    return "\n".join(rows)


# five clients for a long time


async def soak(minutes: float, out: Path) -> None:
    """Five clients at one training that goes on and on; memory of server and worker each minute."""
    end = time.monotonic() + 60 * minutes
    with lab("digits") as run:
        async with run.client() as control:
            clients = [
                asyncio.create_task(_looks(run, pause, end)) for pause in (1 / 30, 1 / 10, 2.0)
            ]
            clients.append(asyncio.create_task(_looks(run, None, end)))
            async with watching(run, "stalled"):
                await _work(control, run, end, out)
            drawn = await asyncio.gather(*clients)
        write(out, what="soak ended", frames=drawn, server_lives=run.process.poll() is None)


async def _looks(run: Lab, pause: float | None, end: float) -> int:
    """Draw with a pause behind each frame; None: never ask for one. Comes again now and then."""
    frames = 0
    while (left := end - time.monotonic()) > 0:
        async with run.client() as client:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, 300)):
                    if pause is not None:
                        await ask(client, do="ready")
                    async for message in client:
                        header, _ = unpacked(message)  # pyright: ignore[reportArgumentType]
                        if type(header).__name__ == "Frame" and pause is not None:
                            frames += 1
                            await asyncio.sleep(pause)
                            await ask(client, do="ready")
    return frames


async def _work(control: ClientConnection, run: Lab, end: float, out: Path) -> None:
    """Train in a loop, slowly enough for others' work, and write down what it takes."""
    reading = asyncio.create_task(read_all(control))
    began, minute = time.monotonic(), 0
    trainings = 0
    while time.monotonic() < end:
        trainings += 1
        await ask(control, do="setup", epochs=100, seed=trainings)
        await ask(control, do="renew")
        await ask(control, do="pace", steps=200)
        await ask(control, do="play")
        stop = min(end, time.monotonic() + 25)
        while time.monotonic() < stop:
            await asyncio.sleep(1)
            if time.monotonic() - began >= 60 * minute:
                write(out, what="soak", minute=minute, trainings=trainings,
                      server_mib=round(memory(run.process.pid), 1),
                      worker_mib=round(memory(run.worker), 1),
                      server_seconds=processor_seconds(run.process.pid),
                      worker_seconds=processor_seconds(run.worker))  # fmt: skip
                minute += 1
        await ask(control, do="pause")
        await ask(control, do="goto", step=10)
        await asyncio.sleep(2)
    reading.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lab", description=__doc__)
    parser.add_argument("what", choices=("speed", "soak", "table", "page"))
    parser.add_argument("of", nargs="*", help="host and cookie of the page to open")
    parser.add_argument("--minutes", type=float, default=30.0, help="of the soak")
    parser.add_argument("--rounds", type=int, default=5, help="of the speeds")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FILE", help="JSON lines")
    asked = parser.parse_args()
    if asked.what == "soak":
        asyncio.run(soak(asked.minutes, asked.out))
    elif asked.what == "page":
        with opened(*asked.of):
            print("open", flush=True)
            sys.stdin.readline()
    elif asked.what == "table":
        print(table(asked.out))
    else:
        moves(asked.rounds, asked.out)
        asyncio.run(costs(asked.rounds, asked.out))
