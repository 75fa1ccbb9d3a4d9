"""The figures of the finance report as they may be shown, over time: key figures and evidence alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from healthmate_bi_pipeline.domain.revenue import Movement
from healthmate_bi_pipeline.reporting.blocks import Absence, Count, Number
from healthmate_bi_pipeline.reporting.evidence import Sample, Tracked
from healthmate_bi_pipeline.reporting.financial.inputs import FinancialInputs, PeriodRevenue, Revenue
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.suppressed_parts import (
    linked_parts,
    ratio,
    show_everyone_of,
    show_mean_amount,
    show_share,
    show_sum,
)
from healthmate_bi_pipeline.reporting.suppression import show_count, show_mean
from healthmate_bi_pipeline.reporting.tracked_figures import trimmed
from healthmate_bi_pipeline.reporting.wording import mid_sentence, period_text
from healthmate_bi_pipeline.settings import ReportSettings

_Shown: TypeAlias = Callable[[PeriodRevenue, ReportSettings], tuple[Number, Count | None]]

MOVEMENT_FIGURES = {
    Movement.NEW: "new_revenue",
    Movement.REACTIVATION: "reactivation_revenue",
    Movement.EXPANSION: "expansion_revenue",
    Movement.CONTRACTION: "contraction_revenue",
    Movement.CHURNED: "churned_revenue",
}
OF_EVERYBODY = (
    "paying_people",
    "paying_people_growth",
    "paying_people_churn_rate",
    "paying_share",
    "failed_payment_share",
    "refund_rate",
)
OF_CURRENCY = (
    "monthly_recurring_revenue",
    "recurring_revenue_growth",
    "revenue_churn_rate",
    "net_revenue_retention",
    "collected_revenue",
    "revenue_per_paying_person",
    "revenue_per_active_person",
    "lifetime_value",
    "expected_payments",
)
PEOPLE_OF_A_RATE = 10
"""So many steps of rounding are the fewest people of whose sums and counts a rate of growth or loss is told."""

WATCHED = (
    "paying_people_growth",
    "paying_people_churn_rate",
    "failed_payment_share",
    "recurring_revenue_growth",
    "revenue_churn_rate",
    "collected_revenue",
    "revenue_per_paying_person",
)
"""What insights are looked for in.

