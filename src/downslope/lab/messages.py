"""What the page and the worker say to each other.

The page sends commands as JSON. The worker sends frames: a header as JSON, and behind it the
arrays that the header names, as float32. `python -m downslope.lab.messages` writes the types of
both for the page, `page/messages.d.ts`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import numpy as np

LONGEST_COMMAND = 1 << 16  # bytes
TYPES = Path(__file__).parent / "page" / "messages.d.ts"
State = Literal["new", "training", "paused", "ended", "watched"]


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """What the page asks for."""


class Choose(Command, frozen=True, tag="choose"):
    """Take other data: a built-in data set, or a file that was dropped.

    Attributes:
        data: The built-in name, or the name that the upload returned.
        target: Of a table, the column to predict.
    """

    data: str
    target: str | None = None


class Open(Command, frozen=True, tag="open"):
    """Go on with a run of the folder `runs`.

    Attributes:
        run: Its name there.
    """

    run: str


class Setup(Command, frozen=True, tag="setup"):
    """Settings of the next training, or of the present one from here on; null for the usual.

    Attributes:
        network: In the network notation.
        optimizer: Its name.
        learning_rate: The (highest) learning rate.
        schedule: Its name.
        batch_size: Samples per step, or "full".
        epochs: Number of epochs.
        weight_decay: The optimizer's.
        seed: Seed of weights and order.
    """

    network: str | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    schedule: str | None = None
    batch_size: int | Literal["full"] | None = None
    epochs: int | None = None
    weight_decay: float | None = None
    seed: int | None = None


class Play(Command, frozen=True, tag="play"):
    """Train on, until something ends it.

    Attributes:
        steps: At most this many steps.
        epochs: At most to the end of so many epochs from here.
    """

    steps: int | None = None
    epochs: int | None = None


class Pause(Command, frozen=True, tag="pause"):
    """Stop after the chunk of now; nothing is lost."""


class Renew(Command, frozen=True, tag="renew"):
    """Begin again with first weights."""


class GoTo(Command, frozen=True, tag="goto"):
    """Look at the network as it was after some step.

    Attributes:
        step: The step; 0 for the first weights.
    """

    step: int


class Pace(Command, frozen=True, tag="pace"):
    """Train slowly enough to follow.

    Attributes:
        steps: Steps per second; 0 for as many as there can be.
    """

    steps: float


class Walk(Command, frozen=True, tag="walk"):
    """Tell the last step, or the one before the step that is shown, as six steps.

    Attributes:
        sample: Index of a training sample; null for the first one of the step's batch.
    """

    sample: int | None = None


class Look(Command, frozen=True, tag="look"):
    """Follow a sample through the network, and into one unit and one weight of it.

    It holds until the next one: what is shown of the sample comes with each moment that is shown.

    Attributes:
        layer: The unit's layer, from 1; null to follow the sample alone.
        unit: Index of the unit, from 0.
        weight: The weight whose gradient is told, as `downslope trace` takes it; null for none.
        sample: Index of a training sample; null for the first one of the step's batch.
        gradients: Whether frames have the gradient of the training loss by each weight.
    """

    layer: int | None = None
    unit: int = 0
    weight: str | None = None
    sample: int | None = None
    gradients: bool = False


class Measure(Command, frozen=True, tag="layers"):
    """Measure the layers over the training, as `downslope layers` does.

    Attributes:
        points: How many steps.
    """

    points: int = 40


class FindRate(Command, frozen=True, tag="rate"):
    """Find a good learning rate for what is on the page, as `downslope rate` does.

    Attributes:
        seconds: About how long it may take.
    """

    seconds: float = 20.0


class Diagnose(Command, frozen=True, tag="diagnose"):
    """Find out why the training did not learn.

    Attributes:
        seconds: How long it may take.
    """

    seconds: float = 20.0


class Draw(Command, frozen=True, tag="draw"):
    """Compute the loss surface around the path of the training.

    Attributes:
        points: Along each direction.
    """

    points: int = 41


class Count(Command, frozen=True, tag="count"):
    """Count the people in a photo that was dropped.

    Attributes:
        photo: The name that the upload returned.
    """

    photo: str


class OpenTest(Command, frozen=True, tag="test"):
    """Evaluate on the test part, which is counted."""


class Ready(Command, frozen=True, tag="ready"):
    """The page has drawn what it was sent, and takes the next frame."""


Asked = (
    Choose | Open | Setup | Play | Pause | Renew | GoTo | Pace | Walk | Look | Measure | FindRate
    | Diagnose | Draw | Count | OpenTest | Ready
)  # fmt: skip


class LayerShape(msgspec.Struct, frozen=True):
    """One layer, as the page draws it."""

    name: str
    text: str
    shape: tuple[int, ...]
    activation: str
    numbers: int


class Plane(msgspec.Struct, frozen=True):
    """The part of a plane of two inputs that is drawn, in units of the data."""

    left: float
    right: float
    bottom: float
    top: float
    side: int


class Header(msgspec.Struct, frozen=True, tag_field="kind"):
    """What a frame is; the arrays behind it are its `arrays`, in order: name and shape."""


class Scene(Header, frozen=True, tag="scene"):
    """What is trained on what: sent when it changes, and to each page that comes.

    `session` is another one after each start of the lab, and `place` is the folder where it works.
    """

    session: str
    place: str
    data: str
    source: str
    task: str
    inputs: tuple[str, ...]
    input_shape: tuple[int, ...]
    classes: tuple[str, ...]
    targets: tuple[str, ...]
    sizes: dict[str, int]
    findings: tuple[str, ...]
    network: str
    layers: tuple[LayerShape, ...]
    settings: dict[str, str | int | float]
    loss: str
    metrics: tuple[str, ...]
    baseline: dict[str, float]
    steps: int
    steps_per_epoch: int
    folder: str
    command: str
    python: str
    choices: dict[str, tuple[str, ...]]
    counts_people: bool = False
    image: tuple[int, int, int] | None = None
    plane: Plane | None = None
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Frame(Header, frozen=True, tag="frame"):
    """A moment of a training.

    Attributes:
        state: Whether it goes on; watched where another process trains it.
        step: Steps done.
        at: The step that the arrays show; less than `step` where an earlier one is looked at.
        epoch: Epochs done.
        seconds: Seconds in the loop.
        losses_from: Index of the first batch loss among the arrays.
        rows_from: Index of the first measured row among the arrays.
        message: How it ended.
        branches: Whether the settings have changed since, so that what is trained next is a new run
            from the step that is shown.
    """

    state: State
    step: int
    at: int
    epoch: int
    seconds: float
    losses_from: int
    rows_from: int
    message: str = ""
    branches: bool = False
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Notice(Header, frozen=True, tag="notice"):
    """Something in words: an error with what to do, how far long work is, what another page did."""

    text: str
    level: Literal["error", "note", "working", "page"] = "note"
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Told(Header, frozen=True, tag="told"):
    """The six steps of one step of learning, in words, with their numbers.

    Its arrays are of that step: `inputs`, `signals.I` and `deltas.I`, the sample's activations and
    the gradients at its pre-activations in layer I; `weights.I` before the step, `gradients.I` of
    the whole batch and `changes.I` of them.

    Attributes:
        step: The step.
        sample: Index of the training sample that is followed.
        title: Which step of which training.
        parts: The head of each of the six, and what it tells.
        short: The same in a sentence each.
    """

    step: int
    sample: int
    title: str
    parts: tuple[tuple[str, str], ...]
    short: tuple[str, ...]
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()


class OneFactor(msgspec.Struct, frozen=True):
    """A factor of a product: its symbol, in words, its value, and how that was worked out."""

    symbol: str
    words: str
    value: str
    how: str


class OneProduct(msgspec.Struct, frozen=True):
    """Factors, and what they multiply to."""

    factors: tuple[OneFactor, ...]
    value: str


class OneSum(msgspec.Struct, frozen=True):
    """A gradient as a sum of products; `rest` is what the terms that are not told add up to."""

    symbol: str
    terms: tuple[OneProduct, ...]
    count: int
    rest: str
    value: str


class Looked(Header, frozen=True, tag="looked"):
    """One sample in the network as it is shown, one unit of it, and one weight.

    Its arrays: `inputs`; `signals.I`, the sample's activations in layer I, of images a map for each
    channel; `image`, where inputs are pixels; of a unit that sees an image or a part of one,
    `seen`, `filter` and `products`, maps for each input channel.

    Attributes:
        at: The step after which it is.
        sample: Index of the training sample.
        target: What is right, in words.
        loss: The loss of the sample, as the network is trained on it.
        layer: The unit's layer, from 1; 0 if only the sample is followed.
        unit: Its index.
        title: The unit in words.
        rows: Inputs of the unit: index (as `Look.weight` takes it), name, value, weight, product.
        others: How many inputs are not among them, and what their products add up to.
        numbers: What comes of them, named: bias, pre-activation, activation, gradients.
        worked_out: The activation and its derivative with numbers.
        weight: The weight whose gradient is told; empty if none is.
        value: Its value.
        gradient: Its gradient, as backpropagation found it.
        chain: The same as products and sums.
    """

    at: int
    sample: int
    target: str
    loss: str
    layer: int = 0
    unit: int = 0
    title: str = ""
    rows: tuple[tuple[str, str, str, str, str], ...] = ()
    others: tuple[int, str] = (0, "0")
    numbers: tuple[tuple[str, str], ...] = ()
    worked_out: tuple[str, ...] = ()
    weight: str = ""
    value: str = ""
    gradient: str = ""
    chain: tuple[OneSum, ...] = ()
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Layers(Header, frozen=True, tag="layers"):
    """The layers with weights over the training.

    Its arrays: `steps` (points,), and of each layer (layers, points): `gradient_length`,
    `weight_length`, `update_fraction`, `dead` and `saturated`, which are NaN where an activation
    knows no such thing.
    """

    text: str
    names: tuple[str, ...]
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Rated(Header, frozen=True, tag="rated"):
    """Which learning rates are good.

    Its arrays: `wide` and `near`, rows of a rate and its final validation loss, averaged over
    seeds; `proof.I`, the batch losses of a short training.

    Attributes:
        text: What was found, and how.
        learning_rate: The recommended rate.
        low: The lowest good rate.
        high: The highest good rate.
        overshoots: Above which rate steps overshoot; null where none was found.
        too_slow: Below which rate it is too slow; null where none was found.
        start_loss: The training loss at the first weights.
        loss: Name of the loss.
        proof: Name and rate of each short training.
    """

    text: str
    learning_rate: float
    low: float
    high: float
    overshoots: float | None
    too_slow: float | None
    start_loss: float
    loss: str
    proof: tuple[tuple[str, float], ...]
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()


class FoundOne(msgspec.Struct, frozen=True):
    """A finding of the verdicts or of the diagnosis."""

    cause: str
    level: str
    where: str
    seen: str
    means: str
    change: dict[str, str]
    proof: str


class Findings(Header, frozen=True, tag="findings"):
    """What is found out about the training, most important first."""

    title: str
    findings: tuple[FoundOne, ...]
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Relief(Header, frozen=True, tag="relief"):
    """The training loss over the plane that holds most of the training's path.

    Its arrays: `heights` (rows, columns), `across` and `up`, the coefficients of columns and rows,
    and `path`, a row (step, across, up, training loss) for each point of the path.
    """

    text: str
    loss: str
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Counted(Header, frozen=True, tag="counted"):
    """How many people the network sees in a photo.

    Its arrays: `photo` (height, width, 3) from 0 to 1, and `density`, people per cell, unless the
    network has learnt their number alone.
    """

    photo: str
    people: float
    note: str
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Tested(Header, frozen=True, tag="tested"):
    """How good the network is on the test part, and how often that was looked at."""

    text: tuple[str, ...]
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()


Sent = (
    Scene | Frame | Notice | Told | Looked | Layers | Rated | Findings | Relief | Counted | Tested
)

Arrays = Mapping[str, np.ndarray]
_encode = msgspec.json.Encoder().encode
_commands = msgspec.json.Decoder(Asked)
_headers = msgspec.json.Decoder(Sent)


def command_of(text: str | bytes) -> Asked:
    """The command in a message of the page.

    Raises:
        msgspec.ValidationError: It is none.
    """
    return _commands.decode(text)


def packed(header: Any, arrays: Arrays | Sequence[tuple[str, np.ndarray]] = ()) -> bytes:
    """A frame: the header's length, the header, blanks up to a multiple of four, the arrays.

    Example:
        >>> from downslope.lab.messages import Notice, packed, unpacked
        >>> header, arrays = unpacked(packed(Notice("ready"), {"x": np.ones((2, 3))}))
        >>> header.text, arrays["x"].shape
        ('ready', (2, 3))
    """
    named = dict(arrays)
    shapes = tuple((name, array.shape) for name, array in named.items())
    text = _encode(msgspec.structs.replace(header, arrays=shapes))
    text += b" " * (-len(text) % 4)
    parts = [np.ascontiguousarray(array, "<f4").tobytes() for array in named.values()]
    return b"".join([struct.pack("<I", len(text)), text, *parts])


def unpacked(frame: bytes) -> tuple[Any, dict[str, np.ndarray]]:
    """The header and the arrays of a frame."""
    (length,) = struct.unpack_from("<I", frame)
    header = _headers.decode(frame[4 : 4 + length])
    arrays, at = {}, 4 + length
    for name, shape in header.arrays:
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(frame, "<f4", count, at).reshape(shape)
        at += 4 * count
    return header, arrays


def types_for_the_page() -> str:
    """The commands and headers as TypeScript declares them, for the checks of the page."""
    lines = ["// made by python -m downslope.lab.messages from the Python values", ""]
    for union, name in ((Asked, "Asked"), (Sent, "Sent")):
        lines += [f"export type {name} = {' | '.join(one.__name__ for one in get_args(union))};"]
    lines.append("")
    values = (LayerShape, Plane, OneFactor, OneProduct, OneSum, FoundOne)
    for one in (*values, *get_args(Asked), *get_args(Sent)):
        config, hints = one.__struct_config__, get_type_hints(one)
        lines.append(f"export interface {one.__name__} {{")
        if config.tag is not None:
            lines.append(f'  {config.tag_field}: "{config.tag}";')
        for field in msgspec.structs.fields(one):
            optional = "?" if config.tag_field == "do" and not field.required else ""
            lines.append(f"  {field.name}{optional}: {_type(hints[field.name])};")
        lines += ["}", ""]
    return "\n".join(lines)


def _type(hint: Any) -> str:
    plain = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
    if hint in plain:
        return plain[hint]
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " | ".join(f'"{one}"' for one in inner)
    if origin in (Union, UnionType):
        return " | ".join(dict.fromkeys(map(_type, inner)))
    if origin is dict:
        return f"Record<{_type(inner[0])}, {_type(inner[1])}>"
    if origin is tuple and inner[-1] is Ellipsis:
        return f"Array<{_type(inner[0])}>"
    if origin is tuple:
        return f"[{', '.join(map(_type, inner))}]"
    return hint.__name__


if __name__ == "__main__":
    TYPES.write_text(types_for_the_page(), encoding="utf-8")
