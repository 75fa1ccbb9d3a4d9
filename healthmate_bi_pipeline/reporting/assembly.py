"""What every report is put together from, whatever its type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from healthmate_bi_pipeline.catalog.columns import PrivacyClass
from healthmate_bi_pipeline.reporting.blocks import Absence, KeyFigure
from healthmate_bi_pipeline.reporting.confidence import ConfidenceInput, confidence
from healthmate_bi_pipeline.reporting.document import RANGE, DataSource, Report, Section, Stamp, Summary
from healthmate_bi_pipeline.reporting.evidence import Evidence
from healthmate_bi_pipeline.reporting.inputs import ReportInputs
from healthmate_bi_pipeline.reporting.insights import search
from healthmate_bi_pipeline.reporting.recommendations import recommend
from healthmate_bi_pipeline.reporting.wording import NOUNS, instant_text


@dataclass(frozen=True)
class Content:
    """What a type of report says.

    Attributes:
        summary: the first screen.
        metrics: all figures, those without a number too.
        sections: the rest of the page.
        evidence: what insights are looked for in.
        confidence_inputs: what it rests on, and how good that is.
        data_sources: the same, as a reader looks it up.
    """

    summary: Summary
    metrics: tuple[KeyFigure, ...]
    sections: tuple[Section, ...]
    evidence: Evidence
    confidence_inputs: Sequence[ConfidenceInput]
    data_sources: tuple[DataSource, ...]


def assemble(inputs: ReportInputs, content: Content, *, stamp: Stamp) -> Report:
    """The report: its content with insights, recommendations and confidence."""
    # Figures of a period that is not over fall and rise with what has not come yet; facts stay facts.
    evidence = content.evidence if inputs.is_complete else Evidence(facts=content.evidence.facts)
    found = search(evidence, window=inputs.window, as_of=inputs.as_of)
    sentence = found.sentence if inputs.is_complete and has_figures(content) else ""
    summary = content.summary
    if sentence:
        summary = replace(summary, sentences=(*summary.sentences, sentence))
    return Report(
        stamp=stamp,
        report_type=inputs.report_type.name,
        title=inputs.report_type.title,
        description=inputs.report_type.description,
        cadence=inputs.cadence,
        window=inputs.window,
        audience=inputs.settings.audience,
        privacy=privacy_class(inputs),
        as_of=inputs.as_of,
        is_complete=inputs.is_complete,
        summary=summary,
        metrics=content.metrics,
        sections=content.sections,
        insights=found.insights,
        recommendations=recommend(
            found.insights, report_type=inputs.report_type.name, audience=inputs.settings.audience
        ),
        confidence=confidence(content.confidence_inputs),
        data_sources=content.data_sources,
        not_measured=inputs.report_type.not_measured,
        input_versions=dict(sorted(inputs.input_versions.items())),
    )


def has_figures(content: Content) -> bool:
    """Whether there is a number that something could be found in."""
    return any(not isinstance(metric.value, Absence) for metric in content.metrics)


def privacy_class(inputs: ReportInputs) -> PrivacyClass:
    """Who may see a report."""
    if inputs.settings.audience == "personal":
        return PrivacyClass.IDENTIFIED
    return PrivacyClass.LIMITED if inputs.cadence == RANGE else PrivacyClass.AGGREGATE


def notices(inputs: ReportInputs) -> tuple[str, ...]:
    """What must be known before a report is read."""
    found = []
    if inputs.settings.audience == "personal":
        found.append(
            "Personal report: it shows single people's own figures, nothing is suppressed or rounded away."
            " It is for the people it is about; do not publish or pass it on."
        )
    elif inputs.cadence == RANGE:
        found.append(
            "Free range of days: held against other reports it could tell small groups apart."
            " Not for passing on."
        )
    if not inputs.is_complete:
        data = f"It holds data up to {instant_text(inputs.as_of)}." if inputs.as_of else "It has no data yet."
        found.append(f"This {NOUNS[inputs.cadence]} is not complete: its figures will still change. {data}")
    return tuple(found)
