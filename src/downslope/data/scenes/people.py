"""The people of a generated street scene, and the pen and colours that all its parts share.

Lengths are metres times `s`, the pixels per metre at a person's foot point (x, y), so that
perspective is only a matter of the `s` handed in.  All shapes and colours are made up.
"""

from typing import NamedTuple

import numpy as np
from PIL import ImageDraw

HEAD_M = 0.27  # a head with its hair, metres; slightly generous, as simple drawings need
MAX_TAG = 255

Colour = tuple[float, float, float]
Point = tuple[float, float]

SKIN = (
    (244, 208, 180),
    (228, 185, 150),
    (205, 155, 118),
    (166, 116, 82),
    (120, 80, 56),
    (78, 52, 40),
)
HAIR = (
    (28, 22, 20),
    (52, 36, 26),
    (92, 60, 36),
    (140, 98, 56),
    (205, 170, 110),
    (160, 158, 155),
    (130, 52, 30),
)
CLOTH = (
    (32, 34, 42), (58, 62, 74), (96, 98, 104), (150, 150, 150), (226, 226, 220), (36, 52, 92),
    (70, 104, 152), (140, 170, 200), (128, 36, 40), (190, 54, 50), (216, 120, 50), (232, 190, 70),
    (60, 92, 60), (96, 120, 72), (40, 120, 120), (110, 70, 120), (206, 140, 160), (120, 92, 66),
    (182, 156, 120), (84, 60, 48),
)  # fmt: skip
TROUSERS = (
    (30, 34, 48),
    (46, 58, 88),
    (84, 100, 130),
    (36, 36, 36),
    (96, 86, 70),
    (150, 136, 110),
    (70, 72, 76),
)
LEAVES = ((58, 92, 40), (74, 110, 48), (50, 82, 50), (104, 116, 46), (150, 112, 44))
WALLS = (
    (176, 150, 124),
    (196, 184, 164),
    (150, 86, 68),
    (134, 134, 138),
    (208, 196, 150),
    (118, 104, 94),
    (172, 176, 180),
)


class Pen:
    """Draws shapes on an RGBA picture in a given light; the fourth band says whose head it is.

    `tone` multiplies each colour (the light where the thing stands), `tag` is 0 or, while a head
    is drawn, the person's number plus one.  Later shapes overwrite earlier tags, so the fourth
    band ends as an exact record of which head can be seen where.
    """

    def __init__(self, draw: ImageDraw.ImageDraw, sun_side: int = -1) -> None:
        """Wrap `draw`; `sun_side` is -1 when light comes from the left, +1 from the right."""
        self.draw, self.sun_side, self.tag = draw, sun_side, 0
        self.tone: Colour = (1.0, 1.0, 1.0)

    def ink(self, colour: Colour, gain: float = 1.0) -> tuple[int, int, int, int]:
        """Return the colour as seen in the present light."""
        (r, g, b), (red, green, blue) = colour, self.tone  # written out: this is the hot spot
        r, g, b = int(r * red * gain), int(g * green * gain), int(b * blue * gain)
        return r if r < 255 else 255, g if g < 255 else 255, b if b < 255 else 255, self.tag

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour, gain=1.0) -> None:
        """Fill an ellipse about (x, y)."""
        self.draw.ellipse((x - rx, y - ry, x + rx, y + ry), self.ink(colour, gain))

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, gain=1.0) -> None:
        """Fill an upright rectangle; the corners may come in any order."""
        corners = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        self.draw.rectangle(corners, self.ink(colour, gain))

    def poly(self, points: list[Point], colour: Colour, gain=1.0) -> None:
        """Fill a polygon."""
        self.draw.polygon(points, self.ink(colour, gain))

    def line(self, points: list[Point], colour: Colour, width: float, gain=1.0) -> None:
        """Draw a polyline `width` pixels wide."""
        self.draw.line(points, self.ink(colour, gain), max(1, round(width)))


# ---------------------------------------------------------------------------------------- people


class Look(NamedTuple):
    """What one person looks like; `height` and `head` in metres, colours 0 to 255."""

    height: float
    head: float
    build: float
    stride: float
    facing: int  # 0 towards us, 1 away, 2 to the left, 3 to the right
    hair_cut: float
    wear: float
    skin: Colour
    hair: Colour
    top: Colour
    legs: Colour
    extra: Colour


