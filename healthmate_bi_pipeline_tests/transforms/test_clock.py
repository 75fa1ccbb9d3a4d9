"""Wall-clock time against Python's ``zoneinfo``: many zones, gaps and folds, people who move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.period import Window, midnight
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.settings import EngineSettings
from healthmate_bi_pipeline.transforms import clock

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu",
    "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Apia",
    "Pacific/Pago_Pago", "America/Havana", "Asia/Beirut", "America/Sao_Paulo", "Africa/Casablanca",
    "Europe/London", "Europe/Dublin",
)  # fmt: skip
FIRST, LAST = date(2010, 1, 1), date(2024, 12, 31)
WINDOW = Window.of_days(FIRST, LAST)
APART = 15
"""Minutes that all offsets since 1972 are a multiple of."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(EngineSettings(), scratch=tmp_path_factory.mktemp("scratch")) as engine:
        yield engine


Versions = Sequence[tuple[int, datetime | None, str | None]]


def stretches(engine: Engine, versions: Versions, window: Window = WINDOW) -> Any:
    """The stretches of people, given as (user_id, valid_from, time_zone)."""
    users = pa.table(
        {
            "user_id": pa.array([user for user, _, _ in versions], pa.int64()),
            "valid_from": pa.array([since for _, since, _ in versions], pa.timestamp("us")),
            "time_zone": pa.array([zone for _, _, zone in versions], pa.string()),
        }
    )
    zones = clock.zone_stretches({zone for _, _, zone in versions if zone}, window)
    return engine.store(clock.person_stretches(engine.memory_table(users), engine.memory_table(zones)))


@pytest.fixture(scope="module")
def one_zone_each(engine: Engine) -> Any:
    return stretches(engine, [(number, None, zone) for number, zone in enumerate(ZONES)])


def filled(engine: Engine, people: Any, rows: Sequence[dict[str, Any]]) -> list[tuple[Any, Any]]:
    """Instant and wall-clock time of rows that have user_id, and at, local_at or utc_offset_minutes."""
    columns = {
        "user_id": pa.int64(), "at": pa.timestamp("us"), "local_at": pa.timestamp("us"), "utc_offset_minutes": pa.int64(),
    }  # fmt: skip
    arrays = {name: pa.array([row.get(name) for row in rows], type_) for name, type_ in columns.items()}
    table = engine.memory_table(pa.table({"n": list(range(len(rows))), **arrays}))
    found = engine.rows(clock.with_wall_clock(table, "at", people).order_by("n"))
    assert [row["n"] for row in found] == list(range(len(rows)))  # one row in, one row out
    return [(row["at"], row["local_at"]) for row in found]


def naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def changes(zone: str) -> list[datetime]:
    """Instants (UTC, naive) at which a zone's offset changes, found by asking zoneinfo at every quarter."""
    place, found = ZoneInfo(zone), []
    step = timedelta(hours=6)
    moment = midnight(FIRST).replace(tzinfo=UTC)
    while moment < midnight(LAST).replace(tzinfo=UTC):
        if moment.astimezone(place).utcoffset() != (moment + step).astimezone(place).utcoffset():
            fine = moment
            while fine.astimezone(place).utcoffset() == moment.astimezone(place).utcoffset():
                fine += timedelta(minutes=APART)
            found.append(naive(fine))
        moment += step
    return found


@pytest.fixture(scope="module")
def changes_of() -> dict[str, list[datetime]]:
    return {zone: changes(zone) for zone in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
        "Pacific/Apia", "America/Havana", "Asia/Beirut", "Africa/Casablanca", "Europe/Dublin")}  # fmt: skip


MOMENTS = st.lists(
    st.tuples(
        st.integers(0, len(ZONES) - 1),
        st.datetimes(min_value=midnight(FIRST), max_value=midnight(LAST)),
    ),
    min_size=50,
    max_size=400,
)
ONE_CALL = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@ONE_CALL
@given(moments=MOMENTS)
def test_an_instant_gets_the_wall_clock_time_of_the_zone(engine, one_zone_each, moments):
    found = filled(engine, one_zone_each, [{"user_id": user, "at": at} for user, at in moments])
    expected = [
        (at, at.replace(tzinfo=UTC).astimezone(ZoneInfo(ZONES[user])).replace(tzinfo=None)) for user, at in moments
    ]  # fmt: skip
    assert found == expected


@ONE_CALL
@given(moments=MOMENTS)
def test_a_wall_clock_time_gets_its_instant(engine, one_zone_each, moments):
    found = filled(engine, one_zone_each, [{"user_id": user, "local_at": at} for user, at in moments])
    # Of a time that the clock shows twice the first, and one that it skips on the clock before: fold 0.
    expected = [(naive(at.replace(tzinfo=ZoneInfo(ZONES[user]), fold=0)), at) for user, at in moments]
    assert found == expected


