"""One step of a training with all its numbers, told in the order of the six steps of learning."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, softmax

from downslope.errors import printable
from downslope.insight.chain_rule import Chain, Product, Sum
from downslope.insight.one_sample import LayerWay, SeenSample, Way
from downslope.insight.slope_check import Difference
from downslope.insight.weight import Weight
from downslope.nn.equations import Equation, put, written
from downslope.nn.layer import RUNNING
from downslope.nn.losses import LOSSES
from downslope.numerals import rounded
from downslope.result import FEW_ENOUGH, Part, Result
from downslope.storage.arrays import flatten
from downslope.text import Table, amount

_ROUNDING = 2e-7  # of the numbers that a mean is of
FEW = 12  # numbers that are told one by one
INDENT = "   "


def number(value: Any) -> str:
    """Four digits."""
    return rounded(value + 0.0)  # no minus before 0


def exactly(value: Any) -> str:
    """Six digits, so that what is told can be computed by hand."""
    return rounded(value + 0.0, 6)


@dataclass(frozen=True, eq=False)
class LayerStep:
    """One layer in one step.

    Attributes:
        name: Its number and type, such as "1 Dense".
        way: The sample's pre-activations and activations, with the gradients of its own loss.
        batch_gradients: The gradient of the whole batch's loss by its weights, by array name.
        before: Its weights and biases before the step, by array name.
        changes: What the step added to each.
    """

    name: str
    way: LayerWay
    batch_gradients: dict[str, np.ndarray]
    before: dict[str, np.ndarray]
    changes: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class WeightStep:
    """One weight in one step.

    Attributes:
        weight: Which weight.
        chain: The factors of the gradient of the sample's loss.
        difference: The same derivative, as a central difference in float64.
        batch_gradient: The gradient of the whole batch's loss.
        before: Its value before the step.
        after: Its value after the step.
    """

    weight: Weight
    chain: Chain
    difference: Difference
    batch_gradient: float
    before: float
    after: float

    @property
    def change(self) -> float:
        """What the optimizer added."""
        return self.after - self.before


@dataclass(frozen=True, eq=False)
class StepTrace(Result):
    """One step of a training, computed again exactly, as it was for one sample.

    The loss of the step is that of standardised outputs and targets where the run learns numbers;
    times `loss_unit` it is in the units of the targets.

    Attributes:
        data: Name of the data set.
        task: The task.
        loss_name: Name of the loss.
        has_known_loss: Whether that is a loss of ours, and not another one of that name.
        equation: The loss of one output y and its derivative, as formulas.
        optimizer: Name of the optimizer.
        class_names: The class names of the data set.
        input_names: The input names of the data set.
        target_names: The target names of the data set.
        step: The step, from 1.
        steps: Number of steps in all.
        epoch: The epoch of the step, from 1.
        learning_rate: The learning rate of the step.
        highest_rate: The learning rate of the settings, which the schedule changes.
        schedule: Name of the schedule.
        batch: Number of samples in the batch.
        batch_loss: The recorded loss of the batch, in the units of the targets.
        sample: The sample.
        way: The sample's forward and backward pass.
        loss_unit: The factor from the sample's loss to the units of the targets.
        truth: The target, in the units of the targets: numbers, or (people,) in what the network
            saw, which may be a part of the photo; None for classes.
        errors: The prediction before the step minus the target; None for classes and labels.
        prediction_gradients: The gradient of the loss with respect to each prediction, in the
            units of the targets; where people are counted, that of the squared error. None for
            classes, and where the outputs are not the predictions yet.
        cell: Of density maps, the side of a cell in pixels; else 0.
        target_scales: Mean and standard deviation by which targets were standardised, (outputs,)
            each; None where they were not.
        prediction: The prediction before the step: a probability per class, numbers, or (people,).
        prediction_after: The prediction for the same sample after the step.
        loss_after: Its loss after the step, as `way.loss`.
        layers: All layers, first layer first.
        weight: The weight that was followed.
        is_made: Whether the step was made: not where something was not finite.
        failure: What was not finite, as in the run's outcome; empty if the step was made.
        members: How many members the network has; `way` has the outputs of each, one after another,
            their slopes of the losses of their own, and the mean of these losses.
    """

    data: str
    task: str
    loss_name: str
    has_known_loss: bool
    equation: Equation
    optimizer: str
    class_names: tuple[str, ...]
    input_names: tuple[str, ...]
    target_names: tuple[str, ...]
    step: int
    steps: int
    epoch: int
    learning_rate: float
    highest_rate: float
    schedule: str
    batch: int
    batch_loss: float
    sample: SeenSample
    way: Way
    loss_unit: float
    truth: np.ndarray | None
    errors: np.ndarray | None
    prediction_gradients: np.ndarray | None
    cell: int
    target_scales: tuple[np.ndarray, np.ndarray] | None
    prediction: np.ndarray
    prediction_after: np.ndarray
    loss_after: float
    layers: tuple[LayerStep, ...]
    weight: WeightStep
    is_made: bool
    failure: str
    members: int = 1

    _most_numbers: ClassVar[int | None] = FEW_ENOUGH

    @property
    def summary(self) -> str:
        """Which step it is, and of which training."""
        return (
            f"Step {self.step:,} of {self.steps:,} of the training on {self.data}: epoch "
            f"{self.epoch:,}, {amount(self.batch, 'sample')}, {self.optimizer}, learning rate "
            f"{number(self.learning_rate)}"
        )

    def parts(self) -> Iterator[Part]:
        """The step in the order of the six steps of learning."""
        yield self.summary
        is_usual = _are_same(self.learning_rate, self.highest_rate)
        if self.schedule != "constant" or not is_usual:
            yield (
                f"The {self.schedule} schedule changes the learning rate from step to step; the "
                f"highest is the {number(self.highest_rate)} of the settings."
            )
        for head, told in _HEADS:
            yield ""
            yield head
            for part in told(self):
                yield (
                    replace(part, indent=INDENT + part.indent)
                    if isinstance(part, Table)
                    else f"{INDENT}{part}".rstrip()
                )


def _are_same(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-6 * abs(other)


def _sample(traced: StepTrace) -> Iterator[Part]:
    seen = traced.sample
    where = f" ({seen.source})" if seen.source else ""
    if seen.fraction is None:
        batch = "it is not in this step's batch, which moves the weights without it"
    else:
        batch = (
            f"one of {amount(traced.batch, 'sample')} of this step; {percent(seen.fraction)} of "
            "its loss counts in the loss of the step"
        )
    yield f"Training sample {seen.index:,}{where}: {batch}."
    names = traced.input_names
    if names and len(names) == seen.raw.size <= FEW:
        yield _table(
            ("input", "as read", "as the network sees it"),
            zip(
                names, map(number, seen.raw.ravel()), map(number, seen.inputs.ravel()), strict=True
            ),
        )
    else:
        yield f"Its inputs, scaled: {spread(seen.inputs[0])}."
    yield f"The target: {_truth(traced)}."


def _truth(traced: StepTrace) -> str:
    target = np.asarray(traced.sample.target)
    if traced.task == "counting":
        assert traced.truth is not None
        seen, whole = float(traced.truth[0]), float(target)
        if abs(seen - whole) < 0.01:
            return f"{exactly(whole)} people"
        return (
            f"{exactly(seen)} people, of the {exactly(whole)} in the photo: this step sees a part "
            "of it, and who stands at the edge counts in part"
        )
    if traced.task == "classification":
        if target.ndim:
            return f"fractions of the classes {listed(target)}"
        return f'"{printable(traced.class_names[int(target)])}"'
    return _named(traced, target)


def _named(traced: StepTrace, values: np.ndarray) -> str:
    """Numbers in words, each behind the name of its target where there are several."""
    texts = [*map(exactly, np.ravel(values))]
    names = traced.target_names
    if len(names) > 1 and len(names) == len(texts):
        texts = [f"{printable(name)} {one}" for name, one in zip(names, texts, strict=True)]
    return ", ".join(texts)


def _said(traced: StepTrace, prediction: np.ndarray) -> str:
    """What the network answers, as a sentence without its end."""
    if traced.task == "counting":
        return f"{exactly(float(prediction[0]))} people"
    if traced.task != "classification":
        said = _named(traced, prediction)
        return said if traced.task != "multilabel" else f"{said} (how probable each is)"
    first = int(np.nan_to_num(prediction, nan=-1).argmax())
    said = f'"{printable(traced.class_names[first])}" with {percent(float(prediction[first]))}'
    target = np.asarray(traced.sample.target)
    if target.ndim == 0 and int(target) != first:
        truth = int(target)
        right = printable(traced.class_names[truth])
        said += f'; the target "{right}" gets {percent(float(prediction[truth]))}'
    return said


def _prediction(traced: StepTrace) -> Iterator[Part]:
    if traced.sample.network.mixes_batch:
        yield (
            "Batch normalisation uses the mean and variance of the step's batch. For this sample "
            "alone they are held; the gradient of the whole batch goes through them as well."
        )
    yield _table(
        ("layer", "pre-activations", "activations"),
        (
            (one.name, spread(one.way.pre_activations), spread(one.way.activations))
            for one in traced.layers
        ),
    )
    yield f"It predicts {_said(traced, traced.prediction)}."


def _loss(traced: StepTrace) -> Iterator[Part]:
    if traced.errors is not None and traced.errors.size == 1:
        yield from _one_error(traced)
    elif traced.errors is not None:
        yield from _errors(traced)
    if traced.task == "counting":
        yield from _map_loss(traced)
        return
    yield from _own_loss(traced)
    recorded = f"The loss of the whole batch, as recorded: {exactly(traced.batch_loss)}"
    yield f"{recorded}{_in_units(traced)}."
    yield from _output_slopes(traced)


def _in_units(traced: StepTrace) -> str:
    return "" if traced.loss_unit == 1 else " in the units of the target"


def _one_error(traced: StepTrace) -> Iterator[Part]:
    """The error of a single number, its square, and which way is down."""
    assert traced.errors is not None
    assert traced.truth is not None
    error = float(traced.errors[0])
    people = " people" if traced.task == "counting" else ""
    given = f"{exactly(traced.prediction[0])} instead of {exactly(traced.truth[0])}"
    if error == 0 or not math.isfinite(error):
        yield f"The prediction is {'exact' if error == 0 else 'not finite'}: {given}{people}."
        return
    way = "high" if error > 0 else "low"
    yield f"The prediction is {exactly(abs(error))}{people} too {way}: {given}."
    is_loss = ", the squared error, is the loss" if _is_square_of_error(traced) else ""
    yield f"The square of this error{is_loss}: {exactly(error**2)}."
    if traced.prediction_gradients is None:
        return
    slope = float(traced.prediction_gradients[0])
    what = "loss" if traced.task != "counting" else "square"
    if slope == 0:
        yield f"The {what} does not change with the prediction here: its slope is 0."
        return
    numbers = {"y": float(traced.prediction[0]), "t": float(traced.truth[0])}
    square = LOSSES["squared_error"].equation if _is_twice(slope, error) else None
    told = f"{exactly(slope)}" if square is None else square.slope(numbers, slope)
    if square is not None:
        yield f"{square.lines[0]}, y the prediction and t the target."
    grows, better = ("grows", "smaller") if slope > 0 else ("falls", "larger")
    times = "" if exactly(abs(slope)) == "1" else f"{exactly(abs(slope))} times "
    yield (
        f"Slope of the {what} in the prediction: {told}. It {grows} {times}as fast as the "
        f"prediction grows: a {better} prediction lowers it."
    )
    if people:
        yield f"One more person changes it by about {exactly(slope)}."


def _is_square_of_error(traced: StepTrace) -> bool:
    """Whether the sample's loss is the square of the error of its one number."""
    is_single = traced.errors is not None and traced.errors.size == 1 and traced.members == 1
    is_square = traced.has_known_loss and traced.loss_name == "squared_error"
    return is_single and is_square and traced.task == "regression"


