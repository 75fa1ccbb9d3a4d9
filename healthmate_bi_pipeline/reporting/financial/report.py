"""The finance report: what recurs, how it moved, what came in and failed, and what subscriptions are worth.

A pure function from ``FinancialInputs`` to a ``Report``; its sections are in ``sections``. Without billing events it
says that there are none, with confidence 0 and no figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from healthmate_bi_pipeline.catalog.engagement_tables import ENGAGEMENT_ACTIVITY
from healthmate_bi_pipeline.catalog.finance import FAILED_PAYMENT_LIMIT
from healthmate_bi_pipeline.catalog.finance_tables import LIFETIME_VALUE, REVENUE
from healthmate_bi_pipeline.domain.revenue import Movement
from healthmate_bi_pipeline.reporting.assembly import Content, assemble, notices
from healthmate_bi_pipeline.reporting.blocks import Absence, KeyFigure, Text
from healthmate_bi_pipeline.reporting.confidence import ConfidenceInput, Portion
from healthmate_bi_pipeline.reporting.document import DataSource, Report, Section, Stamp, Summary, Tone
from healthmate_bi_pipeline.reporting.evidence import Evidence, Fact, Sample, Tracked
from healthmate_bi_pipeline.reporting.financial import sections
from healthmate_bi_pipeline.reporting.financial.figures import (
    OF_EVERYBODY,
    WATCHED,
    has_rates,
    show_failed,
    show_movements,
    tracked_figures,
)
from healthmate_bi_pipeline.reporting.financial.inputs import FinancialInputs
from healthmate_bi_pipeline.reporting.row_quality import rows_note, timeliness, validity
from healthmate_bi_pipeline.reporting.standard_sections import (
    dataset_description,
    definitions_section,
    quality_section,
)
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.suppression import show_count, show_quality
from healthmate_bi_pipeline.reporting.tracked_figures import is_shown, key_figure, told
from healthmate_bi_pipeline.reporting.wording import (
    mid_sentence,
    period_text,
    share_text,
    value_with_unit,
)

_REMARK = (
    "A subscription is what one person pays in one currency; it runs while it is paid for, and for the days of grace after"
    " that. All moments are UTC. Amounts are in whole units of the currency, and currencies are never added up."
)
_SOURCE = "Billing events"
_ALWAYS = (*OF_EVERYBODY, "monthly_recurring_revenue")
"""Figures that are told of even where they may not be shown; others of a currency are left out."""

MOST_CURRENCIES = 3
"""Currencies on the first screen."""


def financial(inputs: FinancialInputs, *, stamp: Stamp) -> Report:
    """The report on a window."""
    is_there = sections.has_billing(inputs.current)
    tracked = tracked_figures(inputs) if is_there else {}
    metrics = _metrics(inputs, tracked=tracked)
    return assemble(
        inputs,
        Content(
            summary=Summary(
                sentences=_sentences(inputs, metrics=metrics),
                people=None,
                headline=_headline(inputs, metrics=metrics),
                notices=notices(inputs),
                reading=_reading(inputs) if is_there else (),
            ),
            metrics=tuple(metrics.values()),
            sections=_sections(inputs, metrics=metrics, tracked=tracked),
            evidence=Evidence(_watched(inputs, tracked), payment_facts(inputs)),
            confidence_inputs=_confidence(inputs, metrics=metrics),
            data_sources=_data_sources(inputs),
        ),
        stamp=stamp,
    )


def _metrics(inputs: FinancialInputs, *, tracked: Mapping[str, Tracked]) -> dict[str, KeyFigure]:
    minimum = inputs.settings.minimum_people
    found = {
        name: key_figure(one, minimum=minimum)
        for name, one in tracked.items()
        if is_shown(one.current.value) or name.partition(":")[0] in _ALWAYS
    }
    for figure, value, people in sections.movement_metrics(inputs):
        one = Tracked(figure, inputs.period, (), Sample(inputs.window, value, people))
        found[figure] = key_figure(one, minimum=minimum)
    return found


def _headline(inputs: FinancialInputs, *, metrics: Mapping[str, KeyFigure]) -> tuple[str, ...]:
    currencies = sections.shown_currencies(inputs)[:MOST_CURRENCIES]
    names = [
        "paying_people",
        *(f"monthly_recurring_revenue:{currency}" for currency in currencies),
        "paying_people_churn_rate",
        *(f"revenue_churn_rate:{currency}" for currency in currencies[:1]),
        "failed_payment_share",
        *(f"revenue_per_paying_person:{currency}" for currency in currencies[:1]),
        *(f"lifetime_value:{currency}" for currency in currencies[:1]),
    ]
    return tuple(name for name in names if name in metrics and is_shown(metrics[name].value))


def _sentences(inputs: FinancialInputs, *, metrics: Mapping[str, KeyFigure]) -> tuple[str, ...]:
    period = period_text(inputs.cadence, inputs.window)
    if not sections.has_billing(inputs.current):
        return (
            f"There are no billing events for {mid_sentence(period)}: nothing can be said about revenue.",
            "The data set billing_events is empty for these days. Where billing is kept, put its events there.",
        )
    so_far = "" if inputs.is_complete else " so far"
    people = metrics["paying_people"]
    if not is_shown(people.value):
        few = inputs.settings.minimum_people
        return (f"{period}: fewer than {few} people pay, too few for any figure to be shown.",)
    against = ""
    if inputs.previous is not None:
        before = mid_sentence(period_text(inputs.cadence, inputs.previous.window))
        against = f", changes against {before}"
    found = [f"{period}: {told(people, with_label=False)} pay at its end{so_far}{against}."]
    found += [
        _movement_sentence(inputs, currency, metrics=metrics)
        for currency in sections.shown_currencies(inputs)[:MOST_CURRENCIES]
    ]
    names = ("paying_people_churn_rate", "failed_payment_share")
    known = [told(metrics[name]) for name in names if is_shown(metrics[name].value)]
    if known:
        found.append(f"{known[0][0].upper()}{known[0][1:]}{''.join(f'; {text}' for text in known[1:])}.")
    return tuple(found)


def _movement_sentence(inputs: FinancialInputs, currency: str, *, metrics: Mapping[str, KeyFigure]) -> str:
    figure = f"monthly_recurring_revenue:{currency}"
    moves = show_movements(inputs.current.of(currency), settings=inputs.settings)
    words = {
        Movement.NEW: "new",
        Movement.REACTIVATION: "reactivated",
        Movement.EXPANSION: "expansion",
        Movement.CONTRACTION: "contraction",
        Movement.CHURNED: "churned",
    }
    parts = [
        f"{words[movement]} {value_with_unit(figure, number)}"
        for movement, number in moves.parts.items()
        if not isinstance(number, Absence) and number
    ]
    told_parts = f": {', '.join(parts)}" if parts else ""
    if not is_shown(metrics[figure].value):
        return f"Recurring revenue in {currency} is not shown: too few people."
    return f"Recurring revenue in {currency} {told(metrics[figure], with_label=False)}{told_parts}."


def _reading(inputs: FinancialInputs) -> tuple[str, ...]:
    settings = inputs.settings
    if settings.audience == "personal":
        return ()
    rounded = (
        f"; numbers of people are rounded to {settings.round_people_to}, sums of money to about what as many people pay"
        if settings.round_people_to > 1
        else ""
    )
    return (f"Nothing about fewer than {settings.minimum_people} people is shown{rounded}.",)


def _sections(
    inputs: FinancialInputs, *, metrics: Mapping[str, KeyFigure], tracked: Mapping[str, Tracked]
) -> tuple[Section, ...]:
    found: list[Section] = []
    if not sections.has_billing(inputs.current):
        text = (
            "Recurring revenue, its movements, payments and lifetime values come from billing_events. There are none in"
            " this period, so none of these figures exists; nothing stands in their place."
        )
        found.append(Section("no-billing-events", "No billing events", blocks=(Text((text,)),)))
    elif is_shown(metrics["paying_people"].value):
        recurring = sections.recurring_section(inputs, metrics=metrics, tracked=tracked)
        table = sections.movement_table(inputs)
        moved = Section("movements", "Movements", blocks=(table,)) if table is not None else None
        made = (
            recurring,
            moved,
            sections.plan_section(inputs),
            sections.payment_section(inputs, metrics=metrics, tracked=tracked),
            sections.lifetime_section(inputs, metrics=metrics, tracked=tracked),
        )
        found += [section for section in made if section is not None]
    qualities = [show_quality(one, settings=inputs.settings) for one in inputs.quality]
    found.append(quality_section(qualities, accuracy=None, note=rows_note(inputs)))
    if any(is_shown(metric.value) for metric in metrics.values()):
        found.append(definitions_section(_once(metrics), remark=_REMARK))
    return tuple(found)


def _once(metrics: Mapping[str, KeyFigure]) -> tuple[KeyFigure, ...]:
    """One metric of each figure: a definition holds for all currencies."""
    found: dict[str, KeyFigure] = {}
    for name, metric in metrics.items():
        base = name.partition(":")[0]
        if is_shown(metric.value):
            found.setdefault(base, replace(metric, figure=base, label=style_of(base).label))
    return tuple(found.values())


def _watched(inputs: FinancialInputs, tracked: Mapping[str, Tracked]) -> tuple[Tracked, ...]:
    """What insights are looked for in; not in the sums of a few, which move by the steps that they are rounded to."""
    few = {
        currency
        for currency in inputs.current.currencies
        if not has_rates(
            max(inputs.current.of(currency).opening.people, inputs.current.of(currency).closing.people),
            inputs.settings,
        )
    }
    return tuple(
        one
        for name, one in tracked.items()
        if name.partition(":")[0] in WATCHED
        and name.partition(":")[2] not in few
        and (is_shown(one.current.value) or any(is_shown(sample.value) for sample in one.history))
    )


def payment_facts(inputs: FinancialInputs) -> tuple[Fact, ...]:
    """That more payments failed than the limit allows."""
    whole = inputs.current.whole
    if whole is None:
        return ()
    share = show_failed(whole, settings=inputs.settings)
    if isinstance(share, Absence) or share <= FAILED_PAYMENT_LIMIT:
        return ()
    figure = "failed_payment_share"
    text = (
        f"{value_with_unit(figure, share)} of the payments that were tried failed; the limit is"
        f" {share_text(FAILED_PAYMENT_LIMIT)}."
    )
    return (
        Fact(
            rule="payments_failed",
            figures=(figure,),
            text=text,
            estimate=share,
            effect=share / FAILED_PAYMENT_LIMIT,
            tone=Tone.WORSE,
            people=show_count(whole.failing_people, settings=inputs.settings),
        ),
    )


def _confidence(inputs: FinancialInputs, *, metrics: Mapping[str, KeyFigure]) -> tuple[ConfidenceInput, ...]:
    whole = inputs.current.whole
    if whole is None:
        return (ConfidenceInput(_SOURCE, ()),)
    settings = inputs.settings
    days = inputs.window.days
    given = [metric for metric in metrics.values() if metric.value is not Absence.NO_DATA]
    with_amount = show_count(whole.events - whole.events_without_amount, settings=settings)
    events = show_count(whole.events, settings=settings)
    found = [
        ConfidenceInput(
            _SOURCE,
            (
                Portion("coverage", inputs.days_up_to_date, days, "days up to the newest billing event"),
                validity(inputs),
                timeliness(inputs.arrivals),
            ),
        ),
    ]
    if not isinstance(events, Absence) and events:
        amounts = Portion(
            "validity", with_amount, events, "events with the amount and the currency that they need"
        )
        found.append(ConfidenceInput("Amounts", (amounts,)))
    if given:
        shown = sum(is_shown(metric.value) for metric in given)
        found.append(
            ConfidenceInput(
                "Figures",
                (
                    Portion(
                        "sufficiency", shown, len(given), "figures that rest on enough people to be shown"
                    ),
                ),
            )
        )
    return tuple(found)


def _data_sources(inputs: FinancialInputs) -> tuple[DataSource, ...]:
    tables = (REVENUE, LIFETIME_VALUE, ENGAGEMENT_ACTIVITY) if sections.has_billing(inputs.current) else ()
    read = [
        DataSource(one.dataset, dataset_description(one.dataset))
        for one in inputs.quality
        if one.staged or one.files
    ]
    return (*(DataSource(table.name, table.description) for table in tables), *read)
