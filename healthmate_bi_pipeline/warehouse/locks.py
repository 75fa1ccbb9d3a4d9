"""Advisory locks: what two writers exclude each other by, and what dies with its process.

A lock also dies with its connection, while the work that it protects goes on over others. So before anything is
committed, to the warehouse or to the lake, ``assert_still_held`` asks whether the locks are still there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from healthmate_bi_pipeline.errors import BusyError, LostLockError
from healthmate_bi_pipeline.warehouse.failures import (
    DEADLOCK_DETECTED,
    LOCK_NOT_AVAILABLE,
    QUERY_CANCELED,
    sqlstate,
    translated,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from healthmate_bi_pipeline.domain.period import Window


# One after the other in the array's order, in one round trip.
_TAKE = text("SELECT pg_advisory_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")
_LIMIT_WAIT = text("SELECT set_config('statement_timeout', :limit, false)")
_SESSION = text("SELECT pg_backend_pid()")


@dataclass(frozen=True)
class _Hold:
    """Some locks, the connection that they belong to, and the server's process at its other end."""

    what: str
    connection: Connection
    session: int


_held: ContextVar[tuple[_Hold, ...]] = ContextVar("_held", default=())
"""The locks that the code that runs now is protected by; a thread of its own begins without any."""


def assert_still_held() -> None:
    """Refuse to go on when a lock was lost that is thought to be held here.

    A session that answers holds its locks; one that was ended (a restart, ``pg_terminate_backend``, a broken
    network) does not, and another run may have begun to write the same.

    Raises:
        LostLockError: nothing more may be written.
    """
    for hold in _held.get():
        try:
            is_held = hold.connection.scalar(_SESSION) == hold.session
        except SQLAlchemyError:
            is_held = False
        if not is_held:
            raise LostLockError(
                f"The connection to PostgreSQL that kept other runs from making {hold.what} was lost, so nothing"
                " more of it is written; what was not committed is undone. Try again."
            )


def advisory_key(*parts: str) -> int:
    """The number that PostgreSQL knows a lock by: 64 bits, signed, the same in every process."""
    digest = hashlib.sha256("\0".join(("healthmate-bi", *parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def window_keys(asset: str, window: Window) -> list[int]:
    """One lock per calendar month that a window touches, in the one order in which all take them."""
    months = sorted({f"{day:%Y-%m}" for day in window.each_day()})
    return sorted(advisory_key("window", asset, month) for month in months)


@contextmanager
def hold_window(engine: Engine, asset: str, window: Window, *, wait_seconds: float) -> Iterator[None]:
    """Keep other writers of an asset out of the months of a window.

    Raises:
        BusyError: another run held a month for longer than ``wait_seconds``.
    """
    with hold_keys(engine, window_keys(asset, window), what=f"{asset} {window}", wait_seconds=wait_seconds):
        yield


@contextmanager
def hold_keys(engine: Engine, keys: Sequence[int], *, what: str, wait_seconds: float) -> Iterator[None]:
    """Hold some locks.

    They belong to a connection of their own, so they are free again as soon as it is gone, however this process ends;
    see ``assert_still_held`` for when that is too early.

    Args:
        engine: of the database whose locks they are.
        keys: in the one order in which all take them.
        what: is made meanwhile.
        wait_seconds: for another holder.

    Raises:
        BusyError: another process held one for longer than that.
    """
    with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Closed at the end and not put back into the pool: with the connection all its locks are gone.
        connection.detach()
        try:
            connection.execute(_LIMIT_WAIT, {"limit": f"{max(1, round(wait_seconds * 1000))}ms"})
            connection.execute(_TAKE, {"keys": list(keys)})
            connection.execute(text("SET statement_timeout = 0"))
        except DBAPIError as error:
            if sqlstate(error) in (QUERY_CANCELED, LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED):
                raise BusyError(
                    f"{what} is being made by another run, which did not finish within {wait_seconds:g} s. Try again"
                    " when it is done."
                ) from None
            raise
        token = _held.set((*_held.get(), _Hold(what, connection, int(connection.scalar(_SESSION) or 0))))
        try:
            yield
        finally:
            _held.reset(token)
