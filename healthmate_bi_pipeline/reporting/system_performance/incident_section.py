"""The incidents of a period, as a timeline and as a table."""

from __future__ import annotations

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.blocks import Block, DataTable, Span, TableColumn, Text, TimelineChart
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.system_performance.episodes import (
    THRESHOLD_LABELS,
    episodes,
    is_slow_burn,
    value_text,
)
from healthmate_bi_pipeline.reporting.system_performance.evidence import stretch_text
from healthmate_bi_pipeline.reporting.system_performance.inputs import Incident, SystemPerformanceInputs
from healthmate_bi_pipeline.reporting.wording import count_text, instant_text

MOST_IN_TABLE = 25


def incidents_section(inputs: SystemPerformanceInputs) -> Section:
    """When services broke their thresholds."""
    total = sum(count for count, _ in inputs.incident_counts.values())
    if not total:
        return Section("incidents", "Incidents", blocks=(Text(("No service broke a threshold.",)),))
    blocks: list[Block] = [Text((_told(inputs),))]
    main = [one for one in inputs.incidents if one.place.environment == inputs.main_environment]
    if main:
        blocks.append(_timeline(inputs, main))
    blocks.append(_table(inputs, total=total))
    blocks.append(_counts(inputs))
    return Section("incidents", "Incidents", blocks=tuple(blocks))


def _told(inputs: SystemPerformanceInputs) -> str:
    found = episodes([one for one in inputs.incidents if one.place.environment == inputs.main_environment])
    if not found:
        return (
            "Thresholds were broken for minutes only, with few failures each: nothing that would have been worth"
            " getting up for."
        )
    texts = "; ".join(f"{inputs.label(one.place)}, {stretch_text(one)}" for one in found)
    return f"Worth knowing: {texts}."


def _timeline(inputs: SystemPerformanceInputs, incidents: list[Incident]) -> TimelineChart:
    spans = tuple(
        Span(
            f"{inputs.label(one.place)}: {THRESHOLD_LABELS[one.threshold]}",
            max(one.started_at, inputs.window.start),
            min(one.ended_at, inputs.window.end),
            _hint(one),
        )
        for one in sorted(incidents, key=lambda one: (one.place, one.threshold, one.started_at))
    )
    first = min(incidents, key=lambda one: one.started_at)
    return TimelineChart(
        "incidents",
        "When thresholds were broken",
        f"{len(spans)} stretches, the first from {instant_text(first.started_at)}. A row per service and threshold.",
        Window(inputs.window.start, inputs.window.end),
        spans,
        note="The longest ones; times are UTC." if len(incidents) < _total(inputs) else "Times are UTC.",
    )


def _total(inputs: SystemPerformanceInputs) -> int:
    return sum(
        count
        for (place, _), (count, _) in inputs.incident_counts.items()
        if place.environment == inputs.main_environment
    )


def _hint(one: Incident) -> str:
    return (
        f"{one.breach_minutes} min broken, worst {value_text(one, one.worst_value)} against"
        f" {value_text(one, one.limit_value)}; {count_text(one.errors)} of {count_text(one.requests)} requests failed"
    )


def _table(inputs: SystemPerformanceInputs, *, total: int) -> DataTable:
    longest = sorted(
        inputs.incidents,
        key=lambda one: (
            is_slow_burn(one), -one.breach_minutes, one.started_at, one.place, one.threshold,
        ),
    )  # fmt: skip
    listed = longest[:MOST_IN_TABLE]
    return DataTable(
        "incidents-table",
        "Longest incidents",
        (
            TableColumn("Service"),
            TableColumn("What"),
            TableColumn("From"),
            TableColumn("Until"),
            TableColumn("Minutes broken", is_numeric=True),
            TableColumn("Worst", is_numeric=True),
            TableColumn("Limit", is_numeric=True),
            TableColumn("Failed", is_numeric=True),
            TableColumn("Requests", is_numeric=True),
        ),
        tuple(
            (
                inputs.label(one.place),
                THRESHOLD_LABELS[one.threshold],
                one.started_at,
                one.ended_at,
                one.breach_minutes,
                value_text(one, one.worst_value),
                value_text(one, one.limit_value),
                one.errors,
                one.requests,
            )
            for one in listed
        ),
        note=(
            f"{len(listed)} of {total}; budgets that burn slowly come last." if len(listed) < total else ""
        ),
    )  # fmt: skip


def _counts(inputs: SystemPerformanceInputs) -> DataTable:
    return DataTable(
        "incident-counts",
        "How often and how long",
        (
            TableColumn("Service"),
            TableColumn("What"),
            TableColumn("Incidents", is_numeric=True),
            TableColumn("Minutes broken", is_numeric=True),
        ),
        tuple(
            (inputs.label(place), THRESHOLD_LABELS[threshold], count, minutes)
            for (place, threshold), (count, minutes) in sorted(
                inputs.incident_counts.items(),
                key=lambda item: (item[0][0].environment != inputs.main_environment, item[0]),
            )
        ),
        note=(
            "Minutes count in steps of 5; an incident goes on over gaps of up to 10 minutes, and may begin before the"
            " period or end after it. Five minutes with few requests are not judged."
        ),
    )
