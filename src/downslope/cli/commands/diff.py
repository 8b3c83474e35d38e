"""`downslope diff`: where two runs start to differ, and why."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output


@click.command()
@click.argument("one", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("other", metavar="RUN", type=click.Path(path_type=Path))
@options.figures_output
def diff(one: Path, other: Path, output: Output) -> int:
    """Show where two runs start to differ, and why.

    Reports which settings, data, network or versions differ, from which step on the losses are no
    longer equal bit for bit, whether the one explains the other, and how far apart they end.
    Nothing is trained, and the test part stays closed.
    """
    from downslope.insight.diff import diff as compare_runs
    from downslope.runs.open import open_run

    return output.show(compare_runs(open_run(one), open_run(other)))
