"""Baselines that are frozen, slips that are set aside or mended, and days that nobody can have, in the lake."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from healthmate_bi_pipeline.catalog.datasets import ACTIVITY_INTERVALS, HEALTH_READINGS
from healthmate_bi_pipeline.catalog.lake_tables import READING_BASELINES, quarantine_table, raw_table
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.settings import PlausibilitySettings, Settings
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline
from healthmate_bi_pipeline.usecases.plausibility import build_baselines
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline_tests.accounts import INGEST, assert_books_balance, fates, lake_frame, rules
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, refresh

GROUPS = (*INGEST, "baselines", "state")
BASELINES, RAW = ASSET_BY_NAME[READING_BASELINES.name], ASSET_BY_NAME["raw/health_readings"]
EARLY, LATE = datetime(2026, 3, 3, 12), datetime(2026, 3, 20, 12)
UNIT, SWAP = "suspected_unit:value", "suspected_swap:value"


def weight(day: str, value: float, **more: Any) -> dict[str, Any]:
    return {
        "user_id": 1, "metric": "weight", "value": value, "unit": "kg", "recorded_at": f"2026-{day}T07:00:00Z",
        "source": "scale",
    } | more  # fmt: skip


def pressure(systolic: float, diastolic: float, **more: Any) -> list[dict[str, Any]]:
    return [
        weight("03-02", value, unit="mmHg", metric=f"blood_pressure_{name}", reading_id="bp") | more
        for name, value in (("systolic", systolic), ("diastolic", diastolic))
    ]


def drop_readings(settings: Settings, name: str, rows: list[dict[str, Any]]) -> None:
    drop_file(settings, f"health_readings/{name}.csv", csv_text(rows))


def make(settings: Settings, now: datetime) -> dict[str, Built]:
    with opened(settings, now=now) as pipeline:
        made = refresh(pipeline, groups=GROUPS)
        made |= refresh(pipeline, groups=GROUPS)  # what the first wave made stale
        assert_books_balance(pipeline)
        return made


def medians(pipeline: Pipeline) -> dict[tuple[int, str, date], float]:
    frame = lake_frame(pipeline, READING_BASELINES.name)
    return {
        (row["user_id"], row["metric"], row["month"]): row["median"] for row in frame.to_dict("records")
    }  # fmt: skip


FEBRUARY = [weight(f"02-{day:02}", 70 + day / 10) for day in range(1, 4)]


def test_a_month_is_frozen_when_it_is_over(settings):
    drop_readings(settings, "a", [*FEBRUARY, weight("03-02", 154.3)])
    made = make(settings, EARLY)  # February ended, but late rows are still waited for
    assert BASELINES.name not in made
    with opened(settings, now=EARLY) as pipeline:
        assert fates(pipeline, HEALTH_READINGS) == {"kept": 4}
    made = make(settings, LATE)
    with opened(settings, now=LATE) as pipeline:
        assert medians(pipeline) == {(1, "weight", date(2026, 2, 1)): 70.2}
        assert rules(pipeline, HEALTH_READINGS) == {UNIT: 1}
        assert set(made[RAW.name].rows) == {date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)}
    # Late rows do not move it, and are judged by it.
    drop_readings(
        settings, "b", [weight("02-10", 90), weight("02-11", 90.5), weight("02-12", 91), weight("03-05", 155)]
    )
    made = make(settings, LATE + timedelta(days=1))
    assert BASELINES.name not in made
    with opened(settings, now=LATE) as pipeline:
        assert medians(pipeline) == {(1, "weight", date(2026, 2, 1)): 70.2}
        assert rules(pipeline, HEALTH_READINGS) == {UNIT: 2}
        # Only who asks for it makes it again; what was judged by it is stale then.
        build_baselines(pipeline, Window.of_days(date(2026, 2, 1), date(2026, 3, 31)))
        assert medians(pipeline) == {(1, "weight", date(2026, 2, 1)): pytest.approx(80.15)}
        assert {day for day in stale_partitions(pipeline, RAW) if day <= date(2026, 3, 6)} == {
            date(2026, 3, day) for day in range(1, 7)
        }
        refresh(pipeline, groups=GROUPS)
        assert rules(pipeline, HEALTH_READINGS) == {}
        assert_books_balance(pipeline)


def test_an_open_month_has_no_baseline_and_is_not_stale(settings):
    drop_readings(settings, "a", [weight("03-02", 70)])
    with opened(settings, now=LATE) as pipeline:
        refresh(pipeline, groups=GROUPS)
        assert stale_partitions(pipeline, BASELINES) == []
        assert build_baselines(pipeline, Window.of_days(date(2026, 3, 1), date(2026, 3, 31))).rows == {}
        assert medians(pipeline) == {}


def test_the_order_of_files_and_rows_does_not_matter_to_a_baseline(settings):
    values = [70.1, 70.2, 70.3, 70.4]
    for name, value in zip("cadb", values, strict=True):
        drop_readings(
            settings,
            name,
            [weight("02-05", value, recorded_at=f"2026-02-05T{int(value * 10) % 24:02}:00:00Z")],
        )
    make(settings, LATE)
    with opened(settings, now=LATE) as pipeline:
        assert medians(pipeline) == {(1, "weight", date(2026, 2, 1)): pytest.approx(70.25)}


def test_slips_are_mended_when_the_setting_says_so(settings):
    drop_readings(settings, "a", [*FEBRUARY, weight("03-02", 154.3234), *pressure(80, 120)])
    made = make(settings, LATE)
    said = [line for built in made.values() for line in built.messages]
    assert len(said) == 2
    assert [
        line for line in said if line.startswith("health_readings/a.csv: record 4: suspected_unit:value: ")
    ]
    assert [
        line
        for line in said
        if line.startswith("health_readings/a.csv: record 5 and 1 more: suspected_swap:value: ")
    ]
    with opened(settings, now=LATE) as pipeline:
        assert rules(pipeline, HEALTH_READINGS) == {UNIT: 1, SWAP: 2}
        raw_days = lake_frame(pipeline, raw_table(HEALTH_READINGS).name)
        assert not raw_days["is_repaired"].any()
    mending = settings.model_copy(update={"plausibility": PlausibilitySettings(repair_slips=True)})
    with opened(mending, now=LATE) as pipeline:
        assert date(2026, 3, 2) in stale_partitions(pipeline, RAW)
        refresh(pipeline, groups=GROUPS)
        assert rules(pipeline, HEALTH_READINGS) == {}
        rows = lake_frame(pipeline, raw_table(HEALTH_READINGS).name)
        mended = rows[rows["is_repaired"]]
        assert mended.groupby("metric")["value"].first().to_dict() == {
            "weight": pytest.approx(70.0, abs=0.01),
            "blood_pressure_systolic": 120,
            "blood_pressure_diastolic": 80,
        }
        assert len(rows) == 6
        assert_books_balance(pipeline)
    with opened(settings, now=LATE) as pipeline:  # and back
        refresh(pipeline, groups=GROUPS)
        assert rules(pipeline, HEALTH_READINGS) == {UNIT: 1, SWAP: 2}
        assert set(lake_frame(pipeline, quarantine_table(HEALTH_READINGS).name)["value"]) == {
            154.3234,
            80,
            120,
        }


def test_a_swapped_correction_on_another_day_takes_nothing_away(settings):
    drop_readings(settings, "a", pressure(120, 80))
    drop_readings(settings, "b", [row | {"recorded_at": "2026-03-05T07:00:00Z"} for row in pressure(80, 120)])
    make(settings, LATE)
    with opened(settings, now=LATE) as pipeline:
        assert rules(pipeline, HEALTH_READINGS) == {SWAP: 2}
        rows = lake_frame(pipeline, raw_table(HEALTH_READINGS).name)
        assert {(row["metric"], row["value"], row["day"]) for row in rows.to_dict("records")} == {
            ("blood_pressure_systolic", 120, date(2026, 3, 2)), ("blood_pressure_diastolic", 80, date(2026, 3, 2)),
        }  # fmt: skip
    drop_readings(settings, "c", [row | {"recorded_at": "2026-03-07T07:00:00Z"} for row in pressure(125, 85)])
    make(settings, LATE)
    with opened(settings, now=LATE) as pipeline:
        rows = lake_frame(pipeline, raw_table(HEALTH_READINGS).name)
        assert {(row["value"], row["day"]) for row in rows.to_dict("records")} == {
            (125, date(2026, 3, 7)), (85, date(2026, 3, 7)),
        }  # fmt: skip
        assert rules(pipeline, HEALTH_READINGS) == {SWAP: 2}


def test_a_day_over_the_limit_is_judged_alike_alone_and_with_others(settings):
    """A stretch over midnight counts on the day that it starts in, whichever days are made."""

    def stretch(start: str, end: str, steps: int) -> dict[str, Any]:
        return {"user_id": 1, "source": "watch", "started_at": start, "ended_at": end, "steps": steps}

    drop_file(settings, "activity_intervals/a.csv", csv_text([
        stretch("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z", 70_000),
        stretch("2026-03-01T23:00:00Z", "2026-03-02T01:00:00Z", 60_000),
        stretch("2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z", 60_000),
    ]))  # fmt: skip
    make(settings, LATE)
    asset = ASSET_BY_NAME["raw/activity_intervals"]
    with opened(settings, now=LATE) as pipeline:
        for day in (None, date(2026, 3, 2), date(2026, 3, 1)):
            if day is not None:
                asset.build(pipeline, Window.of_days(day, day))
            assert rules(pipeline, ACTIVITY_INTERVALS) == {"impossible_day:steps": 2}
            (row,) = lake_frame(pipeline, raw_table(ACTIVITY_INTERVALS).name).to_dict("records")
            assert (row["steps"], row["day"]) == (60_000, date(2026, 3, 2))
            assert_books_balance(pipeline)
