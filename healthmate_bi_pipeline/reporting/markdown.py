"""A report in a few lines of Markdown with its main chart as a picture: what Dagster's asset page shows of it.

Only what is about groups and may be passed on is said; of any other report no more than that it was written.
"""

from __future__ import annotations

import base64
import re

from healthmate_bi_pipeline.catalog.columns import PrivacyClass
from healthmate_bi_pipeline.reporting.blocks import Chart
from healthmate_bi_pipeline.reporting.document import Report
from healthmate_bi_pipeline.reporting.page import MOST_INSIGHTS, TONES, main_chart
from healthmate_bi_pipeline.reporting.wording import period_text, share_text

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~])")


def render_markdown(report: Report, *, path: str) -> str:
    """The report in short.

    Args:
        report: what is told.
        path: where its file lies.
    """
    title = f"**{plain(report.title)}, {plain(period_text(report.cadence, report.window))}**"
    file = f"File: `{path}`"
    if report.privacy is not PrivacyClass.AGGREGATE:
        return "\n\n".join((title, "It is not for passing on: what it says stands in its file only.", file))
    confidence = report.confidence
    parts = [
        title,
        " ".join(plain(sentence) for sentence in report.summary.sentences),
        f"**Confidence {share_text(confidence.score)}.** Limited by: {plain(confidence.limiting)}",
        _happened(report),
        _to_do(report),
    ]
    chart = main_chart(report)
    if chart is not None:
        parts.append(_picture(chart))
    return "\n\n".join(part for part in (*parts, file) if part)


def plain(text: str) -> str:
    r"""A text that Markdown leaves as it is.

    >>> print(plain("a [b](c) <i>"))
    a \[b\]\(c\) \<i\>
    """
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _happened(report: Report) -> str:
    lines = [
        f"- {' '.join(TONES[insight.tone])}: {plain(insight.text)}"
        for insight in report.insights[:MOST_INSIGHTS]
    ]
    more = len(report.insights) - MOST_INSIGHTS
    return "\n".join([*lines, *([f"- and {more} more"] if more > 0 else [])])


def _to_do(report: Report) -> str:
    return "\n".join(
        f"{number}. **{one.urgency}**, {plain(one.owner)}: {plain(one.text)}"
        for number, one in enumerate(report.recommendations, start=1)
    )


def _picture(chart: Chart) -> str:
    from healthmate_bi_pipeline.reporting.charts.drawing import chart_png  # noqa: PLC0415 - Altair takes half a second

    data = base64.b64encode(chart_png(chart)).decode()
    return f"{plain(chart.title)}\n\n![{plain(chart.description)}](data:image/png;base64,{data})"
