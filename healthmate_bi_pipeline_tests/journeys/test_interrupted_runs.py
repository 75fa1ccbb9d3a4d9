"""The command line's runs, killed and doubled: the last good state stays, and the tables end the same."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import URL, NullPool, create_engine, text

from healthmate_bi_pipeline.sources.demo import write_demo
from healthmate_bi_pipeline_tests.running import csv_text

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-c", "from healthmate_bi_pipeline.cli.main import main; main()"]
LONG_SECONDS = 300  # a run that waits for a dead one would wait for ever
SNAPSHOT = {
    "figures": "SELECT to_jsonb(v) - 'created_at' - 'updated_at' AS row FROM bi_aggregated_health_metrics v",
    "groups": "SELECT to_jsonb(g) - 'created_at' - 'updated_at' AS row FROM bi_health_groups g",
    "files": "SELECT file_hash, lines, rows, rejected, staged, undated FROM bi_ingested_files",
    # The version of what a state holds; the other assets' versions tell the way that they were made.
    "books": "SELECT asset, partition, rows, counts::text, CASE WHEN asset LIKE 'state/%' THEN output_version END AS version"
    " FROM bi_partitions WHERE rows > 0",
}


@dataclass(frozen=True)
class Home:
    """A home and a database of its own."""

    path: Path
    url: URL

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HEALTHMATE_", "DAGSTER_"))
        }
        address = self.url.render_as_string(hide_password=False)
        return kept | {"HEALTHMATE_HOME": str(self.path), "HEALTHMATE_DATABASE_URL": address}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=LONG_SECONDS)
        assert process.returncode == 0, err
        return out + err

    def query(self, sql: str, *, database: str | None = None) -> pd.DataFrame:
        url = self.url.set(database=database) if database else self.url
        with create_engine(url, poolclass=NullPool).connect() as connection:
            return pd.DataFrame(connection.execute(text(sql)).mappings().all())

    def snapshot(self) -> dict[str, list[str]]:
        return {name: sorted(map(str, self.query(sql).to_numpy().tolist())) for name, sql in SNAPSHOT.items()}


@pytest.fixture(scope="module")
def new_home(
    new_database: Callable[[URL], URL], _migrated_template: URL, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Home]:
    landing = tmp_path_factory.mktemp("files") / "landing"
    write_demo(landing, people=6, first_day=date(2026, 2, 20), last_day=date(2026, 3, 4))

    def make() -> Home:
        home = Home(tmp_path_factory.mktemp("home") / "home", new_database(_migrated_template))
        shutil.copytree(landing, home.path / "landing")
        return home

    return make


@pytest.fixture(scope="module")
def undisturbed(new_home: Callable[[], Home]) -> dict[str, list[str]]:
    home = new_home()
    home.run("run")
    return home.snapshot()


def test_a_run_killed_again_and_again_ends_where_an_undisturbed_one_does(
    new_home: Callable[[], Home], undisturbed: dict[str, list[str]]
) -> None:
    home = new_home()
    for seconds in (1.5, 3, 4.5, 6, 8, 10, 12):
        process = home.start("run")
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    home.run("run")  # without waiting for the dead ones
    assert home.snapshot() == undisturbed
    unfinished = home.query("SELECT outcome FROM bi_pipeline_runs WHERE outcome = 'running'")
    assert unfinished.empty


def test_two_runs_at_once_end_where_one_does(
    new_home: Callable[[], Home], undisturbed: dict[str, list[str]]
) -> None:
    home = new_home()
    both = [home.start("run"), home.start("run")]
    for process in both:
        _, err = process.communicate(timeout=LONG_SECONDS)
        assert process.returncode == 0, err
    assert home.snapshot() == undisturbed


TOKEN = "PLANTED7391"
VALUE = "163.717171"
PERSON = "918273645546"


def test_no_value_of_a_person_leaks_into_logs_events_or_published_reports(
    new_home: Callable[[], Home],
) -> None:
    home = new_home()
    shutil.rmtree(home.path / "landing")
    folder = home.path / "landing" / "health_readings"
    folder.mkdir(parents=True)
    row = {"user_id": PERSON, "metric": "blood_pressure_systolic", "unit": "mmHg", "source": TOKEN}
    rows = [
        {**row, "value": VALUE, "recorded_at": "2026-03-01 08:00"},
        {**row, "value": f"{VALUE}9999", "recorded_at": "2026-03-01 09:00", "unit": TOKEN},
        {**row, "value": TOKEN, "recorded_at": "2026-03-01 10:00"},
        {**row, "value": VALUE, "recorded_at": TOKEN},
        {**row, "value": VALUE, "recorded_at": "2026-03-01 11:00", "metric": TOKEN},
        {**row, "value": VALUE, "recorded_at": "2026-03-01 12:00", "user_id": TOKEN},
    ]
    (folder / "readings.csv").write_text(csv_text(rows) + f"{PERSON},{TOKEN}\n")
    output = home.run("run") + home.run("status")
    for planted in (TOKEN, VALUE, PERSON):
        assert planted not in output
        for database in (home.url.database, f"{home.url.database}_dagster"):
            tables = home.query(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
                database=database,
            )["table_name"]
            for table in tables:
                if table.startswith("bi_health_metric_rows") or table in {
                    "bi_identities",
                    "bi_health_starts",
                }:
                    continue  # identified by declaration
                found = home.query(
                    f"SELECT count(*) AS n FROM {table} t WHERE t::text LIKE '%{planted}%'", database=database
                )
                allowed = (
                    table == "bi_health_groups" and planted == VALUE
                )  # the mean of a group of one; limited
                assert allowed or found["n"].iloc[0] == 0, (table, planted)
        for place in ("dagster", "reports"):
            for file in (home.path / place).rglob("*"):
                if file.is_file():
                    assert planted.encode() not in file.read_bytes(), file