def pick(palette: tuple[Colour, ...], at: float, vary: float) -> Colour:
    """Take a colour from a palette (`at` in 0..1) and lighten or darken it by up to a fifth."""
    r, g, b = palette[int(at * len(palette))]
    gain = 0.8 + 0.4 * vary
    return r * gain, g * gain, b * gain


def draw_look(rng: np.random.Generator) -> Look:
    """Make up one person; about one in nine is a child."""
    u = rng.random(16).tolist()
    child = u[0] < 0.11
    height = 1.05 + 0.4 * u[1] if child else 1.55 + 0.32 * (u[1] + u[2]) / 2 * 1.2
    return Look(
        height=height,
        head=HEAD_M * ((0.86 if child else 0.95) + 0.1 * u[3]),
        build=(0.72 if child else 0.88) + 0.3 * u[4] ** 2,
        stride=u[5] if u[5] > 0.35 else 0.0,
        facing=int(u[6] * 4),
        hair_cut=u[7],
        wear=u[8],
        skin=pick(SKIN, u[9], 0.25 + 0.5 * u[2]),
        hair=pick(HAIR, u[10] ** 1.3, u[4]),
        top=pick(CLOTH, u[11], u[12]),
        legs=pick(TROUSERS, u[13], u[12]),
        extra=pick(CLOTH, u[14], u[15]),
    )


def head_centre(x: float, y: float, s: float, look: Look) -> Point:
    """Return where the head's centre is drawn for a person standing at (x, y), pixels."""
    return x, y - (look.height - look.head / 2) * s


def draw_person(pen: Pen, x: float, y: float, s: float, look: Look, tag: int) -> None:
    """Draw one standing or walking person with foot point (x, y) at `s` pixels per metre."""
    k = look.height / 1.72 * s  # body parts scale with the person's height
    wide = k * look.build * (0.78 if look.facing > 1 else 1.0)
    hip, shoulder = y - 0.86 * k, y - 1.42 * k
    if look.wear < 0.12 and look.facing == 0:  # a rucksack strap shows nothing, a bag does
        pen.box(x + 0.2 * wide, hip - 0.1 * k, x + 0.36 * wide, hip + 0.2 * k, look.extra, 0.9)
    _legs(pen, x, y, hip, k, look)
    _trunk(pen, x, hip, shoulder, k, wide, look)
    _head(pen, *head_centre(x, y, s, look), look.head * s / 2, look, tag)


def _legs(pen: Pen, x: float, y: float, hip: float, k: float, look: Look) -> None:
    """Draw legs, shoes and, for some, a skirt or a long coat over them."""
    step = 0.2 * look.stride * k if look.facing > 1 else 0.07 * look.stride * k
    lift = 0.08 * look.stride * k
    bare = 0.62 < look.wear < 0.72
    for side, gain in ((-1, 0.8), (1, 1.0)):
        foot = (x + side * (step + 0.08 * k), y - (lift if side < 0 else 0))
        knee = (x + side * (step * 0.45 + 0.08 * k), (hip + foot[1]) / 2)
        top = (x + side * 0.08 * k, hip - 0.05 * k)
        if bare:
            pen.line([top, knee], look.legs, 0.17 * k, gain)
            pen.line([knee, foot], look.skin, 0.1 * k, gain)
        else:
            pen.line([top, knee, foot], look.legs, 0.15 * k, gain)
        toe = {2: -0.06, 3: 0.06}.get(look.facing, 0.02 * side) * k
        pen.oval(foot[0] + toe, foot[1], 0.1 * k, 0.05 * k, (40, 36, 34), gain)
    if look.wear > 0.8:
        w, low = 0.2 * k * look.build, hip + (0.3 if look.wear > 0.9 else 0.48) * k
        hem = [
            (x - w, hip - 0.1 * k),
            (x + w, hip - 0.1 * k),
            (x + 1.35 * w, low),
            (x - 1.35 * w, low),
        ]
        pen.poly(hem, look.top if look.wear > 0.87 else look.extra, 0.95)


