"""What was not finite first in the step that ended a training: a value, and the same in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

What = Literal[
    "input",
    "target",
    "weight",
    "sum",
    "activation",
    "loss",
    "gradient",
    "direction",
    "state",
    "change",
]


@dataclass(frozen=True)
class Failure:
    """The first number of a step that was not finite.

    Attributes:
        what: An "input", "target" or "weight" of a sample; a layer's "sum" or "activation"; the
            "loss" of a sample or, with no sample, the mean of them; the "gradient" of a layer;
            the "direction" that the optimizer made of it; the optimizer "state" that it kept of
            it; or the "change" of a layer's weights.
        value: What it was: "nan", "inf" or "-inf".
        batch: How many samples the step saw.
        samples: In how many of them something of this kind was not finite; 0 where that cannot
            be told of single samples.
        sample: The first of them, by its index in the training part, from 0; None for none.
        index: Of an input or target its index in the sample, each number from 0; empty if it is
            the only one.
        name: Of an input of a table its name.
        cause: Of an input or target what made it so: "augment" or "scaling", empty where it was
            given so. Of a gradient where the slope was first not finite: "loss", or a layer as in
            `layer`; empty where only the sum over the samples was not.
        given: Of an input or target that scaling made so, the number that it was.
        layer: The layer's index and kind, such as "2 Dense".
        array: Which of its arrays, such as "weights".
        outputs: Of a sample's loss the network's outputs, in the units of the target.
        truth: And its target.
        function: The loss or the kind of layer that it came about in, where that is not one of
            Downslope's own.
    """

    what: What
    value: str
    batch: int
    samples: int = 0
    sample: int | None = None
    index: tuple[int, ...] = ()
    name: str = ""
    cause: str = ""
    given: str = ""
    layer: str = ""
    array: str = ""
    outputs: str = ""
    truth: str = ""
    function: str = ""

    @property
    def message(self) -> str:
        """What it was, as the middle of a sentence."""
        return {
            "input": self._data,
            "target": self._data,
            "weight": self._data,
            "sum": self._signal,
            "activation": self._signal,
            "loss": self._loss,
            "gradient": self._gradient,
            "direction": self._direction,
            "state": self._state,
            "change": self._change,
        }[self.what]()

    @property
    def advice(self) -> str:
        """What to do now, in a sentence."""
        if self.what == "weight":
            return "Give that sample another weight."
        if self.cause == "augment":
            return "Look at what augment makes of that sample."
        if self.cause == "scaling":
            return "Correct that value, or leave the sample out: float32 holds at most 3.4e+38."
        if self.what in ("input", "target"):
            return "Fill in what is missing, or leave the sample out."
        if self.function and self.what == "gradient":
            return f"Look at {self.function}: its slope must be finite wherever its value is."
        if self.function:
            return f"Look at {self.function}: its value must be finite there."
        if self.what == "state":
            return (
                "Scale the targets or the loss down, or clip the gradients (clip_norm): the square "
                "of a gradient above 1.8e+19 is more than float32 holds."
            )
        rate = "Try a tenth of the learning rate"
        if self.what in ("direction", "change"):
            return f"{rate}."
        return f"{rate}, and look for huge values in the data."

    def _data(self) -> str:
        numbers = ", ".join(map(str, self.index))
        index = repr(self.name) if self.name else f"[{numbers}]" if self.index[1:] else numbers
        subject = f"{self.what} {index}" if index else f"the {self.what}"
        subject += f" of training sample {self.sample}"
        if self.cause == "augment":
            return f"{subject} became {self.value} when its image was changed"
        if self.cause == "scaling":
            given = f", {self.given}," if self.given else ""
            return f"{subject}{given} became {self.value} when it was scaled"
        return f"{subject} was {self.value}"

    def _signal(self) -> str:
        kind = {"sum": "a pre-activation", "activation": "an activation"}[self.what]
        return (
            f"{kind} of {_layer(self.layer)} was {self.value} for training sample {self.sample}"
            f"{self._others()}"
        )

    def _loss(self) -> str:
        if self.sample is None:
            return f"the mean loss was {self.value}, each sample's being finite"
        others = self._others(", and that of")
        was = f"{self.value} ({self._prediction()})"
        return f"the loss of training sample {self.sample} was {was}{others}"

    def _gradient(self) -> str:
        gradient = f"the gradient of the {self.array} of {_layer(self.layer)} was {self.value}"
        if not self.cause:
            return f"{gradient}, though the gradient at its pre-activations is finite"
        sample = f"training sample {self.sample}"
        if self.cause == "loss":
            slope = f"the slope of the loss of {sample} ({self._prediction()})"
        else:
            slope = f"the gradient at the pre-activations of {_layer(self.cause)} for {sample}"
        return f"{gradient}, from {slope}{self._others()}"

    def _direction(self) -> str:
        return (
            f"what the optimizer made of the gradient of the {self.array} of "
            f"{_layer(self.layer)} was {self.value}"
        )

    def _state(self) -> str:
        return (
            f"the optimizer state for the {self.array} of {_layer(self.layer)} became "
            f"{self.value}, behind which they would not move again"
        )

    def _change(self) -> str:
        return f"the step would have made the {self.array} of {_layer(self.layer)} {self.value}"

    def _prediction(self) -> str:
        return f"output{'s' if ', ' in self.outputs else ''} {self.outputs}; target {self.truth}"

    def _others(self, link: str = " and") -> str:
        """How many other samples of the batch it happened to as well."""
        others = self.samples - 1
        if not others:
            return ""
        return f"{link} {others} other{'s' if others > 1 else ''} of the batch"


def _layer(name: str) -> str:
    """A layer's name such as "2 Dense" in a sentence."""
    index, _, kind = name.partition(" ")
    return f"layer {index} ({kind})"
