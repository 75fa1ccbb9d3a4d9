"""What the report on operations is made from: files, partitions and runs, as the books have them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.datasets import PARTITIONED_DATASETS
from healthmate_bi_pipeline.catalog.families import PERFORMANCE, figures_name
from healthmate_bi_pipeline.catalog.performance import ALL
from healthmate_bi_pipeline.catalog.reports import OPERATIONAL
from healthmate_bi_pipeline.domain.control_charts import TRIAL_BELOW
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.reporting.operational.inputs import (
    DatasetState,
    DiskUse,
    FailedRun,
    GroupRuns,
    OperationalInputs,
)
from healthmate_bi_pipeline.reporting.operational.report import operational
from healthmate_bi_pipeline.reporting.operational.sections import LONGEST_DAILY
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.pipeline_books import (
    counted_until,
    find_partitions,
    in_parts,
    part_versions,
    raw_assets,
    reference_of,
    span_of,
    watched_assets,
)
from healthmate_bi_pipeline.usecases.reports.recipe import Reach, Reading, ReportRecipe
from healthmate_bi_pipeline.usecases.reports.rows import common_inputs, newest_instant
from healthmate_bi_pipeline.usecases.reports.scope import (
    LONGEST_LOOK_BACK_DAYS,
    Subject,
    evidence_of,
    previous_window,
    recent_days,
    trend_of,
)
from healthmate_bi_pipeline.usecases.reports.timeliness import by_dataset, closing_of, timeliness_of
from healthmate_bi_pipeline.warehouse import books, performance_queries, pipeline_queries, runs
from healthmate_bi_pipeline.warehouse.pipeline_queries import DayRows, RunCount

MOST_FAILED_RUNS = 20
_OF_DISKS = ("disk_percent_mean", "disk_percent_max")


def gather_operational(pipeline: Pipeline, subject: Subject) -> OperationalInputs | None:
    """What the report is made from, or ``None`` when no row was ever read of days up to its end."""
    window = subject.window
    until = counted_until(pipeline, window)
    with pipeline.warehouse.transaction() as connection:
        last = pipeline_queries.last_days(connection, until=window.last_day)
        if not last:
            return None
        closing = closing_of(pipeline, connection)
        days = pipeline_queries.day_rows(connection, window, delay=closing.delay)
        before = previous_window(subject.period, window)
        _, trend_window = trend_of(window)
        chart_window = trend_window if trend_window.days <= LONGEST_DAILY else window
        reach = Window(
            min(before.start, evidence_of(subject.period, window)[1].start, chart_window.start), window.end
        )
        per_day = _rows_per_day(connection, reach, days)
        evidence_period, evidence_window = _evidence_of(subject, per_day)
        previous = {name: _sum(found, before) for name, found in per_day.items()}
        begun = pipeline_queries.runs_begun(connection, window, until=until)
        failed = pipeline_queries.failed_runs(connection, window, until=until, limit=MOST_FAILED_RUNS)
        return OperationalInputs(
            **common_inputs(
                pipeline, connection, subject, datasets=PARTITIONED_DATASETS, rests_on=raw_assets()
            ),
            reference=reference_of(pipeline, window),
            began=closing.since,
            runs_until=until,
            datasets=_datasets(pipeline, connection, window, days=days, last=last, per_day=per_day),
            partitions=find_partitions(connection, window, days, until=until),
            runs=_runs(begun),
            makers=_runs(pipeline_queries.runs_of_partitions(connection, window)),
            failed=[
                FailedRun(
                    one.started_at,
                    one.ended_at,
                    one.outcome,
                    ", ".join(one.assets),
                    one.window or "all that was stale",
                )
                for one in failed
            ],
            previous_window=before if any(previous.values()) else None,
            previous_rows=previous,
            volumes={name: _within(found, chart_window) for name, found in per_day.items()},
            trend_window=chart_window,
            evidence_period=evidence_period,
            evidence_window=evidence_window,
            evidence={
                name: _per_period(found, evidence_period, evidence_window) for name, found in per_day.items()
            },
            disks=_disks(connection, subject.period, window),
        )


def _rows_per_day(
    connection: Connection, window: Window, days: Sequence[DayRows]
) -> dict[str, dict[date, int]]:
    """Rows per dataset and day: of the day that they belong to, or were staged under where it is not made yet."""
    found = {
        asset.removeprefix("raw/"): dict(of)
        for asset, of in pipeline_queries.staged_per_day(connection, raw_assets(), window).items()
    }
    for day in days:
        found.setdefault(day.dataset, {}).setdefault(day.day, day.rows)
    return found


def _datasets(
    pipeline: Pipeline,
    connection: Connection,
    window: Window,
    *,
    days: Sequence[DayRows],
    last: Mapping[str, date],
    per_day: Mapping[str, Mapping[date, int]],
) -> list[DatasetState]:
    closing = closing_of(pipeline, connection)
    sizes = pipeline_queries.bytes_read(connection, window)
    of = by_dataset(days)
    passed = max(0, (reference_of(pipeline, window) - window.start).days)
    found = []
    for dataset in PARTITIONED_DATASETS:
        if dataset.name not in last:
            continue
        own = [rows for rows in _within(per_day.get(dataset.name, {}), window).values() if rows]
        timely = timeliness_of(of.get(dataset.name, []), closing)
        found.append(
            DatasetState(
                dataset=dataset.name,
                is_about_people=dataset.has_people,
                newest=newest_instant(pipeline, [dataset], window),
                last_day=last[dataset.name],
                rows=sum(own),
                days=len(own),
                days_expected=max(passed, len(own)),
                judged_days=timely.days,
                whole_days=timely.whole_days,
                judged_rows=timely.rows,
                late_rows=timely.late_rows,
                lines=books.file_totals(connection, dataset.name, window=window).lines,
                bytes=sizes.get(dataset.name, 0),
            )
        )
    return found


def _runs(counts: Sequence[RunCount]) -> list[GroupRuns]:
    """One row per group of assets; durations are those of the runs that succeeded."""
    found = []
    for group, of in sorted(pipeline_queries.by_group(counts).items()):
        well = next((one for one in of if one.outcome == runs.SUCCEEDED), None)
        found.append(
            GroupRuns(
                group=group,
                runs=sum(one.runs for one in of),
                succeeded=well.runs if well else 0,
                failed=sum(one.runs for one in of if one.outcome in {runs.FAILED, runs.ABANDONED}),
                running=sum(one.runs for one in of if one.outcome == runs.RUNNING),
                rows=sum(one.rows for one in of),
                seconds_p50=well.seconds_p50 if well else None,
                seconds_p95=well.seconds_p95 if well else None,
                seconds_max=well.seconds_max if well else None,
            )
        )
    return found


def _evidence_of(subject: Subject, per_day: Mapping[str, Mapping[date, int]]) -> tuple[Period, Window]:
    """What insights are looked for in: days, while there are too few of the longer periods for limits."""
    period, window = evidence_of(subject.period, subject.window)
    first = min((day for of in per_day.values() for day in of), default=subject.window.first_day)
    days = recent_days(subject.window)
    parts = [part for part in period.windows(window) if part.first_day >= first]
    if period is not Period.DAILY and len(parts) < TRIAL_BELOW and subject.window.days <= days.days:
        return Period.DAILY, days
    return period, window


def _sum(per_day: Mapping[date, int], window: Window) -> int:
    return sum(rows for day, rows in per_day.items() if window.first_day <= day <= window.last_day)


def _within(per_day: Mapping[date, int], window: Window) -> dict[date, int]:
    return {day: rows for day, rows in per_day.items() if window.first_day <= day <= window.last_day}


def _per_period(per_day: Mapping[date, int], period: Period, window: Window) -> dict[datetime, int]:
    found: dict[datetime, int] = defaultdict(int)
    for day, rows in _within(per_day, window).items():
        found[period.floor(midnight(day))] += rows
    return dict(found)


def _disks(connection: Connection, period: Period | None, window: Window) -> list[DiskUse]:
    """Mean and highest use of each disk; of a free range from its days: the mean of means of equal days."""
    of: dict[tuple[str, str], dict[str, list[tuple[float, int]]]] = defaultdict(lambda: defaultdict(list))
    rows = performance_queries.place_figures(
        connection, period=period or Period.DAILY, window=window, figures=_OF_DISKS
    )
    for row in rows:
        if row.instance_id != ALL:
            of[row.instance_id, row.environment][row.metric_name].append((row.metric_value, row.samples))
    return [
        DiskUse(
            f"{instance} ({environment})",
            mean=_weighted(found["disk_percent_mean"]),
            highest=max(value for value, _ in found["disk_percent_max"]),
        )
        for (instance, environment), found in sorted(of.items())
        if found["disk_percent_mean"] and found["disk_percent_max"]
    ]


def _weighted(parts: Sequence[tuple[float, int]]) -> float:
    """The mean over all samples from the means of parts: what merging their sums and counts gives."""
    return sum(value * samples for value, samples in parts) / sum(samples for _, samples in parts)


def _reads(period: Period) -> tuple[Reading, ...]:
    # What is read of raw days is how many rows they have: see _beside.
    return (
        *(Reading(asset, Reach.BESIDE) for asset in raw_assets()),
        Reading(figures_name(PERFORMANCE, period), Reach.OWN),
    )


def _beside(
    pipeline: Pipeline, connection: Connection, period: Period, parts: Sequence[Window]
) -> dict[date, int]:
    """What the books say: files, partitions and who made them, the runs that began, and rows of the days before."""
    span = span_of(parts)
    books_of = pipeline_queries.book_digests(connection, span, watched_assets(), with_runs=True)
    until = max(span.start, min(span.end, counted_until(pipeline, parts[-1])))
    begun = pipeline_queries.run_digests(connection, Window(span.start, until))
    since = closing_of(pipeline, connection).since
    return part_versions(
        parts,
        in_parts(books_of, parts),
        in_parts(begun, parts),
        _volume_versions(connection, period, parts),
        {part.first_day: [str(since)] for part in parts},
    )


def _volume_versions(
    connection: Connection, period: Period, parts: Sequence[Window]
) -> dict[date, list[str]]:
    """Per period the rows of the days that its charts and insights look back on."""
    span = span_of(parts).widened(days_before=LONGEST_LOOK_BACK_DAYS)
    rows: dict[date, list[str]] = defaultdict(list)
    for asset, per_day in pipeline_queries.staged_per_day(connection, raw_assets(), span).items():
        for day, count in per_day.items():
            rows[day].append(f"{asset}={count}")
    digests = {day: str(versions.hash64(*counts)) for day, counts in rows.items()}
    found = {}
    for part in parts:
        spans = (
            trend_of(part)[1], evidence_of(period, part)[1], recent_days(part), previous_window(period, part),
        )  # fmt: skip
        looked_at = Window(min(one.start for one in spans), part.end)
        found[part.first_day] = [digests[day] for day in looked_at.each_day() if day in digests]
    return found


OPERATIONAL_RECIPE = ReportRecipe(
    report_type=OPERATIONAL,
    exists_with=lambda _period: raw_assets(),
    reads=_reads,
    gather=gather_operational,
    build=lambda inputs, stamp: operational(inputs, stamp=stamp),
    has_empty_periods=True,
    beside=_beside,
)
