"""How far a prediction is from the truth: one number per sample.

A loss sees the network's outputs as they leave the last layer. Its `link` turns those outputs
into the prediction that a person reads: logits into probabilities, a log rate into a rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.errors import SettingError
from downslope.names import Registry, own_name
from downslope.nn.activations import identity, softmax
from downslope.nn.equations import Equation

PerSample = Callable[[Float[Array, "n ..."], Array], Float[Array, " n"]]


def _mean_over_outputs(values: Float[Array, "n ..."]) -> Float[Array, " n"]:
    return values.reshape(values.shape[0], -1).mean(axis=1)


def _differences(prediction: Float[Array, "n ..."], target: Array) -> Float[Array, "n ..."]:
    """Y - t; a target (N,) of outputs (N, 1) is not spread over all samples."""
    return prediction - target.reshape(prediction.shape)


def squared_error(prediction: Float[Array, "n ..."], target: Array) -> Float[Array, " n"]:
    """(y - t)^2, the mean over a sample's outputs."""
    return _mean_over_outputs(_differences(prediction, target) ** 2)


def absolute_error(prediction: Float[Array, "n ..."], target: Array) -> Float[Array, " n"]:
    """|y - t|, the mean over a sample's outputs."""
    return _mean_over_outputs(jnp.abs(_differences(prediction, target)))


def huber(prediction: Float[Array, "n ..."], target: Array) -> Float[Array, " n"]:
    """(y - t)^2 / 2 within 1 of the target, |y - t| - 1/2 beyond (Huber, 1964)."""
    distance = jnp.abs(_differences(prediction, target))
    near = jnp.minimum(distance, 1)
    return _mean_over_outputs(near * (distance - near / 2))


def cross_entropy(prediction: Float[Array, "n classes"], target: Array) -> Float[Array, " n"]:
    """-log softmax(z)_t from logits z.

    Args:
        prediction: Logits, shape (N, classes).
        target: Classes as integers (N,), or fractions of each class (N, classes), such as one-hot.
    """
    logs = jax.nn.log_softmax(prediction, axis=-1)
    if target.shape == prediction.shape:
        return -(target * logs).sum(axis=-1)
    # a comparison rather than a lookup: its slope needs no scatter, which is slow on processors
    is_true = jnp.arange(logs.shape[-1]) == target.reshape(-1, 1)
    return -jnp.where(is_true, logs, 0).sum(axis=-1)


def binary_cross_entropy(prediction: Float[Array, "n ..."], target: Array) -> Float[Array, " n"]:
    """-t log s(z) - (1 - t) log(1 - s(z)) from logits z, with the sigmoid s.

    Args:
        prediction: Logits, shape (N, outputs).
        target: 0 or 1, shape (N,) for one output or (N, outputs).
    """
    target = target.reshape(prediction.shape).astype(prediction.dtype)
    return _mean_over_outputs(jax.nn.softplus(prediction) - target * prediction)


def poisson(prediction: Float[Array, "n ..."], target: Array) -> Float[Array, " n"]:
    """exp(z) - t z: the Poisson distribution's negative log-likelihood at the log rate z.

    The term log(t!), which no weight changes, is left out.
    """
    target = target.reshape(prediction.shape)
    return _mean_over_outputs(jnp.exp(prediction) - target * prediction)


def smoothed_targets(
    targets: Array,
    classes: int,
    fraction: Array | float,
    loss: Loss,
    toward: Array | None = None,
) -> Array:
    """Class targets of which a fraction is spread over all classes (label smoothing).

    t (1 - s) + s / classes; of one logit, or of labels by themselves, t (1 - s) + s / 2. Or, toward
    given fractions f of the classes, t (1 - s) + s f.

    Source: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016.

    Args:
        targets: Classes as integers (N,), or fractions (N, classes), or labels (N, labels).
        classes: How many there are.
        fraction: s, which is spread.
        loss: The loss that will see them.
        toward: f, (classes,) or (labels,) or, of one logit, (); None for all alike.
    """
    targets = spread_targets(targets, classes, loss)
    if toward is not None:
        return targets * (1 - fraction) + fraction * toward
    parts = 2 if loss.built_in == "binary_cross_entropy" else classes
    return targets * (1 - fraction) + fraction / parts


def spread_targets(targets: Array, classes: int, loss: Loss) -> Array:
    """Targets as floats: of integer classes, 1 for the class of a sample and 0 for the others.

    Args:
        targets: Classes as integers (N,), or whatever else a loss takes.
        classes: How many there are; 0 for other targets.
        loss: The loss that will see them; one logit takes an integer class as a number.
    """
    if classes and targets.ndim == 1 and loss.built_in != "binary_cross_entropy":
        return jax.nn.one_hot(targets, classes, dtype=jnp.float32)
    return targets.astype(jnp.float32)


