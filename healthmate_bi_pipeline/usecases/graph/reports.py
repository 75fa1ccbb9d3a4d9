"""One asset per type of report and cadence."""

from __future__ import annotations

from functools import partial

from healthmate_bi_pipeline.catalog.tables import REPORTS
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.usecases.graph.spec import AssetSpec, Stage
from healthmate_bi_pipeline.usecases.keeping import Source
from healthmate_bi_pipeline.usecases.reports.recipe import ReportRecipe, last_complete, report_inputs
from healthmate_bi_pipeline.usecases.reports.recipes import REPORT_RECIPES
from healthmate_bi_pipeline.usecases.reports.writing import build_reports, report_asset


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


REPORT_ASSETS: tuple[AssetSpec, ...] = tuple(
    _report(recipe, period) for recipe in REPORT_RECIPES for period in recipe.report_type.cadences
)
