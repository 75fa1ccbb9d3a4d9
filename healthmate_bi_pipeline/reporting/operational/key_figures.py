"""Key figures of the reports on the pipeline itself: they come from its books, and are about no people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from healthmate_bi_pipeline.catalog.operations import COMPLIANCE_FIGURES, OPERATIONAL_FIGURES
from healthmate_bi_pipeline.reporting.blocks import Absence, Comparison, KeyFigure, Number
from healthmate_bi_pipeline.reporting.styles import style_of

_UNITS = {figure.name: figure.unit or "" for figure in (*OPERATIONAL_FIGURES, *COMPLIANCE_FIGURES)}
_MISSING = {Absence.NO_DATA: "No data in this period.", Absence.SUPPRESSED: "Not shown: too few rows."}


def book_figure(
    name: str, value: Number, *, basis: str = "", note: str = "", comparison: Comparison | None = None
) -> KeyFigure:
    """A figure of the books.

    Args:
        name: in the registry.
        value: what it is, or why it is not there.
        basis: what it rests on.
        note: why it is not there, where something better can be said than that there are no data.
        comparison: against the period before.
    """
    return KeyFigure(
        figure=name,
        label=style_of(name).label,
        unit=_UNITS[name],
        value=value,
        people=None,
        comparison=comparison,
        note=(note or _MISSING[value]) if isinstance(value, Absence) else "",
        basis=basis,
    )


def with_a_value(metrics: Mapping[str, KeyFigure], names: Iterable[str]) -> tuple[str, ...]:
    """Those of some figures that have a value: what the first screen shows."""
    return tuple(name for name in names if not isinstance(metrics[name].value, Absence))
