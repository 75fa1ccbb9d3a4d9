from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher.base import WorkerStatus
from sqlalchemy import URL, NullPool, create_engine, text

import healthmate_bi_pipeline.orchestration as orchestration
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.orchestration import dead_runs
from healthmate_bi_pipeline.orchestration.dead_runs import process_tags
from healthmate_bi_pipeline.orchestration.instance import (
    CONFIG_FILE_NAME,
    FAST_EVENTS,
    prepare_dagster_home,
)
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.warehouse.sessions import has_session
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[2]
PACKAGED = Path(orchestration.__file__).with_name(CONFIG_FILE_NAME)


def test_the_packaged_configuration_is_that_of_the_repository() -> None:
    assert PACKAGED.read_bytes() == (ROOT / CONFIG_FILE_NAME).read_bytes()


def test_a_home_is_prepared_once(environment: Settings) -> None:
    folder = prepare_dagster_home(environment)
    assert folder == environment.home_path / "dagster"
    assert (folder / CONFIG_FILE_NAME).read_bytes() == PACKAGED.read_bytes()
    assert os.environ["DAGSTER_HOME"] == str(folder)
    assert {name: os.environ[name] for name in FAST_EVENTS} == FAST_EVENTS

    (folder / CONFIG_FILE_NAME).write_text("telemetry: {enabled: false}\n")
    prepare_dagster_home(environment)
    assert (folder / CONFIG_FILE_NAME).read_text() == "telemetry: {enabled: false}\n"
    assert [path.name for path in folder.iterdir()] == [CONFIG_FILE_NAME]


def test_what_the_user_has_set_stays(
    environment: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "theirs"))
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "7")
    assert prepare_dagster_home(environment) == tmp_path / "theirs"
    assert os.environ["DAGSTER_EVENT_BATCH_SIZE"] == "7"


def test_runs_are_kept_beside_the_warehouse(
    instance: dg.DagsterInstance, environment: Settings, database_url: URL
) -> None:
    assert instance.telemetry_enabled is False

    @dg.asset
    def thing() -> None: ...

    run_id = dg.materialize([thing], instance=instance).run_id
    engine = create_engine(database_url.set(database=f"{database_url.database}_dagster"), poolclass=NullPool)
    with engine.connect() as connection:
        runs = connection.execute(text("SELECT run_id, status FROM runs")).all()
    assert runs == [(run_id, "SUCCESS")]


def test_another_process_sees_the_same_instance(instance: dg.DagsterInstance) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization("seen"))
    script = "import dagster as dg; print(dg.DagsterInstance.get().all_asset_keys())"
    seen = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "AssetKey(['seen'])" in seen.stdout


def test_a_wrong_address_is_told(environment: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_dagster_home(environment)
    monkeypatch.setenv("HEALTHMATE_DATABASE_URL", "mysql://somewhere/else")
    with pytest.raises(UsageError, match="only PostgreSQL"):
        dg.DagsterInstance.get().get_runs()


def test_monitoring_learns_that_a_run_was_killed_with_its_code_server(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_runs, "GONE_FOR", timedelta(0))
    script = (
        "import json; from healthmate_bi_pipeline.orchestration.dead_runs import process_tags;"
        "print(json.dumps(process_tags()))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    @dg.job
    def nothing() -> None: ...

    dead = instance.create_run_for_job(nothing, tags=json.loads(said.stdout))
    alive = instance.create_run_for_job(nothing, tags=process_tags())
    launcher = instance.run_launcher
    assert launcher.supports_check_run_worker_health
    found = [launcher.check_run_worker_health(run).status for run in (dead, alive)]
    assert found == [WorkerStatus.FAILED, WorkerStatus.RUNNING]


def test_a_process_is_seen_by_its_session(settings: Settings) -> None:
    with Warehouse.open(settings) as warehouse, warehouse.transaction() as connection:
        own = {"host": socket.gethostname(), "pid": os.getpid()}
        assert has_session(connection, **own)
        assert not has_session(connection, **{**own, "pid": 1})
        assert not has_session(connection, **{**own, "host": "another-host"})
