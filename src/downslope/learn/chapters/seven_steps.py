"""All seven steps, on a crowd: a training from the first minibatch to the test set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from downslope.data.dataset import Dataset
from downslope.data.load import from_arrays
from downslope.data.scenes.scene import draw_scene
from downslope.learn.chapter import Ask, Chapter, Question, Sketch, Worked, must_be_whole, shown
from downslope.plots.curves import loss_curves
from downslope.plots.regression import predictions
from downslope.reporting.report import report
from downslope.runs.run import Run
from downslope.runs.train import train

_NETWORK = (
    "standardize, conv 16 5 relu stride=2, max_pool 2, conv 32 3 relu, average_pool 8, flatten, "
    "dense 1"
)
_BATCH, _RATE = 16, 0.003
_HEIGHT, _WIDTH, _SERIES = 96, 128, 2


def _scenes(photos: int) -> Dataset:
    """Drawn street scenes with the number of people in each."""
    scenes = [draw_scene(_SERIES, one, height=_HEIGHT, width=_WIDTH) for one in range(photos)]
    counts = np.array([[len(one.heads)] for one in scenes], np.float32)
    images = np.stack([one.photo for one in scenes])
    return from_arrays(images, counts, task="regression", name="crowd")


def act(photos: int, epochs: int) -> Worked:
    """Train a network to count people, and test it."""
    data = _scenes(photos)
    run = train(
        _NETWORK, data, loss="squared_error", optimizer="adam", learning_rate=_RATE,
        batch_size=_BATCH, epochs=epochs,
    )  # fmt: skip
    must_be_whole(run.outcome)
    losses = run.trace.batch_loss
    per_epoch = len(losses) // epochs
    mae, usual = run.test()["mae"], run.baseline()["mae"]
    told = (
        f"{photos} pictures of streets were drawn by a program, which knows how many people it put "
        f"into each. {len(data.train)} are for training, {len(data.validation)} for validation, "
        f"{len(data.test)} for the test.",
        "",
        f"1  The network is shown minibatches of {_BATCH} pictures from the training set.",
        f"2  The loss of a minibatch is the mean squared error; that of the first one was "
        f"{shown(losses[0], 4)}.",
        f"3  The gradient of that loss: {shown(run.parameter_count)} numbers, one for each weight "
        "and bias.",
        "4  Backpropagation finds them, and gradient descent changes all weights and biases. The "
        f"loss of the last minibatch was {shown(losses[-1], 4)}.",
        f"5  Once through all training pictures, {per_epoch} steps here, is an epoch.",
        f"6  After {epochs} {'epoch' if epochs == 1 else 'epochs'} the loss is "
        f"{shown(run.measure(data.train)['loss'], 4)} on the training set and "
        f"{shown(run.measure(data.validation)['loss'], 4)} on the validation set.",
        f"7  The test set, {len(data.test)} pictures that nothing was chosen by: the network is "
        f"off by {shown(mae, 4)} people on average. Always answering the median of the training "
        f"set, its middle count, would be off by {shown(usual, 4)}.",
    )
    question = Question(
        f"By how many people is the network {'better' if mae < usual else 'worse'} than that?",
        abs(usual - mae),
        f"Subtract the smaller of {shown(mae, 4)} and {shown(usual, 4)} from the larger.",
        f"{shown(max(mae, usual), 4)} − {shown(min(mae, usual), 4)} = "
        f"{shown(abs(usual - mae), 4)}. {_verdict(run, data)} With more pictures, "
        "larger ones and more time the same seven steps count far better: that is what downslope "
        "train crowd does.",
        tolerance=max(0.06, 0.01 * abs(usual - mae)),
    )
    answers = run.predict(data.test.inputs)

    def write(path: Path) -> Path:
        return report(run, path)

    return Worked(
        told,
        question,
        {
            "seven-steps": lambda: predictions(
                data.test.targets, answers, baseline=usual, name="crowd", targets=("people",)
            ),
            "seven-steps-loss": lambda: loss_curves(
                run.trace, "regression", run.outcome, name="crowd", loss="squared error"
            ),
        },
        after="True and predicted numbers of people in the test pictures, and the loss over the "
        "epochs. The report tells the whole training; open it in a browser.",
        sketch=Sketch(np.arange(len(losses)), losses, "steps", "loss of a minibatch"),
        pages={"seven-steps.html": write},
    )  # fmt: skip


def _verdict(run: Run, data: Dataset) -> str:
    """What training and test error say of overfitting."""
    seen, unseen = (run.measure(part)["mae"] for part in (data.train, data.test))
    said = f"On the training set it is off by {shown(seen, 4)} people: "
    if unseen > 1.2 * seen:
        return f"{said}on unseen pictures it is worse, so it overfits to a degree."
    return f"{said}unseen pictures are no harder for it, so it does not overfit."


CHAPTER = Chapter(
    16,
    "seven-steps",
    "All seven steps, on a crowd",
    (
        "Everything is in place, and this is the whole of it, in seven steps: minibatches from "
        "the training set; the loss of each; the gradient of the loss; backpropagation and "
        "gradient descent to change the weights and biases; once through all samples, which is an "
        "epoch; many epochs; and at the end the test set.",
        "Now a network learns to count people in pictures of streets, with the squared error of "
        "chapter 4. Its first layers look at small patches of the picture with the same few "
        "weights everywhere (a convolution); the last layer adds up what they found. As in "
        "chapter 14 Adam makes the steps.",
    ),
    (
        Ask("photos", "pictures", 160, 60, 240),
        Ask("epochs", "epochs", 20, 1, 40),
    ),
    act,
    f"""
import numpy as np
import downslope as ds
from downslope.data.scenes.scene import draw_scene

size = {{"height": {_HEIGHT}, "width": {_WIDTH}}}
scenes = [draw_scene({_SERIES}, one, **size) for one in range($photos)]
images = np.stack([scene.photo for scene in scenes])
people = np.array([[len(scene.heads)] for scene in scenes], np.float32)
data = ds.Dataset.from_arrays(images, people, task="regression")
network = (
    "standardize, conv 16 5 relu stride=2, max_pool 2, conv 32 3 relu,"
    "average_pool 8, flatten, dense 1"
)
run = ds.train(
    network,
    data,
    loss="squared_error",
    optimizer="adam",
    learning_rate={_RATE},
    batch_size={_BATCH},
    epochs=$epochs,
)
print(run.test())
print(run.baseline()["mae"] - run.test()["mae"])
""",
    (
        ("runs/train.py", "a training, from network and data to a run"),
        ("engine/loop.py", "the loop of all steps"),
        ("reporting/report.py", "the report of a training"),
    ),
    ("downslope train crowd", "downslope report RUN", "downslope count RUN photo.jpg"),
)
