"""Assets: each entry of the graph (``usecases/graph``) as Dagster's, and what people see of it."""

from collections.abc import Collection, Iterable
from datetime import date
from time import monotonic
from typing import Any

import dagster as dg

from healthmate_bi_pipeline.catalog.columns import Column, Table
from healthmate_bi_pipeline.catalog.families import FAMILY_BY_GROUP
from healthmate_bi_pipeline.domain.period import Window, midnight
from healthmate_bi_pipeline.orchestration.failures import told_to_dagster
from healthmate_bi_pipeline.orchestration.lineage import code_references, column_lineage
from healthmate_bi_pipeline.orchestration.links import report_links
from healthmate_bi_pipeline.orchestration.partitions import partitions_of, window_of
from healthmate_bi_pipeline.orchestration.resources import PIPELINE
from healthmate_bi_pipeline.orchestration.timetable import schedules_by_asset
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.describe import Preview, counts_per_partition, preview
from healthmate_bi_pipeline.usecases.graph import AssetSpec
from healthmate_bi_pipeline.usecases.keeping import refuse_unmakeable
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline

OWNERS = ("team:data-engineering",)

KINDS: dict[str, set[str]] = {
    "lake": {"deltalake", "duckdb"},
    "warehouse": {"postgres", "duckdb"},
    "files": {"html", "json"},
}

MOST_LINES = 100
"""Messages of one run that are shown."""


def asset_key(name: str) -> dg.AssetKey:
    """The key of an asset: ``raw/users`` → ``["raw", "users"]``."""
    return dg.AssetKey(name.split("/"))


def build_assets(
    specs: Iterable[AssetSpec], *, settings: Settings, first_day: date
) -> list[dg.AssetsDefinition]:
    """All assets, their partitions starting at the first day."""
    specs = tuple(specs)
    schedules = schedules_by_asset(settings, specs)
    partitioned = {spec.name for spec in specs if spec.partitioned_by is not None}
    return [
        _asset(spec, settings, first_day, schedules=schedules[spec.name], all_partitioned=partitioned)
        for spec in specs
    ]


def _asset(
    spec: AssetSpec,
    settings: Settings,
    first_day: date,
    *,
    schedules: tuple[str, ...],
    all_partitioned: Collection[str],
) -> dg.AssetsDefinition:
    partitioned = spec.partitioned_by

    @dg.asset(
        key=asset_key(spec.name),
        group_name=spec.group,
        description=spec.description,
        deps=[
            _dependency(name, is_by_time=partitioned is not None and name in all_partitioned)
            for name in spec.upstream
        ],
        partitions_def=partitions_of(partitioned, first_day) if partitioned else None,
        backfill_policy=dg.BackfillPolicy.single_run() if partitioned else None,
        owners=list(OWNERS),
        kinds=KINDS[spec.place],
        tags={"healthmate/place": spec.place, "healthmate/privacy": str(spec.table.privacy)},
        metadata=_definition_metadata(spec, settings, schedules),
        code_version=spec.version,
        required_resource_keys={PIPELINE},
    )
    def made(context: dg.AssetExecutionContext) -> None:
        pipeline: Pipeline = getattr(context.resources, PIPELINE)
        window = window_of(context.partition_time_window) if partitioned else None
        with told_to_dagster(context.op_execution_context):
            refuse_unmakeable(pipeline, spec, window)
            started = monotonic()
            built = spec.build(pipeline, window)
            _report(context, pipeline, spec, window, built, seconds=monotonic() - started)

    return made


def _dependency(name: str, *, is_by_time: bool) -> dg.AssetDep:
    """What an asset is made from.

    The running period is made from the days that there are, and so is the period that the first day lies in: without
    this the daemon refuses to backfill them.
    """
    mapping = (
        dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True) if is_by_time else None
    )
    return dg.AssetDep(asset_key(name), partition_mapping=mapping)


