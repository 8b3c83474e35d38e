"""What `downslope train` does: wishes and a recipe become a plan; the plan becomes a run."""

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
from downslope.data import BUILT_IN, Dataset, load
from downslope.data.checks.check_data import check_data
from downslope.engine.augment import augment_from
from downslope.engine.optimizers import Optimizer, Schedule
from downslope.engine.settings import BatchSize, Settings, Stop
from downslope.errors import SettingError, StorageError
from downslope.exporting.tensorboard_log import check_tensorboard, tensorboard_log
from downslope.nn.embedding import Embedding
from downslope.nn.losses import resolve
from downslope.nn.network import Network
from downslope.nn.notation import parse
from downslope.runs.checkpoint import Checkpoints
from downslope.runs.preparation import Preparation
from downslope.runs.progress import OnChunk, Progress
from downslope.runs.recipe import recipe_for
from downslope.runs.run import Run
from downslope.runs.run_folder import LOG, OPTIONS
from downslope.runs.train import train
from downslope.runs.validate import (
    DEFAULT_LOSS,
    check_fit,
    first_layers,
    needed_output,
    with_labels,
)
from downslope.storage.checkpoints import stored_steps
from downslope.storage.files import write_file
from downslope.storage.lock import Claim, claim_folder, claim_numbered_folder

if TYPE_CHECKING:
    from downslope.insight.learning_rate import FoundRate

EXIT_CODES = {"non_finite": 1, "interrupted": 130}


@dataclass(frozen=True)
class Wishes:
    """What the user asked for; None where the recipe decides. Fields as for `train`.

    The learning rate may be "auto": then it is found before the training.
    """

    network: str | None = None
    loss: str | None = None
    optimizer: str | None = None
    learning_rate: float | Literal["auto"] | None = None
    schedule: str | None = None
    batch_size: BatchSize | None = None
    epochs: int | None = None
    seed: int = 0
    patience: int | None = None
    class_weights: tuple[float, ...] = ()
    label_smoothing: float = 0.0
    augment: str | None = None

    def check(self, *, finds_rate: bool = False) -> None:
        """Check what can be checked before the data is read, which may take a while.

        Args:
            finds_rate: Whether the learning rate may be "auto".

        Raises:
            NetworkError: The network cannot be read.
            SettingError: A name is unknown, or the learning rate is out of range.
        """
        if self.learning_rate == "auto" and not finds_rate:
            raise SettingError(
                'The learning rate is "auto", which only train can be given.',
                "a number",
                "Find one with: downslope rate DATA.",
            )
        if self.network is not None:
            parse(self.network)
        if self.augment is not None:
            augment_from(self.augment)
        given = {
            "loss": DEFAULT_LOSS["regression"] if self.loss is None else resolve(self.loss).name,
            "optimizer": None if self.optimizer is None else Optimizer(self.optimizer),
            "schedule": None if self.schedule is None else Schedule(self.schedule),
            "learning_rate": None if self.learning_rate == "auto" else self.learning_rate,
            "batch_size": self.batch_size,
            "epochs": self.epochs,
            "seed": self.seed,
            "stop": Stop(patience=self.patience),
        }
        Settings(**{name: value for name, value in given.items() if value is not None})

    def suited(self, dataset: Dataset) -> Dataset:
        """Photos of crowds for a network that ends with one number: how many people there are.

        Raises:
            NetworkError: A layer does not fit.
        """
        if dataset.task != "counting" or self.network is None:
            return dataset
        made = parse(self.network).shapes(dataset.input_shape)[-1]
        return dataset.as_counts() if made == (1,) else dataset

    def plan(self, dataset: Dataset) -> dict[str, Any]:
        """The arguments of `train` for a data set: the wishes, and its recipe for the rest.

        Raises:
            NetworkError: The network does not fit the data.
            SettingError: The loss does not suit the targets, or a setting not the data.
        """
        recipe = recipe_for(dataset)
        loss = resolve(DEFAULT_LOSS[dataset.task] if self.loss is None else self.loss)
        dataset = with_labels(dataset, loss)
        outputs = needed_output(dataset, loss)[-1]
        network = parse(self.network or recipe.network.format(outputs=outputs))
        if not isinstance(network.layers[0], Embedding):
            network = Network([*first_layers(dataset), *network.layers])
        augment = recipe.augment if self.augment is None else augment_from(self.augment)
        usual = min(recipe.batch_size, len(dataset.train))
        batch_size = usual if self.batch_size is None else self.batch_size
        check_fit(network, dataset, loss, augment, batch_size)
        decay = recipe.weight_decay if self.optimizer in (None, recipe.optimizer) else 0.0
        rate = None if self.learning_rate == "auto" else self.learning_rate  # found later
        plan = {
            "network": network,
            "loss": loss,
            "optimizer": Optimizer(self.optimizer or recipe.optimizer, weight_decay=decay),
            "learning_rate": recipe.rate_for(self.optimizer) if rate is None else rate,
            "schedule": self.schedule or recipe.schedule,
            "batch_size": batch_size,
            "epochs": recipe.epochs if self.epochs is None else self.epochs,
            "seed": self.seed,
            "class_weights": self.class_weights,
            "label_smoothing": self.label_smoothing,
            "augment": augment,
            "stop": Stop(patience=self.patience),
        }
        rest = {name: value for name, value in plan.items() if name not in ("network", "loss")}
        rest["schedule"] = Schedule(rest["schedule"])
        settings = Settings(loss=loss.name, **rest)
        Preparation(network, dataset, loss, settings).check()
        return plan


