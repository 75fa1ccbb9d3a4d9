"""The page of what reports look for, from the catalog; ``generate`` writes it."""

from __future__ import annotations

from collections.abc import Iterator

from healthmate_bi_pipeline.catalog.insight_rules import FACT_RULES, INFERRED_RULES, InsightRule
from healthmate_bi_pipeline.catalog.recommendations import ADVICE
from healthmate_bi_pipeline.catalog.watched_figures import WATCHED_FIGURES, WatchedFigure


def insight_rules(note: str) -> Iterator[str]:
    """The lines of the page."""
    yield "# What reports look for, and what they recommend"
    yield ""
    yield note
    yield ""
    yield "How insights are judged, ranked and told stands in [insights.md](insights.md)."
    yield ""
    yield "## Rules that infer"
    yield ""
    yield from _rules(INFERRED_RULES)
    yield "## Limits that are seen broken"
    yield ""
    yield from _rules(FACT_RULES)
    yield "## Figures that are watched"
    yield ""
    yield (
        "Which direction is good news, and the smallest change that is worth saying, in the figure's unit or as a"
        " share of its level before. `own` marks a choice of this project."
    )
    yield ""
    yield "| figure | better | smallest change | why |"
    yield "|---|---|---|---|"
    for figure in WATCHED_FIGURES:
        yield f"| `{figure.name}` | {figure.better} | {_smallest(figure)} | {figure.reason} |"
    yield ""
    yield "## Recommendations"
    yield ""
    yield "| cause | follows from | what to do | who | how soon | guideline |"
    yield "|---|---|---|---|---|---|"
    for advice in ADVICE:
        causes = ", ".join(f"`{name}`" for name in (*advice.rules, *advice.figures))
        cells = (causes, advice.text, advice.owner, advice.urgency, advice.guideline)
        yield f"| {advice.cause.replace('_', ' ')} | {' | '.join(cells)} |"
    yield ""


def _rules(rules: tuple[InsightRule, ...]) -> Iterator[str]:
    yield "| rule | holds when | standard |"
    yield "|---|---|---|"
    for rule in rules:
        yield f"| `{rule.name}` | {rule.meaning} | {rule.standard} |"
    yield ""


def _smallest(figure: WatchedFigure) -> str:
    return (
        f"{figure.smallest_change:.0%} of its level" if figure.is_relative else f"{figure.smallest_change:g}"
    )
