"""How one figure is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """How a figure is written.

    Attributes:
        label: its name.
        unit: as it stands behind a number.
        decimals: digits behind the point. At most one where people's figures may be whole numbers: with more
            of them, the mean of n people gives away n, which is rounded on purpose.
        short: its name beside a line of a chart.
        scale: what the registry's value is multiplied by.
        least_span: the shortest axis, so that noise does not look like a change.
        change_unit: unit of a difference, where it is another.
    """

    label: str
    unit: str
    decimals: int
    short: str
    least_span: float
    scale: float = 1.0
    change_unit: str | None = None

    @property
    def digits(self) -> int:
        """Digits behind the point of the registry's value."""
        return self.decimals + (2 if self.scale == 100 else 0)
