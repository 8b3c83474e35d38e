"""Downslope trains neural networks fast and shows how they learn.

Names are looked up when they are first used, so that `import downslope` takes no time and the
command line answers `--help` without starting the engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from downslope.data import DataFinding, Dataset, Samples, Scaling, load
    from downslope.data.guard import guarded
    from downslope.errors import (
        DataError,
        DownslopeError,
        InputError,
        NetworkError,
        RunError,
        SettingError,
        StorageError,
    )
    from downslope.exporting.export import export
    from downslope.exporting.tensorboard_log import tensorboard_log
    from downslope.learning.augment import Augment
    from downslope.learning.backprop import Backpropagation, backpropagate
    from downslope.learning.checkpoint import Checkpoints
    from downslope.learning.going_on import fork, resume
    from downslope.learning.losses_at import losses_at
    from downslope.learning.optimizers import Optimizer, Schedule
    from downslope.learning.outcome import Outcome
    from downslope.learning.progress import Progress
    from downslope.learning.run import Run
    from downslope.learning.saved_run import open_run
    from downslope.learning.settings import Record, Settings, Stop
    from downslope.learning.side_by_side import SideBySide, train_side_by_side
    from downslope.learning.trace import Trace
    from downslope.learning.train import train
    from downslope.network.composite import Parallel, Residual
    from downslope.network.dense import Dense, Dropout, Flatten
    from downslope.network.embedding import Embedding
    from downslope.network.images import AveragePool2D, Conv2D, MaxPool2D, Upsample2D
    from downslope.network.losses import Loss
    from downslope.network.network import Network, Signal
    from downslope.network.normalization import GroupNorm, LayerNorm, Standardize
    from downslope.network.notation import parse as parse_network
    from downslope.reporting.report import report

__all__ = [
    "Augment",
    "AveragePool2D",
    "Backpropagation",
    "Checkpoints",
    "Conv2D",
    "DataError",
    "DataFinding",
    "Dataset",
    "Dense",
    "DownslopeError",
    "Dropout",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "InputError",
    "LayerNorm",
    "Loss",
    "MaxPool2D",
    "Network",
    "NetworkError",
    "Optimizer",
    "Outcome",
    "Parallel",
    "Progress",
    "Record",
    "Residual",
    "Run",
    "RunError",
    "Samples",
    "Scaling",
    "Schedule",
    "SettingError",
    "Settings",
    "SideBySide",
    "Signal",
    "Standardize",
    "Stop",
    "StorageError",
    "Trace",
    "Upsample2D",
    "backpropagate",
    "export",
    "fork",
    "guarded",
    "load",
    "losses_at",
    "open_run",
    "parse_network",
    "report",
    "resume",
    "tensorboard_log",
    "train",
    "train_side_by_side",
]

# where each name lives; the same as the imports above, which only type checkers read
_HOMES = {
    "data": "DataFinding Dataset Samples Scaling load",
    "data.guard": "guarded",
    "errors": (
        "DataError DownslopeError InputError NetworkError RunError SettingError StorageError"
    ),
    "exporting.export": "export",
    "exporting.tensorboard_log": "tensorboard_log",
    "learning.augment": "Augment",
    "learning.backprop": "Backpropagation backpropagate",
    "learning.checkpoint": "Checkpoints",
    "learning.going_on": "fork resume",
    "learning.losses_at": "losses_at",
    "learning.optimizers": "Optimizer Schedule",
    "learning.outcome": "Outcome",
    "learning.progress": "Progress",
    "learning.run": "Run",
    "learning.saved_run": "open_run",
    "learning.settings": "Record Settings Stop",
    "learning.side_by_side": "SideBySide train_side_by_side",
    "learning.trace": "Trace",
    "learning.train": "train",
    "network.composite": "Parallel Residual",
    "network.dense": "Dense Dropout Flatten",
    "network.embedding": "Embedding",
    "network.images": "AveragePool2D Conv2D MaxPool2D Upsample2D",
    "network.losses": "Loss",
    "network.network": "Network Signal",
    "network.normalization": "GroupNorm LayerNorm Standardize",
    "network.notation": "parse_network",
    "reporting.report": "report",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name == "insight":  # so that `downslope.insight.slope` needs no import of its own
        return import_module(f"{__name__}.insight")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    inside = "parse" if name == "parse_network" else name
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), inside)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
