"""What classifier and regressor share: from checked arrays to a run, and what is shown of it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from downslope.data.dataset import LARGEST, Dataset, Samples, Task, is_flag
from downslope.data.scaling import Scaling
from downslope.data.tables.column_types import decide
from downslope.data.tables.encoding import ColumnCode, Encoding, learn
from downslope.engine.scales import Units, target_scaling
from downslope.engine.settings import Record, Stop
from downslope.nn.losses import Loss, PerSample
from downslope.nn.network import Network
from downslope.numerals import rounded
from downslope.runs.progress import Progress
from downslope.runs.run import Run
from downslope.runs.train import train
from downslope.runs.train_options import TrainOptions
from downslope.runs.validate import with_first_layers
from downslope.sklearn import parameters
from downslope.sklearn.samples import Parts, counted, dense, held_out, padded, texts_as_table


def raw_weights(run: Run) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights (inputs, units) and biases (units,) of each dense layer, for inputs as they came.

    The scaling of the inputs is put into the first layer, that of the predictions into the last:
    the same function, written without scalings.
    """
    own = [layer for layer in run.parameters if layer]
    weights = [np.asarray(layer["weights"], np.float64) for layer in own]
    biases = [np.asarray(layer["biases"], np.float64) for layer in own]
    weights[0] = weights[0] / np.asarray(run.scaling.std, np.float64)[:, None]
    biases[0] = biases[0] - run.scaling.mean @ weights[0]
    if run.target_scaling is not None:
        weights[-1] = weights[-1] * run.target_scaling.std
        biases[-1] = biases[-1] * run.target_scaling.std + run.target_scaling.mean
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
    if run.loss.built_in == "binary_cross_entropy":
        return []
    targets = run.dataset.validation.targets
    spread = ((targets - targets.mean(axis=0, dtype=np.float64)) ** 2).mean()
    squares = run.trace.epochs["validation_rmse"].astype(np.float64) ** 2
    return (1 - squares / max(spread, np.finfo(np.float64).tiny)).tolist()


FEWEST_HELD_OUT = 20  # samples of which the preset holds some out
FEWEST_MEASURED = 256  # samples of each part behind each epoch, to see when to end,
MEASURED_SHARE = 20  # or a twentieth of them: so it costs little
SPARSE = ("csr", "csc")


