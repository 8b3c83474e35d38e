"""Real data sets as a new user would try them, beside scikit-learn's network on the same rows.

    python -m benchmarks.real_data DATA[:TARGET] ...

DATA is a table, a folder of images, or the name of a built-in set. Each is trained by `downslope
train` with nothing but the target, in a process of its own and a new folder. Then scikit-learn's
MLP, with its own settings, gets what our network saw: the same rows or pixels, encoded and scaled,
and the same targets; where our network learns numbers for the values of a category, one input per
value instead. Prints a row of `docs/real-data.md` for each, with all rows that our network was
given, of a source's own test part as well.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

import downslope as ds
from downslope.data import BUILT_IN

COMMAND = Path(sys.executable).with_name("downslope")  # of this very environment
MANY = 100_000  # samples: with more, scikit-learn's network gets as many epochs as ours
HEAD = (
    "| set | rows | measure | Downslope (95 % interval) | scikit-learn | always the same answer "
    "| seconds | scikit-learn's |\n|---|---:|---|---|---:|---:|---:|---:|"
)


def main() -> None:
    """Measure what is named on the command line."""
    print(HEAD, flush=True)
    for given in sys.argv[1:]:
        source, _, target = given.partition(":")
        source = source if source in BUILT_IN else str(Path(source).absolute())
        print(row(source, target), flush=True)


def row(source: str, target: str) -> str:
    """One set as a row of the table."""
    name = Path(source).name
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/run"
        words = [COMMAND, "train", source, "--json", "--no-pictures", "--out", out]
        started = time.perf_counter()
        done = subprocess.run(
            [*words, *(["--target", target] if target else [])],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        ours = time.perf_counter() - started
        if done.returncode:
            return f"| {name} | failed: {done.stderr.strip().splitlines()[-1]} |"
        told = json.loads(done.stdout)
        run = ds.open_run(out).with_data()
        theirs, seconds = rival(run)
    measure = "accuracy" if run.data.task == "classification" else "mae"
    low, high = told["test_interval"][measure]
    best = told["baseline"][measure]
    figures = [f"{told['test'][measure]:.4g} ({low:.4g} to {high:.4g})", f"{theirs:.4g}"]
    rows = sum(run.dataset.sizes.values())
    cells = [name, f"{rows:,}", measure, *figures, f"{best:.4g}", f"{ours:.0f}"]
    return f"| {' | '.join(cells)} | {seconds:.0f} |"


def rival(run: ds.Run) -> tuple[float, float]:
    """Scikit-learn's accuracy or mean error on the test part, and the seconds of its training."""
    data: Any = run.dataset
    train, test = (_inputs(run, part) for part in (data.train, data.test))
    is_many = len(data.train) > MANY
    settings = {"random_state": 0, "max_iter": run.settings.epochs if is_many else 200}
    warnings.simplefilter("ignore", ConvergenceWarning)
    started = time.perf_counter()
    if run.data.task == "classification":
        model = MLPClassifier(**settings).fit(train, data.train.targets)
        seconds = time.perf_counter() - started
        return float(model.score(test, data.test.targets)), seconds
    targets = data.train.targets[:, 0].astype(np.float64)
    mean, std = targets.mean(), targets.std()
    model = MLPRegressor(**settings).fit(train, (targets - mean) / std)
    seconds = time.perf_counter() - started
    answers = model.predict(test) * std + mean
    return float(np.abs(answers - data.test.targets[:, 0]).mean()), seconds


def _inputs(run: ds.Run, part: ds.Samples) -> Any:
    """What our network sees, with one input per value where it looks values up."""
    scaled = np.asarray(run.scaling.apply(part.inputs), np.float32).reshape(len(part), -1)
    codes = () if run.data.encoding is None else run.data.encoding.embedded
    if not codes:
        return scaled
    indices = scaled[:, -len(codes) :].astype(int)
    rows = np.arange(len(part))
    looked_up = [
        sparse.csr_matrix(
            (np.ones(len(part), np.float32), (rows, indices[:, index])), (len(part), code.indices)
        )
        for index, code in enumerate(codes)
    ]  # thousands of inputs, nearly all 0
    return sparse.hstack([sparse.csr_matrix(scaled[:, : -len(codes)]), *looked_up], format="csr")


if __name__ == "__main__":
    main()
