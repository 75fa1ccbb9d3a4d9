"""The graph of assets, as data: what is made, from what, per which period, by which use case.

Dagster's assets, the plan of what is stale and the command line all come from ``ASSETS``; whoever adds a
family adds its assets here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import partial

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.datasets import (
    DATASETS,
    HEALTH_READINGS,
    USERS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.device_changes import (
    DEVICE_CHANGES,
    DEVICE_CHANGES_VERSION,
    DEVICE_READINGS_VERSION,
)
from healthmate_bi_pipeline.catalog.engagement_tables import (
    CHURN_CALIBRATION,
    ENGAGEMENT_COHORTS,
    ENGAGEMENT_STARTS,
    USER_RETENTION,
)
from healthmate_bi_pipeline.catalog.families import (
    ENGAGEMENT,
    HEALTH,
    PERFORMANCE,
    figures_name,
    state_name,
    state_table,
)
from healthmate_bi_pipeline.catalog.finance import REGISTRY_VERSION as FINANCE_VERSION
from healthmate_bi_pipeline.catalog.finance_tables import REVENUE
from healthmate_bi_pipeline.catalog.lake_tables import (
    ACTIVE_DAYS,
    ACTIVE_DAYS_VERSION,
    CHURN_FIT_VERSION,
    CHURN_FITS,
    DEVICE_READINGS,
    READING_BASELINES,
    raw_table,
    staged_table,
)
from healthmate_bi_pipeline.catalog.performance_tables import PERFORMANCE_INCIDENTS
from healthmate_bi_pipeline.catalog.readings import BASELINE_VERSION
from healthmate_bi_pipeline.catalog.retention import Rules
from healthmate_bi_pipeline.catalog.tables import HEALTH_STARTS, REPORTS
from healthmate_bi_pipeline.domain.keeping import Keeping
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.churn import (
    CALIBRATION,
    RETENTION,
    build_calibration,
    build_fits,
    build_retention,
)
from healthmate_bi_pipeline.usecases.conform import build_raw, build_users
from healthmate_bi_pipeline.usecases.device_changes import (
    DEVICE_CHANGES_ASSET,
    build_device_changes,
    build_device_readings,
)
from healthmate_bi_pipeline.usecases.engagement import ENGAGEMENT_RECIPE, build_active_days, build_cohorts
from healthmate_bi_pipeline.usecases.engagement import build_starts as build_engagement_starts
from healthmate_bi_pipeline.usecases.engagement_groups import ENGAGEMENT_GROUPS_RECIPE
from healthmate_bi_pipeline.usecases.families import Recipe, build_metrics, build_state
from healthmate_bi_pipeline.usecases.finance import (
    BILLING,
    FINANCE,
    REVENUE_ASSET,
    build_revenue,
    revenue_inputs,
)
from healthmate_bi_pipeline.usecases.health import HEALTH_RECIPE, build_starts
from healthmate_bi_pipeline.usecases.ingest import ingest
from healthmate_bi_pipeline.usecases.keeping import Source, figure_sources, state_sources
from healthmate_bi_pipeline.usecases.performance import (
    INCIDENTS,
    PERFORMANCE_RECIPE,
    build_incidents,
    incident_inputs,
)
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline
from healthmate_bi_pipeline.usecases.plausibility import build_baselines
from healthmate_bi_pipeline.usecases.reports.recipe import ReportRecipe, last_complete, report_inputs
from healthmate_bi_pipeline.usecases.reports.recipes import REPORT_RECIPES
from healthmate_bi_pipeline.usecases.reports.restated import name_reports
from healthmate_bi_pipeline.usecases.reports.writing import build_reports, report_asset

Build = Callable[[Pipeline, Window | None], Built]
Inputs = Callable[[Pipeline, Connection, Window], Mapping[date, int]]


RAW = "raw"
"""The group of what is made from staged rows, which all else is made from."""


class Stage(IntEnum):
    """The order of assets whose partitionings do not tell it: a run makes one partitioning after the other."""

    INTAKE = 0
    """What takes files in."""
    BASELINES = 1
    """What the days of the next month are judged by."""
    FIGURES = 2
    """Raw days, states and figures."""
    PARAMETERS = 3
    """What is fitted on the days before a month, and read from then on."""
    HISTORY = 4
    """What is made from the states of all time."""
    REPORTS = 5
    """What is written only where somebody wants it."""
    REPORTS_ON_REPORTS = 6
    """What looks at the other reports of its period."""


@dataclass(frozen=True)
class AssetSpec:
    """One asset.

    Attributes:
        name: with slashes, as in Dagster's asset key.
        group: the column of the graph that it stands in.
        description: what it is.
        partitioned_by: the period of its partitions; ``None``: it has none.
        upstream: the assets that it is made from.
        upstream_before: those of them of which it is made from the partition before its own.
        keeping: how long its partitions are kept; ``None``: for ever.
        sources: the partitions that one of its own is made from, as far as they may be deleted: when they are, it is
            not made again.
        wanted: of an asset whose partitions are made where somebody asks for them: the one that is made by itself.
        is_frozen: made once; again only when somebody asks for it by name.
        table: its columns.
        place: lake, warehouse or files.
        version: of the code; another one makes what was made stale.
        build: makes the partitions of a window (``None`` for an asset without partitions).
        stage: when its turn comes in a run over all assets.
        inputs: the version of what each partition of a window would be made from now; partitions without any
            input are left out. ``None``: it is always tried.
    """

    name: str
    group: str
    description: str
    partitioned_by: Period | None
    upstream: tuple[str, ...]
    table: Table
    place: str
    version: str
    build: Build
    inputs: Inputs | None
    stage: Stage = Stage.FIGURES
    upstream_before: tuple[str, ...] = ()
    is_frozen: bool = False
    keeping: Callable[[Rules], Keeping | None] | None = None
    sources: tuple[Source, ...] = ()
    wanted: Callable[[Pipeline], date | None] | None = None


def _staged(dataset: Dataset) -> AssetSpec:
    return AssetSpec(
        name=f"staged/{dataset.name}",
        group="staged",
        description=f"Every row of {dataset.name} that was read from the landing folder; reads the files that are new.",
        partitioned_by=None,
        upstream=(),
        table=staged_table(dataset),
        place="lake",
        version="1",
        build=lambda pipeline, _window: ingest(pipeline, dataset),
        inputs=None,
        stage=Stage.INTAKE,
    )  # fmt: skip


def _raw(dataset: Dataset) -> AssetSpec:
    is_users = dataset is USERS
    people = ("raw/users",) if dataset.has_wall_clock and not is_users else ()
    clock = "wall-clock time" if dataset.has_wall_clock else "UTC"
    baselines = (READING_BASELINES.name,) if dataset is HEALTH_READINGS else ()
    return AssetSpec(
        name=f"raw/{dataset.name}",
        group=RAW,
        description=f"{dataset.description} Checked, in kept units and {clock}, one version per key.",
        partitioned_by=None if is_users else Period.DAILY,
        upstream=(f"staged/{dataset.name}", *people, *baselines),
        upstream_before=baselines,
        table=raw_table(dataset),
        place="lake",
        version=str(dataset.version),
        build=(lambda pipeline, _window: build_users(pipeline)) if is_users else partial(build_raw, dataset=dataset),
        inputs=partial(versions.users_inputs) if is_users else partial(versions.raw_inputs, dataset=dataset),
        keeping=lambda rules: rules.datasets.get(dataset.name),
    )  # fmt: skip


def _baselines() -> AssetSpec:
    return AssetSpec(
        name=READING_BASELINES.name,
        group="baselines",
        description=f"{READING_BASELINES.description} Made once for a month that is over, and read a month later.",
        partitioned_by=Period.MONTHLY,
        upstream=("staged/health_readings",),
        table=READING_BASELINES,
        place="lake",
        version=str(BASELINE_VERSION),
        build=build_baselines,
        inputs=versions.baseline_inputs,
        stage=Stage.BASELINES,
        is_frozen=True,
        sources=(Source(f"raw/{HEALTH_READINGS.name}"),),
    )


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


_STARTS = AssetSpec(
    name="health_metrics/starts",
    group="health_metrics",
    description=HEALTH_STARTS.description,
    partitioned_by=None,
    upstream=(state_name(HEALTH, Grain.MONTH),),
    table=HEALTH_STARTS,
    place="warehouse",
    version=str(HEALTH.registry_version),
    build=lambda pipeline, _window: build_starts(pipeline),
    inputs=partial(versions.starts_inputs, family=HEALTH),
    stage=Stage.HISTORY,
)

_DEVICE_READINGS = AssetSpec(
    name=DEVICE_READINGS.name,
    group="state",
    description=DEVICE_READINGS.description,
    partitioned_by=Period.MONTHLY,
    upstream=(f"raw/{HEALTH_READINGS.name}",),
    table=DEVICE_READINGS,
    place="lake",
    version=str(DEVICE_READINGS_VERSION),
    build=build_device_readings,
    inputs=versions.device_readings_inputs,
    sources=(Source(f"raw/{HEALTH_READINGS.name}"),),
)

_DEVICE_CHANGES = AssetSpec(
    name=DEVICE_CHANGES_ASSET,
    group=HEALTH.group,
    description=DEVICE_CHANGES.description,
    partitioned_by=Period.MONTHLY,
    upstream=(DEVICE_READINGS.name,),
    table=DEVICE_CHANGES,
    place="warehouse",
    version=str(DEVICE_CHANGES_VERSION),
    build=build_device_changes,
    inputs=versions.device_changes_inputs,
    keeping=lambda rules: rules.periods[Period.MONTHLY],
)

_ACTIVE_DAYS = AssetSpec(
    name=ACTIVE_DAYS.name,
    group="state",
    description=ACTIVE_DAYS.description,
    partitioned_by=Period.MONTHLY,
    upstream=(state_name(ENGAGEMENT, Grain.DAY),),
    table=ACTIVE_DAYS,
    place="lake",
    version=str(ACTIVE_DAYS_VERSION),
    build=build_active_days,
    inputs=versions.active_days_inputs,
    sources=(Source(state_name(ENGAGEMENT, Grain.DAY)),),
)

_ENGAGEMENT_HISTORY = (
    AssetSpec(
        name=f"{ENGAGEMENT.group}/starts",
        group=ENGAGEMENT.group,
        description=f"{ENGAGEMENT_STARTS.description} And the first day of every feature.",
        partitioned_by=None,
        upstream=(state_name(ENGAGEMENT, Grain.MONTH),),
        table=ENGAGEMENT_STARTS,
        place="warehouse",
        version=str(ENGAGEMENT.registry_version),
        build=lambda pipeline, _window: build_engagement_starts(pipeline),
        inputs=partial(versions.starts_inputs, family=ENGAGEMENT),
        stage=Stage.HISTORY,
    ),
    AssetSpec(
        name=f"{ENGAGEMENT.group}/cohorts",
        group=ENGAGEMENT.group,
        description=ENGAGEMENT_COHORTS.description,
        partitioned_by=None,
        upstream=(ACTIVE_DAYS.name,),
        table=ENGAGEMENT_COHORTS,
        place="warehouse",
        version=str(ENGAGEMENT.registry_version),
        build=lambda pipeline, _window: build_cohorts(pipeline),
        inputs=versions.cohorts_inputs,
        stage=Stage.HISTORY,
    ),
    AssetSpec(
        name=CHURN_FITS.name,
        group="parameters",
        description=f"{CHURN_FITS.description} Made once, when the days before the month are over.",
        partitioned_by=Period.MONTHLY,
        upstream=(ACTIVE_DAYS.name,),
        upstream_before=(ACTIVE_DAYS.name,),
        table=CHURN_FITS,
        place="lake",
        version=str(CHURN_FIT_VERSION),
        build=build_fits,
        inputs=versions.fits_inputs,
        stage=Stage.PARAMETERS,
        is_frozen=True,
    ),
    AssetSpec(
        name=RETENTION,
        group=ENGAGEMENT.group,
        description=USER_RETENTION.description,
        partitioned_by=Period.WEEKLY,
        upstream=(ACTIVE_DAYS.name, CHURN_FITS.name),
        table=USER_RETENTION,
        place="warehouse",
        version=str(ENGAGEMENT.registry_version),
        build=build_retention,
        inputs=versions.retention_inputs,
        stage=Stage.HISTORY,
        keeping=lambda rules: rules.longest(Period.WEEKLY),
    ),
    AssetSpec(
        name=CALIBRATION,
        group=ENGAGEMENT.group,
        description=CHURN_CALIBRATION.description,
        partitioned_by=None,
        upstream=(ACTIVE_DAYS.name, CHURN_FITS.name),
        table=CHURN_CALIBRATION,
        place="warehouse",
        version=str(ENGAGEMENT.registry_version),
        build=lambda pipeline, _window: build_calibration(pipeline),
        inputs=versions.calibration_inputs,
        stage=Stage.HISTORY,
    ),
)


_INCIDENTS = AssetSpec(
    name=INCIDENTS,
    group=PERFORMANCE.group,
    description=PERFORMANCE_INCIDENTS.description,
    partitioned_by=None,
    upstream=(state_name(PERFORMANCE, Grain.FIVE_MINUTES),),
    table=PERFORMANCE_INCIDENTS,
    place="warehouse",
    version=str(PERFORMANCE.registry_version),
    build=lambda pipeline, _window: build_incidents(pipeline),
    inputs=incident_inputs,
    stage=Stage.HISTORY,
)


_REVENUE = AssetSpec(
    name=REVENUE_ASSET,
    group=FINANCE,
    description=f"{REVENUE.description} And lifetime values of running subscriptions.",
    partitioned_by=None,
    upstream=(BILLING,),
    table=REVENUE,
    place="warehouse",
    version=str(FINANCE_VERSION),
    build=lambda pipeline, _window: build_revenue(pipeline),
    inputs=revenue_inputs,
    stage=Stage.HISTORY,
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


def _report(recipe: ReportRecipe, period: Period) -> AssetSpec:
    report_type = recipe.report_type
    return AssetSpec(
        name=report_asset(report_type, period),
        group="reports",
        description=f"{report_type.description} One report per period, {period}, as HTML and JSON.",
        partitioned_by=period,
        upstream=recipe.upstream(period),
        table=REPORTS,
        place="files",
        version="1",
        build=partial(build_reports, recipe=recipe, period=period),
        inputs=partial(report_inputs, recipe=recipe, period=period),
        stage=Stage.REPORTS_ON_REPORTS if recipe.reads_reports else Stage.REPORTS,
        keeping=lambda rules: rules.reports[report_type.name],
        sources=tuple(Source(name) for name in recipe.shown(period)),
        wanted=partial(last_complete, recipe=recipe, period=period)
        if period in report_type.usual_cadences
        else None,
    )


RECIPES: tuple[Recipe, ...] = (
    HEALTH_RECIPE,
    ENGAGEMENT_RECIPE,
    ENGAGEMENT_GROUPS_RECIPE,
    PERFORMANCE_RECIPE,
)

ASSETS: tuple[AssetSpec, ...] = (
    *(_staged(dataset) for dataset in DATASETS),
    _baselines(),
    *(_raw(dataset) for dataset in DATASETS),
    *(_state(recipe, grain) for recipe in RECIPES if recipe.states for grain in recipe.family.grains),
    *(_metrics(recipe, period) for recipe in RECIPES for period in Period),
    _DEVICE_READINGS,
    _DEVICE_CHANGES,
    _STARTS,
    _ACTIVE_DAYS,
    *_ENGAGEMENT_HISTORY,
    _INCIDENTS,
    _REVENUE,
    *(_report(recipe, period) for recipe in REPORT_RECIPES for period in recipe.report_type.cadences),
)
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
