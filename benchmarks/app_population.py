"""The landing files of the engagement family: sessions and events of people who come, fall away and come back.

Every person has a habit of their own (how often, at which hours, how long), starts on some day and leaves for good
after a time of their own; pages and features are used as unevenly as they are. Made by DuckDB.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.chance import exponential, normal, picked, uniform
from benchmarks.population import connected
from healthmate_bi_pipeline.domain.period import midnight

EVENTS = {
    "page_view": 0.46, "action": 0.2, "feature_used": 0.13, "notification_received": 0.06, "health_data_added": 0.05,
    "chat_message": 0.04, "notification_opened": 0.025, "medication_logged": 0.02, "symptom_logged": 0.01,
    "goal_achieved": 0.005,
}  # fmt: skip


EVENTS_PER_FILE = 5_000_000
"""About; more at once do not fit into the memory that the pipeline has."""


@dataclass(frozen=True)
class AppSize:
    """How much there is: about so many events, of so many people, over so many days from the first."""

    events: int
    people: int
    days: int
    first_day: date = date(2025, 1, 1)

    def __str__(self) -> str:
        return f"{self.events / 1e6:.1f} M app events of {self.people:,} people over {self.days:,} days"

    @property
    def rows(self) -> int:
        """What a rate is told in."""
        return self.events


def write_landing(landing: Path, size: AppSize) -> dict[Path, str]:
    """Write the files of people, sessions and events; the larger two with the column of their day.

    Of the sessions one in 30 has no end. Of the events one of 200 comes twice and one of 1,000 is of no known kind.
    """
    users, sessions, events = (landing / name for name in ("users", "login_sessions", "app_events"))
    for folder in (users, sessions, events):
        folder.mkdir(parents=True)
    with connected() as connection:
        connection.execute(
            f"""COPY (SELECT user_id, time_zone FROM ({_people(size)}))
                TO '{users / "users.parquet"}' (FORMAT parquet)"""
        )
        connection.execute(f"CREATE TABLE visits AS {_visits(size)}")
        (number,) = connection.execute("SELECT count(*) FROM visits").fetchall()[0]
        connection.execute(
            f"""COPY (SELECT user_id, session_id, started_at,
                    CASE WHEN {uniform("no end", "session_id")} > 1 / 30.0 THEN started_at + to_seconds(length) END AS ended_at,
                    device, '4.' || (day // 20)::int AS app_version, 'app' AS source
                FROM visits) TO '{sessions / "sessions.parquet"}' (FORMAT parquet, COMPRESSION zstd)"""
        )
        parts = [events / f"events-{part:02}.parquet" for part in range(-(-size.events // EVENTS_PER_FILE))]
        for part, path in enumerate(parts):
            some = f"SELECT * FROM visits WHERE user_id % {len(parts)} = {part}"
            connection.execute(
                f"COPY ({_events(size, some, visits=number)}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
            )
    return {sessions / "sessions.parquet": "started_at", **dict.fromkeys(parts, "occurred_at")}


def add_late_row(landing: Path, size: AppSize) -> None:
    """Write a file with one event on the first day."""
    (landing / "app_events" / "late.csv").write_text(
        "user_id,event,name,source,occurred_at,event_id\n"
        f"1,page_view,page 1,app,{midnight(size.first_day):%Y-%m-%d}T12:34:56Z,late\n"
    )


def _people(size: AppSize) -> str:
    """A third were there before; the others come over time. They stay for a mean of two months."""
    return f"""
        SELECT 1 + i AS user_id, pow({uniform("habit", "i")}, 1.3) AS habit,
            floor(greatest({uniform("first", "i")} * 1.5 - 0.5, 0) * {size.days})::int AS first,
            floor(60 * {exponential("life", "i")})::int AS life,
            8 + 12 * {uniform("hour", "i")} AS hour, 1 + 3 * {uniform("often", "i")} AS often,
            CASE WHEN {uniform("device", "i")} < 0.55 THEN 'phone A' ELSE 'phone B' END AS device,
            CASE WHEN i % 10 < 6 THEN 'Europe/Berlin' WHEN i % 10 < 9 THEN 'America/New_York' ELSE 'Asia/Kolkata' END
                AS time_zone
        FROM range({size.people}) t(i)"""


def _visits(size: AppSize) -> str:
    """One row a session: fewer at week-ends, around the person's hour, of very different length."""
    is_there = (
        f"day BETWEEN first AND first + life AND {uniform('there', 'user_id', 'day')}"
        " < habit * CASE WHEN day % 7 IN (3, 4) THEN 0.7 ELSE 1 END"
    )
    seconds = f"(hour + 2.5 * {normal('start', 'user_id', 'day', 'visit')}) * 3600"
    return f"""
        SELECT user_id, day, visit, device, hash('session', user_id, day, visit)::varchar AS session_id,
            timestamptz '{size.first_day} 00:00:00+00' + to_days(day)
                + to_milliseconds((greatest(0, least(86399, {seconds})) * 1000)::bigint) AS started_at,
            least(14400, exp(5.3 + 1.1 * {normal("length", "user_id", "day", "visit")}))::double AS length
        FROM (
            SELECT *, unnest(range(1 + floor(often * {exponential("visits", "user_id", "day")} / 2)::int)) AS visit
            FROM (SELECT *, d::int AS day FROM ({_people(size)}), range({size.days}) b(d)) WHERE {is_there}
        )"""


def _events(size: AppSize, some: str, *, visits: int) -> str:
    """What happens in some of the sessions, so much that it adds up to the size; the first is always a page view."""
    mean = max(size.events / max(visits, 1) - 0.5, 0.1)
    kind = picked(EVENTS, "kind")
    return f"""
        SELECT user_id, CASE WHEN event <> 'notification_received' THEN session_id END AS session_id,
            CASE WHEN {uniform("bad", "event_id")} < 0.001 THEN 'page_turn' ELSE event END AS event,
            CASE WHEN event = 'page_view' THEN 'page ' || floor(40 * pow(choice, 2.5))::int
                WHEN event = 'feature_used' THEN 'feature ' || floor(18 * pow(choice, 1.8))::int
                WHEN event = 'action' THEN 'action ' || floor(60 * pow(choice, 2))::int END AS name,
            occurred_at, event_id, 'app' AS source
        FROM (
            SELECT *, hash('event', session_id, number)::varchar AS event_id,
                CASE WHEN number = 0 THEN 'page_view' ELSE {kind} END AS event,
                started_at + to_milliseconds((1000 * length * (number + within) / happenings)::bigint) AS occurred_at
            FROM (
                SELECT *, {uniform("kind", "session_id", "number")} AS kind, {uniform("name", "session_id", "number")} AS choice,
                    {uniform("within", "session_id", "number")} AS within
                FROM (
                    SELECT *, unnest(range(happenings)) AS number
                    FROM (
                        SELECT *, 1 + floor({mean!r} * {exponential("happenings", "session_id")})::bigint AS happenings
                        FROM ({some})
                    )
                )
            )
        ), range(CASE WHEN {uniform("twice", "event_id")} < 0.005 THEN 2 ELSE 1 END)"""
