"""Reports: figures of groups → a document → files, the index and the books.

A report whose content is the same as before keeps its file; a changed one becomes the next version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date
from pathlib import Path, PurePosixPath
from typing import Literal
from uuid import uuid4

from healthmate_bi_pipeline.catalog.reports import REPORT_TYPE_BY_NAME, ReportType
from healthmate_bi_pipeline.domain.period import Period, Window, is_complete
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.reporting import files
from healthmate_bi_pipeline.reporting.csv import csv_files, csv_names
from healthmate_bi_pipeline.reporting.document import RANGE, Report, Stamp
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.index import IndexRecord, render_index
from healthmate_bi_pipeline.reporting.inputs import ReportInputs
from healthmate_bi_pipeline.reporting.json import content_sha256, render_json, report_document
from healthmate_bi_pipeline.reporting.markdown import render_markdown
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline
from healthmate_bi_pipeline.usecases.reports.recipe import ReportRecipe, report_inputs
from healthmate_bi_pipeline.usecases.reports.scope import Subject
from healthmate_bi_pipeline.usecases.whole_tables import ANY_TIME
from healthmate_bi_pipeline.warehouse import books, queries, runs
from healthmate_bi_pipeline.warehouse.locks import assert_still_held


@dataclass(frozen=True)
class Written:
    """A report and where it lies."""

    report: Report
    html_path: str
    json_path: str

    @property
    def paths(self) -> tuple[str, str]:
        """The files that are named to people; CSV lies beside them."""
        return self.html_path, self.json_path

    @property
    def summary(self) -> str:
        """The report in short."""
        return render_markdown(self.report, path=self.html_path)


def build_reports(
    pipeline: Pipeline,
    window: Window | None,
    *,
    recipe: ReportRecipe,
    period: Period,
    generated_by: str | None = None,
) -> Built:
    """Write the reports of the periods of a window that have data.

    Args:
        pipeline: what it works with.
        window: whole periods.
        recipe: the type of report.
        period: its cadence.
        generated_by: whose name stands in the reports; by default the pipeline's actor.
    """
    assert window is not None  # noqa: S101 - reports are partitioned
    asset = report_asset(recipe.report_type, period)
    rows: dict[date, int] = {}
    written_files: dict[date, tuple[str, ...]] = {}
    last: Written | None = None
    parts = list(period.windows(window))
    with pipeline.recorded(asset, window) as tally, pipeline.warehouse.hold(asset, window):
        inputs = _inputs(pipeline, window, recipe=recipe, period=period)
        for place, part in enumerate(parts):
            subject = Subject(recipe.report_type, period, part)
            found = recipe.gather(pipeline, subject)
            written = (
                _write(pipeline, recipe.build, subject, found, asset=asset, generated_by=generated_by)
                if found is not None
                else None
            )
            rows[part.first_day] = 1 if written else 0
            tally.rows += rows[part.first_day]
            if written:
                written_files[part.first_day] = written.paths
            last = written or last
            pipeline.progress(asset, (place + 1) / len(parts))
        if written_files:
            write_index(pipeline)
        # Booked last: what is killed before is tried again, finds its reports and lists them.
        _book(pipeline, asset, rows, inputs)
    return Built(
        rows, {"reports": sum(rows.values())}, (), written_files, last.summary if last is not None else ""
    )


def write_report(
    pipeline: Pipeline, recipe: ReportRecipe, window: Window, *, generated_by: str | None = None
) -> Built:
    """Write one report over any days; days that are exactly a period make that period's report.

    Args:
        pipeline: what it works with.
        recipe: the type of report.
        window: the days.
        generated_by: whose name stands in the report; by default the pipeline's actor.

    Raises:
        UsageError: there are no data in these days.
    """
    period = recipe.report_type.cadence_of(window)
    subject = Subject(recipe.report_type, period, window)
    asset = report_asset(recipe.report_type, period)
    with pipeline.warehouse.hold(asset, window):
        inputs = _inputs(pipeline, window, recipe=recipe, period=period) if period else {}
        found = recipe.gather(pipeline, subject)
        if found is None:
            raise UsageError(
                f"There are no data in {window}. `healthmate-bi status` shows which days have some."
            )
        with pipeline.recorded(asset, window) as tally:
            written = _write(pipeline, recipe.build, subject, found, asset=asset, generated_by=generated_by)
            tally.rows = 1
            write_index(pipeline)
            if period is not None:
                _book(pipeline, asset, {window.first_day: 1}, inputs)
    day = window.first_day
    return Built({day: 1}, {"reports": 1}, (), {day: written.paths}, written.summary)


def _inputs(pipeline: Pipeline, window: Window, *, recipe: ReportRecipe, period: Period) -> dict[date, int]:
    """What reports will have been made from: read before the figures are, so that what changes meanwhile is stale."""
    with pipeline.warehouse.transaction() as connection:
        return report_inputs(pipeline, connection, window, recipe=recipe, period=period)


def report_asset(report_type: ReportType, period: Period | None) -> str:
    """The name of the reports of a period, or of free ranges."""
    return f"reports/{report_type.name}_{period or RANGE}"


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
    with pipeline.warehouse.hold("reports/index", ANY_TIME):  # an older list must not follow a newer one
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
            confidence=entry.confidence_score,
        )
        for entry in listed
        if entry.report_type in REPORT_TYPE_BY_NAME
    ]
    html, document = render_index(records)
    files.write_file(pipeline.settings.reports_path, "index.html", text=html)
    files.write_file(pipeline.settings.reports_path, "index.json", text=document)


def _write(
    pipeline: Pipeline,
    build: Callable[[ReportInputs, Stamp], Report],
    subject: Subject,
    inputs: ReportInputs,
    *,
    asset: str,
    generated_by: str | None,
) -> Written:
    """Write a report unless it says what it said before."""
    stamp = Stamp(
        report_id=str(uuid4()),
        version=1,
        generated_at=pipeline.utc_now,
        generated_by=generated_by or pipeline.actor,
    )
    report = build(inputs, stamp)
    content = content_sha256(report)
    audience = pipeline.settings.report.audience
    with pipeline.warehouse.transaction() as connection:
        known = queries.latest_report(
            connection, subject.report_type.name, subject.cadence, subject.window, audience
        )
    root = pipeline.settings.reports_path
    if known is not None and known.content_sha256 == content:
        written = replace(report, stamp=replace(stamp, version=known.version))
        if all((root / path).exists() for path in _paths(written)):
            return Written(written, known.html_path, known.json_path)
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
    return Written(report, html_path, json_path)


def _paths(report: Report) -> list[PurePosixPath]:
    """Where the files of a report lie: HTML and JSON, then CSV."""
    return [
        _path(report, "html"),
        _path(report, "json"),
        *(_path(report, "csv", table=name) for name in sorted(csv_names(report))),
    ]


def _path(report: Report, extension: Literal["html", "json", "csv"], *, table: str = "") -> PurePosixPath:
    return files.report_path(
        report.report_type,
        cadence=report.cadence,
        window=report.window,
        version=report.stamp.version,
        extension=extension,
        audience=report.audience,
        table=table,
    )


def _write_files(root: Path, report: Report) -> tuple[str, str]:
    """Write a report's files; the paths of HTML and JSON. HTML comes last: it links to the others."""
    html_path, json_path = _path(report, "html"), _path(report, "json")
    texts = {_path(report, "csv", table=file.name): file.text for file in csv_files(report)}
    texts |= {json_path: render_json(report), html_path: render_html(report)}
    assert_still_held()  # or another run may have written this version meanwhile
    for path, text in texts.items():
        files.write_file(root, path, text=text)
    return str(html_path), str(json_path)


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
        confidence_score=report.confidence.score,
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
