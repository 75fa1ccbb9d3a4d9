"""What looks further than one period: devices, first days, cohorts, churn, incidents, revenue."""

from __future__ import annotations

from functools import partial

from healthmate_bi_pipeline.catalog.datasets import (
    HEALTH_READINGS,
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
    state_name,
)
from healthmate_bi_pipeline.catalog.finance import REGISTRY_VERSION as FINANCE_VERSION
from healthmate_bi_pipeline.catalog.finance_tables import REVENUE
from healthmate_bi_pipeline.catalog.lake_tables import (
    ACTIVE_DAYS,
    ACTIVE_DAYS_VERSION,
    CHURN_FIT_VERSION,
    CHURN_FITS,
    DEVICE_READINGS,
)
from healthmate_bi_pipeline.catalog.performance_tables import PERFORMANCE_INCIDENTS
from healthmate_bi_pipeline.catalog.tables import HEALTH_STARTS
from healthmate_bi_pipeline.domain.period import Grain, Period
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.churn import (
    CALIBRATION,
    RETENTION,
    build_calibration,
    build_fits,
    build_retention,
)
from healthmate_bi_pipeline.usecases.device_changes import (
    DEVICE_CHANGES_ASSET,
    build_device_changes,
    build_device_readings,
)
from healthmate_bi_pipeline.usecases.engagement import build_active_days, build_cohorts
from healthmate_bi_pipeline.usecases.engagement import build_starts as build_engagement_starts
from healthmate_bi_pipeline.usecases.finance import (
    BILLING,
    FINANCE,
    REVENUE_ASSET,
    build_revenue,
    revenue_inputs,
)
from healthmate_bi_pipeline.usecases.graph.spec import AssetSpec, Stage
from healthmate_bi_pipeline.usecases.health import build_starts
from healthmate_bi_pipeline.usecases.keeping import Source
from healthmate_bi_pipeline.usecases.performance import (
    INCIDENTS,
    build_incidents,
    incident_inputs,
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

HISTORY_ASSETS: tuple[AssetSpec, ...] = (
    _DEVICE_READINGS,
    _DEVICE_CHANGES,
    _STARTS,
    _ACTIVE_DAYS,
    *_ENGAGEMENT_HISTORY,
    _INCIDENTS,
    _REVENUE,
)
