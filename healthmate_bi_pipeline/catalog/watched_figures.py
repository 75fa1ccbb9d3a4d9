"""The figures that reports watch: which direction is good news, and the smallest change worth a reader's time.

With many people every difference is significant; what is smaller than ``smallest_change`` is no insight, however
certain. A builder that fills ``Tracked(figure=…)`` with a figure that is not here adds its line here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from healthmate_bi_pipeline.errors import IntegrityError


class Better(StrEnum):
    """Which direction is good news for those that a figure is about."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


@dataclass(frozen=True)
class WatchedFigure:
    """A figure that insights are looked for in.

    Attributes:
        name: the figure.
        better: which direction is good news.
        smallest_change: the smallest difference worth saying, in the figure's unit.
        reason: why that one, with its source, or ``own``.
        is_relative: ``smallest_change`` is a share of the level before, for figures that grow with the business.
        is_share_of_people: the figure is people / people; compared as shares, not as means.
    """

    name: str
    better: Better
    smallest_change: float
    reason: str
    is_relative: bool = False
    is_share_of_people: bool = False

    def matters(self, change: float, *, level: float) -> bool:
        """Whether a change is worth saying, of a figure that was at a level before."""
        return abs(change) >= self.smallest_at(level) > 0

    def smallest_at(self, level: float) -> float:
        """The smallest change worth saying of a figure that was at a level before; 0: none is."""
        return self.smallest_change * abs(level) if self.is_relative else self.smallest_change


_OWN = "own"
_HIGHER, _LOWER, _NEITHER = Better.HIGHER, Better.LOWER, Better.NEITHER

HEALTH: tuple[WatchedFigure, ...] = (
    WatchedFigure("overall_health_score", _HIGHER, 2, "own: a tenth of the distance between two steps of a component"),
    WatchedFigure("avg_blood_pressure_systolic", _LOWER, 2, "own: a fifth of the width of a category, AHA/ACC 2017"),
    WatchedFigure("avg_blood_pressure_diastolic", _LOWER, 1.5, "own: about a fifth of the width of a category"),
    WatchedFigure("stage_2_blood_pressure_share", _LOWER, 0.03, "own: three people of a hundred", is_share_of_people=True),
    WatchedFigure("avg_heart_rate", _NEITHER, 2, _OWN),
    WatchedFigure("resting_heart_rate", _LOWER, 2, _OWN),
    WatchedFigure("avg_weight", _NEITHER, 0.8, "own: about a hundredth of a body weight"),
    WatchedFigure("avg_bmi", _NEITHER, 0.3, "own: about a hundredth of a body weight"),
    WatchedFigure("avg_blood_sugar", _LOWER, 5, _OWN),
    WatchedFigure("blood_sugar_in_range", _HIGHER, 0.05, "own, after Battelino 2019: 5 points"),
    WatchedFigure("avg_hba1c", _LOWER, 0.3, _OWN),
    WatchedFigure("avg_temperature", _NEITHER, 0.3, _OWN),
    WatchedFigure("avg_oxygen_saturation", _HIGHER, 1, "own: a whole point of what the devices show"),
    WatchedFigure("avg_steps_per_day", _HIGHER, 500, "own: a quarter of the plateau's width, Paluch 2022"),
    WatchedFigure("activity_guideline_share", _HIGHER, 0.03, "own: three people of a hundred", is_share_of_people=True),
    WatchedFigure("avg_calories_burned_per_day", _NEITHER, 100, _OWN),
    WatchedFigure("avg_exercise_minutes_per_day", _HIGHER, 3, "own: about 20 minutes a week, WHO 2020 asks for 150"),
    WatchedFigure("avg_sleep_hours", _HIGHER, 0.25, "own: a quarter of an hour a night"),
    WatchedFigure("sleep_quality_score", _HIGHER, 2, _OWN),
    WatchedFigure("sleep_regularity_index", _HIGHER, 3, _OWN),
    WatchedFigure("medication_adherence_rate", _HIGHER, 0.03, "own: a seventh of the distance from 80 % (PQA) to all"),
    WatchedFigure("total_symptoms_logged", _LOWER, 0.1, "own: a tenth of the symptoms logged", is_relative=True),
    WatchedFigure("avg_symptom_severity", _LOWER, 0.5, "own: half a point of ten"),
    WatchedFigure("data_accuracy", _HIGHER, 0.01, "own: one reading of a hundred"),
)  # fmt: skip
"""``health_score_components`` is not among them: it follows what people measure; nor ``activity_minutes_a_week``, which
moves as exercise per day does."""

