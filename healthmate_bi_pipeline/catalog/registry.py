"""All figures that reports show, of every family, by their names."""

from __future__ import annotations

from collections.abc import Iterable

from healthmate_bi_pipeline.catalog.engagement import ACTIVITY_FIGURES, ENGAGEMENT_FIGURES
from healthmate_bi_pipeline.catalog.figures import Figure
from healthmate_bi_pipeline.catalog.finance import FINANCE_FIGURES
from healthmate_bi_pipeline.catalog.health import HEALTH_FIGURES
from healthmate_bi_pipeline.catalog.health_groups import HEALTH_GROUP_FIGURES
from healthmate_bi_pipeline.catalog.operations import OPERATIONS_FIGURES
from healthmate_bi_pipeline.catalog.performance import PERFORMANCE_FIGURES


def _by_name(figures: Iterable[Figure]) -> dict[str, Figure]:
    """The figures by name; where two families count the same thing the first one stands."""
    found: dict[str, Figure] = {}
    for figure in figures:
        found.setdefault(figure.name, figure)
    return found


_REGISTRY = _by_name(
    (
        *HEALTH_FIGURES,
        *HEALTH_GROUP_FIGURES,
        *ENGAGEMENT_FIGURES,
        *ACTIVITY_FIGURES,
        *PERFORMANCE_FIGURES,
        *FINANCE_FIGURES,
        *OPERATIONS_FIGURES,
    )
)


def figure_named(name: str) -> Figure | None:
    """What a figure means, or ``None`` where the registry does not know it.

    What stands behind a colon tells whose it is (``monthly_recurring_revenue:EUR``) and not what it means.
    """
    return _REGISTRY.get(name.partition(":")[0])
