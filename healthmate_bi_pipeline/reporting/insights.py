"""What rules find in the figures of a report."""

from __future__ import annotations

from datetime import datetime

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.document import Insight
from healthmate_bi_pipeline.reporting.evidence import Evidence


def find_insights(evidence: Evidence, *, window: Window, as_of: datetime | None) -> tuple[Insight, ...]:
    """What is worth saying about a window, the most important first."""
    del evidence, window, as_of
    return ()
