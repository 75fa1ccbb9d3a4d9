"""``healthmate-bi status``: what there is, what is stale, what failed, and where things are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from healthmate_bi_pipeline.cli.columns import aligned, size_text

if TYPE_CHECKING:
    from healthmate_bi_pipeline.usecases.status import Status
    from healthmate_bi_pipeline.warehouse.overview import RunEntry


def status() -> None:
    """Say what there is, and where.

    Files and rows, partitions and how many are stale, runs that failed, what retention deleted, and the places of it
    all.

    \b
    Example:
      healthmate-bi status
    """
    from healthmate_bi_pipeline.settings import load_settings
    from healthmate_bi_pipeline.usecases.pipeline import Pipeline
    from healthmate_bi_pipeline.usecases.status import find_status

    with Pipeline.open(load_settings()) as pipeline:
        found = find_status(pipeline)
    for line in (
        *_files(found), "", *_assets(found), "", *_runs(found), *_retention(found), *_places(found)
    ):  # fmt: skip
        typer.echo(line)


def _files(found: Status) -> list[str]:
    rows: list[tuple[str, ...]] = [
        ("dataset", "files", "lines", "rejected", "undated", "staged", "new files")
    ]
    for name, of_dataset in found.datasets.items():
        total = of_dataset.totals
        counts = (total.files, total.lines, total.rejected, total.undated, total.staged, of_dataset.new_files)
        rows.append((name, *(f"{count:,}" for count in counts)))
    return aligned(rows)


def _assets(found: Status) -> list[str]:
    rows: list[tuple[str, ...]] = [("asset", "partitions", "rows", "first", "last", "made at (UTC)", "stale")]
    for name, of_asset in found.assets.items():
        if of_asset.stale is None:
            continue
        made = of_asset.totals
        stale = f"{of_asset.stale:,}" if of_asset.stale else "-"
        if made is None:
            rows.append((name, "-", "-", "-", "-", "-", stale))
            continue
        is_whole = made.partitions == 1 and made.first.year == 1970
        first, last = ("", "") if is_whole else (str(made.first), str(made.last))
        at = f"{made.refreshed_at:%Y-%m-%d %H:%M}"
        rows.append((name, f"{made.partitions:,}", f"{made.rows:,}", first, last, at, stale))
    return aligned(rows)


def _runs(found: Status) -> list[str]:
    lines = [f"running: {_run(entry)}" for entry in found.running]
    lines += [f"{entry.outcome}: {_run(entry)}" for entry in found.failed]
    if found.open_alerts:
        lines.append(f"alerts: {found.open_alerts} open, see `healthmate-bi alerts`")
    return [*lines, ""] if lines else []


def _run(entry: RunEntry) -> str:
    days = f" {entry.window}" if entry.window else ""
    return f"{entry.started_at:%Y-%m-%d %H:%M} {', '.join(entry.assets)}{days}"


def _retention(found: Status) -> list[str]:
    deleted = found.deleted
    if not deleted.receipts or deleted.last_at is None:
        return []
    begun = f"; {deleted.unfinished} begun and not finished" if deleted.unfinished else ""
    what = f"{deleted.rows:,} rows and {size_text(deleted.bytes)} deleted, {deleted.receipts:,} receipts"
    return [f"retention: {what}, the last of {deleted.last_at:%Y-%m-%d %H:%M}{begun}", ""]


def _places(found: Status) -> list[str]:
    day = (
        str(found.first_day)
        if found.first_day
        else "none yet: put files into landing, or `healthmate-bi demo`"
    )
    places = {"first day": day, **found.places}
    width = max(len(name) for name in places)
    return [f"{name.ljust(width)}  {place}" for name, place in places.items()]
