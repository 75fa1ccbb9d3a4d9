"""Whether the people of one device changed unlike those of all others: what a new firmware does to its readings.

Welch 1947 on paired changes: each person is held against themself in the month before, so that it does not matter who
measures or how people differ; and the device against the others, so that it does not matter what everyone did. The
device's own people must have changed that way: where only the others did, they may have been treated. So may they, and
why a device reads otherwise is not told by it.
"""

from __future__ import annotations

from collections.abc import Sequence

from healthmate_bi_pipeline.catalog.device_changes import LEAST_PEOPLE_A_SIDE
from healthmate_bi_pipeline.catalog.watched_figures import watched_figure
from healthmate_bi_pipeline.domain.comparisons import difference_of_means
from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.evidence import Contrast
from healthmate_bi_pipeline.reporting.findings import Finding
from healthmate_bi_pipeline.reporting.period_comparisons import mean_of


def find_device_shift(contrast: Contrast) -> Finding | None:
    """The change of the device's people minus that of the others; ``None`` where a side has too few people."""
    own, others = mean_of(contrast.own), mean_of(contrast.others)
    if own is None or others is None or min(own.count, others.count) < LEAST_PEOPLE_A_SIDE:
        return None
    found = difference_of_means(own, others)
    if found is None:
        return None
    is_same_way = (own.value > 0) == (found.estimate > 0)
    return Finding(
        rule="device_shift",
        is_signal=is_same_way and watched_figure(contrast.figure).matters(own.value, level=others.value),
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        level=others.value,
        statistic="t",
        statistic_value=found.statistic,
        p_value=found.p_value,
        first=contrast.own,
        last=contrast.own,
        points=2,
        before=contrast.others,
    )


def told_devices(found: Sequence[tuple[Contrast, Finding]]) -> tuple[Contrast, ...]:
    """Of the devices of each figure that differ, the one that does most certainly.

    The others look as if they changed the other way, because that one is among what they are held against. Two devices
    are one test seen from both sides: then it is the one whose own people changed more.
    """
    best: dict[str, tuple[Contrast, Finding]] = {}
    for contrast, finding in found:
        held = best.get(contrast.figure)
        if held is None or _certainty(contrast, finding) > _certainty(*held):
            best[contrast.figure] = contrast, finding
    return tuple(contrast for contrast, _ in best.values())


def _certainty(contrast: Contrast, finding: Finding) -> tuple[float, float]:
    change = contrast.own.value
    return (
        round(
            abs(finding.statistic_value), 9
        ),  # both sides of one test are the same to the last digit but one
        0.0 if isinstance(change, Absence) else abs(change),
    )
