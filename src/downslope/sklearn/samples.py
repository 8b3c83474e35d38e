"""What scikit-learn hands over, as samples: dense, counted by their weights, some held out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse
from sklearn.model_selection import train_test_split

from downslope.data.dataset import Samples
from downslope.data.readers.frames import is_frame, is_index, table_from, texts_in
from downslope.data.tables.column_types import is_text

FEWEST_ANSWERED = 32  # fewer are answered by another program, whose last digits are others


@dataclass(frozen=True, eq=False)
class Parts:
    """What a training works on.

    Attributes:
        train: What is trained on.
        validation: What is validated with, or None.
        batch_size: Samples in a step.
        weight_of_step: The sum of their weights, on average, as they were given.
    """

    train: Samples
    validation: Samples | None
    batch_size: int
    weight_of_step: float

    @staticmethod
    def of(
        train: Samples, validation: Samples | None, batch_size: int, *, may_merge: bool
    ) -> Parts:
        """Parts in which equal samples are one where all make a single batch.

        Args:
            train: What is trained on.
            validation: What is validated with, or None.
            batch_size: Samples in a step, at most as many as there are.
            may_merge: Whether copies of a sample are always treated alike (no dropout).
        """
        if may_merge and batch_size == len(train):
            train = merged(train)
            batch_size = len(train)
        mean = 1.0 if train.weights is None else float(train.weights.mean())
        held = None if validation is None else normalized(validation)
        return Parts(normalized(train), held, batch_size, batch_size * mean)

    @property
    def labelled(self) -> tuple[Samples, ...]:
        """All parts that there are."""
        return (self.train,) if self.validation is None else (self.train, self.validation)


def texts_as_table(X: Any) -> Any:
    """Texts, or a frame that has a column of texts, as a table; None for anything else."""
    texts = texts_in(X)
    if texts is not None:
        return pa.table({"x0": texts})
    if not is_frame(X):
        return None
    table = table_from(X)
    table = table.drop_columns([one for one in table.column_names if is_index(table, one)])
    is_any = any(is_text(field.type) for field in table.schema)
    return table if is_any else None


def dense(X: Any) -> np.ndarray:
    """Checked inputs, sparse or not, as an array."""
    return X.toarray() if sparse.issparse(X) else X


def counted(inputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> Samples:
    """Samples without those that do not count.

    Args:
        inputs: Shape (N, features).
        targets: Shape (N,) or (N, outputs).
        weights: Shape (N,), or None for 1 each.

    Raises:
        ValueError: No sample counts.
    """
    if weights is None:
        return Samples(inputs, targets)
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return Samples(inputs, targets, weights).take(np.flatnonzero(weights))


def held_out(
    samples: Samples, fraction: float, stratify: np.ndarray | None, random: np.random.RandomState
) -> tuple[Samples, Samples]:
    """Split into samples to train on and samples to validate with.

    Args:
        samples: All.
        fraction: How many of them to hold out.
        stratify: Classes, of which both parts get the same mix; or None. A class of one sample
            is trained on.
        random: Decides which.

    Raises:
        ValueError: There are too few.
    """
    indices, always = np.arange(len(samples)), np.arange(0)
    if stratify is not None:
        _, classes, sizes = np.unique(stratify, return_inverse=True, return_counts=True)
        is_alone = sizes[classes] == 1  # what was never trained on cannot be recognised
        indices, always, stratify = indices[~is_alone], indices[is_alone], stratify[~is_alone]
    train, validation = train_test_split(
        indices, test_size=fraction, stratify=stratify, random_state=random
    )
    train = np.concatenate([train, always])
    if len(validation) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    return samples.take(np.asarray(train)), samples.take(np.asarray(validation))


def merged(samples: Samples) -> Samples:
    """Each sample once, in a fixed order, with the sum of the weights of its copies.

    Where all samples make one batch this changes no step, apart from rounding; and then not even
    the rounding tells a sample of weight 2 from one that was given twice.
    """
    targets = samples.targets.reshape(len(samples), -1)
    rows = np.concatenate([samples.inputs, targets], axis=1)
    _, firsts, indices = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    weights = np.bincount(indices.ravel(), weights=samples.weights)
    return replace(samples.take(firsts), weights=weights)


def normalized(samples: Samples) -> Samples:
    """The same samples with weights whose mean is 1, or without any where all are the same."""
    weights = samples.weights
    if weights is None or np.all(weights == weights[0]):
        return replace(samples, weights=None)
    return replace(samples, weights=(weights / weights.mean()).astype(np.float32))


def padded(inputs: np.ndarray) -> np.ndarray:
    """At least `FEWEST_ANSWERED` inputs, so that few and many are answered to the same digits."""
    missing = max(0, FEWEST_ANSWERED - len(inputs))
    return np.concatenate([inputs, np.repeat(inputs[:1], missing, axis=0)]) if missing else inputs
