"""How figures are written: label, unit, digits. The lines of each type of report stand in ``<type>/styles.py``.

What a figure *means* stands in the catalog.
"""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.registry import figure_named
from healthmate_bi_pipeline.reporting.health_summary.styles import HEALTH_STYLES
from healthmate_bi_pipeline.reporting.operations_styles import OPERATIONS_STYLES
from healthmate_bi_pipeline.reporting.style import Style
from healthmate_bi_pipeline.reporting.system_performance.styles import PERFORMANCE_STYLES

STYLES: dict[str, Style] = {**HEALTH_STYLES, **PERFORMANCE_STYLES, **OPERATIONS_STYLES}


def style_of(figure: str) -> Style:
    """How a figure is written; one without a line of its own goes by its name and unit in the registry."""
    if figure in STYLES:
        return STYLES[figure]
    known = figure_named(figure)
    unit = known.unit if known else None
    return Style(
        figure.replace("_", " ").capitalize(), "" if unit in {None, "1"} else str(unit), 1, figure, 0.0
    )
