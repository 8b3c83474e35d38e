"""The test set: samples that nothing was chosen by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from downslope.data import load
from downslope.data.dataset import Samples
from downslope.learn.chapter import Ask, Chapter, Question, Worked, must_be_whole
from downslope.learn.drawing import bars
from downslope.runs.train_many import train_side_by_side
from downslope.text import Table

_NETWORK, _EPOCHS, _TRAINING = "dense 8 relu, dense 10", 12, 300


def act(networks: int) -> Worked:
    """Train several networks, choose one by the validation set, and test it once."""
    data = load("digits")
    few = replace(data, train=data.train.take(np.arange(_TRAINING)))
    found = train_side_by_side(_NETWORK, few, seeds=range(networks), epochs=_EPOCHS)
    must_be_whole(*found.outcomes)
    chosen_by, test = few.validation, few.test
    right = [
        int((found.model(one, few).predict(chosen_by.inputs) == chosen_by.targets).sum())
        for one in range(networks)
    ]
    best = int(np.argmax(right))
    tested = int((found.model(best, few).predict(test.inputs) == test.targets).sum())
    accuracy, count = tested / len(test), len(test)
    validation = right[best] / len(chosen_by)
    rows = (
        (f"the mean of all {networks}, validation set", _percent(float(np.mean(right)), chosen_by)),
        (f"number {best + 1}, the best, validation set", _percent(right[best], chosen_by)),
        (f"number {best + 1}, test set", _percent(tested, test)),
    )
    told = (
        f"{networks} networks, alike but for their first weights, learnt {_TRAINING} digits for "
        f"{_EPOCHS} epochs. The one with the most right answers among the {len(chosen_by)} digits "
        "of the validation set was chosen. Only that one was then given the test set:",
        "",
        Table(("accuracy: the fraction of right answers", ""), rows, numeric=(1,)),
    )
    question = Question(
        f"The test set has {count} digits. How many does the chosen network get wrong?",
        count - tested,
        f"{_percent(tested, test)} of {count} are right; the rest is wrong.",
        f"{count} − {tested} = {count - tested}. {_comparison(validation, accuracy)}",
        tolerance=0,
    )
    return Worked(
        told,
        question,
        {
            "test-set": lambda: bars(
                "Chosen by the validation set, measured by the test set",
                f"Right answers of each network on {len(chosen_by)} validation digits. The line "
                f"is the test set's figure for number {best + 1}, which was chosen.",
                100 * np.array(right) / len(chosen_by),
                100 * accuracy,
                best,
                x="network",
                y="right answers, %",
            )
        },
        after="Each network on the validation set, and the chosen one on the test set.",
    )


def _percent(right: float, samples: Samples) -> str:
    return f"{100 * right / len(samples):.2f} %"


def _comparison(validation: float, test: float) -> str:
    if test < validation:
        return (
            "The test figure is lower than the one it was chosen by. The best of several is "
            "partly the luckiest, and the luck does not repeat on new samples."
        )
    return (
        "Here the test figure is not lower than the one it was chosen by; with another number of "
        "networks it may be. The best of several is partly the luckiest, and only samples that "
        "nothing was chosen by tell without that luck."
    )


CHAPTER = Chapter(
    15,
    "test-set",
    "The test set",
    (
        "At the end one wants to know how well the network will do on samples of the future. So "
        "a part of the samples is put aside at the very beginning and looked at once, when all is "
        "done: the test set. It shows how good the network is on what it does not know, and "
        "whether it overfits.",
        "Why not use the validation set for that? Because you chose by it: which network to keep, "
        "how long to train, which learning rate to take. Whoever picks the best figure of many "
        "picks good luck as well. The test set must not be chosen by; each time you look at it "
        "and change something, its figure becomes too good. Downslope counts the looks.",
    ),
    (Ask("networks", "networks to choose from", 8, 1, 32),),
    act,
    f"""
from dataclasses import replace
import numpy as np
import downslope as ds

data = ds.load("digits")
few = replace(data, train=data.train.take(np.arange({_TRAINING})))
network, seeds = "{_NETWORK}", range($networks)
found = ds.train_side_by_side(network, few, seeds=seeds, epochs={_EPOCHS})


def right(number, samples):
    predicted = found.model(number, few).predict(samples.inputs)
    return int((predicted == samples.targets).sum())


best = int(np.argmax([right(one, few.validation) for one in seeds]))
print(right(best, few.validation) / len(few.validation))
print(len(few.test) - right(best, few.test))
""",
    (
        ("data/split.py", "the training, validation and test part"),
        ("runs/test_evaluations.py", "how often the test part was looked at"),
    ),
    ("downslope test RUN", "downslope test RUN --data OTHER"),
)
