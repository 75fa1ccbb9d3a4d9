"""The warehouse as one value: opened once a process, handed to whatever reads or writes it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Self

from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError

from healthmate_bi_pipeline.errors import HealthMateError, UsageError
from healthmate_bi_pipeline.warehouse.failures import (
    INSUFFICIENT_PRIVILEGE,
    as_health_mate_error,
    sqlstate,
    translated,
)
from healthmate_bi_pipeline.warehouse.locks import advisory_key, hold_keys, hold_window
from healthmate_bi_pipeline.warehouse.migration import migrate
from healthmate_bi_pipeline.warehouse.reading import ensure_reader
from healthmate_bi_pipeline.warehouse.server import CONNECT_SECONDS, database_url, unreachable
from healthmate_bi_pipeline.warehouse.sessions import session_name

if TYPE_CHECKING:
    from types import TracebackType

    from healthmate_bi_pipeline.domain.period import Window
    from healthmate_bi_pipeline.settings import Settings

HOLD_SECONDS = 60.0
"""How long a run waits for another that makes the same window."""


class Warehouse:
    """A connected warehouse whose schema is that of this code.

    >>> with Warehouse.open(settings) as warehouse, warehouse.transaction() as connection:  # doctest: +SKIP
    ...     connection.scalar(text("SELECT count(*) FROM bi_partitions"))
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Start the server if it is the embedded one, connect, and bring the schema up to date.

        Raises:
            UsageError: the database cannot be used as it is; the text says what to do.
            TransientError: the server does not answer.
        """
        url = database_url(settings)
        engine = make_engine(url)
        try:
            engine.connect().close()
        except DBAPIError as error:
            engine.dispose()
            raise unreachable(error, url) from None
        try:
            if migrate(engine):
                _offer_reader(engine)
        except DBAPIError as error:
            engine.dispose()
            if sqlstate(error) == INSUFFICIENT_PRIVILEGE:
                raise UsageError(
                    f"{url.username} may not make tables in the database {url.database}. Ask an administrator"
                    f' for: ALTER DATABASE "{url.database}" OWNER TO "{url.username}";'
                ) from None
            raise as_health_mate_error(error) from None
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    def close(self) -> None:
        """Close the connections. The embedded server goes on until the last process that used it ends."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose work is kept whole, or, when the block raises, not at all.

        Raises:
            TransientError: the connection was lost, or PostgreSQL lacks room or was stopped.
            IntegrityError: PostgreSQL refused the rows.
        """
        with translated(), self.engine.begin() as connection:
            yield connection

    def hold(
        self, asset: str, window: Window, *, wait_seconds: float = HOLD_SECONDS
    ) -> AbstractContextManager[None]:
        """Keep other writers of an asset out of the months that a window touches, until the block ends.

        It dies with its process, so nothing has to be cleaned up after a kill.

        Raises:
            BusyError: another run held one of them for longer than ``wait_seconds``.
        """  # fmt: skip
        return hold_window(self.engine, asset, window, wait_seconds=wait_seconds)

    def hold_alone(self, what: str, *, wait_seconds: float = HOLD_SECONDS) -> AbstractContextManager[None]:
        """Keep every other process from doing the same until the block ends.

        Raises:
            BusyError: another one did it for longer than ``wait_seconds``.
        """  # fmt: skip
        return hold_keys(self.engine, [advisory_key("alone", what)], what=what, wait_seconds=wait_seconds)


def _offer_reader(engine: Engine) -> None:
    """Make the reader's role for analysts who come with programs of their own, where that is allowed."""
    with suppress(HealthMateError, DBAPIError), engine.begin() as connection:
        ensure_reader(connection)


def make_engine(url: URL) -> Engine:
    """An engine whose sessions are in UTC, named after this process, and whose errors show no values."""
    options = " ".join(filter(None, (str(url.query.get("options", "")), "-c TimeZone=UTC")))
    return create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "options": options,
            "application_name": session_name(socket.gethostname(), os.getpid()),
            "connect_timeout": CONNECT_SECONDS,
            # A machine that vanished frees its locks after two minutes and not after two hours.
            "keepalives_idle": 60,
            "keepalives_interval": 15,
            "keepalives_count": 4,
        },
    )
