"""What the machine must do at least for a family of figures, whatever its files and tables are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import text

from benchmarks.floors import driver_cursor
from benchmarks.population import connected
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse


def rewrite_by_day(files: Mapping[Path, str], folder: Path) -> None:
    """DuckDB rewrites the landing files as Parquet by day.

    Args:
        files: each with the column of its day.
        folder: where to.
    """
    with connected() as connection:
        for file, moment in files.items():
            connection.execute(
                f"COPY (SELECT *, {moment}::date AS day FROM '{file}')"
                f" TO '{folder / file.stem}' (FORMAT parquet, PARTITION_BY day)"
            )


def export_finished_rows(warehouse: Warehouse, tables: tuple[str, ...], folder: Path) -> dict[str, Path]:
    """All finished rows of some tables as files in PostgreSQL's binary format."""
    files = {table: folder / f"{table}.copy" for table in tables}
    for table, path in files.items():
        with (
            warehouse.transaction() as connection,
            path.open("wb") as file,
            driver_cursor(connection) as cursor,
        ):
            cursor.copy_expert(f"COPY (SELECT * FROM {table}) TO STDOUT (FORMAT binary)", file)
    return files


def read_and_copy(files: Mapping[Path, str], finished: Mapping[str, Path], warehouse: Warehouse) -> None:
    """Read all columns of the landing files once, and copy the finished rows into tables without index."""
    with connected() as connection:
        for file in files:
            columns = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()]
            greatest = ", ".join(f"max({column})" for column in columns)
            connection.execute(f"SELECT {greatest} FROM '{file}'").fetchall()
    for table, path in finished.items():
        with warehouse.transaction() as connection:
            connection.execute(text(f"CREATE TABLE bare AS SELECT * FROM {table} LIMIT 0"))
            with path.open("rb") as rows, driver_cursor(connection) as cursor:
                cursor.copy_expert("COPY bare FROM STDIN (FORMAT binary)", rows)
        with warehouse.transaction() as connection:
            connection.execute(text("DROP TABLE bare"))
