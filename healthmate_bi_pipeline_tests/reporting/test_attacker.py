"""Somebody who has all published reports, and knows the rules, tries to learn something about few people.

``test_suppression`` plays them within one table; here they hold reports against each other: two versions of one, and
neighbours of the same cadence.
"""

import itertools
import math
import re
from collections import defaultdict
from datetime import datetime, timedelta
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.csv import csv_files
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.inputs import GroupFigure, TrendPoint
from healthmate_bi_pipeline.reporting.json import render_json
from healthmate_bi_pipeline.reporting.markdown import render_markdown
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.suppressed_parts import show_parts
from healthmate_bi_pipeline.reporting.suppression import show_count, show_mean
from healthmate_bi_pipeline.settings import ReportSettings
from healthmate_bi_pipeline_tests.reporting.operational import test_report as operations
from healthmate_bi_pipeline_tests.reporting.samples import STAMP, inputs

GROUPS = ReportSettings()
SYSTOLIC = "avg_blood_pressure_systolic"
MOST = GROUPS.minimum_people - 1
LEAST_OPEN = 4
"""So many numbers at least a withheld band may still have, for who holds two versions against each other."""
DAYS = [Period.DAILY.window(datetime(2026, 3, 1) + timedelta(days=number)) for number in range(8)]


def candidates(shown):
    """The numbers of people that a shown number may stand for."""
    return [count for count in range(shown - 5, shown + 6) if show_count(count, settings=GROUPS) == shown]


@given(
    st.integers(11, 400),
    st.integers(1, MOST),
    st.floats(80, 180),
    st.floats(80, 180),
    st.floats(4, 25),
)
def test_two_versions_do_not_tell_what_a_few_newcomers_have(before, newcomers, mean, theirs, deviation):
    """The mean of those who came between two versions stays open by more than means of so few usually differ."""
    after = before + newcomers
    merged = (before * mean + newcomers * theirs) / after
    first, second = (
        show_mean(SYSTOLIC, mean=value, people=people, settings=GROUPS, deviation=deviation)
        for value, people in ((mean, before), (merged, after))
    )
    # The half of the step that the attacker may believe in: the coarsest that this deviation gives at this size.
    slack = {people: rounding_error(people, deviation) for people in (before, after)}
    possible = []
    for one, other in itertools.product(
        candidates(show_count(before, settings=GROUPS)), candidates(show_count(after, settings=GROUPS))
    ):
        more = other - one
        if 1 <= more <= MOST:
            low = (other * (second - slack[after]) - one * (first + slack[before])) / more
            high = (other * (second + slack[after]) - one * (first - slack[before])) / more
            possible.append((low, high))
    assert min(low for low, _ in possible) <= theirs <= max(high for _, high in possible)
    open_by = max(high for _, high in possible) - min(low for low, _ in possible)
    assert open_by >= deviation / math.sqrt(newcomers)


def rounding_error(people, deviation):
    """How far a shown mean of so many people may be from the real one, found by trying."""
    digits = style_of(SYSTOLIC).digits
    errors = [
        abs(show_mean(SYSTOLIC, mean=value, people=people, settings=GROUPS, deviation=deviation) - value)
        for value in (100 + number * 0.0137 for number in range(800))
    ]
    return max(*errors, 0.5 * 10.0**-digits)


@pytest.mark.parametrize(("bands", "most", "believed"), [(2, 36, 20), (3, 18, 9)])
def test_two_versions_of_a_distribution_leave_small_bands_open(bands, most, believed):
    """A few people more, in any bands: who sees both versions does not find the number in a withheld band.

    The attacker believes that up to ``believed`` may have come. (Who knows that exactly one person came, and into which band, may see that the band had 10 before.)
    """
    alike = defaultdict(set)
    possible = [
        more for more in itertools.product(range(believed + 1), repeat=bands) if 1 <= sum(more) <= believed
    ]
    real = set()
    for counts in itertools.product(range(most), repeat=bands):
        for more in possible:
            later = tuple(count + one for count, one in zip(counts, more, strict=True))
            seen = published(counts), published(later)
            alike[seen].add(counts)
            if sum(more) <= believed // 2:
                real.add(seen)
    seen_withheld = False
    for seen in real:
        (people, shown), tables = seen[0], alike[seen]
        if not isinstance(people, Absence) and max(candidates(people)) >= most:
            continue  # larger bands than are enumerated would be among the possible ones
        for place, cell in enumerate(shown):
            if cell is Absence.SUPPRESSED and not isinstance(people, Absence):
                seen_withheld = True
                values = {counts[place] for counts in tables}
                # That there is nobody may be said.
                assert len(values) >= LEAST_OPEN or values == {0}, (people, shown, values)
    assert seen_withheld


@cache
def published(counts):
    """What a report shows of a distribution: its whole and its bands."""
    return show_count(sum(counts), settings=GROUPS), show_parts(counts, settings=GROUPS)


