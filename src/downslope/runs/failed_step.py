"""The step that could not be made, once more, to find what was not finite first.

The loop notices that a loss or a weight is not a finite number, and keeps the weights before that
step. Here the step is done again from them, with every number on its way looked at in the order
in which a step computes: data, signals, losses, gradients, the change of the weights. That is
done after a failure alone, so it costs no other training anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from downslope.data.dataset import Dataset
from downslope.engine import loop
from downslope.engine.backpropagation import backpropagate
from downslope.engine.compilation import QUICKLY_COMPILED, compiled
from downslope.engine.scales import Scales
from downslope.nn.fusion import freeze
from downslope.nn.layer import Layer, Padded
from downslope.nn.losses import Loss
from downslope.nn.network import NetworkParameters
from downslope.nn.padded import filled
from downslope.numerals import rounded
from downslope.runs.failure import Failure, What
from downslope.storage.arrays import flatten

FEW = 4  # outputs that are told one by one
MOST_SIGNALS = 1 << 30  # 4 GiB: a process that runs out of memory would lose what it learnt


class _Rows(NamedTuple):
    """Of each sample the first number that is not finite, or any other, and its place."""

    values: Any  # (B,)
    indices: Any  # (B,)


class _Step(NamedTuple):
    """One step, with everything that is looked at; see `loop.train_step`.

    Attributes:
        targets: Behind the augmentation, in their own units, (B, ...).
        changed: Inputs and targets behind the augmentation.
        scaled: The same as the network takes them.
        weights: How much each sample counts, (B,), or None.
        signals: Of each layer the sums and the activations.
        outputs: The network's, in the units of the targets, (B, ...).
        losses: Of each sample, (B,).
        loss: Their mean, ().
        slope: d loss / d outputs.
        deltas: d loss / d pre-activations of each layer.
        gradients: A number that is not finite, or any other, for each array of weights.
        direction: Likewise, of what the optimizer made of them.
        state: Likewise, for each array of the optimizer state.
        after: Likewise, of the weights behind the step.
    """

    targets: Any
    changed: tuple[_Rows, _Rows]
    scaled: tuple[_Rows, _Rows]
    weights: Any
    signals: tuple[tuple[_Rows, _Rows], ...]
    outputs: Any
    losses: Any
    loss: Any
    slope: _Rows
    deltas: tuple[_Rows, ...]
    gradients: NetworkParameters
    direction: NetworkParameters
    state: Any
    after: NetworkParameters


def find_failure(
    program: loop.Program,
    dataset: Dataset,
    state: loop.State,
    material: loop.Material,
    batch: Int[np.ndarray, " b"],
    rate: float,
) -> Failure | None:
    """The first number that was not finite in the step that could not be made.

    Args:
        program: What was compiled for the training.
        dataset: What it learnt from.
        state: The state before the step.
        material: What the training worked on.
        batch: The samples of the step; -1 for none.
        rate: Its learning rate.

    Returns:
        What it was; None where every number is finite here (last digits may differ from those of
        the compiled loop, which decides) or where all of them may not fit into the memory.
    """
    given = next(_as_given(dataset, batch), None)
    if given is not None or _signals(program, dataset, batch) > MOST_SIGNALS:
        return given
    arguments = (
        state.step,
        state.parameters,
        state.optimizer_state,
        material,
        batch,
        np.float32(rate),
    )
    try:
        run = compiled(_look, program, *arguments, options=(QUICKLY_COMPILED,))
        step = jax.tree.map(np.asarray, run(*arguments))
        return next(_failures(program, dataset, step, batch), None)
    except (Exception, KeyboardInterrupt):  # too little memory, or a user's function that raises:
        return None  # why a training ended is never worth what it learnt


def _signals(program: loop.Program, dataset: Dataset, batch: np.ndarray) -> int:
    """How many sums and activations there are to be looked at."""
    shapes = program.evaluator.network.shapes(dataset.input_shape)
    return 2 * len(batch) * sum(map(math.prod, shapes))


def _look(
    program: loop.Program,
    step: Array,
    parameters: NetworkParameters,
    optimizer_state: Any,
    material: loop.Material,
    batch: Array,
    rate: Array,
) -> _Step:
    """The step again, with the network itself: the loop's joined one hides some signals."""
    network, loss = freeze(program.evaluator.network, program.frozen), program.evaluator.loss
    scales = material.scales
    unscaled = material._replace(scales=Scales(None, None))
    changed = loop.see_batch(program, step, unscaled, batch)
    seen = loop.see_batch(program, step, material, batch)
    own = seen.arguments(network, loss)
    back = backpropagate(parameters=parameters, **own)
    network, loss = own["network"], own["loss"]
    signals = network.signals(parameters, own["inputs"], seen.key)
    outputs: Any = signals[-1].activations
    optimizer = program.optimizer.direction(material.numbers.optimizer)
    direction, state = optimizer.update(back.gradients, optimizer_state, parameters)
    after = program.stepped(parameters, direction, rate, back.drift)
    return _Step(
        targets=scales.predictions_of(changed.targets),
        changed=(_rows(changed.inputs), _rows(changed.targets)),
        scaled=(_rows(seen.inputs), _rows(seen.targets)),
        weights=seen.weights,
        signals=tuple((_rows(one.pre_activations), _rows(one.activations)) for one in signals),
        outputs=scales.predictions_of(filled(outputs, loss)),
        losses=loss.per_sample(outputs, seen.targets),
        loss=back.loss,
        slope=_rows(back.slopes[-1]),
        deltas=tuple(map(_rows, back.deltas)),
        gradients=jax.tree.map(_any_broken, back.gradients),
        direction=jax.tree.map(_any_broken, direction),
        state=jax.tree.map(_any_broken, state),
        after=jax.tree.map(_any_broken, after),
    )


