"""Chapters as one HTML page: nothing in it runs, and nothing is loaded from anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files

from downslope.errors import escape_html
from downslope.reporting.figures import inline, variables
from downslope.reporting.pieces import Chapter, Picture, Piece, Words
from downslope.text import Table

# the browser itself refuses to load or to run anything that is not in the page
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

_LONG = 24  # rows, above which a table may be parted in print


def html(
    title: str, lead: str, facts: Sequence[tuple[str, str, str]], chapters: Sequence[Chapter]
) -> str:
    """The page.

    Args:
        title: Its heading.
        lead: The sentence below it.
        facts: What is seen first: for each its name, its value, and what to know of it.
        chapters: The story.
    """
    names = [_name(number, one.title) for number, one in enumerate(chapters)]
    contents = "".join(
        f'<li><a href="#{name}">{escape_html(one.title)}</a></li>'
        for name, one in zip(names, chapters, strict=True)
    )
    body = "\n".join(
        _chapter(name, one, number)
        for number, (name, one) in enumerate(zip(names, chapters, strict=True))
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape_html(title)}</title>
<style>
:root {{ {variables(dark=False)} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {variables(dark=True)} }} }}
{_style_sheet()}
</style>
</head>
<body>
<header>
<h1>{escape_html(title)}</h1>
<p class="lead">{escape_html(lead)}</p>
<dl class="facts">{"".join(map(_fact, facts))}</dl>
<nav aria-label="Chapters"><ol>{contents}</ol></nav>
</header>
<main>
{body}
</main>
<footer><p>Written by Downslope. This file works offline, on its own.</p></footer>
</body>
</html>
"""


def _style_sheet() -> str:
    return (files("downslope.reporting") / "page.css").read_text(encoding="utf-8")


def _name(number: int, title: str) -> str:
    return f"{number + 1}-{re.sub('[^a-z0-9]+', '-', title.lower()).strip('-')}"


def _fact(fact: tuple[str, str, str]) -> str:
    name, value, note = map(escape_html, fact)
    small = f"<small>{note}</small>" if note else ""
    return f"<div><dt>{name}</dt><dd>{value}{small}</dd></div>"


def _chapter(name: str, chapter: Chapter, number: int) -> str:
    pieces = "\n".join(
        _piece(piece, f"f{number}-{index}-") for index, piece in enumerate(chapter.pieces)
    )
    heading = f"{number + 1}. {escape_html(chapter.title)}"
    return (
        f'<section aria-labelledby="{name}">\n<h2 id="{name}">{heading}</h2>\n{pieces}\n</section>'
    )


def _piece(piece: Piece, prefix: str) -> str:
    if isinstance(piece, Words):
        kind = ' class="important"' if piece.important else ""
        return f"<p{kind}>{escape_html(piece.text)}</p>"
    return _table(piece) if isinstance(piece, Table) else _picture(piece, prefix)


def _table(grid: Table) -> str:
    def cell(index: int, text: str, word: str, scope: str = "") -> str:
        kind = ' class="number"' if index in grid.numeric else ""
        return f"<{word}{scope}{kind}>{escape_html(text)}</{word}>"

    head = "".join(
        cell(index, text, "th", ' scope="col"') if text else "<td></td>"
        for index, text in enumerate(grid.head)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            cell(index, text, "td") if index else cell(index, text, "th", ' scope="row"')
            for index, text in enumerate(row)
        )
        + "</tr>"
        for row in grid.rows
    )
    top = f"<thead><tr>{head}</tr></thead>" if any(grid.head) else ""
    # may be wider than a narrow screen; then it can be moved by the keyboard as well
    kind = "wide long" if len(grid.rows) > _LONG else "wide"
    return (
        f'<div class="{kind}" tabindex="0" role="region" aria-label="{escape_html(grid.caption)}">'
        f"<table><caption><span>{escape_html(grid.caption)}</span></caption>{top}"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _picture(picture: Picture, prefix: str) -> str:
    below = f"<figcaption>{escape_html(picture.caption)}</figcaption>" if picture.caption else ""
    name = escape_html(f"Figure: {picture.name.replace('-', ' ')}")
    return (
        f'<figure><div class="wide" tabindex="0" role="region" aria-label="{name}">'
        f"{inline(picture.figure, prefix)}</div>{below}</figure>"
    )
