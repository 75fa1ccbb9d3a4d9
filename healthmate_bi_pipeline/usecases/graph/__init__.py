"""The graph of assets, as data: what is made, from what, per which period, by which use case.

Dagster's assets, the plan of what is stale and the command line all come from ``ASSETS``; whoever adds a
family adds its assets here.
"""

from __future__ import annotations

from collections.abc import Iterable

from healthmate_bi_pipeline.usecases.graph.families import FAMILY_ASSETS
from healthmate_bi_pipeline.usecases.graph.history import HISTORY_ASSETS
from healthmate_bi_pipeline.usecases.graph.intake import INTAKE_ASSETS
from healthmate_bi_pipeline.usecases.graph.reports import REPORT_ASSETS
from healthmate_bi_pipeline.usecases.graph.spec import RAW, AssetSpec, Stage

__all__ = ["ASSETS", "ASSET_BY_NAME", "OF_ALL_TIME", "RAW", "AssetSpec", "Stage", "made_from"]

ASSETS: tuple[AssetSpec, ...] = (*INTAKE_ASSETS, *FAMILY_ASSETS, *HISTORY_ASSETS, *REPORT_ASSETS)
"""All assets, each after what it is made from."""

ASSET_BY_NAME = {asset.name: asset for asset in ASSETS}


def made_from(names: Iterable[str], assets: Iterable[AssetSpec] = ASSETS) -> frozenset[str]:
    """Some assets and all that is made from them."""
    found = set(names)
    for asset in assets:  # each stands after what it is made from
        if found.intersection(asset.upstream):
            found.add(asset.name)
    return frozenset(found)


OF_ALL_TIME = made_from(asset.name for asset in ASSETS if asset.stage in (Stage.PARAMETERS, Stage.HISTORY))
"""What looks at all that ever happened, and what stands on it: made once a night (DESIGN, rule 8)."""
