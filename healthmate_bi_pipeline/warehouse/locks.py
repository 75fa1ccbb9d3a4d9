"""Advisory locks: what two writers exclude each other by, and what dies with its process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from healthmate_bi_pipeline.errors import BusyError
from healthmate_bi_pipeline.warehouse.failures import (
    DEADLOCK_DETECTED,
    LOCK_NOT_AVAILABLE,
    QUERY_CANCELED,
    sqlstate,
    translated,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from healthmate_bi_pipeline.domain.period import Window


# One after the other in the array's order, in one round trip.
_TAKE = text("SELECT pg_advisory_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")
_LIMIT_WAIT = text("SELECT set_config('statement_timeout', :limit, false)")


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

    They belong to a connection of their own, so they are free again as soon as it is gone, however this process ends.

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
        yield
