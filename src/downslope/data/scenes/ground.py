"""The stage of a generated street scene: camera, light, ground with shadows, and backdrop.

The ground is flat and measured in metres: X to the right of the camera, Z away from it.  Pixels
are those of the canvas, which is `SUPER` times larger than the photo.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from downslope.data.scenes.parts import FURNITURE, draw_facade, foliage
from downslope.data.scenes.people import HEAD_M, LEAVES, Look, Pen

SUPER = 2  # scenes are drawn this many times larger and reduced, which smooths edges
SETTINGS = ("plaza", "street", "avenue", "park", "overview")
_TEXELS = 128  # ground textures repeat after this many cells, a power of two
_PER_M = 14  # texture cells per metre of ground

_CIRCLE = [(math.cos(i * math.pi / 6), math.sin(i * math.pi / 6)) for i in range(12)]
# By time of day: ambient light, sun or lamps, shadow length per height, lit windows, sky from top
# to bottom.
_LIGHTS = {
    "noon": (
        (0.50, 0.54, 0.60), (0.60, 0.56, 0.48), (0.35, 0.8), 0.02, (96, 150, 214), (206, 224, 236)
    ),
    "afternoon": (
        (0.46, 0.50, 0.58), (0.62, 0.55, 0.43), (0.8, 1.4), 0.05, (110, 156, 208), (226, 226, 216)
    ),
    "evening": (
        (0.44, 0.42, 0.50), (0.68, 0.49, 0.28), (1.5, 2.4), 0.3, (112, 118, 164), (246, 190, 132)
    ),
    "overcast": (
        (0.76, 0.79, 0.83), (0.10, 0.10, 0.09), (0.1, 0.2), 0.15, (168, 176, 186), (214, 218, 222)
    ),
    "night": (
        (0.29, 0.31, 0.42), (0.80, 0.62, 0.38), (0.5, 0.9), 0.55, (12, 14, 32), (52, 48, 66)
    ),
}  # fmt: skip


@dataclass(frozen=True)
class View:
    """A camera over flat ground: X metres to the right, Z metres away, pixels of the canvas."""

    width: int
    height: int
    far: float  # row where the ground ends
    horizon: float  # row of the vanishing point, often above the picture
    camera: float  # the camera's height, metres
    focal: float  # pixels

    def scale(self, y: float) -> float:
        """Return pixels per metre for a thing that stands at row y."""
        return (y - self.horizon) / self.camera

    def ground(self, x, y):
        """Map pixels on the ground to metres (X, Z)."""
        z = self.focal * self.camera / (y - self.horizon)
        return (x - self.width / 2) * z / self.focal, z

    def pixel(self, x_m, z_m, up=0.0):
        """Map a point `up` metres over the ground to a pixel."""
        s = self.focal / z_m
        return self.width / 2 + x_m * s, self.horizon + (self.camera - up) * s


class Light(NamedTuple):
    """The light of a scene; `ambient` and `sun` are float32 (3,) gains for R, G and B."""

    ambient: np.ndarray
    sun: np.ndarray
    cast: tuple[float, float]  # metres a shadow reaches along X and Z per metre of height
    lit: float  # fraction of windows with a light on
    sky: tuple[tuple[int, int, int], tuple[int, int, int]]  # top and bottom
    night: bool


class Thing(NamedTuple):
    """A piece of furniture with foot point (x, y), canvas pixels; `u` varies its look."""

    x: float
    y: float
    what: str
    u: list[float]


class Person(NamedTuple):
    """A person with foot point (x, y), canvas pixels."""

    x: float
    y: float
    look: Look


# -------------------------------------------------------------------------------- view and light


def choose_view(rng: np.random.Generator, setting: str, height: int, width: int) -> View:
    """Choose a camera whose heads are some 4 px wide far off and up to 12 px close by."""
    unit = height / 192  # head sizes are meant for pictures 192 pixels high
    d_far, d_near = rng.uniform(3.9, 4.8) * unit, rng.uniform(9.0, 12.5) * unit
    far = -1.0 if setting == "overview" else rng.uniform(0.24, 0.46) * height
    # A grown-up's head is 1.65 m up: solve for the slope that puts d_near at the bottom row.
    slope = (d_near - d_far) / (height - far + 1.65 / HEAD_M * d_near)
    return View(width, height, far, far - d_far / slope, HEAD_M / slope, 1.2 * width)


def choose_light(rng: np.random.Generator) -> Light:
    """Choose the time of day; ambient light plus sun come to about 1 by day."""
    kind = tuple(_LIGHTS)[int(rng.integers(len(_LIGHTS)))]
    ambient, sun, reach, lit, *sky = _LIGHTS[kind]
    angle = rng.uniform(-0.9, 0.6) + (np.pi if rng.random() < 0.5 else 0.0)
    length = rng.uniform(*reach)
    # Shadows fall mostly sideways: to the left or right, some towards us, some away.
    cast = (
        float(np.cos(angle) * length),
        float(-abs(np.sin(angle)) * length * np.sign(rng.random() - 0.3)),
    )
    gain = rng.uniform(0.88, 1.08)
    f32 = np.float32
    return Light(
        np.array(ambient, f32) * f32(gain),
        np.array(sun, f32) * f32(gain),
        cast,
        lit,
        (sky[0], sky[1]),
        kind == "night",
    )


def brightness(
    rng: np.random.Generator, view: View, light: Light, lamps: list[Thing]
) -> np.ndarray:
    """Return how much sun or lamp light reaches each spot of ground, 0 to 1, at 1/4 size."""
    y, x = np.mgrid[0 : view.height : 4, 0 : view.width : 4].astype(np.float32)
    x_m, z_m = view.ground(x, np.maximum(y, max(view.far, 0)))
    if light.night:
        pools = np.full(x.shape, 0.12, np.float32)
        for lamp in lamps:
            lx, lz = view.ground(lamp.x, lamp.y)
            pools += 0.95 / (1 + ((x_m - lx) ** 2 + (z_m - lz) ** 2) / 9.0) ** 1.3
        return np.minimum(pools, 1.15)
    if rng.random() < 0.35:  # a house behind the camera or beside it keeps part of the ground dark
        angle, mid = rng.uniform(0, 2 * np.pi), view.ground(view.width / 2, view.height * 0.75)[1]
        edge = np.cos(angle) * x_m + np.sin(angle) * (z_m - mid) - rng.uniform(0.5, 3.0)
        return 1.0 - 0.85 * np.clip(edge * 8 + 0.5, 0, 1)
    return np.ones(x.shape, np.float32)


# ----------------------------------------------------------------------------------------- ground


def _texture(rng: np.random.Generator, kind: str) -> np.ndarray:
    """Return a repeating ground texture, uint32 (128, 128), each cell four bytes RGBA."""
    n, rough = _TEXELS, rng.standard_normal((_TEXELS, _TEXELS), np.float32)
    coarse = rng.standard_normal((16, 16), np.float32).repeat(8, 0).repeat(8, 1)
    if kind in ("paving", "cobbles"):
        tile = (8, 16)[int(rng.integers(2))] if kind == "paving" else 4
        row, col = (np.arange(n) // tile)[:, None], np.arange(n)[None, :]
        col = (col + (row % 2) * (tile // 2 if rng.random() < 0.6 else 0)) % n
        tones = rng.standard_normal((n // tile, n // tile), np.float32)
        joint = (np.arange(n)[:, None] % tile == 0) | (col % tile == 0)
        shade = 1 + 0.06 * tones[row, col // tile] + 0.03 * rough - 0.17 * joint
        base = rng.uniform(120, 190) * np.array((1.04, 1.0, 0.94 + 0.08 * rng.random()))
    elif kind == "asphalt":
        shade = 1 + 0.07 * rough + 0.03 * coarse
        base = rng.uniform(74, 112) * np.array((1.0, 1.0, 1.03))
    else:
        shade = 1 + 0.14 * rough + 0.06 * coarse
        base = rng.uniform(0.8, 1.1) * np.array((96, 118, 60))
    rgba = np.zeros((n, n, 4), np.uint8)
    rgba[..., :3] = np.clip(shade[..., None] * base.astype(np.float32), 0, 255)
    return rgba.view(np.uint32)[..., 0]


def draw_ground(
    rng: np.random.Generator,
    view: View,
    light: Light,
    setting: str,
    bright: np.ndarray,
    things: Sequence[Thing | Person],
) -> Image.Image:
    """Draw sky and lit ground with markings and shadows; return the RGBA canvas.

    Ground is made at the final size, for speed; only its markings are drawn larger.
    """
    small, full = (view.width // SUPER, view.height // SUPER), (view.width, view.height)
    first = max(0, int(view.far / SUPER))
    rows = np.arange(first, small[1], dtype=np.float32) * SUPER
    x_m, z_m = view.ground(np.arange(small[0], dtype=np.float32)[None, :] * SUPER, rows[:, None])
    across, along = (x_m * _PER_M).astype(np.int64), (z_m * _PER_M).astype(np.int64)
    cell = (along & (_TEXELS - 1)) * _TEXELS + (across & (_TEXELS - 1))
    floor = ("paving", "paving", "cobbles", "asphalt")[int(rng.integers(4))]
    colours = _texture(rng, "grass" if setting == "park" else floor).take(cell)
    strip = _road(rng, view, setting)
    if strip is not None:
        cx, cz, offset, half = strip
        inside = np.abs(cx * x_m + cz * z_m - offset) < half
        other = _texture(rng, "paving" if setting == "park" else "asphalt")
        colours = np.where(inside, other.take(cell), colours)
    plain = np.zeros((small[1], small[0], 4), np.uint8)
    plain[first:] = colours.view(np.uint8).reshape(*colours.shape, 4)
    image = Image.fromarray(plain).convert("RGB").resize(full, Image.Resampling.NEAREST)
    _draw_markings(rng, Pen(ImageDraw.Draw(image)), view, setting, strip)
    lit = np.array(image.reduce(SUPER))
    sunlit = np.asarray(Image.fromarray(bright).resize(small, Image.Resampling.BILINEAR))[first:]
    free = 1 - np.asarray(_shadows(view, light, things))[first:].astype(np.float32) / 255
    for band in range(3):
        power = light.ambient[band] * (0.6 + 0.4 * free) + light.sun[band] * (sunlit * free)
        lit[first:, :, band] = np.minimum(lit[first:, :, band] * power, 255)
    if first:
        top, low = np.array(light.sky, np.float32)
        lit[:first] = (top + (low - top) * np.linspace(0, 1, first)[:, None])[:, None]
    plain[..., :3] = lit
    plain[..., 3] = 0  # no head is drawn yet
    return Image.fromarray(plain).resize(full, Image.Resampling.NEAREST)


def _road(
    rng: np.random.Generator, view: View, setting: str
) -> tuple[float, float, float, float] | None:
    """Choose a road or path: the ground where |cx X + cz Z - offset| < half, or None."""
    far = view.ground(0, max(view.far, 1))[1]
    mid = view.ground(0, view.height * 0.8)[1]
    if setting == "street":
        return 0.0, 1.0, far - rng.uniform(3.6, 4.4), rng.uniform(2.0, 2.6)
    if setting == "avenue" or (setting == "overview" and rng.random() < 0.5):
        return 1.0, 0.0, rng.uniform(-1.5, 1.5), rng.uniform(1.8, 2.4)
    if setting == "park":
        angle = rng.uniform(-0.7, 0.7) + (np.pi / 2 if rng.random() < 0.4 else 0.0)
        cx, cz = float(np.cos(angle)), float(np.sin(angle))
        return cx, cz, cz * mid, rng.uniform(1.3, 2.2)
    return None


def _draw_markings(rng: np.random.Generator, pen: Pen, view: View, setting: str, strip) -> None:
    """Draw kerbs, a crossing and lane marks, then manholes, puddles and litter."""

    def quad(a0: float, a1: float, b0: float, b1: float, colour) -> None:
        corners = ((a0, b0), (a1, b0), (a1, b1), (a0, b1))
        pen.poly([view.pixel(*(c if strip[0] else c[::-1])) for c in corners], colour)

    near, far = view.ground(0, view.height)[1], view.ground(0, max(view.far, 1))[1]
    if strip is not None and setting != "park":
        _, _, mid, half = strip
        b0, b1 = (near, far) if strip[0] else (-far, far)
        for side in (-1, 1):
            quad(mid + side * half, mid + side * (half + 0.16), b0, b1, (186, 184, 178))
        start = rng.uniform(near + 0.5, far - 4) if strip[0] else rng.uniform(-5, 2)
        for b in np.arange(b0, b1, 2.4):
            if not start - 1.5 < b < start + 3:
                quad(mid - 0.06, mid + 0.06, b, b + 1.2, (206, 204, 196))
        for a in np.arange(mid - half + 0.2, mid + half - 0.3, 0.95):
            quad(a, a + 0.5, start, start + 2.8, (216, 214, 206))
    for _ in range(int(rng.integers(0, 4))):  # manholes and patches of damp
        x, y = rng.uniform(0, view.width), rng.uniform(max(view.far, 0) + 8, view.height)
        r = view.scale(y) * rng.uniform(0.25, 0.45)
        pen.oval(x, y, r, 0.5 * r, (84, 84, 86))
        pen.oval(x, y, 0.84 * r, 0.4 * r, (104, 103, 102))
    for x, y, c in rng.random((int(rng.integers(5, 40)), 3)).tolist():  # leaves and litter
        y = max(view.far, 0) + y * (view.height - max(view.far, 0))
        r = 0.06 * view.scale(y)
        pen.oval(x * view.width, y, r, 0.6 * r, ((*LEAVES, (220, 216, 206)))[int(c * 6)], 1.1)


def _shadows(view: View, light: Light, things: Sequence[Thing | Person]) -> Image.Image:
    """Return how much of the sun each spot of ground has lost to things, 8 bit, half size."""
    image = Image.new("L", (view.width // SUPER, view.height // SUPER))
    draw = ImageDraw.Draw(image)
    a, b = light.cast

    def spot(x_m: float, z_m: float, up: float) -> tuple[float, float]:
        x, y = view.pixel(x_m + a * up, max(1.0, z_m + b * up))
        return x / SUPER, y / SUPER

    for t in things:  # where a thing touches the ground it is dark under any sky
        s = view.scale(t.y) / SUPER
        x, y, r = t.x / SUPER, t.y / SUPER, 0.3 * s
        if isinstance(t, Thing) and t.what in ("car", "kiosk"):
            r = 2.1 * s
        draw.ellipse((x - r, y - 0.35 * min(r, s), x + r, y + 0.35 * min(r, s)), fill=110)
    for t in things:
        x_m, z_m = view.ground(t.x, t.y)
        if isinstance(t, Person):
            s, tall = view.scale(t.y) / SUPER, t.look.height
            neck, top = spot(x_m, z_m, tall - 0.3), spot(x_m, z_m, tall - 0.12)
            draw.line([spot(x_m, z_m, 0), neck], fill=225, width=max(1, round(0.36 * s)))
            draw.ellipse(
                (top[0] - 0.15 * s, top[1] - 0.12 * s, top[0] + 0.15 * s, top[1] + 0.12 * s),
                fill=225,
            )
            continue
        for left, right, low, high in FURNITURE[t.what].boxes:
            if low > 1.5:  # a crown, a sign or a sunshade: round
                mid, wide = (
                    ((left + right) / 2, (low + high) / 2),
                    ((right - left) / 2, (high - low) / 2),
                )
                ring = [(mid[0] + wide[0] * px, mid[1] + wide[1] * py) for px, py in _CIRCLE]
            else:
                ring = [(left, low), (right, low), (right, high), (left, high)]
            draw.polygon([spot(x_m + px, z_m, up) for px, up in ring], fill=225)
    return image


def draw_backdrop(
    rng: np.random.Generator, pen: Pen, view: View, light: Light, setting: str
) -> None:
    """Draw what stands at the far end of the ground: houses, or trees behind grass."""
    if setting == "overview":
        return
    z = view.ground(0, view.far)[1]
    edge = view.ground(view.width, view.far)[0] + 1

    def wall(x0: float, z0: float, x1: float, z1: float, height: float, sun: float) -> None:
        pen.tone = tuple((light.ambient + light.sun * sun).tolist())
        draw_facade(
            pen, lambda t, up: view.pixel(x0 + (x1 - x0) * t, z0 + (z1 - z0) * t, up),
            float(np.hypot(x1 - x0, z1 - z0)), height, rng, light.lit,
        )  # fmt: skip

    sun = 0.25 if light.night else (0.9 if light.cast[1] > 0 else 0.15)
    if setting == "park":
        pen.tone = tuple((light.ambient + light.sun * sun).tolist())
        s = view.scale(view.far)
        for x in np.arange(-edge, edge, 1.3):
            green, tall = LEAVES[int(rng.integers(4))], rng.uniform(1.5, 4.5)
            foliage(
                pen,
                view.width / 2 + x * s,
                view.far - tall * 0.7 * s,
                1.4 * s,
                tall * 0.6 * s,
                green,
                rng.random(),
            )
        return
    x, low = -edge, rng.uniform(3.8, 7)
    while x < edge:
        length = rng.uniform(4.5, 9)
        wall(x, z, x + length, z, low + rng.choice((0, 1.5, 3.1)), sun)
        x += length + (rng.uniform(0.5, 2.0) if rng.random() < 0.25 else 0.0)
    if setting == "avenue":
        near = view.ground(0, view.height * 1.5)[1]
        for side in (-1, 1):
            x, bounds = side * rng.uniform(0.55, 0.75) * edge, np.linspace(z, near, 4)
            lit = sun if light.night else (0.9 if side * light.cast[0] > 0 else 0.15)
            for z0, z1 in itertools.pairwise(bounds):
                wall(x, z0, x, z1, low + rng.choice((0, 1.5, 3.1)), lit)
