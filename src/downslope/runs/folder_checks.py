"""Whether the parts of a run that was read belong together, whoever wrote them.

A checksum tells that a file is as it was written, not by whom. So everything that the rest of the
program takes for granted of a run is checked here, before it becomes one.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import jax
import msgspec
import numpy as np

from downslope.data.builtin import BUILT_IN
from downslope.data.tables import numbers
from downslope.data.tables.dates import is_form
from downslope.data.tables.encoding import CYCLES, ColumnCode
from downslope.data.tables.words import HASHES
from downslope.engine import loop, metrics
from downslope.engine.batches import LONGEST_TRAINING
from downslope.engine.settings import Settings
from downslope.errors import DataError, NetworkError, printable
from downslope.nn import notation
from downslope.nn.layer import in_order, numbered
from downslope.nn.losses import Loss
from downslope.nn.memory import check_memory
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.own_parts import NOTHING, Own
from downslope.runs.run_folder import DataSummary, Document
from downslope.runs.trace import Trace
from downslope.storage.arrays import flatten, unflatten
from downslope.storage.files import LONGEST, damaged, most_bytes

MOST_AXES = 8  # of an input
MOST_SAMPLES = 1 << 40
LARGEST_RATE = 3e38  # what steps are compiled with
STATE = ("state.", "optimizer_state.", "best.", "trace.")  # what only a checkpoint has begins so
FLOATS = ("float32", "float64")


def checked(
    path: Path,
    document: Document,
    arrays: Mapping[str, np.ndarray],
    trace: Trace,
    loss: Loss,
    own: Own = NOTHING,
) -> tuple[Network, NetworkParameters]:
    """Check a run's parts against one another.

    Args:
        path: Where they come from, for the message.
        document: What is known of it.
        arrays: Its weights, scaling and baseline; of a checkpoint also its state.
        trace: Its course.
        loss: Its loss.
        own: The user's own parts that its network names.

    Returns:
        Its network and its weights.

    Raises:
        RunError: They do not belong together, or could not have been written by a training.
    """
    try:
        _check_card(document.data)
        network, outputs = _network(document, loss, own)
        _check_course(document)
        _check_trace(document, trace, int(arrays.get("state.ending", loop.RUNNING)))
        return network, _parameters(network, document, arrays, outputs, loss)
    except (ValueError, KeyError, NetworkError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise damaged(path, reason) from error


def _require(holds: object, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def _check_card(card: DataSummary) -> None:
    sizes = card.samples
    _require(sizes.keys() == {"train", "validation", "test"}, "the data has other parts")
    _require(
        sizes["train"] >= 1 and all(0 <= size <= MOST_SAMPLES for size in sizes.values()),
        f"the data has parts of {list(sizes.values())} samples",
    )
    shape = card.input_shape
    _require(
        len(shape) <= MOST_AXES and min(shape, default=1) >= 1 and _fits_memory(shape),
        f"one input has the shape {shape}",
    )
    _require(printable(card.name) == card.name, f"the data has the name {card.name!r}")
    _require(card.photo_side >= 0, f"the longer side of photos is {card.photo_side}")
    _require(card.white >= 0, f"the brightest pixel is {card.white}")
    for depth, (low, high) in card.ranges.items():
        fits = depth in ("whole", "float") and math.isfinite(high - low) and low < high
        _require(fits, f"its images go from {low} to {high} in {depth!r}")
    columns = (math.prod(shape),) if card.encoding is None else shape
    _require(
        not card.input_names or (len(card.input_names),) == columns,
        f"{len(card.input_names):,} inputs have names, and one input has the shape {shape}",
    )
    if card.encoding is not None:
        for code in (*card.encoding.columns, *card.encoding.targets):
            _check_code(code)
        _require(card.encoding.input_names == card.input_names, "its columns give other inputs")
        learnt = [(code.numbers > 0, code.kind == "text") for code in card.encoding.columns]
        _require(learnt == sorted(learnt), "columns with learnt numbers are not the last")


def _check_code(code: ColumnCode) -> None:
    fits = code.kind != "ignored" and {*code.cycles} <= {*CYCLES} and code.numbers >= 0
    is_learnt = code.kind in ("category", "text") and not code.says_missing
    fits = fits and (code.numbers == 0 or is_learnt)
    if code.kind == "text":
        ends = code.numbers > 0 and code.size > 0 and code.hashes and code.hashes[0] >= 0
        is_rising = all(one < two for one, two in itertools.pairwise((*code.hashes, HASHES)))
        fits = fits and bool(ends) and is_rising
    else:
        fits = fits and not code.hashes and not code.size
    fits = fits and (not code.form or is_form(code.form) or numbers.is_notation(code.form))
    _require(fits, f"the column {code.name!r} is encoded in no known way")


def _fits_memory(shape: tuple[int, ...]) -> bool:
    """Whether so many numbers fit into memory."""
    return 4 * math.prod(shape) <= most_bytes()


def _network(document: Document, loss: Loss, own: Own) -> tuple[Network, tuple[int, ...]]:
    """The network and the shape of its outputs, which answer what the data asks."""
    card = document.data
    network = notation.parse(document.network, own)
    if own:
        made = notation.describe(network)
        fits = made == document.network
        _require(fits, f"with the parts that were given it is {made}, not {document.network}")
    try:
        shapes = network.shapes(card.input_shape)
    except IndexError:  # a layer over the channels of inputs that have none
        raise ValueError(f"its layers do not take inputs of shape {card.input_shape}") from None
    check_memory(network, card.input_shape, trains=False)
    outputs, classes = shapes[-1], len(card.class_names)
    if card.task == "classification":
        is_logit = loss.built_in == "binary_cross_entropy" and classes == 2
        fits = outputs == ((1,) if is_logit else (classes,)) and classes >= 1
        _require(fits, f"it has {classes} classes and outputs of shape {outputs}")
    names = classes if card.task == "multilabel" else len(card.target_names)
    if card.task == "multilabel" or (card.task == "regression" and len(outputs) == 1):
        fits = outputs == (names,) or (names == 0 and outputs == (1,))
        _require(fits, f"it has {names} names of targets and outputs of shape {outputs}")
    if card.task == "counting":
        fits = len(card.input_shape) == len(outputs) == 3 and outputs[-1] == 1
        _require(fits, f"it counts people by outputs of shape {outputs}")
    return network, outputs


def _check_course(document: Document) -> None:
    """Check the settings of all parts, where they meet, and where the last one ended."""
    samples, ended = document.data.samples["train"], document.outcome
    told = ((one.cause, one.where, one.seen, one.means, one.source) for one in ended.findings)
    said = (ended.message, *(text for texts in told for text in texts))
    _require(all(printable(one) == one for one in said), "its ending is told in no plain words")
    _require(0 <= ended.kept_step <= ended.step, f"it kept step {ended.kept_step} of {ended.step}")
    _require(
        ended.kept_step == ended.step or document.settings.stop.keeps_best,
        f"it ended at step {ended.step} and kept step {ended.kept_step}",
    )
    if (failure := ended.failure) is not None:
        fits = 0 <= failure.samples <= failure.batch <= samples
        fits = fits and (failure.sample is None or 0 <= failure.sample < samples)
        _require(fits and ended.reason == "non_finite", "it failed in no step that it tried")
    last = 0
    for phase in document.phases:
        own = phase.settings
        _require(
            (own.loss, own.batch_size) == (document.settings.loss, document.settings.batch_size),
            "its parts have other losses or batches",
        )
        _require(last <= phase.until <= ended.step, "its parts are not in their order")
        _check_plan(own, samples, phase.until)
        last = phase.until
    _check_plan(document.settings, samples, ended.step)
    spent = document.seconds
    _require(min(spent.total, spent.training, spent.compiling) >= 0, "it took less than no time")
    for origin in (document.origin, document.parent):
        _require(origin is None or origin.steps >= 0, "it went on from less than no steps")


def _per_epoch(settings: Settings, samples: int) -> int:
    size = samples if settings.batch_size == "full" else settings.batch_size
    _require(size <= samples, f"it has batches of {size} of {samples} samples")
    return -(-samples // size)


def _check_plan(settings: Settings, samples: int, done: int) -> None:
    _require(settings.learning_rate <= LARGEST_RATE, f"its rate is {settings.learning_rate}")
    planned = _per_epoch(settings, samples) * settings.epochs
    _require(
        done <= planned <= LONGEST_TRAINING, f"it did {done:,} steps of {planned:,} that it planned"
    )


def _check_trace(document: Document, trace: Trace, ending: int) -> None:
    steps, epochs, done = trace.steps, trace.epochs, document.outcome.step
    _check_columns(steps, ("step",), ("batch_loss", "learning_rate"))
    has_failed = document.outcome.reason == "non_finite" or ending == loop.NON_FINITE
    rows = len(steps["step"])
    _require(rows == done + has_failed, f"{done:,} steps were done, and {rows:,} were recorded")
    _require((steps["step"] == np.arange(1, rows + 1)).all(), "its steps are not in their order")
    rates = steps["learning_rate"]
    _require((np.isfinite(rates) & (rates >= 0)).all(), "a learning rate is no number")

    names = metrics.names(document.data.task)
    parts = [f"{part}_{name}" for name in names for part in ("train", "validation")]
    _check_columns(epochs, ("epoch", "step"), tuple(parts))
    at = epochs["step"]
    in_order = (np.diff(at) > 0).all() and (not len(at) or (at[0] >= 1 and at[-1] <= done))
    _require(in_order, "its epochs are not in their order")
    per_epoch = _per_epoch(document.settings, document.data.samples["train"])
    _require((epochs["epoch"] == at // per_epoch).all(), "its epochs have other steps")


def _check_columns(
    columns: Mapping[str, np.ndarray], whole: tuple[str, ...], real: tuple[str, ...]
) -> None:
    _require({*columns} == {*whole, *real}, f"its trace has the columns {sorted(columns)}")
    for name, column in columns.items():
        fits = column.dtype == np.int64 if name in whole else column.dtype in FLOATS
        _require(fits and column.ndim == 1, f"the column {name} is of the type {column.dtype}")
    _require(len({len(one) for one in columns.values()}) == 1, "its columns differ in length")


def _parameters(
    network: Network,
    document: Document,
    arrays: Mapping[str, np.ndarray],
    outputs: tuple[int, ...],
    loss: Loss,
) -> NetworkParameters:
    inputs, task = document.data.input_shape, document.data.task
    like = _shapes(network, inputs)
    parameters = unflatten(arrays, like)
    weights = flatten(parameters)
    for name, array in weights.items():
        _require(_is_finite(array), f"{name} holds what is no number")
    _check_scaling(arrays, "scaling", inputs)
    known = {*weights, "scaling.mean", "scaling.std"}
    is_scaled = loss.degree is not None or loss.is_of_differences
    is_scaled = is_scaled and document.data.options.get("scaling") != "none"
    if task in ("regression", "counting") and is_scaled:
        _check_scaling(arrays, "targets", outputs)
        known |= {"targets.mean", "targets.std"}
    has_median = task in ("regression", "counting")
    for name in ("baseline", "baseline.median") if has_median else ("baseline",):
        known.add(name)
        baseline = arrays[name]
        _require(
            baseline.dtype in FLOATS
            and baseline.shape == ((1,) if task == "counting" else outputs),
            f"{name} has shape {baseline.shape} and type {baseline.dtype}",
        )
    for name in arrays:
        _require(name in known or name.startswith(STATE), f"it has an array {name!r} too many")
    return tuple(in_order(parameters))


def _shapes(network: Network, input_shape: tuple[int, ...]) -> dict[str, Any]:
    """The shapes of a network's weights, which may be said to be huge: none is made."""
    try:
        shapes = jax.eval_shape(lambda: network.init(input_shape))
    except Exception as error:  # JAX raises many kinds for numbers that no array can have
        raise ValueError(f"its network cannot be drawn: {error}") from error
    return numbered(shapes)


