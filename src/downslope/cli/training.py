"""What `downslope train`, `resume` and `fork` share: a training is begun or continued, and told."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from downslope.cli import display
from downslope.cli.lines import say
from downslope.cli.runner import list_pictures, tell
from downslope.data import BUILT_IN, load
from downslope.engine.compilation import usable_cores
from downslope.engine.settings import Record, Stop
from downslope.errors import StorageError
from downslope.exporting.tensorboard_log import check_tensorboard, tensorboard_log
from downslope.nn.ops.native import native
from downslope.runs.checkpoint import Checkpoints
from downslope.runs.evaluate import training_result
from downslope.runs.metric_text import shown_folder, shown_path
from downslope.runs.outcome import STILL_FALLING
from downslope.runs.preparation import Preparation
from downslope.runs.progress import OnChunk, Progress
from downslope.runs.recipe import expected_seconds
from downslope.runs.run import Run
from downslope.runs.run_folder import LOG, OPTIONS
from downslope.runs.train import train
from downslope.runs.train_options import TrainOptions
from downslope.storage.checkpoints import stored_steps
from downslope.storage.files import write_file
from downslope.storage.lock import Claim, claim_folder, claim_numbered_folder
from downslope.text import amount

if TYPE_CHECKING:
    from downslope.insight.learning_rate import FoundRate


from inspect import signature

from downslope.cli.options import SYNONYMS, read_value
from downslope.cli.runner import Output, RunAt
from downslope.engine.augment import augment_from
from downslope.engine.settings import Settings
from downslope.errors import DownslopeError, Faults, SettingError
from downslope.names import look_up
from downslope.runs.open import open_run
from downslope.runs.replay import replay
from downslope.runs.resume import CHANGEABLE, GoingOn, forking, resuming
from downslope.runs.run_folder import has_ended
from downslope.storage.files import check_names, damaged, is_there, read_file
from downslope.storage.manifest import MOST_BYTES

EXIT_CODES = {"non_finite": 1, "interrupted": 130}


def train_and_report(
    source: str,
    reading: Mapping[str, Any],
    options: TrainOptions,
    out: Path | None,
    *,
    start: str | None = None,
    log: Literal["tensorboard"] | None = None,
    checkpoints: Checkpoints | None = None,
    output: Output,
    on_folder: Callable[[Path], object] | None = None,
) -> int:
    """Train, keep the run, and print how good it is.

    Args:
        source: A built-in data set or a path.
        reading: How a table is read; arguments of `load`.
        options: How to train; its learning rate may be "auto".
        out: Folder for the run, or None for the next free one below `runs`.
        start: The folder of a run whose weights are begun with; None to draw them.
        log: What else is written while it trains.
        checkpoints: When its state is stored.
        output: How it is shown.
        on_folder: Called with the run's folder before it trains.

    Returns:
        The exit code.

    Raises:
        DownslopeError: Something given cannot be used, or the disk refuses.
    """
    if log is not None:
        check_tensorboard()
    command = TrainCommand(source, dict(reading), plain(options), log, checkpoints, start)
    earlier = None if start is None else open_run(start)
    with claimed(out, command) as claim:
        dataset = options.suited(output.read(source, reading, with_columns=True))
        finds_rate = options.learning_rate == "auto"
        if finds_rate and earlier is not None:
            raise SettingError(
                "A learning rate was to be found for the weights of an earlier run.",
                "weights that are drawn, or a rate",
                "Give the rate; a third of the usual one is often right to go on with.",
            )
        full = options.replace(learning_rate=None) if finds_rate else options
        prepared = full.plan(dataset, earlier)  # says what is wrong before the folder is made
        own = claim(dataset.name)
        folder, found = own.path, None
        if finds_rate:
            from downslope.insight.learning_rate import find_rate

            with output.working(f"Looking for a learning rate on {dataset.name}") as on_progress:
                found = find_rate(None, dataset, options=full, on_progress=on_progress)
            full = full.replace(learning_rate=found.learning_rate)
            if not output.as_json:
                say(f"{found.summary}\n")
        prepare_pictures(output.pictures)
        if not output.as_json:
            announce_time(prepared)
        if on_folder is not None:
            on_folder(folder)
        with (
            tensorboard_log(folder) if log else nullcontext() as written,
            display.training(
                dataset, prepared.settings.epochs, lively=output.is_lively, watch=output.watch
            ) as shown,
            hint_to_resume(folder),
        ):
            on_chunk = both(shown, written)
            run = train(
                None,
                dataset,
                options=full,
                on_chunk=on_chunk,
                start=earlier,
                folder=own,
                checkpoints=checkpoints,
            )
    report(run, output, found)
    if log and not output.as_json:
        say(f"Curves: tensorboard --logdir {shlex.quote(str(folder / LOG))}", exact=True)
    return EXIT_CODES.get(run.outcome.reason, 0)


class LabBeside:
    """The lab's page on a run while it trains, in a process of its own; Ctrl-C ends both.

    Args:
        output: How the command is shown.
    """

    def __init__(self, output: Output) -> None:
        self.output = output
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> LabBeside:
        return self

    def open(self, folder: Path) -> None:
        """Open the page, and say where it is."""
        command = [sys.executable, "-P", "-m", "downslope", "lab", str(folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        if line := self._process.stdout.readline().strip():
            say(line, err=self.output.as_json, exact=True)

    def stay(self) -> None:
        """Wait until Ctrl-C ends the page; it steers the run now."""
        if self._process is not None and self._process.poll() is None:
            say("The lab goes on with this run; Ctrl-C ends it.", err=self.output.as_json)
            self._process.wait()

    def __exit__(self, *error: object) -> None:
        if self._process is None:
            return
        try:  # Ctrl-C in a terminal has reached it as well
            self._process.wait(1 if error[0] is KeyboardInterrupt else 0)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)


def announce_time(prepared: Preparation) -> None:
    """Say how long a training on images takes, if that is a minute or more."""
    dataset, cores, kernel = prepared.dataset, usable_cores(), native().is_there
    if len(dataset.input_shape) != 3 or dataset.task == "counting":
        return
    seen = len(dataset.train) * prepared.settings.epochs
    seconds = expected_seconds(prepared.network, dataset.input_shape, seen, cores, kernel)
    if seconds >= 60:
        where = f"{amount(cores, 'core')} {'with' if kernel else 'without'} the native kernel"
        say(f"about {amount(round(seconds / 60), 'minute')} on {where}, if they are free", err=True)


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


def report(run: Run, output: Output, rate: FoundRate | None = None) -> None:
    """Print how good a run is that has just been trained, and draw its pictures."""
    assert run.folder is not None
    is_whole = run.outcome.reason != "interrupted"  # else the test part stays closed
    with output.waiting("Measuring ..."):
        found = training_result(run, with_test=is_whole)
    if not output.as_json:
        tell(found.parts())
        say(f"Run: {run.folder}", exact=True)
    paths: list[Path] = []
    try:
        if output.pictures:
            paths = _draw(run, rate, output, is_whole)
    finally:  # where the folder refuses, the work was not for nothing
        if output.as_json:
            output.print_object(found, paths, run=str(run.folder))
    if not output.as_json:
        list_pictures(paths)
        _tell_next(run)


def _draw(run: Run, rate: FoundRate | None, output: Output, with_test: bool) -> list[Path]:
    from downslope.plots import draw_run, save_all

    assert run.folder is not None
    folder = run.folder / "pictures"
    with output.waiting("Drawing pictures ..."):
        paths = draw_run(run, folder, with_test=with_test)
        return paths if rate is None else paths + save_all(rate.plot().items(), folder)


def _tell_next(run: Run) -> None:
    """Print the commands that come next, to copy."""
    rows = [(f"{what}:", f"downslope {command}") for what, command in _next_commands(run)]
    width = max(len(what) for what, _ in rows)
    say("\nNext:")
    for what, command in rows:
        say(f"  {what:<{width}}  {command}")


def _next_commands(run: Run) -> Iterator[tuple[str, str]]:
    """What for, and the words after `downslope`."""
    folder, data = shown_folder(run), run.data
    if run.outcome.reason == "interrupted":
        yield "train to its end", f"resume {folder}"
    if run.outcome.reason == "non_finite":
        named = data.target_names if data.options.get("target") else ()
        targets = "".join(f" --target {shlex.quote(one)}" for one in named)
        yield "find a learning rate", f"rate {shown_path(data.source)}{targets}"
        return
    if any(one.level in ("fault", "warning") for one in run.findings):
        yield "find out why", f"diagnose {folder}"
    if run.outcome.advice == STILL_FALLING:
        yield "train longer", f"resume {folder} --epochs {2 * run.settings.epochs}"
    yield "see how it learned", f"report {folder}"
    if data.task == "counting":
        yield "count in a photo", f"count {folder} PHOTO.jpg"
    elif data.encoding is not None:
        yield "predict for new rows", f"predict {folder} NEW.csv"
    elif len(data.input_shape) == 3 or data.name == "digits":
        yield "predict for an image", f"predict {folder} IMAGE.png"
    else:
        yield "predict for new inputs", f"predict {folder} NEW.npy"


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
    start: str | None = None
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


def resume_and_report(
    at: RunAt, changes: Mapping[str, Any], kept: Checkpoints, output: Output
) -> int:
    """Continue a training, and print how good it is; returns the exit code.

    Raises:
        DownslopeError: Something given cannot be used, or the disk refuses.
    """
    command = options_of(at.folder)
    if command is not None:
        return _begin(at, command, changes, output)
    dataset = output.open(at).dataset
    with resuming(at.folder, changes, data=dataset, checkpoints=kept) as going_on:
        return _train(going_on, output, goes_on=True)


@dataclass(frozen=True)
class ForkCommand:
    """What `downslope fork` was asked for; arguments of `fork_and_report`."""

    run: str
    data: str | None
    at_step: int
    texts: dict[str, str]
    checkpoints: Checkpoints
    command: Literal["fork"] = "fork"


@dataclass(frozen=True)
class _Command:
    """What all kinds of options have."""

    command: Literal["train", "fork"]


def options_of(folder: Path) -> TrainCommand | ForkCommand | None:
    """What a training was asked for whose process ended before its first state was stored.

    Returns:
        None where there is a state, or where nothing was asked for.

    Raises:
        RunError: It cannot be read.
    """
    if not folder.is_dir() or has_ended(folder) or stored_steps(folder):
        return None
    path = folder / OPTIONS
    if not is_there(path):
        return None
    content = read_file(folder, OPTIONS, MOST_BYTES)
    check_names(content, path)
    errors = (
        msgspec.MsgspecError, UnicodeDecodeError, RecursionError, DownslopeError, TypeError,
        ValueError,
    )  # fmt: skip
    try:
        if msgspec.json.decode(content, type=_Command).command == "fork":
            return msgspec.json.decode(content, type=ForkCommand, strict=True)
        found = msgspec.json.decode(content, type=TrainCommand, strict=True)
        found.train_options  # noqa: B018 - checked with the rest of the file
    except errors as error:
        raise damaged(path, str(error)) from error
    unknown = [name for name in found.reading if name not in signature(load).parameters]
    if unknown or not (found.source in BUILT_IN or os.path.isabs(found.source)):
        what = f"load takes no {unknown[0]}" if unknown else f"the data is {found.source!r}"
        raise damaged(path, what)
    return found


def _begin(
    at: RunAt, command: TrainCommand | ForkCommand, changes: Mapping[str, Any], output: Output
) -> int:
    """Begin a training whose process ended before its first state was stored."""
    if not output.as_json:
        say(f"The training in {at.folder} was ended before its first step: it begins now.")
    if isinstance(command, ForkCommand):
        data = at.data or (Path(command.data) if command.data else None)
        texts = command.texts | {name: str(value) for name, value in changes.items()}
        parent = RunAt(Path(command.run), data)
        return fork_and_report(
            parent, command.at_step, texts, at.folder, command.checkpoints, output
        )
    return train_and_report(
        str(at.data or command.source),
        command.reading,
        command.train_options.replace(**changes),
        at.folder,
        start=command.start,
        log=command.log,
        checkpoints=command.checkpoints,
        output=output,
    )


def fork_and_report(
    at: RunAt,
    at_step: int,
    texts: Mapping[str, str],
    out: Path | None,
    kept: Checkpoints,
    output: Output,
) -> int:
    """Start a run at a step of another one, and print how good it is; returns the exit code.

    Raises:
        DownslopeError: Something given cannot be used, or the disk refuses.
    """
    run = open_run(at.folder)
    changes = _changes(run.settings, texts)
    moved = None if at.data is None else os.path.abspath(at.data)
    command = ForkCommand(os.path.abspath(at.folder), moved, at_step, dict(texts), kept)
    with claimed(out, command) as claim:
        with output.reading(str(at.data or run.data.source)) as on_progress:
            run = run.with_data(at.data, on_progress=on_progress)
        new = claim(run.data.name)
        with output.replaying() as on_steps:
            replay(run).state(at_step, on_steps)  # kept for what follows
        with forking(run, at_step, new, changes, checkpoints=kept) as going_on:
            return _train(going_on, output, goes_on=False)


def _train(going_on: GoingOn, output: Output, *, goes_on: bool) -> int:
    run = going_on.run
    assert run.dataset is not None
    assert run.folder is not None
    for note in going_on.notes:
        say(f"{note}\n", err=output.as_json, heading="Look at this:")
    if not output.as_json:
        say(f"Continuing from step {going_on.step:,} in {run.folder}", exact=True)
    prepare_pictures(output.pictures)
    is_logged = (run.folder / LOG).is_dir()
    if is_logged:
        check_tensorboard()
    with (
        tensorboard_log(run.folder) if is_logged else nullcontext() as written,
        display.training(
            run.dataset, run.settings.epochs, lively=output.is_lively, watch=output.watch
        ) as shown,
        hint_to_resume(run.folder),
    ):
        run = going_on.train(both(shown, written))
    if goes_on:
        run = replace(run, evaluations=run.evaluations.without_another())
    report(run, output)
    return EXIT_CODES.get(run.outcome.reason, 0)


def _changes(settings: Settings, texts: Mapping[str, str]) -> dict[str, Any]:
    """Settings from what stands behind --set.

    Raises:
        SettingError: There is no such setting, or a value cannot be read.
    """
    able = [*(name for name in CHANGEABLE if name != "stop"), "patience"]
    changes: dict[str, Any] = {}
    known, faults = dict.fromkeys(able), Faults()
    for name, text in texts.items():
        with faults.check():
            look_up(name, known, "setting that can be changed", SettingError, SYNONYMS)
            changes[name] = read_value(name, text, f"Write e.g. --set {name}=VALUE.")
    faults.tell()
    special: dict[str, Callable[[Any], tuple[str, Any]]] = {
        "augment": lambda text: ("augment", augment_from(text)),
        "patience": lambda epochs: ("stop", replace(settings.stop, patience=epochs)),
        "schedule": lambda kind: ("schedule", replace(settings.schedule, kind=kind)),
    }
    return dict(
        special[name](value) if name in special else (name, value)
        for name, value in changes.items()
    )
