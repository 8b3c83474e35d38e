"""Overfitting: training samples known by heart, and others beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from downslope.data import load
from downslope.learn.chapter import Ask, Chapter, Question, Sketch, Worked, must_be_whole, shown
from downslope.learn.drawing import scattered
from downslope.runs.train import train
from downslope.text import Table

_NETWORK = "dense 64 tanh, dense 64 tanh, dense 1"
_EPOCHS = 1500


def act(samples: int) -> Worked:
    """Train a large network on few samples, and measure it on those and on others."""
    data = load("waves")
    few = replace(data, train=data.train.take(np.arange(samples)))
    run = train(
        _NETWORK, few, optimizer="adam", learning_rate=0.003, schedule="constant",
        batch_size="full", epochs=_EPOCHS,
    )  # fmt: skip
    must_be_whole(run.outcome)
    seen, unseen = (run.measure(part)["loss"] for part in (few.train, few.validation))
    course = run.trace.validation_loss
    best = int(run.trace.epochs["epoch"][course.argmin()])
    rows = (
        (f"the {samples} training samples", shown(seen, 3)),
        (f"{len(few.validation)} samples that it has not seen", shown(unseen, 3)),
    )
    told = (
        f"A network of {shown(run.parameter_count)} weights and biases learnt {samples} points of "
        f"a wavy curve, for {shown(_EPOCHS)} epochs. The points lie a little off the curve, by "
        "chance. The loss, the mean of the squared errors:",
        "",
        Table(("on", "loss"), rows, numeric=(1,)),
    )
    question = Question(
        "How many times as large is the loss on unseen samples as on the training samples?",
        unseen / seen,
        f"Divide {shown(unseen, 3)} by {shown(seen, 3)}.",
        f"{shown(unseen, 3)} / {shown(seen, 3)} = {shown(unseen / seen, 3)}. "
        f"{_verdict(unseen / seen)} During the training the loss on unseen samples was lowest "
        f"after epoch {shown(best)}, at {shown(course.min(), 3)}; it ended at "
        f"{shown(course[-1], 3)}.",
        tolerance=0.03 * unseen / seen + 0.01,
    )
    x = np.linspace(-1, 1, 400)
    y = run.predict(x[:, None].astype(np.float32))[:, 0]
    own = (few.train.inputs[:, 0], few.train.targets[:, 0])
    other = (few.validation.inputs[:, 0], few.validation.targets[:, 0])
    return Worked(
        told,
        question,
        {
            "overfitting": lambda: scattered(
                "What the network has learnt",
                f"Training samples: loss {shown(seen, 3)}. Samples that it has not seen: loss "
                f"{shown(unseen, 3)}.",
                (x, y, "the network"),
                [(*other, "not seen"), (*own, "training samples")],
                x="input",
                y="target and prediction",
            )
        },
        after="The network's curve, the training samples and samples that it has not seen.",
        sketch=Sketch(x, y, "input", "what the network predicts"),
    )


def _verdict(ratio: float) -> str:
    if ratio > 2:
        return "The network fits the chance in its training samples: it overfits."
    if ratio > 1.2:
        return "It overfits a little."
    return "It does not overfit: there are enough samples. Try again with 10."


CHAPTER = Chapter(
    14,
    "overfitting",
    "Overfitting",
    (
        "A network is of use if it answers well for samples that it has never seen. Low loss on "
        "the training samples is no proof of that. A person can learn the answers of old exams by "
        "heart, score full marks on those, and fail on the next. Learning what all exams have in "
        "common is called generalizing; learning single samples by heart is called overfitting.",
        "To notice it one keeps some samples back and never trains on them: the validation set. "
        "While the loss falls on both, the network learns what is common. From where it falls on "
        "the training samples and rises on the others, it learns by heart. Few samples, many "
        "weights and many epochs lead there. (The training here uses Adam, a refinement of "
        "gradient descent that gives each weight a step length of its own.)",
    ),
    (Ask("samples", "training samples", 12, 4, 600),),
    act,
    """
from dataclasses import replace
import numpy as np
import downslope as ds

data = ds.load("waves")
few = replace(data, train=data.train.take(np.arange($samples)))
run = ds.train(
    "dense 64 tanh, dense 64 tanh, dense 1",
    few,
    optimizer="adam",
    learning_rate=0.003,
    schedule="constant",
    batch_size="full",
    epochs=1500,
)
seen = run.measure(few.train)["loss"]
unseen = run.measure(few.validation)["loss"]
print(seen, unseen)
print(unseen / seen)
""",
    (
        ("insight/generalization.py", "seen and unseen samples at the same weights"),
        ("engine/settings.py", "Stop: ending a training before it overfits"),
    ),
    ("downslope generalization RUN", "downslope train spam --patience 5"),
)
