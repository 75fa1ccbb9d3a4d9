"""What may not be made, because a blocking check failed for what it would be made from."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from healthmate_bi_pipeline.domain.period import midnight
from healthmate_bi_pipeline.usecases.graph import AssetSpec
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED


def held_back(
    asset: AssetSpec,
    days: Iterable[date],
    *,
    wrong: Mapping[str, Collection[date]],
    assets: Iterable[AssetSpec],
) -> set[date]:
    """Which partitions of an asset stand on days that a blocking check failed for.

    Args:
        asset: that is to be made.
        days: first days of its partitions.
        wrong: the days that checks failed for, by the asset that they are of; ``UNPARTITIONED`` for all of it.
        assets: the graph.
    """
    period = asset.partitioned_by
    bad = {day for name in _made_of(asset, assets) for day in wrong.get(name, ())}
    if not bad:
        return set()
    if period is None or UNPARTITIONED in bad:
        return set(days)
    return {
        day
        for day in days
        if any(
            (part := period.partitioned_by.window(midnight(day))).start <= midnight(one) < part.end
            for one in bad
        )
    }


def _made_of(asset: AssetSpec, assets: Iterable[AssetSpec]) -> set[str]:
    """The names of all that an asset is made from, and what that is made from."""
    found = set(asset.upstream)
    for above in reversed(tuple(assets)):  # each stands after what it is made from
        if above.name in found:
            found.update(above.upstream)
    return found
