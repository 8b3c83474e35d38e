"""Small changes to images while training, so that fewer of them teach more.

What happens to a sample is a pure function of (seed, epoch, sample), whatever batch it is in. The
density map, where there is one, changes together with its photo.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from downslope.errors import Faults, SettingError

# Crops begin at every so many pixels, at least a cell's width, so that the pooling layers' windows
# fall as in the whole photo.
GRID = 8
USUAL = {"shift": 0.1, "crop": 0.8, "cutout": 0.25, "mixup": 0.2}
_OWN_STREAM, _MIXING_STREAM = 2**32 - 1, 2**32 - 2  # no step of a training has these numbers


@dataclass(frozen=True)
class Augment:
    """Random changes of the training images: mirroring, cropping, shifting, covering, mixing.

    Validation and test images are never changed.

    Sources: DeVries and Taylor, Improved regularization of convolutional neural networks with
    cutout, 2017; Zhang et al., mixup: beyond empirical risk minimization, 2018.

    Attributes:
        flip: Mirror every other image, left to right.
        crop: Fraction of the height and of the width that is cut out at a random position; 1 keeps
            the whole image. A crop of a photo with a density map keeps its size. A crop of any
            other image is enlarged to the whole size again, and its fraction is drawn between
            `crop` and 1.
        shift: Move the image by up to this fraction of its height and of its width; its borders
            fill the gap. Not for photos with density maps.
        cutout: Cover a square at a random position with the image's mean colour; its side is this
            fraction of the image's shorter one. Not for photos with density maps.
        mixup: Mix each image, and its target with it, with another one of its batch; the other's
            fraction is drawn from a beta distribution with both parameters of this value, and is
            at most one half. 0 mixes none. Not for photos with density maps.
        average: Average the outputs for an image and for its mirror image, wherever the trained
            network predicts. Not for photos with density maps.

    Raises:
        SettingError: A value is out of range.

    Example:
        >>> augment = ds.Augment(flip=True, shift=0.1)
        >>> options = ds.TrainOptions(augment=augment)
        >>> options.augment.shift
        0.1
    """

    flip: bool = True
    crop: float = 1.0
    shift: float = 0.0
    cutout: float = 0.0
    mixup: float = 0.0
    average: bool = False

    def __post_init__(self) -> None:
        faults = Faults()
        for name, value, is_right, expected, usual in (
            ("cutout", self.cutout, 0 <= self.cutout <= 1, "a fraction of at most 1", 0.25),
            ("mixup", self.mixup, 0 <= self.mixup < math.inf, "a number of at least 0", 0.2),
            ("crop", self.crop, 0 < self.crop <= 1, "a fraction above 0 and at most 1", 0.5),
            ("shift", self.shift, 0 <= self.shift < 1, "a fraction of at least 0 and below 1", 0.1),
        ):
            with faults.check():
                if not is_right:
                    raise SettingError(f"The {name} is {value}.", expected, f"{usual} is usual.")
        faults.tell()

    @property
    def notation(self) -> str:
        """The changes as text, such as "flip,shift=0.1"; "none" for none."""
        words = [name for name in ("flip", "average") if getattr(self, name)]
        parts = {"shift": 0.0, "crop": 1.0, "cutout": 0.0, "mixup": 0.0}
        words += [
            f"{name}={getattr(self, name):g}"
            for name, nothing in parts.items()
            if getattr(self, name) != nothing
        ]
        return ",".join(words) or "none"

    @property
    def for_single_targets(self) -> str:
        """The name of a change that a density map cannot take part in; empty for none."""
        names = ("shift", "cutout", "mixup", "average")
        return next((name for name in names if getattr(self, name)), "")

    def mix(
        self, key: Array, epoch: Array, samples: Int[Array, " n"], images: Array, targets: Array
    ) -> tuple[Array, Array]:
        """Mix each image of a batch, and its target, with the next one (mixup).

        Args:
            key: The training's key, the same in all its steps.
            epoch: Number of the epoch, ().
            samples: Which sample of the training part each image is.
            images: The images.
            targets: Their targets as floats.
        """
        own = jax.random.fold_in(jax.random.fold_in(key, jnp.uint32(_MIXING_STREAM)), epoch)
        keys = jax.vmap(partial(jax.random.fold_in, own))(samples)
        drawn = jax.vmap(lambda one: jax.random.beta(one, self.mixup, self.mixup))(keys)
        other = jnp.minimum(drawn, 1 - drawn)  # each sample keeps the larger part of itself

        def mixed(values: Array) -> Array:
            part = other.reshape(-1, *[1] * (values.ndim - 1))
            return (1 - part) * values + part * jnp.roll(values, -1, axis=0)

        return mixed(images.astype(jnp.float32)), mixed(targets)

    def apply(
        self,
        key: Array,
        epoch: Array,
        samples: Int[Array, " n"],
        images: Float[Array, "n h w c"],
        targets: Array,
        sizes: Float[Array, "n 2"] | None = None,
    ) -> tuple[Float[Array, "n h2 w2 c"], Array, Float[Array, "n 2"] | None]:
        """Change a batch of images, and with them density maps (N, h, w, 1), if they are such.

        Args:
            key: The training's key, the same in all its steps.
            epoch: Number of the epoch, ().
            samples: Which sample of the training part each image is.
            images: The images.
            targets: Their targets.
            sizes: Height and width of each photo within its array; None where they fill it.

        Returns:
            The images, their targets and their sizes.
        """
        own = jax.random.fold_in(jax.random.fold_in(key, jnp.uint32(_OWN_STREAM)), epoch)
        keys = jax.vmap(partial(jax.random.fold_in, own))(samples)
        if targets.ndim != 4:
            changed = jax.vmap(self._alone)(keys, images), targets, sizes
        elif sizes is None:
            changed = (*jax.vmap(self._with_map)(keys, images, targets), None)
        else:
            changed = jax.vmap(self._within)(keys, images, targets, sizes)
        # Computed once: without the barrier XLA repeats all of this for each reader of the images.
        return lax.optimization_barrier(changed)

    def _with_map(self, key: Array, photo: Array, density: Array) -> tuple[Array, Array]:
        """Cut the same part out of a photo and its map, at a place that both have; mirror both."""
        flip, position = jax.random.split(key)
        if self.crop < 1:
            cell = photo.shape[0] // density.shape[0]
            grid = max(GRID, cell)
            rows, columns = (side // grid for side in photo.shape[:2])
            tall, wide = (max(1, round(self.crop * side)) for side in (rows, columns))
            top, left = (
                grid * jax.random.randint(one, (), 0, side - part + 1)
                for one, side, part in zip(
                    jax.random.split(position), (rows, columns), (tall, wide), strict=True
                )
            )

            def cut(image: Array, unit: int) -> Array:
                size = (tall * grid // unit, wide * grid // unit, image.shape[-1])
                start = (top // unit, left // unit, jnp.zeros_like(top))
                return lax.dynamic_slice(image, start, size)

            photo, density = cut(photo, 1), cut(density, cell)
        if self.flip:
            mirrors = jax.random.bernoulli(flip)
            photo, density = (jnp.where(mirrors, x[:, ::-1], x) for x in (photo, density))
        return photo, density

    def _within(
        self, key: Array, photo: Array, density: Array, size: Array
    ) -> tuple[Array, Array, Array]:
        """The same for a photo that is smaller than its array: its own part, mirrored in place."""
        flip, position = jax.random.split(key)
        cell = photo.shape[0] // density.shape[0]
        grid = max(GRID, cell)
        own = (size // grid).astype(jnp.int32)
        if self.crop < 1:
            whole = [side // grid for side in photo.shape[:2]]
            tall, wide = (max(1, round(self.crop * side)) for side in whole)
            part = jnp.maximum(1, jnp.round(self.crop * own)).astype(jnp.int32)
            starts = [
                grid * jax.random.randint(one, (), 0, own[axis] - part[axis] + 1)
                for axis, one in enumerate(jax.random.split(position))
            ]

            def cut(image: Array, unit: int) -> Array:
                shape = (tall * grid // unit, wide * grid // unit, image.shape[-1])
                start = (starts[0] // unit, starts[1] // unit, jnp.zeros_like(starts[0]))
                return lax.dynamic_slice(image, start, shape)

            photo, density = cut(photo, 1), cut(density, cell)
            own = part
            size = (own * grid).astype(size.dtype)
        if self.flip:
            mirrors = jax.random.bernoulli(flip)

            def mirrored(image: Array, unit: int) -> Array:
                across = own[1] * grid // unit
                columns = (across - 1 - jnp.arange(image.shape[1])) % image.shape[1]
                return jnp.where(mirrors, jnp.take(image, columns, axis=1), image)

            photo, density = mirrored(photo, 1), mirrored(density, cell)
        return photo, density, size

    def _alone(self, key: Array, image: Array) -> Array:
        """Mirror, move and enlarge an image: each axis is looked at at other positions."""
        flip, size, *moves = jax.random.split(key, 4)
        part = jax.random.uniform(size, (), minval=self.crop, maxval=1.0)
        mirrors = jax.random.bernoulli(flip) if self.flip else jnp.bool_(False)
        for axis, move in enumerate(moves):
            cut, moved = jax.random.uniform(move, (2,))
            last = image.shape[axis] - 1
            positions = jnp.arange(last + 1, dtype=jnp.float32)
            if axis == 1 and self.flip:
                positions = jnp.where(mirrors, last - positions, positions)
            if self.crop < 1:
                positions = positions * part + cut * last * (1 - part)
            if self.shift:
                most = self.shift * (last + 1)
                positions = positions + jnp.round(most * (2 * moved - 1))
            image = _looked_at(image, axis, positions, between=self.crop < 1)
        return self._covered(key, image) if self.cutout else image

    def _covered(self, key: Array, image: Array) -> Array:
        """The image with a square of its mean colour, which may lie partly beyond its border."""
        height, width = image.shape[:2]
        side = max(1, round(self.cutout * min(height, width)))
        middle = jax.random.uniform(jax.random.fold_in(key, 1), (2,))
        inside = [
            jnp.abs(jnp.arange(length) + 0.5 - length * where) <= side / 2
            for length, where in zip((height, width), middle, strict=True)
        ]
        colour = image.astype(jnp.float32).mean((0, 1))
        colour = jnp.round(colour) if image.dtype == jnp.uint8 else colour
        square = inside[0][:, None, None] & inside[1][None, :, None]
        return jnp.where(square, colour.astype(image.dtype), image)


def _looked_at(image: Array, axis: int, positions: Float[Array, " side"], between: bool) -> Array:
    """The rows or columns of an image at these positions; beyond its border those at the border.

    Args:
        image: (h, w, channels).
        axis: 0 for rows, 1 for columns.
        positions: Where to look, in pixels from the first.
        between: Whether positions lie between two pixels, whose mean is taken, weighed by distance.
    """
    last = image.shape[axis] - 1
    positions = jnp.clip(positions, 0, last)
    below = jnp.floor(positions).astype(jnp.int32)
    found = jnp.take(image, below, axis)
    if not between:
        return found
    above = jnp.take(image, jnp.minimum(below + 1, last), axis)
    fraction = jnp.expand_dims(positions - below, tuple(one for one in range(3) if one != axis))
    return (1 - fraction) * found + fraction * above


def augment_from(text: str) -> Augment | None:
    """What a text says, such as "flip,shift,crop=0.7"; None for "none".

    Raises:
        SettingError: A word is unknown, or a fraction is no number or out of range.
    """
    if text.strip().lower() == "none":
        return None
    found: dict[str, Any] = {"flip": False}
    for word in text.split(","):
        name, sign, value = (one.strip() for one in word.partition("="))
        if name in ("flip", "average") and not sign:
            found[name] = True
            continue
        if name not in USUAL:
            raise SettingError(
                f"The images are to be changed by {word.strip()!r}.",
                f"some of flip, {', '.join(USUAL)} and average, separated by commas, or none",
                "Write for example flip,shift=0.1,crop=0.8.",
            )
        try:
            found[name] = float(value) if sign else USUAL[name]
        except ValueError:
            raise SettingError(
                f"The fraction in {word.strip()!r} is no number.",
                f"a fraction such as {name}={USUAL[name]}",
                "Correct it, or leave it out.",
            ) from None
    return Augment(**found)
