"""A run's report: one HTML file, and its figures as files where they are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from downslope.data.progress import OnProgress
from downslope.errors import SettingError
from downslope.plots.style import save_all
from downslope.reporting.material import Material
from downslope.reporting.page import html
from downslope.reporting.pieces import Chapter, Picture
from downslope.reporting.story import chapters
from downslope.reporting.story_result import facts
from downslope.runs.evaluate import training_result
from downslope.runs.run import Run
from downslope.storage.files import make_output_folder, write_file

FILE = "report.html"


@dataclass(frozen=True, eq=False)
class Report:
    """The story of a run.

    Attributes:
        title: Its heading.
        lead: The sentence below it.
        facts: What is seen first: for each its name, its value, and what to know of it.
        chapters: The story itself.
    """

    title: str
    lead: str
    facts: Sequence[tuple[str, str, str]]
    chapters: Sequence[Chapter]

    @property
    def pictures(self) -> list[Picture]:
        """Every figure, in order."""
        return [
            piece
            for chapter in self.chapters
            for piece in chapter.pieces
            if isinstance(piece, Picture)
        ]

    @cached_property
    def html(self) -> str:
        """The page."""
        return html(self.title, self.lead, self.facts, self.chapters)

    def save(self, path: str | Path) -> Path:
        """Write the page; it is there as a whole or not at all.

        Raises:
            StorageError: The disk or the folder refuses.
        """
        path = Path(path)
        make_output_folder(path.parent)
        write_file(path, self.html.encode())
        return path

    def save_figures(self, folder: str | Path) -> list[Path]:
        """Write every figure as PNG and as SVG into a folder; those of the same names are replaced.

        Raises:
            StorageError: The disk or the folder refuses.
        """
        return save_all([(one.name, one.figure) for one in self.pictures], folder)


def tell(run: Run, *, with_test: bool = True, on_progress: OnProgress | None = None) -> Report:
    """Write the story of a run, in the order of the steps of learning.

    Args:
        run: The run.
        with_test: Whether the sealed test part is opened; where it was opened before, that is
            no other look at it.
        on_progress: Called with (done, in all), for each part of the work that takes a while.

    Raises:
        DataError: The run's data is gone or has changed.
    """
    run = run.with_data()
    shown = replace(run, evaluations=run.evaluations.without_another())
    material = Material(shown, with_test, on_progress)
    result = training_result(shown, with_test=with_test)
    name, task = run.data.name, run.data.task
    what = {"classification": "the class", "regression": "numbers"}
    what["multilabel"] = "which labels hold"
    lead = (
        f"A network with {run.parameter_count:,} weights and biases was trained to predict "
        f"{what.get(task, 'the number of people')}. {run.outcome.message}"
    )
    return Report(f"Training on {name}", lead, facts(material, result), chapters(material, result))


def report(run: Run, path: str | Path | None = None, *, with_test: bool = True) -> Path:
    """Write the report of a run: a single HTML file that works offline.

    Args:
        run: The run.
        path: The file; `report.html` in the run's folder if left out. An old report is replaced.
        with_test: Whether to evaluate the run on its test part, which is counted unless it has been
            counted before.

    Returns:
        The path.

    Raises:
        DataError: The run's data is missing or has changed.
        SettingError: The run has no folder, and no path was given.
        StorageError: The file cannot be written.

    Example:
        >>> path = ds.report(ds.open_run("runs/moons-1"), "moons.html", with_test=False)
        >>> path.name
        'moons.html'
    """
    return tell(run, with_test=with_test).save(path_of(run, path))


def path_of(run: Run, path: str | Path | None) -> Path:
    """Where a run's report goes.

    Raises:
        SettingError: The run has no folder, and no path was given.
    """
    if path is not None:
        return Path(path)
    if run.folder is None:
        raise SettingError(
            "The run was not saved, and no file was named for its report.",
            "a path, or a run that has a folder",
            'Write report(run, "report.html"), or save the run first.',
        )
    return run.folder / FILE
