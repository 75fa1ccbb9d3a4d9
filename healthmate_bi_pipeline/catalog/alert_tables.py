"""The warehouse's tables of what checks found and of what was told to whom."""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Column, PrivacyClass, Table, Type

CHECK_RESULTS = Table(
    "bi_check_results",
    "What checks found: the last result of each asset, check and days, and every change of its verdict before.",
    (
        Column("asset", Type.TEXT, "Name of the asset, as in the graph: raw/health_readings.", is_nullable=False),
        Column("check_name", Type.TEXT, "What was checked.", is_nullable=False),
        Column("window", Type.TEXT, "The days that were looked at; empty for all.", is_nullable=False),
        Column("since", Type.INSTANT, "When this verdict was first found.", is_nullable=False),
        Column("at", Type.INSTANT, "When it was last found.", is_nullable=False),
        Column("verdict", Type.TEXT, "passed, failed, not applicable or error (could not be made).", is_nullable=False),
        Column("severity", Type.TEXT, "How grave it is if it failed: info, warning or critical.", is_nullable=False),
        Column("wrong", Type.INTEGER, "Rows that are not as they should be; null for an error."),
        Column("of", Type.INTEGER, "Rows that were looked at; null for an error."),
        Column("counts", Type.JSON, "More figures, by name; null for an error."),
        Column("days", Type.JSON, "First days of the partitions that are not as they should be.", is_nullable=False),
        Column("run_id", Type.TEXT, "The run that found it last.", is_nullable=False),
    ),
    key=("asset", "check_name", "window", "since"),
    privacy=PrivacyClass.AGGREGATE,
)  # fmt: skip

ALERTS = Table(
    "bi_alerts",
    "Alerts from their beginning to their end, and which channel was told what of them.",
    (
        Column("fingerprint", Type.TEXT, "Its name: the kind and the subject, as run:raw/users.", is_nullable=False),
        Column("opened_at", Type.INSTANT, "When it was found.", is_nullable=False),
        Column("kind", Type.TEXT, "run, check, incident, overdue, silence or channel.", is_nullable=False),
        Column("subject", Type.TEXT, "What it is about.", is_nullable=False),
        Column("severity", Type.TEXT, "info, warning or critical.", is_nullable=False),
        Column("summary", Type.TEXT, "What is not as it should be.", is_nullable=False),
        Column("counts", Type.JSON, "Figures of it, by name.", is_nullable=False),
        Column("page", Type.TEXT, "Where it is seen, below the address of Dagster's UI.", is_nullable=False),
        Column("due_at", Type.INSTANT, "From when on it is told: some may pass by themselves.", is_nullable=False),
        Column("last_seen_at", Type.INSTANT, "When it was last so.", is_nullable=False),
        Column("cleared_at", Type.INSTANT, "Since when it is no longer so; it may come back."),
        Column("resolved_at", Type.INSTANT, "When it had been away for long enough to be over."),
        Column("returns", Type.INTEGER, "How often it was away and came back.", is_nullable=False),
        Column(
            "told", Type.JSON, "Per channel when it was last told, how grave it was then, and whether that it is over.",
            is_nullable=False,
        ),
    ),
    key=("fingerprint", "opened_at"),
    privacy=PrivacyClass.AGGREGATE,
)  # fmt: skip

ALERT_TABLES: tuple[Table, ...] = (CHECK_RESULTS, ALERTS)
