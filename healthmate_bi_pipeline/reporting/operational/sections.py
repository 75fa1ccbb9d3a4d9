"""The sections of the report on operations: freshness, volumes, partitions, runs, disk.

Reads ``Shown…`` values where rows could tell of people.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Block,
    Cell,
    DataTable,
    Number,
    Series,
    Span,
    TableColumn,
    Text,
    TimelineChart,
)
from healthmate_bi_pipeline.reporting.control_limits import with_control_limits
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.operational.evidence import age_hours, days_without_rows
from healthmate_bi_pipeline.reporting.operational.inputs import AssetPartitions, GroupRuns, OperationalInputs
from healthmate_bi_pipeline.reporting.operational.shown import ShownDataset, share_of
from healthmate_bi_pipeline.reporting.standard_sections import dataset_label
from healthmate_bi_pipeline.reporting.trends import series_of, trend_chart
from healthmate_bi_pipeline.reporting.wording import NOUNS, instant_text, number_text

LONGEST_DAILY = 62
"""Of a longer period the rows of weeks or months are charted, not those of days."""


def freshness_section(inputs: OperationalInputs, datasets: Sequence[ShownDataset]) -> Section:
    """How new each dataset is, and how timely it came."""
    rows: list[tuple[Cell, ...]] = []
    for one in datasets:
        state, age = one.state, age_hours(inputs, one)
        without = days_without_rows(inputs, one)
        newest: Cell = Absence.NO_DATA
        if state.newest is not None:
            newest = state.newest
        elif state.last_day is not None:
            newest = f"{state.last_day.isoformat()}, before the period"
        rows.append(
            (
                dataset_label(state.dataset),
                newest,
                Absence.NO_DATA if age is None else age,
                one.rows,
                f"{state.days} of {state.days_expected}",
                len(without) if without else "",
                one.late_rows if state.judged_days else "not judged",
                share_of(one.late_rows, one.judged_rows) if state.judged_days else "",
            )
        )
    table = DataTable(
        "freshness",
        "How new the data are",
        (
            TableColumn("Dataset"),
            TableColumn("Newest row"),
            TableColumn("Hours before the end", is_numeric=True, figure="freshness_hours"),
            TableColumn("Rows", is_numeric=True, figure="rows_staged"),
            TableColumn("Days with rows", is_numeric=True),
            TableColumn("Days missing", is_numeric=True),
            TableColumn("Late rows", is_numeric=True),
            TableColumn("Late, %", is_numeric=True, figure="late_rows"),
        ),
        tuple(rows),
        note=_freshness_note(inputs),
    )
    return Section("freshness", "Freshness", blocks=(table,))


def _freshness_note(inputs: OperationalInputs) -> str:
    began = (
        f"The first file was read on {instant_text(inputs.began)}: days that closed before are not judged, a history"
        " that is taken in is not late."
        if inputs.began is not None
        else "No file has been read yet."
    )
    return (
        f"Measured against {instant_text(inputs.reference)}. Late: read after the day had closed, which is when its"
        f" figures count as complete. Days missing are counted where a dataset has rows nearly every day. {began}"
    )


def volume_section(inputs: OperationalInputs, datasets: Sequence[ShownDataset]) -> Section:
    """Rows per dataset and day, with control limits."""
    is_daily = inputs.window.days <= LONGEST_DAILY
    period = Period.DAILY if is_daily else inputs.evidence_period
    panels = []
    for one in datasets:
        slug = one.state.dataset.replace("_", "-")
        line = _daily_series(inputs, one) if is_daily else _longer_series(inputs, one)
        chart = line and trend_chart(
            f"volume-{slug}",
            f"Rows per {NOUNS[period]}",
            (line,),
            period=period,
            window=inputs.window,
            note=_volume_note(inputs, one),
        )
        if chart:
            panels.append(Section(f"panel-volume-{slug}", dataset_label(one.state.dataset), blocks=(chart,)))
    if not panels:
        return Section("volume", "Volume", blocks=(Text(("No rows lie in the days of the chart.",)),))
    return Section("volume", "Volume", subsections=tuple(panels))


def _daily_series(inputs: OperationalInputs, one: ShownDataset) -> Series | None:
    """Rows of every day since the first one: a day without any has 0."""
    if inputs.trend_window is None or not any(count != 0 for count in one.volumes.values()):
        return None
    first = min(day for day, count in one.volumes.items() if count != 0)
    last = (inputs.reference - timedelta(microseconds=1)).date()
    values: dict[datetime, Number] = {}
    for day in inputs.trend_window.each_day():
        count = one.volumes.get(day, 0)
        if first <= day <= last:
            values[midnight(day)] = count if isinstance(count, Absence) else float(count)
    series = series_of(
        "rows_staged",
        dataset_label(one.state.dataset),
        values,
        period=Period.DAILY,
        span=inputs.trend_window,
    )
    return with_control_limits(series, period=Period.DAILY)


def _longer_series(inputs: OperationalInputs, one: ShownDataset) -> Series | None:
    """Rows of every longer period that insights are looked for in, since the first row."""
    if inputs.evidence_window is None or not any(count != 0 for count in one.evidence.values()):
        return None
    first = min(start for start, count in one.evidence.items() if count != 0)
    values: dict[datetime, Number] = {}
    for part in inputs.evidence_period.windows(Window(first, inputs.evidence_window.end)):
        count = one.evidence.get(part.start, 0)
        values[part.start] = count if isinstance(count, Absence) else float(count)
    series = series_of(
        "rows_staged",
        dataset_label(one.state.dataset),
        values,
        period=inputs.evidence_period,
        span=Window(first, inputs.evidence_window.end),
    )
    return with_control_limits(series, period=inputs.evidence_period)


def _volume_note(inputs: OperationalInputs, one: ShownDataset) -> str:
    if not one.state.is_about_people or inputs.settings.audience == "personal":
        return ""
    return (
        f"Counts of fewer than {inputs.settings.minimum_people} rows are not shown: a row is about somebody."
    )


def partitions_section(inputs: OperationalInputs) -> Section:
    """What was made of what there are rows for."""
    if not inputs.partitions:
        return Section("partitions", "Partitions", blocks=(Text(("There was nothing to be made.",)),))
    missing = [one for one in inputs.partitions if one.missing]
    listed = missing or _by_group(inputs.partitions)
    told = (
        "Everything that there are rows for was made."
        if not missing
        else f"{len(missing)} of {len(inputs.partitions)} assets have partitions that were not made:"
        " run `healthmate-bi run` or a backfill of these days in Dagster."
    )
    table = DataTable(
        "partitions-table",
        "Partitions per group of assets" if not missing else "Assets with missing partitions",
        (
            TableColumn("Assets" if not missing else "Asset"),
            TableColumn("Expected", is_numeric=True),
            TableColumn("Made", is_numeric=True),
            TableColumn("Missing", is_numeric=True),
            TableColumn("First missing"),
        ),
        tuple(
            (
                one.asset,
                one.expected,
                one.present,
                len(one.missing),
                one.missing[0].isoformat() if one.missing else "",
            )
            for one in listed
        ),
        note=(
            "Expected are the days with rows, and for longer periods those that lie whole in this one. Whether one is"
            " out of date says `healthmate-bi status`."
        ),
    )
    return Section("partitions", "Partitions", blocks=(Text((told,)), table))


def _by_group(partitions: Sequence[AssetPartitions]) -> list[AssetPartitions]:
    """The partitions of raw days, states and figures, each added up."""
    found: dict[str, AssetPartitions] = {}
    for one in partitions:
        group = one.asset.partition("/")[0]
        known = found.get(group, AssetPartitions(group, 0, ()))
        found[group] = AssetPartitions(group, known.expected + one.expected, (*known.missing, *one.missing))
    return list(found.values())


def runs_section(inputs: OperationalInputs) -> Section:
    """The runs of the period, and those that made its partitions."""
    blocks: list[Block] = []
    if inputs.runs:
        blocks.append(_runs_table("runs-begun", "Runs that began in the period", inputs.runs))
    else:
        blocks.append(Text(("No run began in the period itself.",)))
    if inputs.failed:
        blocks.append(_failures(inputs))
        blocks.append(_failed_table(inputs))
    if inputs.makers:
        blocks.append(
            _runs_table(
                "runs-makers", "Runs that made the period's partitions, whenever that was", inputs.makers
            )
        )
    return Section("runs", "Runs", blocks=tuple(blocks))


def _runs_table(table_id: str, title: str, runs: Sequence[GroupRuns]) -> DataTable:
    def seconds(value: float | None) -> Cell:
        return "" if value is None else number_text(value, decimals=1)

    return DataTable(
        table_id,
        title,
        (
            TableColumn("Of"),
            TableColumn("Runs", is_numeric=True),
            TableColumn("Succeeded", is_numeric=True),
            TableColumn("Failed", is_numeric=True),
            TableColumn("Still running", is_numeric=True),
            TableColumn("Median, s", is_numeric=True),
            TableColumn("p95, s", is_numeric=True),
            TableColumn("Longest, s", is_numeric=True),
        ),
        tuple(
            (
                one.group,
                one.runs,
                one.succeeded,
                one.failed,
                one.running,
                seconds(one.seconds_p50),
                seconds(one.seconds_p95),
                seconds(one.seconds_max),
            )
            for one in runs
        ),
        note="A run is one attempt to make one asset. Failed holds those whose process was killed.",
    )


def _failures(inputs: OperationalInputs) -> TimelineChart:
    spans = tuple(
        Span(one.asset, one.started_at, one.ended_at or one.started_at, f"{one.outcome}, for {one.window}")
        for one in sorted(inputs.failed, key=lambda one: (one.asset, one.started_at))
    )
    return TimelineChart(
        "failed-runs",
        "Runs that did not succeed",
        f"{len(spans)} runs that failed or were killed, a row per asset.",
        inputs.window,
        spans,
        note="The last ones; times are UTC.",
    )


def _failed_table(inputs: OperationalInputs) -> DataTable:
    return DataTable(
        "failed-runs-table",
        "The last runs that did not succeed",
        (
            TableColumn("Asset"),
            TableColumn("Began"),
            TableColumn("Ended"),
            TableColumn("How"),
            TableColumn("For"),
        ),
        tuple(
            (
                one.asset,
                one.started_at,
                one.ended_at if one.ended_at is not None else "never",
                one.outcome,
                one.window,
            )
            for one in inputs.failed
        ),
    )


def disk_section(inputs: OperationalInputs) -> Section:
    """The disks of the machines, and the size of the files that were read."""
    blocks: list[Block] = []
    if inputs.disks:
        blocks.append(
            DataTable(
                "disks",
                "Disks of the machines",
                (
                    TableColumn("Machine"),
                    TableColumn("Mean, %", is_numeric=True, figure="disk_percent_mean"),
                    TableColumn("Highest, %", is_numeric=True, figure="disk_percent_max"),
                ),
                tuple((one.machine, one.mean, one.highest) for one in inputs.disks),
                note="From host_samples; `healthmate-bi collect` samples the pipeline's own host.",
            )
        )
    else:
        blocks.append(Text(("There are no host samples in this period, so nothing is known of the disks.",)))
    read = [one for one in inputs.datasets if one.bytes]
    if read:
        blocks.append(
            DataTable(
                "bytes",
                "Files with rows in the period",
                (TableColumn("Dataset"), TableColumn("Size, MB", is_numeric=True)),
                tuple((dataset_label(one.dataset), number_text(one.bytes / 1e6, decimals=1)) for one in read),
                note="Whole files: one may hold rows of other periods too.",
            )
        )
    return Section("disk", "Disk", blocks=tuple(blocks))
