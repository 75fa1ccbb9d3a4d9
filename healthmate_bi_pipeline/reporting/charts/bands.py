"""How people spread over the bands of a figure: a row per band with its share and its number of people."""

from __future__ import annotations

import altair as alt

from healthmate_bi_pipeline.reporting.blocks import Absence, Band, BandChart
from healthmate_bi_pipeline.reporting.charts.axes import cut
from healthmate_bi_pipeline.reporting.charts.marks import HINT, Row, layers, places, table, texts
from healthmate_bi_pipeline.reporting.charts.svg import Drawing
from healthmate_bi_pipeline.reporting.charts.theme import NARROW, SMALL, Colours
from healthmate_bi_pipeline.reporting.wording import absence_text, count_text, people_text, share_text

_RIGHT, _TOP, _STEP, _BAR = 96, 18, 24, 13


def bands(chart: BandChart, colours: Colours) -> Drawing:
    """The drawing of a distribution."""
    rows = [_row(number, band) for number, band in enumerate(chart.bands)]
    shown = [row for row in rows if row["is_shown"]]
    y = places(len(rows), "row", inner=1 - _BAR / _STEP, outer=(1 - _BAR / _STEP) / 2)
    left = min(12 + 6.6 * max((len(row["label"]) for row in rows), default=0), 136)
    width = NARROW - left - _RIGHT
    share_at, people_at = width + 48, width + _RIGHT - 2
    full = {"x": alt.XValue(0), "x2": alt.X2Value("width"), "y": y}
    share = alt.X(
        "share",
        type="quantitative",
        axis=None,
        scale=alt.Scale(domain=[0, max([row["share"] for row in shown] + [0.01])]),
    )
    ink, muted = colours("ink"), colours("muted")
    marks = [
        table(rows).mark_rect(color=colours("track"), aria=False).encode(**full).properties(name="track"),
        texts(rows, field="label", x=alt.XValue(-8), y=y, align="right", colour=ink),
        *_heads(chart, at=(-8, share_at, people_at), colour=muted),
    ]
    bars = [row for row in shown if row["share"] > 0]
    if bars:
        bar = table(bars).mark_bar(color=colours("series-1"), opacity=1)
        marks.append(bar.encode(x=share, y=y, description=HINT).properties(name="bar"))
    if shown:
        marks += [
            texts(shown, field="share_text", x=alt.XValue(share_at), y=y, align="right", colour=ink),
            texts(shown, field="people_text", x=alt.XValue(people_at), y=y, align="right", colour=muted),
        ]
    absent = [row for row in rows if not row["is_shown"]]
    if absent:
        words = texts(absent, field="absence", x=alt.XValue(6), y=y, colour=muted, fontStyle="italic")
        marks.append(words.properties(name="absent"))
    height = _TOP + _STEP * len(rows) + 2
    return Drawing(layers(*marks), NARROW, height, top=_TOP, right=_RIGHT, bottom=2, left=left)


def _row(number: int, band: Band) -> Row:
    common = {"row": number, "label": cut(band.label, length=18)}
    if isinstance(band.people, Absence) or isinstance(band.share, Absence):
        reasons = (one for one in (band.people, band.share) if isinstance(one, Absence))
        return {**common, "is_shown": False, "absence": absence_text(next(reasons))}
    return {
        **common,
        "is_shown": True,
        "share": band.share,
        "share_text": share_text(band.share),
        "people_text": count_text(band.people),
        "hint": f"{band.label}: {share_text(band.share)}, {people_text(band.people)}",
    }


def _heads(chart: BandChart, *, at: tuple[float, float, float], colour: str) -> list[alt.Chart]:
    words = (chart.unit, "share", "people")
    return [
        texts(
            [{"text": word}], field="text", x=alt.XValue(x), y=alt.YValue(-11), align="right", colour=colour,
            fontSize=SMALL,
        )
        for word, x in zip(words, at, strict=True)
        if word
    ]  # fmt: skip
