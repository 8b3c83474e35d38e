"""Settings that train well without being asked for: one recipe per kind of data.

Each was found by trying on the validation part; `docs/recipes.md` has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from downslope.data.dataset import Dataset
from downslope.engine.augment import Augment
from downslope.engine.optimizers import OPTIMIZERS, Optimizer
from downslope.engine.settings import SmoothToward, Stop
from downslope.errors import SettingError
from downslope.nn.network import Network
from downslope.nn.notation import parse


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
        label_smoothing: Fraction of each class target that is spread over all classes.
        smooth_toward: How it is spread, as in `Settings`.
        bins: Of a table, into how many intervals quantiles divide its numbers, which then enter as
            ranks as well; 0 for none.
        members: How many networks are trained as one.
        stop: When to end early, and which weights are kept.
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
    smooth_toward: SmoothToward = "uniform"
    bins: int = 0
    members: int = 1
    stop: Stop = field(default_factory=Stop)

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


FEW_IMAGES = 100  # fewer are too few for the statistics of a batch
OPERATIONS = 6  # of a training for each multiplication with a weight: forward and backward
WORK = 2.8e13  # operations of a training on images: about two minutes of two cores
SMALLEST = 5  # pixels of a side, about, that the last convolution sees
WIDEST, NARROWEST = 128, 16  # channels of the last convolution and of the first
Effort = Literal["quick", "normal", "long"]
EFFORTS: Mapping[str, float] = MappingProxyType({"quick": 1 / 4, "normal": 1, "long": 8})
FOR_WIDER = 10_000  # images that a network with twice as many channels has something to learn from
# operations per second of a processor core, with the native kernel and without
RATES = {True: 1.8e11, False: 0.6e11}


def _images(dataset: Dataset, effort: Effort) -> Recipe:
    """For images of one size: halved again and again, each time with more channels.

    Each stage pools before it normalises, so that there is a quarter to normalise.
    """
    height, width, channels = dataset.input_shape
    samples, is_colour = len(dataset.train), channels == 3
    # a photo's mirror image is a photo as well; a digit's is none
    if is_colour and mirrors_are_alike(dataset):
        augment = Augment(shift=0.125, average=True)
    else:
        augment = Augment(flip=False, shift=0.125 if is_colour else 0.08)
    if samples < FEW_IMAGES:
        return Recipe(
            "conv 16 5 relu, max_pool 2, conv 32 5 relu, max_pool 2, flatten, "
            "dropout 0.3, dense {outputs}",
            epochs=max(1, round(40 * min(EFFORTS[effort], 2))),
        )
    halvings = max(1, math.ceil(math.log2(min(height, width) / SMALLEST)))
    wider = 2 if effort == "long" and samples >= FOR_WIDER else 1
    text = ""
    for stage in reversed(range(halvings)):
        wide = wider * max(NARROWEST, WIDEST >> stage)
        text += f"conv {wide} 3, max_pool 2, batch_norm, relu, conv {wide} 3, batch_norm, relu, "
    # where something is matters for a number, and not for what it is
    text += "flatten, " if dataset.task == "regression" else "global_max_pool, "
    products = parse(f"{text}dense 1").multiplications(dataset.input_shape)
    fewest, most = {"quick": (2, 20), "normal": (4, 40), "long": (8, 100)}[effort]
    epochs = round(EFFORTS[effort] * WORK / (OPERATIONS * products * samples))
    return Recipe(
        text + "dense {outputs}",
        optimizer="adamw",
        learning_rate=0.01 / wider,
        weight_decay=0.05,
        batch_size=128 if samples >= 10_000 else 64 if samples >= 2_000 else 32,
        epochs=max(fewest, min(most, epochs)),
        augment=augment,
        label_smoothing=0.05 if dataset.task == "classification" else 0.0,
    )


LOOKED_AT = 1000  # images whose nearest neighbours are looked for,
SIDE = 16  # in so many pixels of a side, about


def mirrors_are_alike(dataset: Dataset) -> bool:
    """Whether an image and its mirror image have the same target, as far as the data tells.

    Each of some training images, and each one's mirror image, is given the target of the image
    that it is most like, itself left out. Where mirror images get wrong targets more often than
    the images do, by three standard errors, a mirror image is something else: letters, arrows, the
    angle of a steering wheel.

    Args:
        dataset: Images (N, H, W, channels) with classes or numbers.
    """
    train = dataset.train
    chosen = np.linspace(0, len(train) - 1, min(len(train), LOOKED_AT)).astype(int)
    images, targets = train.inputs[chosen], train.targets[chosen]
    plain, mirrored = (_small(one) for one in (images, images[:, :, ::-1]))
    errors = []
    for seen in (plain, mirrored):
        likeness = seen @ plain.T
        np.fill_diagonal(likeness, -np.inf)
        nearest = targets[likeness.argmax(1)]
        if dataset.task == "classification" and targets.ndim == 1:
            errors.append((nearest != targets).astype(np.float64))
        else:
            errors.append(np.abs(nearest - targets).reshape(len(targets), -1).mean(1))
    more = errors[1] - errors[0]
    return bool(more.sum() <= 3 * np.sqrt(np.square(more).sum()))


def _small(images: np.ndarray) -> np.ndarray:
    """Images as rows of few numbers, mean 0 and length 1, so that light counts for nothing."""
    count, height, width, channels = images.shape
    rows, columns = (max(1, side // SIDE) for side in (height, width))
    cut = images[:, : height // rows * rows, : width // columns * columns].astype(np.float32)
    small = cut.reshape(count, height // rows, rows, width // columns, columns, channels)
    flat = small.mean((2, 4)).reshape(count, -1)
    flat -= flat.mean(1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def expected_seconds(
    network: Network, input_shape: tuple[int, ...], seen: int, cores: int, is_native: bool
) -> float:
    """About how long a training of an image network takes, by the operations that it needs.

    Args:
        network: What learns.
        input_shape: Shape of one image.
        seen: How many images it sees in all epochs.
        cores: How many processor cores there are.
        is_native: Whether the native kernel is there.
    """
    operations = OPERATIONS * network.multiplications(input_shape) * seen
    return operations / (RATES[is_native] * cores)


def recipe_for(dataset: Dataset, effort: Effort = "normal") -> Recipe:
    """The recipe for a data set: its own, or the one for its kind.

    Args:
        dataset: The data set.
        effort: How much work is to be put into it.

    Raises:
        SettingError: An effort other than "normal", for data that is not images of one size.
    """
    has_efforts = len(dataset.input_shape) == 3 and not dataset.photo_side
    if effort != "normal" and (
        dataset.source in RECIPES or dataset.task == "counting" or not has_efforts
    ):
        raise SettingError(
            f"The effort is {effort}, and {dataset.name} is no set of images of one size.",
            "images, whose recipe has three efforts",
            "Leave it out, and say how long to train with epochs.",
        )
    if dataset.source in RECIPES:  # not its name: a user's own folder may be called "crowd"
        return RECIPES[dataset.source]
    if dataset.task == "counting":
        return COUNTING
    if dataset.photo_side:
        return COUNTS
    if len(dataset.input_shape) == 3:
        return _images(dataset, effort)
    if dataset.encoding is None and dataset.input_shape == (2,):
        return PLANE
    return flat_recipe(dataset)


BINS, MOST_SPREAD = 16, 4096  # inputs of all columns together, so that wide tables fit
FEW_BINS, FEW_FOR_BINS = 8, 700  # bins for fewer rows than that
FEW_ROWS = 3000  # with fewer, smaller batches make more of them


def flat_recipe(dataset: Dataset) -> Recipe:
    """The recipe for a table, and for arrays of numbers, which have no ranks."""
    codes = () if dataset.encoding is None else dataset.encoding.columns
    numbers = sum(code.kind in ("number", "date") for code in codes)
    rows = len(dataset.train)
    most = FEW_BINS if rows < FEW_FOR_BINS else BINS
    bins = min(most, MOST_SPREAD // max(1, numbers)) if dataset.is_scaled else 0
    common = Recipe(
        "",
        learning_rate=0.01,
        bins=bins if bins > 1 else 0,
        members=4,
        stop=Stop(keep="best"),
    )
    if dataset.task == "classification" and {code.kind for code in codes} == {"text"}:
        batch_size = 16 if rows < FEW_ROWS else 64
        recipe = replace(
            common,
            network="dense 32 silu, dense {outputs}",
            learning_rate=0.003,
            batch_size=batch_size,
            epochs=_epochs(rows, batch_size, steps=500, least=8, most=60),
        )
        return _for_few_rows(recipe, rows, is_ranked=False)
    if dataset.task == "regression":  # dropout costs it half of what many rows could tell
        dropout = ", dropout 0.15" if rows < FEWEST_TO_CHOOSE_BY else ""
        batch_size = 32 if rows < FEW_ROWS else 64
        recipe = replace(
            common,
            network=f"dense 128 relu{dropout}, dense 64 relu{dropout}, dense {{outputs}}",
            batch_size=batch_size,
            epochs=_epochs(rows, batch_size, steps=2000, least=50, most=100),
        )
    else:
        recipe = replace(
            common,
            network="dense 128 silu, dropout 0.15, dense 128 silu, dropout 0.15, dense {outputs}",
            batch_size=64,
            epochs=_epochs(rows, 64, steps=300, least=30, most=150),
            label_smoothing=0.05,
        )
    return _for_few_rows(recipe, rows, is_ranked=bool(codes) and bins > 1)


FEWEST_TO_CHOOSE_BY = 200  # training rows, and so about 30 for validation
DOUBT = 32  # samples of which only the class is known, beside which a few rows are seen


def _for_few_rows(recipe: Recipe, rows: int, *, is_ranked: bool) -> Recipe:
    """The recipe; with few rows, a more careful one.

    A validation part of few samples chooses weights by chance, so the last are kept. Classes are
    smoothed as if some samples had been seen as well that tell nothing but how frequent each class
    is, so that the network is no surer than so few rows allow. And a number far from all that was
    seen counts no more than one at its edge: the ranks say the rest.
    """
    if rows >= FEWEST_TO_CHOOSE_BY:
        return recipe
    smoothing = recipe.label_smoothing and max(recipe.label_smoothing, DOUBT / (DOUBT + rows))
    network = f"tanh, {recipe.network}" if is_ranked else recipe.network
    return replace(
        recipe,
        network=network,
        label_smoothing=smoothing,
        smooth_toward="frequencies",
        stop=Stop(),
    )


def _epochs(rows: int, batch_size: int, *, steps: int, least: int, most: int) -> int:
    """As many epochs as make so many steps, between two bounds."""
    per_epoch = max(1, rows / batch_size)
    return max(least, min(most, round(steps / per_epoch)))
