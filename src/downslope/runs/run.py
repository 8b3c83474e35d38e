"""A run: what a training returned, and what users do with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from downslope.data.dataset import Samples
from downslope.data.progress import OnProgress
from downslope.engine.class_metrics import ClassMetrics
from downslope.engine.metrics import TargetMetrics
from downslope.nn import notation
from downslope.nn.network import Signal
from downslope.runs import measure, predict, run_data, save, summary
from downslope.runs.run_value import RunValue


@dataclass(frozen=True, eq=False, repr=False)
class Run(RunValue):
    """A finished training: the trained network, how it was trained, and how training went.

    `train` and `open_run` return it.

    Attributes:
        model: The network with its weights, its loss and its scaling: all that predicts. Its parts
            are at hand as `network`, `loss`, `parameters`, `scaling` and `target_scaling`.
        settings: How it was trained.
        data: What is known of its data set besides the samples.
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

    def outputs(self, inputs: Any) -> np.ndarray:
        """Outputs for raw inputs (N, *input_shape): logits, numbers, density maps.

        Numbers are float64, in the units of the targets. Photos fill their arrays, unless they
        are given as `Samples`, which know their sizes.

        Raises:
            DataError: The inputs have the wrong shape.
        """
        return predict.outputs(self, inputs)

    def predict(self, inputs: Any) -> np.ndarray:
        """Predict the targets of raw inputs, shape (N, *input_shape).

        Returns:
            Classes as integers (N,), 0 or 1 for each label (N, labels), numbers (N, outputs), or
            numbers of people (N,).

        Raises:
            DataError: The inputs have the wrong shape.
        """
        return predict.predict(self, inputs)

    def densities(self, inputs: Any) -> np.ndarray:
        """People per cell in photos, shape (N, height, width, 3); 0 outside a photo.

        Returns:
            Shape (N, height / stride, width / stride, 1); each map's sum is what `predict` gives.

        Raises:
            DataError: The inputs have the wrong shape, or the run does not count.
        """
        return predict.densities(self, inputs)

    def probabilities(self, inputs: Any) -> np.ndarray:
        """The probability of each class, or of each label, shape (N, classes).

        Raises:
            DataError: The inputs have the wrong shape, or the run did not learn classes.
        """
        return predict.probabilities(self, inputs)

    def disagreement(self, inputs: Any) -> np.ndarray:
        """How far the predictions of the members differ: their standard deviation.

            s = sqrt(((y_1 - y)^2 + ... + (y_M - y)^2) / M),  y the mean of the members' y_m

        It is large where the training samples leave open what the prediction should be, and says
        nothing of the noise that the targets have anyway.

        Returns:
            Of numbers in the units of the targets, (N, outputs); of classes and labels that of
            each probability, (N, classes).

        Raises:
            DataError: The inputs have the wrong shape.
            NetworkError: The network has no members.

        Source: Lakshminarayanan et al., Simple and scalable predictive uncertainty estimation
        using deep ensembles, 2017.

        Example:
            >>> run = ds.train("dense 8 tanh, dense 2", "moons", members=3, epochs=2)
            >>> run.disagreement(np.array([[0.5, 0.2], [1.0, -0.4]])).shape
            (2, 2)
        """
        return predict.disagreement(self, inputs)

    def signals(self, inputs: Any) -> tuple[Signal, ...]:
        """Each layer's pre-activations and activations for raw inputs (N, *input_shape).

        Raises:
            DataError: The inputs have the wrong shape.
        """
        return predict.signals(self, inputs)

    def with_data(self, data: Any = None, *, on_progress: OnProgress | None = None) -> Run:
        """Return this run with its data set in memory, loaded from its source if necessary.

        Args:
            data: The data that it was trained on, where it cannot be loaded from its source: a
                path, if it has moved; the (X, y) or the frame that was given; or a `Dataset`.
            on_progress: Where reading takes a while: called with (photos so far, photos in all).

        Raises:
            DataError: The data is missing, or is not what the run was trained on.
        """
        return run_data.with_data(self, data, on_progress)

    def measure(self, samples: Samples) -> dict[str, float]:
        """The loss and the metrics (accuracy, or MAE and RMSE) on labelled samples.

        Raises:
            DataError: There are no samples, or their inputs have the wrong shape.
        """
        return measure.measure(self, samples)

    def losses(self, samples: Samples) -> np.ndarray:
        """The loss of each labelled sample, float64 (N,).

        Raises:
            DataError: There are no samples, or their inputs have the wrong shape.
        """
        return measure.losses(self, samples)

    def intervals(self, samples: Samples) -> dict[str, tuple[float, float]]:
        """The 95 % interval of each metric of `measure`, by the bootstrap over the samples.

        Fewer than 10 samples give none, an empty dictionary.

        Raises:
            DataError: As for `measure`.
        """
        return measure.intervals(self, samples)

    def class_metrics(self, samples: Samples) -> ClassMetrics:
        """Precision, recall, F1 and AUC of each class on labelled samples; of labels also accuracy.

        Raises:
            DataError: There are no samples, their inputs have the wrong shape, or the run did not
                learn classes or labels.
        """
        return measure.metrics_of_classes(self, samples)

    def target_metrics(self, samples: Samples) -> TargetMetrics:
        """MAE, RMSE and R^2 of each target on labelled samples, beside its baselines.

        Raises:
            DataError: There are no samples, their inputs have the wrong shape, or the run did not
                learn numbers.
        """
        return measure.metrics_of_targets(self, samples)

    def measure_baseline(self, samples: Samples) -> dict[str, float]:
        """The same metrics of the best constant predictions: for each metric its own best constant.

        Classes: the most frequent one. Loss and RMSE: the training mean. MAE, and the loss
        absolute_error: the training median.
        """
        return measure.measure_baseline(self, samples)

    def measure_linear(self, samples: Samples) -> dict[str, float] | None:
        """The same metrics of a linear model, fitted to the training part: ridge or logistic.

        Returns:
            None for images, photos, and losses of your own.

        Raises:
            DataError: There are no samples, or the data that the run was trained on is missing.
        """
        return measure.measure_linear(self, samples)

    def test(self) -> dict[str, float]:
        """Evaluate on the test part, which training never sees, and count the evaluation.

        Returns:
            The loss and the metrics, as `measure` returns them.

        Raises:
            DataError: The data is missing or has changed.
        """
        return measure.of_test_part(self, measure.measure)

    def baseline(self) -> dict[str, float]:
        """The baseline's metrics on the test part.

        Raises:
            DataError: The data is missing or has changed.
        """
        return measure.of_test_part(self, measure.measure_baseline)

    def save(self, folder: str | Path) -> Run:
        """Write the run into a new or empty folder; nothing is ever overwritten.

        Event files of the training (see `tensorboard_log`) may be in it already.

        Returns:
            The run, with its folder.

        Raises:
            StorageError: The folder is not empty, or cannot be written.
        """
        return save.save(self, folder)

    @property
    def summary(self) -> dict[str, str]:
        """A summary of the run, text by name, as the command line and the report show it."""
        return summary.summary_of(self)

    def _repr_html_(self) -> str:
        """A short card, which notebooks show."""
        return summary.card(self)

    def __repr__(self) -> str:
        return (
            f"Run({self.data.name!r}, {notation.describe(self.network)!r}, "
            f"{self.parameter_count} parameters, {self.outcome.message!r})"
        )
