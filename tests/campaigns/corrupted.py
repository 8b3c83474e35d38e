"""Run folders that are damaged or hostile: each is refused in words, or is a whole run.

    python -m tests.campaigns.corrupted [--cases 10000] [--first 0] [--workers 2]

A case is a pure function of its number. An accident has to be noticed, always; a folder that was
made on purpose is refused or gives a run of which everything can be asked. In either case nothing
but one message of ours is raised, nothing outside of the folder is opened, nothing is executed,
and the memory that it takes is at most twice the files' length and 64 MB.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import downslope as ds
from downslope.errors import DownslopeError
from downslope.nn.notation import describe
from downslope.runs.checkpoint import Checkpoints, newest_checkpoint, read_checkpoint
from downslope.runs.open import run_at
from downslope.runs.resume import resume, resuming
from downslope.runs.save import document_of
from downslope.runs.validate import first_layers
from downslope.storage.checkpoints import stored_steps
from tests.campaigns.attacks import ATTACKS
from tests.campaigns.corruptions import ACCIDENTS, OWN, Bases, Files, put
from tests.campaigns.watched import Memory, Watch, limit_addresses
from tests.plain import PLAIN

LONGEST = 60  # seconds for one case, on a busy machine
MOST_MEMORY = 64 * 1000**2  # bytes beside twice the files
MOST_ADDRESSES = 8 << 30
RESUMED, REPLAYED = 4, 200  # every so many cases
KINDS = {**ACCIDENTS, **ATTACKS}
UNFINISHED = "The training has not ended"


def make_bases(folder: Path, is_small: bool) -> None:
    """Train the runs that are spoilt, into folders, with their data beside them."""
    data = folder / "data"
    data.mkdir(parents=True)
    rows = [f"{index % 7},{'abc'[index % 3]},v{index % 70},20{index % 30:02}-01-02,"
            f"{('no', 'yes')[index % 2]},{index * 0.5}" for index in range(280)]  # fmt: skip
    lines = ["size,town,code,day,is,price", *rows]
    (data / "table.csv").write_text("\n".join(lines), encoding="utf-8")
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (60, 6, 6), np.uint8)
    np.savez(data / "images.npz", X=images, y=np.arange(60) % 3)
    few = Checkpoints(seconds=None, epochs=1, most=2)
    every = {"folder": None, "checkpoints": few, "learning_rate": 0.01}

    def train(name: str, network: str, dataset: ds.Dataset, **settings) -> None:
        dataset_first = {**every, "folder": folder / "runs" / name, **settings}
        ds.train(ds.parse_network(network), dataset, options=PLAIN, **dataset_first)

    table = ds.load(data / "table.csv", target="is")
    embed = describe(ds.Network(first_layers(table)))
    train("table", f"{embed}, dense 4 relu, dense 2", table, epochs=2, optimizer="adam")
    if not is_small:
        pictures = ds.load(data / "images.npz")
        numbers = ds.load(data / "table.csv", target="price")
        lookups = describe(ds.Network(first_layers(numbers)))
        train("numbers", f"{lookups}, dense 1", numbers, epochs=2, batch_size="full")
        network = "conv 2 3 relu, max_pool 2, flatten, dropout 0.2, dense 3"
        stop = ds.Stop(patience=3)
        train("images", network, pictures, epochs=2, stop=stop, optimizer="momentum")
        train("phases", f"{embed}, dense 2", table, epochs=1)
        resume(folder / "runs" / "phases", epochs=2, learning_rate=0.003, checkpoints=few)
        ds.open_run(folder / "runs" / "images").test()  # a look at the test part is counted
    shutil.copytree(folder / "runs" / "table", folder / "runs" / "unfinished")
    for name in ("manifest.json", "run.json", "weights.safetensors", "trace.safetensors"):
        (folder / "runs" / "unfinished" / name).unlink()
    shutil.rmtree(folder / "runs" / "unfinished" / "trace")
    shutil.copytree(folder / "runs", folder / "outside")


def read_bases(folder: Path) -> Bases:
    """Read what `make_bases` made."""
    folders = {}
    for run in sorted((folder / "runs").iterdir()):
        files = (path for path in sorted(run.rglob("*")) if path.is_file())
        folders[run.name] = {str(path.relative_to(run)): path.read_bytes() for path in files}
    return Bases(folders, str(folder / "outside"))


@dataclass
class Result:
    """What became of a case.

    Attributes:
        kind: How it was spoilt.
        base: What was.
        became: "refused", "noticed" (read, and said what is wrong), or "a whole run".
        wrong: What must not be; empty if all is well.
        memory: Bytes that it took, beside twice the files.
        seconds: How long it took.
    """

    kind: str
    base: str
    became: str
    wrong: list[str]
    memory: int
    seconds: float


def spoilt(bases: Bases, number: int) -> tuple[str, str, Files]:
    """The kind, the base and the files of a case."""
    draw = random.Random(number)
    kind = sorted(KINDS)[number % len(KINDS)]
    base = draw.choice(sorted(bases.folders))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind, base, KINDS[kind](draw, dict(bases.folders[base]), bases)


class Reader:
    """Reads folders as all readers of the program together do."""

    def __init__(self, root: Path, watch: Watch) -> None:
        self.root, self.watch = root, watch
        self.bases = read_bases(root)

    def read(self, number: int, index: Path) -> Result:
        """Write a case into a new folder, and read it."""
        kind, base, files = spoilt(self.bases, number)
        folder = index / "run"
        size = put(folder, files)
        self.watch.seen.clear()
        messages: list[str] = []
        wrong: list[str] = []
        memory, began = Memory(), time.perf_counter()
        steps = {
            "open": self._open,
            "checkpoints": self._checkpoints,
            **({} if number % RESUMED else {"resume": self._resume}),
            **({} if number % REPLAYED else {"replay": self._replay}),
        }
        is_whole = False
        for name, step in steps.items():
            try:
                with self.watch.only(folder):
                    notes = step(folder)
                messages += notes
                is_whole = is_whole or name == "open"
            except DownslopeError as error:
                messages.append(str(error))
            except BaseException as error:  # whatever is not ours is what is looked for
                trail = "".join(traceback.format_exception(error)[-4:])
                wrong.append(f"{name}: {type(error).__name__}: {str(error)[:200]} {trail[-1500:]}")
            if name in ("open", "checkpoints"):
                taken = memory.taken() - 2 * size
        seconds = time.perf_counter() - began
        wrong += [f"opened or ran: {one}" for one in self.watch.seen]
        wrong += [f"a message of {len(one)} letters: {one[:200]!r}" for one in messages
                  if "\n" in one or len(one) > 2500]  # fmt: skip
        if taken > MOST_MEMORY:
            wrong.append(f"took {taken / 1e6:.0f} MB more than twice the files ({size:,} bytes)")
        if kind in ACCIDENTS and not messages:
            wrong.append("nobody noticed")
        became = "a whole run" if not messages else "noticed" if is_whole else "refused"
        shutil.rmtree(folder)
        return Result(kind, base, became, wrong, taken, seconds)

    def _open(self, folder: Path) -> list[str]:
        """Ask everything of a run that needs no data."""
        run = ds.open_run(folder)
        looks = run.test_evaluations
        assert looks >= 0
        shape = run.data.input_shape
        assert len(run.trace.batch_loss) >= run.outcome.step >= run.outcome.kept_step
        assert len(run.trace.train_loss) == len(run.trace.validation_loss)
        assert run.epochs >= 0
        assert run.as_origin.steps >= 0
        assert run.parameter_count >= 0
        assert len(run.trace.until(1).batch_loss) <= 1
        assert repr(run)
        assert run.outcome.failure is None or run.outcome.failure.message
        assert run._repr_html_()
        document_of(run)  # it can be written again
        if (str(run.network), shape) in self._compiled:
            answer = run.predict(np.zeros((1, *shape), np.float32))
            assert len(answer) == 1
        return [run.outcome.message] if self._ended_is_unfinished(folder, run) else []

    @staticmethod
    def _ended_is_unfinished(folder: Path, run: ds.Run) -> bool:
        """Whether a run that was there is now an unfinished one: its manifest is gone."""
        rest = (folder / "run.json").exists() and not (folder / OWN).exists()
        return rest and run.outcome.message.startswith(UNFINISHED)

    @property
    def _compiled(self) -> set[tuple[str, tuple]]:
        if not hasattr(self, "_known"):
            runs = [ds.open_run(path) for path in sorted((self.root / "runs").iterdir())]
            self._known = {(str(run.network), run.data.input_shape) for run in runs}
        return self._known

    def _checkpoints(self, folder: Path) -> list[str]:
        """Read the states that there are."""
        found, note = newest_checkpoint(folder)
        run_at(found, {})
        for step in stored_steps(folder):
            if step != found.step:
                run_at(read_checkpoint(folder, step), {})
        return [note] if note else []

    def _resume(self, folder: Path) -> list[str]:
        """Go on up to the first step; the data is opened where the run says that it is."""
        source = Path(newest_checkpoint(folder)[0].document.data.source)
        allowed = self.watch.only(folder, self.root / "data", source)
        with allowed, resuming(folder, {"epochs": 7}) as going_on:
            assert going_on.step >= 0
            return []

    def _replay(self, folder: Path) -> list[str]:
        run = ds.open_run(folder)
        with self.watch.only(folder, self.root / "data", Path(run.data.source)):
            ds.replay(run).state(0)
        return []


_reader: Reader | None = None


def start(root: str) -> None:
    """Make a process ready: what it needs is loaded and compiled before anything is watched."""
    global _reader
    warnings.simplefilter("ignore")
    _reader = Reader(Path(root), Watch())
    with tempfile.TemporaryDirectory(dir=root) as index:
        for name in _reader.bases.folders:
            folder = Path(index, name)
            put(folder, dict(_reader.bases.folders[name]))
            for step in (_reader._open, _reader._checkpoints, _reader._resume):
                step(folder)
    limit_addresses(MOST_ADDRESSES)


def work(numbers: range) -> list[dict]:
    """Read some cases; one that takes too long ends the process, and tells where it was."""
    assert _reader is not None
    results = []
    with tempfile.TemporaryDirectory(dir=_reader.root) as index:
        for number in numbers:
            faulthandler.dump_traceback_later(LONGEST, exit=True)
            found = _reader.read(number, Path(index))
            faulthandler.cancel_dump_traceback_later()
            results.append({"number": number, **asdict(found)})
    return results


def campaign(
    first: int, last: int, workers: int, *, is_small: bool = False, lively: bool = False
) -> list[dict]:
    """Read the cases from `first` up to, and without, `last`; of two bases alone if it is small."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(os.path.realpath(folder), "campaign")
        make_bases(root, is_small)
        pieces = [range(at, min(at + 50, last)) for at in range(first, last, 50)]
        results: list[dict] = []
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, spawn, start, (str(root),)) as pool:
            for found in pool.map(work, pieces):
                results += found
                if lively:
                    wrong = sum(bool(one["wrong"]) for one in results)
                    print(f"{len(results):,} cases, {wrong} wrong", end="\r", file=sys.stderr)
        return results


def main() -> None:
    """Run it, and print what became of each kind."""
    os.environ["DOWNSLOPE_CACHE"] = "off"  # programs that were compiled before lie elsewhere
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    results = campaign(asked.first, asked.first + asked.cases, asked.workers, lively=True)
    table: dict[str, Counter] = defaultdict(Counter)
    for one in results:
        table[one["kind"]][one["became"]] += 1
        table[one["kind"]]["wrong"] += bool(one["wrong"])
    print()
    for kind in KINDS:
        print(f"{kind:30} {json.dumps(table[kind])}")
    wrong = [one for one in results if one["wrong"]]
    for one in wrong[:40]:
        print(f"--- {one['number']} {one['kind']} of {one['base']}")
        print("\n".join(one["wrong"])[:2500])
    most, longest = max(one["memory"] for one in results), max(one["seconds"] for one in results)
    print(f"{len(results):,} cases, {len(wrong)} wrong; at most {most / 1e6:.0f} MB beside twice "
          f"the files, {longest:.1f} s")  # fmt: skip
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
