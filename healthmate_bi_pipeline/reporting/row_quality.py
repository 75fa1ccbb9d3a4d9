"""What reports say about the rows behind them, beside the tables of ``standard_sections``."""

from __future__ import annotations

from collections.abc import Mapping

from healthmate_bi_pipeline.reporting.confidence import Portion
from healthmate_bi_pipeline.reporting.inputs import Arrivals, ReportInputs
from healthmate_bi_pipeline.reporting.suppression import show_count

ABOUT_PEOPLE = "datasets about people"
"""In reports that count rows about services too; those are shown as they are."""


def rows_note(inputs: ReportInputs, *, about: str = "") -> str:
    """How counts of rows are shown.

    Args:
        inputs: with the settings.
        about: which counts it holds for, where not for all, as ``ABOUT_PEOPLE``.
    """
    settings = inputs.settings
    if settings.audience == "personal":
        return ""
    rounded = f", others rounded to {settings.round_people_to}" if settings.round_people_to > 1 else ""
    counts = f"Of {about}, counts" if about else "Counts"
    return f"{counts} below {settings.minimum_people} are not shown{rounded}: a row is about somebody."


def validity(inputs: ReportInputs) -> Portion:
    """The rows that were kept, of those that were kept or set aside."""
    kept = sum(one.kept for one in inputs.quality)
    judged = kept + sum(one.quarantined for one in inputs.quality)
    return Portion(
        "validity",
        show_count(kept, settings=inputs.settings),
        show_count(judged, settings=inputs.settings),
        "rows that broke no rule",
    )


def timeliness(arrivals: Mapping[str, Arrivals]) -> Portion:
    """The days whose data came in time, of all datasets; of days that were loaded when they were over none is judged."""
    judged = sum(one.days for one in arrivals.values())
    meaning = "days whose data came before they closed"
    if not judged:
        return Portion("timeliness", 0, 0, f"{meaning}: it was loaded when they were over")
    return Portion("timeliness", sum(one.in_time for one in arrivals.values()), judged, meaning)
