"""scikit-learn: `MLPClassifier` and `MLPRegressor`, with plain gradient descent."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.contenders.rates import learning_rates
from benchmarks.contenders.task import Task
from benchmarks.rungs import CALLS
from benchmarks.samples import Arrays
from benchmarks.work import Dense, Work

warnings.simplefilter("ignore", ConvergenceWarning)  # it is told when to end


def build(work: Work, learning_rate: float) -> MLPClassifier | MLPRegressor:
    """The network and its training, which runs all epochs whatever the loss does."""
    hidden = [layer for layer in work.layers[:-1] if isinstance(layer, Dense)]
    is_regression = work.loss == "squared_error"
    return (MLPRegressor if is_regression else MLPClassifier)(
        hidden_layer_sizes=tuple(layer.units for layer in hidden),
        activation=hidden[0].activation,
        solver="sgd",
        alpha=0.0,
        batch_size=work.batch_size,
        learning_rate_init=learning_rate * (2 if is_regression else 1),  # its loss is halved
        max_iter=work.epochs,
        momentum=0.0,
        nesterovs_momentum=False,
        n_iter_no_change=10**9,
        random_state=0,
    )


def _fit(work: Work, samples: Arrays, learning_rate: float) -> MLPClassifier | MLPRegressor:
    targets = samples.targets.reshape(work.samples, -1).squeeze(1)
    return build(work, learning_rate).fit(samples.inputs, targets)


def train(work: Work, samples: Arrays) -> Task:
    """One call of `fit`, from new weights."""
    fitted = []

    def block() -> None:
        fitted[:] = [_fit(work, samples, work.learning_rate)]

    def loss() -> float:
        (model,) = fitted
        if isinstance(model, MLPRegressor):
            return float(((model.predict(samples.inputs) - samples.targets[:, 0]) ** 2).mean())
        chances = model.predict_proba(samples.inputs)
        of_truth = chances[np.arange(work.samples), samples.targets]
        return float(-np.log(np.maximum(of_truth, 1e-30)).mean())

    return Task(block, loss)


def sweep(work: Work, samples: Arrays) -> Task:
    """One training after another."""

    def block() -> None:
        for rate in learning_rates():
            _fit(work, samples, rate)

    return Task(block)


def _predicting(work: Work, samples: Arrays, batch: int, calls: int) -> Task:
    few = Arrays(samples.inputs[:500], samples.targets[:500])
    model = build(work, work.learning_rate).set_params(max_iter=1).fit(*few)

    def block() -> None:
        for call in range(calls):
            index = call % (len(samples.inputs) - batch + 1)
            model.predict(samples.inputs[index : index + batch])

    return Task(block)


def predict_one(work: Work, samples: Arrays) -> Task:
    """One sample at a time."""
    return _predicting(work, samples, 1, CALLS)


def predict_many(work: Work, samples: Arrays) -> Task:
    """All samples at once."""
    return _predicting(work, samples, work.samples, 1)
