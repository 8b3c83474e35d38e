"""Rebuilding one step of a training, for one of its samples and one of its weights."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
from jaxtyping import Array

from downslope.data.progress import OnProgress
from downslope.engine import loop
from downslope.engine.backpropagation import backpropagate
from downslope.engine.compilation import QUICKLY_COMPILED, compiled
from downslope.errors import RunError
from downslope.insight.chain_rule import chain_of
from downslope.insight.one_sample import SeenSample, Way, see_sample, walk, with_statistics
from downslope.insight.slope_check import difference_at
from downslope.insight.step_trace import LayerStep, StepTrace, WeightStep
from downslope.insight.weight import arrays_of, checked_layer, find_weight
from downslope.nn.activations import identity
from downslope.nn.members import loss_while_learning, members_of, together, while_learning
from downslope.nn.network import NetworkParameters
from downslope.runs.replay import Replay, replay
from downslope.runs.run import Run


def trace_step(
    run: Run,
    step: int,
    sample: int | None = None,
    *,
    layer: int | None = None,
    unit: int | None = None,
    weight: str | None = None,
    on_steps: OnProgress | None = None,
) -> StepTrace:
    """Compute one step of a run's training again, and follow a sample and a weight through it.

    Args:
        run: The run.
        step: The step, from 1. After a training that ended because something was not finite, one
            more step exists: the one that failed.
        sample: Index of a training sample, from 0; it need not be in the step's batch. None for the
            first of the batch.
        layer: The weight's layer, from 1.
        unit: Index of the unit that the weight leads to, from 0.
        weight: Which weight of the unit: "3" for its input 3, "bias", or the whole name:
            "weights[3,5]". If left out, the weight with the largest gradient.
        on_steps: Called while the training is replayed, with (steps done, steps in all).

    Returns:
        The step: forward pass, loss, gradients, the chain rule for the weight, and the update.

    Raises:
        DataError: The data is missing or has changed, or there is no such sample.
        NetworkError: There is no such layer, unit or weight.
        RunError: There is no such step, or the training cannot be repeated exactly here.

    Example:
        >>> found = ds.insight.trace_step(ds.open_run("runs/moons-1"), step=2)
        >>> print(found)
        Step 2 of 36 of the training on moons: epoch 1, 32 samples, adam, learning rate 0.000...
    """
    if layer is not None:
        checked_layer(run.network, layer)
    past = replay(run)
    last = past.steps + past.has_failed_step
    if not 1 <= step <= last:
        raise RunError(
            f"Step {step:,} was asked for, and the run has {last:,} steps.",
            f"a step from 1 to {last:,}",
            "Steps are counted from 1.",
        )
    run = past.run
    seen = see_sample(past, step, sample)
    before = past.state(step - 1, on_steps)
    is_made = step <= past.steps
    after = past.state(step, on_steps) if is_made else before
    return _traced(past, step, seen, before, after, is_made, (layer, unit, weight))


def _traced(
    past: Replay,
    step: int,
    seen: SeenSample,
    before: loop.State,
    after: loop.State,
    is_made: bool,
    wanted: tuple[int | None, int | None, str | None],
) -> StepTrace:
    run = past.run
    given = seen.inputs, seen.targets
    network, loss = while_learning(seen.network), loss_while_learning(seen.network, run.loss)
    old, new = (jax.tree.map(np.asarray, one.parameters) for one in (before, after))
    batch = past.seen(step)
    held, held_after = (
        jax.tree.map(np.asarray, with_statistics(past.program_of(step), one, batch))
        for one in (old, new)
    )
    way = walk(network, held, *given, loss)
    gradients = tuple(one.gradients for one in way.layers)
    weight = find_weight(run.network, gradients, *wanted)
    arguments = (before.parameters, batch)
    program = past.program_of(step)
    found = compiled(batch_gradients, program, *arguments, options=(QUICKLY_COMPILED,))
    of_batch = jax.tree.map(np.asarray, found(*arguments))
    behind = way if not is_made else walk(network, held_after, *given, loss)
    settings = past.settings_of(step)
    members = members_of(run.network)
    told, told_after = way.loss / members, behind.loss / members
    prediction, prediction_after = (
        prediction_of(run, together(run.network, one.outputs[None])) for one in (way, behind)
    )
    truth = truth_of(run, seen)
    errors = None if truth is None else prediction - truth
    return StepTrace(
        data=run.data.name,
        task=run.data.task,
        loss_name=loss.name,
        has_known_loss=bool(loss.built_in),
        equation=loss.equation,
        optimizer=settings.optimizer.name,
        class_names=run.data.class_names,
        input_names=run.data.input_names,
        target_names=run.data.target_names,
        step=step,
        steps=past.steps,
        epoch=past.epoch_of(step),
        learning_rate=past.rate_of(step),
        highest_rate=settings.learning_rate,
        schedule=settings.schedule.kind,
        batch=int((past.batch_of(step) >= 0).sum()),
        batch_loss=float(run.trace.batch_loss[step - 1]),
        sample=seen,
        way=replace(way, loss=told),
        loss_unit=run.model.units.of_loss(run.loss),
        truth=truth,
        errors=errors,
        prediction_gradients=(_prediction_gradients(run, way, errors) if members == 1 else None),
        members=members,
        cell=seen.inputs.shape[1] // seen.targets.shape[1] if run.data.task == "counting" else 0,
        target_scales=_target_scales(run),
        prediction=prediction,
        prediction_after=prediction_after,
        loss_after=told_after,
        layers=tuple(
            LayerStep(
                network.layer_name(index),
                way.layers[index],
                arrays_of(of_batch, index + 1),
                arrays_of(old, index + 1),
                arrays_of(_minus(new, old), index + 1),
            )
            for index in range(len(network.layers))
        ),
        weight=WeightStep(
            weight,
            chain_of(network, held, way, weight),
            difference_at(network, held, *given, loss, weight),
            weight.of(of_batch),
            weight.of(old),
            weight.of(new),
        ),
        is_made=is_made,
        failure="" if is_made else run.outcome.message,
    )


def batch_gradients(
    program: loop.Program, parameters: NetworkParameters, seen: loop.Batch
) -> NetworkParameters:
    """The slopes of a batch's loss, found as the training finds them."""
    own = seen.arguments(program.trained, program.evaluator.loss)
    return backpropagate(parameters=parameters, **own).gradients


