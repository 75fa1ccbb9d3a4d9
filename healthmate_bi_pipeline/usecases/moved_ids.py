"""Rows with an id that come again on another day: the index of ids, and the list of those that moved.

A corrected row replaces the old one by its key. Keys that hold the time keep a row on its day; a key of an id
may come again anywhere, so the days of all ids are indexed, by parts of the people. Only datasets with an
``id_column`` pay for that, and only for rows that have one.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.datasets import Dataset
from healthmate_bi_pipeline.catalog.lake_tables import ID_BUCKETS, id_index_table, moved_table
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.usecases.pipeline import Pipeline


def index_ids(pipeline: Pipeline, engine: Engine, dataset: Dataset, rows: ir.Table) -> dict[date, int]:
    """Note the days of new rows' ids before they are staged, and list the ids that stand under several days.

    Args:
        pipeline: where the index is.
        engine: where the rows are.
        dataset: what they are rows of.
        rows: staged rows that are about to be appended.

    Returns:
        The days on which an id of the new rows stood before or stands now, when they differ: all of them must
        be made again. Written before the rows are staged, so that a kill in between loses nothing: an entry
        for a row that is not there moves nothing.
    """
    if dataset.id_column is None:
        return {}
    index, key = id_index_table(dataset), list(dataset.keys[0])
    has_id = rows.filter(rows[dataset.id_column].notnull() & rows.day.notnull() & rows.user_id.notnull())
    noted = has_id.mutate(
        updated_at=ibis.coalesce(has_id.updated_at, has_id.local_updated_at),
        bucket=(has_id.user_id % ID_BUCKETS).cast("int64"),
        **{name: has_id[name].lower() for name in key if dataset.field_named(name).codes},
    ).select(*index.column_names)
    new = engine.store(noted)
    if engine.count(new) == 0:
        return {}
    schema = arrow_schema(index.columns)
    pipeline.lake.append(index.name, engine.stream(new, schema=schema), partition_by="bucket")
    buckets = [row["bucket"] for row in engine.rows(new.select("bucket").distinct())]
    files = pipeline.lake.files(index.name, values=buckets, partition_by="bucket")
    known = engine.scan(files, schema=schema, partition_by="bucket")
    touched = known.semi_join(new, key)
    several = touched.group_by(key).agg(days=touched.day.nunique()).filter(ibis._.days > 1)
    moved = engine.store(touched.semi_join(several, key))
    days = [row["day"] for row in engine.rows(moved.select("day").distinct())]
    if days:
        table = moved_table(dataset)
        stream = engine.stream(moved.distinct(), schema=arrow_schema(table.columns))
        pipeline.lake.append(table.name, stream, partition_by=None)
    return dict.fromkeys(days, 0)
