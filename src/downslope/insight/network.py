"""A network as a whole: its layers, weights and biases, and the signals of a sample in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

import jax
import numpy as np

from downslope.data.dataset import Dataset, Samples
from downslope.engine.evaluation import sizes_of
from downslope.errors import DataError, RunError, printable
from downslope.nn.layer import learned_by_name
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.notation import describe
from downslope.numerals import rounded
from downslope.result import FEW_ENOUGH, PROGRAM_ONLY, Part, Result
from downslope.runs.replay import replay
from downslope.runs.run import Run
from downslope.text import Table, amount


@dataclass(frozen=True, eq=False)
class LayerView:
    """One layer, at one point of a training, with the signals of a sample.

    Attributes:
        name: Its number and type, such as "1 Dense".
        notation: The layer as it is typed, such as "dense 8 tanh".
        shape: The shape of its output for one sample.
        weights: Its largest array of weights; of a dense layer (inputs, units); None without.
        biases: Its biases, (units,); None without.
        others: How many further numbers it has learnt.
        activations: Its activations for the sample, of the layer's shape.
    """

    name: str
    notation: str
    shape: tuple[int, ...]
    weights: np.ndarray | None
    biases: np.ndarray | None
    others: int
    activations: np.ndarray | None

    @property
    def parameters(self) -> int:
        """How many weights and biases it has."""
        return (
            sum(0 if one is None else one.size for one in (self.weights, self.biases)) + self.others
        )


@dataclass(frozen=True, eq=False)
class NetworkState:
    """The network at one point of a training.

    Attributes:
        name: Which point: "untrained" or "trained".
        layers: Its layers, first to last.
        prediction: What it predicts for the sample, in words.
    """

    name: str
    layers: tuple[LayerView, ...]
    prediction: str


@dataclass(frozen=True, eq=False)
class NetworkView(Result):
    """A network with its weights before and after the training.

    Attributes:
        data: Name of the data set; empty for a network without a run.
        notation: The network as text.
        input_shape: The shape of one input.
        input_names: Names of the inputs; empty for images.
        output_names: Names of the outputs: classes or targets; empty where they have none.
        sample: Index of the training sample whose signals are shown; None without a run.
        truth: Its target, in words.
        inputs: Its inputs as the network sees them; None without a run.
        raw: Its inputs as they were read.
        states: The network untrained and trained; untrained alone without a run, and trained alone
            where the first weights are not known.
        moved: By what fraction of its length each layer has moved, 0 without weights; empty unless
            both states are known.
        dataset: The data set.
    """

    data: str
    notation: str
    input_shape: tuple[int, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    sample: int | None
    truth: str
    inputs: np.ndarray | None
    raw: np.ndarray | None
    states: tuple[NetworkState, ...]
    moved: tuple[float, ...]
    dataset: Dataset | None = field(metadata=PROGRAM_ONLY)

    _most_numbers: ClassVar[int | None] = FEW_ENOUGH

    @property
    def layers(self) -> tuple[LayerView, ...]:
        """The layers of the last state."""
        return self.states[-1].layers

    @property
    def summary(self) -> str:
        """How many numbers it has, and that they are what it has learnt."""
        count = sum(one.parameters for one in self.layers)
        weights = sum(0 if one.weights is None else one.weights.size for one in self.layers)
        biases = sum(0 if one.biases is None else one.biases.size for one in self.layers)
        rest = count - weights - biases
        made_of = f"{weights:,} weights and {biases:,} biases"
        if rest:
            made_of = f"{weights:,} weights, {biases:,} biases and {rest:,} further numbers"
        layers = amount(len(self.layers), "layer")
        if self.states[-1].name == "untrained":
            return f"A network of {layers} with {made_of}, as a training with the seed 0 begins."
        return (
            f"A network of {layers}, trained on {self.data}. Its {made_of} are what it has learnt: "
            "nothing else is kept of the training."
        )

    def parts(self) -> Iterator[Part]:
        """The layers in a table, and what is predicted before and after the training."""
        yield self.summary
        yield ""
        head = ["layer", "", "output", "weights", "biases"] + ["moved by"] * bool(self.moved)
        rows = [["inputs", "", _shape(self.input_shape), *[""] * (len(head) - 3)]]
        for index, one in enumerate(self.layers):
            cells = [one.name, one.notation, _shape(one.shape), *_counts(one)]
            if self.moved:
                has_any = one.parameters > 0
                cells.append(f"{rounded(100 * self.moved[index], 3)} %" if has_any else "")
            rows.append(cells)
        yield Table(head, rows, numeric=(3, 4, 5)[: len(head) - 3])
        if self.sample is None:
            return
        yield ""
        yield f"Training sample {self.sample:,}, with the target {self.truth}:"
        for state in self.states:
            yield f"  {state.name}: it predicts {state.prediction}"
        if self.moved:
            yield "Moved by: the distance from the first weights, as a fraction of their length."


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{side:,}" for side in shape)


def _counts(one: LayerView) -> tuple[str, str]:
    weights = one.others + (0 if one.weights is None else one.weights.size)
    return (
        f"{weights:,}" if weights else "",
        f"{one.biases.size:,}" if one.biases is not None else "",
    )


def network(run: Run, sample: int = 0) -> NetworkView:
    """Look at the whole network of a run, untrained and trained, with the signals of a sample.

        a_0 = x,  a_k = f_k(a_(k-1) W_k + b_k),  y = a_n

    Args:
        run: The run.
        sample: Index of the training sample, from 0.

    Returns:
        The layers with their weights, biases and activations before and after the training.

    Raises:
        DataError: The data is missing or has changed, or there is no such sample.

    Example:
        >>> found = ds.insight.network(ds.open_run("runs/moons-1"))
        >>> [layer.shape for layer in found.layers]
        [(8,), (2,)]
        >>> [state.name for state in found.states]
        ['untrained', 'trained']
    """
    run = run.with_data()
    assert run.dataset is not None
    samples = run.dataset.train
    if not 0 <= sample < len(samples):
        raise DataError(
            f"Sample {sample:,} was asked for, and {run.data.name} has {len(samples):,} training "
            "samples.",
            f"a number from 0 to {len(samples) - 1:,}",
            "Choose another sample.",
        )
    one = samples.take(np.array([sample]))
    inputs = one.inputs
    if (sizes := sizes_of(one)) is not None:  # a photo without its padding
        down, across = (int(side) for side in np.asarray(sizes)[0])
        inputs = inputs[:, :down, :across]
    states, first = [], _first_parameters(run)
    for name, parameters in (("untrained", first), ("trained", run.parameters)):
        if parameters is not None:
            at = replace(run, model=run.model.at(parameters), optimizer_state=None, folder=None)
            states.append(_state(name, at, inputs))
    return NetworkView(
        data=run.data.name,
        notation=describe(run.network),
        input_shape=run.data.input_shape,
        input_names=run.data.input_names,
        output_names=_output_names(run),
        sample=sample,
        truth=truth_in_words(run, one),
        inputs=run.scaling.apply(inputs)[0],
        raw=inputs[0],
        states=tuple(states),
        moved=() if first is None else _moved(first, run.parameters),
        dataset=run.dataset,
    )


def untrained_network(network: Network, input_shape: tuple[int, ...], seed: int = 0) -> NetworkView:
    """Look at a network that no training has changed: `Network.summary` and `Network.plot`.

    Args:
        network: The network.
        input_shape: The shape of one input.
        seed: The seed of its weights.

    Raises:
        NetworkError: A layer does not fit.
    """
    parameters = jax.tree.map(np.asarray, network.init(tuple(input_shape), seed))
    layers = _layers(network, parameters, network.shapes(tuple(input_shape)), None)
    return NetworkView(
        data="", notation=describe(network), input_shape=tuple(input_shape), input_names=(),
        output_names=(), sample=None, truth="", inputs=None, raw=None,
        states=(NetworkState("untrained", layers, ""),), moved=(), dataset=None,
    )  # fmt: skip


def _first_parameters(run: Run) -> NetworkParameters | None:
    """The weights before the first step; None where they are not known."""
    try:
        return jax.tree.map(np.asarray, replay(run).state(0).parameters)
    except (RunError, DataError):
        return None


def _state(name: str, run: Run, inputs: np.ndarray) -> NetworkState:
    signals = [np.asarray(one.activations)[0] for one in run.signals(inputs)]
    shapes = tuple(one.shape for one in signals)
    return NetworkState(
        name,
        _layers(run.network, run.parameters, shapes, signals),
        prediction_in_words(run, inputs),
    )


def _layers(
    network: Network,
    parameters: NetworkParameters,
    shapes: tuple[tuple[int, ...], ...],
    signals: list[np.ndarray] | None,
) -> tuple[LayerView, ...]:
    layers = []
    for index, layer in enumerate(network.layers):
        arrays = {name: np.asarray(one) for name, one in learned_by_name(parameters[index]).items()}
        biases = arrays.pop("biases", None)
        tables = [one for one in arrays.values() if one.ndim > 1]
        weights = max(tables, key=lambda one: one.size, default=None)
        others = sum(one.size for one in arrays.values()) - (0 if weights is None else weights.size)
        layers.append(
            LayerView(
                network.layer_name(index),
                describe(Network([layer])),
                shapes[index],
                weights,
                biases,
                others,
                None if signals is None else signals[index],
            )
        )
    return tuple(layers)


def _moved(first: NetworkParameters, last: NetworkParameters) -> tuple[float, ...]:
    found = []
    for before, after in zip(first, last, strict=True):
        pairs = list(zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True))
        far = sum(float(np.square(np.asarray(b, np.float64) - a).sum()) for a, b in pairs)
        long = sum(float(np.square(np.asarray(a, np.float64)).sum()) for a, _ in pairs)
        found.append((far / long) ** 0.5 if long else 0.0)
    return tuple(found)


def _output_names(run: Run) -> tuple[str, ...]:
    names = run.data.class_names if run.data.task == "classification" else run.data.target_names
    outputs = run.network.shapes(run.data.input_shape)[-1]
    return names if outputs == (len(names),) else ()


def truth_in_words(run: Run, one: Samples) -> str:
    """The target of one sample, in words."""
    if run.data.task == "counting":
        return f"{rounded(float(one.counts[0]))} people"
    target = np.asarray(one.targets[0])
    if run.data.task == "classification":
        index = int(target) if target.ndim == 0 else int(target.argmax())
        return f'"{printable(run.data.class_names[index])}"'
    return _named(run, target)


def prediction_in_words(run: Run, inputs: Samples | np.ndarray) -> str:
    """What a run predicts for one sample, in words."""
    said = run.predict(inputs)[0]
    if run.data.task == "classification":
        index = int(said)
        fraction = float(run.probabilities(inputs)[0][index])
        return f'"{printable(run.data.class_names[index])}" with {rounded(100 * fraction, 3)} %'
    if run.data.task == "counting":
        return f"{rounded(float(said))} people"
    return _named(run, np.asarray(said))


def _named(run: Run, values: np.ndarray) -> str:
    texts = [rounded(float(one)) for one in np.ravel(values)[:6]]
    names = run.data.target_names
    if len(names) > 1 and len(names) >= len(texts):
        texts = [f"{printable(name)} {one}" for name, one in zip(names, texts, strict=False)]
    return ", ".join(texts)
