"""`downslope compare`: values of one setting beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output

if TYPE_CHECKING:
    from downslope.runs.train_options import TrainOptions

SECONDS = 25.0  # for all trainings, where no epochs are asked for


@click.command()
@click.argument("source", metavar="DATA")
@click.option(
    "--vary",
    required=True,
    type=options.Varied(),
    help="One setting and its values, e.g. batch_size=full,1,32 or learning_rate=0.1,0.01. Values "
    'that hold commas are separated by semicolons: "network=dense 10; dense 32 relu, dense 10".',
)
@click.option("--seeds", type=int, default=5, metavar="N", help="Trainings per value (default 5).")
@click.option(
    "--seconds",
    type=float,
    metavar="X",
    help="About how long all trainings may take; epochs are reduced to fit. Default: 25, or "
    "no limit with --epochs.",
)
@click.option(
    "--test", is_flag=True, help="Open the test part, once, when everything has been trained."
)
@options.reading
@options.training
@options.out_folder
@options.drawn_output
def compare(
    source: str,
    vary: tuple[str, tuple[str, ...]],
    seeds: int,
    seconds: float | None,
    test: bool,
    reading: dict[str, Any],
    train_options: TrainOptions,
    out: Path | None,
    output: Output,
) -> int:
    """Train on DATA with several values of one setting, and compare the results.

    Each value is trained with several seeds: over the same number of samples, and for as long as
    the slowest value takes. They are compared on the validation part. A difference is reported only
    where chance (seeds, choice of samples) does not explain it. Ctrl-C ends it early and shows the
    values that were finished.
    """
    from downslope.cli.training import claimed
    from downslope.insight.compare import compare_variants
    from downslope.insight.variants import Variant

    setting, texts = vary
    each = _options_of(train_options, setting, texts)
    with claimed(out) as claim:
        dataset = train_options.suited(output.read(source, reading))
        variants = [Variant(text, one.complete(dataset)) for text, one in each.items()]
        for one in variants:
            one.options.plan(dataset)  # says what is wrong before the folder is made
        folder = claim(f"{dataset.name}-compare").path
        is_free = train_options.epochs is not None or setting == "epochs"
        what = f"Comparing {setting.replace('_', ' ')} on {dataset.name}"
        with output.working(what) as on_progress:
            found = compare_variants(
                dataset,
                variants,
                setting=setting,
                seeds=seeds,
                seconds=SECONDS if seconds is None and not is_free else seconds,
                test=test,
                on_progress=on_progress,
            )
        return output.keep(found, folder / "compare.json")


def _options_of(
    options: TrainOptions, setting: str, texts: Sequence[str]
) -> dict[str, TrainOptions]:
    """The train options with each value of a setting, by its text.

    Raises:
        NetworkError: A network cannot be read.
        SettingError: There is no such setting, or a value cannot be read.
    """
    from downslope.cli.options import READ, SYNONYMS, read_value
    from downslope.engine.settings import Stop
    from downslope.errors import SettingError
    from downslope.insight.variants import check_values
    from downslope.names import look_up

    look_up(setting, READ, "setting", SettingError, SYNONYMS)
    check_values(setting, texts)
    advice = f"Write e.g. --vary {setting}=... with values separated by commas."
    each = {}
    for text in texts:
        value = read_value(setting, text, advice)
        change = {"stop": Stop(patience=value)} if setting == "patience" else {setting: value}
        each[text] = options.replace(**change)
        each[text].check_rate()
    return each
