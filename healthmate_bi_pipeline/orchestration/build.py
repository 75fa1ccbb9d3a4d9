"""All of Dagster's definitions, from settings: what ``definitions.py`` and the command line both load."""

import warnings
from collections.abc import Iterable
from functools import partial

import dagster as dg

from healthmate_bi_pipeline.orchestration.assets import build_assets
from healthmate_bi_pipeline.orchestration.checks import build_checks
from healthmate_bi_pipeline.orchestration.links import linked_to_repository
from healthmate_bi_pipeline.orchestration.partitions import find_first_day
from healthmate_bi_pipeline.orchestration.resources import PIPELINE, OpenPipeline, pipeline_resource
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.checks import CHECKS, CheckSpec
from healthmate_bi_pipeline.usecases.graph import ASSETS, AssetSpec
from healthmate_bi_pipeline.usecases.pipeline import Pipeline


def build_definitions(
    settings: Settings,
    *,
    assets: Iterable[AssetSpec] = ASSETS,
    checks: Iterable[CheckSpec] = CHECKS,
    open_pipeline: OpenPipeline | None = None,
) -> dg.Definitions:
    """Assets, checks, schedules and the resource; nothing is opened here.

    Args:
        settings: the configuration.
        assets: the graph.
        checks: what is checked of it.
        open_pipeline: how a run comes to its pipeline; by default it opens one of these settings.
    """
    assets = tuple(assets)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)
        warnings.filterwarnings("ignore", "Parameter `allow_nonexistent_upstream_partitions`", dg.BetaWarning)
        warnings.filterwarnings("ignore", "Class `.*CodeReference", dg.BetaWarning)
        warnings.filterwarnings("ignore", "Function `link_code_references_to_git`", dg.BetaWarning)
        warnings.filterwarnings("ignore", "Class `AnchorBasedFilePathMapping`", dg.BetaWarning)
        made = build_assets(assets, settings=settings, first_day=find_first_day(settings))
        made = linked_to_repository(made, settings)
    return dg.Definitions(
        assets=made,
        asset_checks=build_checks(checks, assets, settings.checks),
        resources={PIPELINE: pipeline_resource(open_pipeline or partial(Pipeline.open, settings))},
        # One process a run: the engine uses all cores by itself, and the warehouse is opened once.
        executor=dg.in_process_executor,
    )
