"""What is compared: values of one setting, all else the same; and how fast each trains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from downslope.data.dataset import Dataset
from downslope.engine.settings import Settings
from downslope.errors import SettingError
from downslope.names import look_up
from downslope.nn.network import Network
from downslope.nn.notation import describe
from downslope.runs.train import train

# those that decide what is recorded change nothing that could be compared
SETTINGS = ("network", *(one.name for one in fields(Settings) if one.name != "record"))
APART = ("learning_rate", "seed")  # trainings that differ in nothing else run side by side
PACING_SAMPLES = 100_000  # seen while the pace is measured: a fraction of a second in small nets,
PACING_NUMBERS = 100_000 * 64  # and so many numbers in them, as images take longer


@dataclass(frozen=True)
class Variant:
    """One value of the setting that is varied.

    Attributes:
        name: The value as a person reads it.
        arguments: What `train` is given besides the data set, the network included; with a
            seed only where that is what is varied.
    """

    name: str
    arguments: Mapping[str, Any]

    @property
    def epochs(self) -> int:
        """How often it sees all samples; `train`'s own number where nothing was said."""
        return self.arguments.get("epochs", 20)

    def is_like(self, other: Variant) -> bool:
        """Whether the two could be trained side by side."""
        mine, yours = (
            {name: value for name, value in one.arguments.items() if name not in APART}
            for one in (self, other)
        )
        return mine == yours


def variants_of(
    network: Network, vary: Mapping[str, Sequence[Any]], settings: Mapping[str, Any]
) -> tuple[str, tuple[Variant, ...]]:
    """The setting that is varied, and its values as variants.

    Args:
        network: What learns, unless that is varied.
        vary: One setting with at least two values.
        settings: All others, as for `train`.

    Raises:
        SettingError: Not one setting is varied, there is no such setting, there are fewer than
            two values, or a single seed was given.
    """
    if "seed" in settings:
        raise SettingError(
            f"The seed is set to {settings['seed']}.",
            "a number of seeds",
            "Leave seed out, and say with seeds how many trainings of each value there are.",
        )
    if len(vary) != 1:
        raise SettingError(
            f"{len(vary)} settings are varied.",
            "one",
            "Compare one setting at a time: else the cause of a difference is unknown.",
        )
    ((setting, values),) = vary.items()
    check_values(setting, values)
    fixed = {"network": network, **settings}
    found = tuple(Variant(shown(one), fixed | {setting: one}) for one in values)
    return setting, found


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
    arguments: dict[str, Any] = {**variant.arguments, "epochs": epochs}
    arguments.pop("stop", None)
    run = train(dataset=dataset, **arguments)
    if run.outcome.reason == "interrupted":
        return None
    samples = len(dataset.train)
    per_epoch = -(-samples // run.settings.samples_per_step(samples))
    return run.seconds.training * per_epoch / max(1, run.outcome.step)  # it may have diverged
