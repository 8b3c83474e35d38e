"""`downslope data`: the data sets that come with Downslope."""

from __future__ import annotations

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output


@click.command()
@options.output
def data(output: Output) -> None:
    """List the data sets that come with Downslope."""
    from downslope.cli.lines import print_json, print_table, say
    from downslope.data import BUILT_IN

    rows = []
    for one in BUILT_IN.values():
        rows.append(
            {
                "name": one.name,
                "kind": one.task,
                "samples": one.samples,
                "generated": one.generated,
                "licence": one.licence,
                "description": one.description,
            }
        )
    if output.as_json:
        print_json({"datasets": rows})
        return
    print_table(
        ("name", "kind", "samples", "from", "licence", "what it is"),
        [
            (
                row["name"],
                row["kind"],
                f"{row['samples']:,}",
                "a program" if row["generated"] else "the world",
                row["licence"],
                row["description"],
            )
            for row in rows
        ],
        numeric=(2,),
    )
    say("\nTrain on one with: downslope train NAME. A folder of your own works as well.")
