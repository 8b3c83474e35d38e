"""What a second walk through the training shows: the gap, the layers, and the surface around it."""

from __future__ import annotations

from collections.abc import Iterator

from downslope.errors import InputError
from downslope.insight.generalization import generalization
from downslope.insight.layers import layers_over_time
from downslope.insight.pixels import first_filters
from downslope.insight.surface import MOST_SAMPLES, POINTS, surface
from downslope.plots.generalization import gap_curves
from downslope.plots.layers import filters_figure, layers_figure
from downslope.plots.surface import surface_map
from downslope.reporting.material import Material
from downslope.reporting.pieces import Picture, Piece, Words
from downslope.runs.run import Run

MOST_SURVEYED = 3e10  # multiplications of a surface: some seconds
FINENESS = ((POINTS, MOST_SAMPLES), (25, 512))  # points along each direction, samples of each part


def the_gap(material: Material) -> Iterator[Piece]:
    """How far seen and unseen samples lie apart, and since when."""
    if material.unseen:
        yield Words(material.unseen)
    elif material.run.epochs:
        found = generalization(material.run, on_progress=material.on_progress)
        yield Words(found.summary.replace("\n", " "))
        yield Picture("generalization", gap_curves(found, sentences=False))


def the_layers(material: Material) -> Iterator[Piece]:
    """What went on in each layer, and what the first one came to look for."""
    run = material.run
    if material.unseen or not run.outcome.step:
        return
    yield Picture(
        "layers",
        layers_figure(layers_over_time(run, on_steps=material.on_progress)),
        "A layer whose gradient is far shorter than that of the others hardly learns. A dead or "
        "saturated unit passes no gradient to the layers before it.",
    )
    filters = first_filters(run)
    if filters is not None:
        yield Picture("filters", filters_figure(filters, name=run.data.name))


def the_surface(material: Material) -> Iterator[Piece]:
    """The loss around the path that the training walked."""
    run = material.run
    if material.unseen or not run.outcome.step:
        return
    fine = next((one for one in FINENESS if _work(run, *one) <= MOST_SURVEYED), None)
    if fine is None:
        yield Words(
            "The loss surface is left out, because computing it for so large a network takes "
            "long. The command surface shows it."
        )
        return
    points, samples = fine
    try:
        found = surface(run, points=points, most_samples=samples, on_progress=material.on_progress)
    except InputError as error:  # a path that spans no plane
        yield Words(f"The loss surface cannot be shown: {error.received}")
        return
    yield Words(
        "The loss is a function of all weights. The picture shows it on the plane of the two main "
        f"directions of the path of this training. {found.summary}"
    )
    yield Picture("surface", surface_map(found, sentences=False))


def _work(run: Run, points: int, samples: int) -> int:
    """Multiplications of a surface at so many points, from so many samples of each part."""
    assert run.dataset is not None
    parts = (run.dataset.train, run.dataset.validation)
    seen = sum(min(samples, len(part)) for part in parts)
    return run.network.multiplications(run.data.input_shape) * points**2 * seen
