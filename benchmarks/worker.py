"""One contender in a process of its own: prepares itself, then works when it is told to.

    python -m benchmarks.worker '{"rung": ..., "contender": ..., "smallest": ..., "folder": ...}'

It reads a word per line ("run", "loss") and answers each with a line of JSON; the first answer
comes unasked, when it is ready. Whatever the libraries print goes to standard error. It ends
when its input ends, which it does when the controller is gone.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

Reply = dict[str, Any]
Send = Callable[[Reply], None]


def peak_memory(in_children: bool) -> float:
    """The most memory that the process, or the largest of its children, has held, in MiB.

    Linux counts the parent's memory into a new process's `ru_maxrss`; `VmHWM` starts anew.
    """
    if not in_children:
        try:
            status = Path("/proc/self/status").read_text(encoding="ascii")
            return int(status.partition("VmHWM:")[2].split()[0]) / 1024
        except (OSError, IndexError):  # not Linux
            pass
    whose = resource.RUSAGE_CHILDREN if in_children else resource.RUSAGE_SELF
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(whose).ru_maxrss * unit / 2**20


def _timed(function: Callable, *arguments: Any) -> tuple[Any, float]:
    started = time.perf_counter()
    value = function(*arguments)
    return value, time.perf_counter() - started


def serve(job: Reply, send: Send) -> None:
    """Prepare the contender of `job`, say so, and do what the lines of standard input say."""
    from benchmarks.rungs import find

    rung = find(job["rung"], job["smallest"])
    contender = next(one for one in rung.contenders if one.key == job["contender"])
    module, importing = _timed(import_module, contender.module)
    from benchmarks.samples import read

    samples = read(Path(job["folder"]))
    task, preparing = _timed(getattr(module, contender.function), rung.work, samples)
    send({"importing": importing, "preparing": preparing})
    for line in sys.stdin:
        if line.strip() == "run":
            figures, seconds = _timed(task.block)
            peak = peak_memory(task.in_children)
            send({"seconds": seconds, "peak": peak, "figures": dict(figures or {})})
        elif line.strip() == "loss":
            send({"loss": None if task.loss is None else float(task.loss())})


def main() -> None:
    """Keep the real standard output for the answers, and serve."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)

        def send(reply: Reply) -> None:
            print(json.dumps(reply), file=answers, flush=True)

        try:
            serve(json.loads(sys.argv[1]), send)
        except Exception as error:
            send({"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]})
            raise


if __name__ == "__main__":
    main()
