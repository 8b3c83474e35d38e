"""The built-in data set `crowd`: generated street scenes with every head's position known.

These pictures are drawn by the code below; they are not photographs and show no real place or
person.  Each scene has a raised camera with perspective, a ground (paving, cobbles, asphalt with a
crossing, grass), house fronts, trees or nothing but ground behind, one light (noon, afternoon,
evening, overcast, night) with shadows that all fall the same way, street furniture that hides
people, a few round things that could be taken for heads, and 0 to 150 people, alone and in
clusters.  Sensor noise, slight blur and vignetting come last.

Which people count: everyone whose head's centre lies inside the picture and whose head can be
seen at least in part.  People are placed so that heads stay visible; should a head still end up
wholly covered by something nearer, it is left out of `heads`.

A scene is a pure function of (seed, index, height, width, people).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from downslope.data.scenes.ground import (
    SETTINGS,
    SUPER,
    Light,
    Person,
    Thing,
    View,
    brightness,
    choose_light,
    choose_view,
    draw_backdrop,
    draw_ground,
)
from downslope.data.scenes.parts import FURNITURE
from downslope.data.scenes.people import (
    HEAD_M,
    MAX_TAG,
    Look,
    Pen,
    draw_look,
    draw_person,
    head_centre,
)

MAX_PEOPLE = 150  # the most people in a scene whose count is drawn by chance
_GROWN = 1.78  # metres; foot points are chosen so that heads at this height are in the picture


@dataclass(frozen=True)
class Scene:
    """One generated picture and the heads in it.

    Attributes:
        photo: uint8, (height, width, 3), RGB.
        heads: float32, (k, 2), the (x, y) of each head's centre in pixels; (0, 0) is the upper
            left corner of the upper left pixel.
        sizes: float32, (k,), each head's apparent diameter in pixels.
    """

    photo: np.ndarray
    heads: np.ndarray
    sizes: np.ndarray


def draw_scene(
    seed: int, index: int, *, height: int = 192, width: int = 256, people: int | None = None
) -> Scene:
    """Draw scene `index` of the series `seed`.

    Args:
        seed: Series of scenes, 0 or more.
        index: Number of the scene in its series, 0 or more; scenes do not depend on each other.
        height: Height of the picture, pixels.
        width: Width of the picture, pixels.
        people: How many people to place, 0 to 255; by default drawn evenly from 0 to 150.

    Returns:
        The picture and the heads in it.
    """
    rng = np.random.default_rng((seed, index))
    count = 0 if rng.random() < 0.04 else int(rng.integers(0, MAX_PEOPLE + 1))
    if people is not None:
        count = people
    if not 0 <= count <= MAX_TAG:
        raise ValueError(f"people must be 0 to {MAX_TAG}, not {count}")
    setting = SETTINGS[int(rng.integers(len(SETTINGS)))]
    view, light = choose_view(rng, setting, height * SUPER, width * SUPER), choose_light(rng)
    things = _place_furniture(rng, view, setting)
    crowd = _place_people(rng, view, things, count)
    everything = sorted([*things, *crowd], key=lambda t: t.y)
    lamps = [t for t in things if t.what == "lamp"]
    bright = brightness(rng, view, light, lamps)
    canvas = draw_ground(rng, view, light, setting, bright, everything)
    pen = Pen(ImageDraw.Draw(canvas), -1 if light.cast[0] > 0 else 1)
    draw_backdrop(rng, pen, view, light, setting)
    _draw_things(pen, view, light, bright, everything, crowd)
    heads, sizes = _seen_heads(view, crowd, canvas.getchannel(3).histogram())
    return Scene(_expose(rng, canvas, view, light, lamps), heads, sizes)


# -------------------------------------------------------------------------- placing and drawing


def _place_furniture(rng: np.random.Generator, view: View, setting: str) -> list[Thing]:
    """Choose what stands about; large things keep to the far half so as not to fill the picture."""
    most = {
        "lamp": 3,
        "tree": 2,
        "bench": 2,
        "bin": 2,
        "bollard": 5,
        "ball": 3,
        "sign": 2,
        "planter": 2,
    }
    most |= {
        "plaza": {"kiosk": 1, "parasol": 4},
        "street": {"car": 3},
        "avenue": {"parasol": 2, "car": 0},
        "park": {"tree": 4, "bench": 3, "ball": 4, "sign": 1},
        "overview": {"kiosk": 1, "tree": 3},
    }[setting]
    top, things = max(view.far, 0.0), []
    for name, limit in most.items():
        for _ in range(int(rng.integers(0, limit + 1))):
            deep = (
                0.04 + (0.3 if name in ("car", "kiosk", "tree", "parasol") else 0.9) * rng.random()
            )
            y = top + deep * (view.height - top)
            things.append(Thing(rng.uniform(0, view.width), y, name, rng.random(4).tolist()))
    if not any(t.what == "lamp" for t in things):  # a night scene needs at least one
        things.append(
            Thing(rng.uniform(0, view.width), top + 0.3 * (view.height - top), "lamp", [0.0] * 4)
        )
    return things


def _foot_points(rng: np.random.Generator, view: View, count: int, clustered: float) -> np.ndarray:
    """Return `count` foot points (x, y) in canvas pixels, a fraction of them in clusters."""
    top, up = max(view.far, 0.0) + 4, 1 - (_GROWN - HEAD_M / 2) / view.camera
    low_head = (top - view.horizon) * up  # head rows below the horizon, far and near
    first, last = max(low_head, 4 - view.horizon), view.height - 4 - view.horizon
    groups = int(rng.integers(1, 6))
    middles = view.ground(
        rng.uniform(0, view.width, groups), view.horizon + rng.uniform(first, last, groups) / up
    )
    middles, spread = np.stack(middles, 1), rng.uniform(0.4, 1.6, groups)
    found = np.empty((0, 2))
    while len(found) < count:
        n = 2 * count
        x, y = rng.uniform(5, view.width - 5, n), view.horizon + rng.uniform(first, last, n) / up
        which = rng.integers(0, groups, n)
        near = middles[which] + rng.standard_normal((n, 2)) * spread[which, None]
        gx, gy = view.pixel(near[:, 0], np.maximum(near[:, 1], 1.0))
        own = rng.random(n) < clustered
        spots = np.stack((np.where(own, gx, x), np.where(own, gy, y)), 1)
        head = (spots[:, 1] - view.horizon) * up
        good = (spots[:, 0] > 5) & (spots[:, 0] < view.width - 5) & (head > first) & (head < last)
        found = np.concatenate((found, spots[good]))
    return found[:count]


class _Cover:
    """Which pixels of the canvas things placed so far, all of them nearer, will fill."""

    def __init__(self, view: View, things: list[Thing]) -> None:
        self.view, self.waiting = view, sorted(things, key=lambda t: t.y)
        self.filled = np.zeros((view.height, view.width), bool)

    def part(self, x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
        rows = slice(max(0, int(y0)), max(0, int(y1) + 1))
        return self.filled[rows, max(0, int(x0)) : max(0, int(x1) + 1)]

    def hidden(self, x: float, y: float, r: float) -> float:
        """Return the fraction of the square about (x, y) that is filled."""
        patch = self.part(x - r, y - r, x + r, y + r)
        return np.count_nonzero(patch) / max(1, patch.size)

    def add_furniture_before(self, y: float) -> None:
        """Fill what furniture covers that stands nearer than row y."""
        while self.waiting and self.waiting[-1].y >= y:
            t = self.waiting.pop()
            s = self.view.scale(t.y)
            for left, right, low, high in FURNITURE[t.what].boxes:
                self.part(t.x + left * s, t.y - high * s, t.x + right * s, t.y - low * s)[...] = 1

    def add_person(self, x: float, y: float, s: float, look: Look) -> None:
        """Fill a head and a body."""
        (hx, hy), r = head_centre(x, y, s, look), look.head * s / 2
        w = 0.26 * look.build * s
        self.part(hx - 0.85 * r, hy - r, hx + 0.85 * r, hy + r)[...] = True
        self.part(x - w, hy + r, x + w, y)[...] = True


def _place_people(
    rng: np.random.Generator, view: View, things: list[Thing], count: int
) -> list[Person]:
    """Place people so that no head is wholly hidden by something nearer.

    Where a crowd is too dense for that, those who do not fit move to other spots and everyone is
    placed again.
    """
    if count == 0:
        return []
    crowd: list[Person] = []
    spots = _foot_points(rng, view, count, 0.95 * rng.random() ** 0.8)
    for _ in range(8):
        spots = spots[np.argsort(-spots[:, 1])]  # from near to far
        cover, crowd, failed = _Cover(view, things), [], []
        for i, (x, y) in enumerate(spots.tolist()):
            cover.add_furniture_before(y)
            person, hidden = _fit_person(rng, view, cover, x, y)
            cover.add_person(person.x, y, view.scale(y), person.look)
            crowd.append(person)
            if hidden > 0.85:
                failed.append(i)
        if not failed:
            break
        spots[failed] = _foot_points(rng, view, len(failed), 0.0)
    return crowd


def _fit_person(
    rng: np.random.Generator, view: View, cover: _Cover, x: float, y: float
) -> tuple[Person, float]:
    """Move a new person sideways from (x, y) until the head shows; return the hidden fraction."""
    look, s = draw_look(rng), view.scale(y)
    r, most, step = look.head * s / 2, rng.uniform(0.0, 0.6), 0.15
    if not 3 < head_centre(x, y, s, look)[1] < view.height - 3:
        look = look._replace(height=_GROWN)
    least, best = 2.0, x
    for attempt in range(40):
        if attempt == 20 and look.height < 1.5:  # a child lost behind grown-ups
            look, least = look._replace(height=_GROWN), 2.0
        hx, hy = head_centre(x, y, s, look)
        if 3 < hx < view.width - 3:
            least, best = min((least, best), (cover.hidden(hx, hy, r), x))
            if least <= most:
                break
        x = x + rng.normal() * step * s if attempt < 20 else rng.uniform(4, view.width - 4)
        step *= 1.12
    return Person(best, y, look), least


def _draw_things(
    pen: Pen,
    view: View,
    light: Light,
    bright: np.ndarray,
    everything: Sequence[Thing | Person],
    crowd: list[Person],
) -> None:
    """Draw all things from far to near, each in the light of the spot where it stands."""
    tags = {id(t): i + 1 for i, t in enumerate(crowd)}
    for t in everything:
        row, col = min(int(t.y / 4), bright.shape[0] - 1), min(int(t.x / 4), bright.shape[1] - 1)
        pen.tone = tuple((light.ambient + light.sun * bright[row, col]).tolist())
        s = view.scale(t.y)
        if isinstance(t, Person):
            draw_person(pen, t.x, t.y, s, t.look, tags[id(t)])
        else:
            FURNITURE[t.what].draw(pen, t.x, t.y, s, t.u)


def _seen_heads(
    view: View, crowd: list[Person], pixels_of: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return position and diameter, in final pixels, of the heads that can be seen.

    `pixels_of[i + 1]` is how many pixels of the canvas show the head of person i.
    """
    rows = []
    for t, pixels in zip(crowd, pixels_of[1:], strict=False):
        s = view.scale(t.y)
        x, y = head_centre(t.x, t.y, s, t.look)
        if pixels and 0 <= x < view.width and 0 <= y < view.height:
            rows.append((x / SUPER, y / SUPER, t.look.head * s / SUPER))
    table = np.array(rows, np.float32).reshape(-1, 3)
    return table[:, :2].copy(), table[:, 2].copy()