ENGAGEMENT: tuple[WatchedFigure, ...] = (
    WatchedFigure("active_people", _HIGHER, 0.05, "own: a twentieth of those active", is_relative=True),
    WatchedFigure("daily_active_people", _HIGHER, 0.05, "own: a twentieth of those active", is_relative=True),
    WatchedFigure("weekly_active_people", _HIGHER, 0.05, "own: a twentieth of those active", is_relative=True),
    WatchedFigure("monthly_active_people", _HIGHER, 0.05, "own: a twentieth of those active", is_relative=True),
    WatchedFigure("new_people", _HIGHER, 0.1, _OWN, is_relative=True),
    WatchedFigure("dormant_people", _LOWER, 0.1, _OWN, is_relative=True),
    WatchedFigure("resurrected_people", _HIGHER, 0.1, _OWN, is_relative=True),
    WatchedFigure("stickiness", _HIGHER, 0.02, _OWN),
    WatchedFigure("retention", _HIGHER, 0.03, _OWN, is_share_of_people=True),
    WatchedFigure("engagement_score", _HIGHER, 2, _OWN),
    WatchedFigure("feature_adoption_rate", _HIGHER, 0.03, _OWN),
    WatchedFigure("feature_reach", _HIGHER, 0.03, _OWN, is_share_of_people=True),
    WatchedFigure("retention_score", _HIGHER, 2, _OWN),
    WatchedFigure("churn_risk", _LOWER, 0.02, _OWN),
    WatchedFigure("recent_churn_risk", _LOWER, 0.02, _OWN),
    WatchedFigure("returning_people", _HIGHER, 0.05, _OWN, is_relative=True),
    WatchedFigure("active_days", _HIGHER, 0.05, _OWN, is_relative=True),
    WatchedFigure("features_used_count", _HIGHER, 0.05, _OWN, is_relative=True),
    WatchedFigure("total_sessions", _HIGHER, 0.1, _OWN, is_relative=True),
    WatchedFigure("avg_session_duration_minutes", _NEITHER, 0.1, _OWN, is_relative=True),
    WatchedFigure("time_spent_in_app_minutes", _NEITHER, 0.1, _OWN, is_relative=True),
    WatchedFigure("login_count", _NEITHER, 0.1, _OWN, is_relative=True),
    WatchedFigure("health_data_entries", _HIGHER, 0.1, _OWN, is_relative=True),
    WatchedFigure("actions_performed", _HIGHER, 0.1, _OWN, is_relative=True),
    WatchedFigure("page_views", _NEITHER, 0.1, _OWN, is_relative=True),
    WatchedFigure("chat_messages_sent", _NEITHER, 0.1, _OWN, is_relative=True),
)  # fmt: skip

PERFORMANCE: tuple[WatchedFigure, ...] = (
    WatchedFigure("requests", _NEITHER, 0.2, "own: a fifth of the requests", is_relative=True),
    WatchedFigure("throughput", _NEITHER, 0.2, "own: a fifth of the requests", is_relative=True),
    WatchedFigure("response_time_p50", _LOWER, 0.1, "own: a tenth", is_relative=True),
    WatchedFigure("response_time_p95", _LOWER, 0.1, "own: a tenth", is_relative=True),
    WatchedFigure("response_time_p99", _LOWER, 0.1, "own: a tenth", is_relative=True),
    WatchedFigure("error_rate", _LOWER, 0.001, "own: the whole budget of an objective of 99.9 %"),
    WatchedFigure("client_error_rate", _NEITHER, 0.01, _OWN),
    WatchedFigure("availability", _HIGHER, 0.0005, "own: half the budget of an objective of 99.9 %"),
    WatchedFigure("slow_share", _LOWER, 0.01, _OWN),
    WatchedFigure("apdex", _HIGHER, 0.03, _OWN),
    WatchedFigure("cpu_percent_p95", _LOWER, 5, _OWN),
    WatchedFigure("cpu_percent_mean", _LOWER, 5, _OWN),
    WatchedFigure("memory_percent_p95", _LOWER, 5, _OWN),
    WatchedFigure("memory_percent_mean", _LOWER, 5, _OWN),
    WatchedFigure("disk_percent_p95", _LOWER, 3, _OWN),
    WatchedFigure("disk_percent_mean", _LOWER, 3, _OWN),
    WatchedFigure("disk_percent_max", _LOWER, 3, _OWN),
)  # fmt: skip