def _is_twice(slope: float, error: float) -> bool:
    return abs(slope - 2 * error) <= 1e-5 * abs(slope)


def _errors(traced: StepTrace) -> Iterator[Part]:
    """The errors of several numbers."""
    assert traced.errors is not None
    assert traced.truth is not None
    if traced.errors.size > FEW:
        yield f"Errors, prediction minus target: {spread(traced.errors)}."
        return
    flat = (np.ravel(one) for one in (traced.prediction, traced.truth, traced.errors))
    rows = [
        (
            _output(traced, index),
            exactly(prediction),
            exactly(truth),
            exactly(error),
            exactly(error**2),
        )
        for index, (prediction, truth, error) in enumerate(zip(*flat, strict=True))
    ]
    yield _table(("output", "prediction", "target", "error", "its square"), rows)


def _output(traced: StepTrace, index: int) -> str:
    """What an output stands for."""
    names = traced.target_names
    return printable(names[index]) if index < len(names) else str(index)


def _map_loss(traced: StepTrace) -> Iterator[Part]:
    """What a network that counts is trained on, which is not the count."""
    rows, columns = traced.way.outputs.shape[:2]
    yield (
        f"The network is not trained on this count but on where people are: a density map of "
        f"{rows} x {columns} cells of {traced.cell} x {traced.cell} pixels, whose sum is the count."
    )
    scaled = ""
    if traced.target_scales is not None:
        scaled = f", both divided by {number(float(traced.target_scales[1][0]))} people"
    name = traced.loss_name.replace("_", " ")
    yield (
        f"Its loss is the {name} of the people seen in a cell and those who are there{scaled}, the "
        f"mean over the cells: {number(traced.way.loss)}."
    )
    yield "So the loss can fall while the count, the sum over all cells, gets worse."
    yield (
        f"The loss of the whole batch, as recorded: {number(traced.batch_loss)}"
        f"{', in people per cell' if traced.loss_unit != 1 else ''}."
    )
    yield f"Slope of the loss at the cells: {spread(traced.way.slope)}."


