"""``app_events`` of the demo: what people do on their visits, and the notifications that they get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from healthmate_bi_pipeline.sources.demo import body, devices, medication, symptoms
from healthmate_bi_pipeline.sources.demo.clocks import Flags, Integers, Numbers, Times
from healthmate_bi_pipeline.sources.demo.login_sessions import session_ids
from healthmate_bi_pipeline.sources.demo.notifications import NOTIFICATIONS, Notifications
from healthmate_bi_pipeline.sources.demo.rows import (
    Clock,
    DemoRows,
    FileStyle,
    Format,
    coded,
    instants,
    joined,
    same,
)
from healthmate_bi_pipeline.sources.demo.visits import Visits
from healthmate_bi_pipeline.sources.demo.world import World

DATASET = "app_events"
APP = FileStyle(
    DATASET, "app", Format.PARQUET, Clock.UTC, has_offset=True, is_quarterly=True, comes_twice=True
)
WEB = FileStyle(DATASET, "web", Format.NDJSON_GZIP, Clock.LOCAL_WITH_OFFSET, is_tidy=True)
"""The old web client: its events have no number and no session."""

PAGES = (
    "home", "trends", "medication", "sleep", "activity", "learn", "messages", "report", "profile", "settings",
)  # fmt: skip
_PAGE_SHARES = np.array([1.0, 0.35, 0.25, 0.25, 0.3, 0.1, 0.12, 0.08, 0.06, 0.05])
LAUNCHED_FEATURE = "sleep_coach"
FEATURES = (
    "daily_summary", "trend_charts", "medication_plan", "symptom_diary", "sleep_insights", "step_challenge",
    "food_diary", "breathing", "doctor_report", "family_sharing", "care_chat", LAUNCHED_FEATURE,
)  # fmt: skip
_POPULARITY = np.array([0.9, 0.6, 0.5, 0.4, 0.45, 0.3, 0.2, 0.15, 0.15, 0.1, 0.25])
_LAUNCHED, _CHAT = FEATURES.index(LAUNCHED_FEATURE), FEATURES.index("care_chat")
LAUNCHED_USE_SHARE = 0.5
"""Of the visits of who uses the launched feature."""
ACTIONS = ("share", "set_goal", "export", "add_note", "edit_profile")
ENTRIES = ("body_temperature", "height", "oxygen_saturation")
STEP_GOAL_FACTOR = 1.15
_HOURS_TO_ENTER = 24

_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("page_view", PAGES),
    ("feature_used", FEATURES),
    ("action", ACTIONS),
    ("chat_message", ("care_team",)),
    ("notification_opened", NOTIFICATIONS),
    ("health_data_added", ENTRIES),
    ("medication_logged", ("dose",)),
    ("symptom_logged", ("symptom",)),
    ("goal_achieved", ("steps",)),
    ("notification_received", NOTIFICATIONS),
)
_EVENTS = tuple(event for event, names in _KINDS for _ in names)
_NAMES = tuple(name for _, names in _KINDS for name in names)
_FIRST = {event: _EVENTS.index(event) for event, _ in _KINDS}
"""Where the names of an event begin among all pairs of an event and a name."""

ENTERED = (medication.APP, body.HOME, symptoms.DIARY)
"""What people enter in the app."""


@dataclass(frozen=True)
class _Done:
    """What was done on visits: which, the pair of event and name, how often, and not before when."""

    visit: Integers
    pair: Integers
    count: Integers
    earliest: Times | None = None


def app_events(
    world: World, visits: Visits, notifications: Notifications, made: Mapping[FileStyle, DemoRows]
) -> tuple[DemoRows, DemoRows]:
    """The events by the app and those by the old web client.

    Args:
        world: the people.
        visits: theirs.
        notifications: theirs.
        made: what they recorded, of which some was entered in the app: that day, or with the next visit.
    """
    done = [
        _pages(world, visits),
        _features(world, visits),
        *_actions(world, visits),
        _opened(notifications),
        *_entered(visits, made),
        _goals(world, visits),
    ]
    visit, pair, count = (
        np.concatenate([getattr(each, name) for each in done]) for name in ("visit", "pair", "count")
    )
    utc = _times(world, visits, done)
    person, day = visits.person[visit], visits.day[visit]
    sessions = session_ids(world, visits).take(pa.array(visit))
    event_id = joined(sessions, "-", pa.array(pair))
    table = _table(world, person, pair=pair, count=count, utc=utc, session_id=sessions, event_id=event_id)
    has_session = visits.has_session[visit]
    by_app, by_web = np.flatnonzero(has_session), np.flatnonzero(~has_session)
    outside = _received(world, notifications)
    app = DemoRows(
        APP,
        np.concatenate([person[by_app], outside.person]),
        np.concatenate([day[by_app], outside.day]),
        pa.concat_tables([table.take(pa.array(by_app)), outside.table]).unify_dictionaries(),
        np.concatenate([utc[by_app], outside.recorded_at]),
    )
    nameless = table.take(pa.array(by_web)).drop_columns(["session_id", "event_id"])
    return app, DemoRows(WEB, person[by_web], day[by_web], nameless, utc[by_web])


def _pages(world: World, visits: Visits) -> _Done:
    rng = world.block.rng("pages")
    taste = np.minimum(rng.gamma(3, 1 / 3, (len(world.people), len(PAGES))) * _PAGE_SHARES, 1)
    taste[:, 0] = 1.0
    visit, page = np.nonzero(rng.random((len(visits), len(PAGES))) < taste[visits.person])
    return _Done(visit, _FIRST["page_view"] + page, 1 + rng.poisson(0.4, len(visit)))


def _features(world: World, visits: Visits) -> _Done:
    """Each person has a repertoire; the launched feature comes into it on a day of their own."""
    rng, people = world.block.rng("features"), world.people
    shape = (len(people), len(FEATURES))
    popularity = np.append(_POPULARITY, 0.0) * (0.4 + 0.8 * people.interest)[:, None]
    share = np.where(rng.random(shape) < popularity, rng.uniform(0.08, 0.4, shape), 0.0)[visits.person]
    has_launched = visits.day >= world.app_use.adopts_from[visits.person]
    share[:, _LAUNCHED] = np.where(has_launched, LAUNCHED_USE_SHARE, 0.0)
    visit, feature = np.nonzero(rng.random(share.shape) < share)
    return _Done(visit, _FIRST["feature_used"] + feature, np.ones(len(visit), dtype=np.int64))


def _actions(world: World, visits: Visits) -> Iterator[_Done]:
    rng, people = world.block.rng("actions"), world.people
    acts = np.flatnonzero(rng.random(len(visits)) < 0.1 + 0.5 * people.interest[visits.person])
    pair = _FIRST["action"] + rng.choice(len(ACTIONS), len(acts), p=(0.25, 0.2, 0.1, 0.35, 0.1))
    yield _Done(acts, pair, 1 + rng.poisson(0.8, len(acts)))
    chats = rng.random(len(people)) < _POPULARITY[_CHAT]
    talks = np.flatnonzero((rng.random(len(visits)) < 0.35) & chats[visits.person])
    yield _Done(talks, np.full(len(talks), _FIRST["chat_message"]), 1 + rng.poisson(2.0, len(talks)))


def _opened(notifications: Notifications) -> _Done:
    visit = notifications.opened_visit
    pair = _FIRST["notification_opened"] + notifications.opened_name
    return _Done(visit, pair, np.ones(len(visit), dtype=np.int64))


def _goals(world: World, visits: Visits) -> _Done:
    """Many steps, told on the last visit of the day."""
    steps = world.habits.steps * world.habits.has_data
    is_reached = steps >= STEP_GOAL_FACTOR * world.people.steps[:, None]
    told = np.flatnonzero(is_reached[visits.person, visits.day] & visits.is_last_of_day())
    return _Done(told, np.full(len(told), _FIRST["goal_achieved"]), np.ones(len(told), dtype=np.int64))


def _entered(visits: Visits, made: Mapping[FileStyle, DemoRows]) -> Iterator[_Done]:
    """Doses, symptoms and readings at home: entered at the next visit within a day.

    What has no such visit was entered by a widget or by another program, which sends no events.
    """
    doses, home = made[medication.APP], made[body.HOME]
    logged_at = pc.coalesce(doses.table["taken_at"], doses.table["scheduled_at"]).to_numpy()
    status = doses.table["status"].cast(pa.string()).to_numpy()
    is_logged = status != medication.UNLOGGED
    yield _entries(visits, doses.person[is_logged], logged_at[is_logged], _FIRST["medication_logged"])
    felt = made[symptoms.DIARY]
    yield _entries(visits, felt.person, felt.recorded_at, _FIRST["symptom_logged"])
    metric = home.table["metric"].cast(pa.string()).to_numpy()
    for place, name in enumerate(ENTRIES):
        mine = metric == name
        pair = _FIRST["health_data_added"] + place
        yield _entries(visits, home.person[mine], home.recorded_at[mine], pair)


def _entries(visits: Visits, person: Integers, utc: Times, pair: int) -> _Done:
    """Entries of one kind, counted by the visit on which they were made."""
    if not len(visits):
        return _Done(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))
    visit = np.searchsorted(_order(visits.person, visits.end), _order(person, utc), side="right")
    found = np.minimum(visit, len(visits) - 1)
    in_time = visits.start[found] - utc < np.timedelta64(_HOURS_TO_ENTER, "h")
    is_entered = (visit < len(visits)) & (visits.person[found] == person) & in_time
    count = np.bincount(visit[is_entered], minlength=len(visits))
    latest = visits.start.copy()
    np.maximum.at(latest, visit[is_entered], utc[is_entered])
    at = np.flatnonzero(count)
    return _Done(at, np.full(len(at), pair), count[at], latest[at])


def _order(person: Integers, utc: Times) -> Integers:
    """A number by which moments sort by person and time."""
    seconds = utc.astype("datetime64[s]").astype(np.int64)
    return person.astype(np.int64) * (1 << 34) + seconds


def _times(world: World, visits: Visits, done: list[_Done]) -> Times:
    """When it was done: at any second of the visit, but not before what it tells of; openings begin a visit."""
    rng = world.block.rng("times of events")
    times = []
    for each in done:
        start = visits.start[each.visit] if each.earliest is None else each.earliest
        share: Numbers = rng.random(len(each.visit))
        is_opening: Flags = np.isin(each.pair, _FIRST["notification_opened"] + np.arange(len(NOTIFICATIONS)))
        share = np.where(is_opening, 0.0, share)
        seconds = (visits.end[each.visit] - start).astype(np.int64) / 1e6 * share
        times.append(start + np.floor(seconds).astype("timedelta64[s]"))
    utc: Times = np.concatenate(times)
    return utc


def _received(world: World, notifications: Notifications) -> DemoRows:
    person, day = notifications.person, notifications.day
    pair = _FIRST["notification_received"] + notifications.name
    dates = pa.array(world.block.span.dates[day].astype(str))
    event_id = joined("n-", pa.array(world.users_of(person)), "-", dates, "-", pa.array(notifications.number))
    table = _table(
        world, person, pair=pair, count=np.ones(len(person), dtype=np.int64), utc=notifications.utc,
        session_id=pa.nulls(len(person), pa.string()), event_id=event_id,
    )  # fmt: skip
    return DemoRows(APP, person, day, table, notifications.utc)


def _table(
    world: World,
    person: Integers,
    *,
    pair: Integers,
    count: Integers,
    utc: Times,
    session_id: pa.Array,
    event_id: pa.Array,
) -> pa.Table:
    return pa.table(
        {
            "user_id": pa.array(world.users_of(person)),
            "session_id": session_id,
            "event": coded(pair, _EVENTS).dictionary_decode().dictionary_encode(),
            "name": coded(pair, _NAMES).dictionary_decode().dictionary_encode(),
            "occurred_at": instants(utc),
            "event_id": event_id,
            "count": pa.array(count.astype(np.int64)),
            "source": same(devices.APP, len(person)),
        }
    )
