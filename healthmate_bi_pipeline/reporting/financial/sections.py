"""The sections of the finance report. Everything on them goes through ``suppression``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from healthmate_bi_pipeline.domain.revenue import Movement
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Bar,
    BarChart,
    Block,
    Cell,
    Count,
    DataTable,
    KeyFigure,
    KeyFigures,
    Number,
    TableColumn,
    Text,
)
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.evidence import Tracked
from healthmate_bi_pipeline.reporting.financial.figures import (
    MOVEMENT_FIGURES,
    show_failed,
    show_movements,
    show_refunds,
)
from healthmate_bi_pipeline.reporting.financial.inputs import FinancialInputs, PeriodRevenue, Revenue
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.suppressed_parts import ratio, show_parts, show_sum, show_sums
from healthmate_bi_pipeline.reporting.suppression import show_count
from healthmate_bi_pipeline.reporting.tracked_figures import history_chart, is_shown
from healthmate_bi_pipeline.reporting.wording import NOUNS, count_text, figure_text, value_with_unit

_LOSSES = (Movement.CONTRACTION, Movement.CHURNED)
_WORDS = {
    Movement.NEW: "new",
    Movement.REACTIVATION: "reactivated",
    Movement.EXPANSION: "expansion",
    Movement.CONTRACTION: "contraction",
    Movement.CHURNED: "churned",
}


def withheld_note(inputs: FinancialInputs, what: str) -> str:
    """Why something is missing."""
    return (
        f"Not shown: {what} of fewer than {inputs.settings.minimum_people} people, and others from which such a number"
        " could be worked out."
    )


def shown_currencies(inputs: FinancialInputs) -> tuple[str, ...]:
    """The currencies with enough people for a sum, that of the most people first."""
    if inputs.settings.audience == "personal":
        return inputs.current.currencies
    minimum = inputs.settings.minimum_people
    return tuple(
        currency
        for currency in inputs.current.currencies
        if max(inputs.current.of(currency).closing.people, inputs.current.of(currency).opening.people)
        >= minimum
    )


def recurring_section(
    inputs: FinancialInputs, *, metrics: Mapping[str, KeyFigure], tracked: Mapping[str, Tracked]
) -> Section:
    """Recurring revenue and its movements, by currency."""
    minimum = inputs.settings.minimum_people
    blocks: list[Block] = [
        KeyFigures(
            tuple(
                metrics[name]
                for name in (
                    "paying_people",
                    "paying_people_growth",
                    "paying_people_churn_rate",
                    "paying_share",
                )
            )
        )
    ]
    people = history_chart(
        [tracked["paying_people"]],
        chart_id="trend-paying-people",
        title=f"Paying people at the end of each {NOUNS[inputs.period]}",
        window=inputs.window,
        minimum=minimum,
    )
    if people is not None:
        blocks.append(people)
    shown = shown_currencies(inputs)
    few = [currency for currency in inputs.current.currencies if currency not in shown]
    if few:
        blocks.append(Text((f"Too few people for sums in {', '.join(sorted(few))}.",)))
    panels = tuple(_currency_panel(inputs, currency, metrics=metrics, tracked=tracked) for currency in shown)
    return Section("recurring-revenue", "Recurring revenue", blocks=tuple(blocks), subsections=panels)


def _currency_panel(
    inputs: FinancialInputs,
    currency: str,
    *,
    metrics: Mapping[str, KeyFigure],
    tracked: Mapping[str, Tracked],
) -> Section:
    names = (
        "monthly_recurring_revenue",
        "recurring_revenue_growth",
        "revenue_churn_rate",
        "net_revenue_retention",
        "collected_revenue",
        "revenue_per_paying_person",
        "revenue_per_active_person",
    )
    given = tuple(metrics[f"{name}:{currency}"] for name in names if f"{name}:{currency}" in metrics)
    blocks: list[Block] = [KeyFigures(given)]
    chart = movement_chart(inputs, currency)
    is_told = any(is_shown(bar.value) for bar in chart.bars)
    blocks.append(chart if is_told else Text((chart.note,)))
    line = history_chart(
        [tracked[f"monthly_recurring_revenue:{currency}"]],
        chart_id=f"trend-mrr-{currency.lower()}",
        title=f"Monthly recurring revenue in {currency}, at the end of each {NOUNS[inputs.period]}",
        window=inputs.window,
        minimum=inputs.settings.minimum_people,
    )
    if line is not None:
        blocks.append(line)
    return Section(f"panel-{currency.lower()}", currency, blocks=tuple(blocks))


def movement_chart(inputs: FinancialInputs, currency: str) -> BarChart:
    """Gains above nought, losses below; start and end stand in the text, they would dwarf the bars."""
    moves = show_movements(inputs.current.of(currency), settings=inputs.settings)
    figure = f"monthly_recurring_revenue:{currency}"
    bars = tuple(
        Bar(_WORDS[movement], _signed(moves.parts[movement], movement), moves.people[movement])
        for movement in Movement
    )
    told = "; ".join(f"{bar.label} {value_with_unit(figure, bar.value)}" for bar in bars)
    noun = NOUNS[inputs.cadence]
    start, end = (value_with_unit(figure, number) for number in (moves.opening, moves.closing))
    notes = [f"From {start} at the start of the {noun} to {end} at its end."]
    if any(part is Absence.SUPPRESSED for part in moves.parts.values()):
        notes.append(withheld_note(inputs, "movements"))
    elif inputs.settings.audience != "personal" and inputs.settings.round_people_to > 1:
        notes.append("Sums are rounded, so that the movements may differ a little from end minus start.")
    return BarChart(
        chart_id=f"movements-{currency.lower()}",
        title=f"How recurring revenue in {currency} moved",
        description=f"Movements of recurring revenue. {told}.",
        figure=figure,
        unit=currency,
        bars=bars,
        note=" ".join(notes),
    )


def _signed(number: Number, movement: Movement) -> Number:
    return -number if movement in _LOSSES and not isinstance(number, Absence) and number else number


def movement_table(inputs: FinancialInputs) -> DataTable | None:
    """The movements of all currencies, with the identity that they obey."""
    rows: list[tuple[Cell, ...]] = []
    for currency in shown_currencies(inputs):
        moves = show_movements(inputs.current.of(currency), settings=inputs.settings)
        figure = f"monthly_recurring_revenue:{currency}"
        numbers = (
            moves.opening,
            *(_signed(moves.parts[movement], movement) for movement in Movement),
            moves.closing,
        )
        rows.append((currency, *(_money(figure, number) for number in numbers)))
    if not rows:
        return None
    labels = ("Start", *(_WORDS[movement].capitalize() for movement in Movement), "End")
    return DataTable(
        table_id="movements",
        title="Recurring revenue: start + movements = end",
        columns=(TableColumn("Currency"), *(TableColumn(label, is_numeric=True) for label in labels)),
        rows=tuple(rows),
        note="In whole units of the currency. Movements compare the start and the end of the period, person by person:"
        " who came and went in between is in neither. Currencies are never added up.",
    )


def _money(figure: str, number: Number) -> Cell:
    return number if isinstance(number, Absence) else figure_text(figure, number)


def plan_section(inputs: FinancialInputs) -> Section | None:
    """Recurring revenue, income and failures by currency and plan."""
    rows = [row for currency in shown_currencies(inputs) for row in _plan_rows(inputs, currency)]
    if not rows:
        return None
    columns = (
        TableColumn("Plan"),
        TableColumn("Currency"),
        TableColumn("Paying people", is_numeric=True),
        TableColumn("Recurring revenue", is_numeric=True),
        TableColumn("Share of the currency's, %", is_numeric=True, figure="revenue_churn_rate"),
        TableColumn("Collected, less refunds", is_numeric=True),
    )
    gaps = any(cell is Absence.SUPPRESSED for row in rows for cell in row)
    table = DataTable(
        table_id="plans",
        title="By plan and currency",
        columns=columns,
        rows=tuple(rows),
        note=" ".join(
            ("Amounts in whole units of the currency.", *((withheld_note(inputs, "plans"),) if gaps else ()))
        ),
    )
    return Section("plans", "Plans and currencies", blocks=(table,))


def _plan_rows(inputs: FinancialInputs, currency: str) -> list[tuple[Cell, ...]]:
    settings, one = inputs.settings, inputs.current
    plans = one.plans(currency)
    cells = [one.of(currency, plan) for plan in plans]
    closing = [cell.closing.people for cell in cells]
    people = show_parts(closing, settings=settings)
    sums = show_sums([cell.closing.money for cell in cells], people=closing, settings=settings)
    payers = [cell.paid.people for cell in cells]
    income = show_sums(
        [cell.paid.money - cell.refunded.money for cell in cells], people=payers, settings=settings
    )
    whole = one.of(currency)
    total = show_sum(whole.closing.money, people=whole.closing.people, settings=settings)
    figure = f"monthly_recurring_revenue:{currency}"
    return [
        (plan, currency, count, _money(figure, money), _share(money, total), _money(figure, came))
        for plan, count, money, came, cell in zip(plans, people, sums, income, cells, strict=True)
        if cell.closing.people or cell.paid.people
    ]


def _share(part: Number, whole: Number) -> Number:
    found = ratio(part, whole)
    return found if isinstance(found, Absence) else min(found, 1.0)


def payment_section(
    inputs: FinancialInputs, *, metrics: Mapping[str, KeyFigure], tracked: Mapping[str, Tracked]
) -> Section | None:
    """What came in, what failed and what was paid back."""
    whole = inputs.current.whole
    if whole is None or not whole.payments + whole.failed_payments:
        return None
    blocks: list[Block] = [KeyFigures((metrics["failed_payment_share"], metrics["refund_rate"]))]
    line = history_chart(
        [tracked["failed_payment_share"]],
        chart_id="trend-failed-payments",
        title=f"Failed payments of those tried, by {NOUNS[inputs.period]}",
        window=inputs.window,
        minimum=inputs.settings.minimum_people,
    )
    if line is not None:
        blocks.append(line)
    blocks.append(_payment_table(inputs))
    return Section("payments", "Payments", blocks=tuple(blocks))


def _payment_table(inputs: FinancialInputs) -> DataTable:
    currencies = shown_currencies(inputs)
    rows = [_payment_row(inputs, inputs.current.whole or Revenue("*", "*"), "all")]
    rows += [_payment_row(inputs, inputs.current.of(currency), currency) for currency in currencies]
    return DataTable(
        table_id="payments-by-currency",
        title="Payments by currency",
        columns=(
            TableColumn("Currency"),
            TableColumn("Payments", is_numeric=True),
            TableColumn("People who paid", is_numeric=True),
            TableColumn("Failed, %", is_numeric=True, figure="failed_payment_share"),
            TableColumn("Refunded, %", is_numeric=True, figure="refund_rate"),
            TableColumn("Collected, less refunds", is_numeric=True),
        ),
        rows=tuple(rows),
        note="Failed: of the payments that were tried. A failed payment that is made up for within the days of grace ends"
        " no subscription. Refunded: refunds per payment, by number.",
    )


def _payment_row(inputs: FinancialInputs, cell: Revenue, label: str) -> tuple[Cell, ...]:
    settings = inputs.settings
    payers = show_count(cell.paid.people, settings=settings)
    payments: Count = payers if isinstance(payers, Absence) else show_count(cell.payments, settings=settings)
    income: Cell = ""
    if label != "all":
        money = show_sum(cell.paid.money - cell.refunded.money, people=cell.paid.people, settings=settings)
        income = _money(f"collected_revenue:{label}", money)
    failed, refunds = show_failed(cell, settings=settings), show_refunds(cell, settings=settings)
    return (label, payments, payers, failed, refunds, income)


def lifetime_section(
    inputs: FinancialInputs, *, metrics: Mapping[str, KeyFigure], tracked: Mapping[str, Tracked]
) -> Section | None:
    """What running subscriptions are still worth."""
    currencies = [
        currency for currency in shown_currencies(inputs) if f"lifetime_value:{currency}" in metrics
    ]
    failed = sorted({one.reason for one in inputs.current.lifetimes.values() if one.value is None})
    if not currencies:
        if not failed:
            return None
        return Section(
            "lifetime-value",
            "Lifetime value",
            blocks=(Text((f"Not told: the model of payments could not be fitted: {failed[0]}.",)),),
        )
    figures = [metrics[f"{name}:{c}"] for c in currencies for name in ("lifetime_value", "expected_payments")]
    fitted = max(inputs.current.lifetimes[currency].fitted_people for currency in currencies)
    people = show_count(fitted, settings=inputs.settings)
    as_of = max(inputs.current.lifetimes[currency].as_of for currency in currencies)
    text = (
        "What a subscription that runs is expected to pay from here on, at today's value: its price x the discounted"
        f" expected number of its future payments. BG/BB fitted on the payments of {count_text(people)} subscriptions"
        f" up to {as_of:%d %B %Y}. The price is taken to stay as it is; what was paid so far is not in it."
    )
    blocks: list[Block] = [KeyFigures(tuple(figures)), Text((text,))]
    for currency in currencies:
        line = history_chart(
            [tracked[f"lifetime_value:{currency}"]],
            chart_id=f"trend-lifetime-{currency.lower()}",
            title=f"{style_of(f'lifetime_value:{currency}').label}, at the end of each {NOUNS[inputs.period]}",
            window=inputs.window,
            minimum=inputs.settings.minimum_people,
        )
        if line is not None:
            blocks.append(line)
    return Section("lifetime-value", "Lifetime value", blocks=tuple(blocks))


def has_billing(one: PeriodRevenue) -> bool:
    """Whether anything is known of subscriptions or payments in a period."""
    return one.whole is not None


def movement_metrics(inputs: FinancialInputs) -> Sequence[tuple[str, Number, Count]]:
    """The movements that are shown, as metrics: figure, value and people."""
    found: list[tuple[str, Number, Count]] = []
    for currency in shown_currencies(inputs):
        moves = show_movements(inputs.current.of(currency), settings=inputs.settings)
        found += [
            (f"{figure}:{currency}", moves.parts[movement], moves.people[movement])
            for movement, figure in MOVEMENT_FIGURES.items()
            if is_shown(moves.parts[movement])
        ]
    return found
