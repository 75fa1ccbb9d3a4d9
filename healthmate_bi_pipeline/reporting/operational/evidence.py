"""What insights on operations rest on: volumes over time, and what did not come or was not done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from healthmate_bi_pipeline.catalog.operations import FRESH_HOURS
from healthmate_bi_pipeline.catalog.rules import MOST_VIOLATIONS
from healthmate_bi_pipeline.reporting.blocks import Absence, Number
from healthmate_bi_pipeline.reporting.evidence import Evidence, Fact, Sample, Tracked
from healthmate_bi_pipeline.reporting.operational.inputs import OperationalInputs
from healthmate_bi_pipeline.reporting.operational.shown import ShownDataset, share_of
from healthmate_bi_pipeline.reporting.standard_sections import dataset_label
from healthmate_bi_pipeline.reporting.suppression import ShownQuality
from healthmate_bi_pipeline.reporting.wording import (
    HARD_SPACE,
    count_text,
    mid_sentence,
    number_text,
    period_text,
    short_day_text,
    value_with_unit,
)

REGULAR_SHARE = 0.8
"""A dataset is regular when it had rows on so many of the days of the chart before the period."""
FULL_DISK = 90.0
MOST_FAILED_RUNS = 0.05
_NAMED_DAYS = 4


def evidence(
    inputs: OperationalInputs, *, datasets: Sequence[ShownDataset], qualities: Sequence[ShownQuality]
) -> Evidence:
    """Everything that is watched, and what happened."""
    return Evidence(
        tracked=tuple(_tracked(inputs, datasets)),
        facts=(
            *_missing_partitions(inputs),
            *_missing_days(inputs, datasets),
            *_stale_datasets(inputs, datasets),
            *_failed_runs(inputs),
            *_late_rows(datasets),
            *_rows_set_aside(qualities),
            *_full_disks(inputs),
        ),
    )


def _tracked(inputs: OperationalInputs, datasets: Sequence[ShownDataset]) -> Iterator[Tracked]:
    if inputs.evidence_window is None:
        return
    windows = list(inputs.evidence_period.windows(inputs.evidence_window))
    for one in datasets:
        started = min((start for start, rows in one.evidence.items() if rows != 0), default=None)
        if started is None:
            continue
        previous = None
        if inputs.previous_window is not None:
            previous = Sample(inputs.previous_window, _number(one.previous_rows))
        yield Tracked(
            figure="rows_staged",
            period=inputs.evidence_period,
            history=tuple(Sample(window, _volume(one, window.start, started=started)) for window in windows),
            current=Sample(inputs.window, _number(one.rows)),
            previous=previous,
            previous_name=mid_sentence(period_text(inputs.cadence, previous.window)) if previous else "",
            subject=dataset_label(one.state.dataset),
        )


def _volume(one: ShownDataset, start: datetime, *, started: datetime) -> Number:
    """Rows of a short period: none before the first row ever; a period without any in between has 0."""
    return Absence.NO_DATA if start < started else _number(one.evidence.get(start, 0))


def _number(count: int | Absence) -> Number:
    return count if isinstance(count, Absence) else float(count)


def is_regular(inputs: OperationalInputs, one: ShownDataset) -> bool:
    """Whether a dataset has rows nearly every day, so that a day without is worth telling."""
    if inputs.trend_window is None:
        return False
    before = [day for day in inputs.trend_window.each_day() if day < inputs.window.first_day]
    days = before or list(inputs.trend_window.each_day())
    return sum(one.volumes.get(day, 0) != 0 for day in days) >= REGULAR_SHARE * len(days)


def days_without_rows(inputs: OperationalInputs, one: ShownDataset) -> list[date]:
    """Days of the period that have passed, without a row of a regular dataset."""
    if not is_regular(inputs, one):
        return []
    last = (inputs.reference - timedelta(microseconds=1)).date()
    passed = [day for day in inputs.window.each_day() if day <= last]
    if inputs.reference < inputs.window.end:
        passed = passed[:-1]  # the day that goes on may still get its rows
    return [day for day in passed if one.volumes.get(day, 0) == 0]


def age_hours(inputs: OperationalInputs, one: ShownDataset) -> float | None:
    """Hours from the newest row to the period's end; by its day where the period has no row."""
    if one.state.newest is not None:
        newest = one.state.newest
    elif one.state.last_day is not None:
        newest = datetime.combine(one.state.last_day, datetime.min.time()) + timedelta(days=1)
    else:
        return None
    return max(0.0, (inputs.reference - newest).total_seconds() / 3600)


