"""Rows of a table of figures of groups → figures of groups."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from healthmate_bi_pipeline.catalog.registry import figure_named
from healthmate_bi_pipeline.reporting.inputs import GroupFigure
from healthmate_bi_pipeline.warehouse import queries


def group_figures(rows: Iterable[Mapping[str, Any]]) -> dict[str, GroupFigure]:
    """The figures of one period, by name; ``people`` counts everybody with a row."""
    whole: dict[str, Mapping[str, Any]] = {}
    bands: dict[str, dict[int, int]] = defaultdict(dict)
    for row in rows:
        if row["band"] == queries.WHOLE_GROUP:
            whole[row["figure"]] = row
        else:
            bands[row["figure"]][row["band"]] = row["people"]
    figures = {}
    for name, row in whole.items():
        known = figure_named(name)
        count = len(known.bands) if known else 0
        figures[name] = GroupFigure(
            figure=name,
            people=row["people"],
            mean=None if row["total"] is None else float(row["total"]) / row["people"],
            low=row["low"],
            high=row["high"],
            deviation=deviation(row["people"], row["total"], row["total_squared"]),
            band_people=tuple(bands[name].get(band, 0) for band in range(count)),
        )
    return figures


def deviation(people: int, total: float | None, squared: float | None) -> float | None:
    """The standard deviation between the people of a group, from the sums of their figures and their squares."""
    if people < 2 or total is None or squared is None:
        return None
    return math.sqrt(max(0.0, float(squared) - float(total) ** 2 / people) / (people - 1))