def _rows(values: Any) -> _Rows:
    """What is not finite in each sample, without sending all of its numbers to the host."""
    values = values.cut if isinstance(values, Padded) else values
    flat = values.reshape(values.shape[0], -1)
    indices = jnp.argmax(~jnp.isfinite(flat), axis=1)
    return _Rows(jnp.take_along_axis(flat, indices[:, None], axis=1)[:, 0], indices)


def _any_broken(values: Array) -> Array:
    return _rows(values.reshape(1, -1)).values[0]


class _Found(NamedTuple):
    """The first sample of a batch in which something is not finite."""

    row: int
    sample: int
    samples: int
    value: str
    batch: int

    def failure(self, what: What, **more: Any) -> Failure:
        return Failure(what, self.value, self.batch, self.samples, self.sample, **more)


def _first(values: np.ndarray, batch: np.ndarray) -> _Found | None:
    """The first value that is not finite, (B,); in indices without a sample, if nowhere else."""
    is_broken, is_sample = ~np.isfinite(values), batch >= 0
    own = is_broken & is_sample
    rows = np.flatnonzero(own if own.any() else is_broken)
    if not len(rows):
        return None
    row = int(rows[0])  # what fills a short batch is sample 0, which does not count
    value = str(float(values[row]))
    return _Found(row, max(0, int(batch[row])), len(rows), value, int(is_sample.sum()))


def _failures(
    program: loop.Program, dataset: Dataset, step: _Step, batch: np.ndarray
) -> Iterator[Failure]:
    """Everything that is not finite, in the order in which a step computes it."""
    yield from _in_data(program, dataset, step, batch)
    yield from _in_signals(program, step, batch)
    yield from _in_losses(program, dataset, step, batch)
    yield from _in_gradients(program, dataset, step, batch)
    kinds: tuple[tuple[What, Iterator[tuple[int, str, str]]], ...] = (
        ("direction", _broken_arrays(step.direction)),
        ("state", _broken_state(step.state)),
        ("change", _broken_arrays(step.after)),
    )
    for what, broken in kinds:
        for layer, array, value in broken:
            name = program.evaluator.network.layer_name(layer)
            yield Failure(what, value, int((batch >= 0).sum()), layer=name, array=array)


def _as_given(dataset: Dataset, batch: np.ndarray) -> Iterator[Failure]:
    """Inputs and targets as they were given; nothing is computed for that."""
    samples, indices = dataset.train, np.maximum(batch, 0)
    parts: tuple[tuple[What, np.ndarray], ...] = (
        ("input", samples.inputs[indices]),
        ("target", samples.targets[indices]),
    )
    for what, given in parts:
        flat = given.reshape(len(given), -1)
        broken = (~np.isfinite(flat)).argmax(axis=1)
        found = _first(flat[np.arange(len(flat)), broken], batch)
        if found is not None:
            yield found.failure(what, **_index(dataset, what, int(broken[found.row])))


def _in_data(
    program: loop.Program, dataset: Dataset, step: _Step, batch: np.ndarray
) -> Iterator[Failure]:
    """Inputs, targets and weights as augmentation and as scaling left them."""
    samples = dataset.train
    parts: tuple[tuple[What, np.ndarray], ...] = (
        ("input", samples.inputs),
        ("target", samples.targets),
    )
    for part, (what, given) in enumerate(parts):
        if program.augment is not None:  # places in changed images are none of the sample
            for cause, rows in (("augment", step.changed[part]), ("scaling", step.scaled[part])):
                found = _first(rows.values, batch)
                if found is not None:
                    yield found.failure(what, cause=cause)
            continue
        found = _first(step.scaled[part].values, batch)
        if found is not None:
            at = int(step.scaled[part].indices[found.row])
            number = f"{rounded(given[found.sample].ravel()[at])}"
            yield found.failure(what, cause="scaling", given=number, **_index(dataset, what, at))
    found = None if step.weights is None else _first(step.weights, batch)
    if found is not None:
        yield found.failure("weight")


