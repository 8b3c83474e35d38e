"""What a training leaves: the values of a run, without what is done with them.

`predict.py`, `measure.py`, `run_data.py`, `save.py` and `summary.py` are functions of it; `run.py`
gives them to users as methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from downslope.data.dataset import Dataset
from downslope.data.scaling import Scaling
from downslope.engine.model import Model
from downslope.engine.settings import Settings
from downslope.nn.losses import Loss
from downslope.nn.network import Network, NetworkParameters, count_parameters
from downslope.runs import run_folder
from downslope.runs.finding import Finding
from downslope.runs.outcome import Outcome
from downslope.runs.run_folder import DataSummary, Origin, Phase, Seconds
from downslope.runs.test_evaluations import EvaluationCount
from downslope.runs.trace import Trace


@dataclass(frozen=True, eq=False)
class RunValue:
    """The values of a run; `Run` documents its attributes."""

    model: Model
    settings: Settings
    data: DataSummary
    baseline_output: np.ndarray
    trace: Trace
    outcome: Outcome
    seconds: Seconds
    dataset: Dataset | None = None
    folder: Path | None = None
    origin: Origin | None = None
    evaluations: EvaluationCount = field(default_factory=EvaluationCount, repr=False)
    optimizer_state: Any = None
    versions: Mapping[str, str] = field(default_factory=run_folder.versions, repr=False)
    phases: tuple[Phase, ...] = ()
    parent: Origin | None = None
    baseline_median: np.ndarray | None = None

    @property
    def network(self) -> Network:
        """The network."""
        return self.model.network

    @property
    def loss(self) -> Loss:
        """The loss that it was trained with."""
        return self.model.loss

    @property
    def parameters(self) -> NetworkParameters:
        """The trained weights and biases, one dictionary per layer."""
        return self.model.parameters

    @property
    def scaling(self) -> Scaling:
        """How inputs are scaled, learned from the training part."""
        return self.model.scaling

    @property
    def target_scaling(self) -> Scaling | None:
        """How outputs become numbers in the units of the targets; None where they already are."""
        return self.model.target_scaling

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The verdicts on the training from what it recorded, most important first."""
        return self.outcome.findings

    @property
    def test_evaluations(self) -> int:
        """How often the run was evaluated on its test part; see `EvaluationCount`."""
        return self.evaluations.count

    @property
    def parameter_count(self) -> int:
        """How many weights and biases the network has."""
        return count_parameters(self.parameters)

    @property
    def epochs(self) -> int:
        """How many epochs were finished."""
        samples = self.data.samples["train"]
        return self.outcome.step // -(-samples // self.settings.samples_per_step(samples))

    @property
    def as_origin(self) -> Origin:
        """What a run that starts from this one stores about it."""
        before = 0 if self.origin is None else self.origin.steps
        folder = "" if self.folder is None else str(self.folder)
        return Origin(folder, self.data.fingerprint, before + self.outcome.kept_step)


AnyRun = TypeVar("AnyRun", bound=RunValue)  # a function of a run that returns it changed
