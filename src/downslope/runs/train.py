"""Training: from a network and a data set to a run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optax import GradientTransformation

from downslope.data.builtin import BUILT_IN
from downslope.data.checks.check_data import checked
from downslope.engine.augment import Augment
from downslope.engine.optimizers import Optimizer, Schedule
from downslope.engine.settings import BatchSize, Record, SmoothToward, Stop
from downslope.errors import DataError, Faults
from downslope.nn.losses import Loss, PerSample
from downslope.nn.network import Network, NetworkParameters
from downslope.runs.checkpoint import Checkpoints, CheckpointWriter
from downslope.runs.progress import OnChunk
from downslope.runs.recipe import Effort
from downslope.runs.run import Run
from downslope.runs.run_folder import LOG
from downslope.runs.train_options import TrainOptions, options_from, usable_from
from downslope.runs.training import Training
from downslope.storage.lock import Claim, claim_folder


def train(
    network: Network | str | None = None,
    data: Any = None,
    *,
    options: TrainOptions | None = None,
    loss: str | PerSample | Loss | None = None,
    optimizer: str | Optimizer | GradientTransformation | None = None,
    learning_rate: float | None = None,
    schedule: str | Schedule | Callable[..., Any] | None = None,
    batch_size: BatchSize | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    shuffle: bool | None = None,
    class_weights: Sequence[float] | None = None,
    label_smoothing: float | None = None,
    smooth_toward: SmoothToward | None = None,
    augment: Augment | str | None = None,
    freeze: int | bool | None = None,
    record: Record | None = None,
    stop: Stop | None = None,
    members: int | None = None,
    effort: Effort | None = None,
    on_chunk: OnChunk | None = None,
    start: Run | NetworkParameters | None = None,
    folder: str | Path | Claim | None = None,
    checkpoints: Checkpoints | None = None,
) -> Run:
    """Train a network on a data set; the same arguments give the same bits on one machine.

    An argument that is left out has the value that the command line would use; `recipe` returns
    these.

    Args:
        network: A `Network`, or its notation, such as "dense 32 relu, dense 10"; None for the
            recipe's.
        data: A `Dataset`, or whatever `load` takes: the name of a built-in set, a path, a frame, a
            pair (X, y) of arrays. All but a `Dataset` is checked by `check_data`, whose warnings
            are raised as Python warnings. None for the data of `start`.
        options: All options as one value; the arguments that follow, up to `effort`, change it.
        loss: A name, a function `loss(prediction, target) -> (N,)`, or a `Loss`.
        optimizer: A name in `OPTIMIZERS`, an `Optimizer`, or an `optax.GradientTransformation`,
            whose updates the learning rate multiplies: 1, and constant, if left out.
        learning_rate: The (highest) learning rate.
        schedule: A name in `SCHEDULES`, a `Schedule`, or a function (step, steps) -> fraction of
            the learning rate.
        batch_size: Samples per step: an integer, 1 for stochastic descent, "full" for all.
        epochs: How often all training samples are seen.
        seed: Seed of the first weights, of the order of samples and of all other chance; default 0.
        class_weights: How much each class counts in the loss, one number per class.
        shuffle: Whether the order of the samples is drawn anew in each epoch (the default); False
            keeps the order of the data, as to show what reshuffling is good for.
        label_smoothing: Fraction of each class target that is spread over all classes while
            training; recorded losses use the targets as they are.
        smooth_toward: How it is spread: "uniform", or by the "frequencies" of the classes.
        augment: Random changes of the training images, as an `Augment` or in its notation
            ("flip,shift=0.1"); "none" for no changes.
        freeze: How many of the first layers keep their weights; True for all but the last layer
            with weights.
        record: What is recorded of the training.
        stop: When to end before the last epoch, and which weights to keep.
        members: How many networks, each with weights of its own, are trained as one, which
            predicts their mean.
        effort: How much work the recipe puts into images of one size: "quick", "normal" or "long".
        on_chunk: Called with a `Progress` between two chunks of steps.
        start: A run of the same network and loss to start from: its weights, its scaling of inputs
            and targets, and its optimizer state, if it fits the optimizer of now. A warning says
            where it does not, or where the run's folder does not have it. Restored best weights
            have no optimizer state. Give another `seed`, or the order of the samples and all other
            chance repeat those of that run. Of a run that learned other classes or numbers, all but
            the last layer with weights is taken over, and that one drawn from the seed. Instead of
            a run, weights as `load_weights` returns them.
        folder: A new or empty folder for the run. Checkpoints are stored there while it trains, so
            that `resume` can continue it, and at the end the run is saved there.
        checkpoints: When the state is stored.

    Returns:
        The run: trained weights, trace and outcome. Ctrl-C or SIGTERM end training early; the run
        is returned then as well.

    Raises:
        DataError: The data cannot be read, or there are no samples to train on or to validate with.
        NetworkError: The network does not fit the data.
        SettingError: A setting is unknown or out of range.
        StorageError: The folder is not empty, or cannot be written.

    Example:
        >>> run = ds.train("dense 8 tanh, dense 2", "moons", optimizer="adam", epochs=2)
        >>> run.settings.learning_rate
        0.01
        >>> run
        Run('moons', 'dense 8 tanh, dense 2', 42 parameters, 'Trained for 2 epochs.')
    """
    given = {
        "loss": loss,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "batch_size": batch_size,
        "epochs": epochs,
        "seed": seed,
        "shuffle": shuffle,
        "class_weights": class_weights,
        "label_smoothing": label_smoothing,
        "smooth_toward": smooth_toward,
        "augment": augment,
        "freeze": freeze,
        "record": record,
        "stop": stop,
        "members": members,
        "effort": effort,
    }
    faults = Faults()
    with faults.check():
        wanted = options_from(options, given, network)
    if faults:
        if isinstance(data, str | Path) and data not in BUILT_IN:
            faults.tell()  # before the data is read, which may take a while
        wanted = usable_from(options, given, network)  # what is wrong besides?
    if data is None and isinstance(start, Run):
        data = start.with_data().dataset
    with faults.check():
        if data is None:
            raise DataError(
                "There is no data to train on.",
                "a Dataset, the name of a built-in set, a path, a frame, or the two (X, y)",
                'Give it behind the network, or by its name: train(data="digits").',
            )
        prepared = wanted.plan(checked(data), start)  # checked as the command line does
    faults.tell()
    for note in (*prepared.notes, prepared.state_note):
        if note:
            warnings.warn(note, stacklevel=2)
    if folder is None:
        return Training(prepared).run(on_chunk)
    with new_run(folder) as path:
        return Training(prepared, CheckpointWriter(path, checkpoints or Checkpoints())).run(
            on_chunk
        )


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
