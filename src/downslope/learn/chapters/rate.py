"""The learning rate: too small, good, and so large that the loss grows."""

from __future__ import annotations

import numpy as np

from downslope.insight.bowl import LARGEST_RATE, bowl
from downslope.learn.chapter import Ask, Chapter, Question, Sketch, Worked, shown
from downslope.plots.bowl import descents
from downslope.text import Table

_SMALL, _GOOD = 0.05, 0.6
_CHOICES = ("smaller than at the start", "larger than at the start")


def act(rate: float, steps: int) -> Worked:
    """Descend at a small and a good rate, and ask what happens at the reader's own."""
    found = bowl(rates=(_SMALL, _GOOD, rate), steps=steps)
    small, good, own = found.descents
    start, end = own.losses[0], own.losses[-1]
    factor = 1 - 2 * rate
    rows = [
        (shown(one.rate), shown(one.losses[-1], 4), f"w1 = {shown(one.weights[-1, 0], 4)}")
        for one in (small, good)
    ]
    told = (
        f"In the bowl of chapter 7, from (0.5, −1.5), where the loss is {shown(start)}, {steps} "
        "steps at two rates:",
        "",
        Table(("learning rate", "loss at the end", "where"), rows, numeric=(0, 1)),
        "",
        f"The lowest point is at w1 = 4. At {_SMALL} each step is a tenth of the way that is left "
        f"along w1; at {_GOOD} the walk is soon there.",
    )
    way = "on the other side of the lowest point" if factor < 0 else "on the same side"
    question = Question(
        f"And at your learning rate, {shown(rate)}: what is the loss after {steps} steps?",
        _CHOICES[int(end > start)],
        f"A step multiplies the distance of w1 from 4 by 1 − 2 × {shown(rate)} = "
        f"{shown(factor)}, and that of w2 from 3 by 1 − {shown(rate)} = {shown(1 - rate)}. Which "
        f"of the two matters more after {steps} {'step' if steps == 1 else 'steps'}?",
        f"Each step multiplies the distance of w1 from 4 by {shown(factor)}: it lands {way}, "
        f"{'farther away' if abs(factor) > 1 else 'no farther away'} than before. The loss goes "
        f"from {shown(start)} to {shown(end, 4)}.{_aside(factor, end > start)} Above a rate of "
        f"{shown(LARGEST_RATE)} every step overshoots so far that in the end the loss grows.",
        choices=_CHOICES,
    )
    return Worked(
        told,
        question,
        {"rate": lambda: descents(found)},
        after="The three walks. Where one jumps from side to side, it overshoots.",
        sketch=Sketch(np.arange(steps + 1), own.losses, "steps", "loss at your rate"),
    )


def _aside(factor: float, is_larger: bool) -> str:
    """What to say where w1 goes away and the loss falls all the same."""
    if abs(factor) <= 1 or is_larger:
        return ""
    return " It is smaller so far, because w2 came nearer to 3 than w1 went from 4."


CHAPTER = Chapter(
    9,
    "rate",
    "The learning rate",
    (
        "The gradient says which way to go. It does not say how far: it knows the slope under "
        "your feet and nothing of the ground beyond. So the weights are moved by the gradient "
        "times a small number, the learning rate, which a person has to choose.",
        "Too small, and the walk takes forever. Too large, and a step crosses the whole bowl and "
        "lands on the other side, perhaps higher than before. That is overshooting; if it happens "
        "at every step, the loss grows without end. Finding a good rate is part of the craft.",
    ),
    (
        Ask("rate", "your learning rate", 1.02, 0.001, 3),
        Ask("steps", "steps", 15, 1, 40),
    ),
    act,
    """
import downslope as ds

found = ds.insight.bowl(rates=(0.05, 0.6, $rate), steps=$steps)
for descent in found.descents:
    print(descent.rate, descent.losses[-1])
losses = found.descents[-1].losses
print("b" if losses[-1] > losses[0] else "a")
""",
    (
        ("insight/learning_rate.py", "the search for a good rate of a real network"),
        ("engine/optimizers.py", "how a rate is used, and how it changes over a training"),
    ),
    ("downslope bowl", "downslope rate digits", "downslope train digits --learning-rate auto"),
)
