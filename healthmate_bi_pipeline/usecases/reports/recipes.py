"""All types of report, as recipes; whoever adds a type adds its recipe here."""

from __future__ import annotations

from healthmate_bi_pipeline.usecases.reports.compliance import COMPLIANCE_RECIPE
from healthmate_bi_pipeline.usecases.reports.financial import FINANCIAL_RECIPE
from healthmate_bi_pipeline.usecases.reports.health_summary import HEALTH_SUMMARY_RECIPE
from healthmate_bi_pipeline.usecases.reports.operational import OPERATIONAL_RECIPE
from healthmate_bi_pipeline.usecases.reports.recipe import ReportRecipe
from healthmate_bi_pipeline.usecases.reports.system_performance import SYSTEM_PERFORMANCE_RECIPE
from healthmate_bi_pipeline.usecases.reports.user_engagement import USER_ENGAGEMENT_RECIPE

REPORT_RECIPES: tuple[ReportRecipe, ...] = (
    HEALTH_SUMMARY_RECIPE,
    USER_ENGAGEMENT_RECIPE,
    SYSTEM_PERFORMANCE_RECIPE,
    FINANCIAL_RECIPE,
    OPERATIONAL_RECIPE,
    COMPLIANCE_RECIPE,
)
RECIPE_BY_TYPE = {recipe.report_type.name: recipe for recipe in REPORT_RECIPES}
