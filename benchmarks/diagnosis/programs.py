"""Real programs that people asked about in public, built as runs from the facts of a CSV file.

The file's columns: id, kind, network_in_downslope_words, start_if_not_default, keras_loss,
optimizer, learning_rate, batch, epochs, training_samples, input_shape, task, classes_or_outputs,
truth_codes, needs_raw_scaling. Data is made as the file describes it, with at most `MOST` samples;
programs on images are left out but for MNIST's, whose place the digits take.
"""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import downslope as ds
from benchmarks.diagnosis.planted import Case

MOST = 1500  # samples
MOST_STEPS = 3000
LOSSES = {
    "mae": "absolute_error", "mse": "squared_error", "poisson": "poisson",
    "binary_crossentropy": "cross_entropy", "categorical_crossentropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
}  # fmt: skip
# the causes that a truth's code stands for
CODES = {
    "ACH_hid": ("no_hidden_activation", "vanishing_gradients", "saturated_activations",
                "dead_relus"),
    "ACH_out": ("wrong_last_activation",),
    "LCH": ("wrong_loss", "wrong_last_activation"),
    "HNE": ("too_few_steps",),
    "HLR": ("learning_rate_too_low", "learning_rate_too_high"),
    "HLR_low": ("learning_rate_too_low",),
    "HLR_high": ("learning_rate_too_high", "dead_relus"),
    "HBS": ("batch_too_large", "batch_too_small"),
    "OCH": ("learning_rate_too_low", "learning_rate_too_high"),
    "CPP": ("inputs_not_scaled", "targets_not_scaled"),
    "LCN": ("too_small",),
    "RCD": ("dropout_too_strong",),
    "WCI": ("constant_start", "start_wrongly_scaled", "vanishing_gradients"),
    "MWA": ("vanishing_gradients", "start_wrongly_scaled"),
    "TRD": ("overfitting",),
}  # fmt: skip
# programs whose data can be made of what the package has, by id
POSSIBLE = (
    "31556268", "33969059", "39217567", "44066044", "48221692", "48486598", "48976413", "50555434",
    "51185079", "52800582", "54738769", "56452176", "56774954", "56888491", "57407973", "58051767",
    "60766775", "60831731", "61234347", "64395424", "65777704", "68101077", "69901379", "47352366",
    "FacialKeypoints",
)  # fmt: skip


def made(row: dict[str, str], folder: Path) -> tuple[Any, Any]:
    """Inputs and targets of a program, made as its row describes them."""
    name = row["id"]
    draw = np.random.default_rng(0)
    count = min(MOST, max(4, int(int(row["training_samples"]) / 0.7)))
    features = int(row["input_shape"].split("x")[0])
    if name in ("44066044", "48976413", "48221692"):
        table = np.genfromtxt(folder / "data" / f"{name}.csv", delimiter=",", skip_header=1)
        table = table[np.isfinite(table).all(axis=1)]
        return table[:, :features], table[:, -1]
    if name in ("31556268", "64395424"):  # four rows, repeated so that each part has them
        inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
        targets = np.array([0, 1, 1, 0] if name == "31556268" else [0, 0, 0, 1])
        return np.tile(inputs, (10, 1)), np.tile(targets.astype(
            float if row["task"] == "numbers" else int), 10)  # fmt: skip
    if name == "33969059":
        inputs = draw.uniform(0, 10000, (MOST, 3))
        return inputs, inputs @ np.array([2, 1, 0.5]) + 2.2
    if name == "39217567":
        bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
        return bits.astype(float), bits + 0.0
    if name == "48486598":
        x = np.arange(0, 10, 0.05)
        return x[:, None], (x - 1) * (x - 3) * (x - 5) * (x - 7) * (x - 9)
    if name == "52800582":
        x = np.arange(-100, 100, 0.5)
        return x[:, None], x**4
    if name == "56452176":
        x = np.arange(1.0, 26)
        return x[:, None], x / 2
    if name == "60831731":
        pairs = np.array([(one, other) for one in range(1, 11) for other in range(1, 11)], float)
        return draw.permutation(pairs / 10), pairs / 10
    if name == "69901379":
        return draw.integers(50, 2000, (72, features)).astype(float), draw.uniform(600, 4000, 72)
    if name == "61234347":
        from sklearn.datasets import load_iris

        return load_iris(return_X_y=True)
    if name in ("65777704", "68101077", "47352366"):
        data = ds.load("digits")
        inputs = np.concatenate([data.train.inputs, data.validation.inputs]).astype(float)
        targets = np.concatenate([data.train.targets, data.validation.targets])
        return inputs * (255 / 16 if name == "65777704" else 1 / 16), targets
    if name == "FacialKeypoints":
        where = draw.uniform(-1, 1, (600, 30))
        mix = draw.normal(size=(30, 400)) / 5
        return np.tanh(where @ mix) + 0.05 * draw.normal(size=(600, 400)), where
    from sklearn.datasets import make_classification, make_regression

    outputs = int(row["classes_or_outputs"])
    if row["task"] == "numbers":
        return make_regression(count, features, n_targets=outputs, random_state=0)
    return make_classification(count, features, n_classes=outputs, random_state=0)


