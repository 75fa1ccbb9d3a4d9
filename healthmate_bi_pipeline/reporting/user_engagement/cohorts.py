"""Who stays, by when they came: cohorts as a heat map."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from healthmate_bi_pipeline.domain.period import Period, midnight
from healthmate_bi_pipeline.reporting.blocks import Absence, Block, HeatMap, KeyFigure, KeyFigures
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.evidence import Tracked
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.suppressed_parts import show_share
from healthmate_bi_pipeline.reporting.suppression import show_count
from healthmate_bi_pipeline.reporting.tracked_figures import history_chart
from healthmate_bi_pipeline.reporting.user_engagement.inputs import (
    CohortCell,
    UserEngagementInputs,
)
from healthmate_bi_pipeline.reporting.user_engagement.sections import has_gap, withheld_note
from healthmate_bi_pipeline.reporting.wording import (
    MONTHS,
    NOUNS,
    count_text,
    share_text,
    short_day_text,
)


def retention_section(
    inputs: UserEngagementInputs, *, metrics: Mapping[str, KeyFigure], tracked: Mapping[str, Tracked]
) -> Section | None:
    """Who stays, by the interval in which they came."""
    blocks: list[Block] = []
    if not isinstance(metrics["retention"].value, Absence):
        blocks.append(KeyFigures((metrics["retention"],)))
    heat = cohort_map(inputs)
    if heat is not None:
        blocks.append(heat)
    line = history_chart(
        [tracked["retention"]],
        chart_id="trend-retention",
        title=f"{metrics['retention'].label}, of those who came the {NOUNS[inputs.period]} before",
        window=inputs.window,
        minimum=inputs.settings.minimum_people,
        least_points=6,
    )
    if line is not None:
        blocks.append(line)
    return Section("retention", "Retention by cohort", blocks=tuple(blocks)) if blocks else None


def cohort_map(inputs: UserEngagementInputs) -> HeatMap | None:
    """Cohorts from top to bottom, intervals since they came from left to right.

    A cell is told by its own people and by those of the cohort who are not in it: neither may be few.
    """
    by_start: dict[date, dict[int, CohortCell]] = {}
    for cell in inputs.cohorts:
        by_start.setdefault(cell.start, {})[cell.number] = cell
    most = max((cell.number for cell in inputs.cohorts), default=0)
    if not most:
        return None
    noun = NOUNS[inputs.cohort_interval]
    labels, rows = [], []
    for start, cells in sorted(by_start.items()):
        if not max(cells):
            continue
        size = show_count(cells[0].people, settings=inputs.settings)
        moment = midnight(start)
        name = (
            f"{MONTHS[start.month - 1][:3]} {start.year}"
            if inputs.cohort_interval is Period.MONTHLY
            else short_day_text(moment)
        )
        labels.append(f"{name} ({'few' if isinstance(size, Absence) else count_text(size)})")
        rows.append(
            tuple(
                show_share(cells[number].active, cells[number].people, settings=inputs.settings)
                if number in cells
                else Absence.NO_DATA
                for number in range(1, most + 1)
            )
        )
    if not rows:
        return None
    known = [number for row in rows for number in row if not isinstance(number, Absence)]
    spread = (
        f" From {share_text(min(known))} to {share_text(max(known))}." if known else " No cell can be shown."
    )
    return HeatMap(
        chart_id="cohorts",
        title=f"Share of each cohort that was active so many {noun}s after it came",
        description=f"Retention of people by the {noun} in which they first were active.{spread}",
        figure="retention",
        unit=style_of("retention").unit,
        row_title=f"{noun.capitalize()} of first activity (people)",
        column_title=f"{noun.capitalize()}s since then",
        rows=tuple(labels),
        columns=tuple(str(number) for number in range(1, most + 1)),
        cells=tuple(rows),
        note=_note(inputs, is_withheld=has_gap([number for row in rows for number in row]), starts=by_start),
    )


def _note(inputs: UserEngagementInputs, *, is_withheld: bool, starts: Collection[date]) -> str:
    notes = []
    first = inputs.first_day
    if first is not None and inputs.cohort_interval.floor(midnight(first)).date() in starts:
        notes.append(
            "The first cohort holds everybody who was there when the data begin, not only who came then."
        )
    if is_withheld:
        notes.append(withheld_note(inputs.settings.minimum_people, "cells"))
    return " ".join(notes)
