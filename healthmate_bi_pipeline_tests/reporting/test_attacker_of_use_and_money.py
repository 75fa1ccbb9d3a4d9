"""Somebody who has all published reports on use and revenue tries to learn something about few people.

``test_attacker`` plays them on what all types share; here are the parts that these two types have of their own.
"""

import itertools
import math
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthmate_bi_pipeline.catalog.engagement import GROUP_FIGURES
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.blocks import Absence, DataTable, TrendChart
from healthmate_bi_pipeline.reporting.financial.figures import show_movements
from healthmate_bi_pipeline.reporting.financial.report import financial
from healthmate_bi_pipeline.reporting.inputs import GroupFigure
from healthmate_bi_pipeline.reporting.suppressed_parts import show_mean_share
from healthmate_bi_pipeline.reporting.suppression import show_count, show_deviation
from healthmate_bi_pipeline.reporting.user_engagement.inputs import (
    Activity,
    CohortCell,
    FeatureUse,
    PeriodEngagement,
)
from healthmate_bi_pipeline.reporting.user_engagement.report import user_engagement
from healthmate_bi_pipeline.reporting.user_engagement.sections import shown_lifecycle
from healthmate_bi_pipeline.settings import ReportSettings
from healthmate_bi_pipeline_tests.reporting import engagement_samples as use
from healthmate_bi_pipeline_tests.reporting import finance_samples as money
from healthmate_bi_pipeline_tests.reporting.samples import GROUPS, STAMP
from healthmate_bi_pipeline_tests.reporting.test_attacker import LEAST_OPEN, MOST, candidates
from healthmate_bi_pipeline_tests.reporting.walking import blocks, metric, table

EXACT = ReportSettings(round_people_to=1)
PEOPLE = 19
"""Stages of fewer people than this are gone through, one number after the other."""
LATE = 6
"""So many people at most are known of anew between two versions."""


