"""The registry of the user engagement family: its measures, and what each column of its tables means.

A figure names the measure and the statistic that it is finished from; figures without a statistic are made by
name in ``transforms/engagement``, or looked up in the view where they rest on a person's whole history.
"""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.datasets import (
    ACTION,
    CHAT_MESSAGE,
    FEATURE_USED,
    GOAL_ACHIEVED,
    HEALTH_DATA_ADDED,
    MEDICATION_LOGGED,
    NOTIFICATION_OPENED,
    NOTIFICATION_RECEIVED,
    PAGE_VIEW,
    SYMPTOM_LOGGED,
)
from healthmate_bi_pipeline.catalog.figures import Figure, Statistic
from healthmate_bi_pipeline.catalog.measures import Measure
from healthmate_bi_pipeline.domain.period import Grain, Period

STATE_VERSION = 1
"""Raised when the meaning of any state of engagement changes."""

REGISTRY_VERSION = 2
"""Raised with every change of a figure's meaning; rows carry it, and older rows are then stale."""

SESSION_GAP_MINUTES = 30
"""So long without a deliberate event ends a session that is made from events (GA4)."""

DEEP_PAGE_VIEWS = 3
"""Page views that make a session a deep one (Taki 2017, click depth)."""

ADOPTED_DAYS = 2
"""Days on which a feature is used until it counts as adopted."""

LOGINS = Measure("logins", "1", Grain.HOUR, "Logged sessions that began.")
SESSIONS = Measure(
    "sessions", "1", Grain.HOUR,
    "Sessions that began: as logged; on days of a person without one, made from deliberate events: 30 minutes"
    " without one, or midnight, end it.",
)  # fmt: skip
SESSION_SECONDS = Measure(
    "session_seconds", "s", Grain.HOUR, "Length of a session that began, where its end is known."
)
SESSION_DAY = Measure(
    "session_day", "d", Grain.HOUR, "The wall-clock day that a session begins on, counted from 1970-01-01."
)
DEEP_SESSIONS = Measure(
    "deep_sessions", "1", Grain.HOUR, f"Sessions that began, with at least {DEEP_PAGE_VIEWS} page views."
)
APP_SECONDS = Measure(
    "app_seconds", "s", Grain.HOUR, "Time in which a session was open; of several at once it counts once."
)
ACTIVE_HOURS = Measure(
    "active_hours", "1", Grain.HOUR, "Wall-clock hours with an open session or a deliberate event."
)
HEALTH_DATA = Measure(
    "health_data", "1", Grain.HOUR, "Entries of health data; the value is how many data points they added."
)
PAGE = Measure("page", "1", Grain.HOUR, "Views per page.", has_items=True)
FEATURE = Measure("feature", "1", Grain.HOUR, "Uses per feature.", has_items=True)

MEASURE_OF_EVENT: dict[str, Measure] = {
    PAGE_VIEW: Measure("page_views", "1", Grain.HOUR, "Pages viewed."),
    FEATURE_USED: Measure("feature_uses", "1", Grain.HOUR, "Uses of features."),
    ACTION: Measure("actions", "1", Grain.HOUR, "Actions performed."),
    CHAT_MESSAGE: Measure("chat_messages", "1", Grain.HOUR, "Chat messages sent."),
    NOTIFICATION_RECEIVED: Measure(
        "notifications_received", "1", Grain.HOUR, "Notifications that reached the person."
    ),
    NOTIFICATION_OPENED: Measure("notifications_opened", "1", Grain.HOUR, "Notifications opened."),
    HEALTH_DATA_ADDED: HEALTH_DATA,
    MEDICATION_LOGGED: Measure("medication_logs", "1", Grain.HOUR, "Medications logged in the app."),
    SYMPTOM_LOGGED: Measure("symptom_logs", "1", Grain.HOUR, "Symptoms logged in the app."),
    GOAL_ACHIEVED: Measure("goals_achieved", "1", Grain.HOUR, "Goals achieved."),
}
"""What each kind of event is counted as: as many as the row's ``count`` says."""

ITEMS_OF_EVENT: dict[str, Measure] = {PAGE_VIEW: PAGE, FEATURE_USED: FEATURE}
"""The kinds of event whose names are kept as a set."""

DELIBERATE_EVENTS = tuple(code for code in MEASURE_OF_EVENT if code != NOTIFICATION_RECEIVED)

ENGAGEMENT_MEASURES = (
    LOGINS,
    SESSIONS,
    SESSION_SECONDS,
    SESSION_DAY,
    DEEP_SESSIONS,
    APP_SECONDS,
    ACTIVE_HOURS,
    *MEASURE_OF_EVENT.values(),
    PAGE,
    FEATURE,
)

