"""Images at the defaults, beside a small network in PyTorch that gets the same processor seconds.

The peer is what somebody writes who knows the field: three convolutions with batch normalisation,
61,000 weights (for colours twice as many channels), global average pooling, label smoothing, AdamW
with a one-cycle schedule; shifted by a pixel or two in training, and photos mirrored, in prediction
as well. As many epochs as fit into the seconds that `downslope train` took, of which the time of
its first steps says how many there are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.peers import processor_seconds, timed

SETS = ("digits", "mnist", "fashion-mnist", "cifar10")
RESULTS = Path(__file__).parents[1] / "results" / "images.json"
SMOOTHING, DECAY, RATE = 0.1, 0.05, 0.01
LEAST = 10.0  # seconds that it always gets: ours trains on the digits within one
TIMED = 20  # steps whose time says how many epochs fit


def known() -> dict[str, dict[str, Any]]:
    """All figures so far, by "set/seed/contender"."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def load(name: str, folder: Path) -> Any:
    """One of the sets: built in, or the file or folder of that name."""
    import downslope as ds

    if name == "digits":
        return ds.load(name)
    found = [one for one in (folder / name, folder / f"{name}.npz") if one.exists()]
    return ds.load(found[0])


def run(name: str, folder: Path, seed: int, effort: Any = "normal") -> None:
    """Train both on one set, and keep the figures."""
    import downslope as ds

    data = load(name, folder)
    key = f"{name}/{seed}" if effort == "normal" else f"{name} {effort}/{seed}"
    given: dict[str, Any] = {} if effort == "normal" else {"effort": effort}
    trained, seconds = timed(lambda: ds.train(None, data, seed=seed, **given))
    validation = float(trained.measure(data.validation)["accuracy"])
    test = float(trained.measure(data.test)["accuracy"])
    ours = {"validation": validation, "test": test, "seconds": seconds}
    keep(f"{key}/downslope", ours | {"weights": trained.parameter_count})
    keep(f"{key}/pytorch", peer(data, seed, max(LEAST, seconds)))


def keep(key: str, figures: dict[str, Any]) -> None:
    """Write figures as they come."""
    print(key, figures, flush=True)
    RESULTS.write_text(json.dumps(dict(sorted({**known(), key: figures}.items())), indent=0) + "\n")


def peer(data: Any, seed: int, seconds: float) -> dict[str, float]:
    """The small network's figures.

    Args:
        data: The data set; all parts are scaled as ours are.
        seed: Of its weights and of the order of its samples.
        seconds: Its processor seconds.
    """
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)  # of several, those that wait for each other use the processor too
    parts = [_tensors(data, one) for one in (data.train, data.validation, data.test)]
    images, targets = parts[0]
    is_photo = images.shape[1] == 3
    network = _network(images.shape[1], len(data.class_names), 64 if is_photo else 32)
    network = network.to(memory_format=torch.channels_last)
    batch = 128 if len(images) >= 10_000 else 32
    steps_per_epoch = len(images) // batch
    epochs, step, optimizer, schedule, warm = 0, 0, _optimizer(network), None, 0.0
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    shift = max(1, images.shape[2] // 12)
    order = torch.randperm(len(images))
    while True:
        at = step % steps_per_epoch
        if at == 0:
            order = torch.randperm(len(images))
        rows = order[at * batch : (at + 1) * batch]
        loss = loss_of(network(_changed(images[rows], shift, is_photo)), targets[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if schedule is not None:
            schedule.step()
            if step == epochs * steps_per_epoch:
                break
        elif step == TIMED // 2:
            warm = processor_seconds()
        elif step == TIMED:  # the first steps are thrown away
            each = (processor_seconds() - warm) / (TIMED - TIMED // 2)
            epochs, step = max(1, round(seconds / each / steps_per_epoch)), 0
            torch.manual_seed(seed)
            network = _network(images.shape[1], len(data.class_names), 64 if is_photo else 32)
            network = network.to(memory_format=torch.channels_last)
            optimizer = _optimizer(network)
            schedule = torch.optim.lr_scheduler.OneCycleLR(
                optimizer, RATE, total_steps=epochs * steps_per_epoch
            )
    used = processor_seconds() - warm
    network.eval()
    figures = [_accuracy(network, *part, is_photo) for part in parts[1:]]
    count = sum(one.numel() for one in network.parameters())
    names = ("validation", "test", "seconds", "epochs", "weights")
    return dict(zip(names, (*figures, used, epochs, count), strict=True))


def _tensors(data: Any, samples: Any) -> tuple[Any, Any]:
    import torch

    inputs = data.scaling.apply(samples.inputs).astype(np.float32)
    if inputs.ndim == 2:
        side = round(inputs.shape[1] ** 0.5)
        inputs = inputs.reshape(-1, side, side, 1)
    images = torch.from_numpy(np.ascontiguousarray(inputs.transpose(0, 3, 1, 2)))
    images = images.contiguous(memory_format=torch.channels_last)
    return images, torch.from_numpy(samples.targets.astype(np.int64))


def _network(channels: int, classes: int, wide: int) -> Any:
    from torch import nn

    layers: list[Any] = []
    for before, after, pools in (
        (channels, wide, True),
        (wide, 2 * wide, True),
        (2 * wide, 2 * wide, False),
    ):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after)]
        layers += [nn.ReLU(), nn.MaxPool2d(2)] if pools else [nn.ReLU()]
    end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * wide, classes)]
    return nn.Sequential(*layers, *end)


def _optimizer(network: Any) -> Any:
    import torch

    return torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)


def _changed(images: Any, shift: int, mirrors: bool) -> Any:
    """Each image moved by up to `shift` pixels, and every other photo mirrored."""
    import torch

    count, _, height, width = images.shape
    padded = torch.nn.functional.pad(images, (shift,) * 4, mode="replicate")
    down, right = (torch.randint(0, 2 * shift + 1, (count, 1)) for _ in range(2))
    rows, columns = down + torch.arange(height), right + torch.arange(width)
    if mirrors:
        columns = torch.where(torch.rand(count, 1) < 0.5, columns.flip(1), columns)
    every = torch.arange(count)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[every, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def _accuracy(network: Any, images: Any, targets: Any, mirrors: bool) -> float:
    import torch

    right = 0
    with torch.no_grad():
        for some, own in zip(images.split(500), targets.split(500), strict=True):
            outputs = network(some)
            outputs = outputs + network(some.flip(3)) if mirrors else outputs
            right += int((outputs.argmax(1) == own).sum())
    return right / len(targets)


def markdown() -> str:
    """All figures as a table: means over the seeds there are, and how many."""
    groups: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for key, figures in known().items():
        name, _, contender = key.rsplit("/", 2)
        groups.setdefault(name, {}).setdefault(contender, []).append(figures)
    lines = [
        "| images | seeds | Downslope, test | seconds | PyTorch, test | seconds | epochs |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, by in groups.items():
        mean = {
            who: {one: np.mean([each[one] for each in rows]) for one in rows[0]}
            for who, rows in by.items()
        }
        ours, theirs = mean["downslope"], mean.get("pytorch")
        told = f"| {name} | {len(by['downslope'])} | {ours['test']:.2%} | {ours['seconds']:.0f} |"
        if theirs is not None:
            told += f" {theirs['test']:.2%} | {theirs['seconds']:.0f} | {theirs['epochs']:.0f} |"
        lines.append(told if theirs is not None else f"{told} | | |")
    return "\n".join(lines)
