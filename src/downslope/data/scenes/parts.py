"""Street furniture and house fronts of a generated street scene.

Every part is a small function that draws simple shapes with a `Pen`.  Lengths are metres times
`s`, the pixels per metre at the part's foot point (x, y); `u` holds numbers in 0..1 that vary it.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from downslope.data.scenes.people import CLOTH, LEAVES, SKIN, WALLS, Colour, Pen, Point, pick

# ------------------------------------------------------------------------------ street furniture


def _lamp(pen: Pen, x: float, y: float, s: float, u: list[float]) -> None:
    pole = (58, 62, 64)
    pen.line([(x, y), (x, y - 4.3 * s)], pole, 0.1 * s)
    pen.line([(x + 0.02 * s, y), (x + 0.02 * s, y - 4.3 * s)], pole, 0.03 * s, 1.5)
    pen.box(x - 0.1 * s, y - 0.5 * s, x + 0.1 * s, y, pole, 0.8)
    pen.oval(x, y - 4.4 * s, 0.22 * s, 0.22 * s, (236, 232, 214))


def _tree(pen: Pen, x: float, y: float, s: float, u: list[float]) -> None:
    green, bark = LEAVES[int(u[0] * len(LEAVES))], (82, 66, 52)
    pen.poly(
        [
            (x - 0.16 * s, y),
            (x + 0.16 * s, y),
            (x + 0.1 * s, y - 2.6 * s),
            (x - 0.1 * s, y - 2.6 * s),
        ],
        bark,
    )
    pen.line(
        [(x + pen.sun_side * 0.06 * s, y), (x + pen.sun_side * 0.04 * s, y - 2.5 * s)],
        bark,
        0.08 * s,
        1.3,
    )
    pen.line([(x, y - 2.2 * s), (x + 0.7 * s, y - 3.1 * s)], bark, 0.09 * s)
    pen.line([(x, y - 2.1 * s), (x - 0.6 * s, y - 3.0 * s)], bark, 0.09 * s)
    foliage(pen, x, y - 3.7 * s, 1.35 * s, 1.15 * s, green, u[1])


def foliage(pen: Pen, x: float, y: float, rx: float, ry: float, green: Colour, seed: float) -> None:
    """Draw a leafy crown about (x, y) from dark blobs inside to light ones on the sunny side."""
    golden = 2.399963  # radians; spreads blobs evenly without random numbers
    for layer, (count, gain, size) in enumerate(
        ((12, 0.62, 0.46), (18, 0.85, 0.27), (22, 1.12, 0.15))
    ):
        for i in range(count):
            angle = golden * (i + 7 * layer) + 6.28 * seed
            far = math.sqrt((i + 0.5) / count) * (0.92 - 0.1 * layer)
            px = x + rx * far * math.cos(angle) + pen.sun_side * 0.12 * layer * rx
            py = y + ry * far * math.sin(angle) - 0.12 * layer * ry
            blob = size * (0.8 + 0.4 * ((i * 0.618 + seed) % 1))
            pen.oval(px, py, blob * rx, blob * ry, green, gain * (0.9 + 0.2 * ((i * 0.37) % 1)))


def _car(pen: Pen, x: float, y: float, s: float, u: list[float]) -> None:
    paint, turn = pick(CLOTH, u[0], u[1]), 1 if u[2] < 0.5 else -1

    def at(shape: tuple[Point, ...]) -> list[Point]:
        return [(x + turn * px * s, y - py * s) for px, py in shape]

    pen.box(x - 1.9 * s, y - 0.32 * s, x + 1.9 * s, y - 0.05 * s, (20, 20, 22))
    pen.poly(
        at(
            (
                (-2.1, 0.3),
                (-2.1, 0.8),
                (-1.9, 0.92),
                (-1.35, 1.42),
                (0.5, 1.42),
                (1.15, 0.95),
                (1.95, 0.82),
                (2.12, 0.62),
                (2.1, 0.3),
            )
        ),
        paint,
    )
    pen.poly(at(((-2.1, 0.3), (-2.1, 0.5), (2.1, 0.5), (2.1, 0.3))), paint, 0.66)
    pen.poly(at(((-1.2, 1.35), (0.45, 1.35), (0.98, 0.96), (-1.62, 0.96))), (52, 64, 74))
    pen.poly(at(((-0.9, 1.35), (-0.3, 1.35), (-0.7, 0.96), (-1.3, 0.96))), (120, 138, 150))
    pen.line(at(((-0.2, 1.38), (-0.2, 0.34))), paint, 0.07 * s, 0.7)
    pen.line(at(((-1.3, 1.42), (0.5, 1.42))), paint, 0.05 * s, 1.3)
    for wheel in (-1.3, 1.32):
        pen.oval(x + wheel * s, y - 0.31 * s, 0.33 * s, 0.33 * s, (26, 26, 28))
        pen.oval(x + wheel * s, y - 0.31 * s, 0.18 * s, 0.18 * s, (140, 142, 146))
    pen.oval(x + turn * 2.0 * s, y - 0.68 * s, 0.1 * s, 0.09 * s, (250, 244, 214))
    pen.oval(x - turn * 2.05 * s, y - 0.74 * s, 0.06 * s, 0.09 * s, (190, 30, 26))


def _kiosk(pen: Pen, x: float, y: float, s: float, u: list[float]) -> None:
    paint, awning = pick(WALLS, u[0], u[1]), pick(CLOTH, u[2], 0.7)
    pen.box(x - 1.1 * s, y - 2.3 * s, x + 1.1 * s, y, paint, 0.9)
    pen.box(x - 0.95 * s, y - 1.95 * s, x + 0.95 * s, y - 1.0 * s, (60, 54, 48))
    for i in range(9):  # goods behind the counter
        tint = CLOTH[int((u[1] * 20 + i * 7) % len(CLOTH))]
        pen.box(
            x + (-0.85 + 0.19 * i) * s, y - 1.32 * s, x + (-0.72 + 0.19 * i) * s, y - 1.05 * s, tint
        )
    pen.box(x - 1.1 * s, y - 1.04 * s, x + 1.1 * s, y - 0.92 * s, (210, 204, 190))
    for i in range(8):
        x0 = x + (-1.3 + 0.325 * i) * s
        stripe = awning if i % 2 else (232, 228, 218)
        pen.poly(
            [
                (x0 + 0.05 * s, y - 2.4 * s),
                (x0 + 0.3 * s, y - 2.4 * s),
                (x0 + 0.325 * s, y - 1.9 * s),
                (x0, y - 1.9 * s),
            ],
            stripe,
        )
    pen.box(x - 1.15 * s, y - 2.55 * s, x + 1.15 * s, y - 2.36 * s, paint, 0.7)


def _bench(pen: Pen, x: float, y: float, s: float, u: list[float]) -> None:
    wood = (134, 96, 62)
    for side in (-0.7, 0.7):
        pen.line([(x + side * s, y), (x + side * s, y - 0.85 * s)], (50, 52, 54), 0.08 * s)
    for up, gain in ((0.83, 1.1), (0.68, 1.0), (0.43, 1.15), (0.36, 0.8)):
        pen.line([(x - 0.9 * s, y - up * s), (x + 0.9 * s, y - up * s)], wood, 0.1 * s, gain)


def _bin(pen: Pen, x: float, y: float, s: float, u: list[float]) -> None:
    paint = ((48, 78, 58), (70, 74, 78), (60, 66, 96))[int(u[0] * 3)]
    pen.box(x - 0.24 * s, y - 0.85 * s, x + 0.24 * s, y - 0.04 * s, paint)
    pen.box(
        x - pen.sun_side * 0.04 * s,
        y - 0.85 * s,
        x - pen.sun_side * 0.24 * s,
        y - 0.04 * s,
        paint,
        0.75,
    )
    pen.oval(x, y - 0.04 * s, 0.24 * s, 0.07 * s, paint, 0.7)
    pen.oval(x, y - 0.86 * s, 0.27 * s, 0.12 * s, paint, 1.3)
    pen.oval(x, y - 0.88 * s, 0.15 * s, 0.06 * s, (20, 20, 20))


def _bollard(pen: Pen, x: float, y: float, s: float, u: list[float]) -> None:
    pen.line([(x, y), (x, y - 0.85 * s)], (74, 72, 70), 0.14 * s)
    _ball_at(
        pen, x, y - 0.95 * s, 0.14 * s, ((96, 94, 90), (180, 160, 120), (60, 60, 62))[int(u[0] * 3)]
    )


def _ball_at(pen: Pen, x: float, y: float, r: float, colour: Colour) -> None:
    pen.oval(x, y, r, r, colour, 0.75)
    pen.oval(x + pen.sun_side * 0.15 * r, y - 0.15 * r, 0.78 * r, 0.78 * r, colour)
    pen.oval(x + pen.sun_side * 0.35 * r, y - 0.4 * r, 0.25 * r, 0.25 * r, colour, 1.4)


def _ball(pen: Pen, x: float, y: float, s: float, u: list[float]) -> None:
    _ball_at(pen, x, y - 0.13 * s, 0.13 * s, (SKIN + CLOTH)[int(u[0] * 26)])


def _sign(pen: Pen, x: float, y: float, s: float, u: list[float]) -> None:
    rim, face = (
        ((190, 40, 36), (236, 234, 228)),
        ((36, 76, 150), (54, 96, 170)),
        ((200, 160, 40), (60, 58, 52)),
    )[int(u[0] * 3)]
    pen.line([(x, y), (x, y - 2.2 * s)], (120, 122, 124), 0.07 * s)
    pen.oval(x, y - 2.2 * s, 0.27 * s, 0.27 * s, rim)
    pen.oval(x, y - 2.2 * s, 0.19 * s, 0.19 * s, face)


def _planter(pen: Pen, x: float, y: float, s: float, u: list[float]) -> None:
    pen.poly(
        [
            (x - 0.6 * s, y - 0.5 * s),
            (x + 0.6 * s, y - 0.5 * s),
            (x + 0.5 * s, y),
            (x - 0.5 * s, y),
        ],
        (150, 140, 128),
    )
    pen.box(x - 0.64 * s, y - 0.56 * s, x + 0.64 * s, y - 0.46 * s, (176, 166, 152))
    foliage(pen, x, y - 0.85 * s, 0.55 * s, 0.4 * s, LEAVES[int(u[0] * 4)], u[1])
    for i in range(10):
        pen.oval(
            x + (-0.45 + 0.1 * i) * s,
            y - (0.8 + 0.3 * ((i * 0.618 + u[1]) % 1)) * s,
            0.05 * s,
            0.05 * s,
            CLOTH[8 + int(u[2] * 9)],
            1.3,
        )


def _parasol(pen: Pen, x: float, y: float, s: float, u: list[float]) -> None:
    cloth = pick(CLOTH, u[0], 0.8)
    pen.oval(x, y - 0.72 * s, 0.5 * s, 0.13 * s, (190, 182, 170))
    pen.line([(x, y), (x, y - 2.7 * s)], (214, 208, 196), 0.06 * s)
    top, rim = (
        (x, y - 2.85 * s),
        [(x + (-1.2 + 0.6 * i) * s, y - (2.15 - 0.06 * (i % 4 != 0)) * s) for i in range(5)],
    )
    for i in range(4):
        pen.poly(
            [top, rim[i], rim[i + 1]],
            cloth if i % 2 else (230, 224, 212),
            1.05 if (i < 2) == (pen.sun_side < 0) else 0.8,
        )


class Kind(NamedTuple):
    """A kind of street furniture: how to draw it and the boxes it fills.

    Each box is (left, right, bottom, top) in metres about the foot point; boxes say what hides
    people behind it and what casts a shadow.
    """

    draw: Callable[[Pen, float, float, float, list[float]], None]
    boxes: tuple[tuple[float, float, float, float], ...]


FURNITURE = {
    "lamp": Kind(_lamp, ((-0.07, 0.07, 0, 4.3), (-0.22, 0.22, 4.2, 4.6))),
    "tree": Kind(_tree, ((-0.15, 0.15, 0, 2.7), (-1.9, 1.9, 2.1, 5.3))),
    "car": Kind(_car, ((-2.1, 2.1, 0, 1.0), (-1.4, 0.9, 1.0, 1.45))),
    "kiosk": Kind(_kiosk, ((-1.15, 1.15, 0, 2.55), (-1.3, 1.3, 1.9, 2.4))),
    "bench": Kind(_bench, ((-0.9, 0.9, 0.3, 0.85),)),
    "bin": Kind(_bin, ((-0.25, 0.25, 0, 0.95),)),
    "bollard": Kind(_bollard, ((-0.08, 0.08, 0, 0.85), (-0.14, 0.14, 0.8, 1.1))),
    "ball": Kind(_ball, ((-0.13, 0.13, 0, 0.26),)),
    "sign": Kind(_sign, ((-0.04, 0.04, 0, 2.0), (-0.27, 0.27, 1.93, 2.47))),
    "planter": Kind(_planter, ((-0.8, 0.8, 0, 1.45),)),
    "parasol": Kind(_parasol, ((-0.04, 0.04, 0, 2.2), (-1.2, 1.2, 2.1, 2.8))),
}


# ---------------------------------------------------------------------------------- house fronts


def draw_facade(
    pen: Pen, corner: Callable[[float, float], Point], length: float, height: float,
    rng: np.random.Generator, lit: float,
) -> None:  # fmt: skip
    """Draw one house front seen at any angle.

    Args:
        pen: What to draw with, in the light that falls on the wall.
        corner: Maps (share along the wall 0..1, metres up) to a pixel.
        length: Length of the wall, metres.
        height: Height of the wall, metres.
        rng: Source of colours and of the windows' arrangement.
        lit: Share of windows with a light on; such windows ignore the pen's tone.
    """
    u = rng.random(8).tolist()
    wall, trim = pick(WALLS, u[0], u[1]), pick(CLOTH, u[2], u[3])

    def quad(a: float, b: float, low: float, top: float, colour: Colour, gain=1.0) -> None:
        pen.poly([corner(a, low), corner(b, low), corner(b, top), corner(a, top)], colour, gain)

    quad(0, 1, 0, height, wall)
    quad(0, 1, height - 0.35, height, wall, 0.7)
    quad(0, 1, 3.2, 3.4, wall, 1.15)
    quad(0, 1, 0, 0.4, wall, 0.7)
    bays, tone = max(1, round(length / (2.0 + u[4]))), pen.tone
    glow = rng.random((bays, 8)).tolist()
    for i in range(bays):
        a, b = (i + 0.16) / bays, (i + 0.84) / bays
        for floor in range(1, 1 + int((height - 0.5) / 3.1)):
            low = 0.5 + 3.1 * floor
            on = glow[i][floor % 8] < lit
            quad(a + 0.1 / bays, b - 0.1 / bays, low, low + 1.9, wall, 1.22)
            pen.tone = (1.0, 1.0, 1.0) if on else tone
            quad(
                a + 0.14 / bays,
                b - 0.14 / bays,
                low + 0.1,
                low + 1.8,
                (240, 200, 128) if on else (66, 80, 94),
            )
            quad(
                a + 0.14 / bays,
                (a + b) / 2 - 0.02 / bays,
                low + 0.9,
                low + 1.8,
                (222, 178, 108) if on else (112, 130, 144),
            )
            pen.tone = tone
        on = glow[i][0] < lit * 1.5
        door = glow[i][7] < 0.22
        quad(a - 0.06 / bays, b + 0.06 / bays, 0.0, 2.75, trim, 0.8)
        pen.tone = (1.0, 1.0, 1.0) if on else tone
        quad(a, b, 0.05 if door else 0.5, 2.3, (238, 196, 124) if on else (58, 62, 68))
        pen.tone = tone
        if door:
            quad((a + b) / 2 - 0.01, (a + b) / 2 + 0.01, 0.05, 2.3, trim)
        elif u[5] < 0.7:  # goods in the window, then an awning over it
            for j in range(4):
                c = a + (b - a) * (0.1 + 0.22 * j)
                quad(
                    c,
                    c + 0.1 / bays,
                    0.5,
                    0.8 + 0.9 * ((glow[i][j] * 7) % 1),
                    CLOTH[int(glow[i][j + 1] * 20)],
                    0.8,
                )
        if u[6] < 0.6:
            for j in range(6):
                c = a - 0.08 / bays + (b - a + 0.16 / bays) * j / 6
                quad(
                    c, c + (b - a + 0.16 / bays) / 6, 2.15, 2.75, trim if j % 2 else (226, 220, 208)
                )
