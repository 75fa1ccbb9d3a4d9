"""All types of report, as recipes; whoever adds a type adds its recipe here."""

from __future__ import annotations

from healthmate_bi_pipeline.usecases.reports.health_summary import HEALTH_SUMMARY_RECIPE
from healthmate_bi_pipeline.usecases.reports.recipe import ReportRecipe

REPORT_RECIPES: tuple[ReportRecipe, ...] = (HEALTH_SUMMARY_RECIPE,)
RECIPE_BY_TYPE = {recipe.report_type.name: recipe for recipe in REPORT_RECIPES}
