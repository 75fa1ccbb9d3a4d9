"""Planning: which partitions of which assets, in which order, in how few runs.

Pure functions of the graph and of days. What is stale is asked elsewhere (``usecases/staleness.py``), what is
planned is carried out in ``run.py``.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.usecases.graph import AssetSpec, Stage

FOLDED_GAP = 7
"""Days between stale days that are made along: a run costs more than making some days again."""

MOST_PARTITIONS = 366
"""Partitions of one run: a run that is killed loses no more than this."""

ORDER: tuple[Period | None, ...] = (
    None,
    Period.DAILY,
    Period.WEEKLY,
    Period.MONTHLY,
    Period.QUARTERLY,
    Period.YEARLY,
)
"""Partitionings in the order in which they are made; one run cannot mix them."""


@dataclass(frozen=True)
class Group:
    """Assets that one run can make: of one partitioning, each after what it is made from."""

    partitioned_by: Period | None
    assets: tuple[AssetSpec, ...]

    @property
    def folded_gap(self) -> int:
        """Days between stale partitions that are made along."""
        is_for_reports = any(asset.stage >= Stage.REPORTS for asset in self.assets)
        return FOLDED_GAP if self.partitioned_by is Period.DAILY and not is_for_reports else 0


def groups(assets: Iterable[AssetSpec]) -> list[Group]:
    """The assets in the order in which they are made: by stage, then by partitioning."""
    ordered = tuple(assets)
    found = [
        Group(
            period,
            tuple(asset for asset in ordered if asset.stage is stage and asset.partitioned_by is period),
        )
        for stage in Stage
        for period in ORDER
    ]
    return [group for group in found if group.assets]


def fold(days: Iterable[date], period: Period, *, gap: int = 0) -> list[Window]:
    """Partitions as few windows, in order.

    Args:
        days: first days of partitions.
        period: of the partitions; hourly ones are days.
        gap: as many days between two of them are made along.

    >>> days = [date(2026, 1, 1), date(2026, 1, 5), date(2026, 2, 1)]
    >>> [str(window) for window in fold(days, Period.DAILY, gap=7)]
    ['2026-01-01…2026-01-05', '2026-02-01']
    """
    parts = [period.partitioned_by.window(midnight(day)) for day in sorted(set(days))]
    if not parts:
        return []
    breaks = [
        0,
        *(place for place, (one, next_) in enumerate(pairwise(parts), 1) if _days_between(one, next_) > gap),
    ]
    runs = [parts[first:last] for first, last in pairwise([*breaks, len(parts)])]
    return [piece for run in runs for piece in _pieces(Window(run[0].start, run[-1].end), period)]


def _days_between(one: Window, later: Window) -> int:
    return (later.first_day - one.last_day).days - 1


def _pieces(window: Window, period: Period) -> Iterator[Window]:
    parts = list(period.partitioned_by.windows(window))
    for first in range(0, len(parts), MOST_PARTITIONS):
        piece = parts[first : first + MOST_PARTITIONS]
        yield Window(piece[0].start, piece[-1].end)


def without(
    window: Window, period: Period, left_out: Mapping[str, Collection[date]]
) -> list[tuple[Window, frozenset[str]]]:
    """A window in as few pieces as have the same assets that are not made in them.

    Args:
        window: whole periods.
        period: of the partitions.
        left_out: first days of partitions that are not made, by asset.

    Returns:
        Pieces in order, each with the assets that are not made in it.

    >>> days = Window.of_days(date(2026, 1, 1), date(2026, 1, 4))
    >>> [(str(one), sorted(names)) for one, names in without(days, Period.DAILY, {"a": [date(2026, 1, 1)]})]
    [('2026-01-01', ['a']), ('2026-01-02…2026-01-04', [])]
    """
    if not any(left_out.values()):
        return [(window, frozenset())]
    pieces: list[tuple[Window, frozenset[str]]] = []
    for part in period.partitioned_by.windows(window):
        names = frozenset(name for name, days in left_out.items() if part.first_day in days)
        if pieces and pieces[-1][1] == names:
            pieces[-1] = Window(pieces[-1][0].start, part.end), names
        else:
            pieces.append((part, names))
    return pieces


def with_downstream(stale: Mapping[str, Iterable[date]], assets: Sequence[AssetSpec]) -> dict[str, set[date]]:
    """What will have to be made when some partitions are: they, and all that is made from them.

    Which reports are wanted is asked when their figures have been made, so only stale ones are planned; what is
    frozen is not made again.

    Args:
        stale: first days of partitions, by asset.
        assets: in the order of the graph; only these are planned.

    Returns:
        First days of partitions by asset, those of unpartitioned assets as they were given.
    """
    by_name = {asset.name: asset for asset in assets}
    planned: dict[str, set[date]] = {}
    for asset in assets:
        days = set(stale.get(asset.name, ()))
        if asset.partitioned_by is not None and asset.stage < Stage.REPORTS and not asset.is_frozen:
            for name in asset.upstream:
                above = by_name.get(name)
                if above is not None and above.partitioned_by is not None:
                    made = planned[name]
                    if name in asset.upstream_before:
                        made = {above.partitioned_by.next(midnight(day)).date() for day in made}
                    days |= touched(made, above.partitioned_by, asset.partitioned_by)
        planned[asset.name] = days
    return planned


def touched(days: Iterable[date], period: Period, other: Period) -> set[date]:
    """First days of the partitions of another period that partitions of a period touch."""
    return {
        part.first_day
        for day in days
        for part in other.partitioned_by.windows(period.partitioned_by.window(midnight(day)))
    }
