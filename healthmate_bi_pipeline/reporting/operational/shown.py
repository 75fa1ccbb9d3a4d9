"""The rows of datasets as a report on operations may show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from healthmate_bi_pipeline.domain.period import Period, midnight
from healthmate_bi_pipeline.reporting.blocks import Absence, Count, Number
from healthmate_bi_pipeline.reporting.inputs import DatasetQuality
from healthmate_bi_pipeline.reporting.operational.inputs import DatasetState, OperationalInputs
from healthmate_bi_pipeline.reporting.suppressed_parts import show_parts
from healthmate_bi_pipeline.reporting.suppression import (
    ShownQuality,
    exact_quality,
    show_count,
    show_quality,
)
from healthmate_bi_pipeline.settings import ReportSettings


@dataclass(frozen=True)
class ShownDataset:
    """How the rows of a dataset came, as an audience may see it; what is no count of rows is in ``state``."""

    state: DatasetState
    rows: Count
    lines: Count
    previous_rows: Count
    judged_rows: Count
    late_rows: Count
    volumes: Mapping[date, Count]
    evidence: Mapping[datetime, Count]


def show_rows(count: int, *, is_about_people: bool, settings: ReportSettings) -> Count:
    """A count of rows as it may be shown."""
    return show_count(count, settings=settings) if is_about_people else count


def show_datasets(inputs: OperationalInputs) -> tuple[ShownDataset, ...]:
    """All datasets."""
    return tuple(_show(inputs, state) for state in inputs.datasets)


def _show(inputs: OperationalInputs, state: DatasetState) -> ShownDataset:
    def shown(count: int) -> Count:
        return show_rows(count, is_about_people=state.is_about_people, settings=inputs.settings)

    return ShownDataset(
        state=state,
        rows=shown(state.rows),
        lines=shown(state.lines),
        previous_rows=shown(inputs.previous_rows.get(state.dataset, 0)),
        judged_rows=shown(state.judged_rows),
        late_rows=shown(state.late_rows),
        volumes=_volumes(inputs, state),
        evidence={start: shown(rows) for start, rows in inputs.evidence.get(state.dataset, {}).items()},
    )


def _volumes(inputs: OperationalInputs, state: DatasetState) -> dict[date, Count]:
    """Rows per day; the sum of the days of a period is shown too, in its own report or in this one."""
    volumes = inputs.volumes.get(state.dataset, {})
    if not state.is_about_people:
        return dict(volumes)
    parts: dict[datetime, list[date]] = {}
    for day in sorted(volumes):
        parts.setdefault(_whole_of(inputs, day), []).append(day)
    found: dict[date, Count] = {}
    for days in parts.values():
        counts = show_parts([volumes[day] for day in days], settings=inputs.settings)
        found |= dict(zip(days, counts, strict=True))
    return found


def _whole_of(inputs: OperationalInputs, day: date) -> datetime:
    if inputs.window.first_day <= day <= inputs.window.last_day:
        return inputs.window.start
    known = {period.value for period in Period}
    return Period(inputs.cadence).floor(midnight(day)) if inputs.cadence in known else datetime.min


def show_qualities(
    qualities: Sequence[DatasetQuality], people: Mapping[str, bool], *, settings: ReportSettings
) -> tuple[ShownQuality, ...]:
    """What became of the rows; those of machines are about nobody."""
    return tuple(
        show_quality(one, settings=settings) if people.get(one.dataset, True) else exact_quality(one)
        for one in qualities
    )


def known_sum(counts: Sequence[Count]) -> int:
    """The sum of the counts that are shown."""
    return sum(count for count in counts if not isinstance(count, Absence))


def share_of(part: Count, whole: Count) -> Number:
    """A share of two counts that are shown."""
    if isinstance(part, Absence) or isinstance(whole, Absence):
        return Absence.SUPPRESSED
    return min(part / whole, 1.0) if whole else Absence.NO_DATA
