"""`python -m benchmarks.diagnosis`: the table of what the diagnosis names.

python -m benchmarks.diagnosis planted --seeds 0,1
python -m benchmarks.diagnosis healthy --budget 10
python -m benchmarks.diagnosis programs --file faulty_programs.csv
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import downslope as ds
from benchmarks.diagnosis.planted import Case, healthy, planted

RESULTS = Path(__file__).parent.parent / "results" / "diagnosis.json"


def table(cases: Iterable[Case], budget: float) -> None:
    """Print each case, what was named, and the fractions."""
    rows: dict[str, list[tuple[bool, bool, int]]] = defaultdict(list)
    by_cause: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        began = time.perf_counter()
        try:
            run = case.make()
            found = ds.diagnose(run, budget=budget)
        except ds.DownslopeError as error:
            print(f"DOOR {case.name}: {error}", flush=True)
            continue
        lasted = time.perf_counter() - began
        named = [one.cause for one in found.findings if one.level == "fault"]
        warned = [one.cause for one in found.findings if one.level == "warning"]
        of_case = named or [one for one in warned if one in case.true]
        first = bool(of_case[:1]) and of_case[0] in case.true
        either = any(one in case.true for one in of_case[:2])
        if not case.true:
            first = either = not named and not warned
        rows[case.degree].append((first, either, len(named)))
        by_cause[case.true[0] if case.true else "healthy"].append(first)
        proofs = [f"{one.cause}: {one.change} {one.proof}" for one in found.findings if one.proof]
        mark = "ok  " if first else "2nd " if either else "MISS"
        print(
            f"{mark} {case.name} | score {found.score:.2f} simple {found.simple_score} | "
            f"{named} {warned} | {proofs} | {lasted:.1f} s", flush=True,
        )  # fmt: skip
    print()
    for degree, own in rows.items():
        count = len(own)
        print(
            f"{degree}: {count} runs, first {sum(one[0] for one in own) / count:.0%}, one of the "
            f"first two {sum(one[1] for one in own) / count:.0%}, faults per run "
            f"{sum(one[2] for one in own) / count:.2f}"
        )
    kinds = {cause: sum(own) / len(own) for cause, own in by_cause.items()}
    print(f"mean over {len(kinds)} kinds: {sum(kinds.values()) / max(1, len(kinds)):.0%}")
    print(", ".join(f"{cause} {value:.0%}" for cause, value in sorted(kinds.items())))


def told_programs(given: argparse.Namespace) -> None:
    """Real programs, and the figures of both halves, in benchmarks/results/diagnosis.json."""
    from benchmarks.diagnosis.exam import exam, results
    from benchmarks.diagnosis.programs import programs

    chosen = [one for one in programs(Path(given.file)) if given.only in one.name]
    rows = exam(chosen, Path(given.work), given.budget, given.later, again=given.again)
    results(rows, RESULTS if not given.only else None)


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("planted", "healthy", "programs"))
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--budget", type=float, default=15.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--file", default="faulty_programs.csv", help="programs: their facts")
    parser.add_argument("--work", default="programs", help="programs: folder for trainings")
    parser.add_argument("--later", type=int, default=4, help="programs: seeds of later trainings")
    parser.add_argument("--again", action="store_true", help="programs: diagnose all again")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    seeds = [int(one) for one in given.seeds.split(",")]
    if given.what == "programs":
        told_programs(given)
        return
    source = planted if given.what == "planted" else healthy
    cases = (case for seed in seeds for case in source(seed))
    table((one for one in cases if given.only in one.name), given.budget)


if __name__ == "__main__":
    main()
