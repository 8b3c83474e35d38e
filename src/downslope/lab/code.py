"""What the worker tells the page in words: the scene, the code that repeats it, findings."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from downslope.data.dataset import Task
from downslope.engine import metrics
from downslope.insight.pixels import image_shape
from downslope.lab.messages import Findings, FoundOne, Scene
from downslope.lab.view import View
from downslope.nn import notation
from downslope.result import Result
from downslope.runs.counting import counts_people
from downslope.runs.finding import Finding
from downslope.runs.preparation import Preparation
from downslope.runs.run import Run


def scene(
    prepared: Preparation,
    view: View,
    run: Run | None,
    source: str,
    options: Mapping[str, Any],
    findings: tuple[str, ...],
) -> Scene:
    """What is trained on what, for the page."""
    dataset, settings, plan = prepared.dataset, prepared.settings, prepared.plan
    network = notation.describe(prepared.network)
    values = {
        "optimizer": settings.optimizer.name,
        "learning_rate": settings.learning_rate,
        "schedule": settings.schedule.kind,
        "batch_size": settings.batch_size,
        "epochs": settings.epochs,
        "weight_decay": settings.optimizer.weight_decay,
        "seed": settings.seed,
    }
    return Scene(
        session="",
        place="",
        data=dataset.name,
        source=source,
        task=dataset.task,
        inputs=dataset.input_names,
        input_shape=dataset.input_shape,
        classes=dataset.class_names,
        targets=dataset.target_names,
        sizes=dataset.sizes,
        findings=findings,
        network=network,
        layers=view.layers(),
        settings=values,
        loss=prepared.loss.name,
        metrics=columns(dataset.task),
        baseline={} if run is None else run.measure_baseline(view.dataset.validation),
        steps=plan.steps,
        steps_per_epoch=plan.steps_per_epoch,
        folder="" if run is None or run.folder is None else str(run.folder),
        command=_command(source, options, network, values),
        python=_python(source, options, network, values),
        choices={},
        counts_people=counts_people(dataset),
        image=image_shape(dataset.input_shape, dataset.input_names),
        plane=view.plane,
    )


def columns(task: Task) -> tuple[str, ...]:
    """The columns of the measured rows behind the step, in the order in which they are sent."""
    return tuple(
        f"{part}_{name}" for name in metrics.names(task) for part in ("train", "validation")
    )


def _command(
    source: str, options: Mapping[str, Any], network: str, values: Mapping[str, Any]
) -> str:
    """The command that trains the same."""
    words = ["downslope", "train", source]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    words += ["--network", network]
    for name, value in values.items():
        words += [f"--{name.replace('_', '-')}", f"{value:g}" if name in SMALL else str(value)]
    return shlex.join(words)


SMALL = ("learning_rate", "weight_decay")


def _python(
    source: str, options: Mapping[str, Any], network: str, values: Mapping[str, Any]
) -> str:
    """The Python lines that train the same."""
    own = dict(values)
    optimizer, decay = own.pop("optimizer"), own.pop("weight_decay")
    given = f'ds.Optimizer("{optimizer}", weight_decay={decay:g})' if decay else f'"{optimizer}"'
    read = "".join(f", {name}={value!r}" for name, value in options.items())
    lines = [
        "import downslope as ds",
        "",
        f"data = ds.load({source!r}{read})",
        "run = ds.train(",
        f'    "{network}",',
        "    data,",
        f"    optimizer={given},",
        *(f"    {name}={value!r}," for name, value in own.items()),
        ")",
    ]
    return "\n".join(lines)


def lines_of(result: Result) -> tuple[str, ...]:
    """What a result says, line by line."""
    return tuple(str(part) for part in result.parts())


def findings_of(title: str, findings: Iterable[Finding]) -> Findings:
    """Findings as the page shows them."""
    return Findings(
        title,
        tuple(
            FoundOne(
                cause=one.cause,
                level=one.level,
                where=one.where,
                seen=one.seen,
                means=one.means,
                change={name: str(value) for name, value in one.change.items()},
                proof="" if one.proof is None else str(one.proof),
            )
            for one in findings
        ),
    )
