"""What a run predicts for inputs as users have them: a frame is encoded, an array is checked."""

from __future__ import annotations

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np

from downslope.data.dataset import Samples
from downslope.data.readers.frames import is_frame, table_from, texts_in
from downslope.errors import DataError, NetworkError
from downslope.nn.network import Signal
from downslope.runs.run_value import RunValue


def checked_inputs(run: RunValue, inputs: Any) -> Any:
    """Inputs as an array (N, *input_shape); photos may have another height and width.

    Samples stay as they are.

    Raises:
        DataError: The inputs have the wrong shape.
    """
    if isinstance(inputs, Samples):
        checked_inputs(run, inputs.inputs)
        return inputs
    wanted, counting = run.data.input_shape, run.data.task == "counting"
    table = _table(run, inputs)
    if table is not None and run.data.encoding is not None:
        notes: list[str] = []
        encoded = run.data.encoding.encode(table, notes)
        for note in notes:
            warnings.warn(note, stacklevel=4)
        return encoded
    try:
        array = np.asarray(inputs)
    except ValueError:
        raise _misfit(run, "rows of different lengths") from None
    got = array.shape[1:]
    fits = got[-1:] == wanted[-1:] and len(got) == len(wanted) if counting else got == wanted
    if not (fits and array.ndim > 0 and array.dtype.kind in "buif"):
        raise _misfit(run, f"shape {array.shape} and type {array.dtype}")
    return array


def _table(run: RunValue, inputs: Any) -> Any:
    """Inputs of named columns, or texts where one column of texts was learnt from, as a table."""
    encoding = run.data.encoding
    if encoding is None:
        return None
    texts = texts_in(inputs) if [one.kind for one in encoding.columns] == ["text"] else None
    if texts is not None:
        import pyarrow as pa

        return pa.table({encoding.columns[0].name: texts})
    return table_from(inputs) if is_frame(inputs) else None


def _misfit(run: RunValue, what: str) -> DataError:
    wanted = run.data.input_shape
    columns = () if run.data.encoding is None else run.data.encoding.columns
    if any(one.kind == "text" for one in columns):
        named = f"a frame with the column{'s' * (len(columns) > 1)} "
        named += ", ".join(one.name for one in columns[:8]) + ", ..." * (len(columns) > 8)
        return DataError(
            f"The inputs have {what}.",
            named if len(columns) > 1 else f"a list of texts, or {named}",
            "Give one row per sample; for a single text write [text].",
        )
    sides = ("height", "width", str(wanted[-1])) if run.data.task == "counting" else wanted
    shape = ", ".join(str(side) for side in ("samples", *sides))
    return DataError(
        f"The inputs have {what}.",
        f"numbers of shape ({shape}), as in {run.data.name}",
        "Give one row per sample; for a single sample write inputs[None].",
    )


def outputs(run: RunValue, inputs: Any) -> np.ndarray:
    """`Run.outputs`."""
    return run.model.outputs(checked_inputs(run, inputs))


def predict(run: RunValue, inputs: Any) -> np.ndarray:
    """`Run.predict`."""
    return run.model.predict(checked_inputs(run, inputs))


def densities(run: RunValue, inputs: Any) -> np.ndarray:
    """`Run.densities`."""
    if run.data.task != "counting":
        raise DataError(
            f"{run.data.name} has no crowds.", "a run that counts people", "Use predict."
        )
    return run.model.linked(run.model.outputs(checked_inputs(run, inputs)))


def probabilities(run: RunValue, inputs: Any) -> np.ndarray:
    """`Run.probabilities`."""
    if run.data.task not in ("classification", "multilabel"):
        raise DataError(
            f"{run.data.name} has no classes.", "a run that learnt classes", "Use predict."
        )
    return run.model.probabilities(checked_inputs(run, inputs))


def disagreement(run: RunValue, inputs: Any) -> np.ndarray:
    """`Run.disagreement`."""
    found = run.model.disagreement(checked_inputs(run, inputs))
    if found is None:
        raise NetworkError(
            "The network has one member, which has nobody to disagree with.",
            "a run of several members, as tables get by default",
            "Train with members=4 (--members 4).",
        )
    return found


def signals(run: RunValue, inputs: Any) -> tuple[Signal, ...]:
    """`Run.signals`."""
    inputs = inputs.inputs if isinstance(inputs, Samples) else inputs
    scaled = jnp.asarray(run.scaling.apply(checked_inputs(run, inputs)))
    return run.network.signals(run.parameters, scaled)