def _own_loss(traced: StepTrace) -> Iterator[Part]:
    """The loss of the sample as the network is trained on it, and in the data's units."""
    name = traced.loss_name.replace("_", " ")
    target = np.asarray(traced.sample.target)
    is_logarithm = traced.has_known_loss and traced.loss_name in _LOGARITHMS
    if traced.task == "classification" and target.ndim == 0 and is_logarithm:
        fraction = max(float(traced.prediction[int(target)]), 1e-300)
        if math.isclose(-math.log(fraction), traced.way.loss, rel_tol=1e-3, abs_tol=1e-4):
            yield (
                f"{name}: {number(traced.way.loss)}, minus the natural logarithm of the "
                f"probability {number(fraction)} of the true class."
            )
            return
    if traced.loss_unit != 1 and not _is_square_of_error(traced):
        yield f"{name} of this sample: {exactly(traced.way.loss * traced.loss_unit)}."
    if traced.target_scales is None:
        if traced.loss_unit == 1:
            yield f"{name} of this sample: {number(traced.way.loss)}."
        return
    mean, std = traced.target_scales
    if mean.size > 1:
        yield (
            f"{name} of this sample: {number(traced.way.loss)}, from outputs and targets with the "
            "mean of each target subtracted, divided by its standard deviation."
        )
        return
    alike = ", or 1 where all are alike" if std[0] == 1 else ""
    yield (
        f"Inside, the network works with targets minus {exactly(mean[0])} (their mean), divided "
        f"by {exactly(std[0])} (their standard deviation{alike}), so that one learning rate "
        f"suits all units. There this sample's loss is {number(traced.way.loss)}; all numbers from "
        "here to step 5 are in these units."
    )


