"""What `downslope neuron` and `downslope layers` do: look, tell, and draw into the run folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from downslope.cli import display, output
from downslope.cli.lines import print_json, say
from downslope.cli.tracing import open_with_data
from downslope.insight.layers import layers_over_time
from downslope.insight.neuron import neuron
from downslope.insight.plain import as_plain
from downslope.runs.run import Run

EXPLAINED = 6  # validation samples of which it is drawn which pixels matter


def neuron_and_report(
    folder: Path,
    data: Path | None,
    layer: int,
    unit: int,
    sample: int | None,
    *,
    pictures: bool,
    as_json: bool,
) -> None:
    """Look at one neuron, print it, and draw it.

    Raises:
        DownslopeError: There is no such neuron or sample, or the disk refuses.
    """
    run = open_with_data(folder, data, lively=not as_json)
    with display.waiting("Looking at all samples ...", lively=not as_json):
        found = neuron(run, layer, unit, sample)
    _report(run, found, as_json)

    def draw(folder: Path) -> list[Path]:
        from downslope.plots import neuron_figure, save_all

        assert run.dataset is not None
        figure = neuron_figure(found, run.dataset)
        return save_all([(f"neuron-{layer}-{unit}", figure)], folder)

    if pictures:
        _draw(run, draw, as_json)


def layers_and_report(
    folder: Path, data: Path | None, points: int, *, pictures: bool, as_json: bool
) -> None:
    """Measure a run's layers over its training, print and draw them.

    Raises:
        DownslopeError: The training does not repeat, or the disk refuses.
    """
    run = open_with_data(folder, data, lively=not as_json)
    with display.replaying(lively=not as_json) as on_steps:
        found = layers_over_time(run, points, on_steps)
    _report(run, found, as_json)

    def draw(folder: Path) -> list[Path]:
        from downslope.plots import draw_layers

        return draw_layers(run, found, folder, most=EXPLAINED)

    if pictures:
        _draw(run, draw, as_json)


def _report(run: Run, found: object, as_json: bool) -> None:
    if as_json:
        print_json({"run": str(run.folder), **as_plain(found)})
    else:
        say(str(found))


def _draw(run: Run, draw: Callable[[Path], list[Path]], as_json: bool) -> None:
    """Draw into the run folder, and say what is there."""
    assert run.folder is not None
    with display.waiting("Drawing pictures ...", lively=not as_json):
        paths = draw(run.folder / "pictures")
    if not as_json:
        say()
        output.list_pictures(paths)