def _is_finite(array: np.ndarray) -> bool:
    """Whether all are numbers, without a second array of that size."""
    return not array.size or bool(np.isfinite(array.min()) and np.isfinite(array.max()))


def _check_scaling(arrays: Mapping[str, np.ndarray], name: str, values: tuple[int, ...]) -> None:
    """Check a mean and a deviation; where the data held NaN they are NaN as well."""
    for part in ("mean", "std"):
        array = arrays[f"{name}.{part}"]
        try:
            fits = np.broadcast_shapes(array.shape, values) == values
        except ValueError:
            fits = False
        _require(
            fits and array.dtype in FLOATS,
            f"{name}.{part} has shape {array.shape} and type {array.dtype}",
        )
    _require(not (arrays[f"{name}.std"] <= 0).any(), f"{name}.std is not above 0")


class _Options(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a data set can have been loaded with; see `load`."""

    target: str | list[str] | None = None
    column_types: dict[str, str] | None = None
    task: str | None = None
    group: str | None = None
    time: str | None = None
    names: Literal["yes", "no"] | None = None
    split_seed: int = 0
    photo_side: int | None = None
    stride: Literal[1, 2, 4, 8] = 8
    scaling: Literal["standard", "none"] = "standard"
    # of arrays in memory
    validation: float | None = None
    test: float | None = None
    given: list[Literal["validation", "test"]] | None = None
    class_names: list[str] | None = None


def load_options(card: DataSummary, of: str | None = None) -> dict[str, Any]:
    """What to give `load` besides the source, checked with it.

    Args:
        card: What is known of the data.
        of: A source that the user named instead.

    Raises:
        DataError: It is nothing that `load` takes, or the source is neither a built-in name nor
            a whole path: from where the program happens to run anything could be meant.
    """
    if of is None and not card.source:
        raise DataError(
            f"The data set {card.name} was given from memory, and a run keeps no samples.",
            "the data that it was trained on",
            "Give it in Python: run.with_data((X, y)), resume(folder, data=(X, y)).",
        )
    if of is None and card.source not in BUILT_IN and not os.path.isabs(card.source):
        raise DataError(
            f"The data set {card.name} was loaded from {card.source[:LONGEST]!r}.",
            "the name of a built-in data set, or a path from the root",
            "Say where the data is with --data PATH, or give it in Python with data=.",
        )
    options = dict(card.options)
    try:
        msgspec.convert(options, _Options)
    except msgspec.ValidationError as error:
        raise DataError(
            f"The data set {card.name} cannot be loaded as it was ({error}).",
            "options that downslope.load takes",
            "Give the data with data=, or name labelled data to test on.",
        ) from error
    return options


def check_step(path: Path, step: int, document: Document, state: Mapping[str, np.ndarray]) -> None:
    """Check that a checkpoint is of the step that its file's name tells.

    Raises:
        RunError: It is of another, or holds no state.
    """
    for name in ("state.step", "state.ending"):
        if name not in state or state[name].shape or state[name].dtype != np.int32:
            raise damaged(path, f"{name} is missing, or no whole number")
    if not step == int(state["state.step"]) == document.outcome.step:
        raise damaged(path, f"the state of step {step:,} is of another step")
    if not loop.RUNNING <= int(state["state.ending"]) <= loop.OVERFLOWN:
        raise damaged(path, f"the state of step {step:,} ended in no known way")
