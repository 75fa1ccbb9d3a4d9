"""Sessions of our processes: each is named after its host and process, so that others see who still works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LONGEST_NAME = 63
"""PostgreSQL cuts what is longer."""

_MARK = "healthmate-bi"


def session_name(host: str, pid: int | str) -> str:
    """What the sessions of a process are called; a long host's name is cut, never the process's number.

    >>> session_name("reports-1", 4711)
    'healthmate-bi 4711 reports-1'
    """
    return f"{_MARK} {pid} {host}"[:_LONGEST_NAME]


def has_session(connection: Connection, *, host: str, pid: int | str) -> bool:
    """Whether a process has a session with this database."""
    asked = text(
        "SELECT EXISTS (SELECT FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = :name)"
    )
    return bool(connection.scalar(asked, {"name": session_name(host, pid)}))
