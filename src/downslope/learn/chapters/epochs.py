"""Epochs, and how the samples are shuffled between them."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from downslope.engine.batches import BatchPlan
from downslope.learn.chapter import Ask, Chapter, Question, Worked, shown
from downslope.plots import style
from downslope.text import Table

_SHOWN = 3  # epochs


def act(samples: int, batch_size: int, epochs: int, seed: int) -> Worked:
    """Show which samples each batch of the first epochs holds."""
    plan = BatchPlan(samples, min(batch_size, samples), epochs, seed)
    every = [plan.epoch_batches(epoch) for epoch in range(min(epochs, _SHOWN))]
    rows = []
    for epoch, batches in enumerate(every, start=1):
        members = [" ".join(str(one) for one in batch if one >= 0) for batch in batches]
        rows.append((str(epoch), " | ".join(members)))
    told = (
        f"Your {samples} samples are numbered from 0. Each step sees one batch; the batches of "
        f"{'the first ' if epochs > _SHOWN else ''}{len(every)} of {epochs} "
        f"{'epoch' if epochs == 1 else 'epochs'}, a line between them:",
        "",
        Table(("epoch", "samples of each batch"), rows, numeric=(0,)),
        "",
        "In every epoch each sample is there exactly once. The order is drawn anew, from a seed (a "
        "number from which all chance is drawn) and the number of the epoch, so the same "
        "training can be repeated exactly.",
    )
    question = Question(
        f"How many steps has the whole training of {epochs} epochs?",
        plan.steps,
        f"One epoch has {plan.steps_per_epoch}: count the batches in a line.",
        f"{plan.steps_per_epoch} in each epoch, times {epochs}: {shown(plan.steps)}.",
        tolerance=0,
    )
    return Worked(
        told,
        question,
        {"epochs": lambda: _figure(every, samples)},
        after="Each row is an epoch; the colour says in which batch each sample was.",
    )


def _figure(every: list[np.ndarray], samples: int) -> Figure:
    figure = style.new_figure(
        "Batches in several epochs",
        "Each column is a sample, each row an epoch. The number, and the colour, say in which "
        "batch the sample was.",
        height=0.7 + 0.6 * len(every),
    )
    axes = style.dress(figure.subplots(), x="sample", y="epoch")
    axes.grid(False)
    for epoch, batches in enumerate(every):
        for number, batch in enumerate(batches):
            for sample in batch[batch >= 0]:
                box = {"facecolor": style.PALETTE[number % 8], "lw": 0, "pad": 3, "alpha": 0.45}
                axes.text(
                    sample, epoch + 1, str(number + 1), size=style.SMALL_SIZE, ha="center",
                    va="center", color=style.INK, bbox=box,
                )  # fmt: skip
    axes.set_xlim(-0.6, samples - 0.4)
    axes.set_ylim(len(every) + 0.6, 0.4)
    axes.set_yticks(range(1, len(every) + 1))
    return figure


CHAPTER = Chapter(
    13,
    "epochs",
    "Epochs and shuffling",
    (
        "Minibatch after minibatch is shown until every training sample has been seen once. That "
        "is an epoch. One is rarely enough: each step moves the weights a little, and networks "
        "are usually trained for many epochs.",
        "Between two epochs the samples are shuffled, so that the batches are other ones each "
        "time. If the same samples always came together and in the same order, the network could "
        "fit that order and those groups, which mean nothing. With samples sorted by class it "
        "would even see nothing but one class for many steps, and forget the others.",
    ),
    (
        Ask("samples", "training samples", 12, 2, 24),
        Ask("batch_size", "samples in a batch", 4, 1, 24),
        Ask("epochs", "epochs", 3, 1, 1000),
        Ask("seed", "seed of the shuffling", 0, 0, 9999),
    ),
    act,
    """
from dataclasses import replace
import numpy as np
import downslope as ds

data = ds.load("waves")
few = replace(data, train=data.train.take(np.arange($samples)))
batch_size = min($batch_size, $samples)
run = ds.train("dense 1", few, batch_size=batch_size, epochs=$epochs, seed=$seed)
print(ds.replay(run).batch_of(1))
print(len(run.trace.batch_loss))
""",
    (
        ("engine/batches.py", "the batches of every epoch, from seed and epoch alone"),
        ("insight/batches.py", "which samples a training saw together"),
    ),
    ("downslope batches RUN", "downslope train digits --shuffle no"),
)
