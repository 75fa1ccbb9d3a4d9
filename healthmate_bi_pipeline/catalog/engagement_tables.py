"""The warehouse's tables of user engagement: figures per person, and those that belong to groups.

``bi_user_engagement_analytics`` is a view over ``bi_user_engagement_rows``: what rests on a person's whole history
(first activity, features that exist) is looked up, so that a first row that comes late touches no finished row
(DESIGN, rule 8).
"""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Column, PrivacyClass, Table, Type
from healthmate_bi_pipeline.catalog.engagement import ENGAGEMENT_FIGURES
from healthmate_bi_pipeline.catalog.group_tables import group_table
from healthmate_bi_pipeline.catalog.provenance import (
    HAS_USER_RECORD,
    HOURS_COVERED,
    PERIOD_COLUMNS,
    PROVENANCE,
)
from healthmate_bi_pipeline.domain.period import Period

ENGAGEMENT_ROWS = Table(
    "bi_user_engagement_rows",
    "Engagement figures per person and period, without what looks back; read bi_user_engagement_analytics instead.",
    (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        *PERIOD_COLUMNS,
        Column("date", Type.DATE, "The day that the period starts on.", is_nullable=False),
        HOURS_COVERED,
        HAS_USER_RECORD,
        *(figure for figure in ENGAGEMENT_FIGURES if not figure.is_in_view_only),
        *PROVENANCE,
    ),
    key=("user_id", "aggregation_period", "period_start"),
    privacy=PrivacyClass.IDENTIFIED,
    partition_column="aggregation_period",
    partition_values=tuple(Period),
)

ENGAGEMENT_VIEW = Table(
    "bi_user_engagement_analytics",
    "Engagement figures per person and period.",
    (
        *ENGAGEMENT_ROWS.columns[: -len(PROVENANCE)],
        *(figure for figure in ENGAGEMENT_FIGURES if figure.is_in_view_only),
        *PROVENANCE,
    ),
    key=ENGAGEMENT_ROWS.key,
    privacy=PrivacyClass.IDENTIFIED,
)

ENGAGEMENT_STARTS = Table(
    "bi_engagement_starts",
    "The first day on which each person was active in the app.",
    (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("first_active_on", Type.DATE, "The first wall-clock day.", is_nullable=False),
    ),
    key=("user_id",),
    privacy=PrivacyClass.IDENTIFIED,
)

ENGAGEMENT_FEATURES = Table(
    "bi_engagement_features",
    "Every feature that anybody used, and the first day.",
    (
        Column("feature", Type.TEXT, "The feature.", is_nullable=False),
        Column("first_used_on", Type.DATE, "The first wall-clock day.", is_nullable=False),
    ),
    key=("feature",),
    privacy=PrivacyClass.AGGREGATE,
)

ENGAGEMENT_ACTIVITY = Table(
    "bi_engagement_activity",
    "How many people were active: in the period, on a day, and in the 7 and 28 days that end with its last day.",
    (
        *PERIOD_COLUMNS,
        Column(
            "as_of", Type.DATE,
            "The day that trailing counts end with: the last of the period; of one that is not complete the last day"
            " with data.",
            is_nullable=False,
        ),
        Column("people", Type.INTEGER, "People with a row.", "1", is_nullable=False),
        Column("active_people", Type.INTEGER, "Different people who were active.", "1", is_nullable=False),
        Column(
            "mean_daily_active_people", Type.NUMBER, "DAU: active people per day, over the days up to as_of.", "1"
        ),
        Column("weekly_active_people", Type.INTEGER, "WAU: different people active in the 7 days up to as_of.", "1"),
        Column("monthly_active_people", Type.INTEGER, "MAU: different people active in the 28 days up to as_of.", "1"),
        Column("stickiness", Type.NUMBER, "Mean DAU of the 28 days up to as_of divided by MAU.", "1"),
        Column("sessions", Type.INTEGER, "Sessions that began.", "1"),
        Column("time_spent_minutes", Type.NUMBER, "Time in which sessions were open, of all people.", "min"),
        *PROVENANCE,
    ),
    key=("aggregation_period", "period_start"),
    privacy=PrivacyClass.LIMITED,
)  # fmt: skip

ENGAGEMENT_FIGURE_GROUPS = group_table(
    "bi_engagement_groups",
    description="Engagement figures of everybody who was active, per period: what reports read of"
    " bi_user_engagement_analytics.",
    stratum="The group: 'all'.",
    figure="A column of bi_user_engagement_analytics; 'people' for anyone who was active.",
)

ENGAGEMENT_ACTIVE_DAYS = Table(
    "bi_engagement_active_days",
    "The L7 and L28 curves: how many people were active on exactly so many of the last 7 or 28 days of a period.",
    (
        *PERIOD_COLUMNS,
        Column("window_days", Type.INTEGER, "7 or 28.", "d", is_nullable=False),
        Column("active_days", Type.INTEGER, "On how many of them, from 1.", "d", is_nullable=False),
        Column("people", Type.INTEGER, "People.", "1", is_nullable=False),
        *PROVENANCE,
    ),
    key=("aggregation_period", "period_start", "window_days", "active_days"),
    privacy=PrivacyClass.LIMITED,
)

