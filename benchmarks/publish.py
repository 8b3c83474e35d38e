"""The table of a run, put into the README between two marks."""

from __future__ import annotations

from pathlib import Path

from benchmarks import results
from benchmarks.table import overview

BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def replaced(page: str, table: str) -> str:
    """`page` with `table` between the marks.

    Raises:
        SystemExit: The marks are not there.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"The page has no {BEGIN} with {END} behind it; put them back.")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def publish(folder: Path, page: Path) -> None:
    """Put the table of the results in `folder` into `page`.

    Raises:
        SystemExit: There are no results, or they are of the smallest size.
    """
    report = results.read(folder / "results.json")
    if report.is_smallest:
        raise SystemExit(f"The results in {folder} are of the smallest size: they say nothing.")
    page.write_text(replaced(page.read_text(encoding="utf-8"), overview(report)), encoding="utf-8")
