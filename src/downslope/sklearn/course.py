"""What scikit-learn's users look at behind a training, read from a run: weights and curves."""

from __future__ import annotations

import numpy as np

from downslope.runs.run import Run


def raw_weights(run: Run) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights (inputs, units) and biases (units,) of each dense layer, for inputs as they came.

    The scaling of the inputs is put into the first layer, that of the answers into the last: the
    same function, written without scalings.
    """
    own = [layer for layer in run.parameters if layer]
    weights = [np.asarray(layer["weights"], np.float64) for layer in own]
    biases = [np.asarray(layer["biases"], np.float64) for layer in own]
    weights[0] = weights[0] / np.asarray(run.scaling.deviation, np.float64)[:, None]
    biases[0] = biases[0] - run.scaling.mean @ weights[0]
    if run.answer_scaling is not None:
        weights[-1] = weights[-1] * run.answer_scaling.deviation
        biases[-1] = biases[-1] * run.answer_scaling.deviation + run.answer_scaling.mean
    return weights, biases


def epoch_losses(run: Run) -> list[float]:
    """The mean loss of each whole epoch's batches, each before its step."""
    samples = run.data.samples["train"]
    size = run.settings.samples_per_step(samples)
    per_epoch = -(-samples // size)
    sizes = np.full(per_epoch, size)
    sizes[-1] = samples - size * (per_epoch - 1)
    whole = run.trace.batch_loss[: run.epochs * per_epoch].reshape(-1, per_epoch)
    return np.average(whole.astype(np.float64), axis=1, weights=sizes).tolist()


def validation_scores(run: Run) -> list[float]:
    """Accuracy or R^2 on the validation part behind each measured epoch; none for labels.

    R^2 of several outputs is that of all their squares together.
    """
    assert run.dataset is not None
    if run.data.task == "classification":
        return run.trace.epochs["validation_accuracy"].tolist()
    if run.loss.name == "binary_cross_entropy":
        return []
    targets = run.dataset.validation.targets
    spread = ((targets - targets.mean(axis=0, dtype=np.float64)) ** 2).mean()
    squares = run.trace.epochs["validation_rmse"].astype(np.float64) ** 2
    return (1 - squares / max(spread, np.finfo(np.float64).tiny)).tolist()
