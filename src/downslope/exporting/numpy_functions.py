"""Functions that are copied, as they stand here, into the files that Downslope writes.

So they know NumPy and each other, and nothing else. Images are (n, height, width, channels).
"""

import numpy as np


def standardize(x, axes):
    """Mean 0 and variance 1 over these axes."""
    centred = x - x.mean(axis=axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + np.float32(1e-5))


def standardize_groups(x, groups):
    """Mean 0 and variance 1 over all pixels and the channels of one group."""
    parts = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
    return standardize(parts, (1, 3)).reshape(x.shape)


def embed(x, weights):
    """The last input, the index of a value, looked up and put in front of the others."""
    indices = np.clip(np.rint(x[:, -1]), 0, len(weights) - 1).astype(int)
    return np.concatenate([weights[indices], x[:, :-1]], axis=1)


def embed_bag(x, weights, size):
    """The mean of the rows that the last inputs name, in front of the others; 0 is no row."""
    indices = np.clip(np.rint(x[:, -size:]), 0, len(weights) - 1).astype(int)
    is_word = (indices > 0).astype(x.dtype)[..., None]
    mean = (weights[indices] * is_word).sum(axis=1) / np.maximum(is_word.sum(axis=1), 1)
    return np.concatenate([mean, x[:, :-size]], axis=1)


def piecewise(x, bins, columns):
    """The first inputs, ranks of 0 to bins, spread over bins numbers each."""
    spread = np.clip(x[:, :columns, None] - np.arange(bins, dtype=x.dtype), 0, 1) / bins**0.5
    return np.concatenate([spread.reshape(len(x), -1), x[:, columns:]], axis=1)


def log_mean(logs):
    """The logarithm of the mean over the members of what has these logarithms."""
    most = logs.max(axis=1, keepdims=True)
    return np.log(np.exp(logs - most).mean(axis=1)) + most[:, 0]


def mean_numbers(x):
    """The mean of the members' numbers, (n, members, outputs)."""
    return x.mean(axis=1)


def mean_classes(x):
    """Logits of the mean of the members' probabilities of classes."""
    most = x.max(axis=-1, keepdims=True)
    return log_mean(x - most - np.log(np.exp(x - most).sum(axis=-1, keepdims=True)))


def mean_labels(x):
    """Logits of the mean of the members' probabilities of labels."""
    return log_mean(-np.logaddexp(0, -x)) - log_mean(-np.logaddexp(0, x))


def mean_rates(x):
    """The logarithm of the mean of the members' rates."""
    return log_mean(x)


def convolve(x, weights, stride=1, dilation=1, groups=1, padding="same"):
    """Weights (size, size, channels in, channels out) at every position of the images."""
    if groups > 1:  # each part of the channels by itself
        inputs, kernels = (np.split(one, groups, axis=-1) for one in (x, weights))
        pairs = zip(inputs, kernels, strict=True)
        made = [convolve(one, own, stride, dilation, 1, padding) for one, own in pairs]
        return np.concatenate(made, axis=-1)
    span = (len(weights) - 1) * dilation + 1  # how far one patch reaches
    if padding == "same":
        outputs = [-(-length // stride) for length in x.shape[1:3]]
        total = [
            max((count - 1) * stride + span - length, 0)
            for count, length in zip(outputs, x.shape[1:3], strict=True)
        ]
        x = np.pad(x, [(0, 0), *[(zeros // 2, zeros - zeros // 2) for zeros in total], (0, 0)])
    patches = np.lib.stride_tricks.sliding_window_view(x, (span, span), (1, 2))
    patches = patches[:, ::stride, ::stride, :, ::dilation, ::dilation]
    return np.tensordot(patches, weights, axes=([4, 5, 3], [0, 1, 2]))


def windows(x, size):
    """Windows of size x size pixels side by side; what fills no window is left out."""
    n, height, width, channels = x.shape
    x = x[:, : height // size * size, : width // size * size]
    return x.reshape(n, height // size, size, width // size, size, channels)


def upsample(x, factor):
    """Each pixel repeated in both directions."""
    return x.repeat(factor, axis=1).repeat(factor, axis=2)
