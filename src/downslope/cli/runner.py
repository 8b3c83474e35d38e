"""What all commands do around their own work: open a run, show progress, print, draw, end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from downslope.cli.interrupts import STOPPED
from downslope.cli.lines import plain_json, print_json, say, show_table

if TYPE_CHECKING:  # help answers without the engine
    from downslope.data import Dataset
    from downslope.result import Part, Result
    from downslope.runs.run import Run

FINDING = "Look at this:"  # begins a finding of the data checks

OnProgress = Callable[[int, int], object]


class RunAt(NamedTuple):
    """A run's folder, and where its data is now if that has moved."""

    folder: Path
    data: Path | None = None


@dataclass(frozen=True)
class Output:
    """How a command shows what it does and what it found.

    Attributes:
        as_json: Whether standard output has one JSON object instead of text.
        pictures: Whether figures are drawn.
        folder: Where they are drawn, if the command was told.
        watch: Whether a training tells while it runs what is certainly wrong.
    """

    as_json: bool
    pictures: bool = False
    folder: Path | None = None
    watch: bool = True

    def open(self, run: RunAt) -> Run:
        """A saved run with the data that it was trained on.

        Raises:
            DownslopeError: The folder is not a run, or its data is gone or has changed.
        """
        from downslope.runs.open import open_run

        opened = open_run(run.folder)
        with self.reading(str(run.data or opened.data.source)) as on_progress:
            return opened.with_data(run.data, on_progress=on_progress)

    @property
    def is_lively(self) -> bool:
        """Whether a display may be redrawn in place."""
        return not self.as_json

    def read(
        self, source: str, reading: Mapping[str, Any], *, with_columns: bool = False
    ) -> Dataset:
        """Read a data set and check it, as before a training; findings are printed.

        Args:
            source: A built-in data set or a path.
            reading: How a table is read; arguments of `load`.
            with_columns: Whether the type of each column is printed as well.

        Raises:
            DownslopeError: It cannot be used.
        """
        from downslope.data import load
        from downslope.data.describe import describe

        with self.reading(source) as on_progress:
            dataset = load(source, on_progress=on_progress, **reading)
        with self.waiting("Checking the data ..."):
            found = describe(dataset)
        if not self.as_json:
            tell(found.parts() if with_columns else found.warnings())
        return found.dataset

    def reading(self, source: str) -> AbstractContextManager[OnProgress]:
        """Show how far reading is; gives what is to be called with (done, in all)."""
        from downslope.cli import display

        return display.reading(source, lively=self.is_lively)

    def replaying(self) -> AbstractContextManager[OnProgress]:
        """Show how far a training is replayed; gives what is to be called with (steps, in all)."""
        from downslope.cli import display

        return display.replaying(lively=self.is_lively)

    def working(self, what: str) -> AbstractContextManager[OnProgress]:
        """Show how far long work is; gives what is to be called with (done, in all)."""
        from downslope.cli import display

        return display.working(what, lively=self.is_lively)

    def waiting(self, what: str) -> AbstractContextManager[None]:
        """Show that something is being done that takes a while."""
        from downslope.cli import display

        return display.waiting(what, lively=self.is_lively)

    def show(self, found: Result, folder: Path | None = None, /, **also: Any) -> int:
        """Print a result, and draw its figures.

        Args:
            found: The result.
            folder: Where its figures go; the command's own folder if left out.
            also: What JSON has before the result's own keys. `folder`: of a result that was kept.

        Returns:
            The exit code.

        Raises:
            StorageError: The disk or the folder refuses.
        """
        paths: list[Path] = []
        if self.folder is not None and self.pictures and found.figures():  # it may refuse
            from downslope.storage.files import make_output_folder

            make_output_folder(self.folder)
        folder = folder or self.folder
        if not self.as_json:
            tell(found.parts())
            if "folder" in also:
                say(f"\nFound: {also['folder']}", exact=True)
        try:
            paths = self.draw(found, folder)
        finally:  # where the folder refuses, the work was not for nothing
            if self.as_json:
                self.print_object(found, paths, **also)
        if paths and not self.as_json:
            if "folder" not in also:
                say()
            list_pictures(paths)
        return STOPPED if getattr(found, "is_interrupted", False) else 0

    def print_object(self, found: Result, pictures: Sequence[Path], **also: Any) -> None:
        """Print a result as JSON, with what the command adds and the figures that were drawn."""
        print_json({**also, **found.to_dict(), "pictures": [str(path) for path in pictures]})

    def show_of(self, run: Run, found: Result, **also: Any) -> int:
        """Print what was found of a run, and draw its figures beside it; see `show`."""
        assert run.folder is not None  # it was opened from there
        return self.show(found, run.folder / "pictures", run=str(run.folder), **also)

    def keep(self, found: Result, file: Path) -> int:
        """Write a result as JSON, print it, and draw its figures beside the file; see `show`."""
        from downslope.storage.files import write_file

        also = {"folder": str(file.parent)}
        write_file(file, plain_json({**also, **found.to_dict()}).encode() + b"\n")
        return self.show(found, file.parent, **also)

    def draw(self, found: Result, folder: Path | None) -> list[Path]:
        """Draw a result's figures into a folder, if they are wanted; returns the files.

        Raises:
            StorageError: The disk or the folder refuses.
        """
        if not self.pictures or folder is None:
            return []
        with self.waiting("Drawing ..."):
            from downslope.plots import save_all

            drawn = found.figures()
            return (
                save_all(((name, draw()) for name, draw in drawn.items()), folder) if drawn else []
            )


def tell(parts: Iterable[Part]) -> None:
    """Print the parts of a result's text; a finding of the data checks has a bold beginning."""
    for part in parts:
        if isinstance(part, str):
            found = part.startswith(FINDING)
            say(part.removeprefix(FINDING).lstrip() if found else part,
                heading=FINDING if found else "")  # fmt: skip
        else:
            show_table(part)


def list_pictures(paths: Sequence[Path]) -> None:
    """Print where pictures are."""
    if paths:
        say(f"Pictures: {paths[0].parent}", exact=True)
    for path in paths:
        say(f"  {path.name}")
