"""Selecting assets: by name, by group, or in Dagster's selection syntax."""

import re
import warnings
from collections.abc import Sequence

import dagster as dg
from dagster import DagsterError

from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.orchestration.assets import asset_key
from healthmate_bi_pipeline.usecases.graph import AssetSpec

_BARE_NAME = re.compile(r'(?<![\w/:"])\w+(?:/\w+)+(?![\w/"])')


def select_assets(
    texts: Sequence[str], assets: Sequence[AssetSpec], definitions: dg.Definitions
) -> tuple[AssetSpec, ...]:
    """The assets that any of the texts names, in the order of the graph; all when there is no text.

    Args:
        texts: each the name of an asset (``raw/users``), of a group (``reports``), or an expression
            (``raw/users+``, ``group:state and not key:"state/health_months"``).
        assets: the graph.
        definitions: Dagster's view of it.

    Raises:
        UsageError: a text selects nothing.
    """
    if not texts:
        return tuple(assets)
    chosen: set[dg.AssetKey] = set()
    for text in texts:
        keys = _selected(text, assets, definitions)
        if not keys:
            groups = ", ".join(dict.fromkeys(asset.group for asset in assets))
            raise UsageError(
                f"--select {text}: no asset is called so. Name an asset as in the graph (raw/users), a group"
                f" ({groups}), or write an expression of Dagster's selection syntax (raw/users+)."
            )
        chosen |= keys
    return tuple(asset for asset in assets if asset_key(asset.name) in chosen)


def _selected(text: str, assets: Sequence[AssetSpec], definitions: dg.Definitions) -> set[dg.AssetKey]:
    named = {asset_key(asset.name) for asset in assets if text in (asset.name, asset.group)}
    if named:
        return named
    known = {asset_key(asset.name) for asset in assets}
    try:
        # Dagster reads a bare name with a slash in its older syntax, where + is one layer and not all of them.
        with warnings.catch_warnings():  # of "not"
            warnings.filterwarnings("ignore", "Parameter `include_sources`", dg.BetaWarning)
            selection = dg.AssetSelection.from_string(_BARE_NAME.sub(r'key:"\g<0>"', text))
        return set(selection.resolve(definitions.resolve_asset_graph())) & known
    except (DagsterError, ValueError):
        return set()