def _trunk(pen: Pen, x: float, hip: float, top: float, k: float, wide: float, look: Look) -> None:
    """Draw trunk and arms; the side away from the sun is darker."""
    sun, w = pen.sun_side, 0.22 * wide
    swing = 0.1 * look.stride * k
    sleeve = look.skin if 0.3 < look.wear < 0.55 else look.top
    for side in (-1, 1):
        gain = 1.02 if side == sun else 0.74
        hand = (x + side * (w + 0.03 * k) + swing, hip + 0.06 * k)
        start = (x + side * w * 0.9, top + 0.07 * k)
        elbow = (x + side * (w + 0.06 * k), (hip + top) / 2 + 0.06 * k)
        pen.line([start, elbow, hand], look.top, 0.105 * k, gain)
        if sleeve is not look.top:
            pen.line([elbow, hand], sleeve, 0.095 * k, gain)
        if k > 44:  # a far hand is under a pixel
            pen.oval(*hand, 0.045 * k, 0.05 * k, look.skin, gain)
    pen.line([(x, top - 0.1 * k), (x, top + 0.1 * k)], look.skin, 0.11 * k, 0.82)
    low, waist = hip + 0.06 * k, w * 0.84
    left = [(x - 0.4 * w, top - 0.03 * k), (x - w, top + 0.05 * k), (x - waist, low)]
    right = [(x + waist, low), (x + w, top + 0.05 * k), (x + 0.4 * w, top - 0.03 * k)]
    pen.poly(left + right, look.top)
    dark = right if sun < 0 else left[::-1]
    inner = x - sun * 0.25 * w
    pen.poly([(inner, low), *dark, (inner, top)], look.top, 0.78)
    if look.facing == 1 and look.wear < 0.25:
        pen.oval(x, (hip + top) / 2 - 0.05 * k, 0.17 * k, 0.24 * k, look.extra)
        pen.oval(x, (hip + top) / 2 + 0.04 * k, 0.12 * k, 0.1 * k, look.extra, 0.8)
    elif 0.25 < look.wear < 0.38:
        pen.line([(x - w * 0.8, top + 0.02 * k), (x + w, hip)], look.extra, 0.05 * k, 0.8)
        pen.oval(x + w, hip + 0.05 * k, 0.12 * k, 0.11 * k, look.extra)


def _head(pen: Pen, x: float, y: float, r: float, look: Look, tag: int) -> None:
    """Draw the head, its hair or hat; only these shapes carry the person's tag."""
    pen.tag = tag
    turn = {2: -1, 3: 1}.get(look.facing, 0)
    cut, rx = look.hair_cut, 0.84 * r
    if 0.35 < cut < 0.62:  # long hair falls behind the neck
        pen.oval(x - turn * 0.3 * r, y + 0.35 * r, 0.86 * r, 1.05 * r, look.hair, 0.85)
    if look.facing == 1 and cut > 0.07:
        pen.oval(x, y, rx, r, look.hair, 0.9)
        pen.oval(x + pen.sun_side * 0.25 * r, y - 0.4 * r, 0.4 * r, 0.35 * r, look.hair, 1.25)
    else:
        pen.oval(x, y, rx, r, look.hair if cut > 0.07 else look.skin, 0.95)
        pen.oval(
            x + turn * 0.28 * r, y + 0.22 * r, (0.62 if turn else 0.68) * r, 0.76 * r, look.skin
        )
        shade = x - pen.sun_side * 0.45 * r
        pen.oval(shade, y + 0.3 * r, 0.22 * r, 0.5 * r, look.skin, 0.82)
        if r > 7:  # brows, eyes and mouth run together in heads this small and are lost below
            mid = x + turn * 0.4 * r
            pen.line(
                [(mid - 0.42 * r, y + 0.1 * r), (mid + 0.42 * r, y + 0.1 * r)],
                look.skin,
                0.14 * r,
                0.68,
            )
            pen.line(
                [(mid - 0.16 * r, y + 0.6 * r), (mid + 0.16 * r, y + 0.6 * r)], look.skin, 1, 0.7
            )
    if cut > 0.86:  # beanie, cap or sun hat
        pen.draw.pieslice(
            (x - 0.92 * r, y - 1.08 * r, x + 0.92 * r, y + 0.7 * r), 180, 360, pen.ink(look.extra)
        )
        brim = 1.25 * r if cut > 0.95 else 0.95 * r
        pen.oval(x + turn * 0.35 * r, y - 0.16 * r, brim, 0.17 * r, look.extra, 0.75)
    elif cut > 0.79:  # hood or headscarf
        pen.draw.arc(
            (x - r, y - 1.05 * r, x + r, y + 1.1 * r),
            150,
            390,
            pen.ink(look.extra),
            max(2, round(0.45 * r)),
        )
    pen.tag = 0
