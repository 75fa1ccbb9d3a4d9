"""How far a report can be relied on, as a half circle that is filled up to its score."""

from __future__ import annotations

import math

import altair as alt

from healthmate_bi_pipeline.reporting.charts.marks import layers, table, texts
from healthmate_bi_pipeline.reporting.charts.svg import Drawing
from healthmate_bi_pipeline.reporting.charts.theme import SMALL, Colours
from healthmate_bi_pipeline.reporting.document import Confidence
from healthmate_bi_pipeline.reporting.wording import share_text

_WIDTH, _RADIUS, _RING = 132, 58, 12


def gauge(confidence: Confidence, colours: Colours) -> Drawing:
    """The drawing of a gauge."""
    middle, base = _WIDTH / 2, _RADIUS + 4
    filled = -math.pi / 2 + math.pi * confidence.score
    place = {"x": alt.XValue(middle), "y": alt.YValue(base)}

    def arc(start: float, end: float, colour: str, name: str) -> alt.Chart:
        mark = table([{}]).mark_arc(
            innerRadius=_RADIUS - _RING, outerRadius=_RADIUS, color=colours(colour), aria=False
        )
        made: alt.Chart = mark.encode(
            **place, theta=alt.ThetaValue(start), theta2=alt.Theta2Value(end)
        ).properties(name=name)
        return made

    marks = [arc(-math.pi / 2, math.pi / 2, "track", "track")]
    if confidence.score > 0:
        marks.append(arc(-math.pi / 2, filled, "series-1", "filled"))
    score = share_text(confidence.score)
    words = (
        (score, middle, base - 10, {"fontSize": 20 if len(score) > 4 else 24, "fontWeight": 600}, "ink"),
        ("0", middle - _RADIUS + _RING / 2, base + 10, {"fontSize": SMALL}, "muted"),
        ("100", middle + _RADIUS - _RING / 2, base + 10, {"fontSize": SMALL}, "muted"),
    )
    marks += [
        texts([{"text": text}], field="text", x=alt.XValue(x), y=alt.YValue(y), align="center",
              colour=colours(colour), **style)
        for text, x, y, style, colour in words
    ]  # fmt: skip
    return Drawing(layers(*marks), _WIDTH, base + 18)
