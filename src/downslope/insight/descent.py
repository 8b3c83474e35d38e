"""The way that weights walk, step by step, in networks so small that their whole loss can be drawn.

Every step is the engine's own; only the start is given instead of drawn, and all weights on the
way are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from downslope.data.dataset import Dataset, Samples
from downslope.data.scaling import Scaling
from downslope.engine import loop
from downslope.engine.compilation import compiled
from downslope.engine.settings import Settings
from downslope.nn.layer import Layer, Parameters, Shape
from downslope.nn.losses import Loss
from downslope.nn.network import Network
from downslope.runs.preparation import Preparation


@dataclass(frozen=True)
class Weights(Layer):
    """One neuron without bias and activation: y = x1 w1 + x2 w2 + ..."""

    word: ClassVar[str] = "weights"

    def output_shape(self, input_shape: Shape) -> Shape:
        """(features,) to (1,)."""
        return (1,)

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """All weights zero; a walk begins elsewhere."""
        return {"weights": jnp.zeros(input_shape)}

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n features"], key: Array | None = None
    ) -> Float[Array, "n 1"]:
        """Inputs times weights."""
        return (inputs @ parameters["weights"])[:, None]


class Walks(NamedTuple):
    """What several walkers left behind.

    Attributes:
        weights: Before the first step, and behind each, (steps + 1, walkers, weights), float32.
        batch_loss: The loss of each step's batch, before the step, (steps, walkers).
    """

    weights: Float[np.ndarray, "steps walkers weights"]
    batch_loss: Float[np.ndarray, "steps walkers"]


def walk(
    inputs: Float[np.ndarray, "n weights"],
    targets: Float[np.ndarray, "n 1"],
    loss: Loss,
    settings: Settings,
    starts: Float[np.ndarray, "walkers weights"],
    *,
    learning_rates: Sequence[float] | None = None,
    seeds: Sequence[int] | None = None,
) -> Walks:
    """Let several walkers descend side by side on the loss of one neuron without bias.

    Args:
        inputs: The samples' inputs.
        targets: What their loss compares with.
        loss: The loss; its outputs are taken as they are, so it has no `degree`.
        settings: Batch size, epochs, and what follows for whoever is given nothing else.
        starts: The weights of each walker before its first step.
        learning_rates: One per walker.
        seeds: One per walker, which decides the order of its samples.
    """
    count = len(starts)
    rates = learning_rates or [settings.learning_rate] * count
    seeds = [settings.seed] * count if seeds is None else seeds
    samples, one = Samples(inputs, targets), np.ones((), np.float32)
    dataset = Dataset("walk", "regression", samples, samples, samples, Scaling(0 * one, one))
    network = Network([Weights()])
    walkers = [
        Preparation(network, dataset, loss, replace(settings, learning_rate=rate, seed=seed))
        for rate, seed in zip(rates, seeds, strict=True)
    ]
    first = walkers[0]
    state, key = first.start()
    states = jax.tree.map(lambda leaf: np.stack([np.asarray(leaf)] * count), state)
    states = states._replace(parameters=({"weights": np.asarray(starts, np.float32)},))
    arguments = (
        states,
        first.material(key),
        np.stack([one.plan.batches(0, one.plan.steps) for one in walkers], axis=1),
        np.stack([one.rates for one in walkers], axis=1),
    )
    weights, batch_loss = compiled(_steps, first.program, *arguments)(*arguments)
    before = np.asarray(starts, np.float32)[None]
    return Walks(np.concatenate([before, np.asarray(weights)]), np.asarray(batch_loss))


def _steps(
    program: loop.Program,
    states: loop.State,
    material: loop.Material,
    batches: Int[Array, "steps walkers b"],
    rates: Float[Array, "steps walkers"],
) -> tuple[Array, Array]:
    """All steps of all walkers: the weights behind each, and the loss of its batch."""
    of_one = partial(loop.train_step, program, material)
    of_all = jax.vmap(of_one, in_axes=(1, 1, loop.MEMBERS), out_axes=loop.MEMBERS)

    def step(states: loop.State, at: tuple[Array, Array]) -> tuple[loop.State, tuple]:
        batch, rate = (one[None] for one in at)  # a chunk of one step
        _, states, rows = of_all(batch, rate, loop.new_chunk(program, states, 1))
        return states, (states.parameters[0]["weights"], rows.batch_loss[0])

    return lax.scan(step, states, (batches, rates))[1]
