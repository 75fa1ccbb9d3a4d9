"""Reports whose time is over: their entries, their files of all versions, and their place in the index."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.reports import REPORT_TYPE_BY_NAME, REPORT_TYPES
from healthmate_bi_pipeline.catalog.tables import REPORTS
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.reporting import files
from healthmate_bi_pipeline.reporting.document import Audience
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.usecases.reports.writing import report_asset, write_index
from healthmate_bi_pipeline.usecases.retention.due import Due, note_deletions
from healthmate_bi_pipeline.usecases.versions import report_books
from healthmate_bi_pipeline.warehouse import receipts, removing
from healthmate_bi_pipeline.warehouse.receipts import Receipt

_AUDIENCES: tuple[Audience, ...] = ("groups", "personal")


def find_reports(pipeline: Pipeline) -> Iterator[Due]:
    """What is due of each type and cadence."""
    for report_type in REPORT_TYPES:
        keeping = pipeline.retention.reports[report_type.name]
        if keeping is None:
            continue
        last = keeping.cut(pipeline.utc_now.date()) - timedelta(days=1)
        for period in (*report_type.cadences, None):
            with pipeline.warehouse.transaction() as connection:
                due = _measure(pipeline, connection, report_asset(report_type, period), last)
            if due.is_something:
                yield due


def delete_reports(pipeline: Pipeline, due: Due) -> list[Due]:
    """Delete what is due of a type and cadence, as it is now; nothing when somebody else did.

    Raises:
        BusyError: another run writes these reports.
    """
    with pipeline.warehouse.hold(due.object, due.window):
        with pipeline.warehouse.transaction() as connection:
            found = _measure(pipeline, connection, due.object, due.last_day)
            if not found.is_something:
                return []
            (receipt,) = note_deletions(pipeline, connection, [found], is_done=False)
            _forget(pipeline, connection, found)
        _finish(pipeline, receipt)
    return [found]


def finish_reports(pipeline: Pipeline, receipt: Receipt) -> None:
    """Delete the files that are left of reports whose deletion was begun."""
    with pipeline.warehouse.hold(receipt.object, Window.of_days(receipt.first_day, receipt.last_day)):
        _finish(pipeline, receipt)


def _measure(pipeline: Pipeline, connection: Connection, asset: str, last: date) -> Due:
    report_type, cadence = _named(asset)
    held = removing.measure_reports(
        connection, report_type, cadence, ended_by=midnight(last + timedelta(days=1))
    )
    folders = _folders(pipeline, asset, last)
    days = [first for first, _ in folders]
    keeping = pipeline.retention.reports[report_type]
    return Due(
        object=asset,
        privacy=str(REPORTS.privacy),
        first_day=min(held.first_day or last, *days, last),
        last_day=last,
        partitions=len(folders),
        rows=held.rows,
        bytes=sum(
            file.stat().st_size for _, folder in folders for file in folder.rglob("*") if file.is_file()
        ),
        rule=f"reports {keeping}",
    )


def _forget(pipeline: Pipeline, connection: Connection, due: Due) -> None:
    """Take the entries away, and note in the books that the reports are gone."""
    report_type, cadence = _named(due.object)
    end = midnight(due.last_day + timedelta(days=1))
    removing.delete_reports(connection, report_type, cadence, ended_by=end)
    if cadence in set(Period):
        gone = Window(midnight(UNPARTITIONED), Period(cadence).floor(end))  # those that had ended by then
        for audience in _AUDIENCES:
            removing.mark_removed(
                connection, report_books(due.object, audience), window=gone, now=pipeline.now
            )


def _finish(pipeline: Pipeline, receipt: Receipt) -> None:
    write_index(pipeline)  # first: it must not link to what is gone
    for _, folder in _folders(pipeline, receipt.object, receipt.last_day):
        files.remove_folder(pipeline.settings.reports_path, folder)
    with pipeline.warehouse.transaction() as connection:
        receipts.finish_receipt(connection, receipt, now=pipeline.now)


def _folders(pipeline: Pipeline, asset: str, last: date) -> list[tuple[date, Path]]:
    """The folders of reports on days up to one, of both audiences, with their first day; also those nobody entered."""
    report_type, cadence = _named(asset)
    root = pipeline.settings.reports_path
    return [
        (window.first_day, folder)
        for audience in _AUDIENCES
        for window, folder in files.report_folders(root, report_type, cadence=cadence, audience=audience)
        if window.last_day <= last
    ]


def _named(asset: str) -> tuple[str, str]:
    """Type and cadence of the reports of an asset.

    >>> _named("reports/health_summary_monthly")
    ('health_summary', 'monthly')
    """
    name, _, cadence = asset.removeprefix("reports/").rpartition("_")
    return REPORT_TYPE_BY_NAME[name].name, cadence
