"""What `downslope train` does: train options and a recipe become a plan; the plan becomes a run."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from downslope.cli import display, output
from downslope.cli.lines import say
from downslope.cli.runner import list_pictures
from downslope.data import BUILT_IN, Dataset, load
from downslope.data.checks.check_data import check_data
from downslope.engine.settings import Record, Stop
from downslope.errors import StorageError
from downslope.exporting.tensorboard_log import check_tensorboard, tensorboard_log
from downslope.runs.checkpoint import Checkpoints
from downslope.runs.progress import OnChunk, Progress
from downslope.runs.run import Run
from downslope.runs.run_folder import LOG, OPTIONS
from downslope.runs.train import train
from downslope.runs.train_options import TrainOptions
from downslope.storage.checkpoints import stored_steps
from downslope.storage.files import write_file
from downslope.storage.lock import Claim, claim_folder, claim_numbered_folder

if TYPE_CHECKING:
    from downslope.insight.learning_rate import FoundRate

EXIT_CODES = {"non_finite": 1, "interrupted": 130}


def train_and_report(
    source: str,
    reading: Mapping[str, Any],
    options: TrainOptions,
    out: Path | None,
    *,
    log: Literal["tensorboard"] | None = None,
    checkpoints: Checkpoints | None = None,
    as_json: bool,
    pictures: bool,
) -> int:
    """Train, keep the run, and print how good it is.

    Args:
        source: A built-in data set or a path.
        reading: How a table is read; arguments of `load`.
        options: How to train; its learning rate may be "auto".
        out: Folder for the run, or None for the next free one below `runs`.
        log: What else is written while it trains.
        checkpoints: When its state is stored.
        as_json: Print one JSON object instead of a table.
        pictures: Draw pictures into the run folder.

    Returns:
        The exit code.

    Raises:
        DownslopeError: Something given cannot be used, or the disk refuses.
    """
    if log is not None:
        check_tensorboard()
    command = TrainCommand(source, dict(reading), plain(options), log, checkpoints)
    with claimed(out, command) as claim:
        with display.reading(source, lively=not as_json) as on_progress:
            dataset = options.suited(load(source, on_progress=on_progress, **reading))
        with display.waiting("Looking into the data ...", lively=not as_json):
            dataset = check_data(dataset)
        if not as_json:
            output.report_columns(dataset)
            output.report_findings(dataset.findings or ())
        finds_rate = options.learning_rate == "auto"
        full = options.replace(learning_rate=None) if finds_rate else options
        prepared = full.plan(dataset)  # says what is wrong before the folder is made
        own = claim(dataset.name)
        folder, found = own.path, None
        if finds_rate:
            from downslope.insight.learning_rate import find_rate

            what = f"Looking for a learning rate on {dataset.name}"
            with display.working(what, lively=not as_json) as on_progress:
                found = find_rate(None, dataset, options=full, on_progress=on_progress)
            full = full.replace(learning_rate=found.learning_rate)
            if not as_json:
                say(f"{found.summary}\n")
        prepare_pictures(pictures)
        with (
            tensorboard_log(folder) if log else nullcontext() as written,
            display.training(dataset, prepared.settings.epochs, lively=not as_json) as shown,
            hint_to_resume(folder),
        ):
            on_chunk = both(shown, written)
            run = train(
                None, dataset, options=full, on_chunk=on_chunk, folder=own, checkpoints=checkpoints
            )
    report(run, found, as_json=as_json, pictures=pictures)
    if log and not as_json:
        say(f"Curves: tensorboard --logdir {shlex.quote(str(folder / LOG))}", exact=True)
    return EXIT_CODES.get(run.outcome.reason, 0)


def prepare_pictures(wanted: bool) -> None:
    """Load what draws while the processor compiles and trains outside of Python."""
    if wanted:
        Thread(target=import_module, args=("downslope.plots",), daemon=True).start()


@contextmanager
def hint_to_resume(folder: Path) -> Iterator[None]:
    """Where a training is broken off at once, say how it goes on."""
    try:
        yield
    except KeyboardInterrupt:
        if stored_steps(folder):
            say(f"\nGo on with: downslope resume {shlex.quote(str(folder))}", err=True, exact=True)
        raise


def report(run: Run, found: FoundRate | None = None, *, as_json: bool, pictures: bool) -> None:
    """Print how good a run is that has just been trained, and draw its pictures."""
    assert run.dataset is not None
    output.report_training(run, run.dataset, as_json=as_json)
    if pictures:
        _draw(run, run.dataset, found, as_json)
    if not as_json:
        output.report_next(run)


def both(one: OnChunk, other: OnChunk | None) -> OnChunk:
    """Two onlookers as one."""
    if other is None:
        return one

    def on_chunk(progress: Progress) -> None:
        one(progress)
        other(progress)

    return on_chunk


@dataclass(frozen=True)
class TrainCommand:
    """What `downslope train` was asked for; arguments of `train_and_report`."""

    source: str
    reading: dict[str, Any]
    options: dict[str, Any]
    log: Literal["tensorboard"] | None = None
    checkpoints: Checkpoints | None = None
    command: Literal["train"] = "train"

    @property
    def train_options(self) -> TrainOptions:
        """The train options that were written as plain values.

        Raises:
            DownslopeError: A value is out of range.
            MsgspecError: A value is of the wrong type.
        """
        kinds = {"record": Record | None, "stop": Stop | None}
        own = {
            name: msgspec.convert(value, kinds[name]) if name in kinds else value
            for name, value in self.options.items()
        }
        return TrainOptions().replace(**own)


def plain(options: TrainOptions) -> dict[str, Any]:
    """Train options of the command line as plain values, for a file."""
    return msgspec.to_builtins(vars(options))


@contextmanager
def claimed(out: Path | None, options: Any = None) -> Iterator[Callable[[str], Claim]]:
    """Claim the run's folder before the work, and give it back if nothing came into it.

    A folder of the user's choice is claimed at once. Yields a function from the data set's name
    to the folder.

    Args:
        out: That folder; None for the next free one below `runs`.
        options: What was asked for, a dataclass: written at once, so that whatever ends the
            process, `downslope resume` begins again.
    """
    claim = None if out is None else _claim_own(out)

    def claim_for(name: str) -> Claim:
        nonlocal claim
        if claim is None:
            claim = claim_numbered_folder(Path("runs"), name)
            _write_options(claim.path, options)
        return claim

    try:
        if claim is not None:
            _write_options(claim.path, options)
        yield claim_for
    except BaseException:
        if claim is not None:
            claim.give_back(leftovers=(OPTIONS,))
        raise
    if claim is not None:
        claim.release()


def _write_options(folder: Path, options: Any) -> None:
    if options is not None:
        source = getattr(options, "source", "")
        if source and source not in BUILT_IN:  # the process that reads it may run elsewhere
            options = replace(options, source=os.path.abspath(Path(source).expanduser()))
        write_file(folder / OPTIONS, msgspec.json.format(msgspec.json.encode(options)) + b"\n")


def _claim_own(out: Path) -> Claim:
    """Claim a folder of the user's choice; where a training was broken off in it, say so."""
    try:
        return claim_folder(out, beside=(OPTIONS, LOG))
    except StorageError as error:
        if not out.is_dir() or not stored_steps(out):
            raise
        command = f"downslope resume {shlex.quote(str(out))}"
        advice = f"Go on with the training in it with: {command}; or choose another folder."
        raise StorageError(error.received, error.expected, advice) from error


def _draw(run: Run, dataset: Dataset, found: FoundRate | None, as_json: bool) -> None:
    from downslope.plots import draw_run, save_all

    assert run.folder is not None
    folder = run.folder / "pictures"
    with display.waiting("Drawing pictures ...", lively=not as_json):
        is_stopped = run.outcome.reason == "interrupted"
        paths = draw_run(replace(run, dataset=dataset), folder, with_test=not is_stopped)
        if found is not None:
            paths += save_all(found.plot().items(), folder)
    if not as_json:
        list_pictures(paths)
