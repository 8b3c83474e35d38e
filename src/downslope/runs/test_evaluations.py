"""How often a run's test part was looked at: a figure that one has tuned by is not honest.

    test-evaluations/1.json, 2.json, ...      one file for each time

A file is made so that it fails if it is there already: two processes never count as one, and
whatever happens, a look that was counted stays counted. A run that has no folder counts in memory,
and hands its looks to the folder that it is saved in.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from downslope.errors import RunError, StorageError
from downslope.storage.files import damaged, make_folder, plain_errors

FOLDER = "test-evaluations"


class EvaluationCount:
    """The looks at one run's test part.

    Each `Run.test` counts, and each `Run.measure` of the test part; so do the interval, the
    baseline and pictures where nothing was measured before.

    Args:
        folder: The run's folder, if it has one.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._unsaved: list[str | None] = []
        self._is_first_alone = False
        self.is_open = False

    def without_another(self) -> EvaluationCount:
        """The same looks, of which only a first one is counted from here on.

        For what shows again what was shown: a report, and the end of a training that went on.
        """
        found = EvaluationCount(self._folder)
        found._unsaved, found._is_first_alone = self._unsaved, True
        return found

    @property
    def count(self) -> int:
        """How often it has been opened, by whatever process.

        Raises:
            RunError: The folder that tells is a link, or cannot be read.
        """
        if self._folder is None:
            return len(self._unsaved)
        return len(self._unsaved) + _counted(self._folder)

    def note(self) -> int:
        """Count one more, before anything is looked at; returns how often it is now.

        Raises:
            StorageError: The run's folder cannot be written.
        """
        if self._is_first_alone and self.count:
            self.is_open = True
            return self.count
        self._unsaved.append(datetime.now(UTC).isoformat(timespec="seconds"))
        if self._folder is not None:
            self.save(self._folder)
        self.is_open = True
        return self.count

    def save(self, folder: Path) -> None:
        """Write all looks into a run's folder, which counts from now on.

        Raises:
            StorageError: It cannot be written.
        """
        if self._folder not in (None, folder):  # a copy has been looked at as often
            self._unsaved = [None] * _counted(self._folder) + self._unsaved
        while self._unsaved:
            _write(folder, self._unsaved[0])
            self._unsaved.pop(0)
        self._folder = folder


def _counted(folder: Path) -> int:
    index = folder / FOLDER
    if index.is_symlink():
        raise damaged(index, "it is a link, which may lead anywhere")
    try:
        with os.scandir(index) as found:
            return sum(one.name.endswith(".json") for one in found)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise damaged(index, error.strerror or str(error)) from error


def _write(folder: Path, moment: str | None) -> None:
    index = folder / FOLDER
    try:
        make_folder(index)
        with plain_errors(index):
            number = _counted(folder) + 1
            while True:
                try:
                    with open(index / f"{number}.json", "x", encoding="utf-8") as file:
                        file.write(json.dumps({"opened": moment}) + "\n")
                    return
                except FileExistsError:  # another process was faster
                    number += 1
    except (StorageError, RunError) as error:
        raise StorageError(
            f"The test part of the run {folder} is opened only where that can be counted. "
            f"{error.received}",
            "a run folder that can be written",
            "Copy the run to a folder of yours, or test it on other data.",
        ) from error
