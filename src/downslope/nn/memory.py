"""Whether a network fits into memory, asked before anything is allocated."""

from __future__ import annotations

import math

from downslope.data.limits import in_gib
from downslope.errors import NetworkError
from downslope.nn.fusion import fuse
from downslope.nn.layer import Shape
from downslope.nn.network import Network
from downslope.storage.files import memory_bytes

COPIES = 3  # of each weight: itself, its gradient, and its update
BYTES = 4  # of a number
LARGEST_TOLD = 10**18  # numbers beyond are only called large


def check_memory(
    network: Network, input_shape: Shape, samples: float = 1, *, trains: bool = True
) -> None:
    """Check, before anything is allocated, that a network fits into memory.

    Args:
        network: The network.
        input_shape: Shape of one input.
        samples: How many it works on at once.
        trains: Whether gradients are needed, and so all signals at once.

    Raises:
        NetworkError: Its weights, or the signals of so many samples, do not fit.
    """
    most = memory_bytes()
    sizes = fuse(network).signal_sizes(input_shape)
    if max(sizes) < LARGEST_TOLD:  # else no array can have such axes
        weights = network.count_weights(input_shape)
        wanted = BYTES * weights * (COPIES if trains else 1)
        if wanted > most:
            raise NetworkError(
                f"The network has {_many(weights)} weights and biases, which take at least "
                f"{_memory(wanted)}{' while they are trained' if trains else ''}.",
                f"at most the {in_gib(most)} of memory that this process may use",
                "Use fewer units or channels, or pool before the dense layers.",
            )
    wanted = math.ceil(BYTES * samples) * (sum(sizes) if trains else 2 * max(sizes))
    if wanted > most:
        raise NetworkError(
            f"The signals of {f'{samples:,.0f} samples' if samples > 1 else 'one sample'} take at "
            f"least {_memory(wanted)}; the largest has {_many(max(sizes))} numbers for each.",
            f"at most the {in_gib(most)} of memory that this process may use",
            f"Use {'a smaller batch, ' if samples > 1 else ''}fewer units or channels, more "
            "pooling, or smaller inputs.",
        )


def _many(count: int) -> str:
    return f"{count:,}" if count < LARGEST_TOLD else f"more than {LARGEST_TOLD:,}"


def _memory(size: int) -> str:
    return in_gib(min(size, 4 * LARGEST_TOLD))
