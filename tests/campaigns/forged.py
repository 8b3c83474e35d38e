"""Run folders with absurd numbers in every field: refused in words, or a run that answers.

    python -m tests.campaigns.forged [--fraction 1.0] [--workers 2]

Every number of `run.json`, and every number of the network's text, is replaced by each of `NUMBERS`
in turn, in the checkpoints as well, with manifests made anew; a network's weights stay as they
were. What opens is asked to predict, to be resumed and to be replayed. Nothing but one bounded
message of ours may come of it, in a process of bounded memory that stays alive.
"""

from __future__ import annotations

import argparse
import copy
import faulthandler
import json
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

import downslope as ds
from downslope.errors import DownslopeError
from downslope.runs.checkpoint import Checkpoints
from downslope.runs.resume import resuming
from downslope.storage.checkpoints import step_of
from tests.campaigns.attacks import indices
from tests.campaigns.corruptions import DOCUMENT, Files, put, seal
from tests.campaigns.watched import limit_addresses
from tests.plain import PLAIN

NUMBERS = (
    -1, 0, 1, 2, 3, 127, 100_000, 2**24, 2**31 - 1, 2**31, 9_999_999_999, 2**53, 2**63 - 1, 2**63,
    10**30, 0.5, -0.5, 1e308, 5e-324,
)  # fmt: skip
LONGEST, LONGEST_MESSAGE = 120, 2500  # seconds for one case, on a busy machine; letters
MOST_ADDRESSES, MOST_INPUTS = 12 << 30, 1 << 22
LAYERS = (
    "conv channels=4 size=3 relu stride=1 dilation=1, max_pool size=2, "
    "residual (group_norm groups=2, conv 4 3 stride=1 dilation=2 padding=same), upsample factor=2, "
    "parallel (average_pool size=2 | max_pool size=2), dropout rate=0.2, layer_norm, standardize, "
    "flatten, dense units=3"
)
Case = tuple[str, tuple, Any]  # the base, the index in its document, what is put there


def make_bases(folder: Path) -> None:
    """Train the runs that are forged: one on images with every layer, one on a table."""
    draw = np.random.default_rng(0)
    np.savez(folder / "images.npz", X=draw.integers(0, 256, (60, 8, 8), np.uint8),
             y=np.arange(60) % 3)  # fmt: skip
    rows = [f"{index % 7},v{index % 70},20{index % 30:02}-01-02,{('no', 'yes')[index % 2]}"
            for index in range(280)]  # fmt: skip
    (folder / "table.csv").write_text("\n".join(["size,code,day,is", *rows]), encoding="utf-8")
    images, table = ds.load(folder / "images.npz"), ds.load(folder / "table.csv", target="is")
    settings = {"epochs": 2, "learning_rate": 0.01, "checkpoints": Checkpoints(seconds=None)}
    augment = ds.Augment(flip=True, shift=0.1)
    ds.train(
        LAYERS,
        images,
        options=PLAIN,
        folder=folder / "runs" / "images",
        augment=augment,
        stop=ds.Stop(patience=3),
        **settings,
    )
    ds.train(
        "dense 2",
        table,
        options=PLAIN,
        folder=folder / "runs" / "table",
        optimizer="adam",
        batch_size=16,
        **settings,
    )


def read_bases(folder: Path) -> dict[str, Files]:
    """Read what `make_bases` made."""
    return {
        run.name: {
            str(path.relative_to(run)): path.read_bytes()
            for path in sorted(run.rglob("*"))
            if path.is_file() and "test-evaluations" not in path.parts
        }
        for run in sorted((folder / "runs").iterdir())
    }


def numbers_in(text: str) -> list[re.Match]:
    """The numbers in a network's text."""
    return list(re.finditer(r"(?<![\w.])\d+(\.\d+)?(?![\w.])", text))


def cases(bases: dict[str, Files]) -> list[Case]:
    """All of them, the same in every process."""
    found: list[Case] = []
    for name, files in bases.items():
        document = json.loads(files[DOCUMENT])  # pyright: ignore[reportArgumentType] - these are bytes
        for index in indices(document):
            value = document
            for key in index:
                value = value[key]
            if isinstance(value, int | float) and not isinstance(value, bool):
                found += [(name, index, number) for number in NUMBERS]
        text = LAYERS if name == "images" else document["network"]
        for one in numbers_in(text):
            for number in NUMBERS:
                forged = f"{text[: one.start()]}{number}{text[one.end() :]}"
                found.append((name, ("network",), forged))
    return found


