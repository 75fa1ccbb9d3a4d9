"""What a column is: name, type, unit and meaning, declared once for every place that needs it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """The types of columns; each technique maps them to its own."""

    INTEGER = "integer"  # 64 bit
    NUMBER = "number"  # double precision
    EXACT = "exact"  # fixed point, 38 digits of which 6 are decimals: sums do not depend on their order
    TEXT = "text"
    TEXT_LIST = "text list"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"  # naive: the description says which clock
    INSTANT = "instant"  # with time zone, for stamps of the pipeline itself
    JSON = "json"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: as it is written in SQL.
        type: what it holds.
        description: one sentence; it becomes the comment in PostgreSQL and in the Dagster UI.
        unit: in UCUM spelling where there is one, else a word.
        is_nullable: whether it may be without a value.
    """

    name: str
    type: Type
    description: str
    unit: str | None = None
    is_nullable: bool = True

    @property
    def comment(self) -> str:
        """The description with the unit behind it."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description


class PrivacyClass(StrEnum):
    """Who could be recognised in a table (STANDARDS §5)."""

    IDENTIFIED = "identified"
    LIMITED = "limited"
    AGGREGATE = "aggregate"


@dataclass(frozen=True)
class Table:
    """A table: columns, the key they are unique by, and whom it speaks of.

    Attributes:
        partition_column: the column whose values PostgreSQL splits the table by, if any.
        partition_values: those values.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    privacy: PrivacyClass
    partition_column: str | None = None
    partition_values: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The column with this name.

        Raises:
            KeyError: there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return tuple(column.name for column in self.columns)
