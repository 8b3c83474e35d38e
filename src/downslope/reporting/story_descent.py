"""The last three steps of the story: the slopes, the steps against them, and their repetition."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from downslope.numerals import rounded
from downslope.plots.curves import learning_rates
from downslope.plots.layer_bars import layer_gradients, layer_movement
from downslope.plots.run import curves_of
from downslope.reporting.material import Material
from downslope.reporting.pieces import Picture, Piece, Words
from downslope.text import Table, amount


def the_slopes(material: Material) -> Iterator[Piece]:
    """Which change of each weight would make the loss smaller."""
    begun, name = material.beginning, material.run.data.name
    yield Words(
        "The loss has a derivative with respect to every weight and bias; together they are the "
        "gradient. Backpropagation computes it from the last layer back to the first, because the "
        "effect of a layer on the loss depends on the layers after it."
    )
    if begun is None:
        return
    layers = begun.layers
    yield Table(
        (
            "layer",
            "weights and biases",
            "gradient at its pre-activations",
            "length of its gradient",
        ),
        [
            (one.name, f"{one.weights:,}", rounded(one.delta, 3), rounded(one.gradient, 3))
            for one in reversed(layers)
        ],
        numeric=(1, 2, 3),
        caption="Gradient of the first batch's loss, last layer first",
    )
    if layers:
        yield Picture("layer-gradients", layer_gradients(layers, name=name))


def the_steps(material: Material) -> Iterator[Piece]:
    """How the weights were changed, at first and in all."""
    begun, run = material.beginning, material.run
    settings = run.settings
    per_step = settings.samples_per_step(run.data.samples["train"])
    optimizer = "plain gradient descent" if settings.optimizer.name == "sgd" else (
        settings.optimizer.name
    )  # fmt: skip
    yield Words(
        f"Each step takes {amount(per_step, 'sample')} and changes all weights a little, against "
        f"the gradient. The optimizer is {optimizer}, with a learning rate of at most "
        f"{rounded(settings.learning_rate, 6)}. The training took "
        f"{amount(run.outcome.step, 'step')}."
    )
    if begun is not None:
        before, after = (
            one.measure(begun.batch)["loss"] for one in (begun.untrained, begun.stepped)
        )
        way = "fell" if after < before else "rose"
        yield Words(
            f"In the first step, the loss of its {amount(len(begun.batch), 'sample')} {way} from "
            f"{rounded(before, 5)} to {rounded(after, 5)}."
        )
    rates = run.trace.steps["learning_rate"]
    if len(rates) and np.ptp(rates) > 0:
        yield Picture("learning-rate", learning_rates(run.trace, name=run.data.name))
    if begun is not None and begun.layers:
        yield Picture("layer-movement", layer_movement(begun.layers, name=run.data.name))


def the_repetition(material: Material) -> Iterator[Piece]:
    """How the loss fell, epoch by epoch."""
    run = material.run
    yield Words(
        f"An epoch is one pass through all {amount(run.data.samples['train'], 'training sample')}, "
        f"in a new random order. This training ran for {amount(run.epochs, 'epoch')}. After an "
        "epoch, the loss is measured on training and on validation samples with the same weights. "
        "If only the training loss falls, the network overfits: it memorises its samples."
    )
    yield Picture("loss", curves_of(run))