Not in what stands at a moment (paying people, recurring revenue, lifetime value): it carries over from period to
period, and control charts, which take periods for independent, would find a shift in every one of its walks. Its
growth and what it loses do not.
"""


@dataclass(frozen=True)
class ShownMovements:
    """Where recurring revenue came from and went to, as it may be shown."""

    opening: Number
    closing: Number
    parts: dict[Movement, Number]
    people: dict[Movement, Count]


def show_movements(cell: Revenue, *, settings: ReportSettings) -> ShownMovements:
    """The movements of a currency: with start and end told, each of them follows from the others.

    So small ones are withheld with as many others as it takes, by money (all five) and by people (who came and went);
    the sums are rounded.
    """
    amounts = {
        Movement.NEW: cell.new,
        Movement.REACTIVATION: cell.reactivated,
        Movement.EXPANSION: cell.expanded,
        Movement.CONTRACTION: cell.contracted,
        Movement.CHURNED: cell.churned,
    }
    people = linked_parts(
        {movement: amount.people for movement, amount in amounts.items()},
        [(Movement.NEW, Movement.REACTIVATION, Movement.CHURNED), tuple(amounts)],
        settings=settings,
    )
    sums = {
        movement: count
        if isinstance(count := people[movement], Absence)
        else show_sum(amount.money, people=amount.people, settings=settings)
        for movement, amount in amounts.items()
    }
    return ShownMovements(
        opening=show_sum(cell.opening.money, people=cell.opening.people, settings=settings),
        closing=show_sum(cell.closing.money, people=cell.closing.people, settings=settings),
        parts=sums,
        people={movement: people[movement] for movement in amounts},
    )


def has_rates(people: int, settings: ReportSettings) -> bool:
    """Whether rounding leaves a rate of so many people worth telling: it may shift it by a twentieth, not by half."""
    return settings.audience == "personal" or people >= PEOPLE_OF_A_RATE * settings.round_people_to


def _is_few(people: int, settings: ReportSettings) -> bool:
    return settings.audience != "personal" and 0 < people < settings.minimum_people


def show_failed(cell: Revenue, *, settings: ReportSettings) -> Number:
    """The share of payments that failed, of those that were tried; few people whose failed are not told."""
    if _is_few(cell.failing_people, settings):
        return Absence.SUPPRESSED
    return show_share(cell.failed_payments, cell.payments + cell.failed_payments, settings=settings)


def show_refunds(cell: Revenue, *, settings: ReportSettings) -> Number:
    """Refunds per payment that came in; few people who got one are not told."""
    if _is_few(cell.refunded.people, settings):
        return Absence.SUPPRESSED
    return show_share(min(cell.refunds, cell.payments), cell.payments, settings=settings)


def show_paying_people(one: PeriodRevenue, *, settings: ReportSettings) -> Count:
    """People with a running subscription, of all currencies; beside those of each currency."""
    whole = one.whole
    if whole is None:
        return Absence.NO_DATA
    parts = [one.of(currency).closing.people for currency in one.currencies]
    return show_everyone_of(whole.closing.people, parts=parts, settings=settings)


def _of_everybody(figure: str) -> _Shown:
    def shown(one: PeriodRevenue, settings: ReportSettings) -> tuple[Number, Count | None]:  # noqa: PLR0911
        whole = one.whole
        if whole is None:
            return Absence.NO_DATA, None
        match figure:
            case "paying_people":
                return show_paying_people(one, settings=settings), None
            case "paying_people_growth" if not has_rates(whole.opening.people, settings):
                return Absence.SUPPRESSED, show_count(whole.opening.people, settings=settings)
            case "paying_people_growth":
                opening = show_count(whole.opening.people, settings=settings)
                return _growth(show_count(whole.closing.people, settings=settings), opening), opening
            case "paying_people_churn_rate":
                opening = show_count(whole.opening.people, settings=settings)
                return show_share(whole.churned.people, whole.opening.people, settings=settings), opening
            case "paying_share":
                if not one.active_people:
                    return Absence.NO_DATA, None
                active = show_count(one.active_people, settings=settings)
                return ratio(show_paying_people(one, settings=settings), active), active
            case "failed_payment_share":
                return show_failed(whole, settings=settings), None
            case _:
                return show_refunds(whole, settings=settings), None

    return shown


def _of_currency(figure: str, currency: str) -> _Shown:
    def shown(one: PeriodRevenue, settings: ReportSettings) -> tuple[Number, Count | None]:  # noqa: PLR0911
        if (currency, "*") not in one.cells:
            return Absence.NO_DATA, 0
        cell = one.of(currency)
        payers = show_count(cell.paid.people, settings=settings)
        income = cell.paid.money - cell.refunded.money
        match figure:
            case "monthly_recurring_revenue":
                total = show_sum(cell.closing.money, people=cell.closing.people, settings=settings)
                return total, show_count(cell.closing.people, settings=settings)
            case "recurring_revenue_growth" | "revenue_churn_rate" | "net_revenue_retention" if not has_rates(
                cell.opening.people, settings
            ):
                return Absence.SUPPRESSED, show_count(cell.opening.people, settings=settings)
            case "recurring_revenue_growth":
                moves = show_movements(cell, settings=settings)
                return _growth(moves.closing, moves.opening), show_count(
                    cell.opening.people, settings=settings
                )
            case "revenue_churn_rate" | "net_revenue_retention":
                return _rate(figure, cell, settings), show_count(cell.opening.people, settings=settings)
            case "collected_revenue":
                return show_sum(income, people=cell.paid.people, settings=settings), payers
            case "revenue_per_paying_person":
                return _per_person(figure, cell, cell.paid.people, settings), payers
            case "revenue_per_active_person":
                return _per_person(figure, cell, one.active_people or 0, settings), payers
            case _:
                return _of_lifetime(figure, one, currency, settings)

    return shown


def _growth(after: Number, before: Number) -> Number:
    grown = ratio(after, before)
    return grown if isinstance(grown, Absence) else grown - 1


def _per_person(figure: str, cell: Revenue, by: int, settings: ReportSettings) -> Number:
    """What came in, less refunds, per person of some."""
    income = cell.paid.money - cell.refunded.money
    return show_mean_amount(figure, total=income, people=cell.paid.people, by=by, settings=settings)


def _of_lifetime(
    figure: str, one: PeriodRevenue, currency: str, settings: ReportSettings
) -> tuple[Number, Count]:
    lifetime = one.lifetimes.get(currency)
    if lifetime is None:
        return Absence.NO_DATA, 0
    value = lifetime.value if figure == "lifetime_value" else lifetime.payments
    # The spread between subscriptions is not kept; the mean stands for it, as in sums of money.
    shown = show_mean(figure, mean=value, people=lifetime.people, settings=settings, deviation=value)
    return shown, show_count(lifetime.people, settings=settings)


def _rate(figure: str, cell: Revenue, settings: ReportSettings) -> Number:
    """A rate of recurring revenue, from the movements as they are shown."""
    moves = show_movements(cell, settings=settings)
    churned = moves.parts[Movement.CHURNED]
    if figure == "revenue_churn_rate":
        return ratio(churned, moves.opening)
    kept: Number = moves.opening
    for movement, sign in ((Movement.EXPANSION, 1), (Movement.CONTRACTION, -1), (Movement.CHURNED, -1)):
        part = moves.parts[movement]
        if isinstance(kept, Absence) or isinstance(part, Absence):
            return Absence.SUPPRESSED
        kept += sign * part
    return ratio(kept, moves.opening)


def tracked_figures(inputs: FinancialInputs) -> dict[str, Tracked]:
    """Every figure by name; those of money with the currency behind it."""
    found = {name: _tracked(inputs, name, _of_everybody(name)) for name in OF_EVERYBODY}
    for currency in inputs.current.currencies:
        for name in OF_CURRENCY:
            figure = f"{name}:{currency}"
            found[figure] = _tracked(inputs, figure, _of_currency(name, currency), currency=currency)
    return found


def _tracked(inputs: FinancialInputs, figure: str, shown: _Shown, *, currency: str = "") -> Tracked:
    settings = inputs.settings

    def sample(one: PeriodRevenue) -> Sample:
        value, people = shown(one, settings)
        digits = style_of(figure).digits
        return Sample(
            one.window, value if isinstance(value, Absence) else round(value, max(digits, 4)), people
        )

    previous = sample(inputs.previous) if inputs.previous else None
    name = mid_sentence(period_text(inputs.cadence, inputs.previous.window)) if inputs.previous else ""
    reach: Number = 1.0
    if currency:
        own = show_count(inputs.current.of(currency).closing.people, settings=settings)
        share = ratio(own, show_paying_people(inputs.current, settings=settings))
        reach = share if isinstance(share, Absence) else min(share, 1.0)
    return Tracked(
        figure=figure,
        period=inputs.period,
        history=trimmed([sample(one) for one in inputs.history]),
        current=sample(inputs.current),
        previous=previous,
        previous_name=name,
        reach=reach,
    )
