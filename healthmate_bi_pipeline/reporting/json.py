"""A report as JSON that follows ``schemas/report-v1.schema.json``, and the hash of its content.

Numbers have all the digits that the audience may see. Where there is no number stand ``null`` and a
``status``: ``no_data`` or ``suppressed``.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from functools import singledispatch
from pathlib import Path
from typing import Any, TypeAlias

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.document import (
    Absence,
    Band,
    BandChart,
    Block,
    Cell,
    Comparison,
    Confidence,
    Count,
    DataTable,
    Definitions,
    Insight,
    KeyFigure,
    KeyFigures,
    Number,
    Recommendation,
    Report,
    Section,
    Series,
    Text,
    TrendChart,
)
from healthmate_bi_pipeline.reporting.wording import as_utc

Json: TypeAlias = dict[str, Any]

SCHEMA_PATH = Path(__file__).with_name("schemas") / "report-v1.schema.json"
SCHEMA_ID = "urn:healthmate-bi:schema:report:v1"

_STAMP_FIELDS = ("report_id", "version", "generated_at", "generated_by")


def render_json(report: Report) -> str:
    """The report's JSON file."""
    return json.dumps(report_document(report), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def content_sha256(report: Report) -> str:
    """SHA-256 of all that the report says, without what tells one writing of it from another."""
    content = {name: value for name, value in report_document(report).items() if name not in _STAMP_FIELDS}
    canonical = json.dumps(
        content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def report_document(report: Report) -> Json:
    """The report as plain values, in the order of the file; ``bi_reports`` takes its columns from it."""
    return {
        "schema": SCHEMA_ID,
        "report_id": report.stamp.report_id,
        "report_type": report.report_type,
        "report_format": "json",
        "title": report.title,
        "description": report.description,
        "cadence": report.cadence,
        "version": report.stamp.version,
        "period_start": report.window.start.isoformat(),
        "period_end": report.window.end.isoformat(),
        "audience": report.audience,
        "privacy_class": report.privacy.value,
        "generated_at": instant_json(report.stamp.generated_at),
        "generated_by": report.stamp.generated_by,
        "as_of": instant_json(report.as_of) if report.as_of else None,
        "is_complete": report.is_complete,
        "summary": {
            "text": list(report.summary.sentences),
            "notices": list(report.summary.notices),
            "people": _people(report.summary.people),
            "headline": list(report.summary.headline),
            "reading": list(report.summary.reading),
        },
        "metrics": [_key_figure(metric) for metric in report.metrics],
        "sections": [_section(section) for section in report.sections],
        "insights": [_insight(one) for one in report.insights],
        "recommendations": [_recommendation(one) for one in report.recommendations],
        "confidence_score": report.confidence.score,
        "confidence": _confidence(report.confidence),
        "data_sources": [{"name": one.name, "description": one.description} for one in report.data_sources],
        "not_measured": list(report.not_measured),
        # as text: a 64-bit hash does not survive the numbers of every JSON reader
        "input_versions": {name: str(version) for name, version in sorted(report.input_versions.items())},
    }


def instant_json(instant: datetime) -> str:
    """An instant as JSON has it: UTC, to the second."""
    return as_utc(instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(number: Number) -> Json:
    if isinstance(number, Absence):
        return {"value": None, "status": number.value}
    return {"value": number, "status": "shown"}


def _people(people: Count | None) -> Json | None:
    """A number of people; ``None`` where it is not about people."""
    return None if people is None else _number(people)


def _window(window: Window) -> Json:
    return {"period_start": window.start.isoformat(), "period_end": window.end.isoformat()}


def _insight(insight: Insight) -> Json:
    return {
        "insight_id": insight.insight_id,
        "text": insight.text,
        "rule": insight.rule,
        "standard": insight.standard,
        "figures": list(insight.figures),
        "subject": insight.subject,
        "tone": insight.tone.value,
        "statistic": {"name": insight.statistic, "value": insight.statistic_value},
        "estimate": _number(insight.estimate),
        "interval": {"low": _number(insight.low), "high": _number(insight.high)},
        "p_value": insight.p_value,
        "adjusted_p": insight.adjusted_p,
        "people": _people(insight.people),
        "points": insight.points,
        "effect": insight.effect,
        "as_of": instant_json(insight.as_of) if insight.as_of else None,
    }


def _recommendation(one: Recommendation) -> Json:
    return {
        "recommendation_id": one.recommendation_id,
        "text": one.text,
        "owner": one.owner,
        "urgency": one.urgency.value,
        "insight_ids": list(one.insight_ids),
        "guideline": one.guideline,
    }


def _confidence(confidence: Confidence) -> Json:
    return {
        "limiting": confidence.limiting,
        "inputs": [
            {
                "name": one.name,
                "score": one.score,
                "parts": [
                    {
                        "part": part.name,
                        "share": _number(part.share),
                        "numerator": _number(part.numerator),
                        "denominator": _number(part.denominator),
                        "meaning": part.meaning,
                    }
                    for part in one.parts
                ],
            }
            for one in confidence.inputs
        ],
    }


def _key_figure(metric: KeyFigure) -> Json:
    return {
        "figure": metric.figure,
        "label": metric.label,
        "unit": metric.unit,
        **_number(metric.value),
        "people": _people(metric.people),
        "low": metric.low,
        "high": metric.high,
        "comparison": _comparison(metric.comparison) if metric.comparison else None,
        "note": metric.note,
        "basis": metric.basis,
    }


def _comparison(comparison: Comparison) -> Json:
    return {
        "against": comparison.against,
        **_window(comparison.window),
        "value": _number(comparison.value),
        "change": _number(comparison.change),
    }


def _section(section: Section) -> Json:
    return {
        "section_id": section.section_id,
        "title": section.title,
        "blocks": [_block(block) for block in section.blocks],
        "subsections": [_section(one) for one in section.subsections],
    }


@singledispatch
def _block(block: Block) -> Json:
    raise TypeError(f"a report has no block {type(block).__name__}")


@_block.register
def _(block: KeyFigures) -> Json:
    return {"block": "key_figures", "figures": [metric.figure for metric in block.figures]}


@_block.register
def _(block: BandChart) -> Json:
    return {
        "block": "bands",
        "chart_id": block.chart_id,
        "title": block.title,
        "description": block.description,
        "figure": block.figure,
        "unit": block.unit,
        "bands": [_band(band) for band in block.bands],
        "note": block.note,
    }


def _band(band: Band) -> Json:
    return {
        "label": band.label,
        "lower": band.lower,
        "upper": band.upper,
        "people": _number(band.people),
        "share": _number(band.share),
    }


@_block.register
def _(block: TrendChart) -> Json:
    return {
        "block": "trend",
        "chart_id": block.chart_id,
        "title": block.title,
        "description": block.description,
        "unit": block.unit,
        "period": block.period,
        "highlight": _window(block.highlight) if block.highlight else None,
        "series": [_series(series) for series in block.series],
        "note": block.note,
    }


def _series(series: Series) -> Json:
    return {
        "figure": series.figure,
        "label": series.label,
        "points": [
            {
                "period_start": point.period_start.isoformat(),
                **_number(point.value),
                "people": _people(point.people),
            }
            for point in series.points
        ],
    }


@_block.register
def _(block: DataTable) -> Json:
    return {
        "block": "table",
        "table_id": block.table_id,
        "title": block.title,
        "columns": [
            {"label": column.label, "is_numeric": column.is_numeric, "figure": column.figure}
            for column in block.columns
        ],
        "rows": [[_cell(cell) for cell in row] for row in block.rows],
        "note": block.note,
    }


def _cell(cell: Cell) -> object:
    if isinstance(cell, Absence):
        return _number(cell)
    return cell.isoformat() if isinstance(cell, datetime) else cell


@_block.register
def _(block: Text) -> Json:
    return {"block": "text", "paragraphs": list(block.paragraphs)}


@_block.register
def _(block: Definitions) -> Json:
    return {
        "block": "definitions",
        "items": [
            {
                "figure": item.figure,
                "label": item.label,
                "meaning": item.meaning,
                "unit": item.unit,
                "source": item.source,
                "version": item.version,
            }
            for item in block.items
        ],
    }
