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
run_folder = click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))


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
