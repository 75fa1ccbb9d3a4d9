from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.catalog.finance import FINANCE_FIGURE_BY_NAME
from healthmate_bi_pipeline.catalog.insight_rules import RULE_BY_NAME
from healthmate_bi_pipeline.catalog.registry import figure_named
from healthmate_bi_pipeline.catalog.watched_figures import watched_figure
from healthmate_bi_pipeline.domain.revenue import Movement
from healthmate_bi_pipeline.reporting.blocks import Absence, BarChart, DataTable, KeyFigures, TrendChart
from healthmate_bi_pipeline.reporting.financial.figures import WATCHED, show_movements, tracked_figures
from healthmate_bi_pipeline.reporting.financial.inputs import Amount
from healthmate_bi_pipeline.reporting.financial.report import financial, payment_facts
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.suppressed_parts import show_sum
from healthmate_bi_pipeline_tests.reporting.finance_samples import (
    MARCH,
    MOVES,
    PRICE,
    cell,
    inputs,
    one_period,
    without_billing,
)
from healthmate_bi_pipeline_tests.reporting.samples import GROUPS, PERSONAL, STAMP
from healthmate_bi_pipeline_tests.reporting.walking import (
    assert_no_small_cell,
    assert_valid,
    blocks,
    metric,
    table,
)


def report(**changes):
    return financial(inputs(**changes), stamp=STAMP)


def test_a_month_says_what_happened_first():
    made = report()
    people, euro, dollar, rates = made.summary.sentences
    assert people.startswith("March 2026: 600\u00a0people (+10\u00a0people) pay at its end")
    assert euro.startswith("Recurring revenue in EUR 3\u202f450\u00a0EUR")
    assert "churned 250\u00a0EUR" in euro
    assert dollar.startswith("Recurring revenue in USD")
    assert rates.startswith("Paying people lost 10.9\u202f% (")
    assert "; failed payments 7.7\u202f% (" in rates
    assert made.summary.headline[:3] == (
        "paying_people", "monthly_recurring_revenue:EUR", "monthly_recurring_revenue:USD",
    )  # fmt: skip


@pytest.mark.parametrize(
    "made",
    [
        report(),
        report(settings=PERSONAL),
        report(current=one_period(MARCH, euro=20, dollar=1), previous=None, history=[]),
        financial(without_billing(), stamp=STAMP),
    ],
)
def test_every_report_follows_the_schema_and_can_be_drawn(made):
    assert_valid(made)
    assert "<h1>Finance</h1>" in render_html(made)


def test_without_billing_events_there_is_a_report_without_a_figure_and_with_confidence_0():
    made = financial(without_billing(), stamp=STAMP)
    assert made.confidence.score == 0
    assert made.confidence.limiting == "Billing events: there is nothing to rely on."
    assert made.metrics == ()
    assert made.insights == ()
    assert (
        made.summary.sentences[0]
        == "There are no billing events for March 2026: nothing can be said about revenue."
    )
    for kind in (KeyFigures, BarChart, TrendChart, DataTable):
        assert blocks(made, kind) == []
    assert not any(character.isdigit() for section in made.sections for character in str(section.blocks))


def test_money_is_told_in_its_currency_and_never_over_several():
    made = report()
    euro = metric(made, "monthly_recurring_revenue:EUR")
    assert style_of(euro.figure).unit == "EUR"
    assert figure_named(euro.figure) is FINANCE_FIGURE_BY_NAME["monthly_recurring_revenue"]
    assert not [
        one for one in made.metrics if one.figure in {"monthly_recurring_revenue", "collected_revenue"}
    ]


def test_movements_add_up_within_what_they_are_rounded_to():
    moves = show_movements(cell("EUR", "*"), settings=GROUPS)
    gains = sum(moves.parts[one] for one in (Movement.NEW, Movement.REACTIVATION, Movement.EXPANSION))
    losses = sum(moves.parts[one] for one in (Movement.CONTRACTION, Movement.CHURNED))
    steps = 7 * 25  # seven numbers, each no further off than half a step of 50
    assert moves.opening + gains - losses == pytest.approx(moves.closing, abs=steps)
    personal = show_movements(cell("EUR", "*"), settings=PERSONAL)
    total = sum(
        personal.parts[one] * (-1 if one in {Movement.CONTRACTION, Movement.CHURNED} else 1)
        for one in Movement
    )
    assert personal.opening + total == pytest.approx(personal.closing)


@given(st.fixed_dictionaries({kind: st.integers(0, 60) for kind in MOVES}))
def test_nobody_works_out_a_small_movement_from_the_others(moves):
    """The attacker knows start and end and all movements that are shown: what remains is about 11 people or more."""
    of_euro = cell("EUR", "*", opening=400, moves=moves)
    shown = show_movements(of_euro, settings=GROUPS)
    names = dict(zip(Movement, ("new", "reactivated", "expanded", "contracted", "churned"), strict=True))
    hidden = [moves[names[one]] for one in Movement if shown.parts[one] is Absence.SUPPRESSED]
    assert all(shown.parts[one] is Absence.SUPPRESSED for one in Movement if 0 < moves[names[one]] < 11)
    if hidden and sum(moves.values()) != sum(hidden):
        assert len(hidden) >= 2
        assert sum(hidden) >= 11


