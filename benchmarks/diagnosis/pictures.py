"""The sheet of docs/diagnosis.md: what some causes look like in the losses of a training.

python -m benchmarks.diagnosis.pictures docs/pictures/diagnosis.png
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import downslope as ds
from benchmarks.diagnosis.planted import few, mislabelled, shuffled, trained
from benchmarks.diagnosis.sets import blobs

NETWORK = "dense 32 relu, dense 32 relu"
ROUGH = {"optimizer": "sgd", "learning_rate": 3.0}


def _of(**settings: Any) -> ds.Run:
    return trained(blobs(0), NETWORK, record=ds.Record(every=1), **settings)


SHEET: dict[str, Callable[[], ds.Run]] = {
    "nothing is wrong": _of,
    "learning rate too high": lambda: _of(optimizer="sgd", learning_rate=1.5),
    "learning rate too low": lambda: _of(learning_rate=1e-5),
    "dead relus": lambda: _of(**ROUGH),
    "nothing to learn": lambda: trained(
        shuffled(blobs(0), 0), NETWORK, record=ds.Record(every=1), epochs=60
    ),
    "overfitting": lambda: trained(
        mislabelled(few(blobs(0), 140), 0.25, 0), NETWORK, record=ds.Record(every=1), epochs=90,
        stop=ds.Stop(keep="last"),
    ),
}  # fmt: skip


def draw(file: Path) -> None:
    """Draw the sheet: training and validation loss beside the best constant prediction's."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot
    from PIL import Image

    figure, axes = pyplot.subplots(2, 3, figsize=(8.4, 4.4), dpi=90, layout="constrained")
    for axis, (name, make) in zip(axes.flat, SHEET.items(), strict=True):
        run = make()
        assert run.dataset is not None
        base = run.measure_baseline(run.dataset.validation)["loss"]
        epochs = run.trace.epochs["epoch"]
        axis.plot(epochs, run.trace.train_loss, label="training")
        axis.plot(epochs, run.trace.validation_loss, label="validation")
        axis.axhline(base, color="grey", linestyle="--", linewidth=1, label="best constant")
        axis.set_title(name, fontsize=10)
        axis.set_ylim(0, 2.2 * base)
        axis.tick_params(labelsize=8)
    axes[0, 0].legend(fontsize=8)
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel("loss", fontsize=9)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)
    Image.open(file).quantize(48).save(file, optimize=True)  # lines need few colours


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    draw(Path(sys.argv[1]))
