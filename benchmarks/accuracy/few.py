"""How good the default networks are where there is little to learn from, beside the baseline.

`python -m benchmarks.accuracy few FOLDER` draws a few rows of each table, trains on them as
`downslope train` does, and measures on other rows of the same table, so that the figures are
exact where the network's own test part of four rows would tell nothing. `--photos FOLDER` does the
same with photos of crowds; without a folder's name, scenes are drawn.

A set is called worse where the network's figure lies above the baseline's by more than the 95 %
interval of their difference over the seeds (Student's t). The baseline is what Downslope prints:
the mean or median, or the class frequencies, of the same training part.
"""

from __future__ import annotations

import json
import math
import tempfile
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.peers import processor_seconds
from benchmarks.accuracy.tables import TABLES

RESULTS = Path(__file__).parents[1] / "results" / "few.json"
MOST_MEASURED = 1000  # other rows
# half numbers, half classes; of all kinds: few columns and many, balanced and not, noisy and not
TRIED = (
    *("concrete", "diamonds", "boston", "wages", "chicago", "deliveries"),
    *("credit", "vehicle", "phoneme", "churn", "adult", "spam"),
)
FIGURES = {"loss": "log loss", "accuracy": "error", "rmse": "RMSE", "mae": "MAE"}


def run_tables(folder: Path, names: Iterable[str], rows: Sequence[int], seeds: int) -> None:
    """Train on so many rows of each table, and keep the figures."""
    import pandas

    for name in names:
        frame = pandas.read_csv(folder / f"{name}.csv")
        for count in rows:
            for seed in range(seeds):
                _keep(f"{name}/{count}/{seed}", _of_rows(frame, name, count, seed))


def _of_rows(frame: Any, name: str, count: int, seed: int) -> dict[str, Any]:
    """The figures of one training on a few rows, on others."""
    import pandas

    import downslope as ds
    from downslope.runs.other_data import labelled

    target = TABLES[name].target
    order = np.random.default_rng(1000 * count + seed).permutation(len(frame))
    few, others = frame.iloc[order[:count]], frame.iloc[order[count : count + MOST_MEASURED]]
    if not pandas.api.types.is_numeric_dtype(frame[target]):
        others = others[others[target].isin(few[target])]  # no contender can know another class
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        files = Path(place) / "few.csv", Path(place) / "others.csv"
        for file, part in zip(files, (few, others), strict=True):
            part.to_csv(file, index=False)
        before = processor_seconds()
        run = ds.train(None, ds.load(files[0], target=target, split_seed=seed), seed=seed)
        seconds = processor_seconds() - before
        return _figures(run, labelled(run, files[1]).samples, seconds)


def run_photos(source: str, count: int, seeds: int) -> None:
    """Train on so many photos of a folder, or of drawn scenes ("crowd"), and keep the figures."""
    import downslope as ds

    whole: Any = ds.load(source)
    parts = [whole.train, whole.validation, whole.test]
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        samples = ds.Samples(
            np.concatenate([one.inputs for one in parts]),
            np.concatenate([one.targets for one in parts]),
        )
        order = rng.permutation(len(samples))
        train, validation, test = (
            samples.take(one) for one in np.split(order[: count + 60], [count - 1, count])
        )
        data = replace(whole, train=train, validation=validation, test=test)
        data = replace(data, scaling=ds.Scaling.learn(train.inputs, "channel"))
        before = processor_seconds()
        run = ds.train(None, data, seed=seed)
        name = f"{Path(source).name}/{count}/{seed}"
        _keep(name, _figures(run, test, processor_seconds() - before))


def _figures(run: Any, samples: Any, seconds: float) -> dict[str, Any]:
    linear = None if run.data.task == "counting" else run.measure_linear(samples)
    return {
        "downslope": run.measure(samples),
        "baseline": run.measure_baseline(samples),
        "linear": linear,
        "findings": [one.cause for one in run.findings],
        "seconds": seconds,
    }


def known() -> dict[str, dict[str, Any]]:
    """All figures so far, by "set/rows/seed"."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def _keep(key: str, found: dict[str, Any]) -> None:
    RESULTS.write_text(json.dumps(dict(sorted((known() | {key: found}).items())), indent=0) + "\n")
    print(key, found["downslope"], found["baseline"], flush=True)


def markdown(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """The figures as a table, with what is worse than the baseline beyond its interval."""
    by_set: dict[tuple[int, str], list[Mapping[str, Any]]] = {}
    for key, found in figures.items():
        name, count, _ = key.split("/")
        by_set.setdefault((int(count), name), []).append(found)
    lines = [
        "| set | samples | seeds | figure | `downslope train` | baseline | linear | difference |",
        "|---|---:|---:|---|---:|---:|---:|---|",
    ]
    for (count, name), runs in sorted(by_set.items()):
        own = [one for one in FIGURES if one in runs[0]["downslope"]]
        shown = ("loss", "accuracy") if "accuracy" in own else ("rmse", "mae")
        for figure in shown:
            lines.append(_line(name, count, figure, runs))
    return "\n".join(lines)


def _line(name: str, count: int, figure: str, runs: Sequence[Mapping[str, Any]]) -> str:
    def values(of: str) -> np.ndarray:
        found = np.array([one[of][figure] for one in runs if one[of] is not None], np.float64)
        return 1 - found if figure == "accuracy" else found

    ours, base, linear = (values(one) for one in ("downslope", "baseline", "linear"))
    low, high = interval(ours - base)
    verdict = "worse" if low > 0 else "better" if high < 0 else "not to be told apart"
    cells = [
        *(name, str(count), str(len(runs)), FIGURES[figure]),
        *(f"{one.mean():.4g}" if len(one) else "" for one in (ours, base, linear)),
        f"{low:+.3g} to {high:+.3g}: {verdict}",
    ]
    return f"| {' | '.join(cells)} |"


def interval(differences: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of differences, one for each seed (Student's t)."""
    from scipy.stats import t

    count = len(differences)
    if count < 2:
        return -math.inf, math.inf
    half = float(t.ppf(0.975, count - 1) * differences.std(ddof=1) / math.sqrt(count))
    return float(differences.mean()) - half, float(differences.mean()) + half
