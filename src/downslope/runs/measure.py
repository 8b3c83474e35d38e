"""How good a run is on labelled samples; an evaluation of its own test part is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from downslope.data.dataset import Samples, known_targets
from downslope.engine import class_metrics, metrics
from downslope.engine.class_metrics import ClassMetrics
from downslope.engine.metrics import TargetMetrics
from downslope.errors import DataError
from downslope.runs.linear import linear_model
from downslope.runs.predict import checked_inputs, outputs, predict, probabilities
from downslope.runs.run_data import with_data
from downslope.runs.run_value import RunValue

Found = TypeVar("Found")


def is_test_part(run: RunValue, samples: Samples) -> bool:
    """Whether the samples are the run's own test part."""
    return run.dataset is not None and samples is run.dataset.test


def of_test_part(run: RunValue, function: Callable[[RunValue, Samples], Found]) -> Found:
    """What a function of a run and samples returns for its test part, which is loaded if necessary.

    Raises:
        DataError: The data is missing or has changed.
    """
    run = with_data(run)
    assert run.dataset is not None
    return function(run, run.dataset.test)


def look(run: RunValue, samples: Samples) -> None:
    """Count a test evaluation, if the samples are the test part and it is still sealed."""
    if is_test_part(run, samples) and not run.evaluations.is_open:
        run.evaluations.note()


def measure(run: RunValue, samples: Samples) -> dict[str, float]:
    """`Run.measure`."""
    if is_test_part(run, samples):
        run.evaluations.note()
    return metrics.average(run.data.task, _values(run, samples), samples.weights)


def losses(run: RunValue, samples: Samples) -> np.ndarray:
    """`Run.losses`."""
    return _values(run, samples)[:, 0]


def intervals(run: RunValue, samples: Samples) -> dict[str, tuple[float, float]]:
    """`Run.intervals`."""
    look(run, samples)
    return metrics.intervals(run.data.task, _values(run, samples), samples.weights)


def _known(run: RunValue, samples: Samples) -> Samples:
    """The samples, checked, with their targets in the form that a data set has them.

    Raises:
        DataError: There are none, or they do not fit the run.
    """
    if not len(samples):
        raise DataError(
            "There are no samples to measure the run on.",
            "at least one",
            "Check how they were read.",
        )
    checked_inputs(run, samples.inputs)
    known = known_targets(samples.targets, run.data.task, run.data.class_names)
    return samples if known is samples.targets else replace(samples, targets=known)


def _values(run: RunValue, samples: Samples) -> np.ndarray:
    return run.model.values(_known(run, samples))


def metrics_of_classes(run: RunValue, samples: Samples) -> ClassMetrics:
    """`Run.class_metrics`."""
    known = np.asarray(_known(run, samples).targets)
    look(run, samples)
    if run.data.task == "multilabel":
        found = outputs(run, samples.inputs)
        return class_metrics.label_metrics(
            run.data.class_names,
            run.model.linked(found),
            predicted=found > 0,
            holds=known > 0.5,
            usual=run.baseline_output > 0,
        )
    truth = known if known.ndim == 1 else metrics.chosen_class(known)
    found = probabilities(run, samples.inputs)
    return class_metrics.class_metrics(run.data.class_names, found, truth)


def metrics_of_targets(run: RunValue, samples: Samples) -> TargetMetrics:
    """`Run.target_metrics`."""
    if run.data.task != "regression" or run.baseline_median is None:
        raise DataError(
            f"{run.data.name} has no numbers as targets.",
            "a run that learned numbers",
            "Use measure or class_metrics.",
        )
    truth = _known(run, samples).targets.reshape(len(samples), -1)
    look(run, samples)
    predicted = predict(run, samples.inputs).reshape(truth.shape)
    constants = np.stack([run.baseline_median, run.baseline_output])
    median, mean = np.asarray(run.model.linked(constants), np.float64).reshape(2, -1)
    names = run.data.target_names or tuple(f"target {one + 1}" for one in range(len(mean)))
    return metrics.target_metrics(names, predicted, truth, median, mean)


def rarest_class(run: RunValue) -> int | None:
    """A class too rare among the training samples for accuracy to show it; or None."""
    if run.data.task != "classification":
        return None
    logits = run.baseline_output.astype(np.float64)
    logits = np.concatenate([[0.0], logits]) if len(logits) == 1 else logits
    return class_metrics.rarest(np.exp(logits) / np.exp(logits).sum())


def measure_baseline(run: RunValue, samples: Samples) -> dict[str, float]:
    """`Run.measure_baseline`."""
    look(run, samples)
    found = _measure_constant(run, run.baseline_output, samples)
    if run.baseline_median is None:
        return found
    median = _measure_constant(run, run.baseline_median, samples)
    best_of_median = ("mae", "loss") if run.loss.name == "absolute_error" else ("mae",)
    return found | {name: median[name] for name in best_of_median}


def gain(run: RunValue, samples: Samples) -> tuple[float, float] | None:
    """The 95 % interval of how much better the run predicts than the best constant: see `gain`."""
    look(run, samples)
    known = _known(run, samples)
    constant = run.baseline_output if run.baseline_median is None else run.baseline_median
    usual = run.model.constant_values(constant, known)
    return metrics.gain(run.data.task, run.model.values(known), usual)


def measure_linear(run: RunValue, samples: Samples) -> dict[str, float] | None:
    """`Run.measure_linear`."""
    look(run, samples)
    model = linear_model(with_data(run))
    if model is None:
        return None
    return metrics.average(run.data.task, model.values(_known(run, samples)), samples.weights)


def _measure_constant(run: RunValue, output: np.ndarray, samples: Samples) -> dict[str, float]:
    values = run.model.constant_values(output, _known(run, samples))
    return metrics.average(run.data.task, values, samples.weights)
