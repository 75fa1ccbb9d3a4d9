"""What takes files in and checks their rows: staged rows, baselines, raw days."""

from __future__ import annotations

from functools import partial

from healthmate_bi_pipeline.catalog.datasets import (
    DATASETS,
    HEALTH_READINGS,
    USERS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.lake_tables import (
    READING_BASELINES,
    raw_table,
    staged_table,
)
from healthmate_bi_pipeline.catalog.readings import BASELINE_VERSION
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.conform import build_raw, build_users
from healthmate_bi_pipeline.usecases.graph.spec import RAW, AssetSpec, Stage
from healthmate_bi_pipeline.usecases.ingest import ingest
from healthmate_bi_pipeline.usecases.keeping import Source
from healthmate_bi_pipeline.usecases.plausibility import build_baselines


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


INTAKE_ASSETS: tuple[AssetSpec, ...] = (
    *(_staged(dataset) for dataset in DATASETS),
    _baselines(),
    *(_raw(dataset) for dataset in DATASETS),
)
