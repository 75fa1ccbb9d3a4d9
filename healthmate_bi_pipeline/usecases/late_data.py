"""Late data: days that were made before, or never, and have other rows now.

What a raw day would be made from is compared with what it was made from, so it does not matter how its rows came:
in a new file, in a corrected one, from quarantine, or by a record of a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.usecases.graph import ASSETS, RAW, AssetSpec
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.status import begun_stale
from healthmate_bi_pipeline.usecases.versions import hash64
from healthmate_bi_pipeline.warehouse import books


@dataclass(frozen=True)
class LateDays:
    """What is to be made again.

    Attributes:
        days: in order, not more than were asked for.
        left: how many more there are.
        mark: what they were found by; the same mark and days are the same work.
    """

    days: tuple[date, ...]
    left: int
    mark: str


def intake_mark(pipeline: Pipeline) -> str:
    """What changes whenever rows come in or are taken up again: the watermark of the books."""
    with pipeline.warehouse.transaction() as connection:
        return f"{hash64(*books.intake_counts(connection)):x}"


def find_late_days(pipeline: Pipeline, *, most: int, assets: Sequence[AssetSpec] = ASSETS) -> LateDays:
    """The days of all datasets and states that are stale, the earliest first.

    Of states too: a run for other figures may have made the raw days alone.

    Args:
        pipeline: for whom.
        most: how many at once.
        assets: the graph.
    """
    mark = intake_mark(pipeline)
    daily = [
        asset for asset in assets if asset.group in (RAW, "state") and asset.partitioned_by is Period.DAILY
    ]
    stale = sorted({day for asset in daily for day in begun_stale(pipeline, asset)})
    return LateDays(tuple(stale[:most]), max(len(stale) - most, 0), mark)


def spans(days: Sequence[date]) -> list[Window]:
    """Days as few stretches, in order; only neighbours are joined, so that nothing else is made along.

    >>> [str(span) for span in spans([date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 4)])]
    ['2026-01-01…2026-01-02', '2026-01-04']
    """
    found: list[Window] = []
    for day in days:
        if found and (day - found[-1].last_day).days == 1:
            found[-1] = Window.of_days(found[-1].first_day, day)
        else:
            found.append(Window.of_days(day, day))
    return found