_TAKI = "Taki 2017, JMIR mHealth 5(6):e89"
_BGBB = "BG/BB, Fader, Hardie & Shang 2010, Marketing Science 29:1086"


def _counted(name: str, event: str, description: str, *, bands: tuple[float, ...] = ()) -> Figure:
    return Figure(
        name, Type.INTEGER, description, "1",
        measure=MEASURE_OF_EVENT[event].name, statistic=Statistic.COUNT, bands=bands,
    )  # fmt: skip


def _index(name: str, description: str) -> Figure:
    return Figure(name, Type.NUMBER, description, "1", source=_TAKI, shortest=Period.DAILY)


ENGAGEMENT_FIGURES: tuple[Figure, ...] = (
    Figure(
        "login_count", Type.INTEGER, "Logged sessions that began in the period.", "1",
        measure=LOGINS.name, statistic=Statistic.COUNT, bands=(0, 2, 5, 10, 20),
    ),
    Figure(
        "total_sessions", Type.INTEGER, f"{SESSIONS.description[:-1]}.", "1", source="own, gap after GA4",
        measure=SESSIONS.name, statistic=Statistic.COUNT, bands=(0, 2, 5, 10, 20),
    ),
    Figure(
        "timed_sessions", Type.INTEGER, "Sessions that began in the period and whose length is known.", "1",
        measure=SESSION_SECONDS.name, statistic=Statistic.COUNT,
    ),
    Figure(
        "session_duration_minutes", Type.NUMBER,
        "Whole length of the sessions that began in the period, where it is known.", "min",
        measure=SESSION_SECONDS.name, statistic=Statistic.TOTAL, divisor=60,
    ),
    Figure(
        "avg_session_duration_minutes", Type.NUMBER,
        "Mean length of the sessions that began in the period, where it is known.", "min",
        measure=SESSION_SECONDS.name, statistic=Statistic.MEAN, divisor=60, bands=(0, 1, 5, 10, 30),
    ),
    Figure(
        "time_spent_in_app_minutes", Type.NUMBER,
        "Time of the period in which a session was open, cut at its ends; of several at once it counts once.", "min",
        measure=APP_SECONDS.name, statistic=Statistic.TOTAL, divisor=60, bands=(0, 5, 30, 120, 300),
    ),
    Figure("features_used", Type.TEXT_LIST, "The features used, by name."),
    Figure("features_used_count", Type.INTEGER, "How many different features were used.", "1", bands=(0, 2, 4, 6)),
    Figure(
        "features_adopted_count", Type.INTEGER, f"Features used on at least {ADOPTED_DAYS} days of the period.", "1",
        shortest=Period.WEEKLY,
    ),
    Figure(
        "feature_adoption_rate", Type.NUMBER,
        "features_used_count divided by the features that anybody had used by the end of the period: breadth of use.",
        "1", is_looked_up=True,
    ),
    _counted("feature_uses", FEATURE_USED, "Uses of features."),
    Figure("pages_visited", Type.TEXT_LIST, "The pages visited, by name."),
    Figure("pages_visited_count", Type.INTEGER, "How many different pages were visited.", "1"),
    _counted("page_views", PAGE_VIEW, "Pages viewed.", bands=(0, 5, 20, 50, 100)),
    _counted("actions_performed", ACTION, "Actions performed.", bands=(0, 5, 20, 50, 100)),
    _counted("chat_messages_sent", CHAT_MESSAGE, "Chat messages sent.", bands=(0, 2, 5, 10)),
    _counted("notifications_received", NOTIFICATION_RECEIVED, "Notifications that reached the person."),
    _counted("notifications_opened", NOTIFICATION_OPENED, "Notifications opened."),
    Figure(
        "health_data_points_added", Type.NUMBER, "Data points that entries of health data added.", "1",
        measure=HEALTH_DATA.name, statistic=Statistic.TOTAL,
    ),
    Figure(
        "health_data_entries", Type.INTEGER, "Entries of health data in the app.", "1",
        measure=HEALTH_DATA.name, statistic=Statistic.COUNT, bands=(0, 2, 5, 10, 20),
    ),
    _counted("medication_logs", MEDICATION_LOGGED, "Medications logged in the app."),
    _counted("symptom_logs", SYMPTOM_LOGGED, "Symptoms logged in the app."),
    _counted("goal_achievements", GOAL_ACHIEVED, "Goals achieved."),
    Figure(
        "active_hours", Type.INTEGER, ACTIVE_HOURS.description, "h",
        measure=ACTIVE_HOURS.name, statistic=Statistic.COUNT,
    ),
    Figure(
        "active_days", Type.INTEGER, "Days with an open session or a deliberate event.", "d",
        measure=ACTIVE_HOURS.name, statistic=Statistic.DAYS, shortest=Period.DAILY, bands=(0, 2, 5, 10, 20),
    ),
    Figure(
        "was_active_before", Type.BOOLEAN, "Whether the person was active in the period before.",
        shortest=Period.DAILY,
    ),
    Figure(
        "lifecycle", Type.TEXT,
        "new: first active in this period; returning: active in the period before too; resurrecting: active again"
        " after a gap; dormant: active in the period before and not in this one, said when it is complete.",
        source="PostHog lifecycle", is_looked_up=True, shortest=Period.DAILY,
    ),
    _index(
        "click_depth_index",
        f"Ci: share of the sessions that began with at least {DEEP_PAGE_VIEWS} page views; where pages were viewed.",
    ),
    _index("recency_index", "Ri: 1 / (1 + days from the last session to the last day of the period)."),
    _index("loyalty_index", "Li: 1 - 1 / sessions that began."),
    _index("interaction_index", "Ii: notifications opened / received, no more than 1; where some were received."),
    Figure(
        "engagement_score_components", Type.INTEGER, "How many of the 4 sub-indices there are: Ci, Ri, Li, Ii.", "1",
        source=_TAKI, shortest=Period.DAILY,
    ),
    Figure(
        "engagement_score", Type.NUMBER, "100 x the mean of the sub-indices that there are. Use is not benefit.", "1",
        source=_TAKI, shortest=Period.DAILY, bands=(0, 20, 40, 60, 80),
    ),
    Figure(
        "retention_score", Type.NUMBER,
        "100 x the probability that the person is still alive, that is will use the app again, in the week after the"
        " last whole week of the period; parameters frozen per month.",
        "1", source=_BGBB, is_looked_up=True, shortest=Period.WEEKLY,
    ),
    Figure(
        "churn_risk", Type.NUMBER, "1 - retention_score / 100.", "1",
        source=_BGBB, is_looked_up=True, shortest=Period.WEEKLY,
    ),
)  # fmt: skip