ENGAGEMENT_FEATURE_USE = Table(
    "bi_engagement_feature_use",
    "Reach and depth of every feature that was used in a period.",
    (
        *PERIOD_COLUMNS,
        Column("feature", Type.TEXT, "The feature.", is_nullable=False),
        Column("people", Type.INTEGER, "Different people who used it.", "1", is_nullable=False),
        Column("active_people", Type.INTEGER, "Different people who were active.", "1", is_nullable=False),
        Column("reach", Type.NUMBER, "people / active_people.", "1"),
        Column("uses", Type.INTEGER, "How often it was used.", "1", is_nullable=False),
        Column("uses_per_person", Type.NUMBER, "Depth: uses / people.", "1"),
        Column("adopters", Type.INTEGER, "People who used it on at least 2 days; from weekly up.", "1"),
        *PROVENANCE,
    ),
    key=("aggregation_period", "period_start", "feature"),
    privacy=PrivacyClass.LIMITED,
)

ENGAGEMENT_COHORTS = Table(
    "bi_engagement_cohorts",
    "Cohort retention: of the people whose first activity lies in one interval, how many were active N intervals"
    " later. Cells that are not over for everybody are absent.",
    (
        Column("interval", Type.TEXT, "daily, weekly or monthly.", is_nullable=False),
        Column("cohort_start", Type.DATE, "First day of the interval that the people came in.", is_nullable=False),
        Column("number", Type.INTEGER, "N: intervals since then; 0 is the one in which they came.", is_nullable=False),
        Column("people", Type.INTEGER, "People of the cohort.", "1", is_nullable=False),
        Column("active_people", Type.INTEGER, "Those of them who were active in interval N.", "1", is_nullable=False),
        Column("share", Type.NUMBER, "active_people / people.", "1", is_nullable=False),
    ),
    key=("interval", "cohort_start", "number"),
    privacy=PrivacyClass.LIMITED,
)  # fmt: skip

ENGAGEMENT_LIFECYCLE = Table(
    "bi_engagement_lifecycle",
    "How many people were new, returning, resurrecting and dormant in each period.",
    (
        *PERIOD_COLUMNS[:2],
        Column("lifecycle", Type.TEXT, "new, returning, resurrecting or dormant.", is_nullable=False),
        Column("people", Type.INTEGER, "People.", "1", is_nullable=False),
    ),
    key=("aggregation_period", "period_start", "lifecycle"),
    privacy=PrivacyClass.LIMITED,
)

USER_RETENTION = Table(
    "bi_user_retention",
    "For everyone with a first activity, at the end of every week: whether they are likely to come back (BG/BB).",
    (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("week_end", Type.DATE, "The Monday that ends the week, exclusive.", is_nullable=False),
        Column("active_weeks", Type.INTEGER, "x: weeks with activity after the first one.", "1", is_nullable=False),
        Column("last_active_week", Type.INTEGER, "t_x: number of the last of them; 0: none.", "1", is_nullable=False),
        Column("weeks", Type.INTEGER, "n: weeks since the first one.", "1", is_nullable=False),
        Column("probability_alive", Type.NUMBER, "Probability of being alive in the next week.", "1", is_nullable=False),
    ),
    key=("week_end", "user_id"),
    privacy=PrivacyClass.IDENTIFIED,
)  # fmt: skip

CHURN_CALIBRATION = Table(
    "bi_churn_calibration",
    "Forecast and outcome of the churn model on weeks that it was not fitted on, by tenths of the people, beside the"
    " rule 'inactive for 14 days'.",
    (
        Column("month", Type.DATE, "The month whose frozen parameters are judged.", is_nullable=False),
        Column("decile", Type.INTEGER, "1 to 10, by rising forecast; 0: all people.", is_nullable=False),
        Column("people", Type.INTEGER, "People.", "1", is_nullable=False),
        Column("predicted", Type.NUMBER, "Mean forecast probability of activity in the hold-out.", "1", is_nullable=False),
        Column("observed", Type.NUMBER, "Share of them who were active in it.", "1", is_nullable=False),
        Column("brier_score", Type.NUMBER, "Mean squared distance of forecast and outcome; of all people.", "1"),
        Column("rule_brier_score", Type.NUMBER, "The same for the rule 'inactive for 14 days'.", "1"),
    ),
    key=("month", "decile"),
    privacy=PrivacyClass.LIMITED,
)  # fmt: skip

ENGAGEMENT_TABLES: tuple[Table, ...] = (
    ENGAGEMENT_ROWS,
    ENGAGEMENT_STARTS,
    ENGAGEMENT_FEATURES,
    ENGAGEMENT_FIGURE_GROUPS,
    ENGAGEMENT_ACTIVITY,
    ENGAGEMENT_ACTIVE_DAYS,
    ENGAGEMENT_FEATURE_USE,
    ENGAGEMENT_COHORTS,
    USER_RETENTION,
    CHURN_CALIBRATION,
)
ENGAGEMENT_VIEWS: tuple[Table, ...] = (ENGAGEMENT_VIEW, ENGAGEMENT_LIFECYCLE)
