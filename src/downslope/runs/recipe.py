"""Settings that train well without being asked for: one recipe per kind of data.

Each was found by trying on the validation part; `docs/recipes.md` has the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from downslope.data.dataset import Dataset
from downslope.engine.augment import Augment
from downslope.engine.optimizers import OPTIMIZERS, Optimizer


@dataclass(frozen=True)
class Recipe:
    """What to train a data set with.

    Attributes:
        network: The network in its notation; "{outputs}" stands for the number of outputs.
        optimizer: Name of the optimizer.
        learning_rate: The highest learning rate.
        schedule: How the rate changes over the steps.
        batch_size: Samples per step.
        epochs: How often all samples are seen.
        weight_decay: Pull of the weights towards 0.
        augment: Changes made to photos while training.
        label_smoothing: Fraction of each class target that is spread evenly over all classes.
    """

    network: str
    optimizer: str = "adam"
    learning_rate: float = 0.003
    schedule: str = "one-cycle"
    batch_size: int = 32
    epochs: int = 30
    weight_decay: float = 0.0
    augment: Augment | None = None
    label_smoothing: float = 0.0

    def rate_for(self, optimizer: Optimizer) -> float:
        """The learning rate for an optimizer, which may be another than the recipe's own.

        It is the recipe's for all that are usually given the same rate as the recipe's own, such
        as adamw for adam; any other takes its own usual rate.
        """
        usual = OPTIMIZERS[self.optimizer].learning_rate
        is_alike = not optimizer.is_own and optimizer.learning_rate == usual
        return self.learning_rate if is_alike else optimizer.learning_rate


PLANE = Recipe("dense 32 tanh, dense 32 tanh, dense {outputs}", learning_rate=0.01, epochs=150)
# Photos differ in light, so each is standardised by itself first. The output has one cell per
# 8 x 8 pixels: coarse enough that where exactly a head is matters less than that it is there.
_SCENES = (
    "standardize, conv 16 5 relu stride=2, layer_norm, conv 32 3 relu, max_pool 2, layer_norm, "
    "conv 48 3 relu, max_pool 2, layer_norm, conv 64 3 relu, layer_norm, conv 64 3 relu, "
)
COUNTING = Recipe(
    _SCENES + "layer_norm, conv 64 3 relu dilation=2, conv 1 1",
    learning_rate=0.001,
    batch_size=8,
    epochs=64,
    augment=Augment(flip=True, crop=0.5),
)
# drawn scenes are simpler than photos, and whoever tries them first does not want to wait
DRAWN = replace(COUNTING, network=_SCENES + "conv 1 1", learning_rate=0.002, epochs=22)

# the count alone: what was seen all over the photo becomes one number
COUNTS = replace(
    COUNTING,
    network=_SCENES + "max_pool 2, layer_norm, conv 64 3 relu, average_pool 2, flatten, "
    "dense {outputs}",
    batch_size=16,
    epochs=40,
    augment=Augment(flip=True),
)

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "digits": Recipe("dense 128 relu, dropout 0.2, dense {outputs}", epochs=40),
        "spam": Recipe("dense 64 relu, dropout 0.3, dense {outputs}", epochs=30),
        "waves": Recipe("dense 64 tanh, dense 64 tanh, dense {outputs}", epochs=200),
        "crowd": DRAWN,
    }
)


def recipe_for(dataset: Dataset) -> Recipe:
    """The recipe for a data set: its own, or the one for its kind."""
    if dataset.source in RECIPES:  # not its name: a user's own folder may be called "crowd"
        return RECIPES[dataset.source]
    if dataset.task == "counting":
        return COUNTING
    if dataset.photo_side:
        return COUNTS
    if len(dataset.input_shape) == 3:
        return Recipe(
            "conv 16 5 relu, max_pool 2, conv 32 5 relu, max_pool 2, flatten, "
            "dropout 0.3, dense {outputs}",
            batch_size=128,
            epochs=max(5, min(40, 270_000 // len(dataset.train))),  # about 2,000 steps
        )
    if dataset.input_shape == (2,):
        return PLANE
    if dataset.task == "regression":  # dropout costs it half of what it could know
        return Recipe("dense 64 relu, dense 32 relu, dense {outputs}")
    return Recipe("dense 64 relu, dropout 0.2, dense 32 relu, dense {outputs}")
