"""PostgreSQL goes away in the middle of a run, which goes on when it is back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import text

from healthmate_bi_pipeline.orchestration import failures
from healthmate_bi_pipeline.orchestration.instance import FAST_EVENTS, prepare_dagster_home
from healthmate_bi_pipeline.orchestration.run import run_pipeline
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.warehouse import books, embedded
from healthmate_bi_pipeline.warehouse.postmaster import read_postmaster
from healthmate_bi_pipeline.warehouse.server import database_url
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse
from healthmate_bi_pipeline_tests.orchestration.toys import Toys

pytestmark = pytest.mark.slow

DAY = date(2026, 3, 1)


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> Toys:
    monkeypatch.setattr(failures, "FIRST_WAIT_SECONDS", 0.1)
    return Toys(inputs={"raw/toys": {DAY: 1}, "state/days": {DAY: 1}, "state/months": {DAY: 1}})


def at_home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HEALTHMATE_HOME", str(settings.home))
    if settings.database_url is not None:
        monkeypatch.setenv("HEALTHMATE_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("HEALTHMATE_START_DATE", "2026-03-01")
    for name in ("DAGSTER_HOME", *FAST_EVENTS):  # set by what is tested; taken back by this
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    prepare_dagster_home(settings)
    return settings


def once(action: Callable[[], None]) -> Callable[[], None]:
    done: list[bool] = []

    def act() -> None:
        if not done:
            done.append(True)
            action()

    return act


def kill_server(folder: Path) -> None:
    server = read_postmaster(folder / "data").process
    assert server is not None
    server.send_signal(signal.SIGKILL)
    server.wait(timeout=30)


def run(settings: Settings, toys: Toys) -> list[str]:
    return run_pipeline(
        settings, first_day=DAY, last_day=DAY, select=["raw", "state"], assets=toys.graph()
    ).failures


def booked(settings: Settings, asset: str) -> int:
    with Warehouse.open(settings) as warehouse, warehouse.transaction() as connection:
        return len(books.partition_records(connection, asset))


def statuses() -> list[dg.DagsterRunStatus]:
    with dg.DagsterInstance.get() as instance:
        return [run.status for run in instance.get_runs()]


def test_the_embedded_server_is_killed(
    embedded_home: Path, toys: Toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = at_home(Settings(home=embedded_home, start_date=DAY), monkeypatch)
    toys.failing["state/days"] = once(lambda: kill_server(settings.postgres_path))
    assert run(settings, toys) == []
    assert booked(settings, "state/days") == booked(settings, "state/months") == 1
    assert set(statuses()) <= {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}


def test_a_server_of_somebody_elses_is_restarted(
    embedded_home: Path, toys: Toys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    theirs = Settings(home=embedded_home)
    address = database_url(theirs).render_as_string(hide_password=False)
    settings = at_home(Settings(home=tmp_path / "home", database_url=address, start_date=DAY), monkeypatch)
    restart = threading.Timer(3, lambda: embedded.running_server(theirs.postgres_path))

    def stop() -> None:
        kill_server(theirs.postgres_path)
        restart.start()

    toys.failing["state/days"] = once(stop)
    try:
        assert run(settings, toys) == []
    finally:
        restart.join()
    assert booked(settings, "state/days") == booked(settings, "state/months") == 1


END_SESSIONS = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()"
)


def test_all_connections_are_ended_while_a_step_works(
    settings: Settings, toys: Toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.database_url is not None
    at_home(settings.model_copy(update={"start_date": DAY}), monkeypatch)
    name = settings.database_url.get_secret_value().partition("?")[0].rpartition("/")[2]

    def end_sessions() -> None:
        with Warehouse.open(settings) as warehouse, warehouse.transaction() as connection:
            connection.execute(END_SESSIONS, {"name": name})
            connection.execute(END_SESSIONS, {"name": f"{name}_dagster"})

    toys.failing["state/days"] = once(end_sessions)
    assert run(settings, toys) == []
    assert booked(settings, "state/days") == 1
