"""Options and kinds of values that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output."
)
no_pictures = click.option(
    "--no-pictures", "pictures", is_flag=True, default=True, flag_value=False, help="Draw nothing."
)
figures = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("figures"),
    metavar="FOLDER",
    help="Folder for the pictures, PNG and SVG (default figures).",
)
out_folder = click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A new folder for the results (default runs/NAME-NUMBER).",
)
new_run = click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A new folder for the run (default runs/NAME-NUMBER).",
)
moved_data = click.option(
    "--data",
    "data",
    type=click.Path(path_type=Path),
    metavar="DATA",
    help="Where the data that RUN was trained on is now, if it has moved.",
)
run_folder = click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))


class ColumnKind(click.ParamType):
    """A column and its type: NAME=TYPE."""

    name = "NAME=TYPE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Read it; whether there is such a column and kind is checked with the table."""
        if isinstance(value, tuple):
            return value
        name, sign, kind = value.rpartition("=")
        if not sign or not name:
            self.fail(f"{value!r} does not say NAME=TYPE, such as zip=category.", param, ctx)
        return name, kind


def checkpoints(command: Any) -> Any:
    """Options about when the state of a training is stored in its run folder."""
    for option in (
        click.option(
            "--checkpoint-epochs",
            type=int,
            metavar="N",
            help="Also save a checkpoint every N epochs.",
        ),
        click.option(
            "--checkpoint-seconds",
            type=float,
            metavar="X",
            help="Save a checkpoint every X seconds (default 10).",
        ),
    ):
        command = option(command)
    return command


def table(command: Any) -> Any:
    """Options about how a table is read."""
    for option in (
        click.option(
            "--task",
            type=click.Choice(("classification", "regression")),
            help="Tables: predict classes or numbers (default: decided from the target).",
        ),
        click.option(
            "--column",
            "kinds",
            type=ColumnKind(),
            multiple=True,
            callback=lambda context, option, pairs: dict(pairs),
            help="Tables: set a column's type: number, yes/no, category, date (or day-first, "
            "month-first, year-first) or ignored; of numbers such as 1,234 decimal-point or "
            "decimal-comma.",
        ),
        click.option(
            "--time",
            metavar="COLUMN",
            help="Tables: train on the earliest rows by this column and test on the latest.",
        ),
        click.option(
            "--group",
            metavar="COLUMN",
            help="Tables: keep all rows with the same value, such as a patient's, in one part.",
        ),
        click.option(
            "--names",
            type=click.Choice(("yes", "no")),
            help="Text files: does the first line name the columns? (default: decided from it)",
        ),
        click.option(
            "--target",
            multiple=True,
            metavar="COLUMN",
            help="Tables: the column to predict; several numbers or several yes/no columns: "
            "repeat it, or separate names by commas.",
        ),
    ):
        command = option(command)
    return command


class BatchSize(click.ParamType):
    """A whole number, or "full"."""

    name = "batch size"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """How it is shown in the help."""
        return "N|full"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Literal["full"]:
        """Read it; its range is checked with the other settings."""
        if value == "full":
            return "full"
        try:
            return int(value)
        except ValueError:
            self.fail(f'{value!r} is neither a whole number nor "full".', param, ctx)


class Numbers(click.ParamType):
    """Numbers separated by commas."""

    name = "numbers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Read them."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers such as 1,2.5,1.", param, ctx)


class Varied(click.ParamType):
    """A setting and its values: NAME=A,B,..., or NAME=A;B;... where values hold commas."""

    name = "NAME=A,B,..."

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[str, ...]]:
        """Read it; whether there is such a setting is checked with the others."""
        if isinstance(value, tuple):
            return value
        name, sign, text = value.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or not name or not text.strip():
            self.fail(
                f"{value!r} does not say NAME=A,B,..., such as batch_size=full,32.", param, ctx
            )
        hold_commas = name in ("network", "augment", "class_weights") or ";" in text
        parts = (one.strip() for one in text.split(";" if hold_commas else ","))
        return name, tuple(one for one in parts if one)


class Setting(click.ParamType):
    """A setting and its value: NAME=VALUE."""

    name = "NAME=VALUE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Read it; whether there is such a setting is checked with the run."""
        if isinstance(value, tuple):
            return value
        name, sign, text = value.partition("=")
        if not sign or not name.strip() or not text.strip():
            self.fail(f"{value!r} does not say NAME=VALUE, such as learning_rate=0.01.", param, ctx)
        return name.strip().replace("-", "_"), text.strip()


class LearningRate(click.ParamType):
    """A number, or "auto"."""

    name = "learning rate"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """How it is shown in the help."""
        return "X|auto"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | Literal["auto"]:
        """Read it; its range is checked with the other settings."""
        if value == "auto":
            return "auto"
        try:
            return float(value)
        except ValueError:
            self.fail(f'{value!r} is neither a number nor "auto".', param, ctx)


def training(command: Any) -> Any:
    """Options about how a network is trained; what is left out is chosen to suit the data."""
    for option in (
        click.option(
            "--augment",
            metavar="flip,shift,crop",
            help="Random image changes, such as flip,shift=0.1,crop=0.8; none turns them off.",
        ),
        click.option(
            "--class-weights",
            type=Numbers(),
            default=(),
            metavar="A,B,...",
            help="The weight of each class in the loss.",
        ),
        click.option(
            "--label-smoothing",
            type=float,
            default=0.0,
            metavar="S",
            help="Spread this share of each class target over all classes while training.",
        ),
        click.option(
            "--patience",
            type=int,
            metavar="N",
            help="Stop early when the validation loss has not fallen for N epochs; keep the best "
            "weights.",
        ),
        click.option("--epochs", type=int, metavar="N", help="Passes over all training samples."),
        click.option("--batch-size", type=BatchSize(), help="Samples per step (mini-batch size)."),
        click.option(
            "--schedule",
            metavar="NAME",
            help="Learning rate schedule: constant, step, cosine or one-cycle.",
        ),
        click.option(
            "--learning-rate",
            type=LearningRate(),
            help="The (highest) learning rate; auto finds a good one.",
        ),
        click.option(
            "--optimizer",
            metavar="NAME",
            help="Optimizer: sgd, momentum, nesterov, rmsprop, adam or adamw.",
        ),
        click.option(
            "--loss",
            metavar="NAME",
            help="Loss function: cross_entropy, binary_cross_entropy, squared_error, "
            "absolute_error, huber or poisson.",
        ),
        click.option("--network", metavar="TEXT", help='Layers, e.g. "dense 32 relu, dense 10".'),
    ):
        command = option(command)
    return command
