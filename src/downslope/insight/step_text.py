"""A training step told in words and numbers, in the order of the six steps of learning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from downslope.insight.factors import Chain, Product, Sum
from downslope.insight.steps import StepTrace, WeightStep
from downslope.numerals import rounded
from downslope.store.arrays import flatten

FEW = 12  # numbers that are told one by one
INDENT = "   "


def number(value: Any) -> str:
    """Four digits."""
    return rounded(value + 0.0)  # no minus before 0


def tell_step(traced: StepTrace) -> str:
    """All of a step, as text of several lines."""
    heads = (
        "1  A sample is shown to the network",
        "2  The network answers",
        "3  The loss: how far the answer is from the right one",
        "4  How to change the weights: the slope, from the last layer back to the first",
        "5  The weights are changed",
        "6  And again: the same sample behind the step",
    )
    parts = (_sample, _answer, _loss, _slopes, _change, _again)
    lines = [
        f"Step {traced.step:,} of {traced.steps:,} of the training on {traced.data}: epoch "
        f"{traced.epoch:,}, {_amount(traced.batch, 'sample')}, {traced.optimizer}, learning rate "
        f"{number(traced.learning_rate)}"
    ]
    for head, part in zip(heads, parts, strict=True):
        lines += ["", head, *(f"{INDENT}{line}".rstrip() for line in part(traced))]
    return "\n".join(lines)


def _sample(traced: StepTrace) -> Iterator[str]:
    seen = traced.sample
    where = f" ({seen.source})" if seen.source else ""
    if seen.share is None:
        batch = "it is not in this step's batch, which moves the weights without it"
    else:
        batch = (
            f"one of {_amount(traced.batch, 'sample')} of this step, {percent(seen.share)} of it"
        )
    yield f"Training sample {seen.index:,}{where}: {batch}."
    names = traced.input_names
    if names and len(names) == seen.raw.size <= FEW:
        yield from table(
            ("input", "as read", "as the network takes it"),
            zip(
                names, map(number, seen.raw.ravel()), map(number, seen.inputs.ravel()), strict=True
            ),
        )
    else:
        yield f"Its inputs, as the network takes them: {spread(seen.inputs[0])}."
    yield f"The right answer: {_truth(traced)}."


def _truth(traced: StepTrace) -> str:
    target = np.asarray(traced.sample.target)
    if traced.task == "counting":
        return f"{number(float(target))} people"
    if traced.task == "classification":
        if target.ndim:
            return f"shares of the classes {listed(target)}"
        return f'"{traced.class_names[int(target)]}"'
    return listed(target)


def _said(traced: StepTrace, answer: np.ndarray) -> str:
    """What the network answers, as a sentence without its end."""
    if traced.task == "counting":
        return f"{number(float(answer[0]))} people"
    if traced.task != "classification":
        return listed(answer)
    first = int(np.nan_to_num(answer, nan=-1).argmax())
    said = f'"{traced.class_names[first]}" with {percent(float(answer[first]))}'
    target = np.asarray(traced.sample.target)
    if target.ndim == 0 and int(target) != first:
        truth = int(target)
        said += f'; the right "{traced.class_names[truth]}" gets {percent(float(answer[truth]))}'
    return said


def _answer(traced: StepTrace) -> Iterator[str]:
    yield from table(
        ("layer", "weighted sums", "activations"),
        ((one.name, spread(one.way.sums), spread(one.way.activations)) for one in traced.layers),
    )
    yield f"It answers {_said(traced, traced.answer)}."


def _loss(traced: StepTrace) -> Iterator[str]:
    name = traced.loss_name.replace("_", " ")
    yield f"{name}: {number(traced.way.loss)} for this sample."
    recorded = f"The batch's, as recorded: {number(traced.batch_loss)}"
    if traced.loss_unit != 1:
        own = number(traced.way.loss * traced.loss_unit)
        yield f"That is of targets brought to deviation 1; in the units of the target it is {own}."
        recorded += " in the units of the target"
    yield f"{recorded}."
    slope = traced.way.slope
    if slope.size > FEW:
        yield f"Slope of the loss at the outputs: {spread(slope)}."
        return
    outputs = traced.way.outputs.ravel()
    has_names = traced.task == "classification" and len(traced.class_names) == len(outputs)
    names = traced.class_names if has_names else [str(place) for place in range(len(outputs))]
    yield "Slope of the loss at each output (a step against it makes the loss smaller):"
    yield from table(
        ("output", "", "y", "dL/dy"),
        (
            (f"y[{place}]", names[place] if has_names else "", number(y), number(dy))
            for place, (y, dy) in enumerate(zip(outputs, slope.ravel(), strict=True))
        ),
    )


def _slopes(traced: StepTrace) -> Iterator[str]:
    rows = []
    for one in reversed(traced.layers):
        rows.append((one.name, "slope at its sums", spread(one.way.delta), ""))
        own = flatten(one.way.gradients)
        for name, batch in one.batch_gradients.items():
            rows.append(("", f"slope at its {name}", spread(own[name]), norm(batch)))
    yield from table(("layer", "", "for this sample", "length, batch"), rows)
    yield ""
    yield from tell_weight(traced.weight)


def tell_weight(one: WeightStep) -> Iterator[str]:
    """The chain of factors of a weight, and what confirms it."""
    chain = one.chain
    yield (
        f"One weight: {one.weight} of layer {one.weight.layer}, now {number(one.before)}. The "
        "factors of its slope:"
    )
    yield from (f"{INDENT}{line}" for line in tell_chain(chain))
    yield f"Found by backpropagation: {number(chain.gradient)}; product of the factors: " + (
        f"{number(chain.product)}."
    )
    measured = one.difference
    yield f"Measured (central difference in float64): {number(measured.value)}."
    if measured.is_at_corner:
        yield (
            f"The loss has a corner here: its slope is {number(measured.left)} to the left and "
            f"{number(measured.right)} to the right."
        )


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
        return "Nothing behind moves with this unit: it is silenced, or not made use of."
    return "Nothing comes in there, so the weight does not move the loss." if symbol else ""


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


def _change(traced: StepTrace) -> Iterator[str]:
    if not traced.is_made:
        yield "This step was not made; the training ended here."
        yield traced.failure
        return
    yield from tell_change(traced)
    rows = [
        (layer.name if place == 0 else "", name, norm(layer.before[name]), norm(change),
         percent(length(change) / max(length(layer.before[name]), 1e-30)))
        for layer in traced.layers
        for place, (name, change) in enumerate(layer.changes.items())
    ]  # fmt: skip
    yield from table(("layer", "", "length", "length of the change", "share"), rows)


def tell_change(traced: StepTrace) -> Iterator[str]:
    """What a step that was made did to its weight, and why."""
    one, rate = traced.weight, traced.learning_rate
    yield (
        f"{one.weight} of layer {one.weight.layer}: {number(one.before)} becomes "
        f"{number(one.after)}, a change of {number(one.change)}."
    )
    yield (
        f"The whole batch's slope there is {number(one.batch_gradient)}; minus learning rate times "
        f"slope would be {number(-rate * one.batch_gradient)}"
        + ("." if traced.optimizer == "sgd" else f", of which {traced.optimizer} made the change.")
    )


def _again(traced: StepTrace) -> Iterator[str]:
    before, after = traced.way.loss, traced.loss_after
    change = "smaller" if after < before else "larger" if after > before else "unchanged"
    yield f"It answers {_said(traced, traced.answer_after)}."
    yield f"Its loss was {number(before)} and is {number(after)}: {change}."
    if change == "larger" and traced.sample.share is not None and traced.batch > 1:
        yield "The step is taken for its batch as a whole; the loss of a single sample may grow."


def _amount(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def percent(share: float) -> str:
    """A share with three digits in percent."""
    return f"{rounded(100 * share, 3)} %"


def listed(values: np.ndarray) -> str:
    """Numbers parted by commas."""
    return ", ".join(number(one) for one in np.ravel(values))


def spread(values: np.ndarray) -> str:
    """Few numbers one by one, many by how many they are and how far they spread."""
    flat_values = np.ravel(values)
    if flat_values.size <= 4:
        return listed(flat_values)
    shape = "×".join(map(str, values.shape))
    return (
        f"{shape} from {number(flat_values.min())} to {number(flat_values.max())}, mean "
        f"{number(flat_values.mean(dtype=np.float64))}"
    )


def length(values: np.ndarray) -> float:
    """The Euclidean length."""
    return float(np.sqrt(np.sum(np.square(values, dtype=np.float64))))


def norm(values: np.ndarray) -> str:
    """The Euclidean length, told."""
    return number(length(values))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines of a table, columns under their names."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    for row in cells:
        pairs = zip(row, widths, strict=True)
        yield "  ".join(cell.ljust(width) for cell, width in pairs).rstrip()
