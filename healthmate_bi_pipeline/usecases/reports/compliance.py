"""What the report on compliance is made from: the books of rows, the audit log, reports, and what is overdue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.datasets import PARTITIONED_DATASETS
from healthmate_bi_pipeline.catalog.reports import COMPLIANCE
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.compliance.inputs import (
    Actions,
    ComplianceInputs,
    DatasetBooks,
    Overdue,
    ReportsWritten,
)
from healthmate_bi_pipeline.reporting.compliance.report import compliance
from healthmate_bi_pipeline.reporting.inputs import DatasetQuality
from healthmate_bi_pipeline.reporting.operational.evidence import REGULAR_SHARE
from healthmate_bi_pipeline.usecases.keeping import left_out
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.deletions import gather_retention
from healthmate_bi_pipeline.usecases.reports.pipeline_books import (
    counted_until,
    in_parts,
    part_versions,
    raw_assets,
    reference_of,
    span_of,
    watched_assets,
)
from healthmate_bi_pipeline.usecases.reports.recipe import Reach, Reading, ReportRecipe
from healthmate_bi_pipeline.usecases.reports.rows import common_inputs
from healthmate_bi_pipeline.usecases.reports.scope import Subject
from healthmate_bi_pipeline.warehouse import books, pipeline_queries
from healthmate_bi_pipeline.warehouse.pipeline_queries import DayRows

_WEEKS_BEFORE = timedelta(days=28)
_ITSELF = (COMPLIANCE.name,)
"""Left out of the reports that are counted: each would change the next."""


def gather_compliance(pipeline: Pipeline, subject: Subject) -> ComplianceInputs | None:
    """What the report is made from, or ``None`` when no row was ever read of days up to its end."""
    window = subject.window
    until = counted_until(pipeline, window)
    with pipeline.warehouse.transaction() as connection:
        last = pipeline_queries.last_days(connection, until=window.last_day)
        if not last:
            return None
        common = common_inputs(
            pipeline, connection, subject, datasets=PARTITIONED_DATASETS, rests_on=raw_assets()
        )
        days = pipeline_queries.day_rows(connection, window, delay=pipeline.settings.period.delay)
        overdue, due = find_overdue(pipeline, connection, window)
        return ComplianceInputs(
            **common,
            counted_until=until,
            books=_books(pipeline, connection, window, quality=common["quality"], days=days),
            retention=gather_retention(
                pipeline, connection, window, until=until, reference=reference_of(pipeline, window)
            ),
            overdue=overdue,
            partitions_due=due,
            actions=[
                Actions(one.action, one.outcome, one.entries, one.actors, one.rows)
                for one in pipeline_queries.actions(connection, window, until=until)
            ],
            reports=[
                ReportsWritten(
                    one.report_type,
                    one.cadence,
                    one.reports,
                    one.versions,
                    one.withheld,
                    one.reports_with_withheld,
                )
                for one in pipeline_queries.report_counts(connection, window, until=until, without=_ITSELF)
            ],
        )


def _books(
    pipeline: Pipeline,
    connection: Connection,
    window: Window,
    *,
    quality: Sequence[DatasetQuality],
    days: Sequence[DayRows],
) -> list[DatasetBooks]:
    """The accounts of the datasets with rows in the period."""
    made = pipeline_queries.partition_days(connection, raw_assets(), window)
    before = Window(window.start - _WEEKS_BEFORE, window.start)
    made_before = pipeline_queries.partition_days(connection, raw_assets(), before)
    unaccounted = pipeline_queries.rows_unaccounted(connection, raw_assets(), window)
    of_files: dict[str, set[date]] = defaultdict(set)
    for day in days:
        of_files[day.dataset].add(day.day)
    passed = max(0, (reference_of(pipeline, window) - window.start).days)
    by_name = {one.dataset: one for one in quality}
    found = []
    for dataset in PARTITIONED_DATASETS:
        own = by_name[dataset.name]
        held = made.get(f"raw/{dataset.name}", {})
        with_rows = of_files[dataset.name] | {day for day, rows in held.items() if rows}
        if not with_rows:
            continue
        totals = books.file_totals(connection, dataset.name, window=window)
        found.append(
            DatasetBooks(
                is_about_people=dataset.has_people,
                quality=own,
                lines=totals.lines,
                rows=totals.rows,
                staged_of_files=totals.staged,
                days=len(with_rows),
                days_expected=max(passed, len(with_rows)),
                is_daily=_is_daily(made_before.get(f"raw/{dataset.name}", {}), before),
                rows_unaccounted=unaccounted.get(f"raw/{dataset.name}", 0),
                days_unmade=len(of_files[dataset.name] - set(held)),
            )
        )
    return found


def _is_daily(per_day: Mapping[date, int], window: Window) -> bool:
    """Whether a dataset had rows on nearly all of some days."""
    return sum(rows > 0 for rows in per_day.values()) >= REGULAR_SHARE * window.days


def find_overdue(pipeline: Pipeline, connection: Connection, window: Window) -> tuple[list[Overdue], int]:
    """Partitions of complete periods inside a window that are missing or stale, and how many are due."""
    # The graph is made from the recipes, of which this is one.
    from healthmate_bi_pipeline.usecases.graph import ASSETS  # noqa: PLC0415
    from healthmate_bi_pipeline.usecases.staleness import known_window  # noqa: PLC0415

    found, due = [], 0
    reach = window.intersection(known_window(pipeline))
    if reach is None:
        return [], 0
    for asset in ASSETS:
        if (
            asset.group == "reports"
            or asset.partitioned_by is None
            or asset.inputs is None
            or asset.is_frozen
        ):
            continue
        covering = asset.partitioned_by.covering(reach)
        records = books.partition_records(connection, asset.name, window=covering)
        missing, stale = [], []
        expected = asset.inputs(pipeline, connection, covering)
        left = left_out(pipeline, asset, expected, is_told=False)
        for day, version in sorted(expected.items()):
            if day in left or not _is_due(pipeline, asset.partitioned_by, day, window):
                continue
            due += 1
            if day not in records:
                missing.append(day)
            elif records[day].input_version != version:
                stale.append(day)
        if missing or stale:
            found.append(Overdue(asset.name, tuple(missing), tuple(stale)))
    return found, due


def _is_due(pipeline: Pipeline, period: Period, day: date, window: Window) -> bool:
    part = period.window(datetime.combine(day, datetime.min.time()))
    return part.start >= window.start and part.end <= window.end and pipeline.is_complete(part.end)


def _reads(period: Period) -> tuple[Reading, ...]:
    del period  # the same for all
    return tuple(Reading(asset, Reach.INSIDE) for asset in raw_assets())


def _beside(
    pipeline: Pipeline, connection: Connection, period: Period, parts: Sequence[Window]
) -> dict[date, int]:
    """What the books say of each period's days, the audit log, and the reports on periods inside it."""
    span = span_of(parts)
    until = counted_until(pipeline, parts[-1])
    of_books = pipeline_queries.book_digests(connection, span, watched_assets(), with_runs=False)
    of_log = pipeline_queries.action_digests(
        connection, Window(span.start, max(span.start, min(span.end, until)))
    )
    written: Mapping[date, list[str]] = defaultdict(list)
    for start, end, digest in pipeline_queries.report_digests(
        connection, span, until=pipeline.utc_now, without=_ITSELF
    ):
        part = period.window(start)
        # A report that was written just now is counted; of a period that runs only yesterday's are.
        if end <= part.end and pipeline.is_complete(part.end):
            written[part.first_day].append(digest)
    return part_versions(parts, in_parts(of_books, parts), in_parts(of_log, parts), written)


COMPLIANCE_RECIPE = ReportRecipe(
    report_type=COMPLIANCE,
    exists_with=lambda _period: raw_assets(),
    reads=_reads,
    gather=gather_compliance,
    build=lambda inputs, stamp: compliance(inputs, stamp=stamp),
    reads_reports=True,
    has_empty_periods=True,
    beside=_beside,
)
