"""A run: what a training returned, ready to answer, to be measured, and to be kept."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from downslope.data.dataset import Dataset, Samples, known_targets
from downslope.data.load import load, load_again
from downslope.data.progress import OnProgress
from downslope.data.readers.frames import is_frame, table_from
from downslope.data.scaling import Scaling
from downslope.engine import metrics
from downslope.engine.class_metrics import ClassMetrics, class_metrics, label_metrics, rarest
from downslope.engine.metrics import TargetMetrics, target_metrics
from downslope.engine.model import Model
from downslope.engine.scales import Units
from downslope.engine.settings import Settings
from downslope.errors import DataError
from downslope.nn import notation
from downslope.nn.layer import numbered
from downslope.nn.losses import LOSSES, Loss
from downslope.nn.network import Network, NetworkParameters, Signal, count_parameters
from downslope.nn.own_parts import part_name
from downslope.numerals import rounded
from downslope.runs import run_folder
from downslope.runs.folder_checks import load_options
from downslope.runs.outcome import Outcome
from downslope.runs.run_folder import DataSummary, Document, Origin, Phase, Seconds
from downslope.runs.summary import card, shortened
from downslope.runs.test_evaluations import EvaluationCount
from downslope.runs.trace import Trace
from downslope.storage.arrays import flatten
from downslope.storage.lock import claim_folder

MOVED = "Put it back, or say where it is now: --data PATH, or in Python run.with_data(PATH)."


@dataclass(frozen=True, eq=False)
class Run:
    """A finished training: the trained network, how it was trained, and how training went.

    `train` and `open_run` return it.

    Attributes:
        network: The network.
        loss: The loss that it was trained with.
        parameters: The trained weights and biases, one dictionary per layer.
        settings: How it was trained.
        data: What is known of its data set besides the samples.
        scaling: How inputs are scaled, learned from the training part.
        target_scaling: How outputs become numbers in the units of the targets; None where they
            already are.
        baseline_output: The constant outputs with the lowest loss or RMSE, for comparison; see
            `metrics.baseline_output`.
        baseline_median: Likewise with the lowest MAE; None for classes.
        trace: The losses, metrics and learning rates over the training.
        outcome: Why it ended.
        seconds: How long it took, in seconds.
        dataset: The data set, if it is in memory; loaded from its source when first needed.
        folder: Where the run was saved or opened, if it was.
        origin: The run from whose weights the training started, if there is one.
        evaluations: Counts the test evaluations.
        optimizer_state: The optimizer state, for a training that starts from here; None where the
            best weights were restored. It is saved in the last checkpoint alone.
        versions: Versions of Python and of the libraries that it was trained with, and how its
            layers were computed.
        phases: The earlier parts of a training that was resumed with other settings.
        parent: The run that it was forked from, if it was.

    Example:
        >>> run = ds.train("dense 8 tanh, dense 2", "moons", epochs=2)
        >>> run.parameter_count
        42
        >>> run.predict(run.dataset.test.inputs).shape
        (160,)
        >>> sorted(run.test())
        ['accuracy', 'loss']
        >>> run = run.save("runs/moons-2")
    """

    network: Network
    loss: Loss
    parameters: NetworkParameters
    settings: Settings
    data: DataSummary
    scaling: Scaling
    target_scaling: Scaling | None
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

    @cached_property
    def model(self) -> Model:
        """The network with its weights, its loss and its scaling: all that predicts."""
        return Model(
            self.network,
            self.loss,
            self.parameters,
            self.data.task,
            self.scaling,
            self.target_scaling,
        )

    @property
    def units(self) -> Units:
        """The conversion between the units of the data and those of the engine."""
        return self.model.units

    def _checked(self, inputs: Any) -> Any:
        """Inputs as an array (N, *input_shape); photos may have another height and width.

        Samples stay what they are.
        """
        if isinstance(inputs, Samples):
            self._checked(inputs.inputs)
            return inputs
        wanted, counting = self.data.input_shape, self.data.task == "counting"
        if self.data.encoding is not None and is_frame(inputs):
            notes: list[str] = []
            encoded = self.data.encoding.encode(table_from(inputs), notes)
            for note in notes:
                warnings.warn(note, stacklevel=4)
            return encoded
        try:
            array = np.asarray(inputs)
        except ValueError:
            raise self._misfit("rows of different lengths") from None
        got = array.shape[1:]
        fits = got[-1:] == wanted[-1:] and len(got) == len(wanted) if counting else got == wanted
        if not (fits and array.ndim > 0 and array.dtype.kind in "buif"):
            raise self._misfit(f"shape {array.shape} and type {array.dtype}")
        return array

    def _misfit(self, what: str) -> DataError:
        wanted = self.data.input_shape
        sides = ("height", "width", str(wanted[-1])) if self.data.task == "counting" else wanted
        shape = ", ".join(str(side) for side in ("samples", *sides))
        return DataError(
            f"The inputs have {what}.",
            f"numbers of shape ({shape}), as in {self.data.name}",
            "Give one row per sample; for a single sample write inputs[None].",
        )

    def outputs(self, inputs: Any) -> np.ndarray:
        """Outputs for raw inputs (N, *input_shape): logits, numbers, density maps.

        Numbers are float64, in the units of the targets. Photos fill their arrays, unless they
        are given as `Samples`, which know their sizes.

        Raises:
            DataError: The inputs have the wrong shape.
        """
        return self.model.outputs(self._checked(inputs))

    def answers_of(self, outputs: np.ndarray) -> np.ndarray:
        """Predictions (probabilities, numbers, maps) from a network's scaled outputs."""
        return self.model.linked(self.units.answers_of(outputs))

    def predict(self, inputs: Any) -> np.ndarray:
        """Predict the targets of raw inputs, shape (N, *input_shape).

        Returns:
            Classes as integers (N,), 0 or 1 for each label (N, labels), numbers (N, outputs), or
            numbers of people (N,).

        Raises:
            DataError: The inputs have the wrong shape.
        """
        return self.model.predict(self._checked(inputs))

    def densities(self, inputs: Any) -> np.ndarray:
        """People per cell in photos, shape (N, height, width, 3); 0 outside a photo.

        Returns:
            Shape (N, height / stride, width / stride, 1); each map's sum is what `predict` gives.

        Raises:
            DataError: The inputs have the wrong shape, or the run does not count.
        """
        if self.data.task != "counting":
            raise DataError(
                f"{self.data.name} has no crowds.", "a run that counts people", "Use predict."
            )
        return self.model.linked(self.outputs(inputs))

    def probabilities(self, inputs: Any) -> np.ndarray:
        """The probability of each class, or of each label, shape (N, classes).

        Raises:
            DataError: The inputs have the wrong shape, or the run did not learn classes.
        """
        if self.data.task not in ("classification", "multilabel"):
            raise DataError(
                f"{self.data.name} has no classes.", "a run that learnt classes", "Use predict."
            )
        return self.model.probabilities(self._checked(inputs))

    def signals(self, inputs: Any) -> tuple[Signal, ...]:
        """Each layer's pre-activations and activations for raw inputs (N, *input_shape).

        Raises:
            DataError: The inputs have the wrong shape.
        """
        inputs = inputs.inputs if isinstance(inputs, Samples) else inputs
        scaled = jnp.asarray(self.scaling.apply(self._checked(inputs)))
        return self.network.signals(self.parameters, scaled)

    def with_data(self, data: Any = None, *, on_progress: OnProgress | None = None) -> Run:
        """Return this run with its data set in memory, loaded from its source if necessary.

        Args:
            data: The data that it was trained on, where it cannot be loaded from its source: a
                path, if it has moved; the (X, y) or the frame that was given; or a `Dataset`.
            on_progress: Where reading takes a while: called with (photos so far, photos in all).

        Raises:
            DataError: The data is missing, or is not what the run was trained on.
        """
        if data is None:
            if self.dataset is not None:
                return self
            source = self.data.source
            if os.path.isabs(source) and not os.path.exists(source):
                raise DataError(
                    f"The data that the run was trained on is not at {source} any more.",
                    "the same file or folder",
                    MOVED,
                )
            dataset = load(source, on_progress=on_progress, **load_options(self.data))
            if dataset.fingerprint != self.data.fingerprint:
                raise DataError(
                    f"The data at {source} has changed since the training.",
                    f"the data with the fingerprint {self.data.fingerprint[:12]}",
                    MOVED,
                )
            return replace(self, dataset=dataset)
        named = str(data) if isinstance(data, str | Path) else "What was given"
        dataset = load_again(data, load_options(self.data, of=named), on_progress)
        if dataset.fingerprint != self.data.fingerprint:
            now, then = sum(dataset.sizes.values()), sum(self.data.samples.values())
            what = f"{now:,} samples instead of {then:,}" if now != then else "other values"
            raise DataError(
                f"{named} is not the data that the run was trained on: it has {what}.",
                f"the data with the fingerprint {self.data.fingerprint[:12]}",
                "Name the file or folder that it was trained on; downslope test measures the run "
                "on other data.",
            )
        source = dataset.source or self.data.source
        return replace(self, dataset=dataset, data=replace(self.data, source=source))

    def measure(self, samples: Samples) -> dict[str, float]:
        """The loss and the metrics (accuracy, or MAE and RMSE) on labelled samples.

        Raises:
            DataError: There are no samples, or their inputs have the wrong shape.
        """
        if self._is_sealed(samples):
            self.evaluations.note()
        return metrics.average(self.data.task, self._values(samples), samples.weights)

    def losses(self, samples: Samples) -> np.ndarray:
        """The loss of each labelled sample, float64 (N,).

        Raises:
            DataError: There are no samples, or their inputs have the wrong shape.
        """
        return self._values(samples)[:, 0]

    def intervals(self, samples: Samples) -> dict[str, tuple[float, float]]:
        """The 95 % interval of each metric of `measure`, by the bootstrap over the samples.

        Fewer than 10 samples give none, an empty dictionary.

        Raises:
            DataError: As for `measure`.
        """
        self.look(samples)
        return metrics.intervals(self.data.task, self._values(samples), samples.weights)

    def look(self, samples: Samples) -> None:
        """Count a test evaluation, if the samples are the test part and it is still sealed."""
        if self._is_sealed(samples) and not self.evaluations.is_open:
            self.evaluations.note()

    def _is_sealed(self, samples: Samples) -> bool:
        return self.dataset is not None and samples is self.dataset.test

    def _known(self, samples: Samples) -> Samples:
        """The samples with their targets in the form that a data set has them."""
        known = known_targets(samples.targets, self.data.task, self.data.class_names)
        return samples if known is samples.targets else replace(samples, targets=known)

    def _values(self, samples: Samples) -> np.ndarray:
        if not len(samples):
            raise _no_samples()
        self._checked(samples.inputs)
        samples = self._known(samples)
        return self.model.values(samples)

    def class_metrics(self, samples: Samples) -> ClassMetrics:
        """Precision, recall, F1 and AUC of each class on labelled samples; of labels also accuracy.

        Raises:
            DataError: There are no samples, their inputs have the wrong shape, or the run did not
                learn classes or labels.
        """
        if not len(samples):
            raise _no_samples()
        self.look(samples)
        targets = np.asarray(self._known(samples).targets)
        if self.data.task == "multilabel":
            outputs = self.outputs(samples.inputs)
            return label_metrics(
                self.data.class_names,
                self.model.linked(outputs),
                predicted=outputs > 0,
                holds=targets > 0.5,
                usual=self.baseline_output > 0,
            )
        truth = targets if targets.ndim == 1 else metrics.chosen_class(targets)
        return class_metrics(self.data.class_names, self.probabilities(samples.inputs), truth)

    def target_metrics(self, samples: Samples) -> TargetMetrics:
        """MAE, RMSE and R^2 of each target on labelled samples, beside its baselines.

        Raises:
            DataError: There are no samples, their inputs have the wrong shape, or the run did not
                learn numbers.
        """
        if self.data.task != "regression" or self.baseline_median is None:
            raise DataError(
                f"{self.data.name} has no numbers as targets.",
                "a run that learned numbers",
                "Use measure or class_metrics.",
            )
        if not len(samples):
            raise _no_samples()
        self.look(samples)
        truth = self._known(samples).targets.reshape(len(samples), -1)
        predicted = self.predict(samples.inputs).reshape(truth.shape)
        constants = np.stack([self.baseline_median, self.baseline_output])
        median, mean = np.asarray(self.model.linked(constants), np.float64).reshape(2, -1)
        names = self.data.target_names or tuple(f"target {one + 1}" for one in range(len(mean)))
        return target_metrics(names, predicted, truth, median, mean)

    @property
    def rarest_class(self) -> int | None:
        """A class too rare among the training samples for accuracy to show it; or None."""
        if self.data.task != "classification":
            return None
        logits = self.baseline_output.astype(np.float64)
        logits = np.concatenate([[0.0], logits]) if len(logits) == 1 else logits
        return rarest(np.exp(logits) / np.exp(logits).sum())

    def measure_baseline(self, samples: Samples) -> dict[str, float]:
        """The same metrics of the best constant predictions: for each metric its own best constant.

        Classes: the most frequent one. Loss and RMSE: the training mean. MAE, and the loss
        absolute_error: the training median.
        """
        self.look(samples)
        found = self._measure_constant(self.baseline_output, samples)
        if self.baseline_median is None:
            return found
        median = self._measure_constant(self.baseline_median, samples)
        best_of_median = ("mae", "loss") if self.loss.name == "absolute_error" else ("mae",)
        return found | {name: median[name] for name in best_of_median}

    def _measure_constant(self, answer: np.ndarray, samples: Samples) -> dict[str, float]:
        samples = self._known(samples)
        values = self.model.constant_values(answer, samples)
        return metrics.average(self.data.task, values, samples.weights)

    def test(self) -> dict[str, float]:
        """Evaluate on the test part, which training never sees, and count the evaluation.

        Returns:
            The loss and the metrics, as `measure` returns them.

        Raises:
            DataError: The data is missing or has changed.
        """
        run = self.with_data()
        return run.measure(run._test)

    def test_class_metrics(self) -> ClassMetrics:
        """The metrics of each class on the test part.

        Raises:
            DataError: The data is missing or has changed, or the run did not learn classes.
        """
        run = self.with_data()
        return run.class_metrics(run._test)

    def test_target_metrics(self) -> TargetMetrics:
        """The metrics of each target on the test part.

        Raises:
            DataError: The data is missing or has changed, or the run did not learn numbers.
        """
        run = self.with_data()
        return run.target_metrics(run._test)

    def test_intervals(self) -> dict[str, tuple[float, float]]:
        """The 95 % interval of each metric of `test`.

        Raises:
            DataError: The data is missing or has changed.
        """
        run = self.with_data()
        return run.intervals(run._test)

    def baseline(self) -> dict[str, float]:
        """The baseline's metrics on the test part.

        Raises:
            DataError: The data is missing or has changed.
        """
        run = self.with_data()
        return run.measure_baseline(run._test)

    @property
    def _test(self) -> Samples:
        assert self.dataset is not None
        return self.dataset.test

    def save(self, folder: str | Path) -> Run:
        """Write the run into a new or empty folder; nothing is ever overwritten.

        Event files of the training (see `tensorboard_log`) may be in it already.

        Returns:
            The run, with its folder.

        Raises:
            StorageError: The folder is not empty, or cannot be written.
        """
        with claim_folder(Path(folder), beside=(run_folder.LOG,)) as claim:
            return self.write(claim.path)

    def write(self, folder: Path) -> Run:
        """Write the run into a folder that no other process writes into."""
        self.evaluations.save(folder)
        run_folder.write(folder, self.document, self.arrays, self.trace)
        return replace(self, folder=folder)

    @property
    def document(self) -> Document:
        """All values of the run that are not arrays."""
        return Document(
            format=run_folder.FORMAT,
            versions=dict(self.versions),
            data=self.data,
            network=notation.describe(self.network),
            settings=self.settings.stored,
            outcome=self.outcome,
            seconds=self.seconds,
            origin=self.origin,
            phases=tuple(replace(one, settings=one.settings.stored) for one in self.phases),
            parent=self.parent,
            own={kind: list(parts) for kind, parts in self.own_parts.items()},
        )

    @property
    def own_parts(self) -> dict[str, dict[str, Any]]:
        """The parts of your own, by type and name, as `open_run` takes them."""
        found = notation.own_parts(self.network)
        ours = LOSSES.get(self.loss.name)
        is_ours = ours is not None and ours.per_sample is self.loss.per_sample
        found["losses"] = {} if is_ours else {part_name(self.loss): self.loss}
        every = [*(phase.settings for phase in self.phases), self.settings]
        optimizers = [one.optimizer for one in every if one.optimizer.is_own]
        schedules = [one.schedule for one in every if one.schedule.is_own]
        found["optimizers"] = {one.name: one for one in optimizers}
        found["schedules"] = {one.kind: one for one in schedules}
        return {kind: parts for kind, parts in found.items() if parts}

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Its weights, its scaling and its baseline under their names in the file."""
        return {
            "scaling.mean": np.asarray(self.scaling.mean),
            "scaling.deviation": np.asarray(self.scaling.deviation),
            **_answer_arrays(self.target_scaling),
            "baseline": self.baseline_output,
            **({} if self.baseline_median is None else {"baseline.median": self.baseline_median}),
            **flatten(numbered(self.parameters)),
        }

    @property
    def summary(self) -> dict[str, str]:
        """A summary of the run, text by name, as the command line and the report show it."""
        settings, trace = self.settings, self.trace.epochs
        sizes = ", ".join(f"{count:,} {part}" for part, count in self.data.samples.items())
        network = shortened(notation.describe(self.network))
        facts = {
            "data": f"{self.data.name} ({self.data.task}): {sizes} samples",
            "network": f"{network} ({self.parameter_count:,} weights and biases)",
            "trained": (
                f"{settings.optimizer.name}, learning rate {rounded(settings.learning_rate, 6)} "
                f"({settings.schedule.kind}), batch size {settings.batch_size}, "
                f"{self.epochs:,} epochs, seed {settings.seed}"
            ),
        }
        losses = [trace.get(f"{part}_loss", np.zeros(0)) for part in ("train", "validation")]
        if all(len(values) for values in losses):
            train, validation = (rounded(values[-1]) for values in losses)
            facts["loss at the end"] = f"{train} on training, {validation} on validation samples"
        facts["ended"] = str(self.outcome)
        return facts

    def _repr_html_(self) -> str:
        """A short card, which notebooks show; see `card`."""
        return card(self.data.name, self.summary, self.trace.epochs, self.folder)

    def __repr__(self) -> str:
        return (
            f"Run({self.data.name!r}, {notation.describe(self.network)!r}, "
            f"{self.parameter_count} parameters, {self.outcome.message!r})"
        )


def _answer_arrays(scaling: Scaling | None) -> dict[str, np.ndarray]:
    if scaling is None:
        return {}
    deviation = np.asarray(scaling.deviation)
    return {"targets.mean": np.asarray(scaling.mean), "targets.deviation": deviation}


def _no_samples() -> DataError:
    return DataError(
        "There are no samples to measure the run on.", "at least one", "Check how they were read."
    )
