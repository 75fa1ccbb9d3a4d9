"""Questions that people ask in SQL, answered by somebody who can only read.

Nothing in the text of a question can be trusted. ``SET ROLE`` alone would not hold: whoever took a role on
may lay it down again (``RESET ROLE``, or ``set_config('role', …)`` inside a SELECT). So each question is
asked over a connection of its own, as a login that was made for it, may read what ``READER_TABLES`` names
and nothing else, and is dropped afterwards. On top of that the transaction is read-only, and the text goes to
PostgreSQL as a value that is opened as a cursor, which takes one statement that gives rows and no other.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extensions
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from healthmate_bi_pipeline.catalog.tables import READER_TABLES
from healthmate_bi_pipeline.errors import HealthMateError, UsageError
from healthmate_bi_pipeline.warehouse.failures import (
    DUPLICATE_OBJECT,
    INSUFFICIENT_PRIVILEGE,
    QUERY_CANCELED,
    UNIQUE_VIOLATION,
    as_health_mate_error,
    primary_message,
    sqlstate,
)
from healthmate_bi_pipeline.warehouse.locks import advisory_key
from healthmate_bi_pipeline.warehouse.server import CONNECT_SECONDS

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

    from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

READER_ROLE = "healthmate_reader"
"""Has no login; an administrator may grant it to analysts who come with a program of their own."""

ANSWER_SECONDS = 120.0
_NO_CURSOR = "42P11"
_LOGIN_PREFIX = "healthmate_sql_"
_LOGIN_LIFE = "10 minutes"  # until which it can connect; a question that runs may run on


@dataclass(frozen=True)
class QueryResult:
    """The answer to a question.

    Attributes:
        columns: their names; one may come twice.
        rows: the values, as Python has them.
        is_cut: there are more rows than the limit.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    is_cut: bool = False


def run_query(
    warehouse: Warehouse, sql_text: str, *, limit: int | None = None, seconds: float = ANSWER_SECONDS
) -> QueryResult:
    """Answer one question that only reads.

    Args:
        warehouse: what is asked.
        sql_text: one statement that gives rows.
        limit: how many rows are wanted at most.
        seconds: how long the answer may take.

    Raises:
        UsageError: the question is wrong, asks for what may not be read, or takes too long; or this server
            does not let the reader be made. The text is PostgreSQL's, or says what to do.
    """
    if "\0" in sql_text:
        raise UsageError("The query holds a character that no SQL text can hold (NUL).")
    with _login(warehouse) as url, closing(_connected(url)) as connection:
        connection.set_session(readonly=True)
        with connection.cursor() as cursor:
            try:
                return _answer(cursor, sql_text, limit=limit, seconds=seconds)
            except psycopg2.Error as error:
                raise _excuse(error, seconds) from None
            except (ValueError, OverflowError) as error:  # a date that Python does not know
                raise UsageError(f"The answer holds a value that cannot be shown: {error}.") from None


def ensure_reader(connection: Connection) -> None:
    """Make sure that the reader's role exists and may read what it shall.

    Raises:
        UsageError: this user may not make roles.
    """
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": advisory_key("reader")})
    if not connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": READER_ROLE}):
        try:
            with connection.begin_nested():
                connection.execute(sa.text(f"CREATE ROLE {READER_ROLE} NOLOGIN"))
        except DBAPIError as error:
            # Roles belong to all databases of a server: another database's run may have been faster.
            if sqlstate(error) not in (DUPLICATE_OBJECT, UNIQUE_VIOLATION):
                raise _refusal(error, connection) from None
    asked = {"role": READER_ROLE}
    grants = [
        f"SELECT ON {table}"
        for table in READER_TABLES
        if not connection.scalar(
            sa.text("SELECT has_table_privilege(:role, :table, 'SELECT')"), {**asked, "table": table}
        )
    ]
    if not connection.scalar(sa.text("SELECT has_schema_privilege(:role, current_schema(), 'USAGE')"), asked):
        grants.append(
            f"USAGE ON SCHEMA {_quoted(connection, connection.scalar(sa.select(sa.func.current_schema())))}"
        )
    database = connection.scalar(sa.select(sa.func.current_database()))
    if not connection.scalar(
        sa.text("SELECT has_database_privilege(:role, current_database(), 'CONNECT')"), asked
    ):
        grants.append(f"CONNECT ON DATABASE {_quoted(connection, database)}")
    for grant in grants:
        connection.execute(sa.text(f"GRANT {grant} TO {READER_ROLE}"))


