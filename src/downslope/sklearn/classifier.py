"""A network that tells classes apart, as an estimator of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from optax import GradientTransformation
from scipy import sparse
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
)
from sklearn.utils.validation import column_or_1d

from downslope.data.dataset import Samples, Task
from downslope.engine.metrics import chosen_class
from downslope.engine.optimizers import Optimizer
from downslope.nn.losses import Loss, PerSample
from downslope.sklearn.estimator import NetworkEstimator
from downslope.sklearn.parameters import CONSTRAINTS, class_loss


class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A network of dense layers that predicts classes, or which of many labels hold.

    Use it like scikit-learn's `MLPClassifier`: parameters with the same names have the same
    defaults and, unless noted, the same meaning.

    Args:
        hidden_layer_sizes: Neurons of each hidden layer; () for none.
        activation: A name in `ACTIVATIONS`, "logistic", or a function of `jax.numpy` operations,
            for all hidden layers, or one for each.
        solver: "adam", "adamw", "rmsprop", "sgd", or an `Optimizer`, which is taken as it is; or a
            transformation of optax, which has its own rate: `learning_rate_init` is not used.
        loss: "auto" (cross-entropy: binary for two classes and for labels), "cross_entropy",
            "binary_cross_entropy", a function `loss(logits, classes) -> (N,)` of `jax.numpy`
            operations, or a `Loss`.
        alpha: Pull of the weights towards 0: the loss of a batch grows by alpha / 2 times the sum
            of the squared weights and biases, divided by the number of samples in the batch. For
            "adamw" its weight decay.
        batch_size: Samples per step; "auto" for 200 or all, if there are fewer.
        learning_rate: How the rate changes: a name in `SCHEDULES`, such as "one-cycle", or a
            function (step, steps) -> fraction of the rate.
        learning_rate_init: The (highest) learning rate; "auto" finds a good one by short trainings
            before the first training; it is `run_.settings.learning_rate`.
        max_iter: Epochs, at most.
        dropout: Fraction of the activations of hidden layers that training sets to 0, for all
            layers or one for each.
        standardize: Whether inputs are standardised first, by mean and standard deviation of the
            training samples.
        class_weight: How much each class counts: {class: weight}, "balanced", or None.
        random_state: Random seed.
        tol: A fall of the loss by this much or less counts as none.
        n_iter_no_change: Epochs without a fall after which training ends, with the weights of the
            lowest loss. Without validation samples it is the training loss that must fall, and
            only where `learning_rate` is "constant".
        early_stopping: Whether validation samples, or `validation_data`, decide when it ends.
        validation_fraction: The fraction of the samples that is kept for validation.
        momentum: For "sgd".
        nesterovs_momentum: For "sgd".
        warm_start: Whether `fit` starts from the present weights and optimizer state.
        verbose: Whether to print the progress, at most twice a second.
        preset: "strong" for what `downslope train` does for a table: numbers enter
            piecewise-linear, four members are averaged, and the weights with the lowest loss on
            the samples held out are kept. Parameters that it decides about are refused beside it.

    Attributes:
        classes_: The classes.
        run_: The `Run`, with trace, outcome, plots and saving.
        coefs_: Weights of each layer (inputs, units), for unscaled inputs.
        intercepts_: Biases of each layer (units,), for unscaled inputs.
        loss_curve_: The mean loss of each epoch's batches; over all trainings after a warm start.
        loss_: The last of them.
        best_loss_: The lowest of them; None with validation samples.
        validation_scores_: Accuracy on the validation samples after each epoch; None without any,
            and for labels.
        best_validation_score_: The highest of them, or None.
        n_iter_: Epochs of the last training.
        t_: Samples seen.
        n_layers_: Number of layers, with those of inputs and outputs.
        n_outputs_: Number of outputs; one for two classes.
        out_activation_: "softmax" or "logistic".
        n_features_in_: Number of inputs.
        feature_names_in_: Their names, where X had some.

    Example:
        >>> from downslope.sklearn import NetworkClassifier
        >>> X = np.random.default_rng(0).normal(size=(200, 2))
        >>> y = np.where(X[:, 0] > 0, "right", "left")
        >>> model = NetworkClassifier(8, learning_rate="one-cycle", learning_rate_init=0.1)
        >>> model.fit(X, y).predict([[3.0, 0.0], [-3.0, 0.0]])
        array(['right', 'left'], dtype='<U5')
    """

    _parameter_constraints: ClassVar[dict] = {
        **CONSTRAINTS,
        "loss": [StrOptions({"auto", "cross_entropy", "binary_cross_entropy"}), callable, Loss],
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }
    classes_: np.ndarray

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Callable | Sequence[str | Callable] = "relu",
        *,
        solver: str | Optimizer | GradientTransformation = "adam",
        loss: str | PerSample | Loss = "auto",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str | Callable = "constant",
        learning_rate_init: float | str = 0.001,
        max_iter: int = 200,
        dropout: float | Sequence[float] = 0.0,
        standardize: bool = True,
        class_weight: Mapping | str | None = None,
        random_state: Any = None,
        tol: float = 1e-4,
        n_iter_no_change: float = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        warm_start: bool = False,
        verbose: bool | int = False,
        preset: Literal["strong"] | None = None,
    ) -> None:
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            loss=loss,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            dropout=dropout,
            standardize=standardize,
            random_state=random_state,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            warm_start=warm_start,
            verbose=verbose,
            preset=preset,
        )
        self.class_weight = class_weight

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None
    ) -> NetworkClassifier:
        """Train.

        Args:
            X: Inputs, (samples, features); sparse ones are made dense.
            y: Classes, (samples,); or labels as 0 and 1, (samples, labels).
            sample_weight: How much each sample counts, (samples,); None for 1 each. A weight of 0
                is the same as leaving the sample out.
            validation_data: (X, y) or (X, y, sample_weight) to validate with, instead of samples
                held out.

        Raises:
            ValueError: Data or parameters cannot be used.
        """
        return self._learn(X, y, sample_weight, validation_data)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> NetworkClassifier:
        """Train for one epoch on these samples, from the weights there are.

        The first call decides how inputs are standardised.

        Args:
            X: Inputs, (samples, features).
            y: Classes, (samples,); or labels as 0 and 1, (samples, labels).
            sample_weight: How much each sample counts, (samples,).
            classes: All classes that any call will have; needed in the first call.

        Raises:
            ValueError: Data or parameters cannot be used.
        """
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit: what is balanced "
                "depends on all samples. Give the weights as {class: weight}."
            )
        if _check_partial_fit_first_call(self, classes):
            self._is_multilabel = type_of_target(y) == "multilabel-indicator"
        return self._learn(X, y, sample_weight, once=True)

    def predict(self, X: Any) -> np.ndarray:
        """The classes of inputs (samples, features): (samples,), or labels (samples, labels)."""
        logits = self._raw_predictions(X)
        if self._is_multilabel:
            return (logits > 0).astype(np.int64)
        if len(self.classes_) == 1:
            return np.repeat(self.classes_, len(logits))
        return self.classes_[chosen_class(logits)]

    def decision_function(self, X: Any) -> np.ndarray:
        """The logit of each class or label, (samples, classes).

        For two classes that of the second against the first, (samples,).
        """
        logits = self._raw_predictions(X)
        if self._is_multilabel or len(self.classes_) > 2:
            return logits
        return logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, or of each label: (samples, classes)."""
        predictions = self._predictions(X)
        is_shared = predictions.shape[1] == 1 and len(self.classes_) == 2  # by the two classes
        return np.hstack([1 - predictions, predictions]) if is_shared else predictions

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _targets(self, y: Any, first: bool) -> np.ndarray:
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise ValueError(
                "y has several columns of classes. NetworkClassifier learns one column, or labels "
                "that are 0 or 1; use sklearn.multioutput.MultiOutputClassifier around it."
            )
        is_multilabel = kind == "multilabel-indicator"
        y = y.toarray() if sparse.issparse(y) else y
        if not is_multilabel:
            y = column_or_1d(y, warn=True)
        if first:
            self._is_multilabel = is_multilabel
            self.classes_ = np.arange(y.shape[1]) if is_multilabel else np.unique(y)
        if is_multilabel != self._is_multilabel:
            raise ValueError("y has labels where there were classes before, or the reverse.")
        if is_multilabel:
            return np.asarray(y, np.float32)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'y' has {np.unique(y)}."
            )
        return np.searchsorted(self.classes_, y).astype(np.int32)

    def _task(self) -> tuple[Task, tuple[str, ...]]:
        if self._is_multilabel:
            return "regression", ()  # each label is a number, 0 or 1
        return "classification", tuple(map(str, self.classes_))

    def _loss(self) -> Loss:
        return class_loss(self.loss, len(self.classes_), self._is_multilabel)

    def _outputs(self, loss: Loss, targets: np.ndarray) -> int:
        is_shared = loss.built_in == "binary_cross_entropy" and not self._is_multilabel
        return 1 if is_shared else len(self.classes_)

    def _class_weights(self, samples: Samples) -> tuple[float, ...]:
        if self.class_weight is None:
            return ()
        if self._is_multilabel:
            raise ValueError(
                "class_weight is for classes of which one holds, and y has labels. Leave it out, "
                "or give sample_weight."
            )
        if self.class_weight == "balanced":
            indices = len(self.classes_)
            counts = np.bincount(samples.targets, weights=samples.weights, minlength=indices)
            weights = counts.sum() / (indices * np.where(counts > 0, counts, np.inf))
        else:
            weights = compute_class_weight(
                self.class_weight, classes=self.classes_, y=self.classes_
            )
        return tuple(weights.tolist())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
