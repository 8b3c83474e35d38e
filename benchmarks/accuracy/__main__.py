"""Run the comparison: see `benchmarks/accuracy/__init__.py`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.accuracy import few, images, report, tables
from benchmarks.accuracy.peers import PEERS
from benchmarks.accuracy.scores import scores
from benchmarks.accuracy.split import split_of

RESULTS = Path(__file__).parents[1] / "results" / "accuracy.json"
OURS = ("downslope", "strong")
SEEDS = (0, 1, 2)


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy")
    actions = parser.add_subparsers(dest="action", required=True)
    collect = actions.add_parser("collect")
    collect.add_argument("folder", type=Path)
    collect.add_argument("--debian", type=Path)
    for name in ("run", "fit"):
        run = actions.add_parser(name)
        run.add_argument("folder", type=Path)
        run.add_argument("contenders", nargs="+", choices=(*OURS, *PEERS))
        run.add_argument("--only", nargs="+", choices=tables.TABLES, default=[*tables.TABLES])
        run.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    few_rows = actions.add_parser("few")
    few_rows.add_argument("folder", type=Path, nargs="?")
    few_rows.add_argument("--only", nargs="+", choices=tables.TABLES, default=few.TRIED)
    few_rows.add_argument("--rows", nargs="+", type=int, default=(20, 100))
    few_rows.add_argument("--seeds", type=int, default=10)
    few_rows.add_argument("--photos", nargs="+", default=(), help='"crowd", or a folder')
    pictures = actions.add_parser("images")
    pictures.add_argument("sets", nargs="+", choices=images.SETS)
    pictures.add_argument("--folder", type=Path, default=Path())
    pictures.add_argument("--effort", choices=("quick", "normal", "long"), default="normal")
    pictures.add_argument("--seeds", nargs="+", type=int, default=(0,))
    actions.add_parser("show")
    actions.add_parser("messages").add_argument("file", type=Path)
    given = parser.parse_args()
    if given.action == "collect":
        tables.collect(given.folder, given.debian)
    elif given.action == "messages":
        from benchmarks.accuracy.messages import run_messages

        run_messages(given.file)
    elif given.action == "run":
        run_all(given)
    elif given.action == "fit":
        print(json.dumps(fit(given.folder / f"{given.only[0]}.csv", given.seeds[0],
                             given.contenders[0])))  # fmt: skip
    elif given.action == "few":
        if given.folder is not None:
            few.run_tables(given.folder, given.only, given.rows, given.seeds)
        for source in given.photos:
            few.run_photos(source, 5, given.seeds)
        print(few.markdown(few.known()))
    elif given.action == "images":
        for name in given.sets:
            for seed in given.seeds:
                images.run(name, given.folder, seed, given.effort)
    else:
        print(report.markdown(known()), images.markdown(), sep="\n\n")


def known() -> dict[str, dict[str, Any]]:
    """All figures so far, by "table/seed/contender"."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def run_all(given: argparse.Namespace) -> None:
    """Fit what is named, each in a process of its own, and keep the figures."""
    for contender in given.contenders:
        for name in given.only:
            for seed in given.seeds:
                words = [given.folder, contender, "--only", name, "--seeds", seed]
                with tempfile.TemporaryDirectory() as empty:  # no program was compiled before
                    done = subprocess.run(
                        [sys.executable, "-m", "benchmarks.accuracy", "fit", *map(str, words)],
                        env={**os.environ, "XDG_CACHE_HOME": empty},
                        capture_output=True,
                        text=True,
                        check=False,
                    )
                if done.returncode:
                    print(f"{name}/{seed}/{contender} failed: {done.stderr[-400:]}", flush=True)
                    continue
                found = json.loads(done.stdout.splitlines()[-1])
                all_found = known() | {f"{name}/{seed}/{contender}": found}
                RESULTS.write_text(json.dumps(dict(sorted(all_found.items())), indent=0) + "\n")
                print(f"{name}/{seed}/{contender}", found, flush=True)


def fit(file: Path, seed: int, contender: str) -> dict[str, float]:
    """The figures of one fit."""
    from benchmarks.accuracy import ours

    split = split_of(file, seed)
    if contender == "downslope":
        fitted = ours.downslope(file, seed)
    else:
        fitted = {"strong": ours.strong, **PEERS}[contender](split, seed)
    return {**scores(fitted.predictions, split.targets[2]), "seconds": fitted.seconds}


if __name__ == "__main__":
    main()
