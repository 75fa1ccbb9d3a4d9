"""All figures that reports show, of every family, by their names."""

from __future__ import annotations

from collections.abc import Iterable

from healthmate_bi_pipeline.catalog.engagement import ENGAGEMENT_FIGURES
from healthmate_bi_pipeline.catalog.figures import Figure
from healthmate_bi_pipeline.catalog.health import HEALTH_FIGURES
from healthmate_bi_pipeline.catalog.operations import OPERATIONS_FIGURES
from healthmate_bi_pipeline.catalog.performance import PERFORMANCE_FIGURES


def _by_name(figures: Iterable[Figure]) -> dict[str, Figure]:
    """The figures by name; where two families count the same thing the first one stands."""
    found: dict[str, Figure] = {}
    for figure in figures:
        found.setdefault(figure.name, figure)
    return found


_REGISTRY = _by_name((*HEALTH_FIGURES, *ENGAGEMENT_FIGURES, *PERFORMANCE_FIGURES, *OPERATIONS_FIGURES))


def figure_named(name: str) -> Figure | None:
    """What a figure means, or ``None`` where the registry does not know it."""
    return _REGISTRY.get(name)
