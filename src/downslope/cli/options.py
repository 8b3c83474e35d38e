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
    help="Where pictures go, as PNG and SVG; figures if left out.",
)
out_folder = click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A new folder for what is found; runs/NAME-NUMBER if left out.",
)
new_run = click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A new folder for the run; runs/NAME-NUMBER if left out.",
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
    """A column and what it is: NAME=KIND."""

    name = "NAME=KIND"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Read it; whether there is such a column and kind is checked with the table."""
        if isinstance(value, tuple):
            return value
        name, sign, kind = value.rpartition("=")
        if not sign or not name:
            self.fail(f"{value!r} does not say NAME=KIND, such as zip=category.", param, ctx)
        return name, kind


def checkpoints(command: Any) -> Any:
    """Options about when the state of a training is stored in its run folder."""
    for option in (
        click.option(
            "--checkpoint-epochs",
            type=int,
            metavar="N",
            help="Store the state of the training every N epochs as well.",
        ),
        click.option(
            "--checkpoint-seconds",
            type=float,
            metavar="X",
            help="Store the state of the training every X seconds; 10 if left out.",
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
            help="Tables: whether classes or numbers are learnt; seen from the target if left out.",
        ),
        click.option(
            "--column",
            "kinds",
            type=ColumnKind(),
            multiple=True,
            callback=lambda context, option, pairs: dict(pairs),
            help="Tables: what a column is: number, yes/no, category, date (or day-first, "
            "month-first, year-first) or ignored; of numbers such as 1,234 decimal-point or "
            "decimal-comma.",
        ),
        click.option(
            "--time",
            metavar="COLUMN",
            help="Tables: train on the earliest rows by this column, test on the latest.",
        ),
        click.option(
            "--group",
            metavar="COLUMN",
            help="Tables: keep all rows of one value, such as a patient's, in one part.",
        ),
        click.option(
            "--names",
            type=click.Choice(("yes", "no")),
            help="Text files: whether the first line names the columns; seen if left out.",
        ),
        click.option("--target", metavar="COLUMN", help="Tables: the column to learn."),
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
    """Numbers parted by commas."""

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
            help="Images: change them anew in each epoch, e.g. flip,shift=0.1,crop=0.8; none for "
            "not.",
        ),
        click.option(
            "--class-weights",
            type=Numbers(),
            default=(),
            metavar="A,B,...",
            help="How much each class counts in the loss.",
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
            help="End when the validation loss has not fallen for N epochs; keep the best weights.",
        ),
        click.option("--epochs", type=int, metavar="N", help="How often all samples are seen."),
        click.option("--batch-size", type=BatchSize(), help="Samples per step."),
        click.option(
            "--schedule", metavar="NAME", help="The rate over time, e.g. constant or cosine."
        ),
        click.option(
            "--learning-rate",
            type=LearningRate(),
            help="The (highest) learning rate; auto finds a good one first.",
        ),
        click.option("--optimizer", metavar="NAME", help="How steps are made, e.g. sgd or adam."),
        click.option("--loss", metavar="NAME", help="What is made small, e.g. cross_entropy."),
        click.option("--network", metavar="TEXT", help='Layers, e.g. "dense 32 relu, dense 10".'),
    ):
        command = option(command)
    return command
