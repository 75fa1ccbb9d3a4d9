"""``healthmate-bi alerts``, as a person and as cron call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.alerts.telling import tell_alerts
from healthmate_bi_pipeline.warehouse import runs
from healthmate_bi_pipeline_tests.receivers import hook_server
from healthmate_bi_pipeline_tests.running import opened

PROGRAM = [sys.executable, "-c", "from healthmate_bi_pipeline.cli.main import main; main()"]
Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def call(settings: Settings) -> Call:
    assert settings.database_url is not None
    environment = {
        **os.environ,
        "HEALTHMATE_HOME": str(settings.home_path),
        "HEALTHMATE_DATABASE_URL": settings.database_url.get_secret_value(),
    }

    def run(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *arguments], env={**environment, **changed}, capture_output=True, text=True, check=False,
            timeout=300,
        )  # fmt: skip

    return run


def _end(settings: Settings, outcome: str, *, ago: timedelta) -> None:
    at = datetime.now(UTC) - ago
    with opened(settings, now=at) as pipeline, pipeline.warehouse.transaction() as connection:
        run_id = f"{uuid4()}:raw/users:0"
        runs.start_run(connection, run_id=run_id, assets=["raw/users"], window=None, now=at)
        runs.finish_run(connection, run_id=run_id, outcome=outcome, rows=0, now=at)


def test_what_is_open_is_listed(settings: Settings, call: Call) -> None:
    assert call("alerts").stdout == "No alert is open.\n"
    assert call("alerts", "--all").stdout == "There are no alerts.\n"
    _end(settings, "failed", ago=timedelta(hours=1))
    with opened(settings, now=datetime.now(UTC)) as pipeline:
        tell_alerts(pipeline)
    heads, line = call("alerts").stdout.splitlines()
    assert heads.split() == ["severity", "since", "(UTC)", "over", "(UTC)", "alert", "what"]
    assert line.startswith("warning ")
    assert "run:raw/users  1 run of raw/users failed, the last at " in line
    assert "alerts: 1 open, see `healthmate-bi alerts`" in call("status").stdout
    (listed,) = json.loads(call("alerts", "--format", "json").stdout)
    assert (listed["fingerprint"], listed["resolved_at"]) == ("run:raw/users", None)

    _end(settings, "succeeded", ago=timedelta(minutes=30))
    with opened(settings, now=datetime.now(UTC)) as pipeline:
        tell_alerts(pipeline)
        tell_alerts(replace(pipeline, now=pipeline.now + timedelta(minutes=11)))
    assert call("alerts").stdout == "No alert is open.\n"
    assert "run:raw/users" in call("alerts", "--all").stdout


@pytest.mark.slow
def test_cron_sends_and_lists(settings: Settings, call: Call) -> None:
    _end(settings, "failed", ago=timedelta(hours=1))
    with hook_server() as hook:
        address = {"HEALTHMATE_ALERTS__WEBHOOKS__CHAT__URL": f"{hook.url}/t0ken"}
        first, second = call("alerts", "--send", **address), call("alerts", "--send", **address)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "run:raw/users" in first.stdout
    assert "webhook:chat: told of 1" in first.stderr.splitlines()
    assert "told of" not in second.stderr
    assert [body["text"].splitlines()[0] for body in hook.bodies] == ["*HealthMate BI: 1 new (warning)*"]
    assert "t0ken" not in first.stdout + first.stderr


def test_every_channel_is_tried_without_a_database(call: Call) -> None:
    with hook_server() as hook:
        address = {
            "HEALTHMATE_ALERTS__WEBHOOKS__CHAT__URL": f"{hook.url}/t0ken",
            "HEALTHMATE_ALERTS__WEBHOOKS__GONE__URL": "http://localhost:1/t0ken",
        }
        said = call(
            "alerts", "--test", HEALTHMATE_DATABASE_URL="postgresql://nobody@localhost:1/none", **address
        )
    assert said.returncode == 1
    assert said.stdout.splitlines() == [
        "log: took the message", "webhook:chat: took the message",
        "webhook:gone: The webhook was not reached (ConnectionError).",
    ]  # fmt: skip
    assert "t0ken" not in said.stdout + said.stderr
    assert "This is a test" in hook.bodies[0]["text"]
