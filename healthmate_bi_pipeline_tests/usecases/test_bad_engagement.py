"""Sessions and events that come in wrong: each is set aside by its rule, and the rest goes on."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from healthmate_bi_pipeline.catalog.datasets import APP_EVENTS, LOGIN_SESSIONS
from healthmate_bi_pipeline_tests.accounts import assert_books_balance, fates, rules
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, engagement, opened, refresh

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 20, 12)
SESSION = {"user_id": 1, "session_id": "s", "started_at": "2026-03-10 10:00", "ended_at": "2026-03-10 10:20"}
EVENT = {"user_id": 1, "event": "page_view", "name": "home", "occurred_at": "2026-03-10 10:05", "count": None}

SESSIONS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"session_id": "endless", "started_at": "2026-03-10 12:00", "ended_at": None}, None),
    ({"session_id": "back", "ended_at": "2026-03-10 09:59"}, "ends_before_start:ended_at"),
    ({"session_id": "week", "ended_at": "2026-03-17 10:00"}, "too_long:ended_at"),
    ({"session_id": "second", "ended_at": "2026-03-10 09:59:59"}, "ends_before_start:ended_at"),
    ({"session_id": "instant", "user_id": 2, "ended_at": "2026-03-10 10:00"}, None),
    ({"session_id": "day", "user_id": 3, "ended_at": "2026-03-11 10:00"}, None),
    ({"session_id": "longer", "user_id": 3, "ended_at": "2026-03-11 10:00:01"}, "too_long:ended_at"),
    ({"session_id": "a year", "user_id": 3, "ended_at": "2027-03-10 10:00"}, "too_long:ended_at"),
    ({"session_id": None}, "missing:session_id"),
    ({"session_id": "whose", "user_id": "me"}, "wrong_type:user_id"),
]
EVENTS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({}, None),
    ({"event": "Page_View", "count": 2}, None),
    ({"event": "page_turned"}, "unknown_code:event"),
    ({"event": None}, "missing:event"),
    ({"count": -1}, "negative:count"),
    ({"count": 1_000_001}, "impossible_value:count"),
    ({"count": "many"}, "wrong_type:count"),
]


def test_what_is_wrong_is_set_aside_by_its_rule(settings):
    for folder, base, cases in (("login_sessions", SESSION, SESSIONS), ("app_events", EVENT, EVENTS)):
        drop_file(settings, f"{folder}/rows.csv", csv_text([base | change for change, _ in cases]))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=("staged", "raw", "state", "user_engagement"))
        for dataset, cases in ((LOGIN_SESSIONS, SESSIONS), (APP_EVENTS, EVENTS)):
            broken = [rule for _, rule in cases if rule]
            assert rules(pipeline, dataset) == dict(Counter(broken))
            assert fates(pipeline, dataset) == {"kept": len(cases) - len(broken), "quarantined": len(broken)}
        assert_books_balance(pipeline)
        of_days = engagement(pipeline, "daily")
        day = of_days.loc[(1, datetime(2026, 3, 10))]
        assert (day["total_sessions"], day["timed_sessions"], day["page_views"]) == (2, 1, 4)
        assert day["time_spent_in_app_minutes"] == 20
        # A session of no length is one, and one of a whole day is cut at midnight.
        assert of_days.loc[
            2, ["total_sessions", "session_duration_minutes"]
        ].dropna().to_numpy().tolist() == [[1, 0]]
        assert of_days.loc[3, "time_spent_in_app_minutes"].dropna().tolist() == [14 * 60, 10 * 60]
        assert of_days.loc[3, "total_sessions"].sum() == 1
