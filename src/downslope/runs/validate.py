"""Whether a network, a loss and a data set belong together, asked once, before training."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from downslope.data.dataset import DataInfo, Dataset
from downslope.engine.augment import GRID, Augment
from downslope.engine.settings import BatchSize
from downslope.errors import DataError, Faults, NetworkError, SettingError
from downslope.nn.dense import Dense
from downslope.nn.embedding import Embedding
from downslope.nn.embedding_bag import EmbeddingBag
from downslope.nn.layer import Layer
from downslope.nn.losses import Loss
from downslope.nn.members import GroupedDense, averaging
from downslope.nn.memory import check_memory
from downslope.nn.network import Network
from downslope.nn.notation import check_size, describe, own_parts
from downslope.nn.piecewise import Piecewise
from downslope.runs.run import Run

DEFAULT_LOSS = {
    "classification": "cross_entropy",
    "multilabel": "binary_cross_entropy",
    "regression": "squared_error",
    "counting": "squared_error",
}


def needed_output(dataset: Dataset, loss: Loss) -> tuple[int, ...]:
    """Shape that the network's output must have for one sample.

    Raises:
        SettingError: The loss does not suit the targets.
    """
    is_classes = dataset.task == "classification"
    if is_classes and loss.built_in == "binary_cross_entropy":
        if len(dataset.class_names) != 2:
            raise SettingError(
                f"The loss is binary_cross_entropy, and {dataset.name} has "
                f"{len(dataset.class_names)} classes.",
                "two classes",
                "Use cross_entropy.",
            )
        return (1,)
    if dataset.task == "multilabel":
        if loss.built_in in (*_NUMBER_LOSSES, "cross_entropy"):
            raise SettingError(
                f"The loss is {loss.name}, and any number of the labels of {dataset.name} may "
                "hold at once.",
                "a loss for each label by itself",
                "Use binary_cross_entropy.",
            )
        return dataset.output_shape
    if loss.takes_classes and not is_classes:
        raise SettingError(
            f"The loss is {loss.name}, and the targets of {dataset.name} are numbers.",
            "a loss for numbers",
            "Use squared_error, absolute_error, huber or poisson.",
        )
    if is_classes and not loss.takes_classes and loss.built_in in _NUMBER_LOSSES:
        raise SettingError(
            f"The loss is {loss.name}, and the targets of {dataset.name} are classes.",
            "a loss for classes",
            "Use cross_entropy.",
        )
    return dataset.output_shape


_NUMBER_LOSSES = ("squared_error", "absolute_error", "huber", "poisson")


def with_labels(dataset: Dataset, loss: Loss) -> Dataset:
    """The data set; where binary cross-entropy is to learn columns of 0 and 1, these are labels.

    Raises:
        SettingError: A target is not between 0 and 1.
    """
    if dataset.task != "regression" or loss.built_in != "binary_cross_entropy":
        return dataset
    outputs = dataset.train.targets.shape[1:]
    if len(outputs) != 1 or not loss.takes_classes:
        return dataset
    for name in dataset.sizes:
        part = getattr(dataset, name)
        wrong = np.argwhere(~((part.targets >= 0) & (part.targets <= 1)))
        if len(wrong):
            sample, column = (int(one) for one in wrong[0])
            names = dataset.target_names or [f"label {one + 1}" for one in range(outputs[0])]
            raise SettingError(
                f"The loss is {loss.name}, and the target {names[column]!r} of sample {sample} of "
                f"the {name} part is {part.targets[sample, column]:g}.",
                "targets of 0 or 1, or how likely it is, between them",
                "To learn numbers, use squared_error, with a last layer that has no activation.",
            )
    return replace(dataset, task="multilabel", class_names=dataset.target_names or ("label 1",))


def first_layers(dataset: Dataset) -> tuple[Layer, ...]:
    """The layers that a network for this data set begins with.

    They spread ranks of numbers, then look up learnt numbers for words of texts, then for
    categories. The last column is the first to be looked up.
    """
    if dataset.encoding is None:
        return ()
    ranked, codes = len(dataset.encoding.ranked), dataset.encoding.embedded
    ranks = [Piecewise(dataset.bins, ranked)] if ranked else []
    return *ranks, *(
        EmbeddingBag(one.indices, one.numbers, one.size)
        if one.kind == "text"
        else Embedding(one.indices, one.numbers)
        for one in reversed(codes)
    )


def with_first_layers(network: Network, dataset: Dataset) -> Network:
    """A network; one that lacks the first layers for the data set begins with them.

    Raises:
        NetworkError: It spreads ranks that there are not.
    """
    needed, layers, own = first_layers(dataset), network.layers, network.layers[0]
    ranks = [one for one in needed if isinstance(one, Piecewise)]
    if isinstance(own, Piecewise):
        found = ranks[0].columns if ranks else 0
        if own.columns not in (0, found) or not found:
            raise NetworkError(
                f"The network spreads {own.columns or 'the'} ranks, and {dataset.name} has "
                f"{found or 'none'}.",
                "as many ranks as a table has columns of numbers and dates",
                f"Write piecewise {own.bins}." if found else "Leave piecewise out.",
            )
        layers = layers[1:]
    is_complete = bool(layers) and isinstance(layers[0], Embedding | EmbeddingBag)
    return Network([*(ranks if is_complete else needed), *layers])


def _check_first_layers(network: Network, dataset: Dataset) -> None:
    """Check that columns that are given as indices are looked up; the numbers may be others."""
    needed = first_layers(dataset)
    for index, layer in enumerate(needed):
        own = network.layers[index] if index < len(network.layers) else None
        if isinstance(layer, Piecewise):
            continue  # `with_first_layers` has put it there
        assert isinstance(layer, Embedding | EmbeddingBag)
        is_such = (
            isinstance(own, Embedding | EmbeddingBag)
            and type(own) is type(layer)
            and replace(own, numbers=layer.numbers) == layer
        )
        if not is_such:
            columns = " and ".join(repr(one.name) for one in dataset.encoding.embedded)  # pyright: ignore[reportOptionalMemberAccess] - there are some
            raise NetworkError(
                f"The network does not look up {columns}, whose values are given as indices.",
                f"a network that begins with {describe(Network(needed))}",
                "Put these layers first; how many numbers each becomes is yours to choose.",
            )


def check_loss(dataset: Dataset, loss: Loss) -> None:
    """Check that a loss suits the targets.

    Raises:
        DataError: A target is out of the loss's range.
        SettingError: The loss is for other targets.
    """
    needed_output(with_labels(dataset, loss), loss)
    _check_targets(dataset, loss)


def check_fit(
    network: Network,
    dataset: Dataset,
    loss: Loss,
    augment: Augment | None = None,
    batch_size: BatchSize = 1,
    asked: Loss | None = None,
) -> None:
    """Check that inputs go in, and predictions of the right shape come out.

    Args:
        network: What is to learn.
        dataset: What it is to learn from.
        loss: A loss that suits the targets.
        augment: Changes of the images.
        batch_size: Samples per step.
        asked: The loss that was asked for, where that one does not suit them.

    Raises:
        DataError: There are no samples to train on or to validate with.
        NetworkError: A layer does not fit, or the output has another shape than the targets; or
            the network does not fit into memory.
        SettingError: The loss does not give a value per sample; or photos are to be changed where
            there are none.
    """
    faults = Faults()
    with faults.check():
        check_size(describe(network))
        check_own_layers(network, dataset.input_shape)
    for part, name in ((dataset.train, "training"), (dataset.validation, "validation")):
        with faults.check():
            if not len(part):
                raise DataError(
                    f"{dataset.name} has no {name} samples.",
                    "at least one",
                    "Split the data so that each part has some.",
                )
    with faults.check():
        _check_augment(dataset, augment)
    with faults.check():
        _check_first_layers(network, dataset)
    with faults.check():
        _check_outputs(network, dataset, loss)
    with faults.check():
        _check_last(network, (loss if asked is None else asked, loss))
    faults.tell()
    samples = len(dataset.train) if batch_size == "full" else batch_size
    is_counting = dataset.task == "counting"
    crop = augment.crop if augment is not None and is_counting else 1.0
    check_memory(network, dataset.input_shape, min(samples, len(dataset.train)) * crop**2)
    made = network.shapes(dataset.input_shape)[-1]
    _check_own_loss(loss, (2, *made), dataset.train.targets[:2])


def _check_augment(dataset: Dataset, augment: Augment | None) -> None:
    """Check that changes of images suit the inputs and the targets."""
    if augment is None:
        return
    if len(dataset.input_shape) != 3:
        raise SettingError(
            f"Changes to images were asked for, and the inputs of {dataset.name} have shape "
            f"{dataset.input_shape}.",
            "images, (height, width, channels)",
            "Leave augment out.",
        )
    if dataset.task != "counting":
        return
    if augment.for_single_targets:
        raise SettingError(
            f"Photos were to be changed by {augment.for_single_targets}, and {dataset.name} has a "
            "map of where people are for each.",
            "flip or crop, which change the map with its photo",
            "Use crop: its position is random as well.",
        )
    if augment.crop < 1 and min(dataset.input_shape[:2]) < GRID:
        raise SettingError(
            f"Parts of photos were asked for, and the images of {dataset.name} are "
            f"{dataset.input_shape[0]} x {dataset.input_shape[1]} pixels.",
            f"images of at least {GRID} x {GRID} pixels",
            "Leave crop at 1.",
        )


def _check_outputs(network: Network, dataset: Dataset, loss: Loss) -> None:
    """Check that the network has as many outputs as the targets need."""
    needed, made = needed_output(dataset, loss), network.shapes(dataset.input_shape)[-1]
    if made == needed:
        return
    if dataset.task == "counting":
        advice = (
            "Pool or stride to the same grid, and end with one channel: conv 1 1; or learn "
            'the count alone: load with task="regression" (--task regression), and end with '
            "dense 1."
        )
    elif dataset.task == "classification" and needed != (1,):
        advice = f"There is one output per class: end with dense {needed[0]}."
    else:
        advice = f"End with dense {needed[0]}."
    raise NetworkError(
        f"The network's last layer gives outputs of shape {made}.",
        f"{needed} for {dataset.name} with {loss.name}",
        advice,
    )


def _check_last(network: Network, losses: tuple[Loss, Loss]) -> None:
    """Check that the last layer leaves to the loss what the loss applies by itself."""
    last = getattr(network.layers[-1], "activation", "identity")
    applies = next((one for one in losses if one.takes_classes), None)
    if applies is not None and last in ("softmax", "sigmoid"):
        raise NetworkError(
            f"The last layer has the activation {last}, and {applies.name} applies it by itself.",
            "a last layer without an activation",
            f"Leave {last} out.",
        )


def _check_targets(dataset: Dataset, loss: Loss) -> None:
    """Check that the targets are such that the loss means something.

    Raises:
        DataError: A target is out of the loss's range.
        SettingError: The loss takes no fractions of classes.
    """
    for part, name in ((dataset.train, "training"), (dataset.validation, "validation")):
        targets = part.targets
        if dataset.task == "classification":
            if targets.ndim > 1 and loss.built_in == "binary_cross_entropy":
                raise SettingError(
                    f"The loss is binary_cross_entropy, and the targets of {dataset.name} are "
                    "fractions of classes.",
                    "one class per sample",
                    "Use cross_entropy, which takes fractions.",
                )
            continue
        if loss.built_in != "poisson" or not (targets < 0).any():
            continue
        wrong = tuple(int(one) for one in np.argwhere(targets < 0)[0])
        raise DataError(
            f"The target of sample {wrong[0]} of the {name} part is {targets[wrong]:g}, and the "
            "loss is poisson.",
            "numbers of at least 0, such as counts",
            "Correct it, or use squared_error.",
        )


def last_weights(network: Network, input_shape: tuple[int, ...]) -> int:
    """The index of the last layer with weights; 0 where none has any."""
    drawn = jax.eval_shape(lambda: network.init(input_shape))
    return max((index for index, own in enumerate(drawn) if jax.tree.leaves(own)), default=0)


def with_outputs(
    network: Network, input_shape: tuple[int, ...], outputs: int, loss: Loss
) -> Network:
    """The network with another number of outputs of its last layer with weights, for a loss.

    Raises:
        NetworkError: That layer is no dense one of ours.
    """
    index = last_weights(network, input_shape)
    layer, behind = network.layers[index], network.layers[index + 1 :]
    if type(layer) not in (Dense, GroupedDense):
        raise NetworkError(
            f"Layer {network.layer_name(index)} is to give {outputs} outputs.",
            "a dense layer as the last one with weights",
            "Name the network: the layers of the earlier run, with another last one.",
        )
    changed = replace(layer, units=outputs)  # pyright: ignore[reportCallIssue] - both have units
    means = tuple(averaging(one, loss) for one in behind)
    return Network([*network.layers[:index], changed, *means])


def learns_the_same(before: DataInfo, now: DataInfo) -> bool:
    """Whether the targets of two data sets are the same classes, labels or numbers, by name."""
    are_named = bool(before.target_names and now.target_names)
    return (
        (before.task, before.class_names) == (now.task, now.class_names)
        and not (are_named and before.target_names != now.target_names)
    )  # fmt: skip


def check_start(start: Run, network: Network, dataset: Dataset, loss: Loss) -> int:
    """Check that a training can begin with the weights of an earlier run.

    Returns:
        How many of its layers are taken over: all for the same targets, and for other ones those
        before the last layer with weights.

    Raises:
        SettingError: It was of another network, for other inputs, or with another loss.
    """
    taken = len(network.layers)
    pairs: dict[str, tuple[Any, Any]] = {"loss": (start.loss.name, loss.name)}
    if not learns_the_same(start.data, dataset):
        taken, pairs = last_weights(network, dataset.input_shape), {}
    if start.network.layers[:taken] != network.layers[:taken]:
        pairs["network"] = describe(start.network), describe(network)
    pairs["shape of one input"] = start.data.input_shape, dataset.input_shape
    for what, (before, now) in pairs.items():
        if before != now:
            raise SettingError(
                f"The {what} is {now!r}, and the run to go on from had {before!r}.",
                f"the same {what}",
                "Leave start out to begin anew.",
            )
    return taken


def check_own_layers(network: Network, input_shape: tuple[int, ...]) -> None:
    """Try layers and activations of the user's own on shapes alone.

    Raises:
        NetworkError: One fails, or gives another shape than it should.
    """
    if not any(own_parts(network).values()):
        return
    shapes = network.shapes(input_shape)
    before = (input_shape, *shapes[:-1])
    for index, (layer, given, made) in enumerate(zip(network.layers, before, shapes, strict=True)):
        inputs = jax.ShapeDtypeStruct((2, *given), jnp.float32)
        try:
            parameters, outputs = jax.eval_shape(partial(_forward, layer, given), inputs)
            wrong = _wrong(parameters, outputs, (2, *made))
        except NetworkError:
            raise
        except Exception as error:  # whatever a user's function raises becomes one message
            told = next(iter(str(error).splitlines()), "").rstrip(".")
            wrong = f"failed ({type(error).__name__}: {told})"
        if wrong:
            raise NetworkError(
                f"Layer {network.layer_name(index)} {wrong} on inputs of shape {inputs.shape}.",
                f"functions of jax.numpy that make outputs of shape {(2, *made)} of them",
                "Correct the layer, or the function that was given for its activation.",
            )


def _forward(layer: Layer, given: tuple[int, ...], inputs: Array) -> tuple[Any, Any]:
    key = jax.random.key(0)
    parameters = layer.init(key, given)
    return parameters, layer.forward(parameters, inputs, key if layer.needs_key else None)


def _wrong(parameters: Any, outputs: Any, expected: tuple[int, ...]) -> str:
    arrays = jax.tree.leaves(parameters)
    if not isinstance(parameters, dict) or not all(
        jnp.issubdtype(one.dtype, jnp.floating) for one in arrays
    ):
        return "has parameters that are no dictionary from names to arrays of floats"
    if getattr(outputs, "shape", None) != expected:
        return f"gives outputs of shape {getattr(outputs, 'shape', None)}"
    is_float = jnp.issubdtype(outputs.dtype, jnp.floating)
    return "" if is_float else f"gives outputs of type {outputs.dtype}"


def _check_own_loss(loss: Loss, shape: tuple[int, ...], targets: np.ndarray) -> None:
    """Try a user's own loss on shapes alone; ours are known to work."""
    outputs = jax.ShapeDtypeStruct((len(targets), *shape[1:]), jnp.float32)
    kinds = jax.ShapeDtypeStruct(targets.shape, jax.dtypes.canonicalize_dtype(targets.dtype))
    try:
        values = jax.eval_shape(loss.per_sample, outputs, kinds)
    except Exception as error:  # whatever a user's function raises becomes one message
        raise SettingError(
            f"The loss {loss.name} failed on outputs of shape {outputs.shape} and targets of "
            f"shape {kinds.shape}: {error}".strip()
            .rstrip(".")
            .splitlines()[0]
            + ".",
            "a function loss(prediction, target) of jax.numpy operations",
            "Correct the function.",
        ) from error
    if getattr(values, "shape", None) != (len(targets),):
        raise SettingError(
            f"The loss {loss.name} gives values of shape {getattr(values, 'shape', None)} for "
            f"{len(targets)} samples.",
            f"one value per sample, shape ({len(targets)},)",
            "Average over all axes but the first.",
        )
