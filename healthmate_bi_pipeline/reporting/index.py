"""The page and the file that list the published reports: the newest version of each, newest period first.

Personal reports are never listed. The page works without its script; the script only adds search and filters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import quote

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.reporting.document import Audience
from healthmate_bi_pipeline.reporting.html import environment, policy_with, script_text
from healthmate_bi_pipeline.reporting.json_blocks import instant_json
from healthmate_bi_pipeline.reporting.wording import (
    ADJECTIVES,
    THIN_SPACE,
    instant_text,
    period_text,
    share_text,
    span_beside,
)

_CONFIDENCES = (0.9, 0.75, 0.5)
"""The least confidences that the list can be filtered by."""


@dataclass(frozen=True)
class IndexRecord:
    """A report as the index lists it; paths are those below the reports folder."""

    report_id: str
    report_type: str
    title: str
    cadence: str
    window: Window
    version: int
    audience: Audience
    is_complete: bool
    generated_at: datetime
    html_path: str
    json_path: str
    confidence: float | None = None


def render_index(records: Iterable[IndexRecord]) -> tuple[str, str]:
    """``index.html`` and ``index.json``.

    Raises:
        IntegrityError: a record's file does not lie in the reports folder.
    """
    listed = _listed(records)
    script = script_text("filter.js")
    html = environment().get_template("index.html").render(
        rows=[_row(record) for record in listed],
        choices=_choices(listed),
        script=script,
        policy=policy_with(script),
    )  # fmt: skip
    document = {"reports": [_entry(record) for record in listed]}
    return html, json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _choices(listed: Sequence[IndexRecord]) -> list[dict[str, object]]:
    """What the list can be filtered by: name, label and values with their texts, in a reader's order."""
    titles = sorted({(record.title, record.report_type) for record in listed})
    cadences = [cadence for cadence in ADJECTIVES if any(record.cadence == cadence for record in listed)]
    years = sorted({str(record.window.start.year) for record in listed}, reverse=True)
    return [
        {"name": "type", "label": "Type", "options": [(name, title) for title, name in titles]},
        {"name": "cadence", "label": "Period", "options": [(one, ADJECTIVES[one]) for one in cadences]},
        {"name": "year", "label": "Year", "options": [(year, year) for year in years]},
        {
            "name": "confidence",
            "label": "Confidence",
            "options": [(str(least), f"{least * 100:.0f}{THIN_SPACE}% or more") for least in _CONFIDENCES],
        },
    ]


def _listed(records: Iterable[IndexRecord]) -> Sequence[IndexRecord]:
    """The newest version of each report on groups, newest period first."""
    newest: dict[tuple[str, str, Window], IndexRecord] = {}
    for record in records:
        key = (record.report_type, record.cadence, record.window)
        if record.audience == "groups" and (key not in newest or newest[key].version < record.version):
            newest[key] = record
    by_name = sorted(newest.values(), key=lambda record: (record.title, record.cadence))
    return sorted(by_name, key=lambda record: (record.window.end, record.window.start), reverse=True)


def _link(path: str) -> str:
    """A path as a relative link; it cannot leave the folder or name a server."""
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or PurePosixPath(path).is_absolute():
        raise IntegrityError(
            "A report's file does not lie in the reports folder; repair its row in bi_reports."
        )
    return quote(f"./{PurePosixPath(path)}")


def _row(record: IndexRecord) -> dict[str, object]:
    return {
        "title": record.title,
        "adjective": ADJECTIVES[record.cadence],
        "period": period_text(record.cadence, record.window),
        "span": span_beside(record.cadence, record.window),
        "is_complete": record.is_complete,
        "version": record.version,
        "generated": instant_text(record.generated_at),
        "report_type": record.report_type,
        "cadence": record.cadence,
        "year": str(record.window.start.year),
        "confidence": "" if record.confidence is None else share_text(record.confidence),
        "confidence_score": "" if record.confidence is None else f"{record.confidence:.3f}",
        "html": _link(record.html_path),
        "json": _link(record.json_path),
    }


def _entry(record: IndexRecord) -> dict[str, object]:
    return {
        "report_id": record.report_id,
        "report_type": record.report_type,
        "title": record.title,
        "cadence": record.cadence,
        "period_start": record.window.start.isoformat(),
        "period_end": record.window.end.isoformat(),
        "version": record.version,
        "is_complete": record.is_complete,
        "confidence_score": record.confidence,
        "generated_at": instant_json(record.generated_at),
        "html_path": record.html_path,
        "json_path": record.json_path,
    }
