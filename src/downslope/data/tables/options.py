"""What a user may say of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from downslope.errors import SettingError

if TYPE_CHECKING:  # whoever reads no table needs no library for tables
    from downslope.data.tables.column_types import Said
    from downslope.data.tables.encoding import Encoding


class TableOptions(NamedTuple):
    """What is said of a table; `load` tells what the fields mean.

    `learnt` is how a run reads its columns: then nothing is decided anew.
    """

    targets: tuple[str, ...]
    column_types: Mapping[str, Said]
    task: str | None
    class_names: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None
    learnt: Encoding | None = None
    names: str | None = None

    @staticmethod
    def names_of(target: str | Sequence[str] | None) -> tuple[str, ...]:
        """The targets that are said, one or several.

        Raises:
            SettingError: They are no names.
        """
        if target is None:
            return ()
        is_one = isinstance(target, str) or not isinstance(target, Iterable)
        named: tuple[Any, ...] = (target,) if is_one else tuple(target)
        if not all(isinstance(one, str) for one in named):
            raise SettingError(
                f"The target is {target!r}.",
                "the name of a column, or a list of names",
                "Name the columns that are to be learnt.",
            )
        return named

    @property
    def has_names(self) -> bool | None:
        """Whether the first line of a text file names the columns; None to see it."""
        return None if self.names is None else self.names == "yes"

    @property
    def known(self) -> tuple[str, ...]:
        """The columns that an earlier training used."""
        return () if self.learnt is None else tuple(one.name for one in self.learnt.columns)

    @property
    def given(self) -> dict[str, Any]:
        """What was said, as `load` takes it."""
        said = {
            "target": self.targets[0] if len(self.targets) == 1 else list(self.targets),
            "column_types": dict(self.column_types),
            "task": self.task,
            "group": self.group,
            "time": self.time,
            "names": self.names,
        }
        return {name: value for name, value in said.items() if value}

    def refuse(self, name: str) -> None:
        """Check that nothing is said of a table where there is none.

        Raises:
            SettingError: Something is.
        """
        self.refuse_splitting(f"{name} is no table")
        self.refuse_names(f"{name} is no table")
        if self.targets or self.column_types or self.task:
            raise SettingError(
                f"A target or column types were given, and {name} is no table.",
                "a table (.csv, .tsv, .parquet or .arrow)",
                "Leave them out.",
            )

    def refuse_columns(self, name: str) -> None:
        """Check that no column is named where there are arrays.

        Raises:
            SettingError: One is.
        """
        self.refuse_splitting(f"{name} holds arrays")
        self.refuse_names(f"{name} holds arrays")
        if self.targets or self.column_types:
            raise SettingError(
                f"A target or column types were given, and {name} holds arrays.",
                "a table (.csv, .tsv, .parquet or .arrow)",
                "Leave them out; --task says whether classes or numbers are learnt.",
            )

    def refuse_names(self, why: str) -> None:
        """Check that nothing is said of a line of names where there can be none.

        Raises:
            SettingError: It is.
        """
        if self.names is not None:
            raise SettingError(
                f"names={self.names} says whether the first line names the columns, and {why}.",
                "a text file (.csv, .tsv, .txt, .data)",
                "Leave it out.",
            )

    def refuse_splitting(self, why: str) -> None:
        """Check that no column decides the split where none can.

        Args:
            why: What the data is instead, such as "digits is no table".

        Raises:
            SettingError: One does.
        """
        named = next((one for one in ("group", "time") if getattr(self, one)), None)
        if named:
            raise SettingError(
                f"The column {getattr(self, named)!r} was named with {named}, and {why}.",
                "a table (.csv, .tsv, .parquet or .arrow)",
                "Leave it out; the folders of a data set say how it is split, if it has a train "
                "and a test folder.",
            )
