"""Alerts become episodes, and channels are told what they do not know: once, and then only after a while."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.alerts import Alert, Episode, Kind, News, advance, news_for
from healthmate_bi_pipeline.settings import Severity

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SETTLE = timedelta(minutes=10)
ALERT = Alert(Kind.RUN, "raw/users", Severity.WARNING, "A run failed.")
GRAVE = replace(ALERT, severity=Severity.CRITICAL, summary="Three runs failed.")


class World:
    """One channel, and the episodes as they go on."""

    def __init__(self, *, minimum: Severity = Severity.WARNING, remind_after: timedelta = timedelta(days=1)):
        self.episodes: list[Episode] = []
        self.over: list[Episode] = []
        self.now = NOW
        self.minimum, self.remind_after = minimum, remind_after

    def tick(self, *alerts: Alert, minutes: float = 1, is_judged: bool = True, is_up: bool = True) -> News:
        self.now += timedelta(minutes=minutes)
        moved = advance(self.episodes, alerts, is_judged=lambda _: is_judged, now=self.now, settle=SETTLE)
        held = [*moved.kept, *self.over]
        news = news_for("c", held, minimum=self.minimum, remind_after=self.remind_after, now=self.now)
        if is_up:
            told = {episode.key for episode in news.episodes}
            held = [one.told_to("c", now=self.now) if one.key in told else one for one in held]
        self.episodes = [one for one in held if one.resolved_at is None]
        self.over = [one for one in held if one.resolved_at is not None]
        return news


def names(news: News) -> tuple[list[str], list[str], list[str], list[str]]:
    sections = (news.opened, news.worsened, news.reminded, news.resolved)
    return tuple([one.fingerprint for one in of] for of in sections)  # type: ignore[return-value]


NOTHING: tuple[list[str], ...] = ([], [], [], [])
RUN = ["run:raw/users"]


def test_an_alert_is_told_once_and_once_when_it_is_over() -> None:
    world = World()
    assert names(world.tick(ALERT)) == (RUN, [], [], [])
    assert [names(world.tick(ALERT)) for _ in range(5)] == [NOTHING] * 5
    assert [names(world.tick()) for _ in range(10)] == [NOTHING] * 10  # it may come back
    assert names(world.tick()) == ([], [], [], RUN)
    assert names(world.tick(minutes=10_000)) == NOTHING
    assert world.episodes == []


def test_what_comes_back_soon_is_the_same_alert() -> None:
    world = World()
    world.tick(ALERT)
    for _ in range(20):
        assert names(world.tick(minutes=5)) == NOTHING
        assert names(world.tick(ALERT, minutes=4)) == NOTHING
    (episode,) = world.episodes
    assert episode.returns == 20
    assert episode.opened_at == NOW + MINUTE


def test_what_comes_back_later_is_a_new_one() -> None:
    world = World()
    world.tick(ALERT)
    world.tick()
    assert names(world.tick(minutes=30)) == ([], [], [], RUN)
    assert names(world.tick(ALERT)) == (RUN, [], [], [])


def test_what_is_still_open_is_told_again_after_a_while_and_all_at_once() -> None:
    world = World()
    other = replace(ALERT, subject="raw/other")
    world.tick(ALERT)
    world.tick(ALERT, other, minutes=600)
    assert names(world.tick(ALERT, other, minutes=839)) == NOTHING
    both = ["run:raw/users", "run:raw/other"]
    assert names(world.tick(ALERT, other)) == ([], [], both, [])
    assert names(world.tick(ALERT, other, minutes=1439)) == NOTHING
    assert names(world.tick(ALERT, other)) == ([], [], both, [])


def test_nobody_is_reminded_who_does_not_want_it() -> None:
    world = World(remind_after=timedelta())
    world.tick(ALERT)
    assert names(world.tick(ALERT, minutes=100_000)) == NOTHING


def test_what_becomes_graver_is_told_again_and_what_becomes_milder_is_not() -> None:
    world = World()
    world.tick(ALERT)
    assert names(world.tick(GRAVE)) == ([], RUN, [], [])
    assert names(world.tick(ALERT)) == NOTHING
    assert names(world.tick(GRAVE)) == NOTHING


def test_what_is_less_grave_than_a_channel_wants_is_not_told_there() -> None:
    world = World(minimum=Severity.CRITICAL)
    assert names(world.tick(ALERT)) == NOTHING
    assert names(world.tick(GRAVE)) == (RUN, [], [], [])
    world.tick()
    assert names(world.tick(minutes=10)) == ([], [], [], RUN)
    quiet = World(minimum=Severity.CRITICAL)
    quiet.tick(ALERT)
    quiet.tick()
    assert names(quiet.tick(minutes=10)) == NOTHING  # it never knew


def test_a_channel_that_was_down_is_told_when_it_is_up_again() -> None:
    world = World()
    assert names(world.tick(ALERT, is_up=False)) == (RUN, [], [], [])
    assert names(world.tick(ALERT, is_up=False)) == (RUN, [], [], [])
    assert names(world.tick(ALERT)) == (RUN, [], [], [])
    world.tick()
    assert names(world.tick(minutes=10, is_up=False)) == ([], [], [], RUN)
    assert names(world.tick(minutes=10)) == ([], [], [], RUN)
    assert names(world.tick()) == NOTHING


def test_what_may_pass_by_itself_is_told_when_it_did_not() -> None:
    patient = replace(ALERT, patience=timedelta(minutes=30))
    world = World()
    assert names(world.tick(patient)) == NOTHING
    assert names(world.tick(minutes=10)) == NOTHING
    assert (world.episodes, world.over) == ([], [])
    assert names(world.tick(patient)) == NOTHING
    assert names(world.tick(patient, minutes=29)) == NOTHING
    assert names(world.tick(patient)) == (RUN, [], [], [])


def test_patience_counts_from_when_it_began() -> None:
    began = replace(ALERT, since=NOW - timedelta(hours=1), patience=timedelta(minutes=30))
    assert names(World().tick(began)) == (RUN, [], [], [])


def test_of_what_was_not_looked_at_nothing_is_said() -> None:
    world = World()
    world.tick(ALERT)
    for _ in range(3):
        assert names(world.tick(is_judged=False, minutes=60)) == NOTHING
    (episode,) = world.episodes
    assert episode.cleared_at is None


def test_the_gravest_comes_first() -> None:
    news = World(minimum=Severity.INFO).tick(
        replace(ALERT, subject="a", severity=Severity.INFO),
        replace(ALERT, subject="b"),
        replace(GRAVE, subject="c"),
    )
    assert [one.subject for one in news.opened] == ["c", "b", "a"]


@given(st.lists(st.tuples(st.sets(st.sampled_from("abc")), st.integers(1, 15), st.booleans()), max_size=40))
def test_openings_and_endings_take_turns(ticks: list[tuple[set[str], int, bool]]) -> None:
    """Whatever happens, a channel hears of an alert's beginning, then of its end, then of the next beginning."""
    world = World(remind_after=timedelta())
    heard: dict[str, list[str]] = {name: [] for name in "abc"}
    for holding, minutes, is_up in ticks:
        news = world.tick(*(replace(ALERT, subject=name) for name in holding), minutes=minutes, is_up=is_up)
        if is_up:
            for one in news.resolved:
                heard[one.subject].append("over")
            for one in news.opened:
                heard[one.subject].append("new")
    for events in heard.values():
        assert events == [("new", "over")[number % 2] for number in range(len(events))]


def test_severities_have_an_order() -> None:
    assert [one.rank for one in (Severity.INFO, Severity.WARNING, Severity.CRITICAL)] == [0, 1, 2]
    with pytest.raises(ValueError, match="fatal"):
        Severity("fatal")
