"""Dagster's instance: where runs and events are kept, and the folder that command line and UI share.

The only module with private imports of Dagster: a storage and a launcher of one's own cannot be written without
them. The version of Dagster is pinned and a test runs this against a real server.
"""

import logging
import os
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

from healthmate_bi_pipeline.errors import HealthMateError
from healthmate_bi_pipeline.orchestration.dead_runs import GONE, Obituaries
from healthmate_bi_pipeline.settings import Settings, load_settings
from healthmate_bi_pipeline.warehouse.server import dagster_database_url, making_dagster_tables
from healthmate_bi_pipeline.warehouse.sessions import has_session
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

CONFIG_FILE_NAME = "dagster.yaml"

FAST_EVENTS = {
    # One insert for up to so many events of a step, instead of one for each.
    "DAGSTER_EVENT_BATCH_SIZE": "1000",
    # One "planned" event for a range of partitions, instead of one for each.
    "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",
}
"""Environment without which a backfill mostly writes events: 8,760 partitions in 126 s, with it in 6 s."""


class HealthMateStorage(DagsterPostgresStorage):
    """Runs, events and schedules in PostgreSQL: beside the warehouse, in a database of their own.

    ``dagster.yaml`` names this class, because it cannot say "the embedded server if no URL is set".
    """

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing: the settings say it all."""
        return {}

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: object,  # noqa: ARG003 - the signature is Dagster's
    ) -> Self:
        """Connect, and start the server if it is the embedded one.

        Raises:
            UsageError: the database cannot be used as it is; the text says what to do.
            TransientError: the server does not answer.
        """
        url = dagster_database_url(load_settings())
        with making_dagster_tables(url):
            return cls(postgres_url=url.render_as_string(hide_password=False), inst_data=inst_data)


class HealthMateRunLauncher(dg.DefaultRunLauncher):
    """Launches runs in the code server, and lets Dagster's monitoring ask whether their processes are still there.

    Dagster's own cannot tell: when the code server is killed together with its runs, as a container or a machine is,
    they stay "started", and the queue waits for them for ever.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self._obituaries = Obituaries()

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether a process works on a started run; as long as the warehouse does not answer, nobody can say."""
        try:
            is_gone = self._obituaries.is_gone(
                self._instance, run, has_session=_has_session, now=datetime.now(UTC)
            )
        except HealthMateError:
            is_gone = False
        return CheckRunHealthResult(
            WorkerStatus.FAILED if is_gone else WorkerStatus.RUNNING, GONE if is_gone else None
        )


def _has_session(host: str, pid: str) -> bool:
    with Warehouse.open(load_settings()) as warehouse, warehouse.transaction() as connection:
        return has_session(connection, host=host, pid=pid)


def prepare_dagster_home(settings: Settings) -> Path:
    """Make this process and its children use the one instance, and write its events fast.

    Puts the packaged ``dagster.yaml`` into ``DAGSTER_HOME`` where there is none, and sets the environment
    where the user has not. To be called before an instance is opened.

    Returns:
        The folder.
    """
    settings.make_home()
    folder = settings.dagster_path
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / CONFIG_FILE_NAME
    if not config.exists():
        # Renamed into place: another process may be reading it at this moment.
        part = folder / f".{CONFIG_FILE_NAME}.{uuid4().hex}"
        part.write_bytes(files(__package__).joinpath(CONFIG_FILE_NAME).read_bytes())
        part.replace(config)
    os.environ.setdefault("DAGSTER_HOME", str(folder))
    for name, value in FAST_EVENTS.items():
        os.environ.setdefault(name, value)
    logging.getLogger().addFilter(_shorten_retries)
    return folder


def _shorten_retries(record: logging.LogRecord) -> bool:
    """One sentence for each try of Dagster's to connect, in place of the driver's whole complaint."""
    if str(record.msg).startswith("Retrying failed database connection"):
        record.msg, record.args = "PostgreSQL does not answer; trying again.", ()
    return True
