"""What is compared: values of one setting, all else the same; and how fast each trains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from downslope.data.dataset import Dataset
from downslope.engine.settings import Stop
from downslope.errors import SettingError
from downslope.names import look_up
from downslope.nn.network import Network
from downslope.nn.notation import describe
from downslope.runs.train import train
from downslope.runs.train_options import OPTIONS, TrainOptions

# those that decide what is recorded change nothing that could be compared
SETTINGS = tuple(name for name in OPTIONS if name not in ("record", "freeze"))
PACING_SAMPLES = 100_000  # seen while the pace is measured: a fraction of a second in small nets,
PACING_NUMBERS = 100_000 * 64  # and so many numbers in them, as images take longer


@dataclass(frozen=True)
class Variant:
    """One value of the setting that is varied.

    Attributes:
        name: The value as a person reads it.
        options: How to train; the seed counts only where that is what is varied.
    """

    name: str
    options: TrainOptions

    @property
    def epochs(self) -> int:
        """How often it sees all samples."""
        assert self.options.epochs is not None  # of complete options
        return self.options.epochs

    @property
    def learning_rate(self) -> float:
        """Its (highest) learning rate."""
        assert isinstance(self.options.learning_rate, float | int)  # of complete options
        return self.options.learning_rate

    def is_like(self, other: Variant) -> bool:
        """Whether the two could be trained side by side: apart from rate and seed they are one."""
        mine, yours = (replace(one.options, learning_rate=None, seed=0) for one in (self, other))
        return mine == yours


def variants_of(
    options: TrainOptions, vary: Mapping[str, Sequence[Any]], dataset: Dataset
) -> tuple[str, tuple[Variant, ...]]:
    """The setting that is varied, and its values as variants with complete options.

    Args:
        options: How to train, apart from what is varied.
        vary: One setting with at least two values.
        dataset: What is learnt from.

    Raises:
        SettingError: Not one setting is varied, there is no such setting, or there are fewer than
            two values.
    """
    if len(vary) != 1:
        raise SettingError(
            f"{len(vary)} settings are varied.",
            "one",
            "Compare one setting at a time: else the cause of a difference is unknown.",
        )
    ((setting, values),) = vary.items()
    check_values(setting, values)
    found = (Variant(shown(one), options.replace(**{setting: one})) for one in values)
    return setting, tuple(replace(one, options=one.options.complete(dataset)) for one in found)


def check_values(setting: str, values: Sequence[Any]) -> None:
    """Check that there is such a setting, and that two or more values differ.

    Raises:
        SettingError: There is none, or there are fewer than two values, or two are the same.
    """
    look_up(setting, dict.fromkeys(SETTINGS, True), "setting", SettingError)
    names = [one if isinstance(one, str) else shown(one) for one in values]
    if len(names) < 2 or len(set(names)) < len(names):
        raise SettingError(
            f"The {setting} is varied over {' and '.join(names) or 'nothing'}.",
            "two or more values that differ",
            "Give more values, such as batch_size=full,1,32.",
        )


def shown(value: Any) -> str:
    """A value of a setting as a person reads it."""
    if isinstance(value, Network):
        return describe(value)
    name = getattr(value, "name", getattr(value, "kind", None))
    return f"{value:g}" if isinstance(value, float) else str(name or value)


def grouped(variants: Sequence[Variant]) -> list[list[Variant]]:
    """Those that can be trained side by side together, in the order given."""
    groups: list[list[Variant]] = []
    for one in variants:
        alike = next((group for group in groups if group[0].is_like(one)), None)
        if alike is None:
            groups.append([one])
        else:
            alike.append(one)
    return groups


def seconds_per_epoch(variant: Variant, dataset: Dataset) -> float | None:
    """How long an epoch takes where one network alone is trained; None where it was stopped.

    Measured over `PACING_SAMPLES` samples, fewer of large ones, and one epoch at least; on this
    machine, as busy as it is.
    """
    most = min(PACING_SAMPLES, PACING_NUMBERS // math.prod(dataset.input_shape))
    epochs = max(1, math.ceil(most / len(dataset.train)))
    run = train(None, dataset, options=variant.options, epochs=epochs, stop=Stop())
    if run.outcome.reason == "interrupted":
        return None
    samples = len(dataset.train)
    per_epoch = -(-samples // run.settings.samples_per_step(samples))
    return run.seconds.training * per_epoch / max(1, run.outcome.step)  # it may have diverged