REVENUE: tuple[WatchedFigure, ...] = (
    WatchedFigure("monthly_recurring_revenue", _HIGHER, 0.03, _OWN, is_relative=True),
    WatchedFigure("paying_people_growth", _HIGHER, 0.02, _OWN),
    WatchedFigure("recurring_revenue_growth", _HIGHER, 0.02, _OWN),
    WatchedFigure("new_revenue", _HIGHER, 0.1, _OWN, is_relative=True),
    WatchedFigure("expansion_revenue", _HIGHER, 0.1, _OWN, is_relative=True),
    WatchedFigure("contraction_revenue", _LOWER, 0.1, _OWN, is_relative=True),
    WatchedFigure("churned_revenue", _LOWER, 0.1, _OWN, is_relative=True),
    WatchedFigure("revenue_per_active_person", _HIGHER, 0.05, _OWN, is_relative=True),
    WatchedFigure("lifetime_value", _HIGHER, 0.05, _OWN, is_relative=True),
    WatchedFigure("paying_people", _HIGHER, 0.03, _OWN, is_relative=True),
    WatchedFigure("churned_people", _LOWER, 0.1, _OWN, is_relative=True),
    WatchedFigure("failed_payment_share", _LOWER, 0.01, _OWN),
    WatchedFigure("paying_people_churn_rate", _LOWER, 0.01, _OWN, is_share_of_people=True),
    WatchedFigure("revenue_churn_rate", _LOWER, 0.01, _OWN),
    WatchedFigure("net_revenue_retention", _HIGHER, 0.01, _OWN),
    WatchedFigure("collected_revenue", _HIGHER, 0.05, _OWN, is_relative=True),
    WatchedFigure("revenue_per_paying_person", _HIGHER, 0.03, _OWN, is_relative=True),
    WatchedFigure("paying_share", _HIGHER, 0.02, _OWN),
    WatchedFigure("refunded_revenue", _LOWER, 0.1, _OWN, is_relative=True),
)  # fmt: skip

OPERATION: tuple[WatchedFigure, ...] = (
    WatchedFigure("rows_staged", _NEITHER, 0.2, "own: a fifth of the rows", is_relative=True),
    WatchedFigure("rows_per_day", _NEITHER, 0.1, "own: a tenth of the rows", is_relative=True),
    WatchedFigure("quarantine_share", _LOWER, 0.005, _OWN),
    WatchedFigure("duplicate_share", _LOWER, 0.02, _OWN),
    WatchedFigure("late_row_share", _LOWER, 0.01, _OWN),
    WatchedFigure("failed_run_share", _LOWER, 0.05, _OWN),
    WatchedFigure("run_failures", _LOWER, 1, "own: one run"),
    WatchedFigure("run_duration_seconds", _LOWER, 0.2, "own: a fifth", is_relative=True),
    WatchedFigure("freshness_hours", _LOWER, 6, _OWN),
    WatchedFigure("disk_bytes", _NEITHER, 0.1, _OWN, is_relative=True),
    WatchedFigure("suppressed_cells", _NEITHER, 0.2, _OWN, is_relative=True),
)  # fmt: skip


def _by_name(figures: Iterable[WatchedFigure]) -> dict[str, WatchedFigure]:
    return {figure.name: figure for figure in figures}


WATCHED_FIGURES = (*HEALTH, *ENGAGEMENT, *PERFORMANCE, *REVENUE, *OPERATION)
_BY_NAME = _by_name(WATCHED_FIGURES)


def watched_figure(name: str) -> WatchedFigure:
    """What is known of a watched figure; what stands behind a colon tells whose it is (``…:EUR``).

    Raises:
        IntegrityError: it has no line in the catalog, so that nobody said what is good and what matters.
    """
    known = _BY_NAME.get(name.partition(":")[0])
    if known is None:
        raise IntegrityError(
            f"The figure {name} is watched by a report and has no line in catalog/watched_figures; add one."
        )
    return known
