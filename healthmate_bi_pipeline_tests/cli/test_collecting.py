"""From this host and a log to figures, by the command line alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from healthmate_bi_pipeline.settings import Settings

LINE = '203.0.113.77 - - [10/Mar/2026:13:55:36 +0000] "GET /users/42 HTTP/1.1" {status} 2326 "-" "Mozilla/5.0" 0.1{number:02}'


def called(settings: Settings, folder: Path, *arguments: str, code: int = 0) -> str:
    """What a command says."""
    assert settings.database_url is not None
    environment = {
        **os.environ,
        "HEALTHMATE_HOME": str(settings.home_path),
        "HEALTHMATE_DATABASE_URL": settings.database_url.get_secret_value(),
    }
    script = "from healthmate_bi_pipeline.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_a_host_and_a_log_become_figures(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    lines = [LINE.format(status=500 if number == 7 else 200, number=number) for number in range(20)]
    log.write_text("\n".join([*lines, "garbage"]) + "\n")
    said = called(settings, tmp_path, "import", "access-log", str(log), "--service", "web")
    assert "1 files, 21 lines, 1 of them set aside." in said
    assert "access.log, line 21: malformed_line" in said
    assert "1 samples in 1 files" in called(
        settings, tmp_path, "collect", "--service", "web", "--instance", "here"
    )
    called(settings, tmp_path, "run")
    rows = json.loads(
        called(
            settings, tmp_path, "sql", "--format", "json",
            "SELECT metric_name, instance_id, metric_value FROM bi_system_performance_metrics"
            " WHERE aggregation_period = 'yearly' AND service_name = 'web' AND environment = 'production'"
            " AND route_group = '*'",
        )
    )  # fmt: skip
    found = {(row["metric_name"], row["instance_id"]): row["metric_value"] for row in rows}
    assert found["requests", "*"] == 20
    assert found["error_rate", "*"] == 0.05
    assert found["response_time_max", "*"] == 119
    assert 0 <= found["cpu_percent_mean", "here"] <= 100
    assert found["memory_percent_mean", "*"] == found["memory_percent_mean", "here"]
    told = called(settings, tmp_path, "sql", "SELECT * FROM bi_performance_incidents", "--format", "csv")
    assert "web,production,error_rate,2026-03-10" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "access-log", "missing.log", "--service", "web"), "missing.log is no file"),
        (("import", "access-log", "a.log", "--service", "*"), "need a name"),
        (("collect", "--instance", "*"), "need a name"),
    ],
)
def test_what_cannot_be_done_is_said(
    settings: Settings, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "a.log").write_text("x\n")
    assert said in called(settings, tmp_path, *arguments, code=1)
