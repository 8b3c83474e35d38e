"""`downslope diff`: where two runs part, and what differed."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@click.argument("one", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("other", metavar="RUN", type=click.Path(path_type=Path))
@options.figures
@options.no_pictures
@options.as_json
def diff(one: Path, other: Path, out: Path, pictures: bool, as_json: bool) -> None:
    """Show where two runs start to differ, and why.

    Reports which settings, data, network or versions differ, from which step on the losses are no
    longer equal bit for bit, whether the one explains the other, and how far apart they end.
    Nothing is trained, and the test part stays closed.
    """
    from downslope.cli.diffing import diff_and_report

    diff_and_report(one, other, out if pictures else None, as_json=as_json)
