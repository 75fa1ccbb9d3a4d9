"""The warehouse as one value: opened once a process, handed to whatever reads or writes it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Self

from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError

from healthmate_bi_pipeline.errors import HealthMateError, LostServerError, TransientError, UsageError
from healthmate_bi_pipeline.warehouse.failures import (
    INSUFFICIENT_PRIVILEGE,
    as_health_mate_error,
    sqlstate,
    translated,
)
from healthmate_bi_pipeline.warehouse.locks import advisory_key, assert_still_held, hold_keys, hold_window
from healthmate_bi_pipeline.warehouse.migration import migrate
from healthmate_bi_pipeline.warehouse.reading import ensure_reader
from healthmate_bi_pipeline.warehouse.server import CONNECT_SECONDS, database_url, telling_losses, unreachable
from healthmate_bi_pipeline.warehouse.sessions import session_name

if TYPE_CHECKING:
    from types import TracebackType

    from healthmate_bi_pipeline.domain.period import Window
    from healthmate_bi_pipeline.settings import Settings

HOLD_SECONDS = 60.0
"""How long a run waits for another that makes the same window."""

BACK_SECONDS = 60.0
"""How long a server that went away may take to be back: what is tried again before would fail again."""


class Warehouse:
    """A connected warehouse whose schema is that of this code.

    >>> with Warehouse.open(settings) as warehouse, warehouse.transaction() as connection:  # doctest: +SKIP
    ...     connection.scalar(text("SELECT count(*) FROM bi_partitions"))
    """

    def __init__(self, engine: Engine, *, settings: Settings | None = None) -> None:
        self.engine = engine
        self._settings = settings

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Start the server if it is the embedded one, connect, and bring the schema up to date.

        Raises:
            UsageError: the database cannot be used as it is; the text says what to do.
            TransientError: the server does not answer, or has no room.
        """
        with telling_losses(settings):
            return cls._opened(settings)

    @classmethod
    def _opened(cls, settings: Settings) -> Self:
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
        return cls(engine, settings=settings)

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
    def transaction(self, *, needs_locks: bool = True) -> Iterator[Connection]:
        """A connection whose work is kept whole, or, when the block raises, not at all.

        Args:
            needs_locks: nothing is kept when a lock of this writer was lost meanwhile; ``False`` for what no lock
                protects, like the record of a failure.

        Raises:
            LostLockError: a lock that ``hold`` gave is gone.
            LostServerError: the connection broke; where the server is back soon, it is when this is raised.
            TransientError: PostgreSQL lacks room, or has ended the work.
            IntegrityError: PostgreSQL refused the rows.
        """
        with telling_losses(self._settings):
            try:
                with translated(), self.engine.begin() as connection:
                    yield connection
                    if needs_locks:
                        assert_still_held()
            except LostServerError:
                self.wait_for_server()
                raise

    def wait_for_server(self) -> bool:
        """Wait until the server answers, and start it if it is the embedded one; whether it did in time."""
        deadline = time.monotonic() + BACK_SECONDS
        pause = 0.2
        while True:
            try:
                if self._settings is not None:
                    database_url(self._settings)
                self.engine.connect().close()
            except (DBAPIError, TransientError):
                if time.monotonic() + pause > deadline:
                    return False
                time.sleep(pause)
                pause = min(2 * pause, 5.0)
            else:
                return True

    def hold(
        self, asset: str, window: Window, *, wait_seconds: float = HOLD_SECONDS
    ) -> AbstractContextManager[None]:
        """Keep other writers of an asset out of the months that a window touches, until the block ends.

        It dies with its process, so nothing has to be cleaned up after a kill. It dies with its connection too: then
        nothing that the block writes is committed any more.

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


_NOTICING_DEATH = (
    "-c tcp_keepalives_idle=60",
    "-c tcp_keepalives_interval=15",
    "-c tcp_keepalives_count=4",
    "-c tcp_user_timeout=120000",
)
"""By which the server notices after two minutes, and not after two hours, that our machine vanished, and frees its locks."""


def make_engine(url: URL) -> Engine:
    """An engine whose sessions are in UTC, named after this process, and whose errors show no values."""
    options = " ".join(filter(None, (str(url.query.get("options", "")), "-c TimeZone=UTC", *_NOTICING_DEATH)))
    return create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "options": options,
            "application_name": session_name(socket.gethostname(), os.getpid()),
            "connect_timeout": CONNECT_SECONDS,
            # A server that vanished is noticed after two minutes and not after two hours.
            "keepalives_idle": 60,
            "keepalives_interval": 15,
            "keepalives_count": 4,
            "tcp_user_timeout": 120_000,
        },
    )
