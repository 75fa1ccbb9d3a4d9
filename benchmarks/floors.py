"""What the machine must do at least: the measure that the pipeline's times are a multiple of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from benchmarks.population import connected
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse


def rewrite_by_day(readings: Path, folder: Path) -> None:
    """DuckDB rewrites the landing file as Parquet by day."""
    with connected() as connection:
        connection.execute(
            f"COPY (SELECT *, recorded_at::date AS day FROM '{readings}')"
            f" TO '{folder}' (FORMAT parquet, PARTITION_BY day)"
        )


def export_finished_rows(warehouse: Warehouse, folder: Path) -> list[Path]:
    """All finished rows as files in PostgreSQL's binary format, one per period."""
    files = []
    for period in Period:
        path = folder / f"{period}.copy"
        with (
            warehouse.transaction() as connection,
            path.open("wb") as file,
            driver_cursor(connection) as cursor,
        ):
            cursor.copy_expert(f"COPY bi_health_metric_rows_{period} TO STDOUT (FORMAT binary)", file)
        files.append(path)
    return files


def read_and_copy(readings: Path, files: list[Path], warehouse: Warehouse) -> None:
    """Read the readings once, and copy the finished rows as they are into a table without index."""
    with connected() as connection:
        connection.execute(
            f"SELECT sum(value), max(recorded_at), max(user_id), max(metric) FROM '{readings}'"
        ).fetchall()
    with warehouse.transaction() as connection:
        connection.execute(text("CREATE TABLE bare AS SELECT * FROM bi_health_metric_rows LIMIT 0"))
        for file in files:
            with file.open("rb") as rows, driver_cursor(connection) as cursor:
                cursor.copy_expert("COPY bare FROM STDIN (FORMAT binary)", rows)
    with warehouse.transaction() as connection:
        connection.execute(text("DROP TABLE bare"))


@contextmanager
def driver_cursor(connection: Connection) -> Iterator[Any]:
    """The driver's own cursor, which can COPY."""
    with connection.connection.cursor() as cursor:
        yield cursor
