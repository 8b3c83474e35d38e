"""Networks as short text: "dense 32 relu, dense 10", as typed at the command line and stored.

A layer is its word, its settings in order, then settings by name; an activation by itself is its
name; composite layers put their
inner layers in brackets: "residual (conv 16 3 relu, conv 16 3)", and branches are separated by a
bar: "parallel (conv 8 3 | conv 8 5)".
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from downslope.errors import Faults, NetworkError
from downslope.names import suggestion, synonyms
from downslope.nn.activations import ACTIVATIONS, Activation
from downslope.nn.composite import Parallel, Residual
from downslope.nn.dense import Activate, Dense, Dropout, Flatten
from downslope.nn.embedding import Embedding
from downslope.nn.embedding_bag import EmbeddingBag
from downslope.nn.images import (
    AveragePool2D,
    Conv2D,
    GlobalAveragePool2D,
    GlobalMaxPool2D,
    MaxPool2D,
    Upsample2D,
)
from downslope.nn.initializers import INITIALIZERS, Initializer
from downslope.nn.layer import Adapted, Layer, as_layer
from downslope.nn.members import GroupedDense, Members
from downslope.nn.network import Network
from downslope.nn.normalization import BatchNorm, GroupNorm, LayerNorm, Standardize
from downslope.nn.own_parts import NOTHING, Own, part_name
from downslope.nn.piecewise import Piecewise

PLAIN = (
    Dense, Conv2D, MaxPool2D, AveragePool2D, GlobalAveragePool2D, GlobalMaxPool2D, Upsample2D,
    Flatten, Dropout, Activate, BatchNorm, LayerNorm, GroupNorm, Standardize, Embedding,
    EmbeddingBag, Piecewise, GroupedDense, Members,
)  # fmt: skip
LAYERS: dict[str, type[Layer]] = {one.word: one for one in (*PLAIN, Residual, Parallel)}
# what PyTorch, Keras and people call them
SYNONYMS = synonyms(
    {
        "dense": "linear fc fullyconnected hidden affine",
        "max_pool": "maxpool2d maxpooling maxpooling2d pool",
        "average_pool": "avgpool avgpool2d averagepooling2d meanpool",
        "global_average_pool": (
            "adaptiveavgpool2d globalaveragepooling2d globalavgpool globalpool gap"
        ),
        "global_max_pool": "adaptivemaxpool2d globalmaxpooling2d gmp",
        "dropout": "dropout2d drop alphadropout",
        "upsample": "upsampling2d upsampling convtranspose2d deconv",
        "embed": "embedding embeddings",
        "embed_bag": "embeddingbag bag fasttext",
        "layer_norm": "layernormalization norm",
        "group_norm": "groupnormalization gn",
        "standardize": "normalize normalization standardscaler",
        "residual": "skip resnet resblock",
        "parallel": "concat concatenate branches inception",
        "batch_norm": "batchnorm1d batchnorm2d batchnormalization bn",
        "Use group_norm with as many groups as channels.": "instancenorm instancenorm2d",
        "conv": "conv2d convolution conv1d convolutional separableconv2d",
        'Write groups as many as there are input channels, such as "conv 64 3 groups=64".': (
            "depthwise depthwiseconv2d"
        ),
        "There are no layers for sequences: use dense or conv layers.": (
            "lstm gru rnn attention transformer multiheadattention"
        ),
    }
)

MOST_LAYERS, DEEPEST = 256, 32  # in all, and inside one another: each takes time to compile
LONGEST = 1 << 16  # letters
EXAMPLE = 'Write e.g. "dense 32 relu, dense 10".'


def describe(network: Network) -> str:
    """Return the text that `parse` makes the same network from."""
    return _Describer().chain(network.layers)


def own_parts(network: Network) -> dict[str, dict[str, Any]]:
    """The user's own layers, activations and initializers, by kind and by name in the text."""
    describer = _Describer()
    describer.chain(network.layers)
    return describer.own


class _Describer:
    """Writes layers as text, and names the parts of the user's own in it."""

    def __init__(self) -> None:
        self.own: dict[str, dict[str, Any]] = {kind: {} for kind in _TAKEN}

    def chain(self, layers: Sequence[Layer]) -> str:
        """Layers one after another."""
        return ", ".join(map(self.layer, layers))

    def layer(self, layer: Layer) -> str:
        """One layer."""
        if isinstance(layer, Residual):
            return f"residual ({self.chain(layer.layers)})"
        if isinstance(layer, Parallel):
            return f"parallel ({' | '.join(map(self.chain, layer.branches))})"
        if type(layer) not in LAYERS.values():
            return self._own_layer(layer)
        if isinstance(layer, Activate) and isinstance(layer.activation, str):
            return layer.activation
        words, in_order = [layer.word], True
        for field in dataclasses.fields(layer):
            value = getattr(layer, field.name)
            if value == field.default:
                in_order = in_order and field.name == "size"  # a size is always written
                if not in_order:
                    continue
            if isinstance(value, Activation | Initializer):
                value = self._name(f"{field.name}s", value)
            words.append(str(value) if in_order else f"{field.name}={value}")
        return " ".join(words)

    def _own_layer(self, layer: Layer) -> str:
        """The class with its settings, where these can be written; else the layer's name alone."""
        own = layer.layer if isinstance(layer, Adapted) else layer
        fields = dataclasses.fields(own) if _is_plain(own) else ()
        settings = [f"{one.name}={getattr(own, one.name)}" for one in fields]
        return " ".join([self._name("layers", type(own) if settings else own), *settings])

    def _name(self, kind: str, part: Any) -> str:
        known = self.own[kind]
        for name, one in known.items():
            if one is part or one == part:
                return name
        name = part_name(part, [*_TAKEN[kind], *known])
        known[name] = part
        return name


