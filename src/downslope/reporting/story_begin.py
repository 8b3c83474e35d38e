"""The first three steps: samples go in, predictions come out, and how far off they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from downslope.engine.metrics import MEASURES
from downslope.insight.slope import Slope, slope
from downslope.numerals import rounded
from downslope.plots.mistakes import as_images
from downslope.plots.samples import sample_tiles
from downslope.plots.slope import tangents
from downslope.reporting.material import Material
from downslope.reporting.pieces import Picture, Piece, Words
from downslope.runs.metric_text import COLUMNS, figure, generated_note, has_several_numbers
from downslope.text import Table, amount

_MOST_COLUMNS = 8  # of a table that are shown
LOSS_WORDS = {
    "squared_error": "the square of the difference between prediction and target",
    "absolute_error": "the absolute difference between prediction and target",
    "huber": "half the squared difference from the target, or the difference where it is large",
    "cross_entropy": "the negative logarithm of the predicted probability of the true class",
    "binary_cross_entropy": "the negative logarithm of the predicted probability of the truth",
    "poisson": "how unlikely the true count is at the predicted rate",
}
_OWN_UNITS = (
    "squared_error",
    "absolute_error",
    "huber",
)  # losses whose outputs are the predictions


def the_samples(material: Material) -> Iterator[Piece]:
    """What it learnt from: how much of it there is, and a few samples."""
    data, run = material.dataset, material.run
    sizes = data.sizes
    word = "labels" if data.task == "multilabel" else "classes"
    kinds = f" of {len(data.class_names)} {word}" if data.class_names else ""
    yield Words(
        f"{data.name} has {amount(sum(sizes.values()), 'labelled sample')}{kinds}. The network "
        f"was trained on {sizes['train']:,} of them. {sizes['validation']:,} validate it during "
        f"the training, and {sizes['test']:,} are held out for the test."
    )
    if data.generated:
        yield Words(generated_note(data.name), important=True)
    yield _few(material)
    for one in run.data.findings or ():
        yield Words(str(one), important=one.level == "warning")
    for note in data.notes:
        yield Words(note)


def _few(material: Material) -> Piece:
    few, data = material.few, material.dataset
    title = f"Training samples: {data.name}"
    images = as_images(few.inputs, data.input_names)
    if images is not None:
        sentence = "Above each image: its true class or target."
        figure = sample_tiles(images, material.truths, title=title, subtitle=sentence)
        return Picture("samples", figure)
    if data.rows is not None:
        table = data.rows.table
        rows = table.take(data.rows.parts.train[material.chosen]).to_pylist()
        targets = material.run.data.target_names
        names = [name for name in table.column_names if name not in targets]
        cells = [[_text(row[name]) for name in names] for row in rows]
    else:
        flat = few.inputs.reshape(len(few), -1)
        names = list(data.input_names) or [f"input {index + 1}" for index in range(flat.shape[1])]
        cells = [[rounded(value) for value in row] for row in flat]
    if len(names) > _MOST_COLUMNS:
        title += f": {_MOST_COLUMNS} of {len(names)} columns"
    head = ("target", *names[:_MOST_COLUMNS])
    rows = [
        (truth, *row[:_MOST_COLUMNS]) for truth, row in zip(material.truths, cells, strict=True)
    ]
    return Table(head, rows, caption=title)


def _text(value: Any) -> str:
    text = rounded(value, 6) if isinstance(value, float) else "" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def the_first_predictions(material: Material) -> Iterator[Piece]:
    """What the untrained network answers to these samples."""
    begun, run = material.beginning, material.run
    if begun is None:
        yield Words(
            "This training started from an earlier run or was made elsewhere. Its initial weights "
            "are not known, so the first predictions cannot be shown."
        )
        return
    untrained = begun.untrained
    yield Words(
        f"The initial weights are random (seed {run.settings.seed}). With them, before any "
        "training, the network predicts:"
    )
    said = material.in_words(untrained.predict(material.few.inputs))
    yield Table(
        ("target", "prediction"),
        list(zip(material.truths, said, strict=True)),
        caption="Predictions of the untrained network",
    )
    if has_several_numbers(run.data):  # whose errors have no unit in common
        return
    name = MEASURES[run.data.task][0]
    found = untrained.measure(material.dataset.validation)[name]
    yield Words(f"On all validation samples it {_verb(name)} {figure(name, found, run.data.task)}.")


def _verb(name: str) -> str:
    return f"has {'an accuracy' if name == 'accuracy' else f'an {COLUMNS[name]}'} of"


def the_loss(material: Material) -> Iterator[Piece]:
    """How far these predictions are off, and how the loss changes with one of them."""
    loss, begun = material.run.loss, material.beginning
    says = LOSS_WORDS.get(loss.built_in)
    meaning = f", {says}" if says else ""
    yield Words(
        "The loss measures how wrong a prediction is, as one number. Here it is the "
        f"{loss.name.replace('_', ' ')}{meaning}. Smaller is better."
    )
    if loss.formula:
        yield Words(f"{loss.equation}, y the output and t the target.")
    if begun is None:
        return
    losses = material.losses(begun.untrained)
    yield Table(
        ("target", "loss before training"),
        [(truth, rounded(one)) for truth, one in zip(material.truths, losses, strict=True)],
        numeric=(1,),
        caption="Loss of the same samples",
    )
    if material.furthest is not None:
        yield Picture(
            "loss-slope",
            tangents(_one_output(material, material.furthest)),
            "The slope says in which direction the output must change, and how fast the loss then "
            "changes.",
        )


def _one_output(material: Material, row: int) -> Slope:
    """The loss of one sample as one of its outputs changes, all others kept."""
    begun, loss = material.beginning, material.run.loss
    assert begun is not None
    sample = material.few.take(np.array([row]))
    outputs = np.asarray(begun.untrained.outputs(sample), np.float64)
    truth = np.asarray(sample.targets[0])
    note, target = "", None
    data = material.run.data
    if data.task == "multilabel":
        index = int(truth.argmax())
        note = f"y is the output for {data.class_names[index]}, which is "
        note += "yes" if truth[index] > 0.5 else "no"
    elif loss.takes_classes:
        index = int(truth if truth.ndim == 0 else truth.argmax())
        note = f"y is the output for the true class, {material.truths[row]}"
        if outputs.shape[1] == 1:
            index, second = 0, material.run.data.class_names[1]
            note = f"y is the output, the higher the likelier {second}; the truth is "
            note += material.truths[row]
    else:
        index = int(np.ravel(truth).argmax())
        # the shortest number that float32 takes for the truth, such as 68.6
        target = float(str(np.ravel(truth)[index])) if loss.built_in in _OWN_UNITS else None
        if material.run.data.task == "counting":
            note = "y is the density of people in the cell with the most people"
    if outputs.size > 1:
        if has_several_numbers(data):
            note = f"y is the output for {data.target_names[index]}"
        note += "; the other outputs are held fixed" if note else "y is the largest output"
    before = float(outputs.reshape(-1)[index])
    ends = [before, before + 6 if target is None else target]
    room = 0.35 * ((max(ends) - min(ends)) or 1.0)

    scaling = material.run.target_scaling
    has_units = scaling is not None and scaling.std.ndim > 0  # of each target its own

    def of_output(y: Any) -> Any:
        changed = jnp.asarray(outputs).reshape(-1).at[index].set(y).reshape(outputs.shape)
        pair = changed, jnp.asarray(sample.targets)
        if scaling is not None and has_units:
            pair = ((one - scaling.mean) / scaling.std for one in pair)
        return loss.per_sample(*pair)

    found = slope(of_output, at=before, span=(min(ends) - room, max(ends) + room))
    note = f"{note}." if note else ""
    found = replace(found, name=loss.name, variable="y", result="L", target=target, note=note)
    if outputs.size > 1:  # whose loss is a mean, or of all outputs together
        return found
    formulas = loss.equation.put({"t": float(np.ravel(truth)[0]) if target is None else target})
    return replace(found, formula=formulas.formula, derivative=formulas.derivative)
