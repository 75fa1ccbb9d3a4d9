"""A week of operation in some minutes: files arrive day by day, some late, some broken, one corrected; a run is killed, the
server is, two backfills run at once. In the end the tables are those of one clean run over the same files.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from healthmate_bi_pipeline.catalog.tables import TABLES
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources.demo import write_demo
from healthmate_bi_pipeline.warehouse.postmaster import read_postmaster
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-c", "from healthmate_bi_pipeline.cli.main import main; main()"]
LONG_SECONDS = 600
FIRST_DAY, LAST_DAY = date(2026, 2, 10), date(2026, 2, 19)
"""Within a month: what is frozen at a month's end (baselines, churn) tells what was known then, and is left out."""

WEEK = 7
LATE = {("health_readings", 3): 5, ("app_events", 4): 6, ("api_requests", 2): 5}
"""Parts that come on a later day of the week than the others: dataset and number of the part."""

OWN_TO_A_RUN = {
    "bi_ingested_files", "bi_ingested_file_days", "bi_partitions", "bi_reports", "bi_restatements", "bi_audit_log",
    "bi_pipeline_runs", "bi_check_results", "bi_alerts", "bi_identities",
}  # fmt: skip
FROZEN = {"bi_user_retention", "bi_churn_calibration"}
COMPARED = [table.name for table in TABLES if table.name not in OWN_TO_A_RUN | FROZEN]


class Home:
    """A home with an embedded server of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings = Settings(home=path)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HEALTHMATE_", "DAGSTER_"))
        }
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=kept | {"HEALTHMATE_HOME": str(self.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, code: int = 0) -> str:
        process = self.start("run", *arguments)
        said, _ = process.communicate(timeout=LONG_SECONDS)
        assert process.returncode == code, said
        return said

    def kill_server(self) -> None:
        """As the machine does when it runs out of memory."""
        server = read_postmaster(self.settings.postgres_path / "data").process
        assert server is not None
        server.send_signal(signal.SIGQUIT)
        server.wait(timeout=60)

    def tables(self) -> dict[str, list[str]]:
        """All figures, without stamps, in the order of their text."""
        with Warehouse.open(self.settings) as warehouse, warehouse.transaction() as connection:
            return {
                name: [
                    row
                    for (row,) in connection.exec_driver_sql(
                        f"SELECT (to_jsonb(t) - 'created_at' - 'updated_at')::text AS row FROM {name} AS t"
                        " ORDER BY 1"
                    )
                ]
                for name in COMPARED
            }


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[tuple[str, Path]]]:
    """For each day of the week the files that come then, with their places below the landing folder."""
    made, parts = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("parts")
    write_demo(made, people=5, first_day=FIRST_DAY, last_day=LAST_DAY)
    found: dict[int, list[tuple[str, Path]]] = {day: [] for day in range(WEEK)}
    for number, file in enumerate(sorted(path for path in made.rglob("*") if path.is_file())):
        place = str(file.relative_to(made))
        dataset = file.parent.name
        if dataset == "users":
            found[0].append((place, file))
        elif file.suffix != ".parquet":
            found[number % WEEK].append((place, file))
        else:
            rows = pq.read_table(file)
            for day, part in _parts_of(rows).items():
                target = parts / f"{number}-{day}.parquet"
                pq.write_table(part, target)
                name = place.replace(".parquet", f"-part{day}.parquet")
                found[LATE.get((dataset, day), day)].append((name, target))
    return found


def _parts_of(rows: pa.Table) -> dict[int, pa.Table]:
    """Rows apart by the day of the week that their day falls to."""
    times = next(
        name
        for name in ("recorded_at", "started_at", "scheduled_at", "occurred_at", "sampled_at")
        if name in rows.column_names
    )
    days = [
        (value.date() if hasattr(value, "date") else date.fromisoformat(str(value)[:10]))
        if value
        else FIRST_DAY
        for value in rows.column(times).to_pylist()
    ]
    numbers = pa.array(
        [min(max((day - FIRST_DAY).days * WEEK // 10, 0), WEEK - 1) for day in days], pa.int64()
    )
    return {day: part for day in range(WEEK) if (part := rows.filter(pc.equal(numbers, day))).num_rows}


def _deliver(home: Home, files: list[tuple[str, Path]]) -> None:
    for place, file in files:
        target = home.path / "landing" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def _break(home: Home, place: str) -> bytes:
    """Cut a file off, as a transfer does that was interrupted; what it was."""
    file = home.path / "landing" / place
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    return whole


def test_a_disturbed_week_ends_with_the_tables_of_a_clean_run(
    deliveries: dict[int, list[tuple[str, Path]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    week = Home(tmp_path_factory.mktemp("week") / "home")

    _deliver(week, deliveries[0])
    week.run()

    _deliver(week, deliveries[1])
    killed = week.start("run")
    time.sleep(8)
    killed.kill()
    killed.communicate()

    _deliver(week, deliveries[2])
    broken = next(place for place, _ in deliveries[2] if place.startswith("app_events/"))
    whole = _break(week, broken)
    said = week.run(code=3)
    assert "unreadable_file" in said
    assert Path(broken).name in said

    (week.path / "landing" / broken).write_bytes(whole)
    _deliver(week, deliveries[3])
    disturbed = week.start("run")
    time.sleep(8)
    week.kill_server()
    disturbed.communicate(timeout=LONG_SECONDS)  # it fails or not, as it comes

    _deliver(week, deliveries[4])
    week.run()
    both = [
        week.start("run", "--from", "2026-02-10", "--to", "2026-02-16"),
        week.start("run", "--from", "2026-02-13", "--to", "2026-02-19"),
    ]
    for process in both:
        said, _ = process.communicate(timeout=LONG_SECONDS)
        assert process.returncode == 0, said

    for day in (5, 6):
        _deliver(week, deliveries[day])
        week.run()

    clean = Home(tmp_path_factory.mktemp("clean") / "home")
    shutil.copytree(week.path / "landing", clean.path / "landing")
    clean.run()

    expected, found = clean.tables(), week.tables()
    assert {name: len(rows) for name, rows in found.items()} == {
        name: len(rows) for name, rows in expected.items()
    }
    assert [name for name in COMPARED if found[name] != expected[name]] == []
    assert sum(map(len, expected.values())) > 1_000
