"""Everything that can go wrong for a user, as one tree.

DownslopeError
├── InputError            what the user gave cannot be used
│   ├── DataError         a data set, a file of one, or an input to predict
│   ├── NetworkError      a layer, or a network that does not fit its data
│   ├── SettingError      a loss, an optimizer, a learning rate, an option
│   └── RunError          a folder that is not a readable run
└── StorageError          the disk or the folder refuses what must be written

Each message says three things: what was received, what was expected, what to do.
"""

from __future__ import annotations


class DownslopeError(Exception):
    """Base of every error that Downslope raises on purpose.

    Args:
        received: What was received, as a full sentence.
        expected: What was expected instead, as a noun phrase.
        advice: What to do now, as a full sentence.
    """

    def __init__(self, received: str, expected: str, advice: str) -> None:
        self.received = received
        self.expected = expected
        self.advice = advice
        super().__init__(f"{received} Expected {expected}. {advice}")


class InputError(DownslopeError):
    """What the user gave cannot be used."""


class DataError(InputError):
    """A data set, one of its files, or an input to predict cannot be used."""


class NetworkError(InputError):
    """A layer is described wrongly, or a network does not fit its data."""


class SettingError(InputError):
    """A setting of training is unknown or out of range."""


class RunError(InputError):
    """A folder is not a run, or one of its files cannot be read."""


class StorageError(DownslopeError):
    """The disk or the folder refuses what must be written."""
