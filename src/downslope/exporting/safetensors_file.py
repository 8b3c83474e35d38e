"""The weights under the run's own names, with what is needed to understand them."""

from __future__ import annotations

from importlib.metadata import version

import msgspec
import numpy as np

from downslope.exporting.model import Model
from downslope.nn.notation import describe

_READING = (
    'Each layer\'s arrays begin with its number in the network, from 1: "1.weights". Dense weights '
    "are (features, units), convolutions (height, width, channels in, channels out), images "
    "(samples, height, width, channels). Inputs are (x - scaling.mean) / scaling.std; "
    "outputs are x * targets.std + targets.mean, then the link. What is missing is not done."
)


def named_arrays(model: Model) -> dict[str, np.ndarray]:
    """All arrays of a model by their names."""
    return {**model.named_parameters, **model.named_scales}


def notes(model: Model) -> dict[str, str]:
    """What the file's head says: texts, some of them JSON."""
    as_json = {
        "input_shape": model.input_shape,
        "input_names": model.input_names,
        "target_names": model.target_names,
        "class_names": model.class_names,
        "encoding": model.encoding,
    }
    return {
        "made_by": f"downslope {version('downslope')}",
        "reading": _READING,
        "data": model.name,
        "task": model.task,
        "network": describe(model.network),
        "link": model.link,
        **{name: msgspec.json.encode(value).decode() for name, value in as_json.items() if value},
    }
