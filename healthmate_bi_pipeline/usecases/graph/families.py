"""States and figures of every family: the same factory for all grains and periods."""

from __future__ import annotations

from functools import partial

from healthmate_bi_pipeline.catalog.families import (
    figures_name,
    state_name,
    state_table,
)
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.engagement import ENGAGEMENT_RECIPE
from healthmate_bi_pipeline.usecases.engagement_groups import ENGAGEMENT_GROUPS_RECIPE
from healthmate_bi_pipeline.usecases.families import Recipe, build_metrics, build_state
from healthmate_bi_pipeline.usecases.graph.spec import AssetSpec
from healthmate_bi_pipeline.usecases.health import HEALTH_RECIPE
from healthmate_bi_pipeline.usecases.keeping import figure_sources, state_sources
from healthmate_bi_pipeline.usecases.performance import (
    PERFORMANCE_RECIPE,
)
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline
from healthmate_bi_pipeline.usecases.reports.restated import name_reports


def _state(recipe: Recipe, grain: Grain) -> AssetSpec:
    family = recipe.family
    finer = family.finer(grain)
    raw = tuple(f"raw/{dataset.name}" for dataset in family.layer(grain).datasets)
    table = state_table(family, grain)
    return AssetSpec(
        name=table.name,
        group="state",
        description=table.description,
        partitioned_by=Period.MONTHLY if grain is Grain.MONTH else Period.DAILY,
        upstream=(*((state_name(family, finer),) if finer else ()), *raw),
        table=table,
        place="lake",
        version=str(family.state_version),
        build=partial(build_state, recipe=recipe, grain=grain),
        inputs=partial(versions.state_inputs, family=family, grain=grain),
        keeping=lambda rules: rules.states.get(table.name),
        sources=state_sources(family, grain),
    )


def _figures(pipeline: Pipeline, window: Window | None, *, recipe: Recipe, period: Period) -> Built:
    """Replace the figures of a window, and name the reports that were written from what was there before."""
    built = build_metrics(pipeline, window, recipe=recipe, period=period)
    name_reports(pipeline, asset=figures_name(recipe.family, period), period=period)
    return built


def _metrics(recipe: Recipe, period: Period) -> AssetSpec:
    family = recipe.family
    people = ("raw/users",) if family.reads_people else ()
    beside = ", and the figures beside them" if family.beside else ""
    return AssetSpec(
        name=figures_name(family, period),
        group=family.group,
        description=f"{family.view.description} The {period} rows{beside}.",
        partitioned_by=period.partitioned_by,
        upstream=(state_name(family, period.state_grain), *people),
        table=family.view,
        place="warehouse",
        version=str(family.registry_version),
        build=partial(_figures, recipe=recipe, period=period),
        inputs=partial(versions.metrics_inputs, family=family, period=period),
        keeping=lambda rules: rules.periods[period],
        sources=figure_sources(family, period),
    )


_RECIPES: tuple[Recipe, ...] = (
    HEALTH_RECIPE,
    ENGAGEMENT_RECIPE,
    ENGAGEMENT_GROUPS_RECIPE,
    PERFORMANCE_RECIPE,
)

FAMILY_ASSETS: tuple[AssetSpec, ...] = (
    *(_state(recipe, grain) for recipe in _RECIPES if recipe.states for grain in recipe.family.grains),
    *(_metrics(recipe, period) for recipe in _RECIPES for period in Period),
)
