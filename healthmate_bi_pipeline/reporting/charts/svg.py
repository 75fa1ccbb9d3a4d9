"""A chart of Altair as an ``<svg>`` element that is small, and the same on every machine.

Vega's SVG says much twice. What is taken out draws nothing: empty groups, roles of single marks (the whole is
one image to a screen reader), digits below a tenth of a unit. A mark's ``description`` becomes its ``<title>``,
which a browser shows beside the pointer; a mark's ``name`` stays as its group's class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import altair as alt
import vl_convert
from markupsafe import Markup

from healthmate_bi_pipeline.reporting.charts.theme import Colours, config
from healthmate_bi_pipeline.reporting.wording import MINUS, THIN_SPACE

_LOCALE = {"decimal": ".", "thousands": THIN_SPACE, "grouping": [3], "currency": ["", ""], "minus": MINUS}
_SVG = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?\d*\.\d+(?:e-?\d+)?|-?\d+e-?\d+")
_CIRCLE = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0Z?")
_SHIFT = re.compile(r"translate\((-?[\d.]+),(-?[\d.]+)\)")
_NAME = re.compile(r"\b([a-z]+)(?:_\d+)*_marks\b")
"""A mark's name, without the number that tells it from another of the kind."""
_SHAPES = frozenset({"path", "line", "text", "rect"})
_TOLD_TWICE = {
    "opacity": "1", "stroke-width": "1", "text-anchor": "start", "font-family": "inherit", "font-size": "11.5px"
}  # fmt: skip
"""Attributes with these values say what holds without them; the family and the usual size stand in the page's style."""
_LEFT_OUT = frozenset({"role", "pointer-events", "xmlns", "version", "class", "stroke-miterlimit"})


@dataclass(frozen=True)
class Drawing:
    """A chart and the size of its picture; ``top`` … are the margins around what is plotted."""

    chart: alt.LayerChart
    width: float
    height: float
    top: float = 0
    right: float = 0
    bottom: float = 0
    left: float = 0

    def spec(self, colours: Colours) -> dict[str, Any]:
        """The chart as Vega-Lite has it."""
        made: dict[str, Any] = self.chart.properties(
            width=self.width - self.left - self.right, height=self.height - self.top - self.bottom
        ).to_dict(validate=False)
        return made | {
            "autosize": {"type": "none"},
            "padding": {"top": self.top, "right": self.right, "bottom": self.bottom, "left": self.left},
            "background": None,
            "config": config(colours),
        }


def element(drawing: Drawing, *, colours: Colours, name: str, title: str, description: str) -> Markup:
    """The drawing as an element of a page, with a title and a description that are its text alternative."""
    root = ET.fromstring(_converted(drawing, colours))  # noqa: S314 - made by vl-convert from our own values
    parts = [one for child in root if (one := _compact(child)) is not None]
    body = Markup("").join(Markup(ET.tostring(part, encoding="unicode")) for part in parts)  # noqa: S704 - serialized, so escaped
    return Markup(
        '<svg class="chart{wide}" viewBox="0 0 {width} {height}" role="img"'
        ' aria-labelledby="{name}-title {name}-text">'
        '<title id="{name}-title">{title}</title><desc id="{name}-text">{text}</desc>{body}</svg>'
    ).format(
        wide=" is-wide" if drawing.width > 400 else "",
        width=_short(drawing.width),
        height=_short(drawing.height),
        name=name,
        title=title,
        text=description,
        body=body,
    )


def picture(drawing: Drawing, *, colours: Colours, scale: float = 2) -> bytes:
    """The drawing as a PNG."""
    spec = drawing.spec(colours) | {"background": "white"}
    spec["config"] = spec["config"] | {"font": "sans-serif"}
    return bytes(vl_convert.vegalite_to_png(spec, scale=scale, format_locale=_LOCALE))


def _converted(drawing: Drawing, colours: Colours) -> str:
    return str(vl_convert.vegalite_to_svg(drawing.spec(colours), format_locale=_LOCALE))


def _compact(given: ET.Element) -> ET.Element | None:
    """An element without what draws nothing; ``None`` if that is all of it."""
    tag = given.tag.removeprefix(_SVG)
    attributes = _kept(given.attrib, tag)
    if tag in _SHAPES:
        return _shape(given, tag, attributes)
    children = [one for child in given if (one := _compact(child)) is not None]
    if not children:
        return None
    shared = _shared(children) if len(children) > 1 else {}
    for child in children:
        for key in shared:
            if key not in attributes:
                del child.attrib[key]
    attributes = shared | attributes
    if not attributes and len(children) == 1:
        return children[0]
    made = ET.Element("g", attributes)
    for child in children:
        if child.tag == "g" and not child.attrib:
            made.extend(child)
        else:
            made.append(child)
    return made


def _shape(given: ET.Element, tag: str, attributes: dict[str, str]) -> ET.Element | None:
    if given.get("display") == "none" or given.get("class") in {"background", "foreground"}:
        return None
    if tag == "text" and not given.text:
        return None
    circle = _CIRCLE.fullmatch(attributes.get("d", ""))
    if circle is not None:
        tag = "circle"
        del attributes["d"]
        attributes["r"] = circle[1]
    shift = _SHIFT.fullmatch(attributes.get("transform", ""))
    if shift is not None and tag in {"circle", "text"}:
        del attributes["transform"]
        prefix = "c" if tag == "circle" else ""
        attributes = {f"{prefix}x": shift[1], f"{prefix}y": shift[2]} | attributes
    if attributes.get("stroke-width") == "0":
        attributes = {key: text for key, text in attributes.items() if not key.startswith("stroke")}
    made = ET.Element(tag, attributes)
    made.text = given.text
    if hint := given.get("aria-label"):
        ET.SubElement(made, "title").text = hint
    return made


def _kept(given: Mapping[str, str], tag: str) -> dict[str, str]:
    """The attributes that draw something, numbers to a tenth; of the classes, a mark's own name."""
    kept = {}
    for key, text in given.items():
        if key in _LEFT_OUT or key.startswith("aria") or _TOLD_TWICE.get(key) == text:
            continue
        kept[key] = text if text.startswith(("var", "#")) else _NUMBER.sub(_rounded, text)
    kept.pop("xmlns:xlink", None)
    if kept.get("transform") == "translate(0,0)":
        del kept["transform"]
    name = _NAME.search(given.get("class", "")) if tag == "g" else None
    if name is not None and name[1] != "layer":
        kept["class"] = name[1]
    return kept


def _shared(children: list[ET.Element]) -> dict[str, str]:
    """Attributes that all children have alike and inherit as well from their parent."""
    first = children[0].attrib
    inherited = ("fill", "stroke", "font-", "text-anchor", "stroke-")
    return {
        key: text
        for key, text in first.items()
        if key.startswith(inherited) and all(child.get(key) == text for child in children)
    }


def _rounded(match: re.Match[str]) -> str:
    return _short(float(match[0]))


def _short(value: float) -> str:
    """A length to a tenth, without a trailing or a signed zero."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
