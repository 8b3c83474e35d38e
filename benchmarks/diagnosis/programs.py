"""Real programs that people asked about in public, each as a run, with a fixed twin.

The facts come from a CSV file with the columns id, kind, network_in_downslope_words,
start_if_not_default, keras_loss, optimizer, learning_rate, batch, epochs, training_samples,
input_shape, task, classes_or_outputs, data_and_how_to_get_it, truth_codes, label_quality,
needs_raw_scaling. Data is made as the file describes it, with at most `MOST` samples and
`MOST_STEPS` steps. Programs on images see the digits in random colours, at 16 x 16 pixels, with a
quarter of the channels and of the larger batches; those on CIFAR-10 see them anywhere in the image,
so that they are harder to tell apart. What is refused before it trains is tried at the door; then
that alone is mended, and the rest trained.
"""

from __future__ import annotations

import csv
import dataclasses
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import downslope as ds
from downslope.diagnosis.proof import Setup

MOST = 1000  # samples
MOST_STEPS, MOST_STEPS_OF_IMAGES = 1200, 300
LOSSES = {
    "mae": "absolute_error", "mse": "squared_error", "mse on one-hot": "squared_error",
    "poisson": "poisson", "binary_crossentropy": "binary_cross_entropy",
    "categorical_crossentropy": "cross_entropy", "sparse_categorical_crossentropy": "cross_entropy",
    "categorical_crossentropy(from_logits)": "cross_entropy",
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
    "OCH": ("optimizer_unsuited", "learning_rate_too_low", "learning_rate_too_high"),
    "CPP": ("inputs_not_scaled", "targets_not_scaled"),
    "LCN": ("too_small",),
    "RCD": ("dropout_too_strong",),
    "WCI": ("constant_start", "start_wrongly_scaled", "vanishing_gradients"),
    "MWA": ("vanishing_gradients", "start_wrongly_scaled"),
    "TRD": ("overfitting", "nothing_to_learn"), "TCL": ("noisy_labels", "labels_shifted"),
    "VRM": ("leak", "copied_samples"),
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What the file of facts does not say in a form that a program can read: `programs.toml`.

    Attributes:
        fix: The settings of the fixed twin; empty where nothing is wrong with what can be trained.
        words: The network, where it differs from the file's: smaller images, fewer channels.
        mended: Settings that mend what the door refuses, so that the rest can be trained.
        left: The truths that are left to find then; None for all of the file's.
        says: A word of the true fault that the door's message must name.
    """

    fix: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    mended: Mapping[str, Any] | None = None
    left: Sequence[str] | None = None
    says: str = ""


def _facts() -> dict[str, Facts]:
    found = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: Facts(**said) for name, said in found.items()}


PROGRAMS = _facts()


def _csv(name: str, folder: Path, features: int) -> tuple[Any, Any]:
    table = np.genfromtxt(folder / "data" / f"{name}.csv", delimiter=",")
    table = table[np.isfinite(table).all(axis=1)]
    return table[:, :features], table[:, -1]


def _digits() -> tuple[np.ndarray, np.ndarray]:
    data = ds.load("digits")
    parts = (data.train, data.validation)
    return (
        np.concatenate([one.inputs for one in parts]).astype(float)[:MOST] / 16,
        np.concatenate([one.targets for one in parts])[:MOST],
    )


def _coloured(count: int, classes: int, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Digits of 16 x 16 pixels in random colours on a noisy ground."""
    draw, (inputs, targets) = np.random.default_rng(0), _digits()
    inputs, targets = inputs[:count], targets[:count]
    large = inputs.reshape(-1, 8, 8).repeat(2, axis=1).repeat(2, axis=2)[..., None]
    colours = draw.uniform(0.4, 1, (len(large), 1, 1, channels))
    ground = draw.uniform(0, 0.3, (len(large), 16, 16, channels))
    return np.clip(large * colours + ground, 0, 1), targets % classes


def _photos(count: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits anywhere in images of 16 x 16 pixels, light on dark, in random colours."""
    draw, (inputs, targets) = np.random.default_rng(0), _digits()
    inputs, targets = inputs[:count].reshape(-1, 8, 8), targets[:count]
    shape = np.zeros((len(inputs), 16, 16))
    for own, digit, (down, right) in zip(
        shape, inputs, draw.integers(1, 8, (len(inputs), 2)), strict=True
    ):
        own[down : down + 8, right : right + 8] = digit
    dark, light = draw.uniform(0, 0.5, (2, len(inputs), 1, 1, 3)) + np.reshape(
        [0, 0.5], (2, 1, 1, 1, 1)
    )
    found = dark + (light - dark) * shape[..., None]
    return np.clip(found + draw.normal(0, 0.08, found.shape), 0, 1), targets % classes


def _are_photos(row: Mapping[str, str]) -> bool:
    return "CIFAR" in row["data_and_how_to_get_it"]


def _bumpy(count: int, features: int, classes: int) -> Any:
    from sklearn.datasets import make_classification

    informative = min(features, max(2, 1 + int(np.ceil(np.log2(2 * classes)))))
    return make_classification(
        count, features, n_classes=classes, n_informative=informative,
        n_redundant=min(2, features - informative), random_state=1,
    )  # fmt: skip


def made(row: Mapping[str, str], folder: Path) -> Any:
    """Inputs and targets of a program, made as its row describes them."""
    name = row["id"]
    draw = np.random.default_rng(0)
    count = min(MOST, max(4, int(int(row["training_samples"]) / 0.7)))
    features, outputs = int(row["input_shape"].split("x")[0]), int(row["classes_or_outputs"])
    if name in ("44066044", "48976413", "48221692", "66840108"):
        return _csv(name, folder, features)
    if name in ("31556268", "64395424"):  # four rows, repeated so that each part has them
        inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
        targets = np.array([0, 1, 1, 0] if name == "31556268" else [0, 0, 0, 1])
        return np.tile(inputs, (20, 1)), np.tile(targets, 20)
    if name == "31880720":
        return np.repeat([1.0, 0.0], 400)[:, None] * np.ones((1, features)), np.repeat([1, 0], 400)
    if name == "33969059":
        inputs = draw.uniform(0, 10000, (MOST, 3))
        return inputs, inputs @ np.array([2, 1, 0.5]) + 2.2
    if name == "39217567":
        bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
        return bits.astype(float), bits + 0.0
    if name == "41596619":
        targets = np.arange(60) % 4
        return targets[:, None] + draw.normal(0, 0.3, (60, 3)), targets
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
        return pairs / 10, pairs / 10
    if name == "69901379":
        return draw.integers(50, 2000, (72, features)).astype(float), draw.uniform(600, 4000, 72)
    if name in ("51930566", "59278771", "61234347", "57397440"):
        from sklearn.datasets import load_breast_cancer, load_iris

        return (load_breast_cancer if name == "57397440" else load_iris)(return_X_y=True)
    if name == "48385830":
        inputs, targets = _digits()
        return inputs, np.eye(10)[targets]
    if name in ("65777704", "68101077", "55328966"):
        inputs, targets = _digits()
        return inputs * (255 if row["needs_raw_scaling"] == "yes" else 1), targets
    if name in ("47352366", "M1", "M3"):
        inputs, targets = _digits()
        return inputs.reshape(-1, 8, 8, 1), targets
    if name == "FacialKeypoints":
        where = draw.uniform(-1, 1, (600, 30))
        mix = draw.normal(size=(30, 400)) / 5
        return np.tanh(where @ mix) + 0.05 * draw.normal(size=(600, 400)), where
    from sklearn.datasets import make_regression

    if name == "54064299":
        pair: Any = make_regression(300, 144, n_targets=4, random_state=0)
        return pair[0].reshape(-1, 12, 12, 1), pair[1]
    if "x" in row["input_shape"]:
        classes = 101 if outputs == 101 else min(outputs, 10)
        channels = int(row["input_shape"].split("x")[2])
        inputs, targets = (
            _photos(MOST, classes)
            if _are_photos(row)
            else _coloured(min(count, 800), classes, channels)
        )
        return inputs * (255 if row["needs_raw_scaling"] == "yes" else 1), (
            np.arange(len(targets)) % 101 if classes == 101 else targets
        )
    if row["task"] == "numbers":
        return make_regression(count, features, n_targets=outputs, random_state=0)
    return _bumpy(count, min(features, 300), outputs)


def _start(said: str, layer: Any, is_first: bool, name: str) -> Any:
    """A layer with the program's first weights."""
    import jax.numpy as jnp

    if not isinstance(layer, ds.Dense | ds.Conv2D):
        return layer
    if name == "M1" and is_first:
        zeros = ds.Initializer("zeros", function=lambda key, shape, kind: jnp.zeros(shape, kind))
        return dataclasses.replace(layer, initializer=zeros)
    size = 0.05 if "N(0,0.05)" in said else 0.05 / 3**0.5 if "U(-0.05" in said else 0.0
    size = 1.0 if "N(0,1)" in said else size
    if not size:
        return layer
    start = ds.Initializer("own_start", variance=lambda *_: size**2)
    return dataclasses.replace(layer, initializer=start)


@dataclass(frozen=True, eq=False)
class Program:
    """A program that somebody asked about.

    Attributes:
        row: Its facts.
        folder: Where the file with the facts is.
    """

    row: Mapping[str, str]
    folder: Path

    @property
    def name(self) -> str:
        """Its id."""
        return self.row["id"]

    @property
    def half(self) -> str:
        """Which half it is of: "fitted", which thresholds were chosen on, or "kept"."""
        return "fitted" if zlib.crc32(self.name.encode()) % 2 else "kept"

    @property
    def facts(self) -> Facts:
        """What the file does not say."""
        return PROGRAMS[self.name]

    @property
    def codes(self) -> tuple[str, ...]:
        """The faults of the file that are left to find in what is trained."""
        if self.facts.left is not None:
            return tuple(self.facts.left)
        codes = tuple(one.strip() for one in self.row["truth_codes"].split(","))
        is_control = "control" in self.row["label_quality"] or codes == ("none?",)
        return () if is_control else codes

    @property
    def true(self) -> tuple[str, ...]:
        """The causes that these stand for."""
        return tuple(dict.fromkeys(cause for one in self.codes for cause in CODES.get(one, ())))

    @property
    def is_image(self) -> bool:
        """Whether its inputs are images."""
        return "x" in self.row["input_shape"]

    @property
    def is_refused(self) -> bool:
        """Whether the program as it was cannot be trained."""
        return bool(self.facts.says)

    @property
    def is_trained(self) -> bool:
        """Whether there is something to train and to diagnose."""
        return not self.is_refused or self.facts.mended is not None

    @cached_property
    def dataset(self) -> ds.Dataset:
        """Its data, unscaled where the program gave it so to the network."""
        inputs, targets = made(self.row, self.folder)
        is_numbers = self.row["task"] == "numbers" or self.row["keras_loss"] == "mse on one-hot"
        targets = np.asarray(targets, float if is_numbers else int)
        # targets from 0 to 1 were given as they are
        is_unit = is_numbers and np.min(targets) >= 0 and np.max(targets) <= 1
        is_raw = self.row["needs_raw_scaling"] == "yes" or is_unit
        return ds.Dataset.from_arrays(
            inputs, targets, task="regression" if is_numbers else "classification",
            validation=0.3, test=0.05, scaling="none" if is_raw else "standard", name=self.name,
        )  # fmt: skip

    def options(self) -> ds.TrainOptions:
        """How it was trained."""
        row, samples = self.row, len(self.dataset.train)
        is_image = len(self.dataset.input_shape) == 3
        batch: Any = "full" if row["batch"] == "full" else min(int(row["batch"]), samples)
        size = samples if batch == "full" else batch
        original = -(-int(row["training_samples"]) // size) * int(row["epochs"])
        if is_image and size > 32:
            batch = size = size // 4
        most = MOST_STEPS_OF_IMAGES if is_image and not _are_photos(row) else MOST_STEPS
        epochs = max(1, round(min(original, most) / -(-samples // size)))
        kind, _, number = row["optimizer"].partition(" ")
        if kind == "adadelta":  # which is not built in; both rates are those of adam
            kind, rate = "adam", float(row["learning_rate"]) / 1000
        else:
            rate = float(row["learning_rate"])
        words = self.facts.words or row["network_in_downslope_words"]
        said = row["start_if_not_default"]
        layers = ds.parse_network(words).layers
        network = ds.Network(
            [_start(said, one, at == 0, self.name) for at, one in enumerate(layers)]
        )
        return ds.TrainOptions(
            network=network, loss=LOSSES[row["keras_loss"]], learning_rate=rate,
            optimizer=ds.Optimizer(kind, momentum=float(number)) if number else ds.Optimizer(kind),
            schedule="constant", batch_size=batch, epochs=epochs, label_smoothing=0.0,
            stop=ds.Stop(keep="last"),
        )  # fmt: skip

    def refused(self) -> str:
        """What the door says of the program as it was."""
        try:
            ds.train(None, self.dataset, options=self.options())
        except ds.DownslopeError as error:
            return str(error)
        return ""

    def setup(self) -> Setup:
        """The program as it is trained."""
        facts, words = self.facts, {}
        if facts.mended is None:
            options = self.options()
        else:
            words = dict(facts.mended)
            row = dict(self.row)
            if "learning_rate" in words:
                row["learning_rate"] = str(words.pop("learning_rate"))
            own = dataclasses.replace(self, row=row)
            said = words.pop("network", None)
            if said:
                said_start = self.row["start_if_not_default"]
                layers = ds.parse_network(said).layers
                words["network"] = ds.Network(
                    [_start(said_start, one, at == 0, self.name) for at, one in enumerate(layers)]
                )
            options = own.options().replace(**words)
        assert isinstance(options.network, ds.Network)
        return Setup(options, self.dataset, first=options.network)

    def run(self) -> ds.Run:
        """The program, trained."""
        setup = self.setup()
        return ds.train(None, setup.dataset, options=setup.options)


def programs(file: Path) -> list[Program]:
    """All programs of the file."""
    with open(file, encoding="utf-8", newline="") as opened:
        return [Program(row, file.parent) for row in csv.DictReader(opened)]
