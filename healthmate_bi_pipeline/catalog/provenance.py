"""The columns that every table of figures has: which period, when it was written, and from what."""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Column, Type

STAMPS = (
    Column("created_at", Type.INSTANT, "When the row was first written.", is_nullable=False),
    Column("updated_at", Type.INSTANT, "When a figure of the row last changed.", is_nullable=False),
)

PROVENANCE = (
    Column(
        "is_complete",
        Type.BOOLEAN,
        "The period has ended and late data are no longer waited for.",
        is_nullable=False,
    ),
    Column("state_version", Type.INTEGER, "Hash of the state that the row was made from.", is_nullable=False),
    Column(
        "registry_version",
        Type.INTEGER,
        "Version of the definitions that the row follows.",
        is_nullable=False,
    ),
    *STAMPS,
)

PERIOD_COLUMNS = (
    Column(
        "aggregation_period",
        Type.TEXT,
        "hourly, daily, weekly, monthly, quarterly or yearly.",
        is_nullable=False,
    ),
    Column(
        "period_start",
        Type.TIMESTAMP,
        "Start of the period, wall-clock time of the person.",
        is_nullable=False,
    ),
    Column(
        "period_end",
        Type.TIMESTAMP,
        "End of the period, exclusive, wall-clock time of the person.",
        is_nullable=False,
    ),
)

HOURS_COVERED = Column(
    "hours_covered",
    Type.NUMBER,
    "Hours that really elapse in the period: 23 or 25 on the days of a clock change.",
    "h",
)

HAS_USER_RECORD = Column(
    "has_user_record", Type.BOOLEAN, "The person has a record in users.", is_nullable=False
)
