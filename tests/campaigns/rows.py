"""Tables with mistakes: are the rows that are read, used and left out those of the file?

    python -m tests.campaigns.rows [--cases 10000] [--first 0]

Each case draws a small CSV file (its delimiter, quotes, line ends, gaps and odd cells) and spoils
it as files get spoilt: a quotation mark too many, an empty line, a delimiter, a line that is cut or
doubled, a mark of a missing value, letters where numbers are. Python's own CSV reader counts its
records. A file is refused in words, or every record is used or left out with a reason, and stands
in the table as it is written. The whole size takes about four minutes on one core.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import downslope as ds
from downslope.data.readers.table_file import read_table_text
from downslope.errors import DownslopeError

ROWS = 40
ODD = ("#N/A", "<0.1", ".", "Total", "1,2", "NA", "None", "?", "-", "", " ", "01", "1e5", "x", "é")


class Case(NamedTuple):
    """A file, and what parts its columns."""

    text: str
    delimiter: str


def drawn(number: int) -> Case:
    """The file of a number."""
    draw = random.Random(number)
    delimiter = draw.choice(",,,;\t|")
    lines = [delimiter.join(("name", "size", "town", "grade"))]
    for row in range(ROWS):
        size = f"{draw.gauss(0, 100):.{draw.choice((0, 2, 3))}f}"
        town = draw.choice(("Bern", "Rome", "Oslo", f'"Basel{delimiter} CH"', '"St. ""Gallen"""'))
        lines.append(delimiter.join((f"n{row}", size, town, "ab"[draw.random() < 0.5])))
    for _ in range(draw.choice((0, 1, 1, 2, 5))):
        _spoil(draw, lines, delimiter)
    end = draw.choice(("\n", "\n", "\r\n"))
    return Case(end.join(lines) + end * draw.choice((0, 1, 1, 1, 3)), delimiter)


def _spoil(draw: random.Random, lines: list[str], delimiter: str) -> None:
    row = draw.randrange(1, len(lines))
    line, at = lines[row], draw.randrange(len(lines[row]) + 1)
    cells = line.split(delimiter)
    cells[draw.randrange(len(cells))] = draw.choice(ODD)
    lines[row] = draw.choice(
        (
            f'"{line}',
            f'{line[:at]}"{line[at:]}',
            f"{line[:at]}{delimiter}{line[at:]}",
            line[:at],
            f"{line}\n{line}",
            f"{line}\n",
            f"{line}\n{lines[0]}",
            f"{line[:at]}\n{line[at:]}",
            delimiter.join(cells),
            delimiter.join(cells),
            delimiter.join(cells),
        )
    )


def outcome(case: Case) -> str:
    """ "refused", "read", or in words what is wrong."""
    try:
        table = read_table_text(case.text.encode(), Path("a.csv"))
        data = ds.load(table, target=table.column_names[-1])
    except DownslopeError as error:
        return "refused" if str(error).count(".") > 1 else f"no message: {error}"
    records = list(csv.reader(io.StringIO(case.text, newline=""), delimiter=case.delimiter))
    records = [row for row in records if row]
    names = table.column_names
    if not names[0].startswith("column "):
        records = records[1:]
    rows = data.rows
    assert rows is not None
    names_again = [record for record in records if record == names]
    records = [record for record in records if record != names]
    if len(records) != table.num_rows or rows.read != len(records) + len(names_again):
        return f"{len(records)} records, {len(names_again)} of names, {rows.read} rows read"
    if rows.used + sum(rows.left_out.values()) != rows.read or rows.used != sum(
        data.sizes.values()
    ):
        return f"{rows.used} used, {rows.left_out} left out of {rows.read}"
    for row, (record, own) in enumerate(zip(records, table.to_pylist(), strict=True)):
        if [cell if cell.strip() else None for cell in record] != list(own.values()):
            return f"record {row} is {record}, and the row {own}"
    return "read"


def main() -> None:
    """Run the campaign, and print what became of the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    wanted = parser.parse_args()
    counts: Counter[str] = Counter()
    for number in range(wanted.first, wanted.first + wanted.cases):
        try:
            found = outcome(drawn(number))
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        counts[found if found in ("read", "refused") else "wrong"] += 1
        if found not in ("read", "refused"):
            print(f"{number}: {found[:300]}", flush=True)
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
