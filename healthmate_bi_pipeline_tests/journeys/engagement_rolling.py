"""Sessions and events of a year and a bit, and the values that every measure of engagement has in them.

As in ``rolling``: a value is what a measure counts once, and no sums are made here. Time in the app is counted
second by second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from healthmate_bi_pipeline.catalog.engagement import MEASURE_OF_EVENT

FIRST, LAST = pd.Timestamp(2023, 12, 27), pd.Timestamp(2025, 1, 6)
EDGES = ("2023-12-31", "2024-01-01", "2024-02-29", "2024-03-31", "2024-04-01", "2024-12-30", "2025-01-01")
PEOPLE = (1, 2, 3)
PAGES, FEATURES = ("home", "trends", "diary", "goals"), ("chat", "diary", "export")
HALF_HOUR = pd.Timedelta(minutes=30)
DAY, HOUR, SECOND = (pd.Timedelta(**{name: 1}) for name in ("days", "hours", "seconds"))


@dataclass(frozen=True)
class Rows:
    """The rows of the landing files, in wall-clock time."""

    sessions: pd.DataFrame
    events: pd.DataFrame


def random_rows(seed: int) -> Rows:
    """Some days of some people: sessions that overlap, go over midnight or have no end, and days without any."""
    random = np.random.default_rng(seed)
    weeks = random.choice((LAST - FIRST).days - 8, 5, replace=False)
    some = {FIRST + DAY * int(first) + DAY * number for first in weeks for number in range(8)}
    days = sorted({*some, *(pd.Timestamp(day) for day in EDGES)})
    keys = [(person, day) for person in PEOPLE for day in days if random.random() < 0.8]
    sessions = pd.DataFrame([row for key in keys for row in _sessions(random, *key)])
    events = pd.DataFrame([row for key in keys for row in _events(random, *key, sessions)])
    return Rows(sessions, events)


def _sessions(random: np.random.Generator, person: int, day: pd.Timestamp) -> Iterator[dict[str, object]]:
    if random.random() < 0.35:  # sessions are made from events
        return
    for number in range(random.integers(1, 5)):
        start = day + SECOND * int(
            random.choice([random.integers(0, 86_400), random.integers(84_000, 86_400)])
        )
        length = SECOND * int(random.choice([0, random.integers(1, 4_000), random.integers(10_000, 40_000)]))
        yield {
            "user_id": person,
            "session_id": f"{person} {day:%y%m%d} {number}",
            "started_at": start,
            "ended_at": pd.NaT if random.random() < 0.15 else start + length,
        }


def _events(
    random: np.random.Generator, person: int, day: pd.Timestamp, sessions: pd.DataFrame
) -> Iterator[dict[str, object]]:
    of_day = sessions[(sessions["user_id"] == person) & (sessions["started_at"].dt.normalize() == day)]
    ids = [*of_day["session_id"], None]
    at = day + SECOND * int(random.integers(0, 40_000))
    for _ in range(random.integers(0, 25)):
        at = at + SECOND * int(
            random.choice([0, random.integers(1, 600), 1_799, 1_800, random.integers(1, 9_000)])
        )
        kind = str(random.choice(list(MEASURE_OF_EVENT)))
        names = {"page_view": (*PAGES, None), "feature_used": (*FEATURES, None)}.get(kind, (None,))
        yield {
            "user_id": person,
            "session_id": ids[random.integers(0, len(ids))],
            "event": kind,
            "name": names[random.integers(0, len(names))],
            "occurred_at": at,
            "count": [None, 0, 1, 3][random.integers(0, 4)],
        }


def values_of(rows: Rows) -> pd.DataFrame:
    """All values of all measures: user_id, measure, item, at, value."""
    events = rows.events.assign(count=rows.events["count"].fillna(1).astype(int))
    events = events[events["count"] > 0]
    deliberate = events[events["event"] != "notification_received"]
    logged = rows.sessions.assign(is_logged=True)
    made = _made_sessions(deliberate, logged)
    sessions = pd.concat([_with_views(logged, events), made])
    covered = _covered_hours(sessions)
    parts = [
        *_sessions_values(sessions),
        covered,
        _active_hours(covered, sessions, deliberate),
        *_event_values(events),
    ]
    values = (
        pd.concat(parts).reindex(columns=["user_id", "measure", "item", "at", "value"]).reset_index(drop=True)
    )
    return values.assign(item=values["item"].fillna(""), value=values["value"].astype(float))


def _with_views(logged: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    views = []
    for row in logged.itertuples():
        mine = events[(events["user_id"] == row.user_id) & (events["session_id"] == row.session_id)]
        day = row.started_at.normalize()
        near = mine[(mine["event"] == "page_view") & (mine["occurred_at"] >= day)]
        views.append(near[near["occurred_at"] < day + 2 * DAY]["count"].sum())
    return logged.assign(views=views)


def _made_sessions(deliberate: pd.DataFrame, logged: pd.DataFrame) -> pd.DataFrame:
    """On days that no logged session touches: half an hour without an event ends one."""
    touched = {
        (row.user_id, day)
        for row in logged.itertuples()
        for day in pd.date_range(
            row.started_at.normalize(),
            row.started_at if pd.isna(row.ended_at) else max(row.ended_at - SECOND, row.started_at),
            freq="D",
        )
    }
    found = []
    days = deliberate["occurred_at"].dt.normalize()
    for (person, day), mine in deliberate.groupby(["user_id", days]):
        if (person, day) in touched:
            continue
        open_ = None
        for row in mine.sort_values("occurred_at").itertuples():
            if open_ is None or row.occurred_at - open_["ended_at"] >= HALF_HOUR:
                open_ = {"user_id": person, "started_at": row.occurred_at, "views": 0, "is_logged": False}
                found.append(open_)
            open_["ended_at"] = row.occurred_at
            open_["views"] += row.count if row.event == "page_view" else 0
    return pd.DataFrame(found)


def _sessions_values(sessions: pd.DataFrame) -> Iterator[pd.DataFrame]:
    began = sessions.assign(at=sessions["started_at"], item="", value=np.nan)
    length = (sessions["ended_at"] - sessions["started_at"]).dt.total_seconds()
    number = (sessions["started_at"].dt.normalize() - pd.Timestamp(1970, 1, 1)).dt.days
    yield began.assign(measure="sessions")
    yield began[began["is_logged"].astype(bool)].assign(measure="logins")
    yield began[began["views"] >= 3].assign(measure="deep_sessions")
    yield began.assign(measure="session_day", value=number)
    yield began.assign(measure="session_seconds", value=length)[length.notna()]


def _covered_hours(sessions: pd.DataFrame) -> pd.DataFrame:
    """One value per hour: how many of its seconds a session was open in; none are counted twice."""
    found = []
    for person, mine in sessions[sessions["ended_at"].notna()].groupby("user_id"):
        seconds: dict[pd.Timestamp, set[int]] = {}
        for row in mine.itertuples():
            first = row.started_at.floor("h")
            seconds.setdefault(first, set())
            for hour in pd.date_range(first, max(row.ended_at - SECOND, row.started_at), freq="h"):
                begin = max(row.started_at, hour)
                finish = min(row.ended_at, hour + HOUR)
                inside = range(int((begin - hour) / SECOND), int((finish - hour) / SECOND))
                seconds.setdefault(hour, set()).update(inside)
        found += [{"user_id": person, "at": hour, "value": len(inside)} for hour, inside in seconds.items()]
    return pd.DataFrame(found).assign(measure="app_seconds")


def _active_hours(covered: pd.DataFrame, sessions: pd.DataFrame, deliberate: pd.DataFrame) -> pd.DataFrame:
    places = [
        covered[["user_id", "at"]],
        sessions.assign(at=sessions["started_at"].dt.floor("h"))[["user_id", "at"]],
        deliberate.assign(at=deliberate["occurred_at"].dt.floor("h"))[["user_id", "at"]],
    ]
    return pd.concat(places).drop_duplicates().assign(measure="active_hours", value=np.nan)


def _event_values(events: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """As many values as the rows say; of entries of health data one each, worth so many."""
    each = events.loc[events.index.repeat(events["count"])].assign(
        value=np.nan, at=lambda rows: rows["occurred_at"]
    )
    names = {code: measure.name for code, measure in MEASURE_OF_EVENT.items() if code != "health_data_added"}
    counted = each[each["event"].isin(list(names))]
    yield counted.assign(measure=counted["event"].map(names), item="")
    entries = events[events["event"] == "health_data_added"]
    yield entries.assign(measure="health_data", item="", value=entries["count"], at=entries["occurred_at"])
    for code, measure in (("page_view", "page"), ("feature_used", "feature")):
        named = each[(each["event"] == code) & each["name"].notna()]
        yield named.assign(measure=measure, item=named["name"])
