"""PyTorch, as its tutorials have a training loop.

The samples are two tensors, indexed by a random order: faster than a DataLoader.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.contenders.task import Task
from benchmarks.samples import Arrays
from benchmarks.work import Conv, Dense, Flatten, Layer, Norm, Pool, Work, fans_in

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}
Images = Callable[[Tensor], Tensor]


def build(work: Work) -> nn.Sequential:
    """The network; images are (N, channels, height, width)."""
    layers: list[nn.Module] = []
    for layer, fan_in in zip(work.layers, fans_in(work), strict=True):
        layers.append(_layer(layer, fan_in))
        activation = getattr(layer, "activation", "identity")
        if activation != "identity":
            layers.append(ACTIVATIONS[activation]())
    return nn.Sequential(*layers)


def _layer(layer: Layer, fan_in: int) -> nn.Module:
    match layer:
        case Dense():
            return nn.Linear(fan_in, layer.units)
        case Conv():
            return nn.Conv2d(fan_in, layer.channels, layer.size, padding="same")
        case Pool():
            return nn.MaxPool2d(2)
        case Norm():
            return nn.BatchNorm2d(fan_in)
        case Flatten():
            return nn.Flatten()


def loss_of(work: Work) -> nn.Module:
    """The loss, a mean over the batch."""
    return nn.MSELoss() if work.loss == "squared_error" else nn.CrossEntropyLoss()


def tensors(work: Work, samples: Arrays) -> tuple[Tensor, Tensor]:
    """The samples as PyTorch wants them: classes as int64, channels before height and width."""
    inputs, targets = torch.from_numpy(samples.inputs), torch.from_numpy(samples.targets)
    if work.is_image:
        inputs = inputs.permute(0, 3, 1, 2).contiguous()
    if targets.ndim == 4:
        targets = targets.permute(0, 3, 1, 2).contiguous()
    return inputs, targets.long() if work.loss == "cross_entropy" else targets


def _training(work: Work, samples: Arrays, model: nn.Module, prepared: Images) -> Task:
    inputs, targets = tensors(work, samples)
    inputs = prepared(inputs)
    loss_function = loss_of(work)
    optimizer = torch.optim.SGD(model.parameters(), lr=work.learning_rate)

    def block() -> None:
        for _ in range(work.epochs):
            order = torch.randperm(len(inputs))
            for start in range(0, len(inputs), work.batch_size):
                batch = order[start : start + work.batch_size]
                optimizer.zero_grad()
                loss_function(model(inputs[batch]), targets[batch]).backward()
                optimizer.step()

    def loss() -> float:
        model.eval()
        with torch.inference_mode():
            sums = [
                loss_function(model(x), y).item() * len(x)
                for x, y in zip(
                    inputs.split(work.batch_size), targets.split(work.batch_size), strict=True
                )
            ]
        model.train()
        return sum(sums) / len(inputs)

    return Task(block, loss)


def train(work: Work, samples: Arrays) -> Task:
    """The plain loop."""
    return _training(work, samples, build(work), lambda inputs: inputs)


def train_compiled(work: Work, samples: Arrays) -> Task:
    """The plain loop with `torch.compile(model)`."""
    model = torch.compile(build(work))
    assert isinstance(model, nn.Module)
    return _training(work, samples, model, lambda inputs: inputs)


def train_channels_last(work: Work, samples: Arrays) -> Task:
    """The plain loop with network and images in the memory format channels_last."""
    model = build(work).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - its stub lacks this documented form

    def channels_last(inputs: Tensor) -> Tensor:
        return inputs.contiguous(memory_format=torch.channels_last)

    return _training(work, samples, model, channels_last)


def _predicting(work: Work, samples: Arrays, batch: int, calls: int) -> Task:
    inputs, _ = tensors(work, samples)
    model = build(work).eval()

    def block() -> None:
        with torch.inference_mode():
            for call in range(calls):
                index = call % (len(inputs) - batch + 1)
                model(inputs[index : index + batch]).argmax(1).numpy()

    return Task(block)


def predict_one(work: Work, samples: Arrays) -> Task:
    """One sample at a time."""
    from benchmarks.rungs import CALLS

    return _predicting(work, samples, 1, CALLS)


def predict_many(work: Work, samples: Arrays) -> Task:
    """All samples at once."""
    return _predicting(work, samples, work.samples, 1)
