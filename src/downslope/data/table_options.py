"""What a user may say of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from downslope.errors import SettingError

if TYPE_CHECKING:  # whoever reads no table needs no library for tables
    from downslope.data.kinds import Kind


class TableOptions(NamedTuple):
    """What is said of a table; `load` tells what the fields mean."""

    target: str | None
    kinds: Mapping[str, Kind]
    task: str | None
    class_names: tuple[str, ...] = ()

    @property
    def given(self) -> dict[str, Any]:
        """What was said, as `load` takes it."""
        said = {"target": self.target, "kinds": dict(self.kinds), "task": self.task}
        return {name: value for name, value in said.items() if value}

    def refuse(self, name: str) -> None:
        """Check that nothing is said of a table where there is none.

        Raises:
            SettingError: Something is.
        """
        if self.target or self.kinds or self.task:
            raise SettingError(
                f"A target or kinds of columns were named, and {name} is no table.",
                "a table (.csv, .tsv, .parquet or .arrow)",
                "Leave them out.",
            )

    def refuse_columns(self, name: str) -> None:
        """Check that no column is named where there are arrays.

        Raises:
            SettingError: One is.
        """
        if self.target or self.kinds:
            raise SettingError(
                f"A target or kinds of columns were named, and {name} holds arrays.",
                "a table (.csv, .tsv, .parquet or .arrow)",
                "Leave them out; --task says whether classes or numbers are learnt.",
            )
