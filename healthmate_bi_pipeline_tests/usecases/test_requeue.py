"""Requeue: quarantined rows are judged again, and only what changes is made again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from healthmate_bi_pipeline.catalog.datasets import HEALTH_READINGS, USERS
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.transforms import conform
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.requeue import count_come_due, find_held, note_held, still_held
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline_tests.accounts import INGEST, assert_books_balance, fates, lake_frame
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, query, refresh

NOW = datetime(2026, 3, 20, 12)
RAW = ASSET_BY_NAME["raw/health_readings"]


def reading(day: int, value: float, **more: Any) -> dict[str, Any]:
    return {
        "user_id": 1, "metric": "heart_rate", "value": value, "unit": "bpm", "source": "watch",
        "recorded_at": f"2026-03-{day:02}T10:00:00Z",
    } | more  # fmt: skip


@pytest.fixture
def filled(settings: Settings) -> Settings:
    rows = [
        reading(1, 60),
        reading(3, 310),
        reading(3, 500, unit="furlong"),
        reading(8, 320),
        reading(8, 61, source="app"),
    ]
    drop_file(settings, "health_readings/a.csv", csv_text(rows))
    drop_file(settings, "users/u.csv", csv_text([{"user_id": 1, "time_zone": "Mars/Base"}, {"user_id": 2}]))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=INGEST)
    return settings


def test_rows_are_found_by_dataset_and_rule(filled):
    with opened(filled, now=NOW) as pipeline:
        found = {held.dataset.name: held for held in find_held(pipeline, (), rule=None)}
        assert {name: dict(held.rules) for name, held in found.items()} == {
            "users": {"unknown_code:time_zone": 1},
            "health_readings": {"impossible_value:value": 2, "unknown_unit:unit": 1},
        }
        assert found["health_readings"].days == [date(2026, 3, 3), date(2026, 3, 8)]
        (held,) = find_held(pipeline, ["health_readings"], rule="impossible_value")
        assert (held.rows, held.places.num_rows) == (2, 2)
        assert find_held(pipeline, ["health_readings"], rule="impossible_value:unit") == []
        assert find_held(pipeline, ["symptom_logs"], rule=None) == []
        with pytest.raises(UsageError, match="no dataset heart"):
            find_held(pipeline, ["heart"], rule=None)
        with pytest.raises(UsageError, match="no rule impossible"):
            find_held(pipeline, (), rule="impossible")


def test_a_changed_rule_takes_rows_up_and_the_others_stay(filled, monkeypatch):
    wider = conform.unit_table().to_pylist()  # as if the hard limit of the heart rate were 350
    changed = [row | ({"hard_high": 350} if row["metric"] == "heart_rate" else {}) for row in wider]
    with opened(filled, now=NOW) as pipeline:
        assert stale_partitions(pipeline, RAW) == []
        found = find_held(pipeline, (), rule=None)
        before = lake_frame(pipeline, raw_table(HEALTH_READINGS).name)
        note_held(pipeline, found)
        stale = {day for day in stale_partitions(pipeline, RAW) if day <= NOW.date()}
        assert {date(2026, 3, 3), date(2026, 3, 8)} <= stale
        assert date(2026, 3, 1) not in stale
        monkeypatch.setattr(conform, "unit_table", lambda: pa.Table.from_pylist(changed))
        refresh(pipeline, groups=INGEST)
        stay = {held.dataset.name: still_held(pipeline, held) for held in found}
        assert stay == {"users": {"unknown_code:time_zone": 1}, "health_readings": {"unknown_unit:unit": 1}}
        assert fates(pipeline, HEALTH_READINGS) == {"kept": 4, "quarantined": 1}
        assert fates(pipeline, USERS) == {"kept": 1, "quarantined": 1}
        assert len(lake_frame(pipeline, raw_table(HEALTH_READINGS).name)) == len(before) + 2
        assert stale_partitions(pipeline, RAW) == []
        assert_books_balance(pipeline)
        log = query(
            pipeline, "SELECT object, rows FROM bi_audit_log WHERE action = 'requeue' ORDER BY object"
        )
        assert log.to_dict("records") == [
            {"object": "quarantine/health_readings", "rows": 3}, {"object": "quarantine/users", "rows": 1},
        ]  # fmt: skip


def test_nothing_changes_where_no_rule_did(filled):
    with opened(filled, now=NOW) as pipeline:
        refresh(pipeline)
        figures = "SELECT count(*) AS n, max(updated_at) AS at FROM bi_aggregated_health_metrics"
        before = query(pipeline, figures).to_dict("records")
        note_held(pipeline, find_held(pipeline, (), rule=None))
    with opened(filled, now=NOW + timedelta(hours=1)) as pipeline:
        made = refresh(pipeline)
        assert RAW.name in made
        assert not any(name.startswith("health_metrics/") for name in made)
        assert query(pipeline, figures).to_dict("records") == before
        assert_books_balance(pipeline)


def test_rows_whose_time_has_come_are_counted(settings):
    rows = [
        reading(1, 60),
        reading(1, 60, recorded_at="2026-03-25T10:00:00Z"),
        reading(1, 60, recorded_at="2027-03-25 10:00"),
    ]
    drop_file(settings, "health_readings/a.csv", csv_text(rows))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=INGEST)
        assert count_come_due(pipeline, ()) == {}
    with opened(settings, now=NOW + timedelta(days=10)) as pipeline:
        assert count_come_due(pipeline, ()) == {"health_readings": 1}
        assert count_come_due(pipeline, ["users"]) == {}
        # Delivered again in a new file they find their day; what was there already counts once.
        drop_file(settings, "health_readings/b.csv", csv_text([delivered_again(row) for row in rows]))
        refresh(pipeline, groups=INGEST)
        assert fates(pipeline, HEALTH_READINGS) == {"kept": 2, "duplicates": 1}
        assert_books_balance(pipeline)


def delivered_again(row: dict[str, Any]) -> dict[str, Any]:
    """The same row of a file with another hash."""
    return row | {"origin": "again"}


def test_places_hold_no_values(filled):
    with opened(filled, now=NOW) as pipeline:
        (held,) = find_held(pipeline, ["health_readings"], rule=None)
        assert held.places.column_names == ["file_number", "row_number"]
