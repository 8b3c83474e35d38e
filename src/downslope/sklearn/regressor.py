"""A network that predicts numbers, as an estimator of scikit-learn."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import column_or_1d

from downslope.data.dataset import LARGEST, Task
from downslope.nn.losses import Loss, resolve
from downslope.sklearn.estimator import NetworkEstimator
from downslope.sklearn.parameters import CONSTRAINTS


class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """A network of dense layers that predicts one number or several.

    Use it like scikit-learn's `MLPRegressor`. Parameters and attributes are those of
    `NetworkClassifier`, except as noted. Each target is standardised in training, so that its unit
    does not matter.

    Args:
        hidden_layer_sizes: Neurons of each hidden layer.
        activation: As for `NetworkClassifier`, like all that is not described here.
        solver: "adam", "adamw", "rmsprop", "sgd", an `Optimizer`, or a transformation of optax.
        loss: "auto" (squared_error), "squared_error", "absolute_error", "huber", "poisson", a
            function `loss(prediction, target) -> (N,)` of `jax.numpy` operations, or a `Loss`.
            With huber, targets are only centred; with poisson and functions they stay as they are.
        alpha: Pull of the weights towards 0.
        batch_size: Samples per step.
        learning_rate: How the rate changes.
        learning_rate_init: The (highest) learning rate; "auto" finds a good one by short trainings
            before the first training; it is `run_.settings.learning_rate`.
        max_iter: Epochs, at most.
        dropout: Fraction of the activations of hidden layers that training sets to 0.
        standardize: Whether inputs are standardised first.
        random_state: Random seed.
        tol: A fall of the loss by this much or less counts as none; of a squared error as a
            fraction of the targets' variance, so that it means the same in any unit.
        n_iter_no_change: Epochs without a fall after which training ends.
        early_stopping: Whether validation samples decide when it ends.
        validation_fraction: The fraction of the samples that is kept for validation.
        momentum: For "sgd".
        nesterovs_momentum: For "sgd".
        warm_start: Whether `fit` starts from the present weights and optimizer state.
        verbose: Whether to print the progress.
        preset: "strong" for what `downslope train` does for a table; see `NetworkClassifier`.

    Attributes:
        validation_scores_: R^2 on the validation samples after each epoch; or None.
        out_activation_: "identity", or "exp" for poisson.

    Example:
        >>> from downslope.sklearn import NetworkRegressor
        >>> X = np.random.default_rng(0).normal(size=(200, 2))
        >>> model = NetworkRegressor(8, learning_rate="one-cycle", learning_rate_init=0.1)
        >>> model.fit(X, 100 * X[:, 0]).predict(X).shape
        (200,)
    """

    _parameter_constraints: ClassVar[dict] = {
        **CONSTRAINTS,
        "loss": [
            StrOptions({"auto", "squared_error", "absolute_error", "huber", "poisson"}),
            callable,
            Loss,
        ],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None
    ) -> NetworkRegressor:
        """Train.

        Args:
            X: Inputs, (samples, features); sparse ones are made dense.
            y: Numbers, (samples,) or (samples, outputs).
            sample_weight: How much each sample counts, (samples,); None for 1 each.
            validation_data: (X, y) or (X, y, sample_weight) to validate with, instead of samples
                held out.

        Raises:
            ValueError: Data or parameters cannot be used.
        """
        return self._learn(X, y, sample_weight, validation_data)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetworkRegressor:
        """Train for one epoch on these samples, from the weights there are.

        The first call decides how inputs and targets are standardised.

        Args:
            X: Inputs, (samples, features).
            y: Numbers, (samples,) or (samples, outputs).
            sample_weight: How much each sample counts, (samples,).

        Raises:
            ValueError: Data or parameters cannot be used.
        """
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        return self._learn(X, y, sample_weight, once=True)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """The numbers for inputs (samples, features): (samples,) or (samples, outputs).

        Args:
            X: Inputs.
            return_std: Whether to return (numbers, standard deviations): how far the members of
                `preset="strong"` disagree, see `Run.disagreement`.

        Raises:
            ValueError: The network has no members to disagree.
        """
        predictions = self._predictions(X)
        found = [predictions, self._disagreement(X)] if return_std else [predictions]
        own = [one.ravel() if one.shape[1] == 1 else one for one in found]
        return (own[0], own[1]) if return_std else own[0]

    def _targets(self, y: Any, first: bool) -> np.ndarray:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        targets = np.asarray(y, np.float64).reshape(len(y), -1)
        if np.abs(targets).max(initial=0.0) > LARGEST:
            raise ValueError(f"Input y contains a value too large: above {LARGEST:g}.")
        return targets

    def _task(self) -> tuple[Task, tuple[str, ...]]:
        return "regression", ()

    def _loss(self) -> Loss:
        return resolve("squared_error" if self.loss == "auto" else self.loss)

    def _outputs(self, loss: Loss, targets: np.ndarray) -> int:
        return targets.shape[1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
