"""Who plays which part in the planted stories, and when: what ``stories`` tells and the data are made by.

A part is given by a person's own traits and draws, the dates by the days of the demo alone; so neither
depends on how many people there are. A demo of less than ``SHORTEST_SPAN`` days tells no story.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from healthmate_bi_pipeline.sources.demo.block import Block
from healthmate_bi_pipeline.sources.demo.clocks import NEVER, Flags, Integers, Numbers, Span
from healthmate_bi_pipeline.sources.demo.devices import HIGH_READING_CUFF
from healthmate_bi_pipeline.sources.demo.people import People
from healthmate_bi_pipeline.sources.demo.places import ZONES

SHORTEST_SPAN = 270
_TUESDAY, _THURSDAY = 1, 3
TREATMENT_SYSTOLIC, TREATMENT_DIASTOLIC = -12.0, -6.0
TREATMENT_DAYS_TO_EFFECT = 42
FIRMWARE_SYSTOLIC, FIRMWARE_DIASTOLIC = 8.0, 4.0
BAD_SLEEP_ZONE, BAD_SLEEP_HOURS = "Europe/Madrid", -1.2
GAP_DAYS, GAP_ADHERENCE = 21, -0.25
SPRING_FACTOR, SPRING_AGE, SPRING_MONTHS = 1.2, 65, (3, 4, 5)
WINTER_ILLNESS_FACTOR = 8.0
SLOW_RELEASE_DAYS, LEAK_DAYS = 3, 21


@dataclass(frozen=True)
class Calendar:
    """When the stories happen: numbers of days, ends exclusive; ``NEVER`` where they do not.

    Attributes:
        firmware: from this day on a model of cuffs reads high.
        bad_sleep: first day of the week of bad sleep.
        infections: first day of the three weeks of infections.
        launch: the day on which a feature of the app is launched.
        campaign: the day on which people who fell away get a notification.
        price_change: from this day on the plan "plus" costs more.
        slow_release: the day on which a service gets slow, for ``SLOW_RELEASE_DAYS``.
        outage: the day on which a service fails.
        leak: the day on which an instance begins to lose memory, for ``LEAK_DAYS``.
    """

    span: Span
    firmware: int = NEVER
    bad_sleep: int = NEVER
    infections: int = NEVER
    launch: int = NEVER
    campaign: int = NEVER
    price_change: int = NEVER
    slow_release: int = NEVER
    outage: int = NEVER
    leak: int = NEVER

    @property
    def has_stories(self) -> bool:
        """Whether the demo is long enough for stories."""
        return self.span.days >= SHORTEST_SPAN


def make_calendar(span: Span) -> Calendar:
    """The dates of the stories of a span."""
    calendar = Calendar(span)
    if not calendar.has_stories:
        return calendar
    middle = span.days // 2 // 7 * 7 - span.first.weekday()
    return replace(
        calendar,
        firmware=span.days * 6 // 10,
        bad_sleep=_monday_after(span, 7, 14, otherwise=middle),
        infections=_monday_after(span, 2, 5, otherwise=NEVER),
        launch=_weekday_before(span, int(span.days * 0.45), _TUESDAY),
        campaign=_weekday_before(span, int(span.days * 0.62), _TUESDAY),
        price_change=_weekday_before(span, int(span.days * 0.72), _TUESDAY),
        slow_release=_weekday_before(span, span.days - 56, _TUESDAY),
        outage=_weekday_before(span, span.days - 22, _THURSDAY),
        leak=_weekday_before(span, span.days - 100, _TUESDAY),
    )


def _weekday_before(span: Span, number: int, weekday: int) -> int:
    """The last such day of the week, up to the day with a number."""
    return number - (span.first.weekday() + number - weekday) % 7


def _monday_after(span: Span, month: int, day: int, *, otherwise: int) -> int:
    """The first Monday from a date of the calendar on that has 35 days of the span on either side."""
    for year in range(span.first.year, span.last.year + 1):
        number = span.number_of(date(year, month, day))
        monday = number + (-date(year, month, day).weekday()) % 7
        if 35 <= monday <= span.days - 56:
            return monday
    return otherwise


@dataclass(frozen=True)
class Roles:
    """The parts that the people of a block play.

    Attributes:
        treated_from: number of the day on which drugs against high blood pressure begin.
        has_high_cuff: owns a cuff of the model that reads high.
        sleeps_badly: lives where the week of bad sleep is.
        has_gap: will refill too late, and take less from then on.
        is_active_in_spring: takes more steps from March to May.
    """

    calendar: Calendar
    treated_from: Integers
    has_high_cuff: Flags
    sleeps_badly: Flags
    has_gap: Flags
    is_active_in_spring: Flags

    def treatment_share(self, person: Integers, day: Integers) -> Numbers:
        """The share of the treatment's full effect that is there on days, 0 to 1."""
        since = (day - self.treated_from[person]).astype(float)
        share: Numbers = np.where(since >= 0, 1 - np.exp(-np.maximum(since, 0) / 9.0), 0.0)
        return share

    def has_new_firmware(self, person: Integers, day: Integers) -> Flags:
        """Whether the cuff of people reads high on days."""
        return self.has_high_cuff[person] & (day >= self.calendar.firmware)


def cast_people(block: Block, people: People, calendar: Calendar) -> tuple[People, Roles]:
    """Give the people of a block their parts; who plays one by its own dates is there from first to last."""
    rng, count, told = block.rng("roles"), len(people), calendar.has_stories
    has_high_cuff = people.cuff == HIGH_READING_CUFF
    stays_home = people.moves_on == NEVER
    is_untreated = people.has_hypertension & ~people.is_bp_treated
    wants = is_untreated & (people.cuff >= 0) & ~has_high_cuff & stays_home & people.is_registered
    is_treated = told & wants & (rng.random(count) < 0.95)
    start = (calendar.span.days * rng.uniform(0.25, 0.65, count)).astype(np.int64)
    takes_drugs = people.is_bp_treated | people.is_lipid_treated
    has_gap = told & takes_drugs & (rng.random(count) < 0.4)
    stays = is_treated | has_gap
    changed = replace(
        people,
        first_day=np.where(stays, 0, people.first_day),
        last_day=np.where(stays, calendar.span.days, people.last_day),
        adherence=np.where(has_gap, np.clip(people.adherence, 0.82, 0.95), people.adherence),
        decline=np.where(stays, 0.0, people.decline),
    )
    is_old = (calendar.span.first.year - people.birth_year) >= SPRING_AGE
    return changed, Roles(
        calendar=calendar,
        treated_from=np.where(is_treated, start, NEVER),
        has_high_cuff=told & has_high_cuff,
        sleeps_badly=told & (people.home == ZONES.index(BAD_SLEEP_ZONE)) & stays_home,
        has_gap=has_gap,
        is_active_in_spring=told & is_old & ~people.is_southern & stays_home,
    )