def _expose(
    rng: np.random.Generator, canvas: Image.Image, view: View, light: Light, lamps: list[Thing]
) -> np.ndarray:
    """Turn the canvas into a photo: reduce, blur, lamp glow, contrast, vignette, sensor noise."""
    small = canvas.convert("RGB").reduce(SUPER).filter(ImageFilter.BoxBlur(rng.uniform(0.1, 0.6)))
    photo = np.stack([np.asarray(band, np.float32) for band in small.split()])  # (3, h, w)
    h, w = photo.shape[1:]
    y, x = np.ogrid[0:h, 0:w]
    y, x = y.astype(np.float32), x.astype(np.float32)
    warm = np.array((1.0, 0.82, 0.52), np.float32)[:, None, None]
    for lamp in lamps if light.night else ():
        s = view.scale(lamp.y) / SUPER
        square = (x - lamp.x / SUPER) ** 2 + (y - lamp.y / SUPER + 4.4 * s) ** 2
        photo += (
            110 * np.exp(-square / (0.5 * s) ** 2) + 46 / (1 + square / (0.9 * s) ** 2)
        ) * warm
    corner = ((x - w / 2) / w) ** 2 + ((y - h / 2) / h) ** 2
    photo *= 1.06 - rng.uniform(0.1, 0.45) * corner
    contrast, pivot = (1.15, 0) if light.night else (rng.uniform(0.95, 1.15), 112)
    grey, keep = photo.mean(axis=0), rng.uniform(0.6, 0.95)  # cameras dull bright clothes
    photo = pivot + contrast * (grey + keep * (photo - grey) - pivot)
    grain = rng.uniform(1.5, 4.0) * (1.6 if light.night else 1.0)
    photo += rng.standard_normal((h, w), np.float32) * np.float32(grain)
    planes = np.clip(photo, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(planes.transpose(1, 2, 0))
