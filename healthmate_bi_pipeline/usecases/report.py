"""Reports: figures of groups → a document → files, the index and the books.

A report whose content is the same as before keeps its file; a changed one becomes the next version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.datasets import Dataset
from healthmate_bi_pipeline.catalog.families import HEALTH
from healthmate_bi_pipeline.catalog.health import FIGURE_BY_NAME
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.catalog.reports import REPORT_TYPE_BY_NAME, ReportType
from healthmate_bi_pipeline.domain.period import Period, Window, is_complete, midnight
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.reporting import files
from healthmate_bi_pipeline.reporting.document import RANGE, Report, Stamp
from healthmate_bi_pipeline.reporting.health_summary import health_summary
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.index import IndexRecord, render_index
from healthmate_bi_pipeline.reporting.inputs import (
    DatasetQuality,
    GroupFigure,
    HealthSummaryInputs,
    TrendPoint,
)
from healthmate_bi_pipeline.reporting.json import content_sha256, render_json, report_document
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.health import range_figures
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline
from healthmate_bi_pipeline.usecases.report_scope import previous_window, trend_of
from healthmate_bi_pipeline.warehouse import books, queries, runs

PEOPLE = "people"
_ANY_TIME = Window.of_days(UNPARTITIONED, UNPARTITIONED)
_RENDERERS: tuple[tuple[Literal["html", "json"], Callable[[Report], str]], ...] = (
    ("html", render_html),
    ("json", render_json),
)
WHOLE_GROUP = queries.WHOLE_GROUP


@dataclass(frozen=True)
class _Subject:
    """What a report is about: its cadence and its window, and what it is compared with."""

    report_type: ReportType
    period: Period | None
    window: Window

    @property
    def cadence(self) -> str:
        return str(self.period) if self.period else RANGE


def build_reports(
    pipeline: Pipeline, window: Window | None, *, report_type: ReportType, period: Period
) -> Built:
    """Write the reports of the periods of a window that have data."""
    assert window is not None  # noqa: S101 - reports are partitioned
    asset = f"reports/{report_type.name}_{period}"
    rows: dict[date, int] = {}
    paths: list[str] = []
    parts = list(period.windows(window))
    with pipeline.recorded(asset, window) as tally, pipeline.warehouse.hold(asset, window):
        # Read before the figures are: what changes meanwhile makes the reports stale again.
        with pipeline.warehouse.transaction() as connection:
            inputs = versions.report_inputs(
                pipeline, connection, window, report_type=report_type, period=period
            )
        for place, part in enumerate(parts):
            written = _write(pipeline, _Subject(report_type, period, part), asset=asset)
            rows[part.first_day] = 1 if written else 0
            tally.rows += rows[part.first_day]
            paths += written
            pipeline.progress(asset, (place + 1) / len(parts))
        if paths:
            write_index(pipeline)
        # Booked last: what is killed before is tried again, finds its reports and lists them.
        _book(pipeline, asset, rows, inputs)
    return Built(rows, {"reports": sum(rows.values())}, (), tuple(paths))


def write_report(pipeline: Pipeline, report_type: ReportType, window: Window) -> Built:
    """Write one report over any days; days that are exactly a period make that period's report.

    Raises:
        UsageError: there are no data in these days.
    """
    period = next((period for period in report_type.cadences if period.window(window.start) == window), None)
    subject = _Subject(report_type, period, window)
    if _inputs(pipeline, subject) is None:
        raise UsageError(f"There are no data in {window}. `healthmate-bi status` shows which days have some.")
    if period is not None:
        return build_reports(pipeline, window, report_type=report_type, period=period)
    asset = f"reports/{report_type.name}_{RANGE}"
    with pipeline.recorded(asset, window) as tally, pipeline.warehouse.hold(asset, window):
        paths = _write(pipeline, subject, asset=asset)
        tally.rows = 1
        write_index(pipeline)
    return Built({window.first_day: 1}, {"reports": 1}, (), tuple(paths))


def _book(pipeline: Pipeline, asset: str, rows: Mapping[date, int], inputs: Mapping[date, int]) -> None:
    name = versions.report_books(asset, pipeline.settings.report.audience)
    records = [
        books.PartitionRecord(
            name, day, inputs.get(day, 0), inputs.get(day, 0), count, {}, pipeline.run_id, pipeline.now
        )
        for day, count in rows.items()
    ]
    with pipeline.warehouse.transaction() as connection:
        books.record_partitions(connection, records)


def write_index(pipeline: Pipeline) -> None:
    """Write ``index.html`` and ``index.json`` over all reports that may be listed."""
    with pipeline.warehouse.hold("reports/index", _ANY_TIME):  # an older list must not follow a newer one
        _write_index(pipeline)


def _write_index(pipeline: Pipeline) -> None:
    with pipeline.warehouse.transaction() as connection:
        listed = queries.list_reports(connection, audience="groups")
    delay = pipeline.settings.period.delay
    records = [
        IndexRecord(
            report_id=entry.report_id,
            report_type=entry.report_type,
            title=REPORT_TYPE_BY_NAME[entry.report_type].title,
            cadence=entry.cadence,
            window=Window(entry.period_start, entry.period_end),
            version=entry.version,
            audience="groups",
            is_complete=is_complete(
                end=entry.period_end,
                now=entry.generated_at.astimezone(UTC).replace(tzinfo=None),
                delay=delay,
            ),
            generated_at=entry.generated_at,
            html_path=entry.html_path,
            json_path=entry.json_path,
        )
        for entry in listed
        if entry.report_type in REPORT_TYPE_BY_NAME
    ]
    html, document = render_index(records)
    files.write_file(pipeline.settings.reports_path, "index.html", text=html)
    files.write_file(pipeline.settings.reports_path, "index.json", text=document)


def _write(pipeline: Pipeline, subject: _Subject, *, asset: str) -> list[str]:
    """Write a report unless there is nothing to say or it says what it said before; its paths."""
    inputs = _inputs(pipeline, subject)
    if inputs is None:
        return []
    stamp = Stamp(
        report_id=str(uuid4()), version=1, generated_at=pipeline.utc_now, generated_by=pipeline.actor
    )
    report = health_summary(inputs, stamp=stamp)
    content = content_sha256(report)
    audience = pipeline.settings.report.audience
    with pipeline.warehouse.transaction() as connection:
        known = queries.latest_report(
            connection, subject.report_type.name, subject.cadence, subject.window, audience
        )
    root = pipeline.settings.reports_path
    if known is not None and known.content_sha256 == content and _are_there(root, known):
        return [known.html_path, known.json_path]
    version = known.version + 1 if known is not None else 1
    report = replace(report, stamp=replace(stamp, version=version))
    html_path, json_path = _write_files(root, report)
    with pipeline.warehouse.transaction() as connection:
        queries.record_report(connection, _record(report, content, html_path, json_path))
        runs.record_action(
            connection,
            actor=pipeline.actor,
            action="report",
            object=asset,
            window=str(subject.window),
            rows=1,
            outcome="done",
            detail={"report_id": stamp.report_id, "content_sha256": content, "audience": audience},
            now=pipeline.now,
        )
    return [html_path, json_path]


def _are_there(root: Path, known: queries.ReportRecord) -> bool:
    return all((root / path).exists() for path in (known.html_path, known.json_path))


def _write_files(root: Path, report: Report) -> tuple[str, str]:
    paths = []
    for extension, render in _RENDERERS:
        path = files.report_path(
            report.report_type,
            cadence=report.cadence,
            window=report.window,
            version=report.stamp.version,
            extension=extension,
            audience=report.audience,
        )
        files.write_file(root, path, text=render(report))
        paths.append(str(path))
    html_path, json_path = paths
    return html_path, json_path


def _record(report: Report, content: str, html_path: str, json_path: str) -> queries.ReportRecord:
    document = report_document(report)
    return queries.ReportRecord(
        report_id=report.stamp.report_id,
        report_type=report.report_type,
        cadence=report.cadence,
        version=report.stamp.version,
        period_start=report.window.start,
        period_end=report.window.end,
        audience=report.audience,
        generated_at=report.stamp.generated_at,
        generated_by=report.stamp.generated_by,
        confidence_score=report.confidence_score,
        content_sha256=content,
        html_path=html_path,
        json_path=json_path,
        data_sources=document["data_sources"],
        summary=document["summary"],
        metrics=document["metrics"],
        insights=document["insights"],
        recommendations=document["recommendations"],
        input_versions=report.input_versions,
    )


def _inputs(pipeline: Pipeline, subject: _Subject) -> HealthSummaryInputs | None:
    """What the report is made from, or ``None`` when nobody has data in its days."""
    with pipeline.warehouse.transaction() as connection:
        current = _groups(pipeline, connection, subject.period, subject.window)
        if PEOPLE not in current:
            return None
        before = previous_window(subject.period, subject.window)
        previous = _groups(pipeline, connection, subject.period, before)
        trend_period, trend_window = trend_of(subject.window)
        trend = _trend(connection, trend_period, trend_window)
        quality = _quality(connection, subject.window)
        rests_on = versions.outputs(connection, "state/health_days", subject.window)
    return HealthSummaryInputs(
        report_type=subject.report_type,
        cadence=subject.cadence,
        window=subject.window,
        settings=pipeline.settings.report,
        as_of=_as_of(pipeline, subject.window),
        is_complete=is_complete(
            end=subject.window.end, now=pipeline.utc_now, delay=pipeline.settings.period.delay
        ),
        people=current[PEOPLE].people,
        current=_without_people(current),
        previous_window=before if previous else None,
        previous=_without_people(previous) if previous else None,
        trend_period=trend_period,
        trend=trend,
        quality=quality,
        input_versions={"state/health_days": versions.combined(rests_on.items())},
    )


def _without_people(figures: Mapping[str, GroupFigure]) -> dict[str, GroupFigure]:
    return {name: figure for name, figure in figures.items() if name != PEOPLE}


def _groups(
    pipeline: Pipeline, connection: Connection, period: Period | None, window: Window
) -> dict[str, GroupFigure]:
    if period is None:
        return _figures(range_figures(pipeline, window))
    rows = queries.group_figures(connection, period=period, window=window)
    return _figures({name: getattr(row, name) for name in _GROUP_FIELDS} for row in rows)


_GROUP_FIELDS = ("figure", "band", "people", "total", "low", "high")


def _figures(rows: Iterable[Mapping[str, Any]]) -> dict[str, GroupFigure]:
    """The figures of one period from rows of ``bi_health_groups``."""
    whole: dict[str, Mapping[str, Any]] = {}
    bands: dict[str, dict[int, int]] = defaultdict(dict)
    for row in rows:
        if row["band"] == WHOLE_GROUP:
            whole[row["figure"]] = row
        else:
            bands[row["figure"]][row["band"]] = row["people"]
    figures = {}
    for name, row in whole.items():
        count = len(FIGURE_BY_NAME[name].bands) if name in FIGURE_BY_NAME else 0
        figures[name] = GroupFigure(
            figure=name,
            people=row["people"],
            mean=None if row["total"] is None else row["total"] / row["people"],
            low=row["low"],
            high=row["high"],
            band_people=tuple(bands[name].get(band, 0) for band in range(count)),
        )
    return figures


def _trend(connection: Connection, period: Period, window: Window) -> list[TrendPoint]:
    """The means of the shorter periods that start in a window; those without data are left out."""
    points: dict[datetime, dict[str, tuple[int, float | None]]] = defaultdict(dict)
    for row in queries.group_figures(connection, period=period, window=window):
        if row.band == WHOLE_GROUP and row.figure != PEOPLE and row.total is not None:
            points[row.period_start][row.figure] = (row.people, row.total / row.people)
    return [TrendPoint(start, means) for start, means in sorted(points.items())]


def _quality(connection: Connection, window: Window) -> list[DatasetQuality]:
    assets = {f"raw/{dataset.name}": dataset for dataset in HEALTH.datasets}
    counts = queries.row_counts(connection, assets, window)
    of_files = {
        dataset.name: books.file_totals(connection, dataset.name, window=window)
        for dataset in HEALTH.datasets
    }
    return [
        DatasetQuality(
            dataset=dataset.name,
            staged=counts[asset].staged,
            kept=counts[asset].kept,
            duplicates=counts[asset].duplicates,
            superseded=counts[asset].superseded,
            quarantined=counts[asset].quarantined,
            quarantined_by_rule=counts[asset].quarantined_by_rule,
            files=of_files[dataset.name].files,
            rejected_lines=of_files[dataset.name].rejected,
            undated=of_files[dataset.name].undated,
        )
        for asset, dataset in assets.items()
    ]


def _as_of(pipeline: Pipeline, window: Window) -> datetime | None:
    """The newest instant of the window's data."""
    newest = [
        pipeline.lake.newest(raw_table(dataset).name, column, window=window)
        for dataset in HEALTH.datasets
        if (column := _time_of(dataset)) is not None
    ]
    return max(filter(None, newest), default=None)


def _time_of(dataset: Dataset) -> str | None:
    return next((name for name in dataset.day_of if dataset.field_named(name).type is Type.TIMESTAMP), None)


def last_complete(pipeline: Pipeline, period: Period) -> date | None:
    """The first day of the last complete period that has data."""
    with pipeline.warehouse.transaction() as connection:
        known = books.partition_records(connection, f"health_metrics/{period}")
    delay = pipeline.settings.period.delay
    complete = [
        first
        for first, record in known.items()
        if record.rows
        and is_complete(end=period.window(midnight(first)).end, now=pipeline.utc_now, delay=delay)
    ]
    return max(complete, default=None)
