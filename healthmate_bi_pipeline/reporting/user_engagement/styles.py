"""How the figures of engagement are written."""

from __future__ import annotations

from healthmate_bi_pipeline.reporting.style import Style


def _people(label: str, short: str) -> Style:
    return Style(label, "people", 0, short, 20)


def _share(label: str, short: str, span: float = 0.1) -> Style:
    return Style(label, "%", 1, short, span, scale=100, change_unit="points")


ENGAGEMENT_STYLES: dict[str, Style] = {
    "active_people": _people("Active people", "active"),
    "daily_active_people": _people("Active people per day", "per day"),
    "weekly_active_people": _people("Active in 7 days", "7 days"),
    "monthly_active_people": _people("Active in 28 days", "28 days"),
    "new_people": _people("New people", "new"),
    "returning_people": _people("Returning people", "returning"),
    "resurrected_people": _people("People who came back", "came back"),
    "dormant_people": _people("People who fell silent", "fell silent"),
    "stickiness": _share("Stickiness", "stickiness"),
    "retention": _share("Retention after one interval", "retention"),
    "feature_reach": _share("Reach of a feature", "reach"),
    "uses_per_person": Style("Uses per person", "uses", 1, "uses", 2),
    "recent_churn_risk": _share("Churn risk of those recently active", "churn risk"),
    "engagement_score": Style("Engagement score", "points", 1, "score", 8),
    "active_days": Style("Active days per person", "days", 1, "days", 1),
    "total_sessions": Style("Sessions per person", "sessions", 1, "sessions", 2),
    "avg_session_duration_minutes": Style("Length of a session", "min", 1, "length", 2),
    "time_spent_in_app_minutes": Style("Time in the app per person", "min", 1, "time", 10),
    "features_used_count": Style("Features used per person", "features", 1, "features", 1),
    "page_views": Style("Pages viewed per person", "pages", 1, "pages", 5),
    "actions_performed": Style("Actions per person", "actions", 1, "actions", 5),
    "health_data_entries": Style("Entries of health data per person", "entries", 1, "entries", 2),
    "chat_messages_sent": Style("Chat messages per person", "messages", 1, "messages", 2),
}  # fmt: skip