@given(st.lists(st.integers(0, 40), min_size=len(DAYS), max_size=len(DAYS)), st.integers(0, 2**16))
def test_neighbours_of_one_cadence_say_the_same_of_the_same_day(people, seed):
    """A day stands in its own report, in the next one's comparison, and in the trends after it: shown alike, or nowhere."""
    groups = [
        GroupFigure(SYSTOLIC, count, 100 + (seed * 31 + number * 7919) % 4001 / 100, deviation=12.0)
        if count
        else GroupFigure(SYSTOLIC, 0)
        for number, count in enumerate(people)
    ]
    told = defaultdict(set)
    for number in range(1, len(DAYS)):
        trend = [
            TrendPoint(window.start, {SYSTOLIC: one})
            for window, one in zip(DAYS[: number + 1], groups, strict=False)
            if one.people
        ]
        report = health_summary(
            inputs(
                people[number],
                cadence="daily",
                window=DAYS[number],
                current={SYSTOLIC: groups[number]},
                previous={SYSTOLIC: groups[number - 1]},
                previous_window=DAYS[number - 1],
                trend=trend,
                quality=[],
            ),
            stamp=STAMP,
        )
        metric = next(one for one in report.metrics if one.figure == SYSTOLIC)
        told[DAYS[number].start].add(metric.value)
        if metric.comparison is not None:
            told[DAYS[number - 1].start].add(metric.comparison.value)
        for start, value in points(report):
            told[start].add(value)
    for window, one in zip(DAYS, groups, strict=True):
        if not told[window.start]:
            continue
        assert len(told[window.start]) == 1, (window, told[window.start])
        (value,) = told[window.start]
        assert isinstance(value, Absence) == (one.people < GROUPS.minimum_people)


def points(report):
    """Start and value of every point of the trends of a report."""
    for section in report.sections:
        for part in (section, *section.subsections):
            for block in part.blocks:
                for series in getattr(block, "series", ()):
                    yield from ((point.period_start, point.value) for point in series.points)


@settings(max_examples=25)
@example([12 + number % 9 for number in range(56)])
@example([(0, 3, 12, 25)[number * 5 % 11 % 4] for number in range(56)])
@given(st.lists(st.integers(0, 25), min_size=56, max_size=56))
def test_neighbouring_reports_on_operations_say_the_same_of_the_same_day(rows):
    """A day's rows about people stand in the charts of four weekly reports, and its week is told."""
    first = datetime(2026, 2, 2)
    days = {(first + timedelta(days=number)).date(): count for number, count in enumerate(rows)}
    told = defaultdict(set)
    for week in range(4, 8):
        window = Period.WEEKLY.window(first + timedelta(weeks=week))
        chart = Window(window.end - timedelta(days=28), window.end)
        before = Window(window.start - timedelta(days=7), window.start)
        own, previous = (sum(days[day] for day in part.each_day()) for part in (window, before))
        report = operations.report(
            window=window,
            reference=window.end,
            runs_until=window.end,
            datasets=[operations.state(operations.READINGS, rows=own)],
            volumes={operations.READINGS: {day: days[day] for day in chart.each_day()}},
            previous_rows={operations.READINGS: previous},
            trend_window=chart,
        )
        for start, value in points(report):
            # A chart begins with its first row: a day before that is no gap.
            told[start].add(0 if value is Absence.NO_DATA else value)
    assert told or min(rows) <= MOST
    assert all(len(values) == 1 for values in told.values())
    for week in range(1, 8):
        start = first + timedelta(weeks=week)
        of_week = [told[start + timedelta(days=day)] for day in range(7)]
        if all(of_week):
            withheld = [number for number, (value,) in enumerate(of_week) if value is Absence.SUPPRESSED]
            assert len(withheld) != 1, "a day that follows from its week and the others"


@pytest.mark.parametrize("few", [1, 5, MOST])
def test_nothing_about_few_people_is_in_any_form_of_a_report(few):
    """Page, JSON, CSV and Markdown, texts of insights and charts included."""
    planted = 173.171717
    few_people = GroupFigure(
        "resting_heart_rate", few, planted, planted - 30, planted + 30, deviation=7.654321
    )
    start = inputs().window.start
    days = [TrendPoint(start + timedelta(days=day), {"resting_heart_rate": few_people}) for day in range(28)]
    given_inputs = inputs(
        240,
        current=inputs().current | {"resting_heart_rate": few_people},
        previous=inputs().previous | {"resting_heart_rate": few_people},
        trend=days,
        history_period=Period.DAILY,
        history=days,
    )
    report = health_summary(given_inputs, stamp=STAMP)
    forms = [
        render_html(report),
        render_json(report),
        render_markdown(report, path="here"),
        *(file.text for file in csv_files(report)),
    ]
    for text in forms:
        assert not re.search(r"17[23]\.[0-9]|143\.1|203\.1|7\.65", text)
