"""`downslope lab`: the page on which networks are built, trained and watched."""

from __future__ import annotations

import os
from pathlib import Path

import rich_click as click


@click.command()
@click.argument("source", metavar="[DATA|RUN]", default="spirals")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port on this machine; 0 for a free one (default: 8137, or a free one).",
)
@click.option("--no-browser", "browser", is_flag=True, default=True, flag_value=False,
              help="Print the link, and open no browser.")  # fmt: skip
def lab(source: str, port: int | None, browser: bool) -> None:
    """Open the lab: build a network, train it on your data, and watch it learn.

    It begins with DATA, a built-in data set, a table or a folder of images, or with a RUN as it is.
    Other data can be chosen or dropped on the page. Each training is a run folder below ./runs, as
    of every command.

    The page is served to this machine alone; the printed link works once. Ctrl-C ends the lab.
    """
    import webbrowser

    from downslope.cli.lines import say
    from downslope.data import BUILT_IN
    from downslope.errors import DataError
    from downslope.lab.server import run

    if source not in BUILT_IN:
        if not Path(source).exists():
            raise DataError(
                f"{source} does not exist.",
                "a run folder, a table, or a built-in data set (see: downslope data)",
                "Give another name; spirals is taken where there is none.",
            )
        source = os.path.abspath(source)

    def on_start(link: str) -> None:
        say(f"The lab: {link}", exact=True)
        say("Ctrl-C ends it; each training is kept in ./runs.")
        if browser:
            webbrowser.open(link)

    run(source, os.getcwd(), port, on_start)
