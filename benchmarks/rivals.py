"""The same work in the two usual ways: pandas with ``to_sql``, and SQL inside PostgreSQL.

Both do less than the pipeline: they drop repeated and impossible readings, take the person's wall-clock time
(PostgreSQL and pandas convert each row by the name of its zone) and write count, mean, least, greatest and
deviation of every metric per person for all six periods, with a key. No books, no versions, no late data.
"""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, text

from benchmarks.floors import driver_cursor
from healthmate_bi_pipeline.catalog.readings import METRICS
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

_FREQUENCIES = {"hour": "h", "day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}
_KEY = ["user_id", "metric", "recorded_at", "source"]
_COLUMNS = ["user_id", "metric", "value", "source", "recorded_at"]


def in_pandas(readings: Path, users: Path, warehouse: Warehouse) -> None:
    """Read, check and aggregate in pandas; write by ``to_sql``."""
    rows = pd.read_parquet(readings, columns=_COLUMNS).drop_duplicates(_KEY, keep="last")
    limits = {metric.code: metric.hard for metric in METRICS}
    low, high = (
        rows["metric"].map({code: bounds[side] for code, bounds in limits.items()}) for side in (0, 1)
    )
    rows = rows[rows["value"].between(low, high)]
    rows = rows.merge(pd.read_parquet(users, columns=["user_id", "time_zone"]), on="user_id")
    parts = [
        part.assign(local=part["recorded_at"].dt.tz_convert(str(zone)).dt.tz_localize(None))
        for zone, part in rows.groupby("time_zone")
    ]
    rows = pd.concat(parts)
    for period, frequency in _FREQUENCIES.items():
        start = (
            rows["local"].dt.to_period(frequency).dt.start_time
            if period != "hour"
            else rows["local"].dt.floor("h")
        )
        grouped = rows.assign(period_start=start).groupby(["user_id", "period_start", "metric"])["value"]
        wide = grouped.agg(["count", "mean", "min", "max", "std"]).unstack("metric")
        wide.columns = [f"{metric}_{figure}" for figure, metric in wide.columns]
        wide.to_sql(f"rival_pandas_{period}", warehouse.engine, if_exists="replace", chunksize=10_000)


def in_postgres(readings: Path, users: Path, warehouse: Warehouse) -> None:
    """Copy the readings into PostgreSQL and do the rest there."""
    frame = pd.read_parquet(readings, columns=_COLUMNS)
    people = pd.read_parquet(users, columns=["user_id", "time_zone"])
    limits = pd.DataFrame(
        [(metric.code, *metric.hard) for metric in METRICS], columns=["metric", "low", "high"]
    )
    with warehouse.transaction() as connection:
        connection.execute(
            text(
                "CREATE UNLOGGED TABLE rival_readings (user_id bigint, metric text, value float8, source text,"
                " recorded_at timestamptz)"
            )
        )
        for start in range(0, len(frame), 200_000):
            _copy(connection, "rival_readings", frame[start : start + 200_000])
        people.to_sql("rival_people", connection, index=False)
        limits.to_sql("rival_limits", connection, index=False)
        connection.execute(text("ANALYZE rival_readings"))
        connection.execute(text("SET LOCAL work_mem = '256MB'"))
        connection.execute(text(_CHECKED))
        figures = ", ".join(_figures(metric.code) for metric in METRICS)
        for period in _FREQUENCIES:
            connection.execute(
                text(
                    f"CREATE TABLE rival_sql_{period} AS SELECT user_id, date_trunc('{period}', local) AS period_start,"
                    f" {figures} FROM rival_checked GROUP BY 1, 2"
                )
            )
            connection.execute(
                text(f"ALTER TABLE rival_sql_{period} ADD PRIMARY KEY (user_id, period_start)")
            )


_CHECKED = """
    CREATE UNLOGGED TABLE rival_checked AS
    SELECT DISTINCT ON (user_id, metric, recorded_at, source)
        user_id, metric, value, recorded_at AT TIME ZONE time_zone AS local
    FROM rival_readings JOIN rival_people USING (user_id) JOIN rival_limits USING (metric)
    WHERE value BETWEEN low AND high
    ORDER BY user_id, metric, recorded_at, source
"""


def _figures(metric: str) -> str:
    return ", ".join(
        f"{function}(value) FILTER (WHERE metric = '{metric}') AS {metric}_{function}"
        for function in ("count", "avg", "min", "max", "stddev_samp")
    )


def _copy(connection: Connection, table: str, frame: pd.DataFrame) -> None:
    with driver_cursor(connection) as cursor:
        cursor.copy_expert(
            f"COPY {table} FROM STDIN (FORMAT csv)", StringIO(frame.to_csv(index=False, header=False))
        )
