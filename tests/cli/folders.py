"""Photos of noise, with heads that are nowhere in them."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat


def photo(path: Path, seed: int = 0, size: tuple[int, int] = (64, 48)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


def shanghaitech(folder: Path, count: int = 20) -> Path:
    """Photo n has n heads."""
    (folder / "ground-truth").mkdir(parents=True)
    for number in range(1, count + 1):
        photo(folder / "images" / f"IMG_{number}.jpg", number)
        heads = np.random.default_rng(number).uniform(0, [64, 48], (number, 2))
        info, entry = np.empty((1, 1), object), np.empty((1, 1), [("location", object)])
        entry[0, 0] = (heads,)
        info[0, 0] = entry
        savemat(folder / "ground-truth" / f"GT_IMG_{number}.mat", {"image_info": info})
    return folder
