"""What was planted in the demo population comes out of the finished figures, with the size that was put in.

The stories' own file says who, when and how large; here only the daily rows of the warehouse are read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources.demo import write_demo, write_stories
from healthmate_bi_pipeline_tests.running import opened, query, refresh

pytestmark = pytest.mark.slow

FIRST, LAST = date(2025, 1, 1), date(2026, 8, 31)
FIGURES = (
    "avg_blood_pressure_systolic", "avg_sleep_hours", "avg_steps_per_day", "medication_adherence_rate",
    "total_symptoms_logged", "max_temperature",
)  # fmt: skip
HEALTH_DATASETS = (
    "users", "health_readings", "activity_intervals", "sleep_sessions", "medication_doses", "symptom_logs",
)  # fmt: skip
Stories = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def made(new_settings: Callable[[], Settings]) -> tuple[pd.DataFrame, Stories]:
    """The daily figures, by person and day, and the stories by name."""
    settings = new_settings()
    demo = write_demo(
        settings.landing_path, first_day=FIRST, last_day=LAST, people=120, datasets=HEALTH_DATASETS
    )
    told = json.loads(write_stories(settings.home_path / "demo", demo.stories, demo.about()).read_text())
    now = datetime.combine(LAST, datetime.min.time(), UTC) + timedelta(days=10)
    with opened(settings, now=now.replace(tzinfo=None)) as pipeline:
        refresh(pipeline, groups=("staged", "baselines", "raw", "state"))
        refresh(pipeline, groups=("health_metrics",), names=("health_metrics/daily",))
        rows = query(
            pipeline,
            f"SELECT user_id, period_start AS day, {', '.join(FIGURES)} FROM bi_aggregated_health_metrics"
            " WHERE aggregation_period = 'daily'",
        )
    return rows, {story["name"]: story for story in told["stories"]}


def days(rows: pd.DataFrame, first: object, last: object) -> pd.DataFrame:
    """The rows of some days; a bound is a day, or one for every row."""
    return rows[(rows["day"] >= first) & (rows["day"] <= last)]


def mean_of_people(rows: pd.DataFrame, figure: str) -> pd.Series[float]:
    found: pd.Series[float] = rows.groupby("user_id")[figure].mean()
    return found


def own_days(rows: pd.DataFrame, story: dict[str, Any], name: str) -> pd.Series[Any]:
    """For each row the day that the story names for its person."""
    named = {int(user): pd.Timestamp(own[name]) for user, own in story["when"]["per_person"].items()}
    found: pd.Series[Any] = rows["user_id"].map(named)
    return found


def of(rows: pd.DataFrame, story: dict[str, Any]) -> pd.DataFrame:
    return rows[rows["user_id"].isin(story["who"]["user_ids"])]


def size(story: dict[str, Any], figure: str) -> float:
    return float(story["effect"]["sizes"][figure])


def weeks(number: int) -> pd.Timedelta:
    return pd.Timedelta(weeks=number)


def test_a_week_of_bad_sleep(made: tuple[pd.DataFrame, Stories]) -> None:
    rows, stories = made
    story = stories["week_of_bad_sleep"]
    figure = "avg_sleep_hours"
    first, last = pd.Timestamp(story["when"]["first_day"]), pd.Timestamp(story["when"]["last_day"])
    own = of(rows, story)
    around = pd.concat(
        [
            days(own, first - weeks(4), first - pd.Timedelta(days=1)),
            days(own, last + pd.Timedelta(days=1), last + weeks(4)),
        ]
    )
    difference = mean_of_people(days(own, first, last), figure) - mean_of_people(around, figure)
    assert difference.mean() == pytest.approx(size(story, figure), abs=0.35)


def test_a_device_reads_high_from_a_firmware_on(made: tuple[pd.DataFrame, Stories]) -> None:
    rows, stories = made
    story, treated = stories["cuff_reads_high_after_firmware"], stories["treatment_lowers_blood_pressure"]
    figure = "avg_blood_pressure_systolic"
    untouched = rows[~rows["user_id"].isin(treated["who"]["user_ids"])]
    since = pd.Timestamp(story["when"]["first_day"])
    change = mean_of_people(days(untouched, since, pd.Timestamp(LAST)), figure) - mean_of_people(
        days(untouched, pd.Timestamp(FIRST), since - pd.Timedelta(days=1)), figure
    )
    owns = change.index.isin(story["who"]["user_ids"])
    assert change[owns].mean() - change[~owns].mean() == pytest.approx(size(story, figure), abs=2)


def test_treatment_lowers_blood_pressure(made: tuple[pd.DataFrame, Stories]) -> None:
    rows, stories = made
    story, cuffs = stories["treatment_lowers_blood_pressure"], stories["cuff_reads_high_after_firmware"]
    figure = "avg_blood_pressure_systolic"
    own = of(rows, story)
    own = own[~own["user_id"].isin(cuffs["who"]["user_ids"])]
    since = own_days(own, story, "treated_from")
    after = days(own, since + weeks(7), since + weeks(30))
    before = days(own, since - weeks(30), since - pd.Timedelta(days=1))
    change = mean_of_people(after, figure) - mean_of_people(before, figure)
    assert len(change.dropna()) >= 4
    assert change.mean() == pytest.approx(size(story, figure), abs=3)


def test_adherence_falls_after_a_gap_in_refills(made: tuple[pd.DataFrame, Stories]) -> None:
    rows, stories = made
    story = stories["adherence_falls_after_refill_gap"]
    figure = "medication_adherence_rate"
    own = of(rows, story)
    begin, end = own_days(own, story, "gap_from"), own_days(own, story, "gap_to")
    before = mean_of_people(days(own, begin - weeks(12), begin - pd.Timedelta(days=1)), figure)
    inside = mean_of_people(days(own, begin, end - pd.Timedelta(days=1)), figure)
    after = mean_of_people(days(own, end, end + weeks(12)), figure)
    assert (before - inside).mean() > 0.2
    assert (after - before).mean() == pytest.approx(size(story, figure), abs=0.07)


def test_older_people_walk_more_in_spring(made: tuple[pd.DataFrame, Stories]) -> None:
    rows, stories = made
    story = stories["older_people_walk_more_in_spring"]
    figure = "avg_steps_per_day"
    month = rows["day"].dt.month
    spring = mean_of_people(rows[month.isin(story["when"]["months"])], figure)
    ratio = (spring / mean_of_people(rows[month.isin([2, 6, 9, 10])], figure)).dropna()
    is_older = ratio.index.isin(story["who"]["user_ids"])
    assert ratio[is_older].median() / ratio[~is_older].median() == pytest.approx(
        size(story, figure), abs=0.08
    )


def test_winter_infections(made: tuple[pd.DataFrame, Stories]) -> None:
    rows, stories = made
    story = stories["winter_infections"]
    first, last = pd.Timestamp(story["when"]["first_day"]), pd.Timestamp(story["when"]["last_day"])

    def fevers_a_day(begin: pd.Timestamp, end: pd.Timestamp) -> float:
        return float((days(rows, begin, end)["max_temperature"] >= 38).sum() / ((end - begin).days + 1))

    calm = (
        fevers_a_day(first - weeks(6), first - pd.Timedelta(days=1))
        + fevers_a_day(last + pd.Timedelta(days=8), last + weeks(7))
    ) / 2
    assert fevers_a_day(first, last) > 2 * calm
