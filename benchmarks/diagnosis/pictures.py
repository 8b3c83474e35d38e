"""The sheets of docs/diagnosis.md: what causes look like, in losses, layers, data and predictions.

python -m benchmarks.diagnosis.pictures docs/pictures [SHEET ...]
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import downslope as ds
from benchmarks.diagnosis.healthy import NORMAL
from benchmarks.diagnosis.planted import (
    PLANTS,
    few,
    layers,
    leaking,
    mislabelled,
    normal,
    rare,
    shifted,
    shuffled,
    start_of,
    trained,
    with_inputs,
    with_outliers,
    with_targets,
    without_class,
)
from benchmarks.diagnosis.sets import blobs, bumps, ring, spheres
from downslope.diagnosis.evidence import Evidence

Panel = Callable[[Any], None]  # draws into axes
NETWORK = "dense 32 relu, dense 32 relu"
ROUGH = {"optimizer": "sgd", "learning_rate": 3.0}
EVERY = ds.Record(every=1)


def _of(data: ds.Dataset | None = None, network: Any = NETWORK, **settings: Any) -> ds.Run:
    return trained(blobs(0) if data is None else data, network, record=EVERY, **settings)


def losses(make: Callable[[], ds.Run]) -> Panel:
    """Training and validation loss by the epoch, beside the best constant prediction's."""

    def panel(axes: Any) -> None:
        run = make()
        assert run.dataset is not None
        base = run.measure_baseline(run.dataset.validation)["loss"]
        epochs = run.trace.epochs["epoch"]
        axes.plot(epochs, run.trace.train_loss, label="training")
        axes.plot(epochs, run.trace.validation_loss, label="validation")
        axes.axhline(base, color="grey", linestyle="--", linewidth=1, label="best constant")
        axes.set_ylim(0, 2.2 * base)
        axes.set_xlabel("epoch")

    return panel


def steps(make: Callable[[], ds.Run], first: int = 10**9, top: float = 0.0) -> Panel:
    """The loss of each step's batch, of the first steps."""

    def panel(axes: Any) -> None:
        found = make().trace.batch_loss[:first]
        axes.plot(np.arange(1, len(found) + 1), found, linewidth=0.8, label="batch")
        axes.set_ylim(0, top or None)
        axes.set_xlabel("step")

    return panel


def by_layer(make: Callable[[], ds.Run], what: str, at_start: bool, says: str) -> Panel:
    """A figure of each layer with weights."""

    def panel(axes: Any) -> None:
        evidence = Evidence(make().with_data())
        found = evidence.layers_at_start if at_start else evidence.layers
        if what == "moved":
            values = [evidence.moved[one.index] for one in found]
        else:
            values = [getattr(one, what) for one in found]
        axes.bar(range(1, len(values) + 1), np.nan_to_num(values))
        if what == "weight_std":
            usual = [one.fan_in**-0.5 for one in found]
            axes.plot(range(1, len(values) + 1), usual, "k_", markersize=14, label="usual")
            axes.legend(fontsize=7)
        if what in ("delta", "weight_std"):
            axes.set_yscale("log")
        axes.set_ylabel(says, fontsize=8)
        axes.set_xlabel("layer")

    return panel


