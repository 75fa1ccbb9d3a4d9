"""A report as JSON that follows ``schemas/report-v1.schema.json``, and the hash of its content.

Numbers have all the digits that the audience may see. Where there is no number stand ``null`` and a
``status``: ``no_data`` or ``suppressed``.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from healthmate_bi_pipeline.reporting.blocks import Comparison, KeyFigure
from healthmate_bi_pipeline.reporting.document import Confidence, Insight, Recommendation, Report
from healthmate_bi_pipeline.reporting.json_blocks import (
    Json,
    instant_json,
    number_json,
    people_json,
    section_json,
    window_json,
)

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
            "people": people_json(report.summary.people),
            "headline": list(report.summary.headline),
            "reading": list(report.summary.reading),
        },
        "metrics": [_key_figure(metric) for metric in report.metrics],
        "sections": [section_json(section) for section in report.sections],
        "insights": [_insight(one) for one in report.insights],
        "recommendations": [_recommendation(one) for one in report.recommendations],
        "confidence_score": report.confidence.score,
        "confidence": _confidence(report.confidence),
        "data_sources": [{"name": one.name, "description": one.description} for one in report.data_sources],
        "not_measured": list(report.not_measured),
        # as text: a 64-bit hash does not survive the numbers of every JSON reader
        "input_versions": {name: str(version) for name, version in sorted(report.input_versions.items())},
    }


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
        "estimate": number_json(insight.estimate),
        "interval": {"low": number_json(insight.low), "high": number_json(insight.high)},
        "p_value": insight.p_value,
        "adjusted_p": insight.adjusted_p,
        "people": people_json(insight.people),
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
                        "share": number_json(part.share),
                        "numerator": number_json(part.numerator),
                        "denominator": number_json(part.denominator),
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
        **number_json(metric.value),
        "people": people_json(metric.people),
        "low": metric.low,
        "high": metric.high,
        "comparison": _comparison(metric.comparison) if metric.comparison else None,
        "note": metric.note,
        "basis": metric.basis,
    }


def _comparison(comparison: Comparison) -> Json:
    return {
        "against": comparison.against,
        **window_json(comparison.window),
        "value": number_json(comparison.value),
        "change": number_json(comparison.change),
    }