def forged(bases: dict[str, Files], case: Case) -> Files:
    """The files of a case."""
    name, index, value = case
    files = dict(bases[name])

    def spoil(content: bytes) -> bytes:
        document = json.loads(content)
        holder = document
        for key in index[:-1]:
            holder = holder[key]
        holder[index[-1]] = copy.deepcopy(value)
        return json.dumps(document).encode()

    for one, content in files.items():
        assert isinstance(content, bytes)
        if one == DOCUMENT:
            files[one] = spoil(content)
        elif step_of(one.rpartition("/")[2]) is not None:
            arrays = dict(safetensors.numpy.load(content))
            arrays["document"] = np.frombuffer(spoil(arrays["document"].tobytes()), np.uint8)
            files[one] = safetensors.numpy.save(arrays)
    return seal(files)


def ask(folder: Path) -> str:
    """Ask of a folder what can be asked; what became of it."""
    run = ds.open_run(folder)
    assert repr(run)
    assert run._repr_html_()
    shape = run.data.input_shape
    if np.prod(shape, dtype=float) <= MOST_INPUTS:
        answers = run.predict(np.ones((2, *shape), np.float32))
        assert len(answers) == 2
    with resuming(folder, {"epochs": run.settings.epochs + 1}):
        pass
    ds.replay(run).state(0)
    return "a whole run"


def became(bases: dict[str, Files], case: Case, folder: Path) -> tuple[str, str]:
    """What became of a case, and what is wrong with that; empty if nothing is."""
    put(folder, forged(bases, case))
    try:
        return ask(folder), ""
    except DownslopeError as error:
        text = str(error)
        is_long = len(text) > LONGEST_MESSAGE or not text.isprintable()
        return "refused", f"a message of {len(text):,} letters: {text[:300]!r}" if is_long else ""
    except BaseException as error:  # whatever is not ours is what is looked for
        return "raised", "".join(traceback.format_exception(error))[-1500:]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_bases: dict[str, Files] = {}


def start(root: str) -> None:
    """Make a process ready."""
    warnings.simplefilter("ignore")
    _bases.update(read_bases(Path(root)))
    with tempfile.TemporaryDirectory(dir=root) as index:
        for name in _bases:  # what is loaded late is there before memory is limited
            put(Path(index, name), _bases[name])
            ask(Path(index, name))
    limit_addresses(MOST_ADDRESSES)


def work(numbers: list[int]) -> list[tuple[int, str, str]]:
    """Read some cases; one that takes too long ends the process, and tells where it was."""
    every, results = cases(_bases), []
    with tempfile.TemporaryDirectory() as index:
        for number in numbers:
            faulthandler.dump_traceback_later(LONGEST, exit=True)
            Path(os.environ["FORGED_PROGRESS"]).write_text(f"{number} {every[number]!r:.500}")
            results.append((number, *became(_bases, every[number], Path(index, "run"))))
            faulthandler.cancel_dump_traceback_later()
    return results


def campaign(fraction: float, workers: int, seed: int = 0) -> tuple[Counter, list[str]]:
    """Forge a fraction of all cases.

    Returns:
        How many became what, and what is wrong, a text each.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(os.path.realpath(folder))
        make_bases(root)
        every = cases(read_bases(root))
        chosen = np.random.default_rng(seed).permutation(len(every))
        chosen = chosen[: max(1, round(fraction * len(every)))].tolist()
        pieces = [chosen[at : at + 25] for at in range(0, len(chosen), 25)]
        os.environ["FORGED_PROGRESS"] = str(root / "progress")
        became: Counter[str] = Counter()
        wrong: list[str] = []
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, spawn, start, (str(root),)) as pool:
            try:
                for results in pool.map(work, pieces):
                    became.update(kind for _, kind, _ in results)
                    wrong += [f"{at} {every[at]!r:.500}: {text}" for at, _, text in results if text]
            except Exception as error:  # the process ended: where it was, it has written down
                wrong.append(f"{error!r}, at {(root / 'progress').read_text()}")
        return became, wrong


def main() -> None:
    """Run it, and print what became of the cases."""
    os.environ["DOWNSLOPE_CACHE"] = "off"
    parser = argparse.ArgumentParser()
    parser.add_argument("--fraction", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    became, wrong = campaign(asked.fraction, asked.workers, asked.seed)
    for one in wrong[:40]:
        print(f"--- {one}")
    print(f"{sum(became.values()):,} cases: {dict(became)}; {len(wrong)} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
