"""Tiny folders in the layouts of ShanghaiTech, Mall and MNIST."""

import struct

import numpy as np
from PIL import Image
from scipy.io import savemat


def photo(path, width=64, height=48, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, quality=90)


def heads_within(count, width=64, height=48, seed=0):
    return np.random.default_rng(seed).uniform(0, [width, height], (count, 2))


def shanghaitech_label(path, heads):
    """Write heads as MATLAB does: a cell that holds a struct of location and number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    info = np.empty((1, 1), object)
    entry = np.empty((1, 1), [("location", object), ("number", object)])
    entry[0, 0] = (heads, np.array([[len(heads)]], np.uint8))
    info[0, 0] = entry
    savemat(path, {"image_info": info})


def shanghaitech(folder, count=20, labels="ground-truth", **size):
    """Write photo n with n heads, n from 1."""
    for number in range(1, count + 1):
        photo(folder / "images" / f"IMG_{number}.jpg", seed=number, **size)
        heads = heads_within(number, seed=number, **size)
        shanghaitech_label(folder / labels / f"GT_IMG_{number}.mat", heads)
    return folder


def mall_label(path, heads):
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = np.empty((1, len(heads)), object)
    for number, points in enumerate(heads):
        entry = np.empty((1, 1), [("loc", object)])
        entry[0, 0] = (points,)
        frames[0, number] = entry
    counts = np.array([[len(points)] for points in heads], np.uint8)
    savemat(path, {"frame": frames, "count": counts})


def mall(folder, numbers, counts):
    """Write frames of these numbers, and labels with these many heads."""
    for number in numbers:
        photo(folder / "frames" / f"seq_{number:06d}.jpg", seed=number)
    mall_label(folder / "mall_gt.mat", [heads_within(count, seed=count) for count in counts])
    return folder


def idx_bytes(array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


def idx_folder(folder, count=60, dot="-", pack=lambda data: data, ending="", part="train"):
    draw = np.random.default_rng(count)
    images = draw.integers(0, 256, (count, 7, 5), dtype=np.uint8)
    labels = (np.arange(count) % 3).astype(np.uint8)
    folder.mkdir(exist_ok=True)
    (folder / f"{part}-images{dot}idx3-ubyte{ending}").write_bytes(pack(idx_bytes(images)))
    (folder / f"{part}-labels{dot}idx1-ubyte{ending}").write_bytes(pack(idx_bytes(labels)))
    return images, labels