def _definition_metadata(spec: AssetSpec, settings: Settings, schedules: tuple[str, ...]) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/column_schema": dg.MetadataValue.table_schema(column_schema(spec.table)),
        "dagster/code_references": code_references(spec),
        "schedules": ", ".join(schedules) or "none: it is made where somebody asks for it",
    }
    family = FAMILY_BY_GROUP.get(spec.group)
    if family is not None and spec.table is family.view and family.beside:
        beside = (f"- `{table.name}`: {table.description}" for table in family.beside)
        metadata["tables made with it"] = dg.MetadataValue.md("\n".join(beside))
    if spec.place == "warehouse":
        metadata["dagster/table_name"] = spec.table.name
    elif spec.place == "lake":
        metadata["dagster/uri"] = f"{settings.lake_uri.rstrip('/')}/{spec.table.name}"
    else:
        metadata["dagster/uri"] = str(settings.reports_path)
    return metadata


def column_schema(table: Table) -> dg.TableSchema:
    """A table of the catalog in Dagster's terms."""
    return dg.TableSchema([_column(column, table) for column in table.columns])


def _column(column: Column, table: Table) -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(
        nullable=column.is_nullable,
        unique=table.key == (column.name,),
        other=["part of the key"] if column.name in table.key and len(table.key) > 1 else [],
    )
    return dg.TableColumn(
        column.name, type=str(column.type), description=column.comment, constraints=constraints
    )  # fmt: skip


def _report(
    context: dg.AssetExecutionContext,
    pipeline: Pipeline,
    spec: AssetSpec,
    window: Window | None,
    built: Built,
    *,
    seconds: float,
) -> None:
    """Say what was made: rows per partition; what is about the whole run once, at its last partition.

    Dagster writes what is attached without a partition to each of them again.
    """
    for message in built.messages[:MOST_LINES]:
        context.log.info(message)
    if window is None:
        shown = preview(pipeline, spec, UNPARTITIONED)
        held = shown.rows if shown else built.total
        told: dict[str, Any] = {"dagster/row_count": held, "seconds": round(seconds, 3)}
        context.add_asset_metadata({**told, **_of_run(built), **_lineage(spec), **_preview(spec, shown)})
        return
    assert spec.partitioned_by is not None  # noqa: S101 - a window has been given
    label = spec.partitioned_by.label
    counts = counts_per_partition(pipeline, spec.name, window)
    seconds_each = round(seconds / max(len(built.rows), 1), 3)
    for day, rows in built.rows.items():
        about_it = {
            "dagster/partition_row_count": rows,
            **counts.get(day, {}),
            "seconds": seconds_each,
            **report_links(pipeline.settings, built.files.get(day, ())),
        }
        context.add_asset_metadata(about_it, partition_key=label(midnight(day)))
    filled = max((day for day, rows in built.rows.items() if rows), default=None)
    if filled is not None:
        about = _preview(spec, preview(pipeline, spec, filled))
        context.add_asset_metadata(about, partition_key=label(midnight(filled)))
    of_run = {"seconds of the run": round(seconds, 3), **_of_run(built), **_lineage(spec)}
    context.add_asset_metadata(of_run, partition_key=context.partition_key_range.end)


def _lineage(spec: AssetSpec) -> dict[str, dg.TableColumnLineage]:
    lineage = column_lineage(spec)
    return {"dagster/column_lineage": lineage} if lineage is not None else {}


def _of_run(built: Built) -> dict[str, dg.MetadataValue]:
    told: dict[str, dg.MetadataValue] = {}
    if built.counts:
        told["counts of the run"] = dg.MetadataValue.json(dict(built.counts))
    if built.messages:
        told["messages"] = dg.MetadataValue.md("\n".join(f"- {line}" for line in _first(built.messages)))
    if built.summary:
        told["report"] = dg.MetadataValue.md(built.summary)
    return told


def _preview(spec: AssetSpec, shown: Preview | None) -> dict[str, dg.MetadataValue]:
    """Columns, types and how many rows have a value: no values."""
    if shown is None or not shown.rows:
        return {}
    records = [
        dg.TableRecord(
            {"column": column.name, "type": str(column.type), "filled": filled, "empty": shown.rows - filled}
        )
        for column in spec.table.columns
        if (filled := shown.filled.get(column.name)) is not None
    ]
    return {"filled columns": dg.MetadataValue.table(records)} if records else {}


def _first(lines: tuple[str, ...]) -> list[str]:
    """Not more than anybody reads."""
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"and {more} more"] if more > 0 else [])]