@pytest.mark.slow
def test_two_versions_of_the_stages_leave_small_ones_open():
    """A few people turn out to have been there after all: new ones, some who came back, some who were thought silent."""
    known: dict[object, int] = {}
    published = np.empty((PEOPLE,) * 4, dtype=np.int64)
    for counts in itertools.product(range(PEOPLE), repeat=4):
        published[counts] = known.setdefault(stages_of(*counts), len(known))
    reports, places = list(known), np.indices(published.shape)
    pairs, stages = [], []
    for new, back, awake in itertools.product(range(LATE + 1), repeat=3):
        if not 1 <= new + back + awake <= LATE:
            continue
        moved = [more + places[at] for at, more in enumerate((new, back, awake, -awake))]
        inside = np.logical_and.reduce([(at >= 0) & (at < PEOPLE) for at in moved])
        later = published[tuple(at[inside] for at in moved)]
        pairs.append(published[inside] * len(known) + later)
        stages.append([[at[inside] for at in places], [at[inside] for at in moved]])
    seen, alike = np.unique(np.concatenate(pairs), return_inverse=True)
    looked_at = 0
    for version, place in itertools.product(range(2), range(4)):
        counts = np.concatenate([one[version][place] for one in stages])
        values = np.bincount(np.unique(alike * PEOPLE + counts) // PEOPLE)
        most = np.zeros(len(seen), dtype=np.int64)
        np.maximum.at(most, alike, counts)
        for at, pair in enumerate(seen):
            versions = [reports[number] for number in divmod(int(pair), len(known))]
            active, before, *shown = versions[version]
            if any(isinstance(one, Absence) or max(candidates(one)) >= PEOPLE for one in (active, before)):
                continue  # larger stages than are gone through would be among the possible ones
            if shown[place] is Absence.SUPPRESSED and most[at]:
                looked_at += 1
                assert values[at] >= LEAST_OPEN, (versions, place)
    assert looked_at > 20


NOBODY = use.inputs(history=[])


def stages_of(new, back, stayed, silent):
    """What a report shows of the people by stage: all of now and of before, and each."""
    active, before = (show_count(count, settings=GROUPS) for count in (new + back + stayed, stayed + silent))
    if isinstance(active, Absence):
        return (active, before)
    counts = {"new": new, "returning": stayed, "resurrecting": back, "dormant": silent}
    shown = shown_lifecycle(replace(NOBODY, lifecycle=counts))
    return (active, before, *(shown[name] for name in ("new", "resurrecting", "returning", "dormant")))


def test_of_exact_movements_no_small_one_follows_from_the_others():
    """Both from the people (start + new + reactivated - churned = end) and from the money of all five."""
    for counts in itertools.product((0, 3, 8, 14, 40), repeat=5):
        moves = dict(zip(("new", "reactivated", "expanded", "contracted", "churned"), counts, strict=True))
        told = list(show_movements(money.cell("EUR", "*", moves=moves), settings=EXACT).people.values())
        withheld = [place for place, count in enumerate(told) if count is Absence.SUPPRESSED]
        assert all(count == 0 or count > MOST for count in told if not isinstance(count, Absence))
        assert len(withheld) != 1
        assert len([place for place in withheld if place in {0, 1, 4}]) != 1, (counts, told)


def between(first, second, *, slack, people):
    """What newcomers may have together per person, by two versions of a mean that are at most ``slack`` off.

    The attacker knows how many came, and of the others what the rounded numbers say.
    """
    before, newcomers = people
    found = []
    for one in candidates(show_count(before, settings=GROUPS)):
        other = one + newcomers
        if other in candidates(show_count(before + newcomers, settings=GROUPS)):
            middle = other * second - one * first
            error = other * slack[1] + one * slack[0]
            found += [(middle - error) / newcomers, (middle + error) / newcomers]
    return max(found) - min(found)


def worst(shown, around):
    """How far a shown number may be from the real one, found by trying."""
    return max(abs(shown(value) - value) for value in around)


@given(st.integers(11, 400), st.integers(1, MOST), st.floats(0.03, 0.97))
def test_two_versions_do_not_tell_the_shares_of_newcomers(before, newcomers, mean):
    """Days with use of 28, forecasts, squared errors: means of what lies between 0 and 1."""
    after = before + newcomers
    near = [min(mean * (1 + 0.0007 * number), 1.0) for number in range(-100, 101)]

    def shown(people):
        return lambda value: show_mean_share("stickiness", mean=value, people=people, settings=GROUPS)

    slack = worst(shown(before), near), worst(shown(after), near)
    first, second = shown(before)(mean), shown(after)(mean)
    # A share of theirs may be anything that shares of people usually are.
    spread = math.sqrt(mean * (1 - mean))
    assert between(first, second, slack=slack, people=(before, newcomers)) >= spread / math.sqrt(newcomers)


@settings(max_examples=15)
@given(st.integers(11, 400), st.integers(1, MOST), st.floats(1.0, 60.0))
def test_two_versions_do_not_tell_how_much_newcomers_use_or_pay(before, newcomers, mean):
    """Uses of a feature and payments, in the reports themselves."""
    after = before + newcomers

    def depth(people):
        def shown(value):
            uses = FeatureUse("diary", people, value * people, people)
            one = use.one_period(use.WEEK, active=2 * people, features={"diary": uses})
            report = user_engagement(use.inputs(current=one, history=[]), stamp=STAMP)
            return table(report, "features")["diary"][3]

        return shown

    def paid(people):
        def shown(value):
            cell = money.cell("EUR", "*", opening=people)
            cell = replace(
                cell, paid=money.Amount(people, value * people), refunded=money.Amount(), payments=people
            )
            month = money.PeriodRevenue(
                money.MARCH, {("*", "*"): money.whole_of(cell), ("EUR", "*"): cell}, active_people=people
            )
            report = financial(money.inputs(current=month, previous=None, history=[]), stamp=STAMP)
            values = {metric(report, f"revenue_per_{who}_person:EUR").value for who in ("paying", "active")}
            assert len(values) == 1, "all who are active pay"
            return values.pop()

        return shown

    for of in (depth, paid):
        # Not in step with the rounding, or it would seem to be exact.
        near = [mean * (1 + 0.0173 * number) for number in range(-4, 5)]
        slack = worst(of(before), near), worst(of(after), near)
        first, second = of(before)(mean), of(after)(mean)
        assert between(first, second, slack=slack, people=(before, newcomers)) >= mean / newcomers


@given(st.integers(11, 400), st.floats(0.5, 40.0), st.floats(0.0, 3.0))
def test_two_versions_do_not_tell_how_unusual_somebody_is(before, deviation, away):
    """The deviation is told beside the mean; what somebody adds to the squares stays as open as what they add to the sum."""
    after = before + 1
    squares = (before - 1) * deviation**2 + before / after * (away * deviation) ** 2
    later = math.sqrt(squares / (after - 1))

    def shown(people, value):
        return show_deviation("avg_weight", deviation=value, people=people, settings=GROUPS)

    slack = [
        worst(
            lambda value, people=people: shown(people, value), [around * (1 + 0.001 * n) for n in range(60)]
        )
        for people, around in ((before, deviation * 0.97), (after, later * 0.97))
    ]
    # Rounded upwards: the real one lies below, by at most the step.
    first, second = shown(before, deviation), shown(after, later)
    most = after * second**2 - before * max(first - slack[0], 0) ** 2
    least = after * max(second - slack[1], 0) ** 2 - before * first**2
    farthest, nearest = (math.sqrt(max(square, 0.0)) for square in (most, least))
    assert farthest - nearest >= deviation / 2, (first, second, nearest, farthest)


@pytest.mark.parametrize("arrivals", [1, 2, 5, MOST])
def test_who_knows_exactly_how_many_came_learns_of_the_limit_and_no_more(arrivals):
    """What is not hidden: a number that crosses the limit between two versions lay, before, just below it.

    No rule that looks at the present number alone can hide it from somebody who knows the difference exactly.
    """
    crossing = [
        count
        for count in range(1, MOST + 1)
        if show_count(count, settings=GROUPS) is Absence.SUPPRESSED
        and show_count(count + arrivals, settings=GROUPS) is not Absence.SUPPRESSED
    ]
    assert crossing == list(range(MOST + 1 - arrivals, MOST + 1))
    inside = [
        n for n in range(1, MOST + 1) if show_count(n + arrivals, settings=GROUPS) is Absence.SUPPRESSED
    ]
    assert len(inside) == MOST - arrivals, "and where it does not cross, all the others stay possible"


def test_two_small_days_and_nobody_else_in_a_week_are_told_to_within_three():
    """Not hidden either: the one case in which reports of different cadences narrow small numbers down."""
    alike = defaultdict(set)
    for counts in itertools.product(range(1, MOST + 1), repeat=2):
        alike[show_count(sum(counts), settings=GROUPS)].add(counts[0])
    told = {week: (min(days), max(days)) for week, days in alike.items()}
    assert told == {Absence.SUPPRESSED: (1, 9), 15: (1, 10), 20: (8, 10)}


WEEKS = [Period.WEEKLY.window(datetime(2026, 1, 5) + timedelta(weeks=number)) for number in range(8)]
CHANGES = st.lists(st.integers(-MOST, MOST), min_size=len(WEEKS), max_size=len(WEEKS))


@settings(max_examples=15)
@given(st.integers(15, 40), CHANGES, st.integers(0, 2**16))
def test_neighbouring_reports_on_use_say_the_same_of_the_same_week(start, changes, seed):
    """A week stands in its own report, in the next one's comparisons, in the lines and cohorts of those after it."""
    draw = np.random.default_rng(seed)
    people = np.maximum(start + np.cumsum(changes), 0).tolist()
    weeks = [week_of(window, count, draw) for window, count in zip(WEEKS, people, strict=True)]
    came = [int(draw.integers(0, count + 1)) for count in people]
    told = defaultdict(set)
    for number in range(1, len(WEEKS)):
        cells = [
            CohortCell(WEEKS[one].first_day, later, came[one], min(came[one], people[one + later]))
            for one in range(number)
            for later in range(number - one + 1)
        ]
        report = user_engagement(
            use.inputs(
                window=WEEKS[number],
                current=weeks[number],
                previous=weeks[number - 1],
                history=weeks[: number + 1],
                cohorts=cells,
                lifecycle={},
                curves={},
                calibration=None,
            ),
            stamp=STAMP,
        )
        if isinstance(metric(report, "active_people").value, Absence) or not people[number]:
            continue
        collect(report, told, WEEKS[number], WEEKS[number - 1])
        for use_of in weeks[number].features:
            row = table(report, "features")[use_of]
            told[use_of, WEEKS[number].start].add(row[1])
            told[use_of, WEEKS[number - 1].start].add(row[2])
    assert_consistent(told)


def week_of(window, people, draw):
    """A week in which so many people were there."""
    some = int(draw.integers(0, people + 1))
    return PeriodEngagement(
        window=window,
        activity=Activity(people, people / 3, people, people + some, 0.3) if people else None,
        figures={
            name: GroupFigure(name, people, float(draw.uniform(1, 9)), deviation=2.0)
            for name in GROUP_FIGURES
            if people
        },
        features={"diary": FeatureUse("diary", some, 3 * some)} if some else {},
        churn=GroupFigure("recent_churn_risk", people, 0.2, deviation=0.1) if people else None,
        came=some,
        stayed=some // 2,
    )


@settings(max_examples=15)
@given(st.integers(15, 40), CHANGES)
def test_neighbouring_reports_on_revenue_say_the_same_of_the_same_month(start, changes):
    months = [Period.MONTHLY.window(datetime(2025, number + 1, 1)) for number in range(len(changes))]
    people = np.maximum(start + np.cumsum(changes), 1).tolist()
    made = [
        money.one_period(window, euro=count, dollar=max(count // 3, 1), plans=(count, 4))
        for window, count in zip(months, people, strict=True)
    ]
    told = defaultdict(set)
    for number in range(1, len(months)):
        report = financial(
            money.inputs(
                window=months[number],
                current=made[number],
                previous=made[number - 1],
                history=made[: number + 1],
            ),
            stamp=STAMP,
        )
        collect(report, told, months[number], months[number - 1])
    assert_consistent(told)


def collect(report, told, window, before):
    """What a report says of periods, by figure and start."""
    for one in report.metrics:
        told[one.figure, window.start].add(one.value)
        if one.comparison is not None:
            assert one.comparison.window == before
            told[one.figure, before.start].add(one.comparison.value)
    for chart in blocks(report, TrendChart):
        for series in chart.series:
            for point in series.points:
                told[series.figure, point.period_start].add(point.value)


def assert_consistent(told):
    """Of one figure and period one thing is said; where it is withheld, it is withheld everywhere."""
    for (figure, start), values in told.items():
        assert len(values) == 1, (figure, start, values)


def test_the_page_of_a_small_population_holds_no_number_of_few_people():
    """Tables too: what is not withheld is nobody, or rounded and not few."""
    report = user_engagement(
        use.inputs(24, lifecycle={"new": 3, "returning": 17, "resurrecting": 4}), stamp=STAMP
    )
    counted = [
        cell
        for block in blocks(report, DataTable)
        for row in block.rows
        for cell, column in zip(row, block.columns, strict=True)
        if column.label == "People" and not isinstance(cell, Absence)
    ]
    assert counted
    assert all(cell == 0 or cell > MOST for cell in counted)
