"""What a figure is: a column of a period table with its meaning, and the statistics that finish merged state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from healthmate_bi_pipeline.catalog.columns import Column
from healthmate_bi_pipeline.domain.period import Period


class Statistic(StrEnum):
    """How merged state becomes a figure. ``n``, ``total`` … are components of the state."""

    MEAN = "mean"  # total / n
    MINIMUM = "minimum"  # low
    MAXIMUM = "maximum"  # high
    DEVIATION = "deviation"  # sample standard deviation, null below two values
    TOTAL = "total"  # total
    PER_DAY = "per day"  # total / days with data
    COUNT = "count"  # n
    DAYS = "days"  # days with data
    CHANGE = "change"  # last value - first value, null below two values


@dataclass(frozen=True)
class Figure(Column):
    """A column of a period table that holds a figure.

    Attributes:
        measure: the measure of the state that it is made from.
        statistic: how it is finished.
        divisor: what the finished value is divided by, to change the unit.
        shortest: the shortest period that it is given for.
        is_trend: computed in the view, as this period minus the one before.
        is_looked_up: computed in the view, from what is known of the person's whole history.
        source: the published rule, or ``own``.
        version: raised when the meaning changes.
        bands: lower bounds (inclusive) of the bands that reports show people's figures in.
    """

    measure: str | None = None
    statistic: Statistic | None = None
    divisor: float = 1.0
    shortest: Period = Period.HOURLY
    is_trend: bool = False
    is_looked_up: bool = False
    source: str = "own"
    version: int = 1
    bands: tuple[float, ...] = ()

    @property
    def is_in_view_only(self) -> bool:
        """Whether the view computes it, and the table has no such column."""
        return self.is_trend or self.is_looked_up


@dataclass(frozen=True)
class GroupOnlyFigure(Figure):
    """A figure that only groups have: what their people are averaged or counted by, and no column of a person's row.

    Attributes:
        is_share_of_people: one person's is 1 or 0, so that the mean is a share of people, and shown as counts are.
    """

    is_share_of_people: bool = False