def test_around_every_clock_change_both_ways(engine, one_zone_each, changes_of):
    near = [timedelta(minutes=minutes) for minutes in range(-25 * 60, 25 * 60, APART)]
    near += [timedelta(microseconds=-1), timedelta(microseconds=1)]
    cases = [
        (ZONES.index(zone), at + shift)
        for zone, times in changes_of.items()
        for at in times
        for shift in near
    ]
    found = filled(engine, one_zone_each, [{"user_id": user, "at": at} for user, at in cases])
    for (user, at), (_, local) in zip(cases, found, strict=True):
        assert local == at.replace(tzinfo=UTC).astimezone(ZoneInfo(ZONES[user])).replace(tzinfo=None)
    locals_ = [(user, local) for (user, _), (_, local) in zip(cases, found, strict=True)]
    found = filled(engine, one_zone_each, [{"user_id": user, "local_at": local} for user, local in locals_])
    for (user, local), (at, _) in zip(locals_, found, strict=True):
        assert at == naive(local.replace(tzinfo=ZoneInfo(ZONES[user]), fold=0))
    assert len(cases) > 20_000


def test_a_time_that_the_clock_skips_stays_as_it_was_told(engine, one_zone_each):
    berlin, apia = ZONES.index("Europe/Berlin"), ZONES.index("Pacific/Apia")
    found = filled(
        engine,
        one_zone_each,
        [
            {"user_id": berlin, "local_at": datetime(2024, 3, 31, 2, 30)},
            {"user_id": apia, "local_at": datetime(2011, 12, 30, 12)},  # a day that Samoa did not have
        ],
    )
    assert found == [
        (datetime(2024, 3, 31, 1, 30), datetime(2024, 3, 31, 2, 30)),
        (datetime(2011, 12, 30, 22), datetime(2011, 12, 30, 12)),
    ]


MOVES = (
    (1, None, "Europe/Berlin"), (1, datetime(2015, 6, 15, 12, 7), "America/New_York"),
    (1, datetime(2018, 3, 25, 1), "Asia/Kolkata"), (1, datetime(2020, 1, 1), None),
    (2, datetime(2016, 1, 1), "Pacific/Kiritimati"), (2, datetime(2016, 2, 1, 3), "Pacific/Pago_Pago"),
)  # fmt: skip


def zone_of(user: int, at: datetime) -> ZoneInfo:
    known = [(since, zone) for person, since, zone in MOVES if person == user and zone]
    (_, zone), *later = known
    for since, name in later:
        assert since is not None
        if at >= since:
            zone = name
    return ZoneInfo(str(zone))


def offset_of(user: int, at: datetime) -> timedelta:
    offset = at.replace(tzinfo=UTC).astimezone(zone_of(user, at)).utcoffset()
    assert offset is not None
    return offset


def test_who_moves_lives_by_the_clock_of_each_place(engine):
    people = stretches(engine, MOVES)
    moved = [since for _, since, zone in MOVES if since and zone]
    near = [timedelta(minutes=minutes) for minutes in range(-30 * 60, 30 * 60, 5)]
    cases = [(user, at + shift) for user in (1, 2) for at in moved for shift in near]
    found = filled(engine, people, [{"user_id": user, "at": at} for user, at in cases])
    assert found == [(at, at + offset_of(user, at)) for user, at in cases]
    # The other way round: the earliest instant whose clock shows the time; of a skipped time the clock before.
    shown: dict[tuple[int, datetime], datetime] = {}
    for user, at in cases:
        key = (user, at + offset_of(user, at))
        shown[key] = min(at, shown.get(key, at))
    found = filled(engine, people, [{"user_id": user, "local_at": local} for user, local in shown])
    assert [at for at, _ in found] == list(shown.values())


def test_who_moves_twice_in_a_day_is_in_one_place_at_a_time(engine):
    people = stretches(engine, [
        (1, None, "Pacific/Kiritimati"), (1, datetime(2020, 5, 5, 6), "Pacific/Pago_Pago"),
        (1, datetime(2020, 5, 5, 11), "UTC"), (1, datetime(2020, 5, 5, 11, 1), "Europe/Berlin"),
    ])  # fmt: skip
    minutes = [datetime(2020, 5, 3) + timedelta(minutes=number) for number in range(5 * 1440)]
    filled(engine, people, [{"user_id": 1, "local_at": local} for local in minutes])
    filled(engine, people, [{"user_id": 1, "at": at} for at in minutes])


def test_the_first_record_reaches_back(engine):
    people = stretches(engine, [(1, datetime(2020, 1, 1), "Asia/Kolkata")])
    assert filled(engine, people, [{"user_id": 1, "at": datetime(2011, 1, 1)}])[0][1] == datetime(
        2011, 1, 1, 5, 30
    )