def _missing_partitions(inputs: OperationalInputs) -> Iterator[Fact]:
    missing = [one for one in inputs.partitions if one.missing]
    if not missing:
        return
    count = sum(len(one.missing) for one in missing)
    expected = sum(one.expected for one in inputs.partitions)
    listed = ", ".join(
        f"{one.asset} ({len(one.missing)}, first {one.missing[0].isoformat()})"
        for one in missing[:_NAMED_DAYS]
    )
    more = f" and {len(missing) - _NAMED_DAYS} more assets" if len(missing) > _NAMED_DAYS else ""
    yield Fact(
        rule="overdue",
        figures=("partitions_present",),
        text=(
            f"{count_text(count)} of {count_text(expected)} partitions were not made although there are rows for them:"
            f" {listed}{more}."
        ),
        estimate=1 - count / expected,
        effect=1 + 10 * count / expected,
    )


def _missing_days(inputs: OperationalInputs, datasets: Sequence[ShownDataset]) -> Iterator[Fact]:
    for one in datasets:
        days = days_without_rows(inputs, one)
        if not days:
            continue
        named = ", ".join(
            short_day_text(datetime.combine(day, datetime.min.time())) for day in days[:_NAMED_DAYS]
        )
        more = f" and {len(days) - _NAMED_DAYS} more" if len(days) > _NAMED_DAYS else ""
        yield Fact(
            rule="missing_partitions",
            figures=("rows_staged",),
            subject=dataset_label(one.state.dataset),
            text=(
                f"{dataset_label(one.state.dataset)}: no rows on {len(days)} of {inputs.window.days} days ({named}{more}),"
                " and there are some nearly every day."
            ),
            estimate=float(len(days)),
            effect=1 + len(days),
        )  # fmt: skip


def _stale_datasets(inputs: OperationalInputs, datasets: Sequence[ShownDataset]) -> Iterator[Fact]:
    for one in datasets:
        age = age_hours(inputs, one)
        if age is not None and age > FRESH_HOURS and is_regular(inputs, one):
            yield Fact(
                rule="late_data",
                figures=("freshness_hours",),
                subject=dataset_label(one.state.dataset),
                text=(
                    f"{dataset_label(one.state.dataset)} stopped coming: its newest row is"
                    f" {value_with_unit('freshness_hours', age)} older than the end of the period."
                ),
                estimate=age,
                effect=age / FRESH_HOURS,
            )


def _failed_runs(inputs: OperationalInputs) -> Iterator[Fact]:
    ended, failed = sum(one.ended for one in inputs.runs), sum(one.failed for one in inputs.runs)
    if not failed:
        return
    worst = max(inputs.runs, key=lambda one: (one.failed, one.group))
    yield Fact(
        rule="runs_failed",
        figures=("run_success_rate",),
        text=(
            f"{count_text(failed)} of {count_text(ended)} runs did not succeed, most of them of {worst.group}"
            f" ({count_text(worst.failed)})."
        ),
        estimate=1 - failed / ended,
        effect=failed / ended / MOST_FAILED_RUNS,
    )


def _late_rows(datasets: Sequence[ShownDataset]) -> Iterator[Fact]:
    for one in datasets:
        share = share_of(one.late_rows, one.judged_rows)
        if not isinstance(share, Absence) and share > MOST_VIOLATIONS:
            yield Fact(
                rule="late_data",
                figures=("late_rows",),
                subject=dataset_label(one.state.dataset),
                text=(
                    f"{dataset_label(one.state.dataset)}: {value_with_unit('late_rows', share)} of the rows were read after"
                    " their day had closed; reports on it had to be made again."
                ),
                estimate=share,
                effect=share / MOST_VIOLATIONS,
            )  # fmt: skip


def _rows_set_aside(qualities: Sequence[ShownQuality]) -> Iterator[Fact]:
    for one in qualities:
        share = share_of(one.quarantined, one.staged)
        if isinstance(share, Absence) or share <= MOST_VIOLATIONS:
            continue
        rules = [(count, rule) for rule, count in one.by_rule or () if not isinstance(count, Absence)]
        worst = f", most by the rule {max(rules)[1]}" if rules else ""
        yield Fact(
            rule="rows_set_aside",
            figures=("quarantine_share",),
            subject=dataset_label(one.dataset),
            text=f"{dataset_label(one.dataset)}: {value_with_unit('quarantine_share', share)} of the rows were set aside{worst}.",
            estimate=share,
            effect=share / MOST_VIOLATIONS,
        )  # fmt: skip


def _full_disks(inputs: OperationalInputs) -> Iterator[Fact]:
    for one in inputs.disks:
        if one.highest >= FULL_DISK:
            yield Fact(
                rule="disk_low",
                figures=("disk_percent_max",),
                subject=one.machine,
                text=f"The disk of {one.machine} was {number_text(one.highest, decimals=0)}{HARD_SPACE}% full.",
                estimate=one.highest,
                effect=one.highest / FULL_DISK,
            )