@given(st.integers(11, 5_000), st.floats(1, 500))
def test_a_sum_does_not_tell_what_one_more_person_pays(people, price):
    """One more payer changes the sum by nothing, or by a step that at least five people would have to pay for."""
    before, after = (show_sum(count * price, people=count, settings=GROUPS) for count in (people, people + 1))
    assert before == pytest.approx(after) or abs(after - before) >= 4.9 * price


def test_a_small_plan_takes_another_one_with_it():
    made = report(current=one_period(MARCH, plans=(4, 421)))
    rows = table(made, "plans")
    assert rows["family"][1:3] == (Absence.SUPPRESSED,) * 2
    assert rows["plus"][1:3] == (Absence.SUPPRESSED,) * 2
    assert_no_small_cell(made)


def test_a_currency_of_few_people_has_no_sums():
    current = one_period(MARCH)
    few = cell("USD", "*", opening=6, moves=dict.fromkeys(MOVES, 0), price=8.99, failing=0)
    lifetimes = current.lifetimes | {"USD": replace(current.lifetimes["USD"], people=6)}
    made = report(current=replace(current, cells=current.cells | {("USD", "*"): few}, lifetimes=lifetimes))
    assert metric(made, "monthly_recurring_revenue:USD").value is Absence.SUPPRESSED
    assert [one.figure for one in made.metrics if one.figure.endswith("USD")] == [
        "monthly_recurring_revenue:USD"
    ]
    assert "53.9" not in render_html(made)
    assert not [block for block in blocks(made, BarChart) if "usd" in block.chart_id]
    assert_no_small_cell(made)


def test_few_failing_people_are_not_a_rate():
    shown, hidden = report(), report(current=one_period(MARCH, failing=4))
    assert metric(shown, "failed_payment_share").value == pytest.approx(50 / 650, abs=0.01)
    rows = table(hidden, "payments-by-currency")
    assert rows["EUR"][2] is Absence.SUPPRESSED


def test_more_failed_payments_than_the_limit_are_a_fact():
    assert payment_facts(inputs(current=one_period(MARCH, failing=0))) == ()
    (fact,) = payment_facts(inputs(current=one_period(MARCH, failing=90)))
    assert fact.rule in RULE_BY_NAME
    assert fact.effect > 1
    assert fact.text.endswith("of the payments that were tried failed; the limit is 5\u202f%.")


def test_rates_are_those_of_the_numbers_that_are_shown():
    made = report()
    euro = show_movements(cell("EUR", "*"), settings=GROUPS)
    assert metric(made, "revenue_churn_rate:EUR").value == pytest.approx(
        euro.parts[Movement.CHURNED] / euro.opening, abs=1e-4
    )
    assert metric(made, "paying_people_churn_rate").value == pytest.approx(60 / 550, abs=1e-4)
    assert metric(made, "paying_share").value == pytest.approx(600 / 2000, abs=1e-4)
    assert metric(made, "revenue_per_paying_person:EUR").value == pytest.approx(
        (425 * PRICE - 12 * PRICE) / 425, abs=0.06
    )


def test_everything_watched_is_known_to_the_insights():
    tracked = tracked_figures(inputs())
    watched = [one for name, one in tracked.items() if name.partition(":")[0] in WATCHED]
    assert {"recurring_revenue_growth:EUR", "revenue_per_paying_person:USD", "failed_payment_share"} <= {
        one.figure for one in watched
    }
    for one in watched:
        assert watched_figure(one.figure).smallest_change > 0
        assert len(one.history) == 15


def test_missing_amounts_lower_the_confidence():
    current = one_period(MARCH)
    whole = replace(current.whole, events_without_amount=current.whole.events // 2)
    poor = report(current=replace(current, cells=current.cells | {("*", "*"): whole}))
    assert poor.confidence.score < report().confidence.score
    assert poor.confidence.limiting.startswith("Amounts: validity")


def test_exact_numbers_do_not_tell_a_small_currency_either():
    exact = GROUPS.model_copy(update={"round_people_to": 1})
    current = one_period(MARCH)
    few = replace(cell("USD", "*", opening=6, moves=dict.fromkeys(MOVES, 0)), closing=Amount(6, 54.0))
    made = report(settings=exact, current=replace(current, cells=current.cells | {("USD", "*"): few}))
    assert metric(made, "paying_people").value is Absence.SUPPRESSED


def test_the_same_inputs_give_the_same_report():
    assert report() == report()
