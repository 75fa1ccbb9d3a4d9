"""How charts look: their colours, for a page in light and dark and for a picture, and the sizes of their texts.

The colours that tell things apart are those of Okabe and Ito (2008), made darker or lighter until each has a
contrast of 4.5 to 1 with its background; nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Colours: TypeAlias = Callable[[str], str]
"""The colour of a name, as it stands in a drawing."""

NARROW = 350
"""Units across a chart; one that is this wide can be read on a phone."""
WIDE = 720
TEXT = 11.5
SMALL = 10
SERIES = 4
"""Lines of one chart that have colours of their own."""
STEPS = 5
"""Steps of a colour scale."""

LIGHT: dict[str, str] = {
    "ink": "#1b2733", "muted": "#55636f", "grid": "#e1e6eb", "track": "#eef1f4", "surface": "#ffffff",
    "shade": "#e3edf4", "line": "#aab6c1", "signal": "#c0392b",
    "series-1": "#0b67a3", "series-2": "#b5520a", "series-3": "#00765a", "series-4": "#9a3f78",
    "step-1": "#dcebf6", "step-2": "#abcfe8", "step-3": "#6aa9d3", "step-4": "#2b79b0", "step-5": "#0b4a7c",
    "on-step-1": "#1b2733", "on-step-2": "#1b2733", "on-step-3": "#10202c", "on-step-4": "#ffffff",
    "on-step-5": "#ffffff",
}  # fmt: skip
DARK: dict[str, str] = {
    "ink": "#e7edf2", "muted": "#a3b0bc", "grid": "#2a3641", "track": "#212c36", "surface": "#172029",
    "shade": "#213340", "line": "#5a6a78", "signal": "#ff8a73",
    "series-1": "#63b4e8", "series-2": "#f0975c", "series-3": "#40c8a0", "series-4": "#e59cc9",
    "step-1": "#1f3443", "step-2": "#27506c", "step-3": "#3577a0", "step-4": "#6cb2dc", "step-5": "#b9e0f7",
    "on-step-1": "#e7edf2", "on-step-2": "#ffffff", "on-step-3": "#ffffff", "on-step-4": "#0d1820",
    "on-step-5": "#0d1820",
}  # fmt: skip


def on_page(name: str) -> str:
    """The colour as the page gives it, light or dark: ``var(--chart-ink)``."""
    return f"var(--chart-{name})"


def in_picture(name: str) -> str:
    """The colour of the light page, for a drawing that stands alone."""
    return LIGHT[name]


def config(colours: Colours) -> dict[str, Any]:
    """Vega-Lite's configuration of every chart."""
    return {
        "font": "inherit",
        "view": {"stroke": None},
        "text": {"color": colours("ink"), "fontSize": TEXT, "baseline": "middle"},
        "axis": {
            "domain": False,
            "ticks": False,
            "grid": False,
            "title": None,
            "gridColor": colours("grid"),
            "labelColor": colours("muted"),
            "labelFontSize": TEXT,
            "labelPadding": 7,
            "labelOverlap": False,
            "labelLimit": 0,
            "labelBound": False,
            "labelFlush": False,
        },
    }
