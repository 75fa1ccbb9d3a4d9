"""What people use and how much: features, sessions, time, and the engagement score."""

from __future__ import annotations

from collections.abc import Mapping

from healthmate_bi_pipeline.catalog.engagement import ADOPTED_DAYS
from healthmate_bi_pipeline.catalog.registry import figure_named
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Band,
    BandChart,
    Bar,
    BarChart,
    Block,
    Cell,
    DataTable,
    KeyFigure,
    KeyFigures,
    Number,
    TableColumn,
    Text,
)
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.evidence import Tracked
from healthmate_bi_pipeline.reporting.inputs import GroupFigure
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.suppressed_parts import show_mean_amount, show_share
from healthmate_bi_pipeline.reporting.suppression import shares, show_count, show_figure
from healthmate_bi_pipeline.reporting.tracked_figures import history_chart
from healthmate_bi_pipeline.reporting.user_engagement.inputs import (
    UserEngagementInputs,
)
from healthmate_bi_pipeline.reporting.user_engagement.sections import (
    USE_IS_NOT_BENEFIT,
    has_gap,
    withheld_note,
)
from healthmate_bi_pipeline.reporting.wording import (
    NOUNS,
    band_labels,
    share_text,
)


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
        depth = show_mean_amount(
            "uses_per_person", total=use.uses, people=use.people, by=use.people, settings=settings
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
        note=withheld_note(settings.minimum_people, "features")
        if has_gap([bar.value for bar in bars])
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
        note=withheld_note(inputs.settings.minimum_people, "bands") if has_gap(shown.bands) else "",
    )
