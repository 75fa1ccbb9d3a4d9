"""Which files came with columns that the files before them did not have, all at once from the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class NewColumns:
    """Files that came together with the same columns, as no file shortly before them had.

    Attributes:
        at: when they came.
        columns: their columns, by name, with their types.
        name: the name of the first of them.
        files: how many files with these columns came then and since.
        files_before: how many files came shortly before; none: they are the first.
        before: for each column of these how many of them had it, by type.
    """

    at: datetime
    columns: Mapping[str, str]
    name: str
    files: int
    files_before: int
    before: Mapping[str, Mapping[str, int]]


# What comes at one instant comes together: none of it is before the other. "Before" reaches back from the delivery
# before, however long ago that was.
_NEW_COLUMNS = sa.text(
    """
    WITH files AS NOT MATERIALIZED (
        SELECT * FROM bi_ingested_files WHERE dataset = :dataset AND columns IS NOT NULL AND rows > 0
    ), deliveries AS (
        SELECT first_seen_at AS at, columns, count(*) AS files, (array_agg(name ORDER BY file_number))[1] AS name
        FROM files
        WHERE first_seen_at >= coalesce(
            (SELECT max(first_seen_at) FROM files WHERE first_seen_at < :since) - CAST(:reach AS interval), :since
        )
        GROUP BY first_seen_at, columns
    ), instants AS (
        SELECT at, lag(at) OVER (ORDER BY at) - CAST(:reach AS interval) AS reaching
        FROM (SELECT DISTINCT at FROM deliveries) AS of_deliveries
    ), placed AS (
        SELECT *, lag(at) OVER alike AS last_alike,
            sum(files) OVER (alike ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS files_since
        FROM deliveries JOIN instants USING (at)
        WINDOW alike AS (PARTITION BY columns ORDER BY at)
    )
    SELECT looked_at.files AS looked_at, new.at, new.columns, new.name, new.files_since AS files,
        before.files AS files_before, before.columns AS before
    FROM (
        SELECT coalesce(sum(files), 0) AS files FROM placed WHERE at >= :since
    ) AS looked_at
    LEFT JOIN (
        SELECT * FROM placed WHERE at >= :since AND (last_alike >= reaching) IS NOT TRUE
    ) AS new ON true
    LEFT JOIN LATERAL (
        SELECT
            (SELECT sum(files) FROM deliveries WHERE at >= new.reaching AND at < new.at) AS files,
            (SELECT jsonb_object_agg(name, types) FROM (
                SELECT name, jsonb_object_agg(type, files) AS types FROM (
                    SELECT held.key AS name, held.value AS type, sum(files) AS files
                    FROM deliveries CROSS JOIN jsonb_each_text(deliveries.columns) AS held
                    WHERE at >= new.reaching AND at < new.at
                    GROUP BY held.key, held.value
                ) AS by_type GROUP BY name
            ) AS by_name) AS columns
    ) AS before ON true
    ORDER BY new.at, new.name
    """
)


def find_new_columns(
    connection: Connection, dataset: str, *, since: datetime, reach: timedelta
) -> tuple[int, list[NewColumns]]:
    """The files of a dataset whose columns are new, and how many files were looked at.

    Files without a row are left out, and those that were read before their columns were kept.

    Args:
        connection: in a transaction.
        dataset: whose files.
        since: files that came before are only compared with.
        reach: how far before the delivery before its columns are looked for.
    """
    rows = connection.execute(_NEW_COLUMNS, {"dataset": dataset, "since": since, "reach": reach}).all()
    return int(rows[0].looked_at), [
        NewColumns(
            row.at, row.columns, row.name, int(row.files), int(row.files_before or 0), row.before or {}
        )
        for row in rows
        if row.at is not None
    ]  # fmt: skip
