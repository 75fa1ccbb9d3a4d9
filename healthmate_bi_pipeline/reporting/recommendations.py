"""What follows from insights: what to do, who would do it, and how soon."""

from __future__ import annotations

from collections.abc import Sequence

from healthmate_bi_pipeline.reporting.document import Insight, Recommendation


def recommend(insights: Sequence[Insight], *, report_type: str) -> tuple[Recommendation, ...]:
    """What to do about what was found, the most urgent first."""
    del insights, report_type
    return ()