class NetworkEstimator(BaseEstimator):
    """A network behind scikit-learn's interface; its parameters are those of its subclasses."""

    run_: Run

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        loss: str | PerSample | Loss = "auto",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float | str = 0.001,
        max_iter: int = 200,
        dropout: float | Sequence[float] = 0.0,
        standardize: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        n_iter_no_change: float = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        warm_start: bool = False,
        verbose: bool | int = False,
        preset: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.loss = loss
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.dropout = dropout
        self.standardize = standardize
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.warm_start = warm_start
        self.verbose = verbose
        self.preset = preset

    def _targets(self, y: Any, first: bool) -> np.ndarray:
        """Checked y as the engine's targets; the first time also what classes there are."""
        raise NotImplementedError

    def _task(self) -> tuple[Task, tuple[str, ...]]:
        """What is learnt, and the names of its classes."""
        raise NotImplementedError

    def _loss(self) -> Loss:
        """The loss, once it is known what is learnt."""
        raise NotImplementedError

    def _outputs(self, loss: Loss, targets: np.ndarray) -> int:
        """How many outputs the network needs."""
        raise NotImplementedError

    def _class_weights(self, samples: Samples) -> tuple[float, ...]:
        """How much each class counts; empty for all the same."""
        return ()

    def _learn(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation_data: Any = None,
        *,
        once: bool = False,
    ) -> Any:
        """Train from new weights; or (warm start, `once`) from those there are.

        Args:
            X: Inputs.
            y: Targets.
            sample_weight: How much each sample counts, or None.
            validation_data: (X, y) or (X, y, sample_weight), or None.
            once: For one epoch only.

        Raises:
            ValueError: Data or parameters cannot be used.
        """
        if self.preset == "strong":
            return self._learn_strong(X, y, sample_weight, validation_data, once=once)
        earlier = getattr(self, "run_", None) if once or self.warm_start else None
        X, y = self._checked(X, y, reset=earlier is None)
        samples = self._samples(X, self._targets(y, earlier is None and not once), sample_weight)
        parts = self._parts(samples, validation_data)
        dataset, loss = self._dataset(parts), self._loss()
        is_of_counts = loss.built_in == "poisson"
        if is_of_counts and any((part.targets < 0).any() for part in parts.labelled):
            raise ValueError("Some value(s) of y are out of the valid range of the loss 'poisson'.")
        network = parameters.network_of(
            parameters.hidden_sizes(self.hidden_layer_sizes),
            self.activation,
            self.dropout,
            self._outputs(loss, dataset.train.targets),
        )
        network = with_first_layers(network, dataset)
        epochs = 1 if once else int(self.max_iter)
        settings: dict[str, Any] = {
            "loss": loss,
            "optimizer": parameters.solver_of(
                self.solver, self._pull(parts), self.momentum, self.nesterovs_momentum
            ),
            "schedule": "constant" if once else self.learning_rate,
            "batch_size": parts.batch_size,
            "epochs": epochs,
            "seed": parameters.seed_of(self.random_state, getattr(self, "t_", 0) if earlier else 0),
            "class_weights": self._class_weights(parts.train),
            "label_smoothing": 0.0,  # scikit-learn has none
            "stop": Stop() if once else self._stop(parts, dataset, loss, earlier),
        }
        with parameters.value_errors():
            run = train(
                network,
                dataset,
                learning_rate=self._rate(network, dataset, settings, earlier),
                record=self._record(parts) if epochs > 1 else None,
                on_chunk=_tell if self.verbose else None,
                start=earlier,
                **settings,
            )
        self._keep(run, parts, earlier)
        self._warn(run, parts.validation is not None)
        return self

    def _learn_strong(
        self, X: Any, y: Any, sample_weight: Any, validation_data: Any, *, once: bool
    ) -> Any:
        """Train as the command line does: its network, its settings, the best weights kept.

        Raises:
            ValueError: A parameter was given that would have no effect.
        """
        idle = parameters.given_beside_preset(self)
        if idle or once:
            what = ", ".join(idle) or "how long is trained, not partial_fit"
            raise ValueError(f"preset='strong' decides about {what}: leave it out.")
        X, y = self._checked(X, y, reset=True)
        samples = self._samples(X, self._targets(y, True), sample_weight)
        train_part, validation = samples, None
        if validation_data is not None:
            validation = self._validation(validation_data)
        elif len(samples) >= FEWEST_HELD_OUT:
            train_part, validation = held_out(
                samples,
                self.validation_fraction,
                samples.targets if samples.targets.ndim == 1 else None,
                check_random_state(self.random_state),
            )
        dataset = self._dataset(Parts.of(train_part, validation, 1, may_merge=False))
        names = tuple(getattr(self, "feature_names_in_", ())) or tuple(
            f"x{index}" for index in range(X.shape[1])
        )
        codes = tuple(ColumnCode(str(name), "number") for name in names)
        if dataset.encoding is None:
            dataset = replace(
                dataset, encoding=Encoding(codes), input_names=Encoding(codes).input_names
            )
        with parameters.value_errors():
            options = TrainOptions(
                loss=self._loss(),
                seed=parameters.seed_of(self.random_state, 0),
                class_weights=self._class_weights(dataset.train),
            )
            size = options.complete(dataset).batch_size
            assert isinstance(size, int)
            run = train(None, dataset, options=options, on_chunk=_tell if self.verbose else None)
        parts = Parts.of(train_part, validation, size, may_merge=False)
        self._keep(run, parts, None)
        self._warn(run, validation is not None)
        return self

    def _rate(
        self, network: Network, dataset: Dataset, settings: dict[str, Any], earlier: Run | None
    ) -> float:
        """The learning rate; one that is to be found is found once, before the first training."""
        if settings["optimizer"].is_own:  # it has a rate of its own
            return settings["optimizer"].learning_rate
        if self.learning_rate_init != "auto":
            return float(self.learning_rate_init)
        if earlier is not None:
            return earlier.settings.learning_rate
        from downslope.insight.learning_rate import find_rate  # takes a while, and few ask for it

        return find_rate(network, dataset, **settings).learning_rate

    def _checked(self, X: Any, y: Any = "no_validation", reset: bool = False) -> Any:
        """X in float64 or float32, and y if it is given, as scikit-learn checks them.

        Texts become the numbers of their words, as in tables; `encoding_` is what was learnt.
        """
        X = self._of_texts(X, reset)
        for_targets = {} if isinstance(y, str) else {
            "multi_output": True,
            "y_numeric": self.__sklearn_tags__().estimator_type == "regressor",
        }  # fmt: skip
        kinds = [np.float64, np.float32]
        checked: Any = validate_data(
            self, X, y, **for_targets, accept_sparse=SPARSE, dtype=kinds, reset=reset
        )
        inputs: Any = checked if isinstance(y, str) else checked[0]
        if inputs.shape[0] and max(abs(float(inputs.min())), abs(float(inputs.max()))) > LARGEST:
            raise ValueError(f"Input X contains infinity or a value too large: above {LARGEST:g}.")
        return checked

    def _of_texts(self, X: Any, reset: bool) -> Any:
        """Texts, and frames with columns of texts, as numbers; anything else as it is.

        Raises:
            ValueError: There is nothing to learn from, or the columns are others than in fit.
        """
        earlier = None if reset else getattr(self, "encoding_", None)
        table = texts_as_table(X)
        if reset:
            self.encoding_ = None
        if table is None:
            if earlier is not None:
                raise ValueError("X holds no texts, and the estimator was fitted to texts.")
            return X
        with parameters.value_errors():
            if reset:
                self.encoding_ = learn(table, decide(table).columns)
            elif earlier is None:
                raise ValueError("X holds texts, and the estimator was fitted to numbers.")
            assert self.encoding_ is not None  # one of the three is so
            notes: list[str] = []
            inputs = self.encoding_.encode(table, notes)
        for note in notes if not reset else ():
            warnings.warn(note, stacklevel=5)
        return inputs

    def _samples(self, X: Any, targets: np.ndarray, sample_weight: Any) -> Samples:
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        return counted(dense(X), targets, weights)

    def _parts(self, samples: Samples, validation_data: Any) -> Parts:
        """What is trained on, what is validated with, how many samples a step has."""
        train_part, validation = samples, None
        if validation_data is not None:
            validation = self._validation(validation_data)
        elif self.early_stopping:
            train_part, validation = held_out(
                samples,
                self.validation_fraction,
                samples.targets if samples.targets.ndim == 1 else None,
                check_random_state(self.random_state),
            )
        size = parameters.batch_size_for(self.batch_size, len(train_part))
        return Parts.of(train_part, validation, size, may_merge=not np.any(self.dropout))

    def _validation(self, given: Any) -> Samples:
        if not isinstance(given, tuple | list) or len(given) not in (2, 3):
            raise ValueError(
                "validation_data must be (X, y) or (X, y, sample_weight), "
                f"got {type(given).__name__}."
            )
        X, y = self._checked(given[0], given[1])
        weights = given[2] if len(given) == 3 else None
        return self._samples(X, self._targets(y, False), weights)

    def _dataset(self, parts: Parts) -> Dataset:
        inputs = parts.train.inputs
        one = np.ones(inputs.shape[1])
        encoding = getattr(self, "encoding_", None)
        names = tuple(getattr(self, "feature_names_in_", ()))
        unscaled = is_flag(inputs)
        if encoding is not None:
            unscaled, names = unscaled | encoding.is_embedded, encoding.input_names
        task, class_names = self._task()
        return Dataset(
            name="samples",
            task=task,
            train=parts.train,
            validation=parts.train if parts.validation is None else parts.validation,
            test=parts.train.take(np.arange(0)),
            scaling=(
                Scaling.learn(inputs).without(unscaled)
                if self.standardize
                else Scaling(0 * one, one)
            ),
            class_names=class_names,
            input_names=names,
            encoding=encoding,
            source="arrays in memory",
            notes=() if parts.validation else ("The validation part is the training part.",),
        )

    def _pull(self, parts: Parts) -> float:
        """The weight decay that alpha stands for: of a batch's loss, as in scikit-learn."""
        return float(self.alpha if self.solver == "adamw" else self.alpha / parts.weight_of_step)

    def _record(self, parts: Parts) -> Record | None:
        """Measure behind each epoch where that decides or is asked for; else as usual."""
        if parts.validation is not None:
            return Record(max(FEWEST_MEASURED, len(parts.validation)), every=1)
        if self.learning_rate != "constant" or self.n_iter_no_change == np.inf:
            return None
        return Record(max(FEWEST_MEASURED, len(parts.train) // MEASURED_SHARE), every=1)

    def _stop(self, parts: Parts, dataset: Dataset, loss: Loss, earlier: Run | None) -> Stop:
        """When the loss has stopped falling.

        That of the samples held out, or without any that of the training; the latter tells
        nothing while the rate rises and falls as planned.
        """
        watches = self.early_stopping or (
            parts.validation is None and self.learning_rate == "constant"
        )
        if not watches or self.n_iter_no_change == np.inf:
            return Stop()
        scaling = earlier.target_scaling if earlier else target_scaling(dataset, loss)
        unit = Units(dataset.scaling, scaling).of_loss(loss)
        return Stop(patience=int(self.n_iter_no_change), tolerance=float(self.tol) * unit)

    def _keep(self, run: Run, parts: Parts, earlier: Run | None) -> None:
        """Set what is shown of a training; after a warm start the curves go on."""
        losses = epoch_losses(run)
        scores = validation_scores(run) if parts.validation is not None else []
        seen = run.epochs * len(parts.train)
        if earlier is not None:
            losses = [*self.loss_curve_, *losses]
            scores = [*(self.validation_scores_ or ()), *scores]
            seen += self.t_
        self.run_ = run
        self.n_iter_ = run.epochs
        self.t_ = seen
        self.n_outputs_ = int(run.network.shapes(run.data.input_shape)[-1][0])
        self.out_activation_ = parameters.out_activation(run.loss)
        self.loss_curve_ = losses
        self.loss_ = losses[-1] if losses else np.nan
        self.best_loss_ = min(losses, default=np.nan) if parts.validation is None else None
        self.validation_scores_ = scores or None
        self.best_validation_score_ = max(scores, default=None)

    def _warn(self, run: Run, is_held_out: bool) -> None:
        """Warn where a training did not end as it should."""
        reason = run.outcome.reason
        if reason == "interrupted":
            warnings.warn("Training interrupted by user.", stacklevel=4)
        elif reason == "non_finite":
            warnings.warn(str(run.outcome), ConvergenceWarning, stacklevel=4)
        elif reason == "epochs" and run.settings.stop.patience is not None:
            warnings.warn(
                f"All {self.max_iter} epochs were used, and the "
                f"{'validation' if is_held_out else 'training'} loss was still falling by more "
                f"than tol={self.tol} within n_iter_no_change={self.n_iter_no_change} epochs. "
                "Raise max_iter or learning_rate_init.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _raw_predictions(self, X: Any) -> np.ndarray:
        """The network's outputs: logits or numbers, float64 of shape (N, outputs)."""
        X = self._seen(X)
        return self.run_.outputs(padded(X))[: len(X)].astype(np.float64)

    def _disagreement(self, X: Any) -> np.ndarray:
        """The standard deviation of the members' predictions, (N, outputs)."""
        X = self._seen(X)
        with parameters.value_errors():
            return self.run_.disagreement(padded(X))[: len(X)]

    def _seen(self, X: Any) -> np.ndarray:
        """Inputs as the network takes them, checked, (N, inputs)."""
        check_is_fitted(self)
        X = dense(self._checked(X))
        if self.preset != "strong":
            return X
        encoding = self.run_.data.encoding
        assert encoding is not None
        return encoding.with_ranks(X)

    def _predictions(self, X: Any) -> np.ndarray:
        """Probabilities or numbers, float64 of shape (N, outputs)."""
        raw = self._raw_predictions(X)
        return parameters.predictions(self.run_.loss, raw)

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights of each layer, (inputs, units), for inputs as they came."""
        if self.preset == "strong" or self.encoding_ is not None:
            raise AttributeError("This network has other layers: see run_.parameters.")
        return raw_weights(self.run_)[0]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases of each layer, (units,), for inputs as they came."""
        if self.preset == "strong" or self.encoding_ is not None:
            raise AttributeError("This network has other layers: see run_.parameters.")
        return raw_weights(self.run_)[1]

    @property
    def n_layers_(self) -> int:
        """How many layers there are, that of the inputs and that of the outputs among them."""
        return sum(bool(own) for own in self.run_.parameters) + 1

    def __getstate__(self) -> dict:
        """All but the training data, which a file of a trained network should not hold."""
        state: Any = super().__getstate__()
        if "run_" not in state:
            return state
        return {**state, "run_": replace(self.run_, dataset=None)}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _tell(progress: Progress) -> None:
    """Say how far a training is."""
    trace = progress.trace
    figures = [f"epoch {progress.epoch} of {progress.epochs}", f"{progress.seconds:.1f} s"]
    if len(trace.train_loss):
        figures.append(f"training loss {rounded(trace.train_loss[-1])}")
        figures.append(f"validation loss {rounded(trace.validation_loss[-1])}")
    print(", ".join(figures), flush=True)