CHURN_RISK_BANDS = (0.0, 0.2, 0.4, 0.6, 0.8)
"""Lower bounds of the bands that people are told apart by."""


def _of_group(
    name: str,
    type_: Type,
    description: str,
    *,
    source: str = "own",
    shortest: Period = Period.DAILY,
    bands: tuple[float, ...] = (),
) -> Figure:
    return Figure(name, type_, description, "1", source=source, shortest=shortest, bands=bands)


ACTIVITY_FIGURES: tuple[Figure, ...] = (
    _of_group(
        "active_people", Type.INTEGER, "Different people with an open session or a deliberate event in the period."
    ),
    _of_group("daily_active_people", Type.NUMBER, "DAU: active people per day, mean over the days of the period."),
    _of_group(
        "weekly_active_people", Type.INTEGER, "WAU: different people active in the 7 days that end with the period."
    ),
    _of_group(
        "monthly_active_people", Type.INTEGER, "MAU: different people active in the 28 days that end with the period."
    ),
    _of_group("stickiness", Type.NUMBER, "Mean DAU of the 28 days that end with the period / MAU."),
    _of_group("new_people", Type.INTEGER, "Active for the first time ever in the period.", source="PostHog lifecycle"),
    _of_group(
        "returning_people", Type.INTEGER, "Active in the period and in the one before.", source="PostHog lifecycle"
    ),
    _of_group(
        "resurrected_people", Type.INTEGER, "Active in the period, not in the one before, and at some time before that.",
        source="PostHog lifecycle",
    ),
    _of_group(
        "dormant_people", Type.INTEGER, "Active in the period before, and not in this one.", source="PostHog lifecycle"
    ),
    _of_group(
        "retention", Type.NUMBER,
        "Share of the people who came one interval ago and were active in this one: of the cells N = 1 of the cohorts"
        " (days, weeks or months) whose interval lies in the period, all together.",
    ),
    _of_group("feature_reach", Type.NUMBER, "People who used the feature / active people."),
    _of_group("uses_per_person", Type.NUMBER, "Depth: uses of the feature / people who used it."),
    _of_group(
        "recent_churn_risk", Type.NUMBER,
        "Mean probability of not being alive any more (churn_risk) of the people who were active in the last 4 whole"
        " weeks.",
        source=_BGBB, shortest=Period.WEEKLY, bands=CHURN_RISK_BANDS,
    ),
)  # fmt: skip
"""Figures of everybody that are no mean of people's own."""

GROUP_FIGURES: tuple[str, ...] = (
    "engagement_score",
    "active_days",
    "total_sessions",
    "avg_session_duration_minutes",
    "time_spent_in_app_minutes",
    "features_used_count",
    "page_views",
    "actions_performed",
    "health_data_entries",
    "chat_messages_sent",
)
"""The figures that are told of everybody, by band."""

ENGAGEMENT_FIGURE_BY_NAME = {figure.name: figure for figure in ENGAGEMENT_FIGURES}