@dataclass(frozen=True)
class Loss:
    """A loss function, with how the outputs of its network become predictions.

    Attributes:
        name: Its name in `LOSSES`, or the function's own.
        per_sample: From outputs (N, ...) and targets to one value per sample, (N,).
        link: From outputs to predictions, such as the softmax for classes.
        takes_classes: Whether targets are classes rather than numbers.
        degree: How the loss grows with the unit of the targets: targets u times larger give a loss
            u**degree times larger; None where no such rule holds. With a rule, training can
            standardise the targets and still report the loss in their units.
        is_of_differences: Whether it depends on y - t alone, so that training can use targets
            whose mean is 0.
        formula: The loss of one output, as an expression of the output y (or z, where a link
            follows) and the target t: "(y - t)**2". Any other text is shown as it is.
        derivative: Its derivative with respect to y (or z), likewise.
        source: The publication.
        synonyms: What other libraries call it, separated by blanks.

    Example:
        >>> quartic = ds.Loss("quartic", lambda y, t: ((y - t) ** 4).sum(axis=1), degree=4)
        >>> float(quartic.mean(np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])))
        8.5
        >>> ds.TrainOptions(loss=quartic).loss.name
        'quartic'
    """

    name: str
    per_sample: PerSample
    link: Callable[[Array], Array] = identity
    takes_classes: bool = False
    degree: int | None = None
    is_of_differences: bool = False
    formula: str = ""
    derivative: str = ""
    source: str = ""
    synonyms: str = ""

    @property
    def built_in(self) -> str:
        """Its name, if it computes the loss of that name in `LOSSES`; else empty.

        A loss of the user's own may have the name of one of ours, and is none the less its own.
        """
        known = LOSSES.get(self.name)
        return self.name if known is not None and known.per_sample is self.per_sample else ""

    @property
    def equation(self) -> Equation:
        """The loss L of an output y and its derivative, as formulas."""
        return Equation("L", "y", self.formula, self.derivative).put({"z": "y"})

    def mean(
        self,
        prediction: Float[Array, "n ..."],
        target: Array,
        weights: Array | None = None,
        total: Array | None = None,
    ) -> Float[Array, ""]:
        """The mean over samples; with weights (N,), sum(w l) / total, or 0 if the total is 0.

        Args:
            prediction: The network's outputs, (N, ...).
            target: The targets.
            weights: How much each sample counts, (N,); None for all the same.
            total: The divisor of the weighted sum; None for the sum of the weights.
        """
        values = self.per_sample(prediction, target)
        if weights is None:
            return values.mean()
        total = weights.sum() if total is None else total  # 0 where no sample of a batch counts
        return (weights * values).sum() / jnp.where(total == 0, 1, total)


def _sigmoid(outputs: Array) -> Array:
    return jax.nn.sigmoid(outputs)  # unlike JAX's functions, one of a module can be pickled


def _exp(outputs: Array) -> Array:
    return jnp.exp(outputs)


LOSSES = Registry(
    "loss",
    SettingError,
    [
        Loss(
            "squared_error",
            squared_error,
            degree=2,
            formula="(y - t)**2",
            derivative="2 * (y - t)",
            source="Legendre, Nouvelles méthodes pour la détermination des orbites, 1805",
            synonyms="mse mseloss rmse meansquarederror meansquaredloss squareerror squared "
            "squaredloss l2 l2loss leastsquares meansquarederrorloss quadratic",
        ),
        Loss(
            "absolute_error",
            absolute_error,
            degree=1,
            formula="abs(y - t)",
            derivative="sign(y - t)",
            source="Boscovich, De litteraria expeditione per pontificiam ditionem, 1757",
            synonyms="mae mad l1 l1loss maeloss meanabsoluteerror absolute absoluteloss",
        ),
        Loss(
            "huber",
            huber,
            is_of_differences=True,
            formula="(y - t)**2 / 2 if abs(y - t) <= 1 else abs(y - t) - 1/2",
            derivative="y - t if abs(y - t) <= 1 else sign(y - t)",
            source="Huber, Robust estimation of a location parameter, 1964",
            synonyms="smoothl1 smoothl1loss huberloss",
        ),
        Loss(
            "cross_entropy",
            cross_entropy,
            softmax,
            takes_classes=True,
            formula="-log(softmax(z)[t])",
            derivative="softmax(z)[i] - (i == t)",
            source="Bridle, Probabilistic interpretation of feedforward classification network "
            "outputs, 1990",
            synonyms="crossentropyloss ce celoss xent categoricalcrossentropy "
            "sparsecategoricalcrossentropy softmaxcrossentropy logloss logistic "
            "multinomial nll nllloss negativeloglikelihood softmax",
        ),
        Loss(
            "binary_cross_entropy",
            binary_cross_entropy,
            _sigmoid,
            takes_classes=True,
            formula="-t * log(sigmoid(z)) - (1 - t) * log(1 - sigmoid(z))",
            derivative="sigmoid(z) - t",
            source="Cox, The regression analysis of binary sequences, 1958",
            synonyms="bce bceloss bcewithlogits bcewithlogitsloss binary binarylogloss "
            "sigmoidcrossentropy sigmoid",
        ),
        Loss(
            "poisson",
            poisson,
            _exp,
            formula="exp(z) - t * z",
            derivative="exp(z) - t",
            source="Nelder and Wedderburn, Generalized linear models, 1972",
            synonyms="poissonnll poissonnllloss poissonloss countpoisson",
        ),
    ],
    instead={
        "Give a function of your own from Python: loss(prediction, target) -> one value per "
        "sample.": (
            "hinge hingeloss focal focalloss kldivergence kldivloss kld logcosh quantile "
            "pinball ctc ctcloss triplet mape msle gaussiannll "
            "meansquaredlogarithmicerror meanabsolutepercentageerror cosinesimilarity"
        ),
    },
)


def resolve(loss: str | PerSample | Loss) -> Loss:
    """Return the loss of that name, or the user's own function as a loss.

    Args:
        loss: A name in `LOSSES`, a function `loss(prediction, target) -> (N,)`, or a `Loss`.

    Raises:
        SettingError: There is no loss of that name.
    """
    if isinstance(loss, Loss):
        return loss
    if callable(loss):
        return Loss(own_name(loss), loss)
    return LOSSES.find(loss)
