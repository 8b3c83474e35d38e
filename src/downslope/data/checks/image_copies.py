"""Images of the validation and test parts that are in the training part as well.

Copies are alike to the last pixel. Near copies were resized, saved again, brightened a little:
each image is averaged down to 8 by 8 grey cells, its mean subtracted, its length made 1, which
takes most of such changes away; then the nearest training images are searched. A near copy is
near, and more than twice as near as the third nearest: images of a kind, such as the digit 1 or the
frames of one camera, have many others about as near as their nearest.
"""

from __future__ import annotations

import hashlib

import numpy as np

from downslope.data.checks.duplicates import Copies

LEAST_SHARE = 0.005  # of the images that are held out
LEAST_COUNT = 2
SIDE = 8
NEAREST = 0.3  # distance of two images of length 1; those of nothing in common have 1.4
RATIO = 0.45  # to the distance of the third nearest
LEAST_ALIKE = 0.9  # correlation of all pixels
MOST_COMPARED = 10**9  # pairs; held out images are drawn where there are more
_BLOCK = 256


def copied_images(training: np.ndarray, held_out: np.ndarray) -> tuple[Copies, Copies]:
    """The copies, and besides them the near copies.

    Args:
        training: Shape (N, height, width, channels).
        held_out: Shape (M, height, width, channels).
    """
    exact = _exact(training, held_out)
    rest = np.setdiff1d(np.arange(len(held_out)), exact.held_out)
    most = max(1, MOST_COMPARED // max(1, len(training)))
    if len(rest) > most:
        rest = np.sort(np.random.default_rng(0).permutation(rest)[:most])
    near = _near(training, held_out, rest)
    return _enough(exact, len(held_out)), _enough(near, max(1, len(rest)))


def _enough(found: Copies, compared: int) -> Copies:
    if len(found.held_out) >= max(LEAST_COUNT, LEAST_SHARE * compared):
        return found
    return Copies(np.empty(0, np.int64), np.empty(0, np.int64))


def _exact(training: np.ndarray, held_out: np.ndarray) -> Copies:
    known = {_digest(image): index for index, image in reversed(list(enumerate(training)))}
    found = [(index, known.get(_digest(image), -1)) for index, image in enumerate(held_out)]
    pairs = np.array([pair for pair in found if pair[1] >= 0], np.int64).reshape(-1, 2)
    return Copies(pairs[:, 0], pairs[:, 1])


def _digest(image: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()


def _near(training: np.ndarray, held_out: np.ndarray, rows: np.ndarray) -> Copies:
    if len(training) < 3 or not len(rows):
        return Copies(np.empty(0, np.int64), np.empty(0, np.int64))
    against, sought = _cells(training), _cells(held_out[rows])
    pairs = []
    for start in range(0, len(rows), _BLOCK):
        block = sought[start : start + _BLOCK]
        likeness = block @ against.T
        nearest = likeness.argmax(axis=1)
        first = likeness[np.arange(len(block)), nearest]
        hopeful = np.flatnonzero(first >= 1 - NEAREST**2 / 2)
        if not len(hopeful):
            continue
        third = np.partition(likeness[hopeful], -3, axis=1)[:, -3]
        # |a - b|^2 = 2 - 2 a.b for a and b of length 1
        is_near = 1 - first[hopeful] <= RATIO**2 * (1 - third)
        for index in hopeful[is_near]:
            pair = rows[start + index], nearest[index]
            if _correlation(held_out[pair[0]], training[pair[1]]) >= LEAST_ALIKE:
                pairs.append(pair)
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return Copies(found[:, 0], found[:, 1])


def _cells(images: np.ndarray) -> np.ndarray:
    """Each image as at most 8 by 8 grey cells, of mean 0 and length 1: float32 (N, cells)."""
    height, width = images.shape[1:3]
    across, down = _averaging(width), _averaging(height)
    cells = np.empty((len(images), down.shape[1], across.shape[1]), np.float32)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        grey = block[..., 0] if block.shape[-1] == 1 else block.sum(axis=-1, dtype=np.float32)
        cells[start : start + _BLOCK] = down.T @ (grey.astype(np.float32) @ across)
    flat = cells.reshape(len(images), -1)
    flat -= flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.where(length > 1e-3, flat / np.maximum(length, 1e-3), 0).astype(np.float32)


def _averaging(length: int) -> np.ndarray:
    """What averages `length` pixels to at most 8 cells of one size, (length, cells)."""
    cells = min(SIDE, length)
    edges = np.linspace(0, length, cells + 1)
    pixels = np.arange(length)[:, None]
    covered = np.minimum(pixels + 1, edges[1:]) - np.maximum(pixels, edges[:-1])
    covered = np.clip(covered, 0, None)
    return (covered / covered.sum(axis=0)).astype(np.float32)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    one, other = (image.astype(np.float64).ravel() for image in (one, other))
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(np.sqrt((one @ one) * (other @ other)), 1e-12))
