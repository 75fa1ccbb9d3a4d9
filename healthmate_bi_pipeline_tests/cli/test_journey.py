"""The commands of the README, one after the other, as a person would type them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from healthmate_bi_pipeline.settings import Settings

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-c", "from healthmate_bi_pipeline.cli.main import main; main()"]


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    assert settings.database_url is not None
    return {
        **os.environ,
        "HEALTHMATE_HOME": str(settings.home_path),
        "HEALTHMATE_DATABASE_URL": settings.database_url.get_secret_value(),
    }


def _call(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_demo_run_status_sql_report(environment: dict[str, str], settings: Settings) -> None:
    assert (
        _call(environment, "demo", "--people", "12", "--from", "2026-01-26", "--to", "2026-02-03").returncode
        == 0
    )
    ran = _call(environment, "run")
    assert ran.returncode == 0, ran.stderr
    assert f"Reports: {settings.reports_path / 'index.html'}" in ran.stdout
    assert "made health_metrics/daily" in ran.stderr

    _assert_nothing_is_stale(environment)

    asked = "SELECT count(*) AS n FROM bi_aggregated_health_metrics WHERE aggregation_period = 'monthly'"
    (answer,) = json.loads(_call(environment, "sql", asked, "--format", "json").stdout)
    assert answer["n"] >= 12

    days = ("--from", "2026-01-27", "--to", "2026-02-01")
    written = _call(environment, "report", "health_summary", *days, "--by", "An analyst")
    assert written.returncode == 0, written.stderr
    html, document = (Path(line) for line in sorted(written.stdout.split()))
    assert html.read_text().lower().startswith("<!doctype html>")
    assert json.loads(document.read_text())["generated_by"] == "An analyst"
    assert html.with_name("v1.metrics.csv").read_text().startswith("figure,label,unit,value,status,people")


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_stopped_run_is_taken_up_by_the_next(
    environment: dict[str, str], stop: signal.Signals, code: int
) -> None:
    _call(environment, "demo", "--people", "12", "--from", "2026-01-26", "--to", "2026-02-03")
    # A job in the background of a shell ignores Ctrl-C, and its children with it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen([*PROGRAM, "run"], env=environment, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("made raw/activity_intervals"):
            process.send_signal(stop)
            break
    rest = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=120) == code
    assert "failed" not in rest
    again = _call(environment, "run")
    assert again.returncode == 0, again.stderr
    gone = "1 runs of processes that are gone were marked as failed."
    assert (gone in again.stderr) == (stop is signal.SIGKILL)
    _assert_nothing_is_stale(environment)


def test_two_runs_at_once_do_not_hurt_each_other(environment: dict[str, str]) -> None:
    _call(environment, "demo", "--people", "12", "--from", "2026-01-26", "--to", "2026-02-03")
    both = [
        subprocess.Popen([*PROGRAM, "run"], env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    _assert_nothing_is_stale(environment)


def _assert_nothing_is_stale(environment: dict[str, str]) -> None:
    lines = _call(environment, "status").stdout.splitlines()
    of_assets = [line for line in lines if line.startswith(("raw/", "state/", "health_metrics/", "reports/"))]
    assert of_assets
    assert [line for line in of_assets if line.split()[-1] != "-"] == []


def test_the_ui_starts_answers_and_stops(environment: dict[str, str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([*PROGRAM, "ui", "--port", str(port)], env=environment)
    try:
        nodes = _when_up(port, "{assetNodes{assetKey{path} partitionKeys}}")["assetNodes"]
        assert {"/".join(node["assetKey"]["path"]) for node in nodes} >= {"raw/users", "health_metrics/daily"}
        taken = _call(environment, "ui", "--port", str(port))
        assert taken.returncode == 1
        assert f"Port {port} of 127.0.0.1 is taken" in taken.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
    assert code == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def _when_up(port: int, query: str) -> dict:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json"},
    )
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
