"""Several sources of one thing: one counts, none are added; a device's total of the day stands for its hours.

Each case is a person of its own; all of them go through the pipeline once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import URL

from healthmate_bi_pipeline.settings import Settings, SourceSettings
from healthmate_bi_pipeline.usecases.health import source_rank
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, health, opened, refresh

DAY = pd.Timestamp("2026-03-02")  # a Monday
Rows = list[dict[str, Any]]
CASES: dict[str, dict[str, Rows]] = {}


def _steps(source: str, start: str, end: str, steps: int, *, is_daily_total: bool = False) -> dict[str, Any]:
    times = {"started_at": f"2026-03-0{start}", "ended_at": f"2026-03-0{end}"}
    return {"source": source, **times, "steps": steps, "is_daily_total": is_daily_total}


def _total(source: str, day: int, steps: int) -> dict[str, Any]:
    return _steps(source, f"{day} 00:00", f"{day + 1} 00:00", steps, is_daily_total=True)


def _reading(source: str, at: str, metric: str, value: float, unit: str) -> dict[str, Any]:
    return {"source": source, "recorded_at": at, "metric": metric, "value": value, "unit": unit}


def _sleep(source: str, start: str, end: str, asleep: int, **more: object) -> dict[str, Any]:
    return {
        "source": source,
        "started_at": f"2026-03-0{start}",
        "ended_at": f"2026-03-0{end}",
        "asleep_minutes": asleep,
        **more,
    }


def _early_morning() -> Rows:
    rows = []
    for minute in range(6 * 60):
        at = pd.Timestamp("2026-03-02 02:00") + pd.Timedelta(minutes=minute)
        if pd.Timestamp("2026-03-02 05:00") <= at < pd.Timestamp("2026-03-02 05:05"):
            continue  # a gap of one slot: no half hour over it counts
        is_low = pd.Timestamp("2026-03-02 04:20") <= at < pd.Timestamp("2026-03-02 04:50")
        value = 48 if at.hour == 2 else 52 if is_low else 60
        rows.append(_reading("watch", str(at), "heart_rate", value, "bpm"))
    next_day = [
        _reading("watch", f"2026-03-03 04:{minute:02}:00", "heart_rate", 50, "bpm")
        for minute in range(0, 25, 5)
    ]
    return rows + next_day


CASES["two devices in an hour"] = {
    "activity_intervals": [
        _steps("phone", "2 10:00", "2 11:00", 900),
        _steps("watch", "2 10:00", "2 11:00", 700),
        _steps("phone", "2 12:00", "2 13:00", 50),
    ]
}
CASES["equal rank"] = {
    "activity_intervals": [
        _steps("watch b", "2 10:00", "2 11:00", 500),
        _steps("watch a", "2 10:30", "2 11:00", 800),
        _steps("watch d", "2 12:00", "2 13:00", 1),
        _steps("watch c", "2 12:00", "2 13:00", 20),
    ]
}
CASES["daily total"] = {
    "activity_intervals": [
        _steps("watch", "2 10:00", "2 11:00", 100),
        _total("watch", 2, 4000),
        _steps("watch", "3 10:00", "3 11:00", 70),
    ]
}
CASES["typed-in total"] = {
    "activity_intervals": [_steps("watch", "2 10:00", "2 11:00", 100), _total("manual", 2, 20_000)]
}
CASES["two totals"] = {
    "activity_intervals": [_total("watch a", 2, 3000), _total("watch b", 2, 3500), _total("phone", 2, 9000)]
}
CASES["two devices in a night"] = {
    "sleep_sessions": [
        _sleep("watch", "1 23:00", "2 07:00", 400, in_bed_minutes=480, is_nap=False),
        _sleep("phone", "1 23:00", "2 07:00", 460, in_bed_minutes=470, is_nap=False),
        _sleep("phone", "2 13:00", "2 13:40", 30, in_bed_minutes=40, is_nap=True),
    ]
}
CASES["fragmented night"] = {
    "sleep_sessions": [_sleep("watch", "1 22:00", "2 02:00", 200), _sleep("watch", "2 03:00", "2 07:00", 220)]
}
CASES["retold reading"] = {
    "health_readings": [
        _reading("cuff", "2026-03-02 08:00:10", "blood_pressure_systolic", 120, "mmHg"),
        _reading("phone", "2026-03-02 08:00:40", "blood_pressure_systolic", 180, "mmHg"),
        _reading("phone", "2026-03-02 08:30:00", "blood_pressure_systolic", 140, "mmHg"),
    ]
}
CASES["repeated hour"] = {
    "users": [{"time_zone": "Europe/Berlin", "height_cm": 170}],
    "health_readings": [
        _reading("watch", "2025-10-26T00:30:00Z", "heart_rate", 60, "bpm"),  # 02:30 for the first time
        _reading("phone", "2025-10-26T01:30:00Z", "heart_rate", 80, "bpm"),  # and again
    ],
}
CASES["early morning"] = {"health_readings": _early_morning()}
CASES["trend"] = {
    "users": [{"time_zone": "UTC", "height_cm": 200}],
    "health_readings": [
        _reading("scale", "2026-01-10 08:00", "weight", 80, "kg"),
        _reading("scale", "2026-02-10 08:00", "weight", 84, "kg"),
        _reading("scale", "2026-02-20 08:00", "weight", 88, "kg"),
    ],
}
CASES["implausible"] = {
    "health_readings": [
        _reading("cuff", "2026-03-02 08:00", "blood_pressure_systolic", 120, "mmHg"),
        _reading(
            "cuff", "2026-03-02 09:00", "blood_pressure_systolic", 250, "mmHg"
        ),  # possible, not plausible
        _reading("cuff", "2026-03-02 10:00", "blood_pressure_systolic", 400, "mmHg"),  # impossible: set aside
    ]
}

Figures = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def figures(
    new_database: Callable[[URL], URL], _migrated_template: URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Figures]:
    """The rows of a case's person in a period."""
    url = new_database(_migrated_template).render_as_string(hide_password=False)
    settings = Settings(home=tmp_path_factory.mktemp("sources") / "home", database_url=url)
    people = {case: number for number, case in enumerate(CASES, start=1)}
    for dataset in ("users", "health_readings", "activity_intervals", "sleep_sessions"):
        rows = [
            {"user_id": people[case], **row}
            for case, files in CASES.items()
            for row in files.get(dataset, [])
        ]
        drop_file(settings, f"{dataset}/rows.csv", csv_text(rows))
    with opened(settings, now=datetime(2026, 3, 20)) as pipeline:
        refresh(pipeline, groups=("staged", "baselines", "raw", "state", "health_metrics"))
        by_period = {period: health(pipeline, period) for period in ("hourly", "daily", "weekly", "monthly")}
        yield lambda case, period="daily": by_period[period].loc[people[case]]


