"""The command `downslope`; how it ends, `ending.py` says."""

from __future__ import annotations

import os
import re
import sys
import warnings
from contextlib import suppress
from functools import partial
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from typing import Any, cast

import rich_click as click
from click.core import iter_params_for_processing

from downslope.cli.ending import (
    FAILED,
    NOBODY_READS,
    BrokenOff,
    check_surroundings,
    code_of,
    open_closed_streams,
)
from downslope.cli.interrupts import STOPPED, answer_interrupts, ignore_interrupts, stop_at_once
from downslope.cli.lines import say

# each command is the function of its name in the file of its name, in commands/
PURPOSES = {
    "Learn": {
        "lab": "Build, train and watch in the browser.",
        "train": "Train a network on data and keep the run.",
        "resume": "Continue a training, however it ended.",
        "fork": "Start a new run at a step of another one.",
        "rate": "Find a good learning rate for a training.",
        "compare": "Train with several values of one setting.",
        "minima": "Train from many random starts at once.",
    },
    "Use": {
        "predict": "Predict for new rows, images or arrays.",
        "count": "Count the people in photos.",
        "test": "Evaluate a run on data that it has not seen.",
        "export": "Write a network for other programs.",
    },
    "Look": {
        "report": "Write the story of a run as an HTML file.",
        "trace": "Show one step of a training with all numbers.",
        "network": "Show the network with weights and signals.",
        "batches": "Show which samples were in a batch together.",
        "neuron": "Show one neuron with its inputs and weights.",
        "layers": "Show the layers over the training.",
        "words": "Show which words of a text made a prediction.",
        "surface": "Draw the loss surface around a run.",
    },
    "Understand": {
        "learn": "How neural networks learn, in short chapters.",
        "diagnose": "Why did a training not learn?",
        "generalization": "Does a run overfit?",
        "diff": "Where do two runs start to differ, and why?",
        "slope": "The slope of a loss or of any function.",
        "explore": "Guess where a hidden loss is lowest.",
        "bowl": "Gradient descent on a bowl of two weights.",
        "escape": "Which batch sizes leave a local minimum?",
    },
    "Keep": {
        "data": "List the data sets that are built in.",
    },
}


class Formatter(click.RichHelpFormatter):
    """Writes help without the blanks that rich fills lines with, and with single empty lines."""

    def getvalue(self) -> str:
        """Return what was written."""
        text = "\n".join(line.rstrip() for line in super().getvalue().split("\n"))
        return re.sub(r"\n{3,}", "\n\n", text)


class Context(click.RichContext):
    """Where a command runs."""

    formatter_class = Formatter


class Commands(click.RichGroup):
    """A group whose commands end in one message, whatever goes wrong."""

    context_class = Context

    def main(self, *arguments: Any, standalone_mode: bool = True, **settings: Any) -> Any:
        """Run the command line, and end the process; or return, where not `standalone_mode`."""
        run = partial(click.Group.main, self, *arguments, standalone_mode=False, **settings)
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

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, by purpose."""
        return [name for commands in PURPOSES.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, whose file is loaded for it; None where there is no such name."""
        short = {name: text for own in PURPOSES.values() for name, text in own.items()}
        if cmd_name not in short:
            return None
        command = getattr(import_module(f"downslope.cli.commands.{cmd_name}"), cmd_name)
        command.short_help, command.context_class = short[cmd_name], Context
        command.parse_args = partial(_parse_args, command)
        return command


def _parse_args(command: click.Command, ctx: click.Context, args: list[str]) -> list[str]:
    """Read the words behind a command; all values that cannot be read are told at once."""
    given = list(args)
    try:
        return type(command).parse_args(command, ctx, args)
    except click.BadParameter as first:
        opts, _, order = command.make_parser(ctx).parse_args(args=given)
        told = {first.format_message(): None}
        for one in iter_params_for_processing(order, command.get_params(ctx)):
            try:
                one.handle_parse_result(ctx, opts, [])
            except click.BadParameter as error:
                told[error.format_message()] = None
        if len(told) == 1:
            raise
        raise click.UsageError("\n".join(told), ctx) from first


def show_version(context: click.Context, parameter: click.Parameter, is_wanted: bool) -> None:
    """Print the version, and which native kernel there is for products and convolutions."""
    if not is_wanted or context.resilient_parsing:
        return
    from downslope.nn.ops.native import native

    is_there, says = native()
    # whether jaxlib takes it, the engine alone can tell; each run.json says which was used
    path = f"native kernel for {says}" if is_there else f"JAX alone; the native kernel is {says}"
    say(f"downslope {version('downslope')}\nproducts and convolutions: {path}")
    context.exit()


@click.group(
    cls=Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "rich_help_config": click.RichHelpConfiguration(
            theme="slim",
            text_paragraph_linebreaks="\n\n",
            padding_helptext_first_line=(0, 0, 1, 0),
        ),
    },
    panels=[click.RichCommandPanel(name, commands=list(own)) for name, own in PURPOSES.items()],
    epilog="To learn: downslope learn. To train: downslope train digits.",
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
