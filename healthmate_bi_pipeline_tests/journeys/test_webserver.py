"""The webservers, as the deployment starts them: engineers backfill what they like, analysts see it and change nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import requests

from healthmate_bi_pipeline.domain.period import Period, midnight
from healthmate_bi_pipeline.orchestration.instance import prepare_dagster_home
from healthmate_bi_pipeline.settings import Settings

pytestmark = pytest.mark.slow

MODULE = "healthmate_bi_pipeline.definitions"
LONG_SECONDS = 120
OF_JOB = f'repositoryLocationName: "{MODULE}", repositoryName: "__repository__"'
USERS = 'assetKey: {path: ["raw", "users"]}'
DAY = "2026-03-01"
REFUSED = {
    "launchRun": f'launchRun(executionParams: {{selector: {{{OF_JOB}, jobName: "refresh"}}, mode: "default"}})',
    "launchPartitionBackfill": "launchPartitionBackfill(backfillParams: {partitionsByAssets: "
    f'[{{{USERS}, partitions: {{range: {{start: "{DAY}", end: "{DAY}"}}}}}}]}})',
    "startSchedule": f'startSchedule(scheduleSelector: {{{OF_JOB}, scheduleName: "figures_daily"}})',
    "startSensor": f'startSensor(sensorSelector: {{{OF_JOB}, sensorName: "late_data"}})',
    "reloadWorkspace": "reloadWorkspace",
    "reloadRepositoryLocation": f'reloadRepositoryLocation(repositoryLocationName: "{MODULE}")',
    "wipeAssets": f"wipeAssets(assetPartitionRanges: [{{{USERS}}}])",
    "reportRunlessAssetEvents": "reportRunlessAssetEvents(eventParams: {eventType: ASSET_MATERIALIZATION, "
    f'{USERS}, partitionKeys: ["{DAY}"]}})',
}
"""What people do in the UI, as its GraphQL says it."""


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    assert settings.database_url is not None
    monkeypatch.setenv("HEALTHMATE_HOME", str(settings.home_path))
    monkeypatch.setenv("HEALTHMATE_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("DAGSTER_HOME", str(settings.home_path / "dagster"))
    prepare_dagster_home(settings)
    return settings


@contextmanager
def _webserver(log: Path, *arguments: str) -> Iterator[str]:
    """Where the GraphQL of a webserver is."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(Path(sys.executable).with_name("dagster-webserver"))
    command = [program, *arguments, "--host", "127.0.0.1", "--port", str(port), "--module-name", MODULE]
    with log.open("w") as written:
        process = subprocess.Popen(
            command, cwd=Path(__file__).parents[2], stdout=written, stderr=subprocess.STDOUT, env=os.environ
        )
        try:
            yield _when_it_answers(f"http://127.0.0.1:{port}", process, log)
        finally:
            process.terminate()
            process.wait(timeout=LONG_SECONDS)


def _when_it_answers(address: str, process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(LONG_SECONDS):
        assert process.poll() is None, log.read_text()
        try:
            requests.get(f"{address}/server_info", timeout=5).raise_for_status()
        except requests.ConnectionError:
            time.sleep(1)
        else:
            return f"{address}/graphql"
    raise AssertionError(log.read_text())


def _ask(address: str, query: str) -> dict[str, Any]:
    answered = requests.post(address, json={"query": query}, timeout=LONG_SECONDS)
    data: dict[str, Any] = answered.json()["data"]
    return data


def test_analysts_see_everything_and_change_nothing(environment: Settings, tmp_path: Path) -> None:
    with _webserver(tmp_path / "log", "--read-only") as address, dg.DagsterInstance.get() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(["raw", "users"], partition=DAY))

        @dg.job
        def waiting() -> None: ...

        run = instance.create_run_for_job(waiting)
        of_run = {
            "deleteRun": f'deleteRun(runId: "{run.run_id}")',
            "terminateRun": f'terminateRun(runId: "{run.run_id}", terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY)',
        }
        answers = {
            name: _ask(address, f"mutation {{{mutation} {{__typename}}}}")[name]["__typename"]
            for name, mutation in {**REFUSED, **of_run}.items()
        }
        refused = "TerminateRunFailure"
        assert answers == dict.fromkeys(REFUSED, "UnauthorizedError") | {
            "deleteRun": "UnauthorizedError",
            "terminateRun": refused,
        }

        seen = _ask(
            address, "{runsOrError {... on Runs {results {runId status}}} assetNodes {assetKey {path}}}"
        )
        assert seen["runsOrError"]["results"] == [{"runId": run.run_id, "status": "NOT_STARTED"}]
        assert {"assetKey": {"path": ["raw", "users"]}} in seen["assetNodes"]
        assert instance.all_instigator_state() == []
        assert instance.get_backfills() == []
        assert instance.get_materialized_partitions(dg.AssetKey(["raw", "users"])) == {DAY}


def test_engineers_backfill_running_periods_of_all_lengths_at_once(
    environment: Settings, tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    assets = {
        "raw/health_readings": Period.DAILY,
        "state/health_days": Period.DAILY,
        "state/health_months": Period.MONTHLY,
        "health_metrics/weekly": Period.WEEKLY,
        "health_metrics/quarterly": Period.QUARTERLY,
        "health_metrics/yearly": Period.YEARLY,
    }
    parts = ", ".join(
        f"{{assetKey: {{path: {json.dumps(name.split('/'))}}}, partitions: {{range: {{start: {key}, end: {key}}}}}}}"
        for name, period in assets.items()
        if (key := json.dumps(period.label(period.floor(midnight(today)))))
    )
    with _webserver(tmp_path / "log") as address:
        asked = f"launchPartitionBackfill(backfillParams: {{partitionsByAssets: [{parts}]}})"
        answer = _ask(address, f"mutation {{{asked} {{__typename ... on PythonError {{message}}}}}}")
    assert answer == {"launchPartitionBackfill": {"__typename": "LaunchBackfillSuccess"}}
