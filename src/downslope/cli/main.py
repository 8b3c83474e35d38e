"""The command `downslope`; how it ends, `ending.py` says."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from io import TextIOWrapper
from typing import Any, cast

import click

from downslope.cli import STOPPED, stop_at_once
from downslope.cli.bowl import bowl
from downslope.cli.compare import compare
from downslope.cli.count import count
from downslope.cli.data import data
from downslope.cli.diff import diff
from downslope.cli.ending import (
    FAILED,
    NOBODY_READS,
    BrokenOff,
    answer_interrupts,
    check_surroundings,
    code_of,
    ignore_interrupts,
    open_closed_streams,
)
from downslope.cli.escape import escape
from downslope.cli.export import export
from downslope.cli.fork import fork
from downslope.cli.generalization import generalization
from downslope.cli.layers import layers
from downslope.cli.lines import say
from downslope.cli.minima import minima
from downslope.cli.neuron import neuron
from downslope.cli.predict import predict
from downslope.cli.rate import rate
from downslope.cli.report import report
from downslope.cli.resume import resume
from downslope.cli.slope import slope
from downslope.cli.surface import surface
from downslope.cli.test import test
from downslope.cli.trace import trace
from downslope.cli.train import train


class Commands(click.Group):
    """A group whose commands end in one message, whatever goes wrong."""

    def main(self, *arguments: Any, standalone_mode: bool = True, **settings: Any) -> Any:
        """Run the command line, and end the process; or return, where not `standalone_mode`."""
        run = partial(super().main, *arguments, standalone_mode=False, **settings)
        if not standalone_mode:
            return run()
        try:
            code = run()
            sys.stdout.flush()
        except SystemExit:
            raise
        except BaseException as error:
            sys.exit(code_of(error))
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            StorageError: The working folder is gone.
            BrokenOff: Ctrl-C.
        """
        check_surroundings()
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError, OSError) as error:
            raise BrokenOff from error


def show_version(context: click.Context, parameter: click.Parameter, is_wanted: bool) -> None:
    """Print the version, and which path products and convolutions take on this machine."""
    if not is_wanted or context.resilient_parsing:
        return
    from downslope.nn.ops.native import native

    is_there, says = native()
    path = f"native kernel, {says}" if is_there else f"JAX alone; the native kernel is {says}"
    say(f"downslope {version('downslope')}\nproducts and convolutions: {path}")
    context.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="To begin with: downslope train digits",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_version,
    help="Show the version, and how layers are computed here.",
)
def cli() -> None:
    """Train neural networks, and see how they learn."""


COMMANDS = (
    *(train, resume, fork, test, predict, count, report),
    *(trace, neuron, layers, generalization, surface),
    *(rate, compare, minima, diff),
    *(slope, bowl, escape),
    *(export, data),
)
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line, and end the process."""
    try:
        answer_interrupts()
        _run()
    except KeyboardInterrupt:  # between two things that answer it
        stop_at_once()


def _run() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # XLA's notes are not for the user
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):  # letters that the terminal does not know
        cast(TextIOWrapper, stream).reconfigure(errors="backslashreplace")
    try:
        cli(prog_name="downslope")
    except SystemExit as ending:
        ignore_interrupts()
        # The engine's threads may be in the middle of compiling, and crash when torn down; and what
        # a full disk or a closed pipe refused, Python would write once more.
        if ending.code in (STOPPED, NOBODY_READS, FAILED):
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError):
                    stream.flush()
            os._exit(ending.code)
        raise