def test_of_two_devices_in_an_hour_the_better_ranked_counts(figures: Figures) -> None:
    daily = figures("two devices in an hour").loc[DAY]
    assert daily["total_steps"] == 750  # the watch's hour and, where it was off, the phone's
    assert daily["source_count"] == 2


def test_of_equal_rank_the_better_coverage_counts_then_the_name(figures: Figures) -> None:
    assert figures("equal rank").loc[DAY]["total_steps"] == 520


def test_a_daily_total_feeds_the_day_and_longer_but_no_hour(figures: Figures) -> None:
    assert figures("daily total")["total_steps"].tolist() == [4000, 70]
    assert figures("daily total", "hourly")["total_steps"].tolist() == [100, 70]
    weekly = figures("daily total", "weekly").loc[DAY]
    assert (weekly["total_steps"], weekly["avg_steps_per_day"]) == (4070, 2035)


def test_a_typed_in_total_does_not_outrank_a_watch(figures: Figures) -> None:
    assert figures("typed-in total").loc[DAY]["total_steps"] == 100


def test_of_two_daily_totals_of_equal_rank_the_larger_wins(figures: Figures) -> None:
    assert figures("two totals").loc[DAY]["total_steps"] == 3500


def test_two_devices_on_one_night_are_not_added(figures: Figures) -> None:
    daily = figures("two devices in a night").loc[DAY]
    assert daily["avg_sleep_hours"] == pytest.approx(400 / 60)
    assert daily["sleep_quality_score"] == pytest.approx(100 * 400 / 480)
    assert daily["total_nap_hours"] == pytest.approx(0.5)
    assert daily["nights"] == 1


def test_a_fragmented_night_of_one_device_is_added(figures: Figures) -> None:
    daily = figures("fragmented night").loc[DAY]
    assert daily["total_sleep_hours"] == pytest.approx(7)
    assert pd.isna(daily["sleep_quality_score"])  # nobody knows how long they were in bed


def test_readings_of_all_sources_count_but_one_source_per_minute(figures: Figures) -> None:
    daily = figures("retold reading").loc[DAY]
    assert (daily["avg_blood_pressure_systolic"], daily["blood_pressure_systolic_readings"]) == (130, 2)


def test_the_repeated_hour_keeps_both_readings_of_a_wall_clock_minute(figures: Figures) -> None:
    hourly = figures("repeated hour", "hourly").loc[pd.Timestamp("2025-10-26 02:00")]
    assert (hourly["avg_heart_rate"], hourly["heart_rate_readings"], hourly["hours_covered"]) == (70, 2, 2)


def test_resting_heart_rate_is_the_lowest_half_hour_of_the_early_morning(figures: Figures) -> None:
    daily = figures("early morning")
    assert daily.loc[DAY]["resting_heart_rate"] == pytest.approx(52)
    assert pd.isna(daily.loc[pd.Timestamp("2026-03-03")]["resting_heart_rate"])  # five slots are no half hour


def test_trends_are_this_period_minus_the_one_before(figures: Figures) -> None:
    monthly = figures("trend", "monthly")
    assert monthly["avg_bmi"].tolist() == pytest.approx([20, 21.5])
    assert pd.isna(monthly["bmi_trend"].iloc[0])
    assert monthly["bmi_trend"].iloc[1] == pytest.approx(1.5)
    assert monthly["weight_change"].iloc[1] == pytest.approx(4)


def test_accuracy_is_the_share_of_readings_inside_the_soft_limits(figures: Figures) -> None:
    daily = figures("implausible").loc[DAY]
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
