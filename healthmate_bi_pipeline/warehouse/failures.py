"""What PostgreSQL's errors are called here.

PostgreSQL's own texts quote values (``Key (user_id)=(7) already exists``), so none of them is passed on
except where it can only name tables and columns (DESIGN, rule 12).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from healthmate_bi_pipeline.errors import (
    DiskFullError,
    HealthMateError,
    IntegrityError,
    LostServerError,
    TransientError,
    UsageError,
)

DriverError = DBAPIError | psycopg2.Error

INSUFFICIENT_PRIVILEGE = "42501"
DUPLICATE_DATABASE = "42P04"
DUPLICATE_OBJECT = "42710"
UNIQUE_VIOLATION = "23505"
UNDEFINED_DATABASE = "3D000"
QUERY_CANCELED = "57014"
LOCK_NOT_AVAILABLE = "55P03"
DEADLOCK_DETECTED = "40P01"

DISK_FULL = "53100"

_REASONS = {
    "25006": "PostgreSQL takes no writes at the moment",  # a standby, or one that its disk's guard has closed
    "53300": "PostgreSQL takes no more connections",
    "57P01": "PostgreSQL was stopped, or somebody ended this connection",
    "57P02": "PostgreSQL crashed and comes back",
    "57P03": "PostgreSQL is starting or stopping",
}
"""What the most usual errors that pass are about."""

_LOST = ("57P01", "57P02", "57P03", "08")

_PASSING_CLASSES = ("08", "40", "53", "55", "57", "58")
"""Connection, rollback (serialization, deadlock), resources, prerequisite state, operator, system."""


def sqlstate(error: DriverError) -> str | None:
    """The five characters by which PostgreSQL names an error; ``None`` when the connection is gone."""
    code = getattr(_original(error), "pgcode", None)
    return str(code) if code else None


def primary_message(error: DriverError) -> str:
    """PostgreSQL's first line, which may quote values: for its user's eyes, not for a log."""
    original = _original(error)
    message = getattr(getattr(original, "diag", None), "message_primary", None) or str(original)
    return " ".join(message.split())


def as_health_mate_error(error: DriverError) -> HealthMateError:
    """The error of our tree that an error of PostgreSQL is, without any value of a row."""
    code = sqlstate(error)
    if code == DISK_FULL:
        return DiskFullError(
            "The disk of PostgreSQL is full; what was not committed is undone. Free space on the server's disk and"
            " run again."
        )
    if code is None:
        return LostServerError(
            "The connection to PostgreSQL was lost; what was not committed is undone. Try again."
        )
    if code in _REASONS or code.startswith(_PASSING_CLASSES):
        reason = _REASONS.get(code, "PostgreSQL stopped the work")
        kind = LostServerError if code.startswith(_LOST) else TransientError
        return kind(f"{reason} ({code}); what was not committed is undone. Try again.")
    if code == INSUFFICIENT_PRIVILEGE:
        return UsageError(f"PostgreSQL does not allow this: {primary_message(error)}.")
    diagnostics = getattr(_original(error), "diag", None)
    names = (
        f"{label} {value}"
        for label, attribute in (
            ("table", "table_name"),
            ("column", "column_name"),
            ("constraint", "constraint_name"),
        )
        if (value := getattr(diagnostics, attribute, None))
    )
    # Class 42 is about names and syntax; every other text may quote what stands in a row.
    detail = primary_message(error) if code.startswith("42") else ", ".join(names)
    said = f"{code}: {detail}" if detail else code
    return IntegrityError(f"PostgreSQL refused what was to be written ({said}); nothing of it was kept.")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the errors of SQLAlchemy and of the driver into those of ``errors.py``."""
    try:
        yield
    except (DBAPIError, psycopg2.Error) as error:
        raise as_health_mate_error(error) from None
    except PoolTimeoutError:
        raise TransientError("All connections to PostgreSQL are in use; try again when less runs.") from None


def _original(error: DriverError) -> object:
    return error.orig if isinstance(error, DBAPIError) else error
