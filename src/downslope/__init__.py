"""Downslope trains neural networks fast and shows how they learn.

Names are looked up when they are first used, so that `import downslope` takes no time and the
command line answers `--help` without starting the engine.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers take it for true; to import it would take half of the time
if TYPE_CHECKING:
    from typing import Any

    from downslope import data, insight, plots
    from downslope.data import DataFinding, Dataset, Samples, Scaling, load
    from downslope.data.checks.check_data import check_data
    from downslope.data.describe import describe
    from downslope.diagnosis.diagnose import Diagnosis, diagnose
    from downslope.diagnosis.fix import Fix, fix
    from downslope.engine.augment import Augment
    from downslope.engine.backpropagation import Backpropagation, backpropagate
    from downslope.engine.losses_at import losses_at
    from downslope.engine.model import Model
    from downslope.engine.optimizers import Optimizer, Schedule
    from downslope.engine.settings import Record, Settings, Stop
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
    from downslope.insight.catalogue import catalogue
    from downslope.nn.activations import Activation
    from downslope.nn.composite import Parallel, Residual
    from downslope.nn.dense import Activate, Dense, Dropout, Flatten
    from downslope.nn.embedding import Embedding
    from downslope.nn.embedding_bag import EmbeddingBag
    from downslope.nn.images import (
        AveragePool2D,
        Conv2D,
        GlobalAveragePool2D,
        GlobalMaxPool2D,
        MaxPool2D,
        Upsample2D,
    )
    from downslope.nn.initializers import Initializer
    from downslope.nn.layer import Layer, Misfit
    from downslope.nn.losses import Loss
    from downslope.nn.members import GroupedDense, Members
    from downslope.nn.network import Network, Signal
    from downslope.nn.normalization import BatchNorm, GroupNorm, LayerNorm, Standardize
    from downslope.nn.notation import parse as parse_network
    from downslope.nn.piecewise import Piecewise
    from downslope.nn.weights import load_weights
    from downslope.reporting.report import report
    from downslope.runs.checkpoint import Checkpoints
    from downslope.runs.evaluate import evaluate, training_result
    from downslope.runs.finding import Finding, Proof
    from downslope.runs.named_predictions import predictions
    from downslope.runs.open import open_run
    from downslope.runs.outcome import Outcome
    from downslope.runs.progress import NextChunk, Progress
    from downslope.runs.replay import Replay, replay
    from downslope.runs.resume import fork, resume
    from downslope.runs.run import Run
    from downslope.runs.trace import Trace
    from downslope.runs.train import train
    from downslope.runs.train_many import SideBySide, train_side_by_side
    from downslope.runs.train_options import TrainOptions, recipe

__all__ = [
    "Activate",
    "Activation",
    "Augment",
    "AveragePool2D",
    "Backpropagation",
    "BatchNorm",
    "Checkpoints",
    "Conv2D",
    "DataError",
    "DataFinding",
    "Dataset",
    "Dense",
    "Diagnosis",
    "DownslopeError",
    "Dropout",
    "Embedding",
    "EmbeddingBag",
    "Finding",
    "Fix",
    "Flatten",
    "GlobalAveragePool2D",
    "GlobalMaxPool2D",
    "GroupNorm",
    "GroupedDense",
    "Initializer",
    "InputError",
    "Layer",
    "LayerNorm",
    "Loss",
    "MaxPool2D",
    "Members",
    "Misfit",
    "Model",
    "Network",
    "NetworkError",
    "NextChunk",
    "Optimizer",
    "Outcome",
    "Parallel",
    "Piecewise",
    "Progress",
    "Proof",
    "Record",
    "Replay",
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
    "TrainOptions",
    "Upsample2D",
    "backpropagate",
    "catalogue",
    "check_data",
    "data",
    "describe",
    "diagnose",
    "evaluate",
    "export",
    "fix",
    "fork",
    "insight",
    "load",
    "load_weights",
    "losses_at",
    "open_run",
    "parse_network",
    "plots",
    "predictions",
    "recipe",
    "replay",
    "report",
    "resume",
    "tensorboard_log",
    "train",
    "train_side_by_side",
    "training_result",
]

# where each name lives; the same as the imports above, which only type checkers read
_HOMES = {
    "data": "DataFinding Dataset Samples Scaling load",
    "data.checks.check_data": "check_data",
    "data.describe": "describe",
    "errors": (
        "DataError DownslopeError InputError NetworkError RunError SettingError StorageError"
    ),
    "exporting.export": "export",
    "exporting.tensorboard_log": "tensorboard_log",
    "diagnosis.diagnose": "Diagnosis diagnose",
    "diagnosis.fix": "Fix fix",
    "insight.catalogue": "catalogue",
    "engine.augment": "Augment",
    "engine.backpropagation": "Backpropagation backpropagate",
    "runs.checkpoint": "Checkpoints",
    "runs.resume": "fork resume",
    "engine.losses_at": "losses_at",
    "engine.model": "Model",
    "engine.optimizers": "Optimizer Schedule",
    "runs.outcome": "Outcome",
    "runs.finding": "Finding Proof",
    "runs.evaluate": "evaluate training_result",
    "runs.named_predictions": "predictions",
    "runs.progress": "NextChunk Progress",
    "runs.replay": "Replay replay",
    "runs.run": "Run",
    "runs.open": "open_run",
    "engine.settings": "Record Settings Stop",
    "runs.train_many": "SideBySide train_side_by_side",
    "runs.trace": "Trace",
    "runs.train": "train",
    "runs.train_options": "TrainOptions recipe",
    "nn.composite": "Parallel Residual",
    "nn.dense": "Activate Dense Dropout Flatten",
    "nn.embedding": "Embedding",
    "nn.embedding_bag": "EmbeddingBag",
    "nn.images": ("AveragePool2D Conv2D GlobalAveragePool2D GlobalMaxPool2D MaxPool2D Upsample2D"),
    "nn.activations": "Activation",
    "nn.initializers": "Initializer",
    "nn.layer": "Layer Misfit",
    "nn.losses": "Loss",
    "nn.members": "GroupedDense Members",
    "nn.network": "Network Signal",
    "nn.normalization": "BatchNorm GroupNorm LayerNorm Standardize",
    "nn.piecewise": "Piecewise",
    "nn.notation": "parse_network",
    "nn.weights": "load_weights",
    "reporting.report": "report",
}
_MODULES = ("data", "insight", "plots")  # meant for users, as a whole
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in _MODULES:  # so that `downslope.insight.slope` needs no import of its own
        return import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    inside = "parse" if name == "parse_network" else name
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), inside)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return __all__
