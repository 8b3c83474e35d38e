"""How far a reader is on the path: a small file in the user's own folder for data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import platformdirs

from downslope.errors import InputError
from downslope.learn.chapter import Chapter
from downslope.storage.files import plain_errors, write_file

FORMAT = 1
_MOST = 1 << 16  # bytes


class Progress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds.

    Attributes:
        format: The version of this form.
        done: The names of the chapters that are done, in the order in which that happened.
        at: The name of the chapter that was begun last.
    """

    format: int = FORMAT
    done: tuple[str, ...] = ()
    at: str = ""

    def after(self, chapter: Chapter) -> Progress:
        """The progress with a chapter done.

        Args:
            chapter: The chapter.
        """
        done = self.done if chapter.name in self.done else (*self.done, chapter.name)
        return msgspec.structs.replace(self, done=done, at=chapter.name)


@dataclass(frozen=True)
class ProgressFile:
    """The file of a reader's progress.

    Attributes:
        path: Where it is.
    """

    path: Path

    @classmethod
    def of_user(cls) -> ProgressFile:
        """The file of whoever runs this process."""
        return cls(platformdirs.user_data_path("downslope") / "learn.json")

    def read(self) -> Progress:
        """The progress; that of a beginner where there is no file.

        Raises:
            InputError: The file holds something else. It is left as it is.
        """
        try:
            with open(self.path, "rb") as file:
                content = file.read(_MOST + 1)
        except (FileNotFoundError, NotADirectoryError):
            return Progress()
        except OSError as error:
            raise self._refused(error.strerror or str(error)) from error
        try:
            found = msgspec.json.decode(content, type=Progress)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._refused(str(error)) from error
        if found.format != FORMAT:
            raise self._refused(f"its format is {found.format} instead of {FORMAT}")
        return found

    def _refused(self, why: str) -> InputError:
        return InputError(
            f"The progress on the path cannot be read from {self.path} ({why}).",
            "the file that downslope learn writes",
            "Nothing was changed. Move the file elsewhere to begin anew.",
        )

    def begin(self, chapter: Chapter) -> None:
        """Keep that a chapter was begun.

        Args:
            chapter: The chapter.

        Raises:
            InputError: The file holds something else, and is left as it is.
            StorageError: The disk or the folder refuses.
        """
        self._write(msgspec.structs.replace(self.read(), at=chapter.name))

    def finish(self, chapter: Chapter) -> Progress:
        """Keep that a chapter is done, and return the progress; see `begin`.

        Args:
            chapter: The chapter.
        """
        progress = self.read().after(chapter)  # another terminal may have written meanwhile
        self._write(progress)
        return progress

    def _write(self, progress: Progress) -> None:
        with plain_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        write_file(self.path, msgspec.json.encode(progress) + b"\n")


def next_chapter(progress: Progress, every: Sequence[Chapter]) -> Chapter | None:
    """Where the reader goes on: the chapter begun last, or the first after it that is not done.

    Args:
        progress: How far the reader is.
        every: All chapters in their order.

    Returns:
        The chapter; None where all are done.
    """
    names = [one.name for one in every]
    start = names.index(progress.at) if progress.at in names else 0
    for chapter in (*every[start:], *every[:start]):
        if chapter.name not in progress.done:
            return chapter
    return None
