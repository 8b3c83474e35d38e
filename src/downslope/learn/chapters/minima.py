"""A and B: a local minimum, and what gets out of it."""

from __future__ import annotations

import numpy as np

from downslope.insight.escape import LEARNING_RATE, SAMPLES, A, B, escape, mean_curve
from downslope.learn.chapter import Ask, Chapter, Question, Sketch, Worked, shown
from downslope.plots.escape import endings
from downslope.text import Table

_EPOCHS = 32


def act(batch_size: int, starts: int) -> Worked:
    """Let many starts descend beside the local minimum, at three batch sizes."""
    found = escape(starts=starts, batch_sizes=("full", batch_size, 1), epochs=_EPOCHS)
    full, own, single = found.walkers
    rows = (
        ("reached A", shown(own.came_to_a)),
        ("of these, were back in B later", shown(own.back_in_b)),
        ("were in A at the end", shown(own.ended_in_a)),
        ("were in B at the end", shown(own.ended_in_b)),
        ("were in neither", shown(own.elsewhere)),
    )
    told = (
        f"The curve has its local minimum B at w = {shown(B)} and its lowest point, A, at w = "
        f"{shown(A)}. It is the mean of {SAMPLES:,} samples, each of which has a curve of its own. "
        f"All {starts} starts are beside B; every sample is seen {_EPOCHS} times, at the learning "
        f"rate {LEARNING_RATE}. With your batches of {batch_size}:",
        "",
        Table((f"of {starts} starts", ""), rows, numeric=(1,)),
    )
    question = Question(
        f"With the full batch, how many of the {starts} starts reach A?",
        full.came_to_a,
        "The full batch follows the drawn curve exactly, always downhill. Between B and A lies a "
        "hill.",
        f"{full.ended_in_b} of {starts} ended in B, where descent ends when "
        " nothing disturbs it. Single samples disturb it too much: "
        f"{single.came_to_a} starts reached A, {single.back_in_b} of them were thrown back to B, "
        f"and {single.ended_in_a} ended in A.",
        tolerance=0,
    )
    w = np.linspace(-1.0, 9.5, 300)
    return Worked(
        told,
        question,
        {"minima": lambda: endings(found)},
        after="The curve with A and B, and where all starts ended.",
        sketch=Sketch(w, mean_curve(w), "weight w", "loss", (A, B)),
    )


CHAPTER = Chapter(
    12,
    "minima",
    "A and B: the wrong valley",
    (
        "The surface of a real loss is not one bowl. It has many valleys. The bottom of the "
        "deepest one is the global minimum, here A. The bottom of any other is a local minimum, "
        "here B: every small step from it leads up, so plain descent stays there, although lower "
        "ground exists.",
        "Here chance helps. The gradient of a batch is a little off, each time in another way. "
        "These errors push the weights about, and may push them over the hill, out of B. Single "
        "samples push so hard that they also leave A again. Batches of a few hundred samples are "
        "often noisy enough for the one and too quiet for the other.",
        "This curve, its noise and its learning rate were made to show that within seconds. For "
        "your own data nobody knows beforehand which batch size is best; one tries.",
    ),
    (
        Ask("batch_size", "samples in your batches", 256, 8, 4096),
        Ask("starts", "walks, each from a start of its own", 40, 1, 200),
    ),
    act,
    """
import downslope as ds

sizes = ("full", $batch_size, 1)
found = ds.insight.escape(starts=$starts, batch_sizes=sizes)
for walkers in found.walkers:
    print(walkers.name, walkers.came_to_a, walkers.ended_in_a)
print(found.walkers[0].came_to_a)
""",
    (
        ("insight/escape.py", "this curve and its walkers"),
        ("insight/minima.py", "where real trainings from many starts end"),
    ),
    ("downslope escape", "downslope minima digits --starts 32"),
)
