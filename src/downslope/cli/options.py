"""Options and kinds of values that several commands share."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from functools import partial, wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import rich_click as click

from downslope.cli.runner import Output, RunAt
from downslope.errors import Faults, SettingError
from downslope.names import look_up, synonyms


def bundle(name: str, make: Callable[..., Any], **options: Any) -> Callable[[Any], Any]:
    """Several options that a command takes as one value.

    Args:
        name: The command's argument.
        make: From the options' values, by name, to the value.
        options: The decorator of each option, by the name that click gives its value; in the order
            in which help shows them.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def called(**given: Any) -> Any:
            own = {one: given.pop(one) for one in options}
            return command(**given, **{name: make(**own)})

        for option in reversed(options.values()):
            called = option(called)
        return called

    return decorate


_table_option = partial(click.option, panel="Reading a table")
_training_option = partial(click.option, panel="Training")
as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output."
)
no_pictures = click.option(
    "--no-pictures", "pictures", is_flag=True, default=True, flag_value=False, help="Draw nothing."
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
run = bundle(
    "run",
    lambda run_folder, data: RunAt(run_folder, data),
    run_folder=run_folder,
    data=moved_data,
)
output = bundle("output", Output, as_json=as_json)
figures_output = bundle(
    "output",
    Output,
    folder=click.option(
        "--out",
        "folder",
        type=click.Path(path_type=Path),
        default=Path("figures"),
        metavar="FOLDER",
        help="Folder for the figures, PNG and SVG (default figures).",
    ),
    pictures=no_pictures,
    as_json=as_json,
)
drawn_output = bundle("output", Output, as_json=as_json, pictures=no_pictures)
watch_health = click.option(
    "--watch-health/--no-watch-health",
    "watch",
    default=True,
    help="Tell while it trains what is certainly wrong (default); it never ends a training.",
)
trained_output = bundle("output", Output, as_json=as_json, pictures=no_pictures, watch=watch_health)


class ColumnType(click.ParamType):
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


def _checkpoints(checkpoint_seconds: float | None, checkpoint_epochs: int | None) -> Any:
    from downslope.runs.checkpoint import Checkpoints  # loads the engine

    seconds = Checkpoints().seconds if checkpoint_seconds is None else checkpoint_seconds
    return Checkpoints(seconds, checkpoint_epochs)


checkpoints = bundle(
    "checkpoints",
    _checkpoints,
    checkpoint_seconds=click.option(
        "--checkpoint-seconds",
        type=float,
        metavar="X",
        help="Save a checkpoint every X seconds (default 10).",
    ),
    checkpoint_epochs=click.option(
        "--checkpoint-epochs",
        type=int,
        metavar="N",
        help="Also save a checkpoint every N epochs.",
    ),
)
reading = bundle(
    "reading",
    dict,
    target=_table_option(
        "--target",
        multiple=True,
        metavar="COLUMN",
        help="Tables: the column to predict; several numbers or several yes/no columns: "
        "repeat it, or separate names by commas.",
    ),
    names=_table_option(
        "--names",
        type=click.Choice(("yes", "no")),
        help="Text files: does the first line name the columns? (default: decided from it)",
    ),
    group=_table_option(
        "--group",
        metavar="COLUMN",
        help="Tables: keep all rows with the same value, such as a patient's, in one part.",
    ),
    time=_table_option(
        "--time",
        metavar="COLUMN",
        help="Tables: train on the earliest rows by this column and test on the latest.",
    ),
    column_types=_table_option(
        "--column",
        "column_types",
        type=ColumnType(),
        multiple=True,
        callback=lambda context, option, pairs: dict(pairs),
        help="Tables: set a column's type: number, yes/no, category, date (or day-first, "
        "month-first, year-first) or ignored; of numbers such as 1,234 decimal-point or "
        "decimal-comma.",
    ),
    task=_table_option(
        "--task",
        type=click.Choice(("classification", "regression")),
        help="Tables: predict classes or numbers (default: decided from the target).",
    ),
    scaling=_training_option(
        "--scaling",
        type=click.Choice(("standard", "none")),
        default="standard",
        help="Scale inputs and numeric targets (the default), or give a network both as they are.",
    ),
)


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


class YesNo(click.ParamType):
    """Yes or no, as True or False."""

    name = "yes|no"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """How it is shown in the help."""
        return "yes|no"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        """Read it."""
        try:
            return value if isinstance(value, bool) else _yes_no(value)
        except ValueError:
            self.fail(f"{value!r} is neither yes nor no.", param, ctx)


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


def _train_options(patience: int | None, keep: Any, **given: Any) -> Any:
    from downslope.engine.settings import Stop  # loads the engine
    from downslope.runs.train_options import TrainOptions

    faults, stop = Faults(), None
    with faults.check():
        if patience is not None or keep is not None:
            stop = Stop(patience=patience, keep=keep or "last")
    with faults.check():
        made = TrainOptions(**given, stop=stop)
    faults.tell()
    return made  # pyright: ignore[reportPossiblyUnboundVariable] - else it was told why


class _Listing(click.RichOption):
    """An option whose help lists the names in a registry, which its words name by its module."""

    _words: str | None = None

    def _shown(self) -> str | None:
        words = self._words
        return None if words is None else re.sub(r"(\w+\.\w+)\.([A-Z]+)", _listed, words)

    def _kept(self, words: str | None) -> None:
        self._words = words

    help: Any = property(_shown, _kept)  # so the names are read when they are shown


def _listed(found: re.Match[str]) -> str:
    *names, last = registered(found[1], found[2])
    return f"{', '.join(names)} or {last}"


def registered(module: str, registry: str) -> list[str]:
    """The names in a registry, from its source: to import it would load the engine.

    Args:
        module: Its module, such as "nn.losses".
        registry: Its own name there, such as "LOSSES".
    """
    spec: Any = find_spec(f"downslope.{module}")
    made: Any = next(
        node.value
        for node in ast.parse(spec.loader.get_source(spec.name)).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == registry
    )
    return [one.args[0].value for one in made.args[2].elts]


_TRAINING = {
    "network": _training_option(
        "--network", metavar="TEXT", help='Layers, e.g. "dense 32 relu, dense 10".'
    ),
    "loss": _training_option(
        "--loss",
        metavar="NAME",
        cls=_Listing,
        help="Loss function: nn.losses.LOSSES.",
    ),
    "optimizer": _training_option(
        "--optimizer",
        metavar="NAME",
        cls=_Listing,
        help="Optimizer: engine.optimizers.OPTIMIZERS.",
    ),
    "learning_rate": _training_option(
        "--learning-rate",
        type=LearningRate(),
        help="The (highest) learning rate; auto finds a good one.",
    ),
    "schedule": _training_option(
        "--schedule",
        metavar="NAME",
        cls=_Listing,
        help="Learning rate schedule: engine.optimizers.SCHEDULES.",
    ),
    "batch_size": _training_option(
        "--batch-size", type=BatchSize(), help="Samples per step (mini-batch size)."
    ),
    "epochs": _training_option(
        "--epochs", type=int, metavar="N", help="Passes over all training samples."
    ),
    "shuffle": _training_option(
        "--shuffle",
        type=YesNo(),
        default=True,
        help="Draw the order of the samples anew in each epoch (default yes); no keeps that of the "
        "data.",
    ),
    "patience": _training_option(
        "--patience",
        type=int,
        metavar="N",
        help="Stop early when the validation loss has not fallen for N epochs; keep the best "
        "weights.",
    ),
    "keep": _training_option(
        "--keep",
        type=click.Choice(("best", "last")),
        help="Which weights to keep: those with the lowest validation loss, or the last ones.",
    ),
    "effort": _training_option(
        "--effort",
        type=click.Choice(("quick", "normal", "long")),
        default="normal",
        help="Images: how much work to put in. long takes a larger network and more epochs, about "
        "eight times the work.",
    ),
    "members": _training_option(
        "--members",
        type=int,
        metavar="N",
        help="Train N networks with weights of their own as one, which predicts their mean.",
    ),
    "label_smoothing": _training_option(
        "--label-smoothing",
        type=float,
        metavar="S",
        help="Spread this fraction of each class target over all classes while training.",
    ),
    "smooth_toward": _training_option(
        "--smooth-toward",
        type=click.Choice(["uniform", "frequencies"]),
        help="Spread it evenly, or as frequent as the classes are in the training part.",
    ),
    "class_weights": _training_option(
        "--class-weights",
        type=Numbers(),
        default=(),
        metavar="A,B,...",
        help="The weight of each class in the loss.",
    ),
    "augment": _training_option(
        "--augment",
        metavar="flip,shift,...",
        help="Random image changes: flip, shift, crop, cutout, mixup, such as flip,shift=0.1; "
        "average predicts from an image and its mirror image; none turns all off.",
    ),
}
seed = _training_option("--seed", type=int, default=0, metavar="N", help="Random seed (default 0).")
# how a network is trained; what is left out is chosen to suit the data
training = bundle("train_options", _train_options, **_TRAINING)
seeded_training = bundle("train_options", _train_options, **_TRAINING, seed=seed)


def _batch_size(text: str) -> int | str:
    return text if text == "full" else int(text)


def _yes_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(text)
    return text == "yes"


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


READ: Mapping[str, Callable[[str], Any]] = {
    "network": str,
    "loss": str,
    "optimizer": str,
    "learning_rate": float,
    "schedule": str,
    "batch_size": _batch_size,
    "epochs": int,
    "seed": int,
    "shuffle": _yes_no,
    "patience": int,
    "keep": str,
    "members": int,
    "effort": str,
    "class_weights": _numbers,
    "label_smoothing": float,
    "smooth_toward": str,
    "augment": str,
}


SYNONYMS = synonyms(
    {
        "learning_rate": "lr rate learningrateinit eta",
        "batch_size": "bs batch",
        "epochs": "epoch maxiter",
        "optimizer": "solver optim",
        "seed": "randomstate",
        "network": "model architecture layers hiddenlayersizes",
        "schedule": "scheduler lrscheduler",
        "shuffle": "shuffled reshuffle",
        "patience": "earlystopping niternochange",
        "members": "ensemble ensemblesize nestimators",
        "class_weights": "classweight",
        "label_smoothing": "labelsmoothing smoothing",
        "augment": "augmentation transforms",
        "loss": "criterion",
    }
)


def read_value(setting: str, text: str, advice: str) -> Any:
    """A setting's value.

    Args:
        setting: Its name in `READ`.
        text: The value.
        advice: What to do where it cannot be read.

    Raises:
        SettingError: There is no such setting, or the value cannot be read.
    """
    read = look_up(setting, READ, "setting", SettingError, SYNONYMS)
    try:
        return read(text)
    except ValueError:
        kind = "a whole number" if read is int else 'a whole number, or "full"'
        names = {
            float: "a number",
            _numbers: "numbers separated by commas",
            _yes_no: "yes or no",
        }
        expected = names.get(read, kind)
        raise SettingError(f"A value of {setting} is {text!r}.", expected, advice) from None