def test_nobody_knows_where_stands_for_utc(engine):
    people = stretches(engine, [(1, None, None), (2, None, "Mars/Olympus")])
    at = datetime(2020, 7, 1, 12)
    for row in ({"user_id": user, name: at} for user in (1, 2, 3) for name in ("at", "local_at")):
        assert filled(engine, people, [row]) == [(at, at)]


def test_the_rows_own_offset_wins(engine, one_zone_each):
    berlin, noon = ZONES.index("Europe/Berlin"), datetime(2024, 7, 1, 12)
    cases = {
        "its offset beside an instant": ({"at": noon, "utc_offset_minutes": -300}, (noon, datetime(2024, 7, 1, 7))),
        "its offset beside a wall-clock time": ({"local_at": noon, "utc_offset_minutes": -300}, (datetime(2024, 7, 1, 17), noon)),
        "the offset it was written with": ({"at": noon, "local_at": noon - timedelta(hours=5)}, (noon, datetime(2024, 7, 1, 7))),
        "its offset against the written one": (
            {"at": noon, "local_at": noon + timedelta(hours=2), "utc_offset_minutes": 345}, (noon, datetime(2024, 7, 1, 17, 45)),
        ),
        "really at UTC": ({"at": noon, "utc_offset_minutes": 0}, (noon, noon)),
        "no offset of this Earth": ({"at": noon, "utc_offset_minutes": 10**15}, (noon, datetime(2024, 7, 1, 14))),
        "neither time": ({"utc_offset_minutes": 60}, (None, None)),
    }  # fmt: skip
    for name, (row, expected) in cases.items():
        assert filled(engine, one_zone_each, [{"user_id": berlin, **row}]) == [expected], name


def real_minutes(user_zone: Any, first: date, last: date) -> Counter[datetime]:
    """Minutes that really elapse in each wall-clock hour, counted quarter by quarter."""
    elapsed: Counter[datetime] = Counter()
    at = midnight(first) - timedelta(days=2)
    while at < midnight(last) + timedelta(days=3):
        offset = at.replace(tzinfo=UTC).astimezone(user_zone(at)).utcoffset()
        hour = (at + offset).replace(minute=0)
        if first <= hour.date() <= last:
            elapsed[hour] += APART
        at += timedelta(minutes=APART)
    return elapsed


@pytest.mark.parametrize(
    ("versions", "first", "last"),
    [
        ([(1, None, "Europe/Berlin")], date(2024, 3, 30), date(2024, 4, 1)),
        ([(1, None, "Europe/Berlin")], date(2024, 10, 26), date(2024, 10, 28)),
        ([(1, None, "Australia/Lord_Howe")], date(2024, 4, 6), date(2024, 4, 8)),  # by half an hour
        ([(1, None, "America/Havana")], date(2024, 3, 9), date(2024, 3, 11)),  # at midnight
        ([(1, None, "America/Havana")], date(2024, 11, 2), date(2024, 11, 4)),
        ([(1, None, "Asia/Beirut")], date(2024, 3, 30), date(2024, 4, 1)),
        ([(1, None, "Asia/Beirut")], date(2024, 10, 25), date(2024, 10, 28)),  # back over midnight
        ([(1, None, "Africa/Casablanca")], date(2024, 3, 9), date(2024, 4, 15)),  # Ramadan
        ([(1, None, "Pacific/Apia")], date(2011, 12, 28), date(2012, 1, 1)),  # no 30 December
        ([(1, None, "Asia/Kolkata")], date(2024, 3, 30), date(2024, 4, 1)),
        ([(1, None, "Europe/Berlin"), (1, datetime(2024, 6, 1, 12), "America/New_York")], date(2024, 5, 31), date(2024, 6, 3)),
        ([(1, None, "America/New_York"), (1, datetime(2024, 6, 1, 22, 15), "Asia/Kolkata")], date(2024, 5, 31), date(2024, 6, 3)),
        ([(1, None, "Pacific/Kiritimati"), (1, datetime(2024, 6, 1, 9), "Pacific/Pago_Pago")], date(2024, 5, 30), date(2024, 6, 3)),
    ],
)  # fmt: skip
def test_hours_and_days_have_the_length_that_really_elapsed(engine, versions, first, last):
    def zone(at: datetime) -> ZoneInfo:
        name = versions[0][2]
        for _, since, other in versions[1:]:
            name = other if at >= since else name
        return ZoneInfo(name)

    window = Window.of_days(first, last)
    people = stretches(engine, versions, window)
    shifts = engine.rows(clock.clock_shifts(people))
    found = Counter(
        {midnight(day) + timedelta(hours=hour): 60 for day in window.each_day() for hour in range(24)}
    )
    for row in shifts:
        hour = row["local_at"].replace(minute=0)
        if first <= hour.date() <= last:
            found[hour] += row["shift_minutes"]
    expected = real_minutes(zone, first, last)
    assert {hour: minutes for hour, minutes in found.items() if minutes} == dict(expected)
    assert all(minutes >= 0 for minutes in found.values())
