"""Is a kink called a kink, and nothing else, whatever the function's scale is?

    python -m tests.campaigns.kinks [--cases 10000] [--seed 0] [--out FILE]

Each case draws a center c, a width w and a height, from 1e-6 to 1e12, and a function of x that is
smooth at c or has a kink of known slopes there. The slopes are found at c, or at another point
where the function is smooth. The whole size takes about ten minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

from downslope.insight.slope import slope

# of u = (x - c) / w, in units of the height: the text, and the slope at u = 0
SMOOTH = {
    "square": ("({u})**2", 0),
    "cube": ("({u})**3", 0),
    "steep power": ("({u})**20", 0),
    "line": ("3*({u}) + 2", 3),
    "sine": ("sin({u})", 1),
    "cosine": ("cos({u})", 0),
    "exponential": ("exp({u})", 1),
    "bell": ("exp(-({u})**2)", 0),
    "tanh": ("tanh({u})", 1),
    "sigmoid": ("sigmoid({u})", 0.25),
    "softplus": ("softplus({u})", 0.5),
    "sharp softplus": ("softplus(1e9*({u}))/1e9", 0.5),
    "root": ("sqrt(({u})**2 + 1)", 0),
    "sharp root": ("sqrt(({u})**2 + 1e-12)", 0),
    "elu": ("elu({u})", 1),
    "joined": ("where(x < {c}, {u}, sinh({u}))", 1),
    "joined parabola": ("where(x <= {c}, ({u})**2, -({u})**2)", 0),
    "square by its sign": ("({u})*abs({u})", 0),
    "squared relu": ("relu({u})**2", 0),
    "two that cancel": ("relu({u}) - relu(-({u}))", 1),
    "absolute cube": ("abs({u})**3", 0),
    "quotient": ("1/(1 + ({u})**2)", 0),
    "largest of two": ("maximum(({u})**2, -({u})**2)", 0),
}
# the same, with the slopes on the left and on the right
KINKED = {
    "absolute": ("abs({u})", -1, 1),
    "relu": ("relu({u})", 0, 1),
    "relu of minus": ("2*relu(-({u}))", -2, 0),
    "maximum": ("maximum(-0.5*({u}), 2*({u}))", -0.5, 2),
    "minimum": ("minimum({u}, 0)", 1, 0),
    "peak": ("exp(-abs({u}))", 1, -1),
    "rectified sine": ("abs(sin({u}))", -1, 1),
    "joined": ("where(x < {c}, 3*({u}), 5*({u}))", 3, 5),
    "joined at its end": ("where(x >= {c}, sin({u}), 0.25*({u}))", 0.25, 1),
    "root of the square": ("sqrt(({u})**2)", -1, 1),
    "small one on a parabola": ("({u})**2 + 1e-3*abs({u})", -1e-3, 1e-3),
    "small one on a line": ("4*({u}) + 1e-3*relu({u})", 4, 4.001),
    "inside": ("tanh(relu({u}))", 0, 1),
    "nested": ("abs(abs({u}) - 1)", 1, -1),
    "three lines": ("maximum(maximum(-({u}), 0.5*({u})), 4*({u}))", -1, 4),
    "of an exponential": ("abs(exp({u}) - 1)", -1, 1),
}


@dataclass(frozen=True)
class Case:
    """One function at one point.

    Attributes:
        kind: What it is called above.
        text: The function.
        at: The point.
        kink: Its slopes there if it has a kink there, else None.
        slope: Its slope there if it is smooth there; None where that is not known in closed form.
    """

    kind: str
    text: str
    at: float
    kink: tuple[float, float] | None
    slope: float | None


def drawn(number: int, seed: int = 0) -> Case:
    """The case of a number."""
    random = np.random.default_rng((seed, number))
    center = 0.0 if random.random() < 0.15 else _number(random) * float(random.choice([-1, 1]))
    # within some digits of the center, or x - c would be rounding alone
    width = _number(random, least=max(1e-6, abs(center) * 1e-9))
    height = _number(random)
    kinked = random.random() < 0.5
    kinds = KINKED if kinked else SMOOTH
    kind = str(random.choice(list(kinds)))
    text, *slopes = kinds[kind]
    shift = f"x - {center!r}" if center >= 0 else f"x + {-center!r}"
    u = f"({shift if center else 'x'})/{width!r}"
    text = f"{height!r}*({text.format(u=u, c=repr(center))})"
    unit = height / width
    if kinked and random.random() < 0.3:  # beside the kink
        return Case(f"beside: {kind}", text, center + width * random.uniform(0.1, 0.9), None, None)
    if kinked:
        return Case(kind, text, center, (slopes[0] * unit, slopes[1] * unit), None)
    return Case(kind, text, center, None, slopes[0] * unit)


def _number(random: np.random.Generator, least: float = 1e-6) -> float:
    """From `least` to 1e12, evenly over the powers of ten; a few digits, as people write."""
    value = 10 ** random.uniform(math.log10(least), 12)
    return float(f"{value:.{random.integers(1, 7)}g}")


def fault(case: Case) -> str:
    """What is wrong with what is found; empty if nothing is."""
    (found,) = slope(case.text, at=case.at).tangents
    if found.jump is not None:
        return f"false jump {found.jump}"
    if case.kink is None and found.kink is not None:
        return f"false kink {found.kink}"
    if case.kink is not None and found.kink is None:
        return "missed"
    if case.kink is not None and not np.allclose(found.kink, case.kink, rtol=1e-5, atol=0):
        return f"slopes {found.kink} instead of {case.kink}"
    if case.slope is not None:
        scale = max(abs(case.slope), 1e-9 * abs(found.value / (case.at or 1)))
        if abs(found.slope - case.slope) > 1e-5 * scale:
            return f"slope {found.slope} instead of {case.slope}"
    return ""


def measure(cases: int, seed: int = 0) -> dict:
    """How many were right, by what they are, and what was wrong."""
    count, faults = Counter(), []
    for number in range(cases):
        case = drawn(number, seed)
        count["kinked" if case.kink else "smooth"] += 1
        if wrong := fault(case):
            faults.append({"case": number, "kind": case.kind, "text": case.text, "at": case.at,
                           "fault": wrong})  # fmt: skip
        if number % 500 == 499:
            jax.clear_caches()
    false = sum(one["fault"].startswith("false") for one in faults)
    missed = sum(one["fault"] == "missed" for one in faults)
    return {**count, "false": false, "missed": missed, "faults": faults}


def main() -> None:
    """Run the campaign and print what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    found = measure(arguments.cases, arguments.seed)
    text = json.dumps(found, indent=1)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
