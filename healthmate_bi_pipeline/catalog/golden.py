"""Which test holds each figure: the golden values of its rule, or a second, independent computation.

Paths are below ``healthmate_bi_pipeline_tests``; a test of the conventions looks that every figure has one and
that it exists.
"""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.figures import Figure
from healthmate_bi_pipeline.catalog.health_groups import PRESSURE_SHARES
from healthmate_bi_pipeline.domain.bands import CARDIOVASCULAR_COMPONENTS

OF_STATISTICS = "journeys/test_roll_up.py::test_the_figure_is_that_of_the_whole"
"""Holds every figure that is a statistic of one measure, for all six periods."""

_FIGURES = "usecases/test_health_figures.py::"
_PRESSURES = _FIGURES + "test_a_category_of_the_mean_needs_twelve_readings_on_three_days"
_SCORE = "transforms/health/test_score.py::"
_POINTS = _SCORE + "test_points_rise_and_fall_where_the_table_says"

OF_NAMED: dict[str, str] = {
    "blood_pressures": _PRESSURES,
    "blood_pressure_category": "transforms/health/test_categories.py::test_the_higher_category_counts",
    "blood_pressure_category_shares": _PRESSURES,
    "cv_blood_sugar": _FIGURES + "test_finger_sticks_have_bands_and_no_time_in_range",
    "blood_sugar_in_range": "transforms/health/test_categories.py::test_bands_are_of_whole_milligrams",
    "blood_sugar_band_shares": "transforms/health/test_categories.py::test_bands_are_of_whole_milligrams",
    "cgm_time_in_range": _FIGURES + "test_a_sensor_has_time_in_range_and_gmi",
    "glucose_management_indicator": _FIGURES + "test_gmi_is_the_published_line",
    "avg_bmi": "journeys/test_whole_periods.py::test_readings",
    "bmi_trend": "warehouse/test_view.py::test_a_trend_is_the_difference_to_the_period_before",
    "sleep_quality_score": "journeys/test_whole_periods.py::test_sleep",
    "sleep_regularity_index": _FIGURES + "test_sleep_regularity",
    "medication_adherence_rate": _FIGURES + "test_three_outcomes_of_doses_stay_apart",
    "medication_adherence_upper_bound": _FIGURES + "test_three_outcomes_of_doses_stay_apart",
    "medication_pdc": "transforms/health/test_medication.py::test_the_examples_of_pqa",
    "most_common_symptom": _FIGURES + "test_symptoms",
    "symptom_frequency": _FIGURES + "test_symptoms",
    **{f"health_score_{component}": _POINTS for component in CARDIOVASCULAR_COMPONENTS},
    "health_score_blood_pressure": _SCORE + "test_a_treated_blood_pressure_counts_20_less_and_not_below_0",
    "health_score_nicotine": _FIGURES + "test_the_score_is_the_mean_of_what_can_be_scored",
    "health_score_components": _SCORE + "test_the_mean_of_all_eight",
    "overall_health_score": _SCORE + "test_the_mean_of_all_eight",
    "health_score_trend": _FIGURES + "test_the_score_is_the_mean_of_what_can_be_scored",
    "day_slots_filled": _FIGURES + "test_completeness_counts_from_the_first_day_of_each_measure",
    "data_completeness": _FIGURES + "test_completeness_counts_from_the_first_day_of_each_measure",
    "data_accuracy": "journeys/test_uci_diabetes.py::test_every_figure_equals_the_diaries",
    "source_count": "journeys/test_roll_up.py::test_the_sources_are_those_of_the_whole",
}  # fmt: skip


_GROUPS = "usecases/test_health_groups.py::"
_SHARES_OF_READINGS = _GROUPS + "test_the_shares_of_readings_are_means_over_people"

OF_HEALTH_GROUPS: dict[str, str] = {
    "stage_2_blood_pressure_share": _GROUPS + "test_categories_and_insufficient_are_everyone_with_readings",
    **dict.fromkeys(PRESSURE_SHARES.values(), _SHARES_OF_READINGS),
    "activity_minutes_a_week": _GROUPS + "test_activity_is_held_against_the_guideline",
    "activity_guideline_share": _GROUPS + "test_activity_is_held_against_the_guideline",
    "covered_share": _GROUPS + "test_the_report_says_who_is_covered",
}


_ENGAGEMENT = "usecases/test_engagement_figures.py::"
_SETS = _ENGAGEMENT + "test_events_are_counted_with_their_counts_and_names"
_INDICES = _ENGAGEMENT + "test_the_sub_indices_and_their_mean"
_LIFECYCLE = _ENGAGEMENT + "test_lifecycle"
_ALIVE = "usecases/test_engagement_groups.py::test_everybody_with_a_first_activity_has_a_score_at_the_end_of_a_week"

OF_ENGAGEMENT: dict[str, str] = {
    "features_used": _SETS,
    "features_used_count": _SETS,
    "features_adopted_count": _SETS,
    "feature_adoption_rate": _SETS,
    "pages_visited": _SETS,
    "pages_visited_count": _SETS,
    "was_active_before": _LIFECYCLE,
    "lifecycle": _LIFECYCLE,
    "click_depth_index": _INDICES,
    "recency_index": _INDICES,
    "loyalty_index": _INDICES,
    "interaction_index": _INDICES,
    "engagement_score_components": _INDICES,
    "engagement_score": _INDICES,
    "retention_score": _ALIVE,
    "churn_risk": _ALIVE,
}
"""The same for the figures of engagement; those of a statistic are held by a roll-up of their own."""