def _in_signals(program: loop.Program, step: _Step, batch: np.ndarray) -> Iterator[Failure]:
    """Sums and activations, from the first layer to the last."""
    network = program.evaluator.network
    kinds: tuple[What, What] = ("sum", "activation")
    for index, signals in enumerate(step.signals):
        for what, rows in zip(kinds, signals, strict=True):
            found = _first(rows.values, batch)
            if found is not None:
                function = _own_layer(network.layers[index])
                yield found.failure(what, layer=network.layer_name(index), function=function)


def _in_losses(
    program: loop.Program, dataset: Dataset, step: _Step, batch: np.ndarray
) -> Iterator[Failure]:
    """The loss of each sample, then their mean."""
    loss = program.evaluator.loss
    found = _first(step.losses, batch)
    if found is not None:
        outputs, truth = _prediction(dataset, step, found.row)
        yield found.failure("loss", outputs=outputs, truth=truth, function=_own_loss(loss))
    elif not np.isfinite(step.loss):
        yield Failure("loss", str(float(step.loss)), int((batch >= 0).sum()))


def _in_gradients(
    program: loop.Program, dataset: Dataset, step: _Step, batch: np.ndarray
) -> Iterator[Failure]:
    """The gradients, from the last layer to the first, and where their slopes come from."""
    network, loss = program.evaluator.network, program.evaluator.loss
    broken = list(_broken_arrays(step.gradients))
    if not broken:
        return
    last = max(layer for layer, _, _ in broken)
    array, value = next(one[1:] for one in broken if one[0] == last)
    gradient: dict[str, Any] = {"layer": network.layer_name(last), "array": array}
    found = _first(step.slope.values, batch)
    if found is not None:
        outputs, truth = _prediction(dataset, step, found.row)
        gradient |= {"cause": "loss", "outputs": outputs, "truth": truth}
        gradient["function"] = _own_loss(loss)
    for index in range(len(network.layers) - 1, last - 1, -1):
        if found is None:
            found = _first(step.deltas[index].values, batch)
            gradient["cause"] = network.layer_name(index) if found else ""
            gradient["function"] = _own_layer(network.layers[index]) if found else ""
    if found is None:
        yield Failure("gradient", value, int((batch >= 0).sum()), **gradient)
    else:
        yield found._replace(value=value).failure("gradient", **gradient)


def _broken_arrays(tree: NetworkParameters) -> Iterator[tuple[int, str, str]]:
    """Layer, name and value of what is not finite, first layer first, weights before biases."""
    for layer, own in enumerate(tree):
        named = flatten(own)
        for name in sorted(named, reverse=True):
            if not np.isfinite(named[name]):
                yield layer, name, str(float(named[name]))


def _broken_state(state: Any) -> Iterator[tuple[int, str, str]]:
    """Likewise of the optimizer state, which holds arrays for each array of weights."""
    for path, value in jax.tree_util.tree_leaves_with_path(state):
        layers = [one.idx for one in path if isinstance(one, jax.tree_util.SequenceKey)]
        names = [str(one.key) for one in path if isinstance(one, jax.tree_util.DictKey)]
        if names and not np.isfinite(value):
            yield layers[-1], ".".join(names), str(float(value))


def _index(dataset: Dataset, what: What, at: int) -> dict[str, Any]:
    """Which of a sample's inputs or targets the number `at` is, and its name."""
    samples = dataset.train
    shape = (samples.inputs if what == "input" else samples.targets).shape[1:]
    if math.prod(shape) == 1 and not dataset.input_names:
        return {}
    name = dataset.input_names[at] if what == "input" and dataset.input_names else ""
    return {"index": tuple(map(int, np.unravel_index(at, shape))), "name": name}


def _own_loss(loss: Loss) -> str:
    return "" if loss.built_in else loss.name


def _own_layer(layer: Layer) -> str:
    kind = type(layer)
    return "" if kind.__module__.startswith("downslope.") else kind.__name__


def _prediction(dataset: Dataset, step: _Step, row: int) -> tuple[str, str]:
    """A sample's outputs and its target, in few words."""
    outputs, target = step.outputs[row], step.targets[row]
    if dataset.task == "counting":
        return _people(outputs), _people(target)
    if dataset.task == "classification" and target.ndim == 0:
        return _listed(outputs), repr(dataset.class_names[int(target)])
    return _listed(outputs), _listed(target)


def _people(density: np.ndarray) -> str:
    return f"{rounded(density.sum(dtype=np.float64))} people"


def _listed(values: np.ndarray) -> str:
    flat = values.ravel()
    if len(flat) > FEW:
        return f"{len(flat)} numbers from {rounded(flat.min())} to {rounded(flat.max())}"
    return ", ".join(rounded(one) for one in flat)
