"""Whole processes from the shell, from the start of Python to their end.

Downslope's is `downslope train digits`: its recipe (dropout, a rate that rises and falls), losses
measured while it trains, a run folder with pictures. The scripts do the same network, data,
batch and epochs, and print how good it is on the test part; they save and draw nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contenders.task import Task
from benchmarks.samples import Arrays
from benchmarks.work import Work

SCRIPTS = Path(__file__).parents[1] / "scripts"
COMMAND = Path(sys.executable).with_name("downslope")  # of this very environment


def _process(command: Sequence[str | Path], cache: str | None = None) -> None:
    """Run a command in a new empty folder; what is compiled lies in `cache`, or nowhere yet."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"DOWNSLOPE_CACHE": cache or f"{folder}/cache"}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}: {last}")


def _downslope(work: Work, *options: str) -> tuple[str | Path, ...]:
    return (COMMAND, "train", "digits", "--epochs", str(work.epochs), *options)


def first(work: Work, samples: Arrays) -> Task:
    """With nothing in the cache that an earlier process could have left."""
    return Task(lambda: _process(_downslope(work)), in_children=True)


def again(work: Work, samples: Arrays) -> Task:
    """With what the process before it left in the cache."""
    return Task(lambda: _process(_downslope(work), os.environ["DOWNSLOPE_CACHE"]), in_children=True)


def again_without_pictures(work: Work, samples: Arrays) -> Task:
    """The same without drawing, as the scripts."""
    command = _downslope(work, "--no-pictures")
    return Task(lambda: _process(command, os.environ["DOWNSLOPE_CACHE"]), in_children=True)


def sklearn(work: Work, samples: Arrays) -> Task:
    """A script with scikit-learn."""
    return _script("digits_sklearn.py", work)


def torch(work: Work, samples: Arrays) -> Task:
    """A script with PyTorch."""
    return _script("digits_torch.py", work)


def _script(name: str, work: Work) -> Task:
    command = (sys.executable, SCRIPTS / name, str(work.epochs))
    return Task(lambda: _process(command), in_children=True)
