"""`downslope learn`: the path, chapter by chapter."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import rich_click as click

from downslope.cli import options
from downslope.cli.interrupts import STOPPED
from downslope.cli.runner import Output

if TYPE_CHECKING:  # help answers without the engine
    from downslope.learn.chapter import Chapter
    from downslope.learn.progress import ProgressFile


@click.command()
@click.argument("chapter", type=int, required=False, metavar="[CHAPTER]")
@click.option("--list", "is_list", is_flag=True, help="List the chapters, and which are done.")
@click.option(
    "--plain",
    "is_plain",
    is_flag=True,
    help="Ask nothing: show a chapter with the usual numbers and the answer.",
)
@options.figures_output
def learn(chapter: int | None, is_list: bool, is_plain: bool, output: Output) -> int:
    """Learn how neural networks learn, in short chapters with your own numbers.

    Each chapter has something to do on the real engine, a question and a picture. Without a number
    the path goes on where you left. Enter takes what is in brackets; q and Ctrl-C leave.
    """
    from downslope.cli.lesson import teach
    from downslope.cli.lines import print_json
    from downslope.learn.path import chapters, find_chapter
    from downslope.learn.progress import ProgressFile, next_chapter

    file = ProgressFile.of_user()
    following = next_chapter(file.read(), chapters())
    found = following if chapter is None else find_chapter(chapter)
    if is_list or found is None:
        return _list(output, file)
    if output.as_json:
        print_json(found.to_dict(found.defaults))
        return 0
    if is_plain or not _is_dialogue():
        teach(found, len(chapters()), output, is_plain=True)
        return 0
    return _walk(found, output, file)


def _is_dialogue() -> bool:
    """Whether somebody reads and answers."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _list(output: Output, file: ProgressFile) -> int:
    """Print all chapters and how far the reader is."""
    from downslope.cli.lines import print_json, print_table, say
    from downslope.learn.path import chapters
    from downslope.learn.progress import next_chapter

    progress = file.read()
    following = next_chapter(progress, chapters())
    if output.as_json:
        rows = [
            {"number": one.number, "name": one.name, "title": one.title,
             "is_done": one.name in progress.done}
            for one in chapters()
        ]  # fmt: skip
        following = None if following is None else following.number
        print_json({"chapters": rows, "next": following, "progress": str(file.path)})
        return 0
    states = {one.name: "done" for one in chapters() if one.name in progress.done}
    if following is not None:
        states[following.name] = "next"
    print_table(
        ("", "", "chapter"),
        [(str(one.number), states.get(one.name, ""), one.title) for one in chapters()],
        numeric=(0,),
    )
    if following is None:
        say("\nAll chapters are done. To see one again: downslope learn 7")
    else:
        say("\nGo on with: downslope learn. Any chapter: downslope learn 7")
    return 0


def _walk(chapter: Chapter, output: Output, file: ProgressFile) -> int:
    """Walk from a chapter on, until the reader leaves or all are done."""
    from downslope.cli.lesson import Left, teach, turn_page
    from downslope.cli.lines import say
    from downslope.errors import StorageError
    from downslope.learn.path import chapters
    from downslope.learn.progress import Progress, next_chapter

    going: Chapter | None = chapter
    here = Progress()  # of this walk, where the disk refuses
    try:
        while going is not None:
            try:
                file.begin(going)
            except StorageError as error:
                say(f"Your progress is not kept. {error}\n", err=True)
            teach(going, len(chapters()), output, is_plain=False)
            here = here.after(going)
            try:
                going = next_chapter(file.finish(going), chapters())
            except StorageError:
                going = next_chapter(here, chapters())
            turn_page(going)
    except (Left, KeyboardInterrupt, EOFError, click.Abort) as ending:
        say("\nFinished chapters are kept. Go on with: downslope learn")
        return 0 if isinstance(ending, Left) else STOPPED
    return 0
