"""Training: from a network and a data set to a run."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from downslope.data.dataset import Dataset
from downslope.engine.augment import Augment
from downslope.engine.optimizers import Optimizer, Schedule
from downslope.engine.settings import BatchSize, Record, Settings, Stop
from downslope.nn.losses import Loss, PerSample, resolve
from downslope.nn.network import Network
from downslope.runs.checkpoint import Checkpoints, Keeper, with_optimizer_state
from downslope.runs.preparation import Preparation
from downslope.runs.progress import OnChunk
from downslope.runs.run import Run
from downslope.runs.run_folder import LOG
from downslope.runs.training import Training
from downslope.runs.validate import DEFAULT_LOSS, check_fit, check_start, with_labels
from downslope.storage.lock import Claim, claim_folder


def train(
    network: Network,
    dataset: Dataset,
    *,
    loss: str | PerSample | Loss | None = None,
    optimizer: str | Optimizer = "sgd",
    learning_rate: float = 0.1,
    schedule: str | Schedule = "constant",
    batch_size: BatchSize = 32,
    epochs: int = 20,
    seed: int = 0,
    class_weights: tuple[float, ...] = (),
    label_smoothing: float = 0.0,
    augment: Augment | None = None,
    record: Record | None = None,
    stop: Stop | None = None,
    on_chunk: OnChunk | None = None,
    start: Run | None = None,
    folder: str | Path | Claim | None = None,
    checkpoints: Checkpoints | None = None,
) -> Run:
    """Train a network on a data set; the same arguments give the same bits on one machine.

    Args:
        network: What learns.
        dataset: What it learns from.
        loss: A name, a function `loss(prediction, target) -> (N,)`, or a `Loss`; by default
            cross_entropy for classes and squared_error for numbers.
        optimizer: A name in `OPTIMIZERS` or an `Optimizer`.
        learning_rate: The (highest) learning rate.
        schedule: A name in `SCHEDULES` or a `Schedule`.
        batch_size: Samples per step: an integer, 1 for stochastic descent, "full" for all.
        epochs: How often all training samples are seen.
        seed: Decides the first weights, the order of samples and all other chance.
        class_weights: How much each class counts in the loss, one number per class.
        label_smoothing: Which share of each class target is spread evenly over all classes while
            training; the losses that are measured are those of the targets as they are.
        augment: Changes made to photos while training.
        record: What is kept of the training.
        stop: When to end before the last epoch.
        on_chunk: Called with a `Progress` between two chunks of steps.
        start: A run of the same network and loss to go on from: its weights, its scaling of
            inputs and targets, and its optimizer state, if that means the same to the optimizer
            of now; a warning says where it does not, or where its folder does not have it. The
            best weights, where they were restored, have none. Give another `seed`, or the order
            of the samples and all other chance are those of that run again.
        folder: A new or empty folder for the run. Its state is stored there while it trains, so
            that `resume` goes on whatever ended it, and at the end the run is saved there.
        checkpoints: When the state is stored.

    Returns:
        The run: trained weights, trace and outcome. Ctrl-C or SIGTERM end early and return it as
        well.

    Raises:
        DataError: There are no samples to train on or to validate with.
        NetworkError: The network does not fit the data.
        SettingError: A setting is unknown or out of range.
        StorageError: The folder is not empty, or refuses.
    """
    loss = resolve(DEFAULT_LOSS[dataset.task] if loss is None else loss)
    dataset = with_labels(dataset, loss)
    settings = Settings(
        loss=loss.name,
        optimizer=Optimizer(optimizer) if isinstance(optimizer, str) else optimizer,
        learning_rate=learning_rate,
        schedule=Schedule(schedule) if isinstance(schedule, str) else schedule,
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        class_weights=tuple(class_weights),
        label_smoothing=label_smoothing,
        augment=augment,
        record=Record() if record is None else record,
        stop=Stop() if stop is None else stop,
    )
    if start is not None:
        check_start(start, network, dataset, loss)
        start = with_optimizer_state(start)
        dataset = replace(dataset, scaling=start.scaling)
    check_fit(network, dataset, loss, augment, settings.batch_size)
    prepared = Preparation(network, dataset, loss, settings, start)
    prepared.check()
    if prepared.state_note:
        warnings.warn(prepared.state_note, stacklevel=2)
    if folder is None:
        return Training(prepared).run(on_chunk)
    with new_run(folder) as path:
        return Training(prepared, Keeper(path, checkpoints or Checkpoints())).run(on_chunk)


@contextmanager
def new_run(folder: str | Path | Claim) -> Iterator[Path]:
    """A new or empty folder that nobody else writes into; one that is claimed already stays so.

    Raises:
        StorageError: It is not empty, or another training writes into it, or it refuses.
    """
    if isinstance(folder, Claim):
        yield folder.path
        return
    with claim_folder(Path(folder), beside=(LOG,)) as claim:
        yield claim.path