def first_weights(make: Callable[[], ds.Run]) -> Panel:
    """The weights of the second layer before the first step."""

    def panel(axes: Any) -> None:
        start = Evidence(make().with_data()).start
        assert start is not None
        axes.imshow(np.asarray(start[1]["weights"]), cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
        axes.set_xlabel("unit")
        axes.set_ylabel("input", fontsize=8)

    return panel


def regions(make: Callable[[], ds.Run]) -> Panel:
    """The predicted class over the plane of two inputs, and the samples."""

    def panel(axes: Any) -> None:
        run = make()
        assert run.dataset is not None
        one, other = np.meshgrid(np.linspace(-4, 4, 80), np.linspace(-4, 4, 80))
        plane = np.stack([one.ravel(), other.ravel()], axis=1)
        said = run.predict(plane).reshape(one.shape)
        axes.contourf(one, other, said, levels=[-0.5, 0.5, 1.5], alpha=0.35)
        part = run.dataset.validation
        axes.scatter(*part.inputs.T, c=part.targets, s=8)

    return panel


def predicted(make: Callable[[], ds.Run]) -> Panel:
    """Predicted beside true numbers."""

    def panel(axes: Any) -> None:
        run = make()
        assert run.dataset is not None
        part = run.dataset.validation
        axes.scatter(part.targets, run.predict(part.inputs), s=8)
        ends = [float(part.targets.min()), float(part.targets.max())]
        axes.plot(ends, ends, color="grey", linewidth=1)
        axes.set_xlabel("target")
        axes.set_ylabel("prediction", fontsize=8)

    return panel


def counts(make: Callable[[], ds.Dataset]) -> Panel:
    """How many samples each class has in the training and the validation part."""

    def panel(axes: Any) -> None:
        data = make()
        for at, name in enumerate(("train", "validation")):
            found = np.bincount(getattr(data, name).targets, minlength=len(data.class_names))
            axes.bar(np.arange(len(found)) + 0.4 * at, found, 0.4, label=name)
        axes.set_xlabel("class")
        axes.legend(fontsize=7)

    return panel


def spread(make: Callable[[], ds.Dataset], of: str) -> Panel:
    """A histogram of inputs or targets as the network takes them."""

    def panel(axes: Any) -> None:
        values = np.asarray(getattr(make().train, of), float).ravel()
        axes.hist(values, bins=40)
        axes.set_yscale("log")
        axes.set_xlabel(of)
        axes.ticklabel_format(axis="x", style="sci", scilimits=(-2, 3))

    return panel


def _scatter(make: Callable[[], ds.Dataset]) -> Panel:
    def panel(axes: Any) -> None:
        part = make().train
        axes.scatter(part.inputs[:, 0], part.inputs[:, 1], c=part.targets, s=7)

    return panel


def _leak(axes: Any) -> None:
    part = leaking(bumps(0), 0.02, 0).train
    axes.scatter(part.inputs[:, -1], part.targets, s=7)
    axes.set_xlabel("a column")
    axes.set_ylabel("target", fontsize=8)


def _by_shift(axes: Any) -> None:
    evidence = Evidence(_of(shifted(blobs(0), 1.0, 0), epochs=5).with_data())
    by = (-2, -1, 0, 1, 2)
    axes.bar(by, [evidence.simple_score_shifted(one) for one in by])
    axes.set_xlabel("rows that the targets are moved by")
    axes.set_ylabel("explained", fontsize=8)


def _two_optimizers(axes: Any) -> None:
    deep = "dense 24 tanh, dense 24 tanh, dense 24 tanh"
    for name, rate in (("sgd", 0.01), ("adam", 0.003)):
        run = _of(bumps(0), deep, optimizer=name, learning_rate=rate)
        axes.plot(run.trace.epochs["epoch"], run.trace.validation_loss, label=name)
    axes.legend(fontsize=7)
    axes.set_xlabel("epoch")


def _beside_steps(axes: Any) -> None:
    run = _once("better_on_validation_with_dropout", 1)()
    epochs, found = run.trace.epochs["epoch"], run.trace.batch_loss
    means = found.reshape(run.settings.epochs, -1).mean(axis=1)
    axes.plot(np.arange(1, len(means) + 1), means, label="steps, with dropout")
    axes.plot(epochs, run.trace.validation_loss, label="validation, without")
    axes.set_xlabel("epoch")


def _plant(cause: str, data: Callable[[int], ds.Dataset]) -> Callable[[], ds.Run]:
    return lambda: PLANTS[cause].make(data(0), 0, True)


def _once(cause: str, number: int) -> Callable[[], ds.Run]:
    return lambda: NORMAL[cause][number - 1](0)


def _sigmoids(count: int) -> Callable[[], ds.Run]:
    return lambda: _of(network=", ".join(["dense 24 sigmoid"] * count), epochs=5)


SHEETS: dict[str, dict[str, Panel]] = {
    "diagnosis": {
        "nothing is wrong": losses(_of),
        "learning rate too high": losses(lambda: _of(optimizer="sgd", learning_rate=1.5)),
        "learning rate too low": losses(lambda: _of(learning_rate=1e-5)),
        "dead relus": losses(lambda: _of(**ROUGH)),
        "nothing to learn": losses(lambda: _of(shuffled(blobs(0), 0), epochs=60)),
        "overfitting": losses(lambda: _of(
            mislabelled(few(blobs(0), 140), 0.25, 0), epochs=90, stop=ds.Stop(keep="last"))),
        "too few steps": losses(lambda: _of(epochs=3, learning_rate=3e-4, batch_size=64)),
        "batch too large": losses(lambda: _of(batch_size="full", epochs=20, learning_rate=0.001)),
        "batch too small": losses(_plant("batch_too_small", spheres)),
        "clipping always on": losses(_plant("clipping_always_on", blobs)),
        "weight decay too strong": losses(_plant("weight_decay_too_strong", spheres)),
        "dropout too strong": losses(_plant("dropout_too_strong", ring)),
    },
    "diagnosis-layers": {
        "vanishing gradients": by_layer(_sigmoids(8), "delta", True, "gradient at the start"),
        "exploding gradients": by_layer(
            _plant("exploding_gradients", blobs), "delta", True, "gradient at the start"),
        "saturated activations": by_layer(
            lambda: _of(network=layers([32, 32], blobs(0), "tanh", normal(4.0)), epochs=3),
            "saturated", False, "fraction on flat ends"),
        "dead relus": by_layer(lambda: _of(**ROUGH), "dead", False, "units that are always 0"),
        "constant start": first_weights(
            lambda: _of(network=layers([32, 32], blobs(0), "relu", start_of(0.1)), epochs=1)),
        "start wrongly scaled": by_layer(
            lambda: _of(network=layers([64, 64], blobs(0), "tanh", normal(2.0)), epochs=1),
            "weight_std", True, "spread of weights"),
        "unchanged layer": by_layer(
            lambda: _of(network=layers([32, 32], blobs(0), "relu", start_of(0.0)), epochs=3),
            "moved", False, "way of the weights"),
        "no hidden activation": regions(lambda: _of(ring(0), "dense 32, dense 32")),
        "too small": regions(lambda: _of(ring(0), "dense 2 relu", epochs=60)),
    },
    "diagnosis-data": {
        "inputs not scaled": spread(lambda: with_inputs(blobs(0), 1e4, 5e3), "inputs"),
        "targets not scaled": spread(lambda: with_targets(bumps(0), 1e5, 3e5), "targets"),
        "outlier owns loss": spread(lambda: with_outliers(bumps(0), 100.0), "targets"),
        "wrong last activation": predicted(_plant("wrong_last_activation", bumps)),
        "constant predictions": predicted(_plant("weight_decay_too_strong", bumps)),
        "wrong loss": predicted(_plant("wrong_loss", bumps)),
        "dominating class": counts(lambda: rare(blobs(0), 0.05, 0)),
        "missing class": counts(lambda: without_class(blobs(0), ("validation",))),
        "noisy labels": _scatter(lambda: mislabelled(ring(0), 0.2, 0)),
        "labels shifted": _by_shift,
        "leak": _leak,
        "optimizer unsuited": _two_optimizers,
    },
    "diagnosis-normal": {
        "better on validation with dropout": _beside_steps,
        "noisy loss of small batches": steps(_once("noisy_loss_of_small_batches", 2), top=10),
        "plateau before fall": losses(_once("plateau_before_fall", 3)),
        "rise in first steps": steps(_once("rise_in_first_steps", 2), 120),
        "spikes that pass": steps(_once("spikes_that_pass", 2), top=120),
        "waves of momentum": losses(_once("waves_of_momentum", 2)),
        "surer when wrong": losses(_once("surer_when_wrong", 2)),
        "hard task": losses(_once("hard_task", 2)),
        "better on validation by chance": losses(_once("better_on_validation_by_chance", 2)),
    },
}  # fmt: skip


def draw(file: Path, panels: dict[str, Panel]) -> None:
    """Draw a sheet of panels, three in a row."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot
    from PIL import Image

    rows = -(-len(panels) // 3)
    figure, axes = pyplot.subplots(
        rows, 3, figsize=(8.4, 2.3 * rows), dpi=90, layout="constrained", squeeze=False
    )
    for own, (name, panel) in zip(axes.flat, panels.items(), strict=True):
        panel(own)
        own.set_title(name, fontsize=10)
        own.tick_params(labelsize=8)
        own.xaxis.label.set_size(8)
    if axes[0, 0].get_legend_handles_labels()[0]:
        axes[0, 0].legend(fontsize=7)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)
    Image.open(file).quantize(48).save(file, optimize=True)  # lines need few colours


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name in sys.argv[2:] or SHEETS:
        draw(Path(sys.argv[1]) / f"{name}.png", SHEETS[name])
