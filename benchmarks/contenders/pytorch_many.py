"""PyTorch with many networks or many losses: one after another, and at once by `torch.func`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from benchmarks.contenders.pytorch import build, loss_of, tensors
from benchmarks.contenders.rates import learning_rates
from benchmarks.contenders.task import Task
from benchmarks.rungs import GRID
from benchmarks.samples import Arrays
from benchmarks.work import Work

AT_ONCE = 17  # losses computed together: more of them, and the signals leave the caches


def sweep(work: Work, samples: Arrays) -> Task:
    """One training after another with the plain loop."""
    inputs, targets = tensors(work, samples)
    loss_function = loss_of(work)

    def block() -> None:
        for rate in learning_rates():
            model = build(work)
            optimizer = torch.optim.SGD(model.parameters(), lr=rate)
            for _ in range(work.epochs):
                order = torch.randperm(len(inputs))
                for batch in order.split(work.batch_size):
                    optimizer.zero_grad()
                    loss_function(model(inputs[batch]), targets[batch]).backward()
                    optimizer.step()

    return Task(block)


def sweep_at_once(work: Work, samples: Arrays) -> Task:
    """All networks stacked, one `vmap` of their gradients per step, as its ensemble tutorial."""
    inputs, targets = tensors(work, samples)
    loss_function = loss_of(work)
    frame = build(work)
    rates = torch.tensor(learning_rates())

    def loss(parameters: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return loss_function(functional_call(frame, parameters, (x,)), y)

    gradients = vmap(grad(loss), in_dims=(0, None, None))

    def block() -> None:
        start = {name: value.detach() for name, value in build(work).named_parameters()}
        stacked = {name: torch.stack([value] * len(rates)) for name, value in start.items()}
        for _ in range(work.epochs):
            order = torch.randperm(len(inputs))
            for batch in order.split(work.batch_size):
                slopes = gradients(stacked, inputs[batch], targets[batch])
                for name, value in stacked.items():
                    value -= rates.view(-1, *[1] * (value.ndim - 1)) * slopes[name]

    return Task(block)


def _plane(work: Work) -> tuple[dict[str, Tensor], ...]:
    """A network's parameters and two random directions of the same shapes."""
    centre = {name: value.detach() for name, value in build(work).named_parameters()}
    random = ({name: torch.randn_like(value) for name, value in centre.items()} for _ in "ab")
    return (centre, *random)


def surface(work: Work, samples: Arrays) -> Task:
    """One loss after another."""
    inputs, targets = tensors(work, samples)
    model, loss_function = build(work), loss_of(work)
    centre, along, across = _plane(work)
    indices = torch.linspace(-1, 1, GRID).tolist()

    def block() -> None:
        losses = torch.empty(GRID, GRID)
        with torch.inference_mode():
            for row, a in enumerate(indices):
                for column, b in enumerate(indices):
                    there = {n: centre[n] + a * along[n] + b * across[n] for n in centre}
                    outputs = functional_call(model, there, (inputs,))
                    losses[row, column] = loss_function(outputs, targets)

    return Task(block)


def surface_at_once(work: Work, samples: Arrays) -> Task:
    """A few losses at a time with `vmap`."""
    inputs, targets = tensors(work, samples)
    model, loss_function = build(work), loss_of(work)
    centre, along, across = _plane(work)
    side = torch.linspace(-1, 1, GRID)

    def loss(a: Tensor, b: Tensor) -> Tensor:
        there = {name: centre[name] + a * along[name] + b * across[name] for name in centre}
        return loss_function(functional_call(model, there, (inputs,)), targets)

    losses = vmap(loss, chunk_size=AT_ONCE)
    indices = torch.cartesian_prod(side, side)

    def block() -> None:
        with torch.inference_mode():
            losses(indices[:, 0], indices[:, 1])

    return Task(block)
