"""Engagement figures from landing files, each against a value that was worked out by hand.

One pipeline holds all stories; each person has their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest

from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, engagement, opened, refresh

NOW = datetime(2026, 4, 10, 12)
BEFORE = ("staged", "raw", "state")
GROUPS = (*BEFORE, "user_engagement")
(
    MIDNIGHT, ENDLESS, DEVICES, MADE, EVENTS, EQUAL, INDICES, LATE, LIFECYCLE, REPEATED, MISSING, NOTIFIED,
) = range(1, 13)  # fmt: skip


def session(user: int, start: str, end: str | None, name: str | None = None) -> dict[str, Any]:
    return {
        "user_id": user,
        "session_id": name or f"{user} {start}",
        "started_at": start,
        "ended_at": end,
    }


def event(user: int, at: str, kind: str = "action", name: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "user_id": user,
        "event": kind,
        "name": name,
        "occurred_at": at,
        "count": None,
        "session_id": None,
        **more,
    }


LIFECYCLE_DAYS = ("2026-03-02", "2026-03-03", "2026-03-06", "2026-03-20")

SESSIONS = [
    session(MIDNIGHT, "2026-03-01 23:30", "2026-03-02 00:45"),
    session(ENDLESS, "2026-03-01 10:00", None),
    session(ENDLESS, "2026-03-01 12:00", "2026-03-01 12:10"),
    session(DEVICES, "2026-03-01 10:00", "2026-03-01 10:40"),
    session(DEVICES, "2026-03-01 10:10", "2026-03-01 10:20"),
    session(DEVICES, "2026-03-01 10:30", "2026-03-01 11:10"),
    session(MADE, "2026-03-02 09:00", "2026-03-02 09:05"),
    session(INDICES, "2026-03-06 10:00", "2026-03-06 10:03", "s0"),
    session(INDICES, "2026-03-06 10:03", "2026-03-06 10:06", "s1"),
    session(LATE, "2026-03-01 23:50", "2026-03-02 00:20", "late"),
    session(LATE, "2026-03-05 00:05", "2026-03-05 00:20", "other"),
    *(session(LIFECYCLE, f"{day} 10:00", f"{day} 10:10") for day in LIFECYCLE_DAYS),
    session(REPEATED, "2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z"),
    session(MISSING, "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
]

APP_EVENTS = [
    event(MADE, "2026-03-01 10:00:00"),
    event(MADE, "2026-03-01 10:29:59"),
    event(MADE, "2026-03-01 10:59:59"),
    event(MADE, "2026-03-01 11:40:00", "notification_received"),
    event(MADE, "2026-03-02 10:00:00"),
    event(MADE, "2026-03-03 23:50:00"),
    event(MADE, "2026-03-04 00:10:00"),
    event(EVENTS, "2026-03-01 10:00", "page_view", "home"),
    event(EVENTS, "2026-03-01 10:01", "page_view", "home", count=2),
    event(EVENTS, "2026-03-01 10:02", "page_view", "trends"),
    event(EVENTS, "2026-03-01 10:03", "page_view"),
    event(EVENTS, "2026-03-01 10:04", "feature_used", "diary"),
    event(EVENTS, "2026-03-02 10:04", "feature_used", "diary", count=3),
    event(EVENTS, "2026-03-02 10:05", "feature_used", "chat"),
    event(EVENTS, "2026-03-03 10:05", "feature_used", "chat"),
    event(EVENTS, "2026-03-02 10:06", "chat_message"),
    event(EVENTS, "2026-03-02 10:07", "health_data_added", count=4),
    event(EVENTS, "2026-03-02 10:08", "health_data_added"),
    event(EVENTS, "2026-03-02 10:09", "medication_logged"),
    event(EVENTS, "2026-03-02 10:10", "symptom_logged", count=2),
    event(EVENTS, "2026-03-02 10:11", "goal_achieved", "steps"),
    event(EVENTS, "2026-03-02 10:12", "action", count=0),
    event(EVENTS, "2026-03-02 10:12", "action"),
    *[event(EQUAL, "2026-03-01 10:00", "page_view", "home")] * 3,
    *(
        event(INDICES, f"2026-03-06 10:0{minute}", "page_view", "home", session_id=f"s{minute // 3}")
        for minute in range(5)
    ),
    *(event(INDICES, f"2026-03-05 08:0{minute}", "notification_received") for minute in range(4)),
    event(INDICES, "2026-03-06 10:05", "notification_opened"),
    event(LATE, "2026-03-01 23:55", "page_view", session_id="late"),
    event(LATE, "2026-03-02 00:05", "page_view", session_id="late"),
    event(LATE, "2026-03-02 00:10", "page_view", session_id="late"),
    event(LATE, "2026-03-05 00:10", "page_view", session_id="late"),
    event(NOTIFIED, "2026-03-05 00:10", "notification_received"),
]


class Figures:
    """The rows of all periods, read once."""

    def __init__(self, pipeline: Pipeline) -> None:
        periods = ("hourly", "daily", "weekly", "monthly", "quarterly", "yearly")
        self._rows = {period: engagement(pipeline, period) for period in periods}

    def of(self, period: str, user: int) -> pd.DataFrame:
        return self._rows[period].loc[user]

    def row(self, period: str, user: int, start: str) -> pd.Series:
        return self._rows[period].loc[(user, pd.Timestamp(start))]


@pytest.fixture(scope="module")
def pipeline(new_settings: Callable[[], Settings]) -> Iterator[Pipeline]:
    settings = new_settings()
    people = [{"user_id": user, "time_zone": "Europe/Berlin"} for user in (REPEATED, MISSING)]
    drop_file(settings, "login_sessions/rows.csv", csv_text(SESSIONS))
    drop_file(settings, "app_events/rows.csv", csv_text(APP_EVENTS))
    drop_file(settings, "app_events/the_same_again.csv", csv_text(APP_EVENTS))
    drop_file(settings, "users/rows.csv", csv_text(people))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=GROUPS)
        yield pipeline


@pytest.fixture(scope="module")
def figures(pipeline: Pipeline) -> Figures:
    return Figures(pipeline)


def test_a_logged_session_counts_where_it_began_and_takes_time_where_it_was_open(figures):
    evening, night = (figures.row("hourly", MIDNIGHT, at) for at in ("2026-03-01 23:00", "2026-03-02 00:00"))
    assert (evening["login_count"], evening["session_duration_minutes"]) == (1, 75)
    assert (evening["time_spent_in_app_minutes"], night["time_spent_in_app_minutes"]) == (30, 45)
    assert pd.isna(night["login_count"])
    first, second = (figures.row("daily", MIDNIGHT, at) for at in ("2026-03-01", "2026-03-02"))
    assert (first["total_sessions"], first["time_spent_in_app_minutes"], first["active_days"]) == (1, 30, 1)
    assert pd.isna(second["total_sessions"])
    assert (second["time_spent_in_app_minutes"], second["active_days"]) == (45, 1)
    month = figures.row("monthly", MIDNIGHT, "2026-03-01")
    assert (month["total_sessions"], month["avg_session_duration_minutes"]) == (1, 75)
    assert (month["time_spent_in_app_minutes"], month["active_days"]) == (75, 2)


def test_a_session_without_an_end_counts_and_has_no_length(figures):
    day = figures.row("daily", ENDLESS, "2026-03-01")
    assert (day["total_sessions"], day["timed_sessions"], day["avg_session_duration_minutes"]) == (2, 1, 10)
    assert day["active_hours"] == 2
    assert pd.isna(figures.row("hourly", ENDLESS, "2026-03-01 10:00")["time_spent_in_app_minutes"])


def test_time_of_two_devices_at_once_counts_once(figures):
    day = figures.row("daily", DEVICES, "2026-03-01")
    assert (day["time_spent_in_app_minutes"], day["session_duration_minutes"]) == (70, 90)
    assert figures.row("hourly", DEVICES, "2026-03-01 10:00")["time_spent_in_app_minutes"] == 60


def test_sessions_are_made_from_events_on_days_without_a_logged_one(figures):
    """30 minutes without an event end a session, 29:59 do not; notifications make none, and midnight ends one."""
    first = figures.row("daily", MADE, "2026-03-01")
    assert (first["total_sessions"], first["timed_sessions"]) == (2, 2)
    assert pd.isna(first["login_count"])
    assert first["time_spent_in_app_minutes"] == pytest.approx(29 + 59 / 60)
    second = figures.row("daily", MADE, "2026-03-02")
    assert (second["total_sessions"], second["login_count"]) == (1, 1)
    assert figures.row("monthly", MADE, "2026-03-01")["total_sessions"] == 5
    assert pd.isna(figures.row("hourly", MADE, "2026-03-01 11:00")["active_hours"])


def test_who_was_only_notified_was_not_active(figures):
    day = figures.row("daily", NOTIFIED, "2026-03-05")
    assert day["notifications_received"] == 1
    assert day[["active_days", "total_sessions", "lifecycle"]].isna().all()


def test_events_are_counted_with_their_counts_and_names(figures):
    day = figures.row("daily", EVENTS, "2026-03-01")
    assert (day["pages_visited"], day["pages_visited_count"], day["page_views"]) == (["home", "trends"], 2, 5)
    month = figures.row("monthly", EVENTS, "2026-03-01")
    assert (month["features_used"], month["features_used_count"], month["feature_uses"]) == (
        ["chat", "diary"],
        2,
        6,
    )
    assert (month["features_adopted_count"], month["feature_adoption_rate"]) == (2, 1)
    assert day["feature_adoption_rate"] == 1  # the second feature is not there yet
    assert figures.row("daily", EVENTS, "2026-03-03")["feature_adoption_rate"] == 0.5
    names = [
        "chat_messages_sent", "health_data_points_added", "health_data_entries", "medication_logs", "symptom_logs",
        "goal_achievements", "actions_performed",
    ]  # fmt: skip
    assert month[names].tolist() == [1, 5, 2, 1, 2, 1, 1]


def test_equal_rows_are_separate_events_and_a_file_counts_once(figures):
    assert figures.of("daily", EQUAL)["page_views"].iloc[0] == 3


def test_the_sub_indices_and_their_mean(figures):
    """Worked out by hand: Ci 1/2, Ri 1/(1 + 2), Li 1 - 1/2, Ii 1/4 in a week whose last day is 2026-03-08."""
    week = figures.row("weekly", INDICES, "2026-03-02")
    indices = week[["click_depth_index", "recency_index", "loyalty_index", "interaction_index"]].tolist()
    assert indices == pytest.approx([1 / 2, 1 / 3, 1 / 2, 1 / 4])
    assert week["engagement_score_components"] == 4
    assert week["engagement_score"] == pytest.approx(100 * (1 / 2 + 1 / 3 + 1 / 2 + 1 / 4) / 4)
    day = figures.row("daily", INDICES, "2026-03-06")
    assert (day["recency_index"], day["engagement_score_components"]) == (1, 3)
    assert pd.isna(day["interaction_index"])
    without = figures.row("daily", INDICES, "2026-03-05")
    assert (without["engagement_score_components"], without["interaction_index"]) == (1, 0)


def test_a_session_over_midnight_goes_deep_with_the_views_of_both_days(figures):
    """Views that name it days later are not of it."""
    assert figures.row("daily", LATE, "2026-03-01")["click_depth_index"] == 1
    assert pd.isna(figures.row("daily", LATE, "2026-03-02")["click_depth_index"])  # no session began
    assert figures.row("monthly", LATE, "2026-03-01")["click_depth_index"] == pytest.approx(1 / 2)


def test_lifecycle(figures):
    daily = figures.of("daily", LIFECYCLE)["lifecycle"]
    assert {f"{day:%m-%d}": stage for day, stage in daily.items()} == {
        "03-02": "new", "03-03": "returning", "03-04": "dormant", "03-06": "resurrecting", "03-07": "dormant",
        "03-20": "resurrecting", "03-21": "dormant",
    }  # fmt: skip
    weekly = figures.of("weekly", LIFECYCLE)["lifecycle"]
    assert weekly.tolist() == ["new", "dormant", "resurrecting", "dormant"]
    assert figures.of("monthly", LIFECYCLE)["lifecycle"].tolist() == ["new"]  # the second month is not over
    assert figures.of("hourly", LIFECYCLE)["lifecycle"].isna().all()


def test_the_repeated_hour_is_one_row_of_two_hours(figures):
    """The clock goes back at 3:00 in Berlin: a session from 2:30 to 2:30 an hour later lasts an hour."""
    hours = figures.of("hourly", REPEATED)
    assert hours["time_spent_in_app_minutes"].tolist() == [60]
    assert hours["hours_covered"].tolist() == [2]
    assert figures.row("daily", REPEATED, "2025-10-26")["hours_covered"] == 25


def test_the_missing_hour_has_no_row(figures):
    hours = figures.of("hourly", MISSING)
    assert [start.hour for start in hours.index] == [1, 3]
    assert hours["time_spent_in_app_minutes"].tolist() == [30, 30]


def test_a_first_day_that_comes_late_makes_no_finished_row_again(pipeline):
    """Last of the module: the person of ``LATE`` was there in February, as it turns out."""
    assert engagement(pipeline, "daily").loc[(LATE, pd.Timestamp("2026-03-01")), "lifecycle"] == "new"
    early = session(LATE, "2026-02-10 10:00", "2026-02-10 10:10", "first")
    drop_file(pipeline.settings, "login_sessions/early.csv", csv_text([early]))
    refresh(pipeline, groups=BEFORE)
    stale = stale_partitions(pipeline, ASSET_BY_NAME["user_engagement/daily"])
    assert stale == [date(2026, 2, 10), date(2026, 2, 11)]
    refresh(pipeline, names=("user_engagement/starts",))
    assert (
        engagement(pipeline, "daily").loc[(LATE, pd.Timestamp("2026-03-01")), "lifecycle"] == "resurrecting"
    )


def test_nobody_is_called_dormant_before_the_period_is_complete(settings):
    drop_file(
        settings, "login_sessions/rows.csv", csv_text([session(1, "2026-06-12 10:00", "2026-06-12 10:10")])
    )
    with opened(settings, now=datetime(2026, 6, 14, 12)) as pipeline:
        refresh(pipeline, groups=GROUPS)
        assert engagement(pipeline, "daily").loc[1]["lifecycle"].tolist() == ["new"]
    with opened(settings, now=datetime(2026, 6, 18, 12)) as pipeline:
        refresh(pipeline, groups=GROUPS)
        assert engagement(pipeline, "daily").loc[1]["lifecycle"].tolist() == ["new", "dormant"]