OF_ENGAGEMENT_STATISTICS = "journeys/test_engagement_roll_up.py::test_the_figure_is_that_of_the_whole"


def golden_engagement_test(figure: Figure) -> str:
    """The test that holds a figure of engagement.

    Raises:
        KeyError: there is none.
    """
    return OF_ENGAGEMENT_STATISTICS if figure.statistic is not None else OF_ENGAGEMENT[figure.name]


_GROUPS = "usecases/test_engagement_groups.py::"
OF_ACTIVITY: dict[str, str] = {
    **dict.fromkeys(
        (
            "active_people", "daily_active_people", "weekly_active_people", "monthly_active_people", "stickiness",
        ),
        _GROUPS + "test_daily_weekly_and_monthly_active_people",
    ),
    **dict.fromkeys(
        ("new_people", "returning_people", "resurrected_people", "dormant_people"),
        _GROUPS + "test_lifecycle_counts",
    ),
    "retention": _GROUPS + "test_cohort_retention",
    "feature_reach": _GROUPS + "test_reach_and_depth_of_features",
    "uses_per_person": _GROUPS + "test_reach_and_depth_of_features",
    "recent_churn_risk": _GROUPS + "test_churn_risk_is_the_mean_of_who_was_recently_active",
}  # fmt: skip
"""The same for the figures of everybody that are no mean of people's own."""

_FINANCE = "usecases/test_finance.py::"
_LIFETIMES = _FINANCE + "test_lifetime_values_are_those_of_the_model_summed_payment_by_payment"
_PAYMENTS = _FINANCE + "test_payments_failures_and_refunds_by_hand"
_REVENUE = _FINANCE + "test_the_demo_against_a_second_computation"
_RATES = "reporting/financial/test_report.py::test_rates_are_those_of_the_numbers_that_are_shown"
OF_FINANCE: dict[str, str] = {
    **dict.fromkeys(
        (
            "paying_people", "monthly_recurring_revenue", "new_revenue", "reactivation_revenue",
            "expansion_revenue", "contraction_revenue", "churned_revenue",
        ),
        _REVENUE,
    ),
    **dict.fromkeys(("failed_payment_share", "refund_rate", "collected_revenue"), _PAYMENTS),
    **dict.fromkeys(("lifetime_value", "expected_payments"), _LIFETIMES),
    **dict.fromkeys(
        (
            "paying_share", "paying_people_churn_rate", "paying_people_growth", "recurring_revenue_growth",
            "revenue_churn_rate", "net_revenue_retention", "revenue_per_paying_person", "revenue_per_active_person",
        ),
        _RATES,
    ),
}  # fmt: skip
"""The same for the figures of finance."""

_WHOLE = "journeys/test_performance.py::test_every_figure_is_that_of_the_whole"
_RESOURCES = "journeys/test_performance.py::test_resources_are_those_of_the_samples"
_BURNS = "usecases/test_service_levels.py::test_burn_rates_are_those_of_both_windows"
_BREACHES = "usecases/test_service_levels.py::test_breaches_last_as_long_as_they_were_made_to"
_OF_HOSTS = ("cpu_percent", "memory_percent", "disk_percent")


def performance_test(figure: Figure) -> str:
    """The test that holds a figure of system performance."""
    if figure.name.startswith(_OF_HOSTS):
        return _RESOURCES
    if figure.name.startswith("breach_minutes"):
        return _BREACHES
    return _BURNS if figure.name.startswith("burn_rate_") else _WHOLE


_OPERATIONAL = "usecases/reports/test_operational.py"
_COMPLIANCE = "usecases/reports/test_compliance.py"
_LATE = f"{_OPERATIONAL}::test_rows_that_came_after_their_day_closed_are_late"
_STOPPED = f"{_OPERATIONAL}::test_a_day_without_rows_and_a_source_that_stopped_are_told"
_RUNS = f"{_OPERATIONAL}::test_runs_are_those_that_began_in_the_period"
_CATEGORIES = f"{_COMPLIANCE}::test_rows_are_judged_by_category_and_every_one_is_accounted_for"
_COUNTED = f"{_COMPLIANCE}::test_what_reports_withheld_is_counted_and_actions_are_those_of_the_period"
OF_OPERATIONS: dict[str, str] = {
    "fresh_datasets": _STOPPED,
    "freshness_hours": _LATE,
    "partitions_present": f"{_OPERATIONAL}::test_what_was_not_made_is_missing",
    "pipeline_runs": _RUNS,
    "run_success_rate": _RUNS,
    "run_duration_p95": _RUNS,
    "rows_staged": f"{_OPERATIONAL}::test_counts_of_rows_about_people_are_rounded_and_small_ones_withheld",
    "late_rows": _LATE,
    "quarantine_share": _CATEGORIES,
    "rejected_lines": _CATEGORIES,
    "quality_checks_passed": _CATEGORIES,
    "rows_unaccounted": f"{_COMPLIANCE}::test_books_that_do_not_add_up_fail",
    "partitions_overdue": f"{_COMPLIANCE}::test_a_file_that_comes_later_makes_days_overdue_until_they_are_made",
    "reports_written": _COUNTED,
    "figures_withheld": _COUNTED,
    "audited_actions": _COUNTED,
    "actions_refused": _COUNTED,
}
"""The same for the figures of the reports on the pipeline itself."""


def golden_test(figure: Figure) -> str:
    """The test that holds a figure.

    Raises:
        KeyError: there is none.
    """
    return OF_STATISTICS if figure.statistic is not None else OF_NAMED[figure.name]
