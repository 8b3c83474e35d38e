"""Runs drawn at random, without a training: every layer, activation, scaling, link and column."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa

import downslope as ds
from downslope.data.scaling import Scaling
from downslope.data.tables.encoding import ColumnCode, Encoding
from downslope.data.tables.words import learn_words, word_indices
from downslope.engine.settings import Settings
from downslope.nn.layer import map_by_kind
from downslope.nn.losses import LOSSES
from downslope.nn.members import OF_LOSSES
from downslope.runs.run import Run
from downslope.runs.run_folder import DataSummary, Seconds
from downslope.runs.trace import Trace
from tests.reference.drawing import draw_layer

SAMPLES = 5
_numbers = itertools.count()


def drawn_run(seed: int) -> tuple[Run, Any]:
    """A run, and inputs as `predict` takes them: an array, or the columns of a table."""
    random, rng = Random(seed), np.random.default_rng(seed)
    task = random.choice(["classification", "classification", "regression", "counting"])
    encoding = drawn_encoding(random) if task != "counting" and random.random() < 0.4 else None
    if encoding is not None:
        shape = (len(encoding.input_names),)
    elif task == "counting":
        shape = (8, 16, 3)
    else:
        shape = random.choice([(3,), (5,), (4, 6, 3), (7, 5, 1)])
    loss = _loss(random, task)
    classes = random.choice([2, 3, 11]) if task == "classification" else 0
    classes = 2 if loss == "binary_cross_entropy" else classes
    is_single = loss == "binary_cross_entropy" or task == "counting"
    outputs = 1 if is_single else classes or random.choice([1, 2])
    layers = _layers(random, shape, outputs, task, encoding, loss)
    columns = None if encoding is None else drawn_columns(random, encoding)
    run = Run(
        model=ds.Model(
            ds.Network(layers),
            LOSSES[loss],
            _parameters(ds.Network(layers), shape, rng),
            task,
            (
                _scaling(random, rng, shape)
                if encoding is None
                else Scaling.learn(encoding.encode(pa.table(columns))).without(encoding.is_embedded)
            ),
            _target_scaling(random, rng, outputs, LOSSES[loss].degree),
            mirrors=len(shape) == 3 and task != "counting" and seed % 2 == 0,
        ),
        settings=Settings(loss=loss),
        data=DataSummary(
            name=f"drawn {seed}",
            task=task,
            source="/photos" if len(shape) == 3 else "",
            fingerprint="",
            samples={},
            input_shape=shape,
            target_names=("eins", "zwei") if outputs == 2 and task == "regression" else (),
            class_names=tuple(f"Klasse {index}" for index in range(classes)),
            encoding=encoding,
        ),
        baseline_output=np.zeros(outputs, np.float32),
        trace=Trace({}, {}),
        outcome=ds.Outcome("epochs", "Drawn.", "", 0, 0),
        seconds=Seconds(0.0, 0.0, 0.0),
    )
    if columns is not None:
        return run, columns
    if len(shape) == 3:
        return run, rng.integers(0, 256, (SAMPLES, *shape), dtype=np.uint8)
    return run, rng.normal(2, 3, (SAMPLES, *shape)).astype(np.float32)


def _loss(random: Random, task: str) -> str:
    if task == "classification":
        return random.choice(["cross_entropy", "cross_entropy", "binary_cross_entropy"])
    return random.choice(["squared_error", "absolute_error", "huber", "poisson"])


def _layers(
    random: Random, shape, outputs: int, task: str, encoding: Encoding | None, loss: str
) -> list:
    chain: list = []
    if encoding is not None and encoding.ranked:
        chain.append(ds.Piecewise(len(RANKS) - 1, len(encoding.ranked)))
        shape = chain[-1].output_shape(shape)
    for code in reversed(() if encoding is None else encoding.embedded):
        is_text = code.kind == "text"
        made = ds.EmbeddingBag(code.indices, code.numbers, code.size) if is_text else (
            ds.Embedding(code.indices, code.numbers)
        )  # fmt: skip
        chain.append(made)
        shape = chain[-1].output_shape(shape)
    if random.random() < 0.2 and np.prod(shape) > 2:
        chain.append(ds.Standardize())
    for _ in range(random.choice([1, 2, 3])):
        layer = draw_layer(random, shape)
        while task == "counting" and len(layer.output_shape(shape)) == 1:
            layer = draw_layer(random, shape)
        chain.append(layer)
        shape = layer.output_shape(shape)
    if task == "counting":
        return [*chain, ds.Conv2D(1, 1)]
    flat = [ds.Flatten()] if len(shape) == 3 else []
    if random.random() < 0.3:
        members = ds.GroupedDense(3, outputs), ds.Members(3, OF_LOSSES.get(loss, "numbers"))
        return [*chain, *flat, ds.Dense(6, random.choice(["relu", "tanh"])), *members]
    return [*chain, *flat, ds.Dense(outputs)]


def _parameters(network: ds.Network, shape, rng):
    import jax

    shapes = jax.eval_shape(lambda: network.init(shape))
    return map_by_kind(
        lambda leaf: rng.normal(0.1, 1 / max(1, np.sqrt(np.prod(leaf.shape[:-1]))), leaf.shape)
        .astype(np.float32),
        lambda leaf: rng.uniform(0.5, 2, leaf.shape).astype(np.float32),
        shapes,
    )  # fmt: skip


def _scaling(random: Random, rng, shape) -> Scaling:
    kinds = {"none": (), "all": (), "channel": shape[-1:], "feature": shape}
    kind = random.choice(sorted(kinds) if len(shape) == 1 else ["all", "channel", "channel"])
    of = kinds[kind]
    if kind == "none":
        return Scaling(np.zeros(of, np.float32), np.ones(of, np.float32))
    middle, spread = (100, 60) if len(shape) == 3 else (2, 3)
    return Scaling(
        rng.normal(middle, 1, of).astype(np.float32),
        rng.uniform(spread, 2 * spread, of).astype(np.float32),
    )


def _target_scaling(random: Random, rng, outputs: int, degree: int | None) -> Scaling | None:
    if degree is None or random.random() < 0.3:
        return None
    std = rng.uniform(1, 9, outputs).astype(np.float32)
    return Scaling(rng.normal(0, 5, outputs).astype(np.float32), std)


WORDS = ("Private", "Self-emp (not inc.)", "a+b", 'Île "de" ?', "3")
TEXTS = ("WIN a £1,000 prize!!! \U0001f600", "你好 see you at 5", "", "  <b>html</b>\n", "x" * 99)
RANKS = (-7.5, 0.0, 2.5, 16_000.0, 100_000.0)
PAIRS = (("No", "Yes"), ("false", "true"), ("0", "1"), ("n", "y"))


def drawn_encoding(random: Random) -> Encoding:
    """Two to five columns of all kinds."""
    codes, is_ranked = [], random.random() < 0.5
    for index in range(random.choice([2, 3, 5])):
        kind = random.choice(["number", "yes/no", "category", "category", "date", "text"])
        if kind == "text":
            hashes, size = learn_words(np.array([one for one in TEXTS if one] * 2, object))
            name, numbers = f"column {index} (text)", random.choice([1, 3])
            codes.append(ColumnCode(name, kind, numbers=numbers, hashes=hashes, size=size - 9))
            continue
        fill = {"number": 3.25, "yes/no": random.choice([0.0, 0.5, 1.0]), "date": 1.4e9 + 5}
        values = {"category": WORDS[: random.choice([1, 3, 4])], "yes/no": random.choice(PAIRS)}
        is_embedded = kind == "category" and random.random() < 0.4
        cycles = tuple(one for one in ("year", "week", "day") if random.random() < 0.6)
        codes.append(
            ColumnCode(
                name=f"column {index} ({kind})",
                kind=kind,
                fill=fill.get(kind, 0.0),
                says_missing=random.random() < 0.5 and not is_embedded,
                values=values.get(kind, ()),
                has_others=kind == "category" and not is_embedded and random.random() < 0.5,
                cycles=cycles if kind == "date" else (),
                numbers=random.choice([1, 3]) if is_embedded else 0,
                quantiles=RANKS if is_ranked and kind in ("number", "date") else (),
            )
        )
    return Encoding(tuple(sorted(codes, key=lambda code: (code.numbers > 0, code.kind == "text"))))


def drawn_columns(random: Random, encoding: Encoding) -> dict[str, list]:
    """Values of each column, None where there is none."""
    return {one.name: [_value(random, one) for _ in range(SAMPLES)] for one in encoding.columns}


def _value(random: Random, code: ColumnCode) -> Any:
    if random.random() < 0.2:
        return None
    if code.kind == "text":
        return random.choice(TEXTS)
    if code.kind == "number":
        return random.choice([0.0, -7.5, 123456.789, 3.0])
    if code.kind == "date":
        second = random.randrange(0, 2_000_000_000)
        return np.datetime64(second, "s").item()
    if code.kind == "yes/no":
        text = random.choice(code.values)
        return text if text in "01" else random.choice([text, text.upper(), text.lower()])
    return random.choice(WORDS)


def load_source(path: Path):
    """Import a written file under a name that no other test has."""
    name = f"exported_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


def distance(theirs: Any, ours: Any) -> float:
    """The largest difference, as a fraction of the largest number of ours."""
    theirs, ours = np.asarray(theirs, np.float64), np.asarray(ours, np.float64)
    assert theirs.shape == ours.shape
    assert np.isfinite(theirs).all()
    return float(np.abs(theirs - ours).max() / max(np.abs(ours).max(), 1e-30))


def as_asked(inputs: Any) -> Any:
    """Inputs as `Run.predict` takes them."""
    return pa.table(inputs) if isinstance(inputs, dict) else inputs


def as_fed(run: Run, inputs: Any) -> dict[str, np.ndarray]:
    """Inputs as an ONNX session takes them."""
    if not isinstance(inputs, dict):
        return {"inputs": inputs}
    return {code.name: fed_column(code, inputs[code.name]) for code in run.data.encoding.columns}


def fed_column(code: ColumnCode, values: list) -> np.ndarray:
    """A column as `onnx_tables.wanted` says; None where there is no value."""
    from downslope.exporting.onnx_tables import is_text, missing_mark

    if code.kind == "text":
        texts = [one.strip() if one else None for one in values]
        return word_indices(texts, code.hashes, code.size)
    if is_text(code):
        return np.array([missing_mark(code) if one is None else one for one in values], object)
    if code.kind == "date":
        seconds = [
            np.nan if one is None else np.datetime64(one, "s").astype(float) for one in values
        ]
        return np.array(seconds)
    return np.array([np.nan if one is None else float(one) for one in values])
