"""Rows of datasets and states past their time: bytes and books, late rows, and kills in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.datasets import ACTIVITY_INTERVALS, HEALTH_READINGS
from healthmate_bi_pipeline.catalog.lake_tables import (
    id_index_table,
    moved_table,
    quarantine_table,
    raw_table,
    staged_table,
)
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import BusyError, UsageError
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.keeping import refuse_unmakeable
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.retention import lake_rows
from healthmate_bi_pipeline.usecases.retention.deleting import delete_due, find_due
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline_tests.accounts import day_counts, lake_frame
from healthmate_bi_pipeline_tests.running import opened, query, refresh
from healthmate_bi_pipeline_tests.usecases.retention.keeping import (
    NOW,
    assert_checks_pass,
    deliver,
    files_of,
    kept,
    reading,
    receipts,
    table_rows,
)

GROUPS = ("staged", "raw", "baselines", "state", "health_metrics")
DATASETS = {"health_readings": "100 days", "activity_intervals": "100 days"}
FIRST_KEPT = date(2026, 4, 1)  # 100 days before the tenth of July
FOR_EVER = dict.fromkeys(("hourly", "daily", "weekly", "monthly"), "for ever")
SECRET = "Zaphod7531"


def interval(start: str, end: str, steps: int) -> dict[str, Any]:
    return {"user_id": 1, "started_at": start, "ended_at": end, "steps": steps, "source": "watch"}


@pytest.fixture(scope="module")
def half_a_year(new_settings: Callable[[], Settings]) -> Settings:
    """Readings of old and new days, bad ones among them, and a walk over the midnight at which days are closed."""
    settings = new_settings()
    old = [
        reading(date(2026, 2, 10), 61),
        reading(date(2026, 2, 10), 310, at="11:00"),  # impossible
        reading(date(2026, 3, 30), 62),
        reading(date(2026, 3, 31), 63),
        reading(date(2026, 3, 31), 63) | {"recorded_at": SECRET, "reading_id": "none"},  # without a day
    ]
    new = [reading(date(2026, 4, 1), 64), reading(date(2026, 4, 2), 65), reading(date(2026, 7, 1), 66)]
    moved = [reading(date(2026, 4, 3), 67) | {"reading_id": f"{date(2026, 2, 10)}-1-10:00"}]
    walk = [
        interval("2026-03-31T23:30:00Z", "2026-04-01T00:30:00Z", 1_000),
        interval("2026-07-01T10:00:00Z", "2026-07-01T11:00:00Z", 500),
    ]
    deliver(settings, "activity_intervals/a.csv", walk)
    deliver(settings, "health_readings/old.csv", old)
    with opened(settings, now=datetime(2026, 3, 31, 20)) as pipeline:
        refresh(pipeline, groups=GROUPS)
    deliver(settings, "health_readings/new.csv", new)
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=GROUPS)
    deliver(settings, "health_readings/moved.csv", moved)
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=GROUPS)
    return settings


@pytest.fixture
def home(half_a_year: Settings, copy_of: Callable[[Settings], Settings]) -> Settings:
    return copy_of(half_a_year)


@pytest.fixture
def pipeline(home: Settings) -> Iterator[Pipeline]:
    with opened(kept(home, datasets=DATASETS, periods=FOR_EVER), now=NOW) as pipeline:
        yield pipeline


def frame(pipeline: Pipeline, name: str) -> pd.DataFrame:
    rows = lake_frame(pipeline, name)
    return rows.sort_values(list(rows.columns[:3]), ignore_index=True) if len(rows) else rows


def figures(pipeline: Pipeline) -> list[str]:
    return sorted(map(str, table_rows(pipeline, "bi_health_metric_rows")["row"]))


def rows_left(files: Iterable[str]) -> list[str]:
    """Files of staged, raw and quarantined days that are closed."""
    return [
        name
        for name in files
        if ("/raw/" in name or "/quarantine/" in name or "/staged/" in name)
        and ("=2026-02" in name or "=2026-03-30" in name or ("/staged/" not in name and "=2026-03" in name))
    ]


def after_retention(pipeline: Pipeline) -> int:
    rows = lake_frame(pipeline, quarantine_table(HEALTH_READINGS).name)
    return 0 if rows.empty else int((rows["rule"] == "after_retention").sum())


def test_rows_go_from_everywhere_and_figures_stay(pipeline: Pipeline) -> None:
    settings = pipeline.settings
    raw, staged = raw_table(HEALTH_READINGS).name, staged_table(HEALTH_READINGS).name
    before, told = frame(pipeline, raw), figures(pipeline)
    files, due = files_of(settings), find_due(pipeline)
    assert files_of(settings) == files
    assert due.messages == []

    deleted = delete_due(pipeline)
    assert deleted.things == due.things
    after = frame(pipeline, raw)
    pd.testing.assert_frame_equal(after, before[before["day"] >= FIRST_KEPT].reset_index(drop=True))
    assert figures(pipeline) == told
    left = lake_frame(pipeline, staged)
    assert left["day"].min() == date(2026, 3, 31)  # what the first open day may be made from
    assert left["defect"].dropna().tolist() == ["undated"]  # read on the last of March, too
    assert lake_frame(pipeline, quarantine_table(HEALTH_READINGS).name).empty
    assert lake_frame(pipeline, id_index_table(HEALTH_READINGS).name)["day"].min() == date(2026, 3, 31)
    assert lake_frame(pipeline, moved_table(HEALTH_READINGS).name)["day"].min() == date(2026, 4, 3)

    # The bytes are gone, and those of the others are the very same.
    now = files_of(settings)
    gone = {name for name in files if name not in now}
    assert rows_left(now) == []
    assert "landing/health_readings/new.csv" in now
    assert (
        "landing/health_readings/old.csv" in now
    )  # it holds the last of March, that is staged for one day more
    assert all(
        files[name] == content for name, content in now.items() if name in files and "reports" not in name
    )
    assert gone

    written = receipts(pipeline)
    assert set(written["outcome"]) == {"done"}
    assert written["done_at"].notna().all()
    assert written.loc["raw/health_readings", ["rows", "rule"]].tolist() == [2, "rows 100 days"]
    assert written.loc["staged/health_readings", ["rows", "last_day"]].tolist() == [3, date(2026, 3, 30)]
    assert written.loc["quarantine/health_readings", "rows"] == 1
    assert written.loc["raw/activity_intervals", "rows"] == 1
    assert written.loc["raw/health_readings", "bytes"] > 0

    assert_checks_pass(pipeline)
    assert refresh(pipeline, groups=("raw", "state", "health_metrics")) == {}
    assert delete_due(pipeline).things == []
    counts = day_counts(pipeline, HEALTH_READINGS)
    assert counts[date(2026, 2, 10)]["staged"] == 2  # the books know what was there


def test_the_next_day_closes_the_next_day(home: Settings) -> None:
    settings = kept(home, datasets=DATASETS, periods=FOR_EVER)
    with opened(settings, now=NOW) as pipeline:
        delete_due(pipeline)
    with opened(settings, now=datetime(2026, 7, 11, 12)) as pipeline:
        refresh(pipeline, groups=GROUPS)
        delete_due(pipeline)
        assert frame(pipeline, raw_table(HEALTH_READINGS).name)["day"].min() == date(2026, 4, 2)
        assert not (settings.landing_path / "health_readings" / "old.csv").exists()
        assert (settings.landing_path / "health_readings" / "new.csv").exists()
        assert lake_frame(pipeline, staged_table(HEALTH_READINGS).name)["day"].notna().all()
        assert not [name for name, content in files_of(settings).items() if SECRET.encode() in content]
        assert_checks_pass(pipeline)
        refresh(pipeline, groups=GROUPS)
        assert_checks_pass(pipeline)


def test_a_late_row_of_a_closed_day_is_set_aside(pipeline: Pipeline) -> None:
    delete_due(pipeline)
    told = figures(pipeline)
    late = [reading(day, 99, at="15:00") for day in (date(2026, 2, 10), date(2026, 2, 12), date(2026, 3, 31))]
    deliver(pipeline.settings, "health_readings/late.csv", late)
    made = refresh(pipeline, groups=GROUPS)
    messages = [line for built in made.values() for line in built.messages]
    assert len(messages) == 1
    assert messages[0].startswith(
        "health_readings/late.csv: record 1 and 2 more: after_retention: the row came when"
    )
    assert after_retention(pipeline) == 3
    assert figures(pipeline) == told
    counts = day_counts(pipeline, HEALTH_READINGS)
    assert counts[date(2026, 2, 10)] == {
        "staged": 3, "superseded": 1, "quarantined": 2, "rules": {"impossible_value:value": 1, "after_retention": 1},
    }  # fmt: skip
    assert counts[date(2026, 2, 12)]["rules"] == {"after_retention": 1}
    assert_checks_pass(pipeline)
    assert set(made["state/health_hours"].rows) == {FIRST_KEPT}  # rows are staged beside their day

    # A row of an open day that lies right beside is counted, also what of a walk lies on it.
    deliver(pipeline.settings, "health_readings/open.csv", [reading(FIRST_KEPT, 120, at="00:10")])
    deliver(
        pipeline.settings,
        "activity_intervals/open.csv",
        [interval("2026-04-01T05:00:00Z", "2026-04-01T06:00:00Z", 7)],
    )
    refresh(pipeline, groups=GROUPS)
    april = query(
        pipeline,
        "SELECT max_heart_rate, total_steps FROM bi_health_metric_rows WHERE aggregation_period = 'daily'"
        " AND period_start = '2026-04-01'",
    )
    assert april.to_dict("records") == [{"max_heart_rate": 120, "total_steps": 507}]
    raw = frame(pipeline, raw_table(ACTIVITY_INTERVALS).name)
    assert raw[raw["day"] == FIRST_KEPT]["steps"].astype(float).sum() == 507
    assert_checks_pass(pipeline)

    # Their time is over too.
    deleted = {due.object: due.rows for due in delete_due(pipeline).things}
    assert deleted["quarantine/health_readings"] == 3
    assert after_retention(pipeline) == 0
    assert_checks_pass(pipeline)


def test_half_of_something_is_not_made(pipeline: Pipeline) -> None:
    delete_due(pipeline)
    told = figures(pipeline)
    march = Window.of_days(date(2026, 3, 1), date(2026, 3, 31))
    for name in ("state/health_hours", "state/health_days", "state/reading_baselines"):
        with pytest.raises(UsageError, match="what it is made from was deleted"):
            refuse_unmakeable(pipeline, ASSET_BY_NAME[name], march)
    # The state is there, so that figures can be made from it again.
    refuse_unmakeable(pipeline, ASSET_BY_NAME["health_metrics/daily"], march)
    ASSET_BY_NAME["health_metrics/daily"].build(pipeline, march)
    ASSET_BY_NAME["raw/health_readings"].build(pipeline, march)
    assert figures(pipeline) == told
    assert_checks_pass(pipeline)


@pytest.mark.parametrize("step", range(5))
def test_a_kill_in_between_is_made_good(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    before = frame(pipeline, raw_table(HEALTH_READINGS).name)
    calls = iter(range(100))
    finish = lake_rows._finish

    def killed(*arguments: Any) -> None:
        number = next(calls)
        if number == step:
            if step % 2:  # after the bytes went and before the receipt says so
                monkeypatch.setattr(lake_rows.receipts, "finish_receipt", interrupted)
                finish(*arguments)
            raise KeyboardInterrupt
        finish(*arguments)

    def interrupted(*_arguments: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(lake_rows, "_finish", killed)
        with pytest.raises(KeyboardInterrupt):
            delete_due(pipeline)
    monkeypatch.undo()
    begun = receipts(pipeline)
    assert "started" in set(begun["outcome"])
    assert refresh(pipeline, groups=("raw", "state", "health_metrics")) == {}  # nothing of it is made again

    done = delete_due(pipeline)
    assert len(done.finished) == (begun["outcome"] == "started").sum()
    assert set(receipts(pipeline)["outcome"]) == {"done"}
    after = frame(pipeline, raw_table(HEALTH_READINGS).name)
    pd.testing.assert_frame_equal(after, before[before["day"] >= FIRST_KEPT].reset_index(drop=True))
    assert rows_left(files_of(pipeline.settings)) == []
    assert_checks_pass(pipeline)


def test_what_is_not_made_yet_waits(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    raw, late = raw_table(HEALTH_READINGS).name, reading(date(2026, 2, 11), 70)
    found = next(found for found in lake_rows.find_lake_rows(pipeline) if not isinstance(found, str))
    deliver(pipeline.settings, "health_readings/late.csv", [late])

    def killed(*_arguments: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:  # staged, and killed before the books knew
        patched.setattr("healthmate_bi_pipeline.usecases.ingest._register", killed)
        with pytest.raises(KeyboardInterrupt):
            refresh(pipeline, names=("staged/health_readings",))
    assert lake_rows.delete_lake_rows(pipeline, found) == []  # although it was due a moment ago
    refresh(pipeline, groups=("staged",))
    told = find_due(pipeline)
    assert (
        "raw/health_readings: days wait until `healthmate-bi run` has made all that is made from them."
        in told.messages
    )
    assert lake_rows.delete_lake_rows(pipeline, found) == []
    delete_due(pipeline)
    assert frame(pipeline, raw)["day"].min() == date(2026, 3, 30)
    refresh(pipeline, groups=GROUPS)
    assert frame(pipeline, raw)["day"].min() == date(2026, 2, 11)
    delete_due(pipeline)
    assert frame(pipeline, raw)["day"].min() == FIRST_KEPT
    assert_checks_pass(pipeline)


def test_another_run_is_not_disturbed(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthmate_bi_pipeline.warehouse.warehouse.HOLD_SECONDS", 0.2)
    warehouse = type(pipeline.warehouse)
    hold = warehouse.hold
    monkeypatch.setattr(
        warehouse, "hold", lambda self, asset, window: hold(self, asset, window, wait_seconds=0.5)
    )
    with pipeline.warehouse.hold("raw/health_readings", Window.of_days(date(2026, 3, 5), date(2026, 3, 5))):
        deleted = delete_due(pipeline)
    assert any("left for the next time" in line for line in deleted.messages)
    assert "raw/health_readings" not in {due.object for due in deleted.things}
    assert "raw/activity_intervals" in {due.object for due in deleted.things}
    assert "raw/health_readings" in {due.object for due in delete_due(pipeline).things}
    assert BusyError


def test_states_go_where_they_are_named(home: Settings) -> None:
    named = kept(home, states={"health_hours": "100 days"}, periods=FOR_EVER | {"hourly": "30 days"})
    with opened(named, now=NOW) as pipeline:
        days_before = frame(pipeline, "state/health_days")
        delete_due(pipeline)
        assert lake_frame(pipeline, "state/health_hours")["day"].min() == FIRST_KEPT
        pd.testing.assert_frame_equal(frame(pipeline, "state/health_days"), days_before)
        assert len(frame(pipeline, raw_table(HEALTH_READINGS).name)) > 4
        assert not [name for name in files_of(named) if "health_hours/day=2026-02" in name]
        assert_checks_pass(pipeline)
        # A late row: its hours are not made by themselves, and days are not without them.
        deliver(named, "health_readings/late.csv", [reading(date(2026, 2, 10), 90, at="16:00")])
        made = refresh(pipeline, groups=GROUPS)
        assert "raw/health_readings" in made
        assert "state/health_hours" not in made
        assert stale_partitions(pipeline, ASSET_BY_NAME["state/health_days"]) == []
        assert_checks_pass(pipeline)
