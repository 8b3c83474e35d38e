"""The chapters as a page of the documentation, from the same values as in the terminal.

`python -m downslope.learn.pages docs` writes the page `path.md` and its pictures.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from downslope.learn.chapter import WHAT_RUN_IS, Ask, Chapter, Worked, shown
from downslope.learn.path import chapters
from downslope.plots.style import png_of
from downslope.result import Part
from downslope.storage.files import make_output_folder, write_file

_COLOURS = 64  # of a picture
PAGE, PICTURES = "path.md", "pictures"
_SPECIAL = re.compile(r"([\\`*_\[\]<>|])")
_HEAD = """\
# The path

{count} chapters on how a network learns, in the order of the article that [asked for this \
program](learn.md). In the terminal `downslope learn` walks through them with your own numbers, \
asks you a question in each and keeps how far you are; `downslope learn 7` opens one. This page \
shows them with the usual numbers. It is made from the same chapters: \
`python -m downslope.learn.pages docs`. Words are explained in the [glossary](glossary.md).
"""


def page(pieces: Sequence[str]) -> str:
    """The page.

    Args:
        pieces: Each chapter as `section` gives it.
    """
    return "\n".join([_HEAD.format(count=len(pieces)), *pieces])


def section(chapter: Chapter, worked: Worked) -> str:
    """One chapter in Markdown.

    Args:
        chapter: The chapter.
        worked: What its action found with the usual numbers.
    """
    return "\n".join(_lines(chapter, worked)) + "\n"


def _lines(chapter: Chapter, worked: Worked) -> Iterator[str]:
    yield f"## {chapter.number}. {chapter.title}"
    for paragraph in chapter.text:
        yield f"\n{escaped(paragraph)}"
    yield f"\n**Choose** {'; '.join(map(_choice, chapter.asks))}.\n"
    yield from _parts(worked.told)
    yield f"\n**Question.** {escaped(worked.question.text)}"
    for line in list(worked.question.lines())[1:]:
        yield f"<br>{escaped(line.strip())}"
    yield "\n<details><summary>Answer</summary>\n"
    yield f"**{escaped(worked.question.right)}**: {escaped(worked.question.worked)}\n\n</details>\n"
    for name in worked.figures():
        yield f"![{escaped(worked.after)}]({PICTURES}/{picture(name)})\n"
    yield f"**The same in Python**\n\n```python\n{chapter.python_with(chapter.defaults)}\n```\n"
    yield "**Where this is in the code**\n"
    for file, what in chapter.code:
        yield f"- [`{file}`](../src/downslope/{file}): {escaped(what)}"
    if chapter.commands:
        commands = "\n".join(chapter.commands)
        yield f"\n**More of the same**\n\n```sh\n{commands}\n```"
    if chapter.needs_run:
        yield f"\n{escaped(WHAT_RUN_IS)}"


def _choice(ask: Ask) -> str:
    value = ask.default if isinstance(ask.default, str) else shown(ask.default)
    return f"{escaped(ask.words)}: {value}"


def _parts(told: Sequence[Part]) -> Iterator[str]:
    """Lines as paragraphs, and tables as tables."""
    for part in told:
        if isinstance(part, str):
            yield f"{escaped(part)}\n" if part else ""
            continue
        yield _row(part.head)
        aligned = ("---:" if one in part.numeric else "---" for one in range(len(part.head)))
        yield f"|{'|'.join(aligned)}|"
        yield from map(_row, part.rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(escaped, cells))} |"


def escaped(text: str) -> str:
    """A text in Markdown, without what that would obey.

    Args:
        text: The text.
    """
    return _SPECIAL.sub(r"\\\1", text)


def picture(name: str) -> str:
    """The file of a chapter's picture.

    Args:
        name: The name of its figure.
    """
    return f"learn-{name}.png"


def write(folder: Path) -> None:
    """Work all chapters with the usual numbers, and write the page and its pictures.

    Args:
        folder: The folder of the documentation.

    Raises:
        StorageError: The disk or the folder refuses.
    """
    make_output_folder(folder / PICTURES)
    pieces = []
    for chapter in chapters():
        worked = chapter.work(chapter.defaults)
        pieces.append(section(chapter, worked))
        for name, draw in worked.figures().items():
            write_file(folder / PICTURES / picture(name), _small(png_of(draw())))
    write_file(folder / PAGE, page(pieces).encode())


def _small(png: bytes) -> bytes:
    """A picture of few colours as a file of a third of the size."""
    with Image.open(io.BytesIO(png)) as image:
        buffer = io.BytesIO()
        reduced = image.resize((image.width * 5 // 8, image.height * 5 // 8), Image.Resampling.BOX)
        reduced.quantize(_COLOURS).save(buffer, "png", optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
