"""Tables that are replaced whole: what is made from the states of all time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ibis.expr.types as ir
from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.usecases.families import warehouse_schema
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline
from healthmate_bi_pipeline.warehouse import books
from healthmate_bi_pipeline.warehouse.windows import replace_all

ANY_TIME = Window.of_days(UNPARTITIONED, UNPARTITIONED)


def build_whole(
    pipeline: Pipeline,
    asset: str,
    *,
    version: Callable[[Connection], int],
    make: Callable[[Engine], Mapping[Table, ir.Table]],
) -> Built:
    """Replace all rows of some tables, in one transaction with the books.

    Args:
        pipeline: for whom.
        asset: what is made.
        version: of what it is made from now.
        make: the rows by table.
    """
    with pipeline.warehouse.hold(asset, ANY_TIME), pipeline.recorded(asset, None) as tally:
        with pipeline.warehouse.transaction() as connection:
            made_from = version(connection)
        with pipeline.engine() as engine:
            tables = make(engine)
            with pipeline.warehouse.transaction() as connection:
                for table, rows in tables.items():
                    stream = engine.stream(rows, schema=warehouse_schema(table, rows.columns))
                    tally.rows += replace_all(connection, table=table, rows=stream)
                record = books.PartitionRecord(
                    asset, UNPARTITIONED, made_from, made_from, tally.rows, {}, pipeline.run_id, pipeline.now
                )
                books.record_partitions(connection, [record])
    return Built({UNPARTITIONED: tally.rows})
