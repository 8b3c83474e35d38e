"""Small changes to photos while training, so that fewer of them teach more.

What happens to a sample is a pure function of (seed, step, place in the batch). The density map,
where there is one, changes together with its photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from downslope.errors import SettingError

# Crops begin at every so many pixels, at least a cell's width, so that the pooling layers' windows
# fall as in the whole photo.
GRID = 8


@dataclass(frozen=True)
class Augment:
    """How photos are changed.

    Attributes:
        flip: Mirror every other photo, left to right.
        crop: Share of the height and of the width that is cut out, at a random place; 1 keeps
            the whole photo.
    """

    flip: bool = True
    crop: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.crop <= 1:
            raise SettingError(
                f"The crop is {self.crop}.", "a share above 0 and at most 1", "0.5 is usual."
            )

    def apply(
        self, key: Array, photos: Float[Array, "n h w c"], targets: Array
    ) -> tuple[Float[Array, "n h2 w2 c"], Array]:
        """Change a batch of photos, and with them density maps (N, h, w, 1), if they are such."""
        flips, places = jax.random.split(key)
        maps = targets.ndim == 4
        if self.crop < 1:
            photos, targets = self._cut(places, photos, targets)
        if self.flip:
            flipped = jax.random.bernoulli(flips, 0.5, (len(photos), 1, 1, 1))
            photos = jnp.where(flipped, photos[:, :, ::-1], photos)
            if maps:
                targets = jnp.where(flipped, targets[:, :, ::-1], targets)
        # Computed once: without the barrier XLA repeats all of this for each reader of the photos.
        return lax.optimization_barrier((photos, targets))

    def _cut(self, key: Array, photos: Array, targets: Array) -> tuple[Array, Array]:
        """Cut the same part out of each photo and its map, at places that both have."""
        cell = photos.shape[1] // targets.shape[1] if targets.ndim == 4 else 1
        grid = max(GRID, cell)
        rows, columns = (photos.shape[axis] // grid for axis in (1, 2))
        tall, wide = (max(1, round(self.crop * side)) for side in (rows, columns))
        top, left = (
            grid * jax.random.randint(one, (len(photos),), 0, side - part + 1)
            for one, side, part in zip(
                jax.random.split(key), (rows, columns), (tall, wide), strict=True
            )
        )

        def cut(image: Array, y: Array, x: Array, unit: int) -> Array:
            size = (tall * grid // unit, wide * grid // unit, image.shape[-1])
            return lax.dynamic_slice(image, (y // unit, x // unit, jnp.zeros_like(x)), size)

        cropped = jax.vmap(lambda image, y, x: cut(image, y, x, 1))(photos, top, left)
        if targets.ndim == 4:
            targets = jax.vmap(lambda image, y, x: cut(image, y, x, cell))(targets, top, left)
        return cropped, targets
