"""A disk that is full, and connections that are lost, in the middle of making: no half state, and the same in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import text

from healthmate_bi_pipeline.errors import DiskFullError, LostLockError
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.disks import resize, small_disk
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, query, refresh

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 20)
FIGURES = ("staged/users", "staged/health_readings", "raw/users", "raw/health_readings", "state/reading_baselines",
           "state/health_hours", "state/health_days", "health_metrics/daily")  # fmt: skip
REPORT = "reports/health_summary_daily"
SIZES = ("20k", "120k", "300k", "64m")
"""Of the disk, from one try to the next: it is full while rows are taken in, while they are checked, in the states."""

BOOKS = "SELECT asset, partition, rows, counts::text FROM bi_partitions WHERE rows > 0 ORDER BY 1, 2"
ROWS = "SELECT (to_jsonb(t) - 'created_at' - 'updated_at')::text AS row FROM bi_aggregated_health_metrics t ORDER BY 1"


def deliver(settings: Settings) -> None:
    people = [
        {"user_id": person, "created_at": "2026-01-01T00:00:00Z", "time_zone": "UTC"}
        for person in range(1, 31)
    ]
    readings = [
        {"user_id": person, "metric": "heart_rate", "value": 60 + (7 * person + day) % 30, "unit": "bpm", "context": "resting",
         "source": "watch", "recorded_at": f"2026-03-{day:02} {hour:02}:00"}
        for person in range(1, 31) for day in range(1, 6) for hour in (8, 12, 20)
    ]  # fmt: skip
    drop_file(settings, "users/people.csv", csv_text(people))
    drop_file(settings, "health_readings/readings.csv", csv_text(readings))


@dataclass(frozen=True)
class Tables:
    """What is compared."""

    books: pd.DataFrame
    rows: pd.DataFrame

    @classmethod
    def of(cls, pipeline: Pipeline) -> Tables:
        return cls(query(pipeline, BOOKS), query(pipeline, ROWS))

    def assert_same(self, other: Tables) -> None:
        assert len(self.rows) > 100
        pd.testing.assert_frame_equal(self.books, other.books)
        pd.testing.assert_frame_equal(self.rows, other.rows)


@pytest.fixture(scope="module")
def undisturbed(new_settings: Callable[[], Settings]) -> Tables:
    settings = new_settings()
    deliver(settings)
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, names=FIGURES)
        return Tables.of(pipeline)


def test_a_lake_whose_disk_is_full_again_and_again_ends_where_an_undisturbed_one_does(
    settings: Settings, undisturbed: Tables, tmp_path: Path
) -> None:
    deliver(settings)
    full = 0
    with small_disk(tmp_path / "lake", SIZES[0]) as disk:
        there = settings.model_copy(update={"lake": str(disk)})
        for size in SIZES:
            resize(disk, size)
            try:
                with opened(there, now=NOW) as pipeline:
                    refresh(pipeline, names=FIGURES)
                    break
            except DiskFullError as error:
                full += 1
                assert str(disk) in str(error)  # noqa: PT017 - raised or not
        with opened(there, now=NOW) as pipeline:
            Tables.of(pipeline).assert_same(undisturbed)
            staged = "staged/health_readings"
            lying = sorted(map(str, Path(pipeline.lake.table_uri(staged)).glob("day=*/*.parquet")))
            assert lying == pipeline.lake.files(staged)  # no file that no commit names
            unfinished = query(
                pipeline, "SELECT count(*) AS n FROM bi_pipeline_runs WHERE outcome = 'running'"
            )
            assert unfinished["n"].iloc[0] == 0
    assert full >= 2


def test_reports_whose_disk_is_full_are_written_when_there_is_room(
    settings: Settings, tmp_path: Path
) -> None:
    deliver(settings)
    with small_disk(tmp_path / "reports", "8k") as disk:
        there = settings.model_copy(update={"reports": disk})
        with opened(there, now=NOW) as pipeline:
            refresh(pipeline, names=FIGURES)
            with pytest.raises(DiskFullError, match=f"no room left for the reports in {disk}"):
                refresh(pipeline, names=[REPORT])
            assert query(pipeline, "SELECT * FROM bi_reports").empty
            assert list(disk.rglob("*.html")) == []
            assert list(disk.rglob("*.part")) == []
            resize(disk, "20m")
            refresh(pipeline, names=[REPORT])
            reports = query(pipeline, "SELECT html_path, json_path FROM bi_reports")
            assert len(reports) == 1
            assert all((disk / path).exists() for path in (*reports["html_path"], *reports["json_path"]))
            assert (disk / "index.html").exists()


END_HOLDERS = text("""
SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE locktype = 'advisory' AND datname = current_database()
""")


@pytest.mark.parametrize(
    ("asset", "moment"),
    [
        ("staged/health_readings", "after"),
        ("raw/health_readings", "before"),
        ("state/health_days", "after"),
    ],
)
def test_a_lock_that_is_lost_around_the_lakes_commit_leaves_no_book_of_it(
    settings: Settings, undisturbed: Tables, asset: str, moment: str
) -> None:
    deliver(settings)
    with opened(settings, now=NOW) as pipeline:

        def lose() -> None:
            with pipeline.warehouse.engine.connect() as connection:
                connection.execute(END_HOLDERS)

        class Losing(Lake):
            def _commit(self, name: str, *arguments: object, **options: object) -> None:
                if name == asset and moment == "before":
                    lose()
                super()._commit(name, *arguments, **options)  # type: ignore[arg-type]
                if name == asset and moment == "after":
                    lose()

        disturbed = replace(
            pipeline, lake=Losing(pipeline.lake.uri, before_commit=pipeline.lake.before_commit)
        )
        with pytest.raises(LostLockError):
            refresh(disturbed, names=FIGURES)
        table = "bi_ingested_files" if asset.startswith("staged/") else "bi_partitions"
        column = "dataset" if asset.startswith("staged/") else "asset"
        value = asset.removeprefix("staged/")
        booked = query(pipeline, f"SELECT count(*) AS n FROM {table} WHERE {column} = :value", value=value)
        assert booked["n"].iloc[0] == 0
        failed = query(
            pipeline, "SELECT assets::text AS assets FROM bi_pipeline_runs WHERE outcome = 'failed'"
        )
        assert [asset in assets for assets in failed["assets"]] == [True]
        refresh(pipeline, names=FIGURES)
        Tables.of(pipeline).assert_same(undisturbed)
