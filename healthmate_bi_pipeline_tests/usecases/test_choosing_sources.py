"""Several sources of one thing: one counts, none are added; a device's total of the day stands for its hours."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import pytest

from healthmate_bi_pipeline.settings import Settings, SourceSettings
from healthmate_bi_pipeline.usecases.health import source_rank
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, health, opened, refresh

NOW = datetime(2026, 3, 20)
DAY = pd.Timestamp("2026-03-02")  # a Monday


def _figures(settings: Settings, period: str = "daily", **files: list[dict[str, Any]]) -> pd.DataFrame:
    for dataset, rows in files.items():
        drop_file(settings, f"{dataset}/rows.csv", csv_text(rows))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=("staged", "raw", "state", "health_metrics"))
        return health(pipeline, period)


def _steps(source: str, start: str, end: str, steps: int, **more: object) -> dict[str, Any]:
    times = {"started_at": f"2026-03-0{start}", "ended_at": f"2026-03-0{end}"}
    return {"user_id": 1, "source": source, **times, "steps": steps, "is_daily_total": False, **more}


def _reading(source: str, at: str, metric: str, value: float, unit: str) -> dict[str, Any]:
    return {"user_id": 1, "source": source, "recorded_at": at, "metric": metric, "value": value, "unit": unit}


def test_of_two_devices_in_an_hour_the_better_ranked_counts(settings: Settings) -> None:
    rows = [
        _steps("phone", "2 10:00", "2 11:00", 900),
        _steps("watch", "2 10:00", "2 11:00", 700),
        _steps("phone", "2 12:00", "2 13:00", 50),
    ]
    daily = _figures(settings, activity_intervals=rows).loc[1, DAY]
    assert daily["total_steps"] == 750  # the watch's hour and, where it was off, the phone's
    assert daily["source_count"] == 2


def test_of_equal_rank_the_better_coverage_counts_then_the_name(settings: Settings) -> None:
    rows = [
        _steps("watch b", "2 10:00", "2 11:00", 500),
        _steps("watch a", "2 10:30", "2 11:00", 800),
        _steps("watch d", "2 12:00", "2 13:00", 1),
        _steps("watch c", "2 12:00", "2 13:00", 20),
    ]
    assert _figures(settings, activity_intervals=rows).loc[1, DAY]["total_steps"] == 520


def test_a_daily_total_feeds_the_day_and_longer_but_no_hour(settings: Settings) -> None:
    rows = [
        _steps("watch", "2 10:00", "2 11:00", 100),
        _steps("watch", "2 00:00", "3 00:00", 4000, is_daily_total=True),
        _steps("watch", "3 10:00", "3 11:00", 70),
    ]
    files = {"activity_intervals": rows}
    assert _figures(settings, "daily", **files)["total_steps"].tolist() == [4000, 70]
    with opened(settings, now=NOW) as pipeline:
        assert health(pipeline, "hourly")["total_steps"].tolist() == [100, 70]
        weekly = health(pipeline, "weekly").loc[1, DAY]
    assert (weekly["total_steps"], weekly["avg_steps_per_day"]) == (4070, 2035)


def test_a_typed_in_total_does_not_outrank_a_watch(settings: Settings) -> None:
    rows = [
        _steps("watch", "2 10:00", "2 11:00", 100),
        _steps("manual", "2 00:00", "3 00:00", 20_000, is_daily_total=True),
    ]
    assert _figures(settings, activity_intervals=rows).loc[1, DAY]["total_steps"] == 100


def test_of_two_daily_totals_of_equal_rank_the_larger_wins(settings: Settings) -> None:
    rows = [
        _steps("watch a", "2 00:00", "3 00:00", 3000, is_daily_total=True),
        _steps("watch b", "2 00:00", "3 00:00", 3500, is_daily_total=True),
        _steps("phone", "2 00:00", "3 00:00", 9000, is_daily_total=True),
    ]
    assert _figures(settings, activity_intervals=rows).loc[1, DAY]["total_steps"] == 3500


def test_two_devices_on_one_night_are_not_added(settings: Settings) -> None:
    night = {"user_id": 1, "started_at": "2026-03-01 23:00", "ended_at": "2026-03-02 07:00"}
    rows = [
        {**night, "source": "watch", "asleep_minutes": 400, "in_bed_minutes": 480, "is_nap": False},
        {**night, "source": "phone", "asleep_minutes": 460, "in_bed_minutes": 470, "is_nap": False},
        {"user_id": 1, "source": "phone", "started_at": "2026-03-02 13:00", "ended_at": "2026-03-02 13:40",
         "asleep_minutes": 30, "in_bed_minutes": 40, "is_nap": True},
    ]  # fmt: skip
    daily = _figures(settings, sleep_sessions=rows).loc[1, DAY]
    assert daily["avg_sleep_hours"] == pytest.approx(400 / 60)
    assert daily["sleep_quality_score"] == pytest.approx(100 * 400 / 480)
    assert daily["total_nap_hours"] == pytest.approx(0.5)
    assert daily["nights"] == 1


def test_a_fragmented_night_of_one_device_is_added(settings: Settings) -> None:
    rows = [
        {"user_id": 1, "source": "watch", "started_at": "2026-03-01 22:00", "ended_at": "2026-03-02 02:00", "asleep_minutes": 200},
        {"user_id": 1, "source": "watch", "started_at": "2026-03-02 03:00", "ended_at": "2026-03-02 07:00", "asleep_minutes": 220},
    ]  # fmt: skip
    daily = _figures(settings, sleep_sessions=rows).loc[1, DAY]
    assert daily["total_sleep_hours"] == pytest.approx(7)
    assert pd.isna(daily["sleep_quality_score"])  # nobody knows how long they were in bed


def test_readings_of_all_sources_count_but_one_source_per_minute(settings: Settings) -> None:
    rows = [
        _reading("cuff", "2026-03-02 08:00:10", "blood_pressure_systolic", 120, "mmHg"),
        _reading("phone", "2026-03-02 08:00:40", "blood_pressure_systolic", 180, "mmHg"),  # the same, retold
        _reading("phone", "2026-03-02 08:30:00", "blood_pressure_systolic", 140, "mmHg"),
    ]
    daily = _figures(settings, health_readings=rows).loc[1, DAY]
    assert (daily["avg_blood_pressure_systolic"], daily["blood_pressure_systolic_readings"]) == (130, 2)


def test_the_repeated_hour_keeps_both_readings_of_a_wall_clock_minute(settings: Settings) -> None:
    users = [{"user_id": 1, "time_zone": "Europe/Berlin", "height_cm": 170}]
    rows = [
        _reading("watch", "2025-10-26T00:30:00Z", "heart_rate", 60, "bpm"),  # 02:30 for the first time
        _reading("phone", "2025-10-26T01:30:00Z", "heart_rate", 80, "bpm"),  # and again
    ]
    hourly = _figures(settings, "hourly", users=users, health_readings=rows).loc[
        1, pd.Timestamp("2025-10-26 02:00")
    ]
    assert (hourly["avg_heart_rate"], hourly["heart_rate_readings"], hourly["hours_covered"]) == (70, 2, 2)


def test_resting_heart_rate_is_the_lowest_half_hour_of_the_early_morning(settings: Settings) -> None:
    start = pd.Timestamp("2026-03-02 02:00")
    rows = []
    for minute in range(6 * 60):
        at = start + pd.Timedelta(minutes=minute)
        low = (
            48
            if at.hour == 2
            else 52
            if pd.Timestamp("2026-03-02 04:20") <= at < pd.Timestamp("2026-03-02 04:50")
            else 60
        )
        rows.append(_reading("watch", str(at), "heart_rate", low, "bpm"))
    # A gap of one slot: no half hour over it counts.
    rows = [row for row in rows if not "2026-03-02 05:00" <= row["recorded_at"] < "2026-03-02 05:05"]
    rows += [
        _reading("watch", f"2026-03-03 04:{minute:02}:00", "heart_rate", 50, "bpm")
        for minute in range(0, 25, 5)
    ]
    daily = _figures(settings, health_readings=rows)
    assert daily.loc[1, DAY]["resting_heart_rate"] == pytest.approx(52)
    assert pd.isna(
        daily.loc[1, pd.Timestamp("2026-03-03")]["resting_heart_rate"]
    )  # five slots are no half hour


def test_trends_are_this_period_minus_the_one_before(settings: Settings) -> None:
    users = [{"user_id": 1, "time_zone": "UTC", "height_cm": 200}]
    rows = [
        _reading("scale", "2026-01-10 08:00", "weight", 80, "kg"),
        _reading("scale", "2026-02-10 08:00", "weight", 84, "kg"),
        _reading("scale", "2026-02-20 08:00", "weight", 88, "kg"),
    ]
    monthly = _figures(settings, "monthly", users=users, health_readings=rows)
    assert monthly["avg_bmi"].tolist() == pytest.approx([20, 21.5])
    assert pd.isna(monthly["bmi_trend"].iloc[0])
    assert monthly["bmi_trend"].iloc[1] == pytest.approx(1.5)
    assert monthly["weight_change"].iloc[1] == pytest.approx(4)


def test_accuracy_is_the_share_of_readings_inside_the_soft_limits(settings: Settings) -> None:
    rows = [
        _reading("cuff", "2026-03-02 08:00", "blood_pressure_systolic", 120, "mmHg"),
        _reading(
            "cuff", "2026-03-02 09:00", "blood_pressure_systolic", 250, "mmHg"
        ),  # possible, not plausible
        _reading("cuff", "2026-03-02 10:00", "blood_pressure_systolic", 400, "mmHg"),  # impossible: set aside
    ]
    daily = _figures(settings, health_readings=rows).loc[1, DAY]
    assert (daily["data_accuracy"], daily["max_blood_pressure_systolic"]) == (0.5, 250)


@pytest.mark.parametrize(
    ("source", "rank"),
    [
        ("Omron cuff", 1),
        ("Apple Watch", 2),
        ("fitbit tracker", 2),
        ("Pixel phone", 3),
        ("manual", 4),
        ("?", 5),
    ],
)
def test_ranks_of_sources(source: str, rank: int) -> None:
    assert source_rank(source, SourceSettings()) == rank
