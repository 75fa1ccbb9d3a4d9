"""The sections of the report on user engagement. Everything on them goes through ``suppression``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from healthmate_bi_pipeline.domain.lifecycle import MONTH_DAYS, WEEK_DAYS, Lifecycle
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Bar,
    BarChart,
    Block,
    Count,
    KeyFigure,
    KeyFigures,
    Number,
    Text,
)
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.evidence import Tracked
from healthmate_bi_pipeline.reporting.suppressed_parts import linked_parts, show_parts
from healthmate_bi_pipeline.reporting.suppression import shares, show_count
from healthmate_bi_pipeline.reporting.tracked_figures import history_chart
from healthmate_bi_pipeline.reporting.user_engagement.inputs import (
    UserEngagementInputs,
)
from healthmate_bi_pipeline.reporting.wording import (
    NOUNS,
    count_text,
    number_text,
    share_text,
)

USE_IS_NOT_BENEFIT = "Use is not benefit: who uses the app more need not be better off by it, and who is well may need it less."
STAGES = {
    Lifecycle.NEW: "new_people",
    Lifecycle.RETURNING: "returning_people",
    Lifecycle.RESURRECTING: "resurrected_people",
    Lifecycle.DORMANT: "dormant_people",
}
_BANDS_OF_DAYS = {
    WEEK_DAYS: tuple((day, day) for day in range(1, WEEK_DAYS + 1)),
    MONTH_DAYS: ((1, 1), (2, 3), (4, 7), (8, 14), (15, 21), (22, 28)),
}
"""What days of activity are told together; the table of the warehouse has each of them."""

_BARS = {
    Lifecycle.NEW: "new",
    Lifecycle.RETURNING: "returning",
    Lifecycle.RESURRECTING: "came back",
    Lifecycle.DORMANT: "fell silent",
}


def withheld_note(minimum: int, what: str) -> str:
    """Why something is missing."""
    return f"Not shown: {what} of fewer than {minimum} people, and others from which such a number could be worked out."


def has_gap(numbers: Sequence[Number]) -> bool:
    """Whether something may not be shown."""
    return any(number is Absence.SUPPRESSED for number in numbers)


def activity_section(
    inputs: UserEngagementInputs, *, metrics: Mapping[str, KeyFigure], tracked: Mapping[str, Tracked]
) -> Section:
    """How many people are active, and how that went."""
    minimum, window = inputs.settings.minimum_people, inputs.window
    names = ("active_people", "daily_active_people", "weekly_active_people", "monthly_active_people")
    blocks: list[Block] = [
        KeyFigures(tuple(metrics[name] for name in (*names, "stickiness") if name in metrics))
    ]
    noun = NOUNS[inputs.period]
    own = history_chart(
        [tracked[name] for name in ("active_people", "daily_active_people") if name in tracked],
        chart_id="trend-active-people",
        title=f"Active people of each {noun}{', and of its usual day' if noun != 'day' else ''}",
        window=window,
        minimum=minimum,
    )
    sticky = history_chart(
        [tracked["stickiness"]],
        chart_id="trend-stickiness",
        title="Stickiness: the share of the 28 days' people who come on a usual day",
        window=window,
        minimum=minimum,
    )
    blocks += [chart for chart in (own, sticky) if chart is not None]
    return Section("active-people", "Active people", blocks=tuple(blocks))


def shown_lifecycle(inputs: UserEngagementInputs) -> dict[str, Count]:
    """People by stage; parts of those active now, and of those active before."""
    counts = {str(stage): inputs.lifecycle.get(str(stage), 0) for stage in Lifecycle}
    wholes: list[Sequence[str]] = [
        # Small stages first: where one is withheld, so is the one beside it, and not the large one.
        (Lifecycle.NEW, Lifecycle.RESURRECTING, Lifecycle.RETURNING)
    ]
    if Lifecycle.DORMANT in inputs.lifecycle:
        wholes.append((Lifecycle.RETURNING, Lifecycle.DORMANT))
    shown = linked_parts(counts, wholes, settings=inputs.settings)
    return {stage: count for stage, count in shown.items() if stage in inputs.lifecycle}


def lifecycle_section(
    inputs: UserEngagementInputs, *, metrics: Mapping[str, KeyFigure], shown: Mapping[str, Count]
) -> Section | None:
    """Who came, stayed, came back and fell silent."""
    if not inputs.lifecycle:
        return None
    noun = NOUNS[inputs.cadence]
    bars = tuple(
        Bar(_BARS[stage], _signed(shown[stage], is_loss=stage is Lifecycle.DORMANT))
        for stage in Lifecycle
        if stage in shown
    )
    told = "; ".join(f"{_BARS[stage]} {count_text(shown[stage])}" for stage in Lifecycle if stage in shown)
    chart = BarChart(
        chart_id="lifecycle",
        title=f"Where the people of this {noun} come from, and who is gone",
        description=f"People by stage. {told}. Who fell silent stands below nought.",
        figure="active_people",
        unit="people",
        bars=bars,
        note=withheld_note(inputs.settings.minimum_people, "stages")
        if has_gap(tuple(shown.values()))
        else "",
    )
    stages = tuple(metrics[STAGES[stage]] for stage in Lifecycle if stage in shown)
    blocks: list[Block] = [KeyFigures(stages), chart]
    if has_gap(tuple(shown.values())) or isinstance(metrics["active_people"].value, Absence):
        return Section("lifecycle", "Who comes, stays and goes", blocks=tuple(blocks))
    parts = " + ".join(count_text(shown.get(stage, 0)) for stage in tuple(Lifecycle)[:3])
    identity = [
        f"Active people = new + returning + came back: {metrics_text(metrics['active_people'])} = {parts}."
    ]
    if inputs.active_before is not None and Lifecycle.DORMANT in shown:
        before = count_text(show_count(inputs.active_before, settings=inputs.settings))
        identity.append(
            f"The same from the {noun} before: {before} - fell silent {count_text(shown[Lifecycle.DORMANT])} + new"
            f" {count_text(shown.get(Lifecycle.NEW, 0))} + came back {count_text(shown.get(Lifecycle.RESURRECTING, 0))}."
        )
    if inputs.settings.audience != "personal" and inputs.settings.round_people_to > 1:
        identity.append("Both hold exactly before rounding; rounded numbers may differ by a few.")
    blocks.append(Text((" ".join(identity),)))
    return Section("lifecycle", "Who comes, stays and goes", blocks=tuple(blocks))


def metrics_text(metric: KeyFigure) -> str:
    """The count of a metric."""
    return "not shown" if isinstance(metric.value, Absence) else number_text(metric.value, decimals=0)


def _signed(count: Count, *, is_loss: bool) -> Number:
    return count if isinstance(count, Absence) or not is_loss else -count


def frequency_section(inputs: UserEngagementInputs) -> Section | None:
    """On how many days people come: the L7 and L28 curves."""
    charts: list[Block] = []
    for days in (WEEK_DAYS, MONTH_DAYS):
        curve = inputs.curves.get(days, {})
        if not curve:
            continue
        bands = _BANDS_OF_DAYS[days]
        summed = [sum(curve.get(day, 0) for day in range(low, high + 1)) for low, high in bands]
        counts = show_parts(summed, settings=inputs.settings)
        labels = [str(low) if low == high else f"{low}–{high}" for low, high in bands]
        total = show_count(sum(curve.values()), settings=inputs.settings)
        told = shares(counts, total=total)
        told_text = "; ".join(
            f"{label}: {share_text(share)}"
            for label, share in zip(labels, told, strict=True)
            if not isinstance(share, Absence)
        )
        charts.append(
            BarChart(
                chart_id=f"l{days}",
                title=f"On how many of the last {days} days people came (L{days})",
                description=f"Share of the people active in {days} days, by their active days. {told_text}.",
                figure="retention",
                unit="%",
                bars=tuple(
                    Bar(label, share, count) for label, share, count in zip(labels, told, counts, strict=True)
                ),
                note=withheld_note(inputs.settings.minimum_people, "bars") if has_gap(counts) else "",
            )
        )
    if not charts:
        return None
    parts = tuple(
        Section(f"panel-{chart.chart_id}", f"The last {chart.chart_id[1:]} days", blocks=(chart,))
        for chart in charts
        if isinstance(chart, BarChart)
    )
    return Section("frequency", "How often people come", subsections=parts)
