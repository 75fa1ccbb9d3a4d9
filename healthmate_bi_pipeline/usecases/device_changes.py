"""Changes of devices: raw readings → sums per person, month and device → how the people of each device changed."""

from __future__ import annotations

from datetime import date
from functools import partial

from healthmate_bi_pipeline.catalog.datasets import HEALTH_READINGS
from healthmate_bi_pipeline.catalog.device_changes import COMPARED_FIGURES, DEVICE_CHANGES, LEAST_READINGS
from healthmate_bi_pipeline.catalog.families import HEALTH
from healthmate_bi_pipeline.catalog.lake_tables import DEVICE_READINGS
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.transforms.health import devices
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.chunks import make_in_chunks
from healthmate_bi_pipeline.usecases.families import (
    replace_partitions,
    scan_partitions,
    scan_raw,
    warehouse_schema,
)
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline
from healthmate_bi_pipeline.warehouse import books
from healthmate_bi_pipeline.warehouse.windows import replace_days

DEVICE_CHANGES_ASSET = f"{HEALTH.group}/device_changes"


def build_device_readings(pipeline: Pipeline, window: Window | None) -> Built:
    """Sum up the readings of each person per device, month by month."""
    assert window is not None  # noqa: S101 - partitioned by month
    with pipeline.warehouse.transaction() as connection:
        records = books.partition_records(connection, f"raw/{HEALTH_READINGS.name}", window=window)
    sizes = {day: record.rows for day, record in records.items()}
    make = partial(_build_readings, pipeline)
    return make_in_chunks(pipeline, DEVICE_READINGS.name, window, sizes, unit=Period.MONTHLY, make=make)


def _build_readings(pipeline: Pipeline, window: Window) -> dict[date, int]:
    with pipeline.warehouse.transaction() as connection:
        inputs = versions.device_readings_inputs(pipeline, connection, window)
    with pipeline.engine() as engine:
        readings = scan_raw(pipeline, engine, HEALTH_READINGS, window)
        rows = devices.device_readings(readings, metrics=COMPARED_FIGURES).select(
            *DEVICE_READINGS.column_names
        )
        return replace_partitions(
            pipeline, engine, DEVICE_READINGS, rows, window=window, unit=Period.MONTHLY, inputs=inputs
        )


def build_device_changes(pipeline: Pipeline, window: Window | None) -> Built:
    """Tell for the months of a window how people's readings of each device changed since the month before."""
    assert window is not None  # noqa: S101 - partitioned by month
    with pipeline.warehouse.transaction() as connection:
        records = books.partition_records(connection, DEVICE_READINGS.name, window=window)
    sizes = {month: record.rows for month, record in records.items()}
    make = partial(_build_changes, pipeline)
    return make_in_chunks(pipeline, DEVICE_CHANGES_ASSET, window, sizes, unit=Period.MONTHLY, make=make)


def _build_changes(pipeline: Pipeline, window: Window) -> dict[date, int]:
    with pipeline.warehouse.transaction() as connection:
        inputs = versions.device_changes_inputs(pipeline, connection, window)
    with pipeline.engine() as engine:
        months = scan_partitions(pipeline, engine, DEVICE_READINGS, versions.with_month_before(window))
        changes = devices.paired_changes(months, least=LEAST_READINGS)
        rows = engine.store(devices.device_changes(engine.store(changes)))
        held = {row["month"]: row["n"] for row in engine.rows(rows.group_by("month").agg(n=rows.count()))}
        made = {part.first_day: held.get(part.first_day, 0) for part in Period.MONTHLY.windows(window)}
        with pipeline.warehouse.transaction() as connection:
            replace_days(
                connection,
                table=DEVICE_CHANGES,
                column="month",
                window=window,
                rows=engine.stream(
                    rows.order_by(list(DEVICE_CHANGES.key)),
                    schema=warehouse_schema(DEVICE_CHANGES, rows.columns),
                ),
            )
            books.record_partitions(
                connection,
                [
                    books.PartitionRecord(
                        DEVICE_CHANGES_ASSET, month, inputs.get(month, 0), inputs.get(month, 0), n, {},
                        pipeline.run_id, pipeline.now,
                    )
                    for month, n in made.items()
                ],
            )  # fmt: skip
    return made
