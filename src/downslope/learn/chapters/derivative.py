"""The derivative: which way is down, without looking at the curve."""

from __future__ import annotations

from downslope.insight.slope import slope
from downslope.learn.chapter import Ask, Chapter, Question, Sketch, Worked, shown
from downslope.plots.slope import tangents
from downslope.text import Table


def act(people: float, first: float, second: float) -> Worked:
    """Find the slope of the squared error at one guess, and ask for that at another."""
    found = slope("squared_error", at=(first, second, first + 1, second + 1), target=people)
    one, two, more, further = found.tangents
    told = (
        f"The loss is L = (y − {shown(people)})². Its derivative, by the rules of calculus, "
        f"is dL/dy = 2 (y − {shown(people)}).",
        f"At y = {shown(first)} that is 2 × ({shown(first)} − {shown(people)}) = "
        f"{shown(one.slope)}. {_meaning(one.slope)}",
        "Checked by counting one more person:",
        "",
        Table(
            ("y", "loss", "change"),
            (
                (shown(first), shown(one.value, 12), ""),
                (shown(first + 1), shown(more.value, 12), shown(more.value - one.value)),
            ),
            numeric=(0, 1, 2),
        ),
        "",
        f"The loss changes by {shown(more.value - one.value)}, about the slope. It is not exactly "
        "the slope, because the curve bends on the way to the next person.",
    )
    question = Question(
        f"What is the slope dL/dy at y = {shown(second)}?",
        two.slope,
        f"Put {shown(second)} in the place of y: 2 × ({shown(second)} − {shown(people)}).",
        f"2 × ({shown(second)} − {shown(people)}) = {shown(two.slope)}. "
        f"{_meaning(two.slope)} (One more person changes the loss by "
        f"{shown(further.value - two.value)}.)",
    )
    drawn = slope("squared_error", at=(first, second), target=people)
    return Worked(
        told,
        question,
        {"derivative": lambda: tangents(drawn)},
        after="The curve with a straight line at each guess that has the curve's slope there.",
        sketch=Sketch(drawn.x, drawn.y, "prediction y", "loss", (first, second)),
    )


def _meaning(value: float) -> str:
    if value == 0:
        return "The curve is level there: this is its lowest point."
    way, need = ("falls", "larger") if value < 0 else ("rises", "smaller")
    return (
        f"So for each bit that y grows, the loss {way} {shown(abs(value))} times as much: a {need} "
        "y makes the loss smaller."
    )


CHAPTER = Chapter(
    5,
    "derivative",
    "The derivative: which way is down",
    (
        "On the curve of the last chapter you can see which way to go: from 350 up to 500, from "
        "600 down to 500. A network cannot see its curve. It has one value of the loss, at the "
        "weights that it has now; to draw the rest would mean to try all other weights.",
        "Calculus has a tool for that: the derivative. It says how much one number changes when "
        "another one grows a little. The derivative of the loss L by the prediction y is written "
        "dL/dy, and read as the change of L for a change of y. On the curve it is the slope: "
        "negative where the curve falls to the right, positive where it rises, 0 where it is "
        "level.",
        "The sign says which way to go, and the size how steep it is. Both come out of one "
        "formula, at one point, with the curve never drawn.",
    ),
    (
        Ask("people", "people in the photo", 500.0, -1e6, 1e6),
        Ask("first", "a first prediction", 350.0, -1e6, 1e6),
        Ask("second", "a second prediction", 600.0, -1e6, 1e6),
    ),
    act,
    """
import downslope as ds

points = ($first, $second)
found = ds.insight.slope("squared_error", at=points, target=$people)
for tangent in found.tangents:
    print(tangent.slope)
""",
    (
        ("insight/slope.py", "slopes of losses, activations and any other function"),
        ("nn/losses.py", "the losses; their derivatives are computed from these formulas"),
    ),
    ("downslope explore", "downslope slope", 'downslope slope "x**2 - 3*x" --at 1,2'),
)
