"""Brings a database to the schema of this code, whoever else opens it at the same moment."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.warehouse.locks import advisory_key

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HEAD = "0011"
"""The newest step; named here so that opening an up-to-date database need not load Alembic."""

VERSION_TABLE = "bi_schema_version"
OLDEST_SERVER = 140000

_log = logging.getLogger(__name__)


def migrate(engine: Engine) -> bool:
    """Bring the database to ``HEAD``; whether there was anything to do.

    Raises:
        UsageError: the database is newer than this code, or its server is too old.
    """
    with engine.connect() as connection:
        if schema_version(connection) == HEAD:
            return False
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": advisory_key("migrate")})
        found = schema_version(connection)
        if found == HEAD:  # somebody else did it while this waited
            return False
        server = int(connection.scalar(text("SHOW server_version_num")) or 0)
        if server < OLDEST_SERVER:
            raise UsageError(
                f"PostgreSQL {server // 10000} is too old: {OLDEST_SERVER // 10000} or newer is needed."
            )
        _upgrade(connection, found)
    return True


def schema_version(connection: Connection) -> str | None:
    """The step that a database is at; ``None`` for an empty one."""
    if connection.scalar(text("SELECT to_regclass(:name)"), {"name": VERSION_TABLE}) is None:
        return None
    version = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    return str(version) if version else None


def _upgrade(connection: Connection, found: str | None) -> None:
    # Loaded only where there is something to do: it takes longer than opening the warehouse.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise UsageError(
            f"The database is at version {found} and this release of healthmate-bi ends at {HEAD}: a newer"
            " release made it. Install that release, or use another database."
        )
    _log.info("warehouse goes from version %s to %s", found or "nothing", HEAD)
    command.upgrade(config, "head")