_LOGARITHMS = ("cross_entropy", "binary_cross_entropy")


def _output_slopes(traced: StepTrace) -> Iterator[Part]:
    slope = traced.way.slope
    if slope.size > FEW:
        yield f"Gradient of the loss with respect to the outputs: {spread(slope)}."
        return
    outputs = traced.way.outputs.ravel()
    names = traced.class_names if traced.task == "classification" else traced.target_names
    names = names if len(names) == len(outputs) > 1 else [""] * len(outputs)
    if traced.members > 1:
        yield (
            f"Each of the {traced.members} members has a loss of its own and learns from that one; "
            "their mean is told. The prediction is the mean of their predictions."
        )
    elif traced.equation.formula:
        yield f"{traced.equation}, y the outputs and t the target."
    yield "Gradient of the loss with respect to each output (a step against it lowers the loss):"
    yield _table(
        ("output", "", "y", "with numbers", "dL/dy"),
        (
            (f"y[{index}]", names[index], number(y), _with_numbers(traced, index), number(dy))
            for index, (y, dy) in enumerate(zip(outputs, slope.ravel(), strict=True))
        ),
    )


def _with_numbers(traced: StepTrace, index: int) -> str:
    """The derivative of one of our losses with respect to an output, with its numbers put in."""
    outputs = traced.way.outputs.ravel().astype(np.float64)
    targets = np.ravel(traced.sample.targets)
    if not traced.has_known_loss or not traced.equation.derivative or traced.members > 1:
        return ""
    target = float(targets[index]) if targets.size == outputs.size else float(targets[0] == index)
    y = float(outputs[index])
    numbers = {
        "softmax(y)[i]": float(softmax(outputs)[index]),
        "sigmoid(y)": float(expit(y)),
        "i == t": target,
        "y": y,
        "t": target,
    }
    told = written(put(traced.equation.derivative, numbers), 4)
    is_mean = outputs.size > 1 and "[i]" not in traced.equation.derivative
    return f"({told}) / {outputs.size}" if is_mean else told