def _minus(new: NetworkParameters, old: NetworkParameters) -> NetworkParameters:
    return jax.tree.map(lambda one, other: one - other, new, old)


def truth_of(run: Run, seen: SeenSample) -> np.ndarray | None:
    """What a sample's prediction should be, as `prediction_of` gives it.

    Returns:
        Numbers in the units of the target, or the number of people (1,); None for classes and
        labels.
    """
    if run.data.task in ("classification", "multilabel"):
        return None
    if run.data.task == "regression":
        return np.asarray(seen.target, np.float64)
    people = np.asarray(run.model.units.predictions_of(np.asarray(seen.targets)))[0]
    return people.sum(dtype=np.float64).reshape(1)


def _prediction_gradients(run: Run, way: Way, errors: np.ndarray | None) -> np.ndarray | None:
    """How fast the loss, or the square of the error of a count, grows with each prediction."""
    if errors is None or run.loss.link is not identity:
        return None
    if run.data.task == "counting":
        return 2 * errors
    std = 1.0 if run.target_scaling is None else run.target_scaling.std
    return np.asarray(way.slope * (run.model.units.of_loss(run.loss) / std), np.float64)


def _target_scales(run: Run) -> tuple[np.ndarray, np.ndarray] | None:
    if run.target_scaling is None or run.data.task == "classification":
        return None
    mean, std = run.target_scaling.mean, run.target_scaling.std
    mean, std = np.broadcast_arrays(np.ravel(mean), np.ravel(std))
    return mean, std


def prediction_of(run: Run, outputs: Array | np.ndarray) -> np.ndarray:
    """What a person reads of one sample's outputs, (1, ...).

    Returns:
        A probability per class or label, numbers in the units of the target, or the number of
        people (1,).
    """
    predictions = run.model.linked(run.model.units.predictions_of(np.asarray(outputs)))[0]
    if run.data.task == "counting":
        return predictions.sum(dtype=np.float64).reshape(1)
    if run.data.task == "classification" and predictions.shape == (1,):
        return np.array([1 - predictions[0], predictions[0]])
    return predictions
