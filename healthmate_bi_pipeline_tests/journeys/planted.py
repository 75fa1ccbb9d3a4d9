"""Demo populations of the journeys' own, and what their file of stories says."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources.demo import write_demo, write_stories

Story = dict[str, Any]
Stories = dict[str, Story]

FIRST, LAST = date(2025, 12, 1), date(2026, 8, 31)
"""Nine months, the shortest that tell stories; clocks change in them."""

NOW = datetime.combine(LAST, datetime.min.time()) + timedelta(days=10)
PEOPLE = 400


def plant(settings: Settings, datasets: Collection[str], *, detail: float = 1.0) -> Stories:
    """Write a demo of some datasets into the landing folder; its stories, as their file says them."""
    demo = write_demo(
        settings.landing_path,
        first_day=FIRST,
        last_day=LAST,
        people=PEOPLE,
        detail=detail,
        datasets=datasets,
    )
    path = write_stories(settings.home_path / "demo", demo.stories, demo.about())
    return {story["name"]: story for story in json.loads(path.read_text())["stories"]}


def size(story: Story, figure: str) -> float:
    """How large the effect is that was put in."""
    return float(story["effect"]["sizes"][figure])


def first_day(story: Story) -> pd.Timestamp:
    """The day on which it happens."""
    return pd.Timestamp(story["when"]["first_day"])


def own_days(story: Story, name: str) -> dict[int, pd.Timestamp]:
    """Each person's own day, by user_id."""
    return {int(user): pd.Timestamp(own[name]) for user, own in story["when"]["per_person"].items()}


def stretch(story: Story) -> tuple[pd.Timestamp, pd.Timestamp]:
    """From when until when, UTC."""
    start, end = (pd.Timestamp(story["when"][name]).tz_localize(None) for name in ("from", "until"))
    return start, end


def days(number: int) -> pd.Timedelta:
    """So many days."""
    return pd.Timedelta(days=number)