def _slopes(traced: StepTrace) -> Iterator[Part]:
    rows = []
    for one in reversed(traced.layers):
        rows.append((one.name, "gradient at its pre-activations", spread(one.way.delta), ""))
        own = flatten(one.way.gradients)
        for name, batch in one.batch_gradients.items():
            if RUNNING in name:  # what no gradient changes
                continue
            rows.append(("", f"gradient of its {name}", spread(own[name]), norm(batch)))
    yield _table(("layer", "", "for this sample", "its length, batch"), rows)
    yield ""
    yield from tell_weight(traced.weight)


def tell_weight(one: WeightStep) -> Iterator[str]:
    """The chain of factors of a weight, and what confirms it."""
    chain = one.chain
    yield (
        f"One weight: {one.weight} of layer {one.weight.layer}, now {number(one.before)}. The "
        "factors of its gradient:"
    )
    yield from (f"{INDENT}{line}" for line in tell_chain(chain))
    yield from (f"{INDENT}{line}" for line in tell_activations(chain))
    yield f"Found by backpropagation: {number(chain.gradient)}; product of the factors: " + (
        f"{number(chain.product)}."
    )
    measured = one.difference
    yield f"Measured (central difference in float64): {number(measured.value)}."
    if measured.is_at_corner:
        yield (
            f"The loss has a kink here: its slope is {number(measured.left)} to the left and "
            f"{number(measured.right)} to the right."
        )


def tell_activations(chain: Chain) -> Iterator[str]:
    """The derivatives of activations among the factors, worked out."""
    yield from (f"{symbol} is that of {told}." for symbol, told in chain.worked_out.items())


def tell_chain(chain: Chain) -> Iterator[str]:
    """A chain as products and sums, from the weight to the loss."""
    yield from _tell_sum(chain.start)
    if chain.product == 0 and (why := _why_none(chain.start.terms[0])):
        yield why
    for link in chain.links:
        yield from _tell_sum(link)
    longest = max((len(path.factors) for path in chain.paths), default=0)
    if longest > max(len(term.factors) for term in chain.start.terms):
        many = len(chain.paths) > 1
        yield (
            ("All paths" if chain.has_all_paths else "The strongest paths") * many
            + ("The one path" if not many else "")
            + " from the weight to the loss:"
        )
        for path in chain.paths:
            yield f"  {_multiplied(path)}"


def _why_none(term: Product) -> str:
    """Why a weight has no slope: the first of its factors that is 0."""
    symbol = next((one.symbol for one in term.factors if one.value == 0), "")
    if symbol.startswith("f'"):
        return "The activation is flat there, so the weight does not move the loss."
    if symbol.startswith("dL/"):
        return "No later layer depends on this unit: it is dropped, or its weights are 0."
    return "The input is 0, so the weight does not move the loss." if symbol else ""


def _tell_sum(one: Sum) -> Iterator[str]:
    if len(one.terms) == 1 and one.count <= 1:
        term = one.terms[0]
        yield f"{one.symbol} = {' × '.join(factor.symbol for factor in term.factors)}"
        yield f"{' ' * len(one.symbol)} = {_values(term)} = {number(one.value)}"
        return
    yield f"{one.symbol} = {number(one.value)}, the sum of {one.count:,} terms:"
    for term in one.terms:
        yield f"  {_multiplied(term)}"
    if one.count > len(one.terms):
        yield f"  and {one.count - len(one.terms):,} more, together {number(one.rest)}"


def _multiplied(product: Product) -> str:
    symbols = " × ".join(factor.symbol for factor in product.factors)
    return f"{symbols} = {_values(product)} = {number(product.value)}"


def _values(product: Product) -> str:
    return " × ".join(number(factor.value) for factor in product.factors)


def _change(traced: StepTrace) -> Iterator[Part]:
    if not traced.is_made:
        yield "This step was not made; the training ended here."
        yield traced.failure
        return
    yield from tell_change(traced)
    rows = [
        (layer.name if index == 0 else "", name, norm(layer.before[name]), norm(change),
         _fraction(length(change), length(layer.before[name])))
        for layer in traced.layers
        for index, (name, change) in enumerate(layer.changes.items())
    ]  # fmt: skip
    if rows:
        yield "Euclidean lengths of all weights and of all biases of a layer:"
        yield _table(("layer", "", "length before", "length of the change", "fraction"), rows)