def train_and_report(
    source: str,
    reading: Mapping[str, Any],
    wishes: Wishes,
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
        wishes: What the user asked for.
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
    wishes.check(finds_rate=True)
    if log is not None:
        check_tensorboard()
    options = TrainOptions(source, dict(reading), wishes, log, checkpoints)
    with claimed(out, options) as claim:
        with display.reading(source, lively=not as_json) as on_progress:
            dataset = wishes.suited(load(source, on_progress=on_progress, **reading))
        with display.waiting("Looking into the data ...", lively=not as_json):
            dataset = check_data(dataset)
        if not as_json:
            output.report_columns(dataset)
            output.report_findings(dataset.findings or ())
        plan = wishes.plan(dataset)
        own = claim(dataset.name)
        folder, found = own.path, None
        if wishes.learning_rate == "auto":
            from downslope.cli.rating import look_for_rate

            found = look_for_rate(dataset, plan, as_json=as_json)
            plan["learning_rate"] = found.rate
            if not as_json:
                say(f"{found.message}\n")
        prepare_pictures(pictures)
        with (
            tensorboard_log(folder) if log else nullcontext() as written,
            display.training(dataset, plan["epochs"], lively=not as_json) as shown,
            hint_to_resume(folder),
        ):
            on_chunk = both(shown, written)
            run = train(
                dataset=dataset, on_chunk=on_chunk, folder=own, checkpoints=checkpoints, **plan
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
class TrainOptions:
    """What `downslope train` was asked for; arguments of `train_and_report`."""

    source: str
    reading: dict[str, Any]
    wishes: Wishes
    log: Literal["tensorboard"] | None = None
    checkpoints: Checkpoints | None = None
    command: Literal["train"] = "train"


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
    from downslope.plots import draw_run

    assert run.folder is not None
    folder = run.folder / "pictures"
    with display.waiting("Drawing pictures ...", lively=not as_json):
        is_stopped = run.outcome.reason == "interrupted"
        paths = draw_run(replace(run, dataset=dataset), folder, with_test=not is_stopped)
        if found is not None:
            from downslope.cli.rating import draw

            paths += draw(found, folder, as_json=True)
    if not as_json:
        output.list_pictures(paths)
