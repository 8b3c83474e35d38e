"""What a worker runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A contender that is ready.

    Attributes:
        block: Does one block of work to its very end; may return figures of its own.
        loss: The mean loss over all samples at the present weights, or None for no training.
        in_children: Whether the work is done in processes of its own, whose memory counts.
    """

    block: Callable[[], Mapping[str, float] | None]
    loss: Callable[[], float] | None = None
    in_children: bool = False
