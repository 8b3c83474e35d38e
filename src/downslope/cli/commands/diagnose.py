"""`downslope diagnose`: why a training did not learn, and the training with what helps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output, RunAt

if TYPE_CHECKING:
    from downslope.diagnosis.diagnose import Diagnosis
    from downslope.runs.run import Run


@click.command()
@options.run
@click.option(
    "--budget",
    type=float,
    metavar="SECONDS",
    help="Seconds to look for causes and to prove them by trainings (default 30, or as long as "
    "the training took); 0 for no trainings.",
)
@click.option(
    "--fix",
    is_flag=True,
    help="Train a new run with the changes that were proved, and compare both.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="With --fix: a new folder for the new run (default runs/NAME-NUMBER).",
)
@options.drawn_output
def diagnose(run: RunAt, budget: float | None, fix: bool, out: Path | None, output: Output) -> int:
    """Find out why the training of a RUN did not learn, and what to change.

    Looks for symptoms in the losses, the data and the layers, then trains with each change beside
    the training as it was, with several seeds: what helps is proved, all else is called a guess.
    """
    from downslope.errors import SettingError

    if out is not None and not fix:
        raise SettingError(
            f"A folder for a new run was given ({out}), and none is to be trained.",
            "--out together with --fix",
            "Add --fix, or leave --out out.",
        )
    if fix and budget == 0:
        raise SettingError(
            "A new run was to be trained with proved changes, and the budget is 0.",
            "seconds to prove them in",
            "Leave --budget out, or leave --fix out.",
        )
    opened = output.open(run)
    if fix:
        return _fix(opened, budget, out, output)
    return output.show_of(opened, _found(opened, budget, output), fix=None)


def _found(run: Run, budget: float | None, output: Output) -> Diagnosis:
    from downslope.diagnosis.diagnose import diagnose as find_causes

    with output.working(f"Looking for causes on {run.data.name}") as on_progress:
        return find_causes(run, budget, on_progress=on_progress)


def _fix(run: Run, budget: float | None, out: Path | None, output: Output) -> int:
    """Diagnose, train with what was proved into a folder that is claimed before, and tell."""
    from downslope.cli import display
    from downslope.cli.lines import say
    from downslope.cli.runner import tell
    from downslope.cli.training import claimed, hint_to_resume
    from downslope.diagnosis.fix import fix, setup_of

    with claimed(out) as claim:
        found = _found(run, budget, output)
        if not output.as_json:
            tell((*found.parts(), ""))
        setup = setup_of(found)
        if setup.changes:
            own, epochs = claim(run.data.name), int(setup.options.epochs or 1)
            with (
                display.training(setup.dataset, epochs, lively=output.is_lively) as shown,
                hint_to_resume(own.path),
            ):
                fixed = fix(found, folder=own, on_chunk=shown)
        else:
            fixed = fix(found)
            if out is not None:
                claim(run.data.name).give_back()
    new = None if fixed.run is None else str(fixed.run.folder)
    if output.as_json:
        own = None if new is None else {"run": new, **fixed.to_dict()}
        output.print_object(found, (), run=str(run.folder), fix=own)
    else:
        tell(fixed.parts())
        if new is not None:
            say(f"Run: {new}", exact=True)
    return 0
