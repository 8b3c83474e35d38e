"""The command `downslope`, and how its mistakes and endings become exit codes.

0: done. 1: the training ended badly. 2: something given cannot be used, or the disk refuses.
130: stopped with Ctrl-C.
"""

from __future__ import annotations

import os
import sys
import warnings
from importlib.metadata import version
from typing import Any

import click

from downslope.cli.bowl import bowl
from downslope.cli.compare import compare
from downslope.cli.count import count
from downslope.cli.data import data
from downslope.cli.diff import diff
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
from downslope.errors import DownslopeError

STOPPED = 130  # 128 + the number of SIGINT, as shells have it


class Failure(click.ClickException):
    """One message on standard error, exit code 2, no traceback."""

    exit_code = 2


class Commands(click.Group):
    """A group whose commands end in one message when the user's input cannot be used."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            Failure: The command raised a `DownslopeError`.
        """
        try:
            return super().invoke(ctx)
        except DownslopeError as error:
            raise Failure(str(error)) from error
        except KeyboardInterrupt:
            say("\nStopped.", err=True)
            ctx.exit(STOPPED)


def show_version(context: click.Context, parameter: click.Parameter, is_wanted: bool) -> None:
    """Print the version, and which path products and convolutions take on this machine."""
    if not is_wanted or context.resilient_parsing:
        return
    from downslope.network.native import native

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
    """Run the command line; the entry point of the script `downslope`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # XLA's notes are not for the user
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    try:
        cli(prog_name="downslope")
    except SystemExit as ending:
        if ending.code == STOPPED:
            # the engine's threads may be in the middle of compiling, and crash when torn down
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(STOPPED)
        raise