def _fraction(change: float, before: float) -> str:
    """A change as a fraction of what was there; where nothing was, there is none."""
    return percent(change / before) if before > 0 else "-" if change == 0 else "was 0"


def tell_change(traced: StepTrace) -> Iterator[str]:
    """What a step that was made did to its weight, and why."""
    one, rate = traced.weight, traced.learning_rate
    yield (
        f"{one.weight} of layer {one.weight.layer}: {number(one.before)} becomes "
        f"{number(one.after)}, a change of {number(one.change)}."
    )
    plain = (
        f"minus {number(rate)} (learning rate) \N{MULTIPLICATION SIGN} "
        f"{number(one.batch_gradient)} (gradient of the whole batch) = "
        f"{number(-rate * one.batch_gradient)}"
    )
    if traced.optimizer == "sgd":
        yield f"It is {plain}."
    else:
        yield (
            f"Plain gradient descent would change it by {plain}; {traced.optimizer} makes its own "
            "step of this gradient and of those of the steps before."
        )


def _again(traced: StepTrace) -> Iterator[Part]:
    if not traced.is_made:
        yield "Nothing changes: the step was not made."
        return
    yield f"It predicts {_said(traced, traced.prediction_after)}."
    before, after = traced.way.loss, traced.loss_after
    if traced.errors is not None and traced.errors.size == 1:
        assert traced.truth is not None
        error, then = float(traced.errors[0]), float(traced.prediction_after[0] - traced.truth[0])
        nearer = "nearer than before" if abs(then) < abs(error) else "farther than before"
        if abs(then) == abs(error):
            nearer = "as far as before"
        far = f"{exactly(abs(then))} too {'high' if then > 0 else 'low'}" if then else "right"
        yield (
            f"That is {far}{f', {nearer}' if then or error else ''}; the square of the error was "
            f"{exactly(error**2)} and is {exactly(then**2)}."
        )
        if _is_square_of_error(traced) and _change_of(before, after) == "smaller":
            return  # it has been said
    change = _change_of(before, after)
    subject = "The loss of its density map" if traced.task == "counting" else "Its loss"
    unit = traced.loss_unit if traced.task != "counting" else 1.0
    yield f"{subject} was {exactly(before * unit)} and is {exactly(after * unit)}: {change}."
    if change == "larger" and traced.sample.fraction is not None and traced.batch > 1:
        yield "The step is taken for its batch as a whole; the loss of a single sample may grow."


def _change_of(before: float, after: float) -> str:
    return "smaller" if after < before else "larger" if after > before else "unchanged"


def percent(fraction: float) -> str:
    """A fraction with three digits in percent."""
    return f"{rounded(100 * fraction, 3)} %"


def listed(values: np.ndarray) -> str:
    """Numbers separated by commas."""
    return ", ".join(number(one) for one in np.ravel(values))


def spread(values: np.ndarray) -> str:
    """Few numbers one by one, many by how many they are and how far they spread."""
    flat_values = np.ravel(values)
    if flat_values.size <= 4:
        return listed(flat_values)
    shape = "×".join(map(str, values.shape))
    low, high = float(flat_values.min()), float(flat_values.max())
    mean = float(flat_values.mean(dtype=np.float64))
    if abs(mean) < _ROUNDING * max(abs(low), abs(high)):  # what rounding left of 0
        mean = 0.0
    return f"{shape} from {number(low)} to {number(high)}, mean {number(mean)}"


def length(values: np.ndarray) -> float:
    """The Euclidean length."""
    return float(np.sqrt(np.sum(np.square(values, dtype=np.float64))))


def norm(values: np.ndarray) -> str:
    """The Euclidean length, told."""
    return number(length(values))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    return Table(head, tuple(rows))


_HEADS: tuple[tuple[str, Callable[[StepTrace], Iterator[Part]]], ...] = (
    ("1  A sample is shown to the network", _sample),
    ("2  The network predicts", _prediction),
    ("3  The loss: how wrong the prediction is", _loss),
    ("4  The gradient, from the last layer back to the first", _slopes),
    ("5  The update of the weights", _change),
    ("6  The same sample after the step", _again),
)
