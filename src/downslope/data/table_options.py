"""What a user may say of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from downslope.errors import SettingError

if TYPE_CHECKING:  # whoever reads no table needs no library for tables
    from downslope.data.kinds import Kind


class TableOptions(NamedTuple):
    """What is said of a table; `load` tells what the fields mean."""

    target: str | None
    kinds: Mapping[str, Kind]
    task: str | None
    class_names: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None

    def refuse(self, name: str) -> None:
        """Check that nothing is said of a table where there is none.

        Raises:
            SettingError: Something is.
        """
        splitting = next((one for one in ("group", "time") if getattr(self, one)), None)
        if splitting:
            raise SettingError(
                f"The column {getattr(self, splitting)!r} was named with {splitting}, and {name} "
                "is no table.",
                "a table (.csv, .tsv, .parquet or .arrow)",
                "Leave it out; the folders of a data set say how it is split, if it has a train "
                "and a test folder.",
            )
        if self.target or self.kinds or self.task:
            raise SettingError(
                f"A target or kinds of columns were named, and {name} is no table.",
                "a table (.csv, .tsv, .parquet or .arrow)",
                "Leave them out.",
            )
