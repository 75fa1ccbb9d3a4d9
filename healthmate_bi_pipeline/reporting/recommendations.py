"""What follows from insights: what to do, who would do it, and how soon.

Nothing is recommended that no insight calls for, and insights of one cause are answered once.
"""

from __future__ import annotations

from collections.abc import Sequence

from healthmate_bi_pipeline.catalog.insight_rules import FACT_RULES
from healthmate_bi_pipeline.catalog.recommendations import ADVICE, Advice
from healthmate_bi_pipeline.reporting.document import Audience, Insight, Recommendation, Urgency

_FACTS = frozenset(rule.name for rule in FACT_RULES)
_SOONEST = tuple(Urgency)
_MOST_SUBJECTS = 3


def recommend(
    insights: Sequence[Insight], *, report_type: str, audience: Audience = "groups"
) -> tuple[Recommendation, ...]:
    """What to do about what was found, the most urgent first, else in the order of the insights."""
    causes: dict[str, list[tuple[Advice, Insight]]] = {}
    for insight in insights:
        advice = advice_for(insight)
        if advice is not None and (audience == "groups" or advice.personal_text):
            causes.setdefault(advice.cause, []).append((advice, insight))
    made = [
        _recommendation(cause, found, report_type=report_type, audience=audience)
        for cause, found in causes.items()
    ]
    return tuple(sorted(made, key=lambda one: _SOONEST.index(one.urgency)))


def advice_for(insight: Insight) -> Advice | None:
    """The first advice of the catalog that fits; a rule of facts needs advice for the rule, or for its figure."""
    return next((advice for advice in ADVICE if _fits(advice, insight)), None)


def _fits(advice: Advice, insight: Insight) -> bool:
    if insight.tone.value not in advice.tones:
        return False
    if advice.rules:
        return insight.rule in advice.rules
    has_own = insight.rule in _FACTS and any(insight.rule in other.rules for other in ADVICE)
    return not has_own and bool(
        {figure.partition(":")[0] for figure in insight.figures} & set(advice.figures)
    )


def _recommendation(
    cause: str, found: Sequence[tuple[Advice, Insight]], *, report_type: str, audience: Audience
) -> Recommendation:
    advice = min((one for one, _ in found), key=lambda one: _SOONEST.index(Urgency(one.urgency)))
    subjects = _subjects([insight.subject for _, insight in found], report_type=report_type)
    is_personal = audience == "personal"
    return Recommendation(
        recommendation_id=f"do-{cause}",
        text=advice.personal_text if is_personal else advice.text.format(subjects=subjects),
        owner="you" if is_personal else advice.owner,
        urgency=Urgency(advice.urgency),
        insight_ids=tuple(insight.insight_id for _, insight in found),
        guideline=advice.guideline,
    )


def _subjects(given: Sequence[str], *, report_type: str) -> str:
    """Whom it is about: the subjects of the insights, or all.

    >>> (
    ...     _subjects(["api", "web", "api"], report_type="system_performance"),
    ...     _subjects([""], report_type="health_summary"),
    ... )
    ('api and web', 'the people')
    """
    named = list(dict.fromkeys(given))
    if "" in named or not named:
        return _EVERYTHING.get(report_type, "the people")
    if len(named) > _MOST_SUBJECTS:
        return f"{', '.join(named[:_MOST_SUBJECTS])} and others"
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


_EVERYTHING = {
    "system_performance": "the services",
    "operational": "all datasets",
    "compliance": "all datasets",
}