@contextmanager
def _login(warehouse: Warehouse) -> Iterator[URL]:
    """A login that can read, for as long as the block lasts."""
    name, password = f"{_LOGIN_PREFIX}{secrets.token_hex(8)}", secrets.token_urlsafe(24)
    with warehouse.transaction() as connection:
        # Kept also where no login may be made: people with a login of their own read by it.
        ensure_reader(connection)
    with warehouse.transaction() as connection:
        _drop_leftovers(connection)
        driver = connection.connection.driver_connection
        # Hashed here, so that the password is in no log of the server.
        hashed = psycopg2.extensions.encrypt_password(password, name, driver, "scram-sha-256")
        valid_until = connection.scalar(sa.text(f"SELECT (now() + interval '{_LOGIN_LIFE}')::text"))
        try:
            connection.exec_driver_sql(
                f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 1 IN ROLE {READER_ROLE}"
                f" PASSWORD '{hashed}' VALID UNTIL '{valid_until}'"
            )
        except DBAPIError as error:
            raise _refusal(error, connection) from None
    try:
        yield warehouse.engine.url.set(username=name, password=password)
    finally:
        with suppress(HealthMateError), warehouse.transaction() as connection:  # else it runs out
            connection.execute(sa.text(f"DROP ROLE IF EXISTS {name}"))


def _drop_leftovers(connection: Connection) -> None:
    """Drop logins whose process was killed; they have been good for nothing since they ran out."""
    names = connection.scalars(
        sa.text("SELECT rolname FROM pg_roles WHERE starts_with(rolname, :prefix) AND rolvaliduntil < now()"),
        {"prefix": _LOGIN_PREFIX},
    )
    for name in names.all():
        with suppress(DBAPIError), connection.begin_nested():
            connection.execute(sa.text(f"DROP ROLE IF EXISTS {_quoted(connection, name)}"))


def _connected(url: URL) -> psycopg2.extensions.connection:
    _, arguments = url.get_dialect()().create_connect_args(url)
    session = {"options": "-c TimeZone=UTC", "connect_timeout": CONNECT_SECONDS}
    try:
        connection: psycopg2.extensions.connection = psycopg2.connect(**{**arguments, **session})
    except psycopg2.OperationalError as error:
        raise UsageError(
            "The login that `sql` made for itself cannot connect: the server lets in only who is named to it"
            f" ({primary_message(error)}). Let members of {READER_ROLE} in with a password (pg_hba.conf:"
            " scram-sha-256), or ask with psql."
        ) from None
    return connection


def _answer(
    cursor: psycopg2.extensions.cursor, sql_text: str, *, limit: int | None, seconds: float
) -> QueryResult:
    cursor.execute(
        "SELECT set_config('statement_timeout', %s, true)", (f"{max(1, round(seconds * 1000))}ms",)
    )
    cursor.execute("SELECT set_config('healthmate.question', %s, true)", (sql_text,))
    cursor.execute(_OPEN)
    if limit is None:
        cursor.execute("FETCH ALL FROM answer")
    else:
        cursor.execute("FETCH FORWARD %s FROM answer", (limit + 1,))
    rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return QueryResult(
        columns=tuple(column.name for column in cursor.description or ()),
        rows=list(rows[:limit]),
        is_cut=limit is not None and len(rows) > limit,
    )


_OPEN = """
DO $$
DECLARE
    answer refcursor := 'answer';
BEGIN
    OPEN answer FOR EXECUTE current_setting('healthmate.question');
END
$$
"""


def _excuse(error: psycopg2.Error, seconds: float) -> UsageError:
    if sqlstate(error) == QUERY_CANCELED:
        return UsageError(f"The query took longer than {seconds:g} s. Ask for less.")
    said = primary_message(error)
    if sqlstate(error) == _NO_CURSOR:  # several statements, none, or one without rows
        return UsageError(
            "Only one statement that gives rows can be asked: SELECT, WITH, VALUES, EXPLAIN or SHOW."
        )
    hint = getattr(error.diag, "message_hint", None)
    return UsageError(f"PostgreSQL: {said}.{f' {hint}' if hint else ''}")


def _refusal(error: DBAPIError, connection: Connection) -> Exception:
    if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
        return as_health_mate_error(error)
    user = connection.engine.url.username
    return UsageError(
        f"`sql` asks as a login that can only read, and {user} may not make one. Ask an administrator for:"
        f' CREATE ROLE {READER_ROLE}; ALTER ROLE "{user}" CREATEROLE; GRANT {READER_ROLE} TO "{user}" WITH'
        " ADMIN OPTION; or ask with psql."
    )


def _quoted(connection: Connection, name: object) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(str(name))
