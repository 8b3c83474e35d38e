"""The crowd and the squared error: how wrong a count is, as one number."""

from __future__ import annotations

from downslope.insight.slope import slope
from downslope.learn.chapter import Ask, Chapter, Question, Sketch, Worked, shown
from downslope.learn.drawing import curves
from downslope.text import Table


def act(people: float, first: float, second: float) -> Worked:
    """Measure the loss of two guesses, and of one that is twice as far off."""
    error = (first - people) or 10.0
    points = (first, second, people + error, people + 2 * error)
    found = slope("squared_error", at=points, target=people)
    one, two, near, far = found.tangents
    rows = [
        (shown(each.at), shown(each.at - people), shown(each.value)) for each in found.tangents[:2]
    ]
    question = Question(
        "A third network is wrong by twice as many people as the first. How many times as large "
        "is its loss?",
        far.value / near.value,
        f"Compute both: the square of {shown(error)}, and the square of {shown(2 * error)}.",
        f"The loss of {shown(far.at)} people is {shown(far.value, 12)}, that of {shown(near.at)} "
        f"is {shown(near.value, 12)}: {shown(far.value / near.value)} times as large. The squared "
        "error punishes one large mistake more than several small ones.",
    )
    return Worked(
        (
            f"The photo shows {shown(people)} people.",
            "",
            Table(("guess y", f"error y − {shown(people)}", "loss"), rows, numeric=(0, 1, 2)),
            "",
            f"At y = {shown(people)} the loss is 0, its lowest value.",
        ),
        question,
        {
            "loss": lambda: curves(
                f"The squared error for a photo of {shown(people)} people",
                "The loss of every guess. It is 0 where the guess is right, and grows on both "
                "sides of it.",
                [(found.x, found.y, "")],
                x="y  (the guess)",
                y="loss",
                points=[
                    (one.at, one.value, f"guess {shown(one.at)}\nloss {shown(one.value, 12)}"),
                    (two.at, two.value, f"guess {shown(two.at)}\nloss {shown(two.value, 12)}"),
                    (people, 0.0, f"{shown(people)}: the truth"),
                ],
            )
        },
        after="The loss of every guess, with your two.",
        sketch=Sketch(found.x, found.y, "guess y", "loss", (first, second)),
    )


CHAPTER = Chapter(
    4,
    "loss",
    "A crowd, and how wrong a count is",
    (
        "Say a network is to estimate how many people are in a photo. To train it one needs many "
        "photos in which somebody has counted the people. Each photo with its count, its label, "
        "is a sample; all samples to learn from are the training set.",
        "An untrained network guesses badly. For each sample one number has to say how badly: the "
        "loss. There are many ways to compute a loss, and any will do that is small for good "
        "answers and large for bad ones. For counts the squared error is a good choice: L = (y "
        "− t)², where y is the guess and t, the target, is the true count.",
        "The loss decides what the network will learn. All training does is to make it small.",
    ),
    (
        Ask("people", "people in the photo", 500.0, -1e6, 1e6),
        Ask("first", "a first guess", 350.0, -1e6, 1e6),
        Ask("second", "a second guess", 600.0, -1e6, 1e6),
    ),
    act,
    """
import downslope as ds

error = ($first - $people) or 10.0
points = ($first, $people + error, $people + 2 * error)
found = ds.insight.slope("squared_error", at=points, target=$people)
guess, near, far = (point.value for point in found.tangents)
print(guess)
print(far / near)
""",
    (
        ("nn/losses.py", "the losses, and where a loss of your own would go"),
        ("data/readers/crowds.py", "folders of photos with counted people"),
    ),
    ("downslope slope", "downslope slope absolute_error --target 500 --at 350,600"),
)
