"""The sections of the report on user engagement. Everything on them goes through ``suppression``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from healthmate_bi_pipeline.catalog.engagement import ADOPTED_DAYS
from healthmate_bi_pipeline.catalog.registry import figure_named
from healthmate_bi_pipeline.domain.lifecycle import MONTH_DAYS, WEEK_DAYS, Lifecycle
from healthmate_bi_pipeline.domain.period import Period, midnight
from healthmate_bi_pipeline.reporting.document import (
    Absence,
    Band,
    BandChart,
    Bar,
    BarChart,
    Block,
    Cell,
    Count,
    DataTable,
    HeatMap,
    KeyFigure,
    KeyFigures,
    Number,
    Section,
    TableColumn,
    Text,
)
from healthmate_bi_pipeline.reporting.evidence import Tracked
from healthmate_bi_pipeline.reporting.inputs import GroupFigure
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.suppression import (
    linked_parts,
    ratio,
    shares,
    show_count,
    show_figure,
    show_mean,
    show_parts,
    show_share,
)
from healthmate_bi_pipeline.reporting.tracked_figures import history_chart
from healthmate_bi_pipeline.reporting.user_engagement.inputs import (
    Calibration,
    CohortCell,
    UserEngagementInputs,
)
from healthmate_bi_pipeline.reporting.wording import (
    MONTHS,
    NOUNS,
    band_labels,
    count_text,
    number_text,
    share_text,
    short_day_text,
)

USE_IS_NOT_BENEFIT = "Use is not benefit: who uses the app more need not be better off by it, and who is well may need it less."
STAGES = {
    Lifecycle.NEW: "new_people",
    Lifecycle.RETURNING: "returning_people",
    Lifecycle.RESURRECTING: "resurrected_people",
    Lifecycle.DORMANT: "dormant_people",
}
_BARS = {
    Lifecycle.NEW: "new",
    Lifecycle.RETURNING: "returning",
    Lifecycle.RESURRECTING: "came back",
    Lifecycle.DORMANT: "fell silent",
}


def _withheld_note(minimum: int, what: str) -> str:
    return f"Not shown: {what} of fewer than {minimum} people, and others from which such a number could be worked out."


def _is_gap(numbers: Sequence[Number]) -> bool:
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
    wholes: list[Sequence[str]] = [(Lifecycle.NEW, Lifecycle.RETURNING, Lifecycle.RESURRECTING)]
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
        note=_withheld_note(inputs.settings.minimum_people, "stages")
        if _is_gap(tuple(shown.values()))
        else "",
    )
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
    stages = tuple(metrics[STAGES[stage]] for stage in Lifecycle if stage in shown)
    return Section(
        "lifecycle",
        "Who comes, stays and goes",
        blocks=(KeyFigures(stages), chart, Text((" ".join(identity),))),
    )


def metrics_text(metric: KeyFigure) -> str:
    """The count of a metric."""
    return "not shown" if isinstance(metric.value, Absence) else number_text(metric.value, decimals=0)


def _signed(count: Count, *, is_loss: bool) -> Number:
    return count if isinstance(count, Absence) or not is_loss else -count


def retention_section(
    inputs: UserEngagementInputs, *, metrics: Mapping[str, KeyFigure], tracked: Mapping[str, Tracked]
) -> Section | None:
    """Who stays, by the interval in which they came."""
    blocks: list[Block] = []
    if not isinstance(metrics["retention"].value, Absence):
        blocks.append(KeyFigures((metrics["retention"],)))
    heat = cohort_map(inputs)
    if heat is not None:
        blocks.append(heat)
    line = history_chart(
        [tracked["retention"]],
        chart_id="trend-retention",
        title=f"{metrics['retention'].label}, of those who came the {NOUNS[inputs.period]} before",
        window=inputs.window,
        minimum=inputs.settings.minimum_people,
    )
    if line is not None:
        blocks.append(line)
    return Section("retention", "Retention by cohort", blocks=tuple(blocks)) if blocks else None


def cohort_map(inputs: UserEngagementInputs) -> HeatMap | None:
    """Cohorts from top to bottom, intervals since they came from left to right.

    A cell is told by its own people and by those of the cohort who are not in it: neither may be few.
    """
    by_start: dict[Any, dict[int, CohortCell]] = {}
    for cell in inputs.cohorts:
        by_start.setdefault(cell.start, {})[cell.number] = cell
    most = max((cell.number for cell in inputs.cohorts), default=0)
    if not most:
        return None
    noun = NOUNS[inputs.cohort_interval]
    labels, rows = [], []
    for start, cells in sorted(by_start.items()):
        if not max(cells):
            continue
        size = show_count(cells[0].people, settings=inputs.settings)
        moment = midnight(start)
        name = (
            f"{MONTHS[start.month - 1][:3]} {start.year}"
            if inputs.cohort_interval is Period.MONTHLY
            else short_day_text(moment)
        )
        labels.append(f"{name} ({'few' if isinstance(size, Absence) else count_text(size)})")
        rows.append(
            tuple(
                show_share(cells[number].active, cells[number].people, settings=inputs.settings)
                if number in cells
                else Absence.NO_DATA
                for number in range(1, most + 1)
            )
        )
    if not rows:
        return None
    known = [number for row in rows for number in row if not isinstance(number, Absence)]
    spread = (
        f" From {share_text(min(known))} to {share_text(max(known))}." if known else " No cell can be shown."
    )
    return HeatMap(
        chart_id="cohorts",
        title=f"Share of each cohort that was active so many {noun}s after it came",
        description=f"Retention of people by the {noun} in which they first were active.{spread}",
        figure="retention",
        unit=style_of("retention").unit,
        row_title=f"{noun.capitalize()} of first activity (people)",
        column_title=f"{noun.capitalize()}s since then",
        rows=tuple(labels),
        columns=tuple(str(number) for number in range(1, most + 1)),
        cells=tuple(rows),
        note=(
            _withheld_note(inputs.settings.minimum_people, "cells")
            if _is_gap([number for row in rows for number in row])
            else ""
        ),
    )


def frequency_section(inputs: UserEngagementInputs) -> Section | None:
    """On how many days people come: the L7 and L28 curves."""
    charts: list[Block] = []
    for days in (WEEK_DAYS, MONTH_DAYS):
        curve = inputs.curves.get(days, {})
        if not curve:
            continue
        counts = show_parts([curve.get(day, 0) for day in range(1, days + 1)], settings=inputs.settings)
        total = show_count(sum(curve.values()), settings=inputs.settings)
        told = shares(counts, total=total)
        told_text = "; ".join(
            f"{day}: {share_text(share)}"
            for day, share in enumerate(told, start=1)
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
                    Bar(str(day), share, count)
                    for day, (share, count) in enumerate(zip(told, counts, strict=True), start=1)
                ),
                note=_withheld_note(inputs.settings.minimum_people, "bars") if _is_gap(counts) else "",
            )
        )
    if not charts:
        return None
    parts = tuple(
        Section(f"panel-{chart.chart_id}", chart.title, blocks=(chart,))
        for chart in charts
        if isinstance(chart, BarChart)
    )
    return Section("frequency", "How often people come", subsections=parts)


def feature_section(inputs: UserEngagementInputs) -> Section | None:
    """Reach and depth of each feature."""
    if not inputs.current.features:
        return None
    active = inputs.current.activity.active if inputs.current.activity else 0
    settings = inputs.settings
    uses = sorted(inputs.current.features.values(), key=lambda use: (-use.people, use.feature))
    before = inputs.previous
    rows: list[tuple[Cell, ...]] = []
    bars = []
    for use in uses:
        reach = show_share(use.people, active, settings=settings)
        depth = show_mean(
            "uses_per_person",
            mean=use.uses / use.people if use.people else None,
            people=use.people,
            settings=settings,
        )
        people = show_count(use.people, settings=settings)
        adopted = (
            Absence.NO_DATA
            if use.adopters is None
            else show_share(use.adopters, use.people, settings=settings)
        )
        earlier: Number = Absence.NO_DATA
        if before is not None and before.activity is not None and use.feature in before.features:
            earlier = show_share(
                before.features[use.feature].people, before.activity.active, settings=settings
            )
        label = use.feature.replace("_", " ")
        rows.append((label, people, reach, earlier, depth, adopted))
        bars.append(Bar(label, reach, people))
    known = "; ".join(f"{bar.label} {share_text(bar.value)}" for bar in bars)
    chart = BarChart(
        chart_id="feature-reach",
        title="Reach: who of the active people used it",
        description=f"Share of the active people who used each feature. {known}.",
        figure="feature_reach",
        unit="%",
        bars=tuple(bars),
        note=_withheld_note(settings.minimum_people, "features")
        if _is_gap([bar.value for bar in bars])
        else "",
    )
    noun = NOUNS[inputs.cadence]
    table = DataTable(
        table_id="features",
        title="Features: reach and depth",
        columns=(
            TableColumn("Feature"),
            TableColumn("People", is_numeric=True),
            TableColumn("Reach, %", is_numeric=True, figure="feature_reach"),
            TableColumn(f"Reach the {noun} before, %", is_numeric=True, figure="feature_reach"),
            TableColumn("Uses per person", is_numeric=True, figure="uses_per_person"),
            TableColumn(f"Adopted (used on {ADOPTED_DAYS} days), %", is_numeric=True, figure="feature_reach"),
        ),
        rows=tuple(rows),
        note="Reach is of the active people, adopted of the people who used the feature.",
    )
    return Section("features", "What people use", blocks=(chart, table))


PANELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Engagement score", ("engagement_score",)),
    ("Active days", ("active_days",)),
    ("Sessions", ("total_sessions", "avg_session_duration_minutes")),
    ("Time in the app", ("time_spent_in_app_minutes",)),
    ("Breadth of use", ("features_used_count",)),
    ("Entries of health data", ("health_data_entries",)),
    ("Pages and actions", ("page_views", "actions_performed", "chat_messages_sent")),
)


def use_section(
    inputs: UserEngagementInputs, *, metrics: Mapping[str, KeyFigure], tracked: Mapping[str, Tracked]
) -> Section | None:
    """Sessions, time and the engagement score: means over people, and how people spread."""
    parts = []
    minimum = inputs.settings.minimum_people
    for title, names in PANELS:
        given = [name for name in names if not isinstance(metrics[name].value, Absence)]
        if not given:
            continue
        blocks: list[Block] = [KeyFigures(tuple(metrics[name] for name in given))]
        line = history_chart(
            [tracked[given[0]]],
            chart_id=f"trend-{given[0].replace('_', '-')}",
            title=f"{style_of(given[0]).label} by {NOUNS[inputs.period]}",
            window=inputs.window,
            minimum=minimum,
        )
        if line is not None:
            blocks.append(line)
        spread = band_chart(
            inputs.current.figures[given[0]], inputs=inputs, title=f"People by {title.lower()}"
        )
        if spread is not None:
            blocks.append(spread)
        if given[0] == "engagement_score":
            blocks.insert(0, Text((USE_IS_NOT_BENEFIT,)))
        parts.append(Section(f"panel-{given[0].replace('_', '-')}", title, blocks=tuple(blocks)))
    return Section("use", "How much people use it", subsections=tuple(parts)) if parts else None


def band_chart(group: GroupFigure, *, inputs: UserEngagementInputs, title: str) -> BandChart | None:
    """How people spread over the bands of a figure; none where no band may be shown."""
    known = figure_named(group.figure)
    shown = show_figure(group, settings=inputs.settings)
    if known is None or not any(not isinstance(count, Absence) for count in shown.bands) or shown.people == 1:
        return None
    style = style_of(group.figure)
    labels = band_labels(tuple(bound * style.scale for bound in known.bands))
    bands = tuple(
        Band(label, lower, upper, people, share)
        for label, lower, upper, people, share in zip(
            labels,
            known.bands,
            (*known.bands[1:], None),
            shown.bands,
            shares(shown.bands, total=shown.people),
            strict=True,
        )
    )
    told = "; ".join(f"{band.label} {style.unit}: {share_text(band.share)}" for band in bands)
    return BandChart(
        chart_id=f"bands-{group.figure.replace('_', '-')}",
        title=title,
        description=f"Share of people by their own figure in the period. {told}.",
        figure=group.figure,
        unit=style.unit,
        bands=bands,
        note=_withheld_note(inputs.settings.minimum_people, "bands") if _is_gap(shown.bands) else "",
    )


def churn_section(
    inputs: UserEngagementInputs, *, metrics: Mapping[str, KeyFigure], tracked: Mapping[str, Tracked]
) -> Section | None:
    """Who is likely to leave, and how good that forecast was."""
    churn = inputs.current.churn
    if churn is None:
        return None
    blocks: list[Block] = [KeyFigures((metrics["recent_churn_risk"],))]
    line = history_chart(
        [tracked["recent_churn_risk"]],
        chart_id="trend-churn-risk",
        title="Mean churn risk of the people who were active in the last 4 weeks",
        window=inputs.window,
        minimum=inputs.settings.minimum_people,
    )
    spread = band_chart(churn, inputs=inputs, title="People by churn risk")
    blocks += [chart for chart in (line, spread) if chart is not None]
    parts = [Section("panel-churn", "Risk", blocks=tuple(blocks))]
    if inputs.calibration is not None:
        parts.append(calibration_panel(inputs.calibration, inputs=inputs))
    return Section("churn", "Who may leave", subsections=tuple(parts))


def calibration_panel(calibration: Calibration, *, inputs: UserEngagementInputs) -> Section:
    """Forecast and outcome by tenths of the people, and the score against the plain rule."""
    settings = inputs.settings
    people = show_parts([tenth.people for tenth in calibration.tenths], settings=settings)
    rows: list[tuple[Cell, ...]] = []
    for tenth, count in zip(calibration.tenths, people, strict=True):
        observed = show_share(round(tenth.observed * tenth.people), tenth.people, settings=settings)
        predicted = show_mean("retention", mean=tenth.predicted, people=tenth.people, settings=settings)
        if isinstance(count, Absence):
            predicted = observed = Absence.SUPPRESSED
        rows.append((str(tenth.decile), count, predicted, observed))
    month = midnight(calibration.month)
    return Section(
        "panel-calibration",
        "How good the forecast was",
        blocks=(
            Text((verdict(calibration, inputs=inputs),)),
            DataTable(
                table_id="calibration",
                title=f"Forecast of {MONTHS[month.month - 1]} {month.year} and what came, by tenths of the people",
                columns=(
                    TableColumn("Tenth"),
                    TableColumn("People", is_numeric=True),
                    TableColumn("Forecast to be active, %", is_numeric=True, figure="retention"),
                    TableColumn("Were active, %", is_numeric=True, figure="retention"),
                ),
                rows=tuple(rows),
                note="Tenth 1 has the lowest forecasts. People with one forecast stay together, so that tenths differ in"
                " size and some may be empty.",
            ),
        ),
    )


def brier_scores(calibration: Calibration, *, inputs: UserEngagementInputs) -> tuple[Number, Number]:
    """The model's and the rule's score, as they may be shown."""
    if calibration.people < inputs.settings.minimum_people and inputs.settings.audience != "personal":
        return Absence.SUPPRESSED, Absence.SUPPRESSED
    return round(calibration.brier, 3), round(calibration.rule_brier, 3)


def verdict(calibration: Calibration, *, inputs: UserEngagementInputs) -> str:
    """Whether the model beats the plain rule, in a sentence."""
    own, rule = brier_scores(calibration, inputs=inputs)
    if isinstance(own, Absence) or isinstance(rule, Absence):
        return "Too few people to judge the forecast by."
    gain = ratio(rule - own, rule)
    better = "no better than" if own >= rule else "better than"
    much = f" ({share_text(gain)} less)" if own < rule else ""
    return (
        f"On four weeks that it was not fitted on the forecast was {better} the rule 'inactive for 14 days': Brier score"
        f" {number_text(own, decimals=3)} against {number_text(rule, decimals=3)}{much}; 0 is perfect, 0.25 is a coin."
    )
