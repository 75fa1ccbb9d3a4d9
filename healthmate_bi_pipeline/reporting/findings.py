"""What a test of a figure found, and the history that it was looked for in.

The tests themselves are in ``figure_tests`` and ``period_comparisons``. Numbers come from ``evidence`` only, so from
what is shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from healthmate_bi_pipeline.catalog.watched_figures import WatchedFigure
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.evidence import Sample, Tracked

Floats = npt.NDArray[np.float64]

LEAST_SHARE_KNOWN = 0.5
"""Of the points since the first one as many have a number; else those that have are not like the others."""


@dataclass(frozen=True)
class History:
    """The points of a history that have a number.

    Attributes:
        samples: those points.
        values: their numbers.
        times: their places in the history, gaps counted.
        strata: the weekday of days; 0 of longer periods.
        latest: how many of them lie in the report's window.
        missing: how many points between the first and the last one have no number.
    """

    samples: tuple[Sample, ...]
    values: Floats
    times: Floats
    strata: npt.NDArray[np.int64]
    latest: int
    missing: int

    @property
    def has_weekdays(self) -> bool:
        """Whether days are compared with the same weekday."""
        return bool(self.strata.any())

    @property
    def is_dense(self) -> bool:
        """Whether enough of its points have a number."""
        return self.missing <= (1 - LEAST_SHARE_KNOWN) * (self.missing + len(self.values))


@dataclass(frozen=True)
class Finding:
    """What one test found.

    Attributes:
        rule: its name in ``catalog/insight_rules``.
        is_signal: the rule itself holds, whatever its p value.
        is_news: it began lately; what did not is not told, and yet explains the history.
        estimate: the size, in the figure's unit; its sign is the direction.
        level: what the figure was before, or else is.
        first: the first point that it is about.
        last: the last one.
        points: how many points were looked at.
        misfit: what a model of it leaves unexplained; to choose between shift and trend.
        lower: control limit at the point, of the rules that speak of one.
        upper: the other one.
        before: the sample compared with.
    """

    rule: str
    is_signal: bool
    estimate: float
    low: float
    high: float
    level: float
    statistic: str
    statistic_value: float
    p_value: float
    first: Sample
    last: Sample
    points: int
    misfit: float = math.inf
    lower: float | None = None
    upper: float | None = None
    before: Sample | None = None
    is_news: bool = True


def known_history(tracked: Tracked, *, window: Window) -> History:
    """The points of a figure's history that have a number."""
    known = [
        (place, sample, sample.value)
        for place, sample in enumerate(tracked.history)
        if not isinstance(sample.value, Absence) and math.isfinite(sample.value)
    ]
    samples = tuple(sample for _, sample, _ in known)
    is_daily = tracked.period is Period.DAILY
    places = [place for place, _, _ in known]
    return History(
        samples=samples,
        values=np.array([value for _, _, value in known], dtype=np.float64),
        times=np.array(places, dtype=np.float64),
        strata=np.array([one.window.start.weekday() if is_daily else 0 for one in samples], dtype=np.int64),
        latest=sum(sample.window.intersection(window) is not None for sample in samples),
        missing=places[-1] - places[0] + 1 - len(places) if places else 0,
    )


def size(watched: WatchedFigure, finding: Finding) -> float:
    """How large a finding is, in smallest changes worth saying; 0 where none is."""
    least = watched.smallest_at(finding.level)
    return abs(finding.estimate) / least if least > 0 else 0.0
