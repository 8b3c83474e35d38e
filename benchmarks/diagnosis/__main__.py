"""`python -m benchmarks.diagnosis`: how often the diagnosis is right.

python -m benchmarks.diagnosis planted --half "held out" --tables FOLDER
python -m benchmarks.diagnosis healthy --tables FOLDER
python -m benchmarks.diagnosis normal
python -m benchmarks.diagnosis classics
python -m benchmarks.diagnosis questions
python -m benchmarks.diagnosis programs --file faulty_programs.csv
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

from benchmarks.diagnosis import corpus
from benchmarks.diagnosis.healthy import healthy, normal
from benchmarks.diagnosis.planted import planted
from benchmarks.diagnosis.sets import sets

RESULTS = Path(__file__).parent.parent / "results" / "diagnosis.json"


def told_programs(given: argparse.Namespace) -> None:
    """Real programs, and the figures of both halves, in benchmarks/results/diagnosis.json."""
    from benchmarks.diagnosis.exam import exam, results
    from benchmarks.diagnosis.programs import programs

    chosen = [one for one in programs(Path(given.file)) if given.only in one.name]
    rows = exam(
        chosen, Path(given.work), given.budget, (given.later, given.later_images), again=given.again
    )
    results(rows, RESULTS if not given.only else None)


def told_corpora(given: argparse.Namespace) -> None:
    """Planted, healthy or normal runs, and the fractions."""
    seeds = [int(one) for one in given.seeds.split(",")]
    every = sets(given.tables)
    halves = {half: [one for one in every if one.half == half] for half in ("fit", "held out")}
    own = halves.get(given.half, list(every))
    cases, is_right = {
        "planted": (planted(own, seeds), corpus.is_first),
        "healthy": (healthy(own, seeds), corpus.is_clean),
        "normal": (normal(seeds), corpus.is_told_normal),
    }[given.what]
    cases = (one for one in cases if given.only in one.name)
    rows = corpus.run_corpus(cases, given.budget, is_right, given.out, given.each)
    print()
    for degree in dict.fromkeys(row["degree"] for row in rows):
        these = [row for row in rows if row["degree"] == degree]
        print(f"{degree}: right in {corpus.fraction(these, is_right)}")
        if given.what == "planted":
            named = sum(len(row["named"]) for row in these) / max(1, len(these))
            among = corpus.fraction(these, corpus.is_among_two)
            print(f"  one of the first two {among}, named per run {named:.2f}")
        if given.what != "healthy":
            print(f"  {corpus.by_kind(these, is_right)}")


def told_classics(only: str) -> None:
    """Twenty-five classic faults, as rows of a table in Markdown."""
    from benchmarks.diagnosis.classics import classics

    print("| fault | before | the training says | the diagnosis names, without a budget |")
    print("|---|---|---|---|")
    for one, said in classics(only):
        alike = said["command line"].removeprefix("Error: ") == said["Python"]
        words = said["Python"] if alike else f"{said['command line']} / in Python: {said['Python']}"
        print(f"| {one.name} | {one.before} | {words} | {said['diagnosis']} |", flush=True)


def told_questions(only: str, budget: float) -> None:
    """What people ask most, as rows of a table in Markdown."""
    from benchmarks.diagnosis.questions import questions

    print("| question | asked | said |")
    print("|---|---|---|")
    for one, said in questions(only, budget):
        print(f"| {one.numbers} | {one.asked} | {said} |", flush=True)


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what",
        choices=("planted", "healthy", "normal", "classics", "programs", "questions"),
    )
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--budget", type=float, default=15.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--half", default="all", choices=("fit", "held out", "all"))
    parser.add_argument("--each", type=int, default=2, help="planted: sets for each cause")
    parser.add_argument("--tables", type=Path, help="tables of benchmarks.accuracy collect")
    parser.add_argument("--out", type=Path, help="file that the rows are kept in")
    parser.add_argument("--file", default="faulty_programs.csv", help="programs: their facts")
    parser.add_argument("--work", default="programs", help="programs: folder for trainings")
    parser.add_argument("--later", type=int, default=10, help="programs: seeds of later trainings")
    parser.add_argument("--later-images", type=int, default=4, help="programs: the same on images")
    parser.add_argument("--again", action="store_true", help="programs: diagnose all again")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.what == "programs":
        told_programs(given)
    elif given.what == "classics":
        told_classics(given.only)
    elif given.what == "questions":
        told_questions(given.only, given.budget)
    else:
        told_corpora(given)


if __name__ == "__main__":
    main()
