"""The data sets that come with Downslope, without a download.

Sources, licences and how each file was made are stated in docs/data.md.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources

import numpy as np

from downslope.data import generated
from downslope.data.dataset import Samples, Task
from downslope.data.progress import OnProgress
from downslope.data.unsplit import Unsplit

OWN_LICENCE = "MIT"  # what our own programs make up
CROWD_TRAINING = 540
CROWD_TEST = 120


@dataclass(frozen=True)
class BuiltIn:
    """One built-in data set, as a listing shows it.

    Attributes:
        name: What `load` knows it by.
        description: One line.
        task: What is learnt: "classification", "regression" or "counting".
        samples: How many there are, in all parts.
        licence: Under which they may be passed on; `docs/data.md` has the sources.
        generated: Whether a program makes its samples up.
        read: Reads or makes all its samples; is given a progress callback or None.

    Example:
        >>> ds.data.BUILT_IN["moons"].samples
        800
    """

    name: str
    description: str
    task: Task
    samples: int
    licence: str
    generated: bool
    read: Callable[[OnProgress | None], Unsplit]


def digits() -> Unsplit:
    """Return 1,797 real handwritten digits: uint8 of shape (N, 64), 8 by 8 pixels of 0 to 16."""
    _, values = _table("digits.csv.gz")
    return Unsplit(
        name="digits",
        task="classification",
        samples=Samples(values[:, :64].astype(np.uint8), values[:, 64].astype(np.int32)),
        per="all",
        class_names=tuple("0123456789"),
        source="digits",
    )


def spam() -> Unsplit:
    """Return 4,601 real messages: float32 of shape (N, 57), frequencies of words and signs."""
    names, values = _table("spam.csv.gz")
    return Unsplit(
        name="spam",
        task="classification",
        samples=Samples(values[:, :57].astype(np.float32), values[:, 57].astype(np.int32)),
        class_names=("ham", "spam"),
        input_names=names[:57],
        source="spam",
    )


def crowd(on_progress: OnProgress | None = None) -> Unsplit:
    """Return 660 drawn street scenes: uint8 (N, 192, 256, 3), with a density map for each.

    The test scenes are a series of their own, so they stay the same however many scenes there
    are to train on.

    Args:
        on_progress: Called with (scenes drawn so far, scenes in all): drawing takes a while.
    """
    total = CROWD_TRAINING + CROWD_TEST
    return Unsplit(
        name="crowd",
        task="counting",
        samples=_scenes(0, CROWD_TRAINING, 0, total, on_progress),
        test=_scenes(1, CROWD_TEST, CROWD_TRAINING, total, on_progress),
        per="channel",
        photo_side=256,
        source="crowd",
        generated=True,
    )


def crowd_counts(on_progress: OnProgress | None = None) -> Unsplit:
    """Return the scenes of `crowd` with their counts: uint8 (N, 192, 256, 3), float32 (N, 1)."""
    return replace(
        crowd(on_progress).as_counts(), name="crowd-counts", source="crowd-counts", options={}
    )


def _scenes(
    series: int, count: int, before: int, total: int, on_progress: OnProgress | None
) -> Samples:
    """Draw one series of scenes, after `before` of `total` that are drawn already."""
    from downslope.data.density import STRIDE, density_map
    from downslope.data.scenes.scene import draw_scene

    photos = []
    maps = []
    for index in range(count):
        scene = draw_scene(series, index)
        photos.append(scene.photo)
        maps.append(density_map(scene.heads, *scene.photo.shape[:2], stride=STRIDE))
        if on_progress is not None:
            on_progress(before + index + 1, total)
    return Samples(np.stack(photos), np.stack(maps))


def _at_once(make: Callable[[], Unsplit]) -> Callable[[OnProgress | None], Unsplit]:
    """Give a reader that takes no time the signature of those that report progress."""
    return lambda on_progress: make()


def _table(file: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Read a shipped table: the names of its columns, and float64 of shape (rows, columns)."""
    packed = resources.files("downslope.data").joinpath("files", file).read_bytes()
    header, _, rows = gzip.decompress(packed).partition(b"\n")
    values = np.loadtxt(io.BytesIO(rows), delimiter=",")
    return tuple(header.decode().split(",")), values


_ENTRIES = (
    BuiltIn(
        "digits",
        "1,797 handwritten digits, 8 by 8 pixels",
        "classification",
        samples=1797,
        licence="CC BY 4.0",
        generated=False,
        read=_at_once(digits),
    ),
    BuiltIn(
        "spam",
        "4,601 e-mail messages, 57 frequencies each",
        "classification",
        samples=4601,
        licence="CC BY 4.0",
        generated=False,
        read=_at_once(spam),
    ),
    BuiltIn(
        "crowd",
        "660 street scenes with 0 to 150 people",
        "counting",
        samples=CROWD_TRAINING + CROWD_TEST,
        licence=OWN_LICENCE,
        generated=True,
        read=crowd,
    ),
    BuiltIn(
        "crowd-counts",
        "the scenes of crowd, with the number of people to learn",
        "regression",
        samples=CROWD_TRAINING + CROWD_TEST,
        licence=OWN_LICENCE,
        generated=True,
        read=crowd_counts,
    ),
    BuiltIn(
        "circles",
        "one circle inside another",
        "classification",
        samples=800,
        licence=OWN_LICENCE,
        generated=True,
        read=_at_once(generated.circles),
    ),
    BuiltIn(
        "xor",
        "four squares, opposite ones alike",
        "classification",
        samples=800,
        licence=OWN_LICENCE,
        generated=True,
        read=_at_once(generated.xor),
    ),
    BuiltIn(
        "moons",
        "two half circles, interlocked",
        "classification",
        samples=800,
        licence=OWN_LICENCE,
        generated=True,
        read=_at_once(generated.moons),
    ),
    BuiltIn(
        "spirals",
        "two spirals around each other",
        "classification",
        samples=1000,
        licence=OWN_LICENCE,
        generated=True,
        read=_at_once(generated.spirals),
    ),
    BuiltIn(
        "blobs",
        "four Gaussians that touch",
        "classification",
        samples=800,
        licence=OWN_LICENCE,
        generated=True,
        read=_at_once(generated.blobs),
    ),
    BuiltIn(
        "waves",
        "a sum of three sines with noise",
        "regression",
        samples=800,
        licence=OWN_LICENCE,
        generated=True,
        read=_at_once(generated.waves),
    ),
)
BUILT_IN: dict[str, BuiltIn] = {entry.name: entry for entry in _ENTRIES}
