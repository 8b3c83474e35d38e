"""Which samples are in a batch together, and how that changes from epoch to epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from downslope.errors import RunError, printable
from downslope.numerals import rounded
from downslope.result import Part, Result
from downslope.runs.replay import replay
from downslope.runs.run import Run
from downslope.text import Table, amount

FEW = 12  # samples of a batch that are told one by one


@dataclass(frozen=True, eq=False)
class Batches(Result):
    """The order in which some epochs of a training see the samples.

    Attributes:
        data: Name of the data set.
        samples: Number of training samples.
        batch_size: Number of samples in a batch; the last batch of an epoch may have fewer.
        steps_per_epoch: Number of batches in an epoch.
        shuffle: Whether the order is drawn anew in each epoch.
        epochs: The epochs, from 1.
        orders: The indices of the training samples in the order in which each epoch sees them,
            (epochs, samples).
        batch: The batch of the epoch that is looked at, from 1.
        class_names: Names of the classes; empty where targets are numbers.
        targets: The class of each training sample, or its number; of several the first, (samples,).
    """

    data: str
    samples: int
    batch_size: int
    steps_per_epoch: int
    shuffle: bool
    epochs: tuple[int, ...]
    orders: Int[np.ndarray, "epochs samples"]
    batch: int
    class_names: tuple[str, ...]
    targets: Float[np.ndarray, " samples"]

    def members(self, index: int) -> Int[np.ndarray, " batch"]:
        """The samples of the batch in the epoch `epochs[place]`."""
        return self.orders[index][(self.batch - 1) * self.batch_size :][: self.batch_size]

    def batches_of_members(self, index: int) -> int:
        """Over how many batches of that epoch the samples of the first epoch's batch are spread."""
        at = np.flatnonzero(np.isin(self.orders[index], self.members(0)))
        return len(np.unique(at // self.batch_size))

    @property
    def summary(self) -> str:
        """How the samples are dealt out."""
        how = "in an order drawn anew in each epoch" if self.shuffle else "in the order of the data"
        return (
            f"Each epoch sees the {amount(self.samples, 'training sample')} of {self.data} once, "
            f"{how}, in {amount(self.steps_per_epoch, 'batch').replace('batchs', 'batches')} of "
            f"{self.batch_size:,}."
        )

    def parts(self) -> Iterator[Part]:
        """The members of the batch in each epoch, and where they went."""
        yield self.summary
        yield ""
        yield f"Batch {self.batch} of each epoch:"
        what = "classes" if self.class_names else "mean target"
        rows = [
            (f"{epoch:,}", f"{(epoch - 1) * self.steps_per_epoch + self.batch:,}",
             _listed(self.members(index)), self._made_of(self.members(index)))
            for index, epoch in enumerate(self.epochs)
        ]  # fmt: skip
        yield Table(("epoch", "step", "training samples", what), rows, numeric=(0, 1))
        for index, epoch in list(enumerate(self.epochs))[1:]:
            many = self.batches_of_members(index)
            spread = f"are spread over {many:,} batches" if many > 1 else "are together again"
            yield (
                f"The {amount(len(self.members(0)), 'sample')} of batch {self.batch} in epoch "
                f"{self.epochs[0]:,} {spread} in epoch {epoch:,}."
            )

    def _made_of(self, members: np.ndarray) -> str:
        if not self.class_names:
            return rounded(float(self.targets[members].mean()))
        counts = Counter(self.targets[members].astype(int).tolist())
        told = (
            f"{printable(self.class_names[one])} {count}" for one, count in sorted(counts.items())
        )
        return ", ".join(told)


def _listed(members: np.ndarray) -> str:
    told = ", ".join(str(one) for one in members[:FEW])
    return told if len(members) <= FEW else f"{told} and {len(members) - FEW:,} more"


def batches(run: Run, epochs: Sequence[int] = (1, 2), *, batch: int = 1) -> Batches:
    """Show which training samples a run saw together, in several of its epochs.

    Args:
        run: The run.
        epochs: The epochs to compare, from 1; those after the last one are left out.
        batch: Which batch of each epoch is looked at, from 1.

    Returns:
        The order of the samples in each epoch, and the members of the batch.

    Raises:
        DataError: The run's data is missing or has changed.
        RunError: There is no such epoch or batch, or the training cannot be repeated here.

    Example:
        >>> found = ds.insight.batches(ds.open_run("runs/moons-1"))
        >>> found.orders.shape
        (2, 560)
        >>> sorted(found.orders[1].tolist()) == list(range(560))
        True
    """
    past = replay(run)
    run, per_epoch = past.run, past.steps_per_epoch
    assert run.dataset is not None
    last = max(1, past.steps // per_epoch)
    chosen = tuple(epoch for epoch in dict.fromkeys(epochs) if epoch <= last)
    if not chosen or min(chosen) < 1:
        raise RunError(
            f"The epochs {', '.join(map(str, epochs)) or 'none'} were asked for, and the run has "
            f"{amount(last, 'epoch')}.",
            f"epochs from 1 to {last:,}",
            "Epochs are counted from 1.",
        )
    if not 1 <= batch <= per_epoch:
        raise RunError(
            f"Batch {batch:,} was asked for, and an epoch has {per_epoch:,}.",
            f"a batch from 1 to {per_epoch:,}",
            "Batches are counted from 1 in each epoch.",
        )
    orders = []
    for epoch in chosen:
        steps = range((epoch - 1) * per_epoch + 1, epoch * per_epoch + 1)
        order = np.concatenate([past.batch_of(step) for step in steps])
        orders.append(order[order >= 0])
    samples = run.dataset.train
    is_count = run.data.task == "counting"
    targets = np.asarray(samples.counts if is_count else samples.targets, np.float64)
    return Batches(
        data=run.data.name,
        samples=len(samples),
        batch_size=run.settings.samples_per_step(len(samples)),
        steps_per_epoch=per_epoch,
        shuffle=past.settings_of(chosen[0] * per_epoch).shuffle,
        epochs=chosen,
        orders=np.stack(orders),
        batch=batch,
        class_names=run.data.class_names if targets.ndim == 1 else (),
        targets=targets.reshape(len(targets), -1)[:, 0],
    )
