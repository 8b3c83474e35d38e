"""A run of the suite as values, and as a JSON file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from benchmarks.catalogue import Role
from benchmarks.machine import Machine


@dataclass(frozen=True)
class Row:
    """One contender in one rung.

    Attributes:
        key: Its short name.
        label: Its name for people.
        role: What it is measured as; see `Contender`.
        seconds: Each block's seconds, one per round, without the first round.
        first: The first block's seconds, in which things are compiled.
        importing: Seconds to import the library.
        preparing: Seconds to build the network and put the samples where it wants them.
        peak: The most memory that its process held, in MiB.
        loss: The mean loss over all samples after the first block; None where nothing is trained.
        figures: What it says of each of those blocks by itself.
        absent: Why it did not take part, or did not come to the end; empty if it did.
    """

    key: str
    label: str
    role: Role
    seconds: tuple[float, ...] = ()
    first: float = 0.0
    importing: float = 0.0
    preparing: float = 0.0
    peak: float = 0.0
    loss: float | None = None
    figures: dict[str, tuple[float, ...]] = field(default_factory=dict)
    absent: str = ""


@dataclass(frozen=True)
class Contest:
    """One rung's outcome.

    Attributes:
        name: The rung's.
        title: What was done.
        unit: What times are told for.
        units: How many of these one block held.
        operations: Operations of the matrix products in one block; 0 where nobody counted.
        rows: The contenders.
    """

    name: str
    title: str
    unit: str
    units: int
    operations: float
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Report:
    """A whole run.

    Attributes:
        machine: What it ran on.
        versions: Of each package.
        commit: Of this project.
        date: Of its end, in UTC.
        is_smallest: Whether it only shows that all still works; its times mean nothing then.
        rounds: How many were counted, at most.
        minutes: How long the run took.
        contests: One per rung.
    """

    machine: Machine
    versions: dict[str, str]
    commit: str
    date: str
    is_smallest: bool
    rounds: int
    minutes: float
    contests: tuple[Contest, ...]


def write(report: Report, path: Path) -> None:
    """Write a report as JSON, times to a tenth of a microsecond."""
    plain = _rounded(msgspec.to_builtins(report))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(plain), indent=1) + b"\n")


def read(path: Path) -> Report:
    """Read what `write` wrote.

    Raises:
        SystemExit: There is no such file, or it is of another kind.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError) as error:
        raise SystemExit(f"{path} is no report of this suite: {error}") from error


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 7)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value
