"""How figures are written: label, unit, digits. The lines of each type of report stand in ``<type>/styles.py``.

What a figure *means* stands in the catalog.
"""

from __future__ import annotations

from dataclasses import replace

from healthmate_bi_pipeline.catalog.finance import MONEY
from healthmate_bi_pipeline.catalog.registry import figure_named
from healthmate_bi_pipeline.reporting.financial.styles import FINANCE_STYLES
from healthmate_bi_pipeline.reporting.health_summary.styles import HEALTH_STYLES
from healthmate_bi_pipeline.reporting.operations_styles import OPERATIONS_STYLES
from healthmate_bi_pipeline.reporting.style import Style
from healthmate_bi_pipeline.reporting.system_performance.styles import PERFORMANCE_STYLES
from healthmate_bi_pipeline.reporting.user_engagement.styles import ENGAGEMENT_STYLES

STYLES: dict[str, Style] = {
    **HEALTH_STYLES,
    **ENGAGEMENT_STYLES,
    **PERFORMANCE_STYLES,
    **FINANCE_STYLES,
    **OPERATIONS_STYLES,
}


def style_of(figure: str) -> Style:
    """How a figure is written; one without a line of its own goes by its name and unit in the registry.

    Behind a colon stands whose it is; of a figure of money that is its currency, which then is the unit.
    """
    name, _, whose = figure.partition(":")
    if whose:
        style = style_of(name)
        if style.unit == MONEY:
            return replace(style, unit=whose)
        return replace(style, label=f"{style.label}, {whose}")
    if figure in STYLES:
        return STYLES[figure]
    known = figure_named(figure)
    unit = known.unit if known else None
    return Style(
        figure.replace("_", " ").capitalize(), "" if unit in {None, "1"} else str(unit), 1, figure, 0.0
    )
