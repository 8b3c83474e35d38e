"""`downslope generalization`: how seen and unseen samples compare."""

from __future__ import annotations

from dataclasses import replace

import rich_click as click

from downslope.cli import options
from downslope.cli.interrupts import STOPPED
from downslope.cli.lines import say
from downslope.cli.runner import Output, RunAt


@click.command()
@options.run
@click.option("--test", is_flag=True, help="Evaluate on the test part as well; this is counted.")
@click.option(
    "--learning-curve",
    "curve",
    is_flag=True,
    help="Also train on growing fractions of the training part, with several seeds.",
)
@click.option(
    "--seeds",
    type=int,
    default=3,
    metavar="N",
    help="Trainings per size for the learning curve (default 3).",
)
@options.drawn_output
def generalization(run: RunAt, test: bool, curve: bool, seeds: int, output: Output) -> int:
    """Compare the training and the validation loss of a RUN: does it overfit?

    Reports how large the gap is, from which epoch on chance does not explain it, and whether the
    validation loss rose again. The training is replayed for it.
    """
    from downslope.insight.generalization import generalization as compare_parts
    from downslope.insight.learning_curve import check_seeds, learning_curve, sizes_of
    from downslope.runs.metric_text import evaluations_note

    if curve:
        check_seeds(seeds)
    opened = output.open(run)
    if curve:
        sizes_of(opened.data.samples["train"])  # an error is told before the work
    name, stopped = opened.data.name, False
    with output.working(f"Replaying the training on {name}") as on_progress:
        found = compare_parts(opened, test=test, on_progress=on_progress)
    if curve:
        try:
            with output.working(f"Training on fractions of {name}") as on_progress:
                sizes = learning_curve(opened, seeds=seeds, on_progress=on_progress)
            found = replace(found, learning_curve=sizes)
        except KeyboardInterrupt:
            stopped = True
    code = output.show_of(opened, found)
    if test and not output.as_json:
        say(evaluations_note(opened))
    return STOPPED if stopped else code
