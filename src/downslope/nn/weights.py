"""Weights from elsewhere for a network: read from a file, and compared by name and shape."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from downslope.errors import NetworkError
from downslope.nn.layer import Shape, numbered
from downslope.nn.network import Network, NetworkParameters
from downslope.storage.arrays import decode_arrays
from downslope.storage.files import plain_errors

BESIDE = ("scaling.", "targets.")  # what an export has beside weights
MOST_TOLD = 8  # of what does not match


def load_weights(
    network: Network,
    path: str | Path,
    *,
    input_shape: Shape | None = None,
    names: Mapping[str, str] | None = None,
) -> NetworkParameters:
    """Read weights for a network from a safetensors file, to start a training from them.

    An array's name is the number of its layer, from 1, and its own: "1.weights", "3.1.biases"
    inside of layer 3; `export(run, to="safetensors")` writes such files. Dense weights are
    (features, units), those of convolutions (height, width, channels in, channels out). Weights
    alone know no scaling: a training learns it, and how columns become inputs, from its own data.
    To keep those of an earlier run, give `start=RUN` instead.

    Args:
        network: The network that they are for.
        path: The file.
        input_shape: Shape of one input. If given, names and shapes are compared at once; `train`
            compares them in any case.
        names: What the file calls arrays, where it calls them otherwise: from "1.weights" to the
            name in the file. Arrays that are not named here are left out then.

    Raises:
        NetworkError: An array is of no layer, or does not fit; the message lists all that do not.
        RunError: The file is damaged, or holds numbers of other types.
        StorageError: It cannot be read.

    Example:
        >>> run = ds.open_run("runs/moons-1")
        >>> file = ds.export(run, "moons.safetensors", to="safetensors")[0]
        >>> weights = ds.load_weights(run.network, file, input_shape=(2,))
        >>> again = ds.train(run.network, "moons", start=weights, epochs=1)
        >>> again.trace.batch_loss[0] < run.trace.batch_loss[0]
        np.True_
    """
    with plain_errors(Path(path)):
        content = Path(path).read_bytes()
    arrays = decode_arrays(content, Path(path))
    if names is not None:
        missing = [theirs for theirs in names.values() if theirs not in arrays]
        if missing:
            raise NetworkError(
                f"{path} has no {_listed(missing)}.",
                f"arrays among {_listed([*arrays])}",
                "Correct the names.",
            )
        arrays = {ours: arrays[theirs] for ours, theirs in names.items()}
    layers: list[dict[str, Any]] = [{} for _ in network.layers]
    strangers = []
    for name, array in arrays.items():
        first, *inner = name.split(".")
        number = int(first) if first.isdecimal() else 0
        if inner and 1 <= number <= len(layers):
            *outer, last = inner
            inside = layers[number - 1]
            for part in outer:
                inside = inside.setdefault(part, {})
            inside[last] = array.astype(np.float32)
        elif not name.startswith(BESIDE):
            strangers.append(name)
    if strangers:
        raise NetworkError(
            f"{path} has arrays of no layer: {_listed(sorted(strangers))}.",
            f'names that begin with a layer from 1 to {len(layers)}, such as "1.weights"',
            "Say by names= which array is which.",
        )
    weights = tuple(layers)
    if input_shape is not None:
        check_weights(network, input_shape, weights)
    return weights


def check_weights(network: Network, input_shape: Shape, weights: Any) -> None:
    """Check that weights are those of a network.

    Raises:
        NetworkError: They are not; the message lists what does not match.
    """
    wanted = _shapes(jax.eval_shape(lambda: network.init(input_shape)))
    given = _shapes(weights) if isinstance(weights, tuple) else {}
    wrong = [
        f"{name} is {given[name]} instead of {shape}"
        if name in given
        else f"{name}, {shape}, is missing"
        for name, shape in wanted.items()
        if given.get(name) != shape
    ]
    wrong += [f"{name} is of no layer" for name in given if name not in wanted]
    if wrong:
        raise NetworkError(
            f"The weights do not fit the network: {_listed(wrong, '; ')}.",
            "the arrays that the network would draw for each layer",
            "Give the network that they are of, or say by load_weights(names=...) which is which.",
        )


def _shapes(parameters: NetworkParameters) -> dict[str, Shape]:
    """The shape of each array, by its name."""
    found, _ = jax.tree_util.tree_flatten_with_path(numbered(parameters))
    return {
        ".".join(str(getattr(one, "key", one)) for one in path): tuple(np.shape(leaf))
        for path, leaf in found
    }


def _listed(texts: list[str], between: str = ", ") -> str:
    told = between.join(texts[:MOST_TOLD])
    more = len(texts) - MOST_TOLD
    return f"{told} and {more} more" if more > 0 else told or "nothing"