def _is_plain(layer: Any) -> bool:
    """Whether a layer of the user's own is told by settings that can be written."""
    if "__dataclass_fields__" not in vars(type(layer)):  # inherited alone, it tells nothing
        return False
    values = [getattr(layer, one.name) for one in dataclasses.fields(layer)]
    return all(
        isinstance(one, int | float) or (isinstance(one, str) and _WORD.fullmatch(one))
        for one in values
    ) and not any(isinstance(one, bool) for one in values)


_WORD = re.compile(r"[A-Za-z_][\w.-]*")
_TAKEN = {
    "layers": LAYERS,
    "activations": ACTIVATIONS,
    "initializers": ("auto", *INITIALIZERS),
}


def parse(text: str, own: Own = NOTHING) -> Network:
    """Read a network from its notation.

    Args:
        text: The layers, separated by commas, such as "dense 32 relu, dense 10".
        own: The user's own parts that it names.

    Returns:
        The network.

    Raises:
        NetworkError: The text cannot be read; the message names the part.

    Example:
        >>> network = ds.parse_network("conv 8 3 relu, max_pool 2, flatten, dense 10")
        >>> network.shapes((28, 28, 1))
        ((28, 28, 8), (14, 14, 8), (1568,), (10,))
    """
    check_size(text)
    return Network(_Parser(own).chain(text))


def check_size(text: str) -> None:
    """Check, before it is read, that a text does not describe a network without end.

    Raises:
        NetworkError: It does.
    """
    steps = ((one == "(") - (one == ")") for one in text[: LONGEST + 1])
    depth = max(accumulate(steps), default=0)
    layers = 1 + text.count(",") + text.count("|") + text.count("(")
    if len(text) > LONGEST or layers > MOST_LAYERS or depth > DEEPEST:
        raise NetworkError(
            f"The network's text has {len(text):,} letters, and up to {layers:,} layers, up to "
            f"{depth} inside one another.",
            f"at most {LONGEST:,} letters, {MOST_LAYERS:,} layers and {DEEPEST} inside one another",
            "Describe a smaller network.",
        )


def _split(text: str, separator: str) -> list[str]:
    """Split at separators that stand outside of brackets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
        if character == separator and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    if depth:
        raise NetworkError(
            f"The network {text!r} has brackets that do not match.",
            "as many '(' as ')'",
            "Close each bracket behind the layers that belong into it.",
        )
    return [*parts, text[start:].strip()]


class _Parser:
    """Reads layers from text, with parts of the user's own."""

    def __init__(self, own: Own) -> None:
        self._own = own

    def chain(self, text: str) -> list[Layer]:
        """Layers one after another."""
        layers, faults = [], Faults()
        for part in _split(text, ","):
            with faults.check():
                layers.append(self._layer(part))
        faults.tell()
        return layers

    def _layer(self, text: str) -> Layer:
        word, _, rest = text.partition(" ")
        given = self._own.get("layers", {}).get(word)
        if isinstance(given, type):
            settings = self._settings(given, text, rest.split()) if rest else {}
            return as_layer(given(**settings))
        if given is not None:
            return as_layer(given)
        word = word.split("(")[0].lower()
        if word in ACTIVATIONS and not rest:
            return Activate(word)
        if word not in LAYERS:
            raise NetworkError(
                f"The network has a layer {text!r}.",
                "a layer: " + ", ".join(LAYERS),
                suggestion(word, LAYERS, SYNONYMS) or EXAMPLE,
            )
        kind = LAYERS[word]
        if kind in (Residual, Parallel):
            inside = re.fullmatch(rf"{word}\s*\((.*)\)", text, re.IGNORECASE | re.DOTALL)
            if inside is None:
                raise NetworkError(
                    f"The layer {text!r} has no brackets.",
                    f"its inner layers in brackets: {word} (...)",
                    'Write e.g. "residual (dense 8 relu, dense 8)".',
                )
            chains = [self.chain(branch) for branch in _split(inside[1], "|")]
            return Parallel(*chains) if kind is Parallel else Residual(chains[0])
        return kind(**self._settings(kind, text, rest.split()))

    def _settings(self, kind: Any, text: str, words: list[str]) -> dict[str, Any]:
        """Settings in order fill the fields in order; an activation's name may come early."""
        fields = [field.name for field in dataclasses.fields(kind)]
        settings: dict[str, Any] = {}
        for word in words:
            name, by_name, value = word.partition("=")
            if not by_name:
                value = word
                is_number = _number(word) is not None
                free = [one for one in fields if one not in settings]
                if "activation" in free and not is_number:
                    free = ["activation"]
                name = free[0] if free else ""
            if name not in fields or name in settings:
                raise NetworkError(
                    f"The layer {text!r} has a setting {word!r} too many.",
                    f"settings among: {', '.join(fields) or 'none'}",
                    EXAMPLE,
                )
            number = _number(value)
            value = self._own.get(f"{name}s", {}).get(value, value)
            settings[name] = value if number is None else number
        required = [
            one.name for one in dataclasses.fields(kind) if one.default is dataclasses.MISSING
        ]
        for name in required:
            if name not in settings:
                raise NetworkError(f"The layer {text!r} has no {name}.", f"its {name}", EXAMPLE)
        return settings


def _number(word: str) -> int | float | None:
    try:
        return int(word)
    except ValueError:
        try:
            return float(word)
        except ValueError:
            return None
