"""Several processes that start in one folder at the same moment, again and again.

    python -m tests.campaigns.starters [--rounds N] [--starters N] [--seed S]

Each starter claims the folder as the command line does. Some fail soon after, as with data that is
not there, and clean up behind themselves; the others write a run in a few steps. Who was told that
the folder is theirs has to find all of it, and nothing of anybody else, at the end; and where
nobody won there is nothing. 100 rounds of four take a few seconds.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from downslope.cli.training import TrainCommand, claimed
from downslope.errors import DataError, StorageError
from downslope.storage.files import write_file

FILES = ("first", "second", "manifest.json")
WON, FAILED, REFUSED = "won", "failed", "refused"
MOST_SECONDS = 120  # of a round
FAILING_SHARE = 0.6  # of the starters
TRIES = 30  # of each: one that is refused is there at once when the folder is given back


def start(number: int, index: Path, draw: np.random.Generator, *, fails: bool) -> str:
    """What one starter does with the folder `place`; returns how it ended."""
    options = TrainCommand("digits", {}, {"seed": number})
    try:
        with claimed(index, options) as claim:
            time.sleep(draw.uniform(0, 0.004))
            if fails:
                raise DataError("The file is not there.", "a file", "Check its name.")
            folder = claim("digits").path
            for name in FILES:
                write_file(folder / name, str(number).encode())
                time.sleep(draw.uniform(0, 0.002))
    except DataError:
        return FAILED
    except StorageError as error:
        told = str(error)
        assert "Another training is writing" in told or "is not empty" in told, told
        return REFUSED
    return WON


def _starter(number: int, root: Path, rounds: int, seed: int, together: Any, answers: Any) -> None:
    for played in range(rounds):
        draw = np.random.default_rng([seed, played, number])
        fails = bool(draw.random() < FAILING_SHARE)
        together.wait(MOST_SECONDS)
        time.sleep(draw.uniform(0, 0.004))
        index = root / f"{played}" / "above" / "run"
        answer = REFUSED
        try:
            for _ in range(TRIES):
                if answer == REFUSED:
                    time.sleep(0.002)
                    answer = start(number, index, draw, fails=fails)
        except Exception as error:  # it has to be told
            answer = f"{type(error).__name__}: {error}"
        answers.put((played, number, answer))


def _wrong(folder: Path, ended: dict[int, str]) -> str:
    """What is wrong with a round, of which `ended` tells how each starter ended; "" if nothing."""
    winners = [number for number, answer in ended.items() if answer == WON]
    strange = [one for one in ended.values() if one not in (WON, FAILED, REFUSED)]
    if strange:
        return strange[0]
    if len(winners) > 1:
        return f"{len(winners)} have won"
    if not winners:
        if FAILED not in ended.values():
            return "nobody has won, and nobody failed"
        # made by one and claimed by another that failed, it may stay, but as nothing
        return f"{folder} is not empty" if folder.exists() and any(folder.iterdir()) else ""
    for name in FILES:
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != str(winners[0]):
            return f"{name} is not that of the winner"
    asked = json.loads((folder / "options.json").read_text(encoding="utf-8"))["options"]
    return "" if asked["seed"] == winners[0] else "the options are another's"


def campaign(root: Path, rounds: int, starters: int = 4, seed: int = 0) -> dict[str, Any]:
    """Play rounds; returns how the starters ended, and what was wrong."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    together, answers = context.Barrier(starters), context.Queue()
    processes = [
        context.Process(target=_starter, args=(one, root, rounds, seed, together, answers))
        for one in range(starters)
    ]
    for process in processes:
        process.start()
    ended: dict[int, dict[int, str]] = {}
    for _ in range(rounds * starters):
        played, number, answer = answers.get(timeout=MOST_SECONDS)
        ended.setdefault(played, {})[number] = answer
    for process in processes:
        process.join(MOST_SECONDS)
    wrong = {
        played: found
        for played, one in sorted(ended.items())
        if (found := _wrong(root / f"{played}" / "above" / "run", one))
    }
    counts = Counter(answer for one in ended.values() for answer in one.values())
    return {"rounds": rounds, "starters": starters, **counts, "wrong": wrong}


def main() -> None:
    """Play as many rounds as are asked for, and tell how they went."""
    words = sys.argv[1:]

    def said(name: str, default: str) -> int:
        return int(words[words.index(name) + 1] if name in words else default)

    with tempfile.TemporaryDirectory(prefix="downslope-starters-") as root:
        found = campaign(
            Path(root), said("--rounds", "100"), said("--starters", "4"), said("--seed", "0")
        )
    print(json.dumps(found, indent=1))
    sys.exit(1 if found["wrong"] else 0)


if __name__ == "__main__":
    main()
