"""The command line: python -m benchmarks [RUNG ...]."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import figures, machine, results
from benchmarks.driver import ROOT
from benchmarks.publish import publish
from benchmarks.race import race
from benchmarks.rungs import RUNGS, find
from benchmarks.table import one_line

RESULTS = Path(__file__).with_name("results")
LOSS_TOLERANCE = 0.5


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What the user asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure Downslope beside other libraries; see benchmarks/README.md.",
    )
    parser.add_argument("rungs", nargs="*", metavar="RUNG", help="which; all if none is named")
    parser.add_argument("--list", action="store_true", help="list the rungs and end")
    parser.add_argument(
        "--smallest", action="store_true", help="only show that all still works, in minutes"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds that count (default 6)")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where the results go (benchmarks/results)"
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="put the table of FOLDER's results into the README, without measuring anything",
    )
    asked = parser.parse_args(given)
    unknown = [name for name in asked.rungs if name not in RUNGS]
    if unknown:
        parser.error(f"there is no rung {unknown[0]!r}; there are {', '.join(RUNGS)}")
    if asked.rounds is not None and asked.rounds < 1:
        parser.error(f"--rounds is {asked.rounds}; it has to be 1 or more")
    if asked.smallest and asked.out is None and not asked.list:
        asked.out = ROOT / "build" / "benchmarks"  # never over the results of a full run
    asked.out = asked.out or RESULTS
    return asked


def tell(line: str) -> None:
    """Say what goes on, apart from the results."""
    print(line, file=sys.stderr, flush=True)


def measure(names: Sequence[str], rounds: int, is_smallest: bool) -> results.Report:
    """Run the rungs one after another."""
    began = time.monotonic()
    contests = []
    for name in names:
        rung = find(name, is_smallest)
        if not rung.contenders:
            tell(f"{name}: left out at the smallest size, where other rungs run the same code")
            continue
        tell(f"{name}: {rung.title}")
        contest = race(rung, rounds, is_smallest, tell)
        contests.append(contest)
        if not is_smallest:  # whose times mean nothing
            tell(f"  {one_line(contest)}")
            for warning in figures.losses_far_apart(contest, LOSS_TOLERANCE):
                tell(f"  Not the same work? {warning}")
    return results.Report(
        machine=machine.here(),
        versions=machine.versions(),
        commit=machine.commit(ROOT),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        is_smallest=is_smallest,
        rounds=rounds,
        minutes=round((time.monotonic() - began) / 60, 1),
        contests=tuple(contests),
    )


def main() -> int:
    """Measure and write, or list, or publish; 1 if a contender failed or nobody took part."""
    asked = arguments()
    if asked.list:
        width = max(map(len, RUNGS))
        print("\n".join(f"{name:{width}}  {rung.title}" for name, rung in RUNGS.items()))
        return 0
    if asked.publish:
        publish(asked.out, Path(__file__).with_name("README.md"))
        return 0
    # told to end, all workers have to end as well
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    rounds = asked.rounds or (0 if asked.smallest else 6)
    try:
        report = measure(asked.rungs or list(RUNGS), rounds, asked.smallest)
    except KeyboardInterrupt:
        tell("Stopped; nothing was written.")
        return 130
    from benchmarks.pictures import draw  # matplotlib takes a while
    from benchmarks.table import page

    asked.out.mkdir(parents=True, exist_ok=True)
    results.write(report, asked.out / "results.json")
    (asked.out / "results.md").write_text(page(report), encoding="utf-8")
    draw(report, asked.out)
    tell(f"{report.minutes} minutes; the results are in {asked.out}")
    failed = [
        f"{contest.name}, {row.label}: {row.absent}"
        for contest in report.contests
        for row in contest.rows
        if row.absent and not row.absent.endswith("not installed")
    ]
    tell("\n".join(f"Failed: {line}" for line in failed) or "Nobody failed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
