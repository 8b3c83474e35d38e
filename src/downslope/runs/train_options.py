"""Train options: what the user asked for; with a data set's recipe they become all settings.

Every door goes this way: the command line, `train`, `find_rate`, `compare`, `minima` and
`train_side_by_side` make one `TrainOptions` and let it plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from optax import GradientTransformation

from downslope.data.dataset import Dataset
from downslope.data.load import as_dataset
from downslope.engine.augment import Augment
from downslope.engine.optimizers import Optimizer, Schedule, check_learning_rate, optimizer_of
from downslope.engine.settings import BatchSize, Record, Settings, SmoothToward, Stop, whole
from downslope.errors import DownslopeError, Faults, NetworkError, SettingError, quoted
from downslope.names import look_up
from downslope.nn.losses import Loss, PerSample, resolve
from downslope.nn.members import with_members
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.notation import parse
from downslope.nn.piecewise import bins_of
from downslope.nn.weights import check_weights
from downslope.runs.checkpoint import with_optimizer_state
from downslope.runs.preparation import Preparation
from downslope.runs.recipe import EFFORTS, Effort, Recipe, recipe_for
from downslope.runs.run import Run
from downslope.runs.run_data import seen_as_before
from downslope.runs.validate import (
    DEFAULT_LOSS,
    check_fit,
    check_loss,
    check_start,
    last_weights,
    learns_the_same,
    needed_output,
    with_first_layers,
    with_labels,
    with_outputs,
)


@dataclass(frozen=True)
class TrainOptions:
    """The options of `train` as one value; None takes the value of the data set's recipe.

    Attributes:
        network: A `Network`, or its notation, such as "dense 32 relu, dense 10".
        loss: A name, a function `loss(prediction, target) -> (N,)`, or a `Loss`; None for
            cross_entropy for classes, squared_error for numbers.
        optimizer: A name in `OPTIMIZERS`, an `Optimizer`, or an `optax.GradientTransformation`,
            whose updates the learning rate multiplies: 1, and constant, if left out.
        learning_rate: The (highest) learning rate; None for the recipe's, or for the usual rate
            of another optimizer. The command line's `train` takes "auto" as well.
        schedule: A name in `SCHEDULES`, a `Schedule`, or a function of the step, counted from 0,
            and the number of all steps that gives the fraction of the learning rate.
        batch_size: Samples per step: a whole number, 1 for stochastic descent, "full" for all.
        epochs: How often all training samples are seen.
        seed: Seed of the first weights, of the order of samples and of all other chance.
        shuffle: Whether the order of the samples is drawn anew in each epoch; False keeps the order
            of the data.
        class_weights: How much each class counts in the loss, a number per class; empty for all
            alike.
        label_smoothing: Fraction of each class target that is spread over all classes while
            training.
        smooth_toward: How it is spread: "uniform", or by the "frequencies" of the classes.
        augment: An `Augment`, or its notation, such as "flip,shift=0.1"; "none" for no changes.
        freeze: How many of the first layers keep their weights; True for all but the last layer
            with weights.
        record: What is recorded of the training; None for the default.
        stop: When to end before the last epoch, and which weights to keep.
        members: How many networks, each with weights of its own, are trained as one, which
            predicts their mean; None for the recipe's, and 1 with a network of your own.
        effort: How much work the recipe puts into images of one size: "quick", "normal", or "long"
            for a larger network and more epochs, about eight times the work.

    Raises:
        NetworkError: The network cannot be read.
        SettingError: A name is unknown, or a value out of range.

    Example:
        >>> options = ds.TrainOptions(network="dense 8 tanh, dense 2", optimizer="adam")
        >>> options.replace(epochs=5).epochs
        5
    """

    network: Network | str | None = None
    loss: str | PerSample | Loss | None = None
    optimizer: str | Optimizer | GradientTransformation | None = None
    learning_rate: float | Literal["auto"] | None = None
    schedule: str | Schedule | Callable[..., Any] | None = None
    batch_size: BatchSize | None = None
    epochs: int | None = None
    seed: int = 0
    shuffle: bool = True
    class_weights: tuple[float, ...] = ()
    label_smoothing: float | None = None
    smooth_toward: SmoothToward | None = None
    augment: Augment | str | None = None
    freeze: int | bool = 0
    record: Record | None = None
    stop: Stop | None = None
    members: int | None = None
    effort: Effort = "normal"

    def __post_init__(self) -> None:
        """Check what can be checked before the data is read, which may take a while."""
        object.__setattr__(self, "class_weights", tuple(self.class_weights))
        faults = Faults()
        with faults.check():
            self._check_network()
        given = {name: value for name, value in vars(self).items() if value is not None}
        given.pop("network", None)
        given["loss"] = DEFAULT_LOSS["regression"]
        with faults.check():
            given["loss"] = resolve(given["loss"] if self.loss is None else self.loss)
        with faults.check():
            if given.pop("effort") not in EFFORTS:
                raise SettingError(
                    f"The effort is {quoted(self.effort)}.", "quick, normal or long",
                    'Try "normal".',
                )  # fmt: skip
        given["freeze"] = int(self.freeze)
        with faults.check():
            whole("number of members", given.pop("members", 1), 1, "4 are usual.")
        if isinstance(self.learning_rate, str) and self.learning_rate == "auto":
            del given["learning_rate"]  # it is found before the training
        with faults.check():
            Settings(**given)
        faults.tell()

    def _check_network(self) -> None:
        if isinstance(self.network, str):
            parse(self.network)
        elif not (self.network is None or isinstance(self.network, Network)):
            raise NetworkError(
                f"The network is of type {type(self.network).__name__}.",
                'a Network, or its notation as text, such as "dense 32 relu, dense 10"',
                "Give the network first and the data second; None takes the recipe's network.",
            )

    @classmethod
    def of(cls, network: Network, loss: Loss, settings: Settings) -> TrainOptions:
        """The options that give these settings.

        Args:
            network: What learns.
            loss: The loss of the settings; it may be the user's own.
            settings: The settings of a training.
        """
        own = vars(settings) | {"loss": loss, "augment": settings.augment or "none"}
        return cls(network=network, **own)

    def replace(self, **changes: Any) -> TrainOptions:
        """The same options with some of them changed.

        Raises:
            NetworkError: A network cannot be read.
            SettingError: There is no such option, or a value is out of range.
        """
        for name in changes:
            look_up(name, OPTIONS, "setting", SettingError)
        return replace(self, **changes)

    def check_rate(self) -> None:
        """Check that the learning rate, where one is given, is a number.

        Raises:
            SettingError: It is "auto", which only `downslope train` takes.
        """
        rate: Any = self.learning_rate
        if rate is not None:
            check_learning_rate(rate)

    def complete(self, dataset: Dataset) -> TrainOptions:
        """Return the options with the recipe's value for everything that is None.

        Args:
            dataset: The data set.

        Raises:
            NetworkError: A layer does not fit the data.
            SettingError: The loss does not suit the targets.
        """
        dataset = self.suited(dataset)
        recipe = recipe_for(dataset, self.effort)
        loss = DEFAULT_LOSS[dataset.task] if self.loss is None else self.loss
        optimizer = recipe.optimizer if self.optimizer is None else self.optimizer
        if isinstance(optimizer, str):
            decay = recipe.weight_decay if optimizer == recipe.optimizer else 0.0
            optimizer = Optimizer(optimizer, weight_decay=decay)
        optimizer = optimizer_of(optimizer)
        # a loss of the user's own may take classes as integers alone
        smooths = resolve(loss).built_in in ("cross_entropy", "binary_cross_entropy")
        if recipe.smooth_toward == "frequencies":  # the doubt of few rows is the recipe's alone
            smooths = smooths and self.network is None and self.label_smoothing is None
        choices = {
            "network": self._network(dataset, resolve(loss), recipe),
            "loss": loss,
            "optimizer": optimizer,
            "learning_rate": recipe.rate_for(optimizer),
            "schedule": Schedule("constant" if optimizer.is_own else recipe.schedule),
            "batch_size": max(1, min(recipe.batch_size, len(dataset.train))),
            "epochs": recipe.epochs,
            "augment": recipe.augment or "none",
            "label_smoothing": recipe.label_smoothing if smooths else 0.0,
            "smooth_toward": recipe.smooth_toward if smooths else "uniform",
            "record": Record(),
            "stop": recipe.stop,
            "members": 1,  # the network has them
        }
        always = ("network", "loss", "optimizer", "members")  # what is given is in them already
        return replace(
            self,
            **{
                name: choice
                for name, choice in choices.items()
                if name in always or getattr(self, name) is None
            },
        )

    def plan(self, dataset: Dataset, start: Run | NetworkParameters | None = None) -> Preparation:
        """Check the options, and prepare a training with them on a data set.

        Args:
            dataset: What is learnt from.
            start: A run to go on from: its network and loss, where none is given, its weights, its
                scaling of inputs and targets, and its optimizer state. Where it learned other
                classes or numbers, all but its last layer with weights. Or weights alone.

        Raises:
            DataError: There are no samples to train on or to validate with.
            NetworkError: The network does not fit the data.
            SettingError: The loss does not suit the targets, or a setting not the data.
        """
        self.check_rate()
        earlier = start if isinstance(start, Run) else None
        wanted, notes, faults = self, [], Faults()
        if earlier is not None:
            wanted = self._like(earlier, dataset)
            dataset, notes = seen_as_before(earlier, dataset)
        dataset = wanted.suited(dataset)
        given = resolve(DEFAULT_LOSS[dataset.task] if wanted.loss is None else wanted.loss)
        with faults.check():
            check_loss(dataset, given)
        if faults:  # the rest is checked with a loss that suits the targets
            wanted = replace(wanted, loss=None)
        with faults.check():
            prepared = wanted._prepared(dataset, start, earlier, given, notes)
        faults.tell()
        return prepared  # pyright: ignore[reportPossiblyUnboundVariable] - else it was told why

    def _prepared(
        self,
        dataset: Dataset,
        start: Run | NetworkParameters | None,
        earlier: Run | None,
        given: Loss,
        notes: list[str],
    ) -> Preparation:
        """The training, where nothing is wrong; all that is wrong at once."""
        full, faults = self.complete(dataset), Faults()
        network = full.network
        assert isinstance(network, Network)
        assert full.loss is not None
        loss = resolve(full.loss)
        dataset = with_labels(dataset, loss)
        own: dict[str, Any] = {**vars(full), "loss": loss.name}
        del own["network"], own["members"], own["effort"]
        is_all = self.freeze is True  # but the last layer that learns
        own["freeze"] = last_weights(network, dataset.input_shape) if is_all else int(self.freeze)
        settings, weights = Settings(**own), None
        with faults.check():
            if self.freeze and start is None:
                raise SettingError(
                    "Layers were to be frozen, and their weights would be random.",
                    "weights to begin with: start=RUN, or start=load_weights(network, file)",
                    "Give a start, or freeze nothing.",
                )
        with faults.check():
            if earlier is not None:
                taken = check_start(earlier, network, dataset, loss)
                earlier = with_optimizer_state(earlier)
                if taken < len(network.layers):
                    weights = earlier.parameters[:taken]
            elif start is not None and not isinstance(start, Run):
                weights = start
                check_weights(network, dataset.input_shape, weights)
        with faults.check():
            check_fit(network, dataset, loss, settings.augment, settings.batch_size, asked=given)
        prepared = Preparation(
            network, dataset, loss, settings, earlier, weights=weights, notes=tuple(notes)
        )
        if len(dataset.train):
            with faults.check():
                prepared.check()
        faults.tell()
        return prepared

    def _like(self, earlier: Run, dataset: Dataset) -> TrainOptions:
        """The options with the network and the loss of an earlier run where none is given.

        Where it learned other answers, its last layer gets as many outputs as these need.
        """
        loss = self.loss
        if loss is None and earlier.data.task == "multilabel":  # by its loss, maybe
            names = dataset.target_names or ("label 1",)
            dataset = with_labels(dataset, earlier.loss) if names == earlier.data.class_names else (
                dataset
            )  # fmt: skip
        is_same = learns_the_same(earlier.data, dataset)
        if loss is None:
            is_alike = is_same or (earlier.data.task == dataset.task != "classification")
            loss = earlier.loss if is_alike else DEFAULT_LOSS[dataset.task]
        network = self.network
        if network is None:
            network = earlier.network
            if not is_same:
                found = resolve(loss)
                outputs = needed_output(with_labels(dataset, found), found)[-1]
                network = with_outputs(network, earlier.data.input_shape, outputs, found)
        return replace(self, network=network, loss=loss)

    def suited(self, dataset: Dataset) -> Dataset:
        """The data as the network takes it.

        A table's numbers enter as ranks as well where the network spreads them. Photos of crowds
        for a network that ends with one number are how many people there are.

        Raises:
            NetworkError: A layer does not fit.
        """
        if self.network is None:
            return dataset.with_ranks(recipe_for(dataset, self.effort).bins)
        network = parse(self.network) if isinstance(self.network, str) else self.network
        bins = bins_of(network)
        if bins or (dataset.encoding is not None and dataset.encoding.ranked):
            dataset = dataset.with_ranks(bins)
        if dataset.task != "counting":
            return dataset
        made = network.shapes(dataset.input_shape)[-1]
        return dataset.as_counts() if made == (1,) else dataset

    def _network(self, dataset: Dataset, loss: Loss, recipe: Recipe) -> Network:
        """The network of all members, behind the layers that the data needs first."""
        dataset = with_labels(dataset, loss)
        outputs = needed_output(dataset, loss)[-1]
        usual = recipe.network.format(outputs=outputs)
        network = usual if self.network is None else self.network
        network = parse(network) if isinstance(network, str) else network
        members = (recipe.members if self.network is None else 1) if self.members is None else (
            self.members
        )  # fmt: skip
        return with_members(with_first_layers(network, dataset), members, loss)


def recipe(data: Any) -> TrainOptions:
    """Return the options that `train` uses for a data set where nothing else is given.

    The command line uses the same.

    Args:
        data: A `Dataset`, or whatever `load` takes.

    Returns:
        Options in which nothing is None; change them with `.replace` and give them to `train`.

    Raises:
        DataError: The data cannot be read.

    Example:
        >>> options = ds.recipe("digits")
        >>> options.optimizer.name, options.learning_rate, options.epochs
        ('adam', 0.003, 40)
        >>> options = options.replace(epochs=2)  # then: ds.train(data="digits", options=options)
        >>> options.epochs
        2
    """
    return TrainOptions().complete(as_dataset(data))


OPTIONS = {one.name: one for one in fields(TrainOptions)}


def options_from(
    options: TrainOptions | None, given: Mapping[str, Any], network: Network | str | None = None
) -> TrainOptions:
    """Options with what a function was given beside them; what is None changes nothing.

    Raises:
        NetworkError: The network cannot be read.
        SettingError: There is no such option, or a value is out of range.
    """
    named = {"network": network, **given}
    changes = {name: value for name, value in named.items() if value is not None}
    return (TrainOptions() if options is None else options).replace(**changes)


def usable_from(
    options: TrainOptions | None, given: Mapping[str, Any], network: Network | str | None = None
) -> TrainOptions:
    """The same without what is refused by itself, to see what else is wrong."""
    found = TrainOptions() if options is None else options
    for name, value in {"network": network, **given}.items():
        if value is not None:
            with suppress(DownslopeError):
                found = found.replace(**{name: value})
    return found