def network_of(row: dict[str, str], task: str) -> ds.Network:
    """The program's network with its own first weights."""
    words = row["network_in_downslope_words"]
    if row["id"] == "47352366":  # digits of 8 x 8 pixels in a row
        words = "dense 128 relu, dropout 0.5, dense 10 relu"
    if task == "classification":  # one logit for two classes is two here
        words = re.sub(r"dense 1( \w+)?$", r"dense 2\1", words)
    network = ds.parse_network(words)
    said = row["start_if_not_default"]
    if "N(0,0.05)" in said or "U(-0.05,0.05)" in said:
        size = 0.05 if "N(" in said else 0.05 / 3**0.5
        start = ds.Initializer(f"std {size:.3g}", variance=lambda *_: size**2)
        network = ds.Network([
            dataclasses.replace(one, initializer=start) if isinstance(one, ds.Dense) else one
            for one in network.layers
        ])  # fmt: skip
    return network


def trained(row: dict[str, str], folder: Path) -> ds.Run:
    """The program as a run."""
    inputs, targets = made(row, folder)
    task = "regression" if row["task"] == "numbers" else "classification"
    if task == "classification":
        targets = np.asarray(targets).astype(int)
    # as in the program: nothing was scaled, or what was given had a size that suits a network
    is_unit = task == "regression" and np.min(targets) >= 0 and np.max(targets) <= 1
    is_raw = row["needs_raw_scaling"] == "yes" or is_unit
    scaling = "none" if is_raw else "standard"
    data = ds.Dataset.from_arrays(
        inputs, targets, task=task, validation=0.2, test=0.1, scaling=scaling
    )
    samples = len(data.train)
    batch = "full" if row["batch"] == "full" else min(int(row["batch"]), samples)
    size = samples if batch == "full" else batch
    original = -(-int(row["training_samples"]) // size) * int(row["epochs"])
    epochs = max(1, round(min(original, MOST_STEPS) / -(-samples // size)))
    kind, _, number = row["optimizer"].partition(" ")
    momentum = float(number) if number else None
    optimizer = ds.Optimizer(kind, momentum=momentum) if momentum else ds.Optimizer(kind)
    return ds.train(
        network_of(row, task), data, loss=LOSSES[row["keras_loss"]], optimizer=optimizer,
        learning_rate=float(row["learning_rate"]), schedule="constant", batch_size=batch,
        epochs=epochs, label_smoothing=0.0,
    )  # fmt: skip


def programs(file: Path) -> Iterator[Case]:
    """The programs that can be expressed, each a case whose truths its codes stand for."""
    with open(file, encoding="utf-8", newline="") as opened:
        rows = {row["id"]: row for row in csv.DictReader(opened)}
    for name in POSSIBLE:
        row = rows[name]
        codes = [one.strip().rstrip("?") for one in row["truth_codes"].split(",")]
        true = tuple(cause for code in codes for cause in CODES.get(code, ()))
        healthy = "control" in row["label_quality"] or codes == ["none"]
        yield Case(
            f"{name} {row['truth_codes']}", lambda r=row: trained(r, file.parent),
            () if healthy else true, "control" if healthy else "program",
        )  # fmt: skip
