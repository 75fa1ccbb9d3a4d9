"""Twenty months of 200 people in the app, and of the backend: written once for all tests that look at it."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from healthmate_bi_pipeline.sources.demo import write_demo, write_stories
from healthmate_bi_pipeline.sources.demo.writing_demo import DemoResult
from healthmate_bi_pipeline_tests.sources.demo.app import good_rows, local_times
from healthmate_bi_pipeline_tests.sources.demo.reading import read_device

FIRST, LAST = date(2025, 1, 1), date(2026, 8, 31)


@dataclass(frozen=True)
class AppDemo:
    """The demo's files, as they say themselves what is in them, and the rows that break no rule."""

    landing: Path
    result: DemoResult
    stories: dict[str, dict[str, Any]]
    sessions: pd.DataFrame
    events: pd.DataFrame
    web_events: pd.DataFrame
    bills: pd.DataFrame
    requests: pd.DataFrame
    hosts: pd.DataFrame
    users: pd.DataFrame


@pytest.fixture(scope="session")
def app_demo(tmp_path_factory: pytest.TempPathFactory) -> AppDemo:
    home = tmp_path_factory.mktemp("app demo")
    landing = home / "landing"
    datasets = (
        "users", "medication_doses", "symptom_logs", "activity_intervals", "login_sessions", "app_events",
        "billing_events", "api_requests", "host_samples",
    )  # fmt: skip
    result = write_demo(landing, first_day=FIRST, last_day=LAST, datasets=datasets)
    told = json.loads(write_stories(home / "demo", result.stories, result.about()).read_text())
    sessions = good_rows(landing, "login_sessions", "app", ["user_id", "session_id"])
    events = good_rows(landing, "app_events", "app", ["event_id"])
    users = read_device(landing, "users", "users")
    return AppDemo(
        landing=landing,
        result=result,
        stories={story["name"]: story for story in told["stories"]},
        sessions=sessions.assign(local=local_times(sessions, "started_at")),
        events=events.assign(local=local_times(events, "occurred_at")),
        web_events=read_device(landing, "app_events", "web").rename(columns={"occurred_at_local": "local"}),
        bills=good_rows(landing, "billing_events", "billing", ["event_id"]),
        requests=good_rows(landing, "api_requests", "gateway", ["request_id"]),
        hosts=good_rows(landing, "host_samples", "hosts", ["instance_id", "sampled_at"]),
        users=users[(users["birth_year"] < 2030) & (users["time_zone"] != "Europe/Atlantis")],
    )
