"""The lake's tables of a dataset: staged, raw and quarantined rows.

Names of lake tables are paths: ``staged/health_readings``. All but ``users`` are laid out by ``day``; what
``day`` means differs: staged rows lie under the UTC day of the time that they are known by (or the wall-clock
day, where that is all they say), raw and quarantined rows under the person's wall-clock day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from healthmate_bi_pipeline.catalog.columns import Column, PrivacyClass, Table, Type
from healthmate_bi_pipeline.catalog.datasets import (
    ACTIVITY_INTERVALS,
    API_REQUESTS,
    APP_EVENTS,
    BILLING_EVENTS,
    HEALTH_READINGS,
    HOST_SAMPLES,
    LOGIN_SESSIONS,
    MEDICATION_DOSES,
    SLEEP_SESSIONS,
    SYMPTOM_LOGS,
    USERS,
    Dataset,
)

DAY = Column("day", Type.DATE, "The day that the row is laid under.", is_nullable=False)

LINEAGE = (
    Column("file_number", Type.INTEGER, "The file, see bi_ingested_files.", is_nullable=False),
    Column(
        "row_number", Type.INTEGER, "The record in the file, from 1, the header apart.", is_nullable=False
    ),
)

_STAGING = (
    Column("file_hash", Type.TEXT, "SHA-256 of the file.", is_nullable=False),
    *LINEAGE,
    Column("first_seen_at", Type.TIMESTAMP, "When the file was read, UTC.", is_nullable=False),
    Column("defect", Type.TEXT, "The rule that keeps the row from having a day; null for a staged row."),
    Column("unparsed", Type.TEXT, "The fields whose text is not of the column's type, or the whole line."),
    DAY,
)

_MEASURED_AT = (
    Column("recorded_at", Type.TIMESTAMP, "When it was measured, UTC.", is_nullable=False),
    Column("local_recorded_at", Type.TIMESTAMP, "The same, wall-clock.", is_nullable=False),
)

_FELT_AT = (
    Column("recorded_at", Type.TIMESTAMP, "When it was felt, UTC.", is_nullable=False),
    Column("local_recorded_at", Type.TIMESTAMP, "The same, wall-clock.", is_nullable=False),
)

_STRETCH = (
    Column("started_at", Type.TIMESTAMP, "Start, UTC."),
    Column("ended_at", Type.TIMESTAMP, "End, UTC, exclusive."),
    Column("local_started_at", Type.TIMESTAMP, "Start, wall-clock."),
    Column("local_ended_at", Type.TIMESTAMP, "End, wall-clock, exclusive."),
)

ACTIVITY_VALUES = (
    "steps",
    "calories_kcal",
    "moderate_minutes",
    "vigorous_minutes",
    "distance_m",
    "intensity_points",
)

HOST_VALUES = ("cpu_percent", "memory_percent", "disk_percent")

_PLACE = (
    Column("service", Type.TEXT, "The service.", is_nullable=False),
    Column("environment", Type.TEXT, "production, staging, …", is_nullable=False),
    Column("instance_id", Type.TEXT, "The machine or container.", is_nullable=False),
    Column("source", Type.TEXT, "The program that the row comes from.", is_nullable=False),
)

_RAW_COLUMNS: dict[Dataset, tuple[Column, ...]] = {
    HEALTH_READINGS: (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("source", Type.TEXT, "The device or program.", is_nullable=False),
        Column("metric", Type.TEXT, "What was measured.", is_nullable=False),
        Column("value", Type.NUMBER, "The value, in the metric's unit.", is_nullable=False),
        Column("context", Type.TEXT, "The circumstances."),
        Column("reading_id", Type.TEXT, "The measurement, where the source numbers them."),
        Column("is_implausible", Type.BOOLEAN, "Outside the soft limits.", is_nullable=False),
        Column("is_repaired", Type.BOOLEAN, "Mended after a suspected slip.", is_nullable=False),
        *_MEASURED_AT,
        *LINEAGE,
        DAY,
    ),
    ACTIVITY_INTERVALS: (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("source", Type.TEXT, "The device or program.", is_nullable=False),
        Column("is_daily_total", Type.BOOLEAN, "The device's own total of the day.", is_nullable=False),
        Column("piece", Type.INTEGER, "0, or the day of the stretch that this piece was cut from.", is_nullable=False),
        *_STRETCH,
        *(
            Column(name, Type.EXACT, ACTIVITY_INTERVALS.field_named(name).description)
            for name in ACTIVITY_VALUES
        ),
        *LINEAGE,
        DAY,
    ),
    SLEEP_SESSIONS: (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("source", Type.TEXT, "The device or program.", is_nullable=False),
        *_STRETCH,
        Column("asleep_minutes", Type.NUMBER, "Minutes asleep.", "min", is_nullable=False),
        Column("in_bed_minutes", Type.NUMBER, "Minutes in bed.", "min"),
        Column("is_nap", Type.BOOLEAN, "A nap.", is_nullable=False),
        *LINEAGE,
        DAY,
    ),
    MEDICATION_DOSES: (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("source", Type.TEXT, "The device or program.", is_nullable=False),
        Column("medication", Type.TEXT, "The drug, in small letters.", is_nullable=False),
        Column("medication_class", Type.TEXT, "The class of the drug, in small letters."),
        Column("dose_id", Type.TEXT, "The dose or refill, where the source numbers them."),
        Column("status", Type.TEXT, "taken, skipped, unlogged; filled: a refill.", is_nullable=False),
        Column("is_as_needed", Type.BOOLEAN, "Taken when needed, on no schedule.", is_nullable=False),
        *(
            column
            for name, what in (
                ("scheduled_at", "When the dose was to be taken"),
                ("taken_at", "When it was taken"),
                ("filled_at", "When the drug was handed out"),
            )
            for column in (
                Column(name, Type.TIMESTAMP, f"{what}, UTC."),
                Column(f"local_{name}", Type.TIMESTAMP, f"{what}, wall-clock."),
            )
        ),
        Column("days_supply", Type.NUMBER, "Days that a refill lasts.", "d"),
        *LINEAGE,
        DAY,
    ),
    SYMPTOM_LOGS: (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("source", Type.TEXT, "The device or program.", is_nullable=False),
        Column("symptom", Type.TEXT, "What was felt, in small letters.", is_nullable=False),
        Column("severity", Type.NUMBER, "How bad it was, 0 to 10."),
        *_FELT_AT,
        *LINEAGE,
        DAY,
    ),
    LOGIN_SESSIONS: (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("source", Type.TEXT, "The device or program.", is_nullable=False),
        Column("session_id", Type.TEXT, "The session.", is_nullable=False),
        Column("device", Type.TEXT, "The device that it ran on."),
        Column("app_version", Type.TEXT, "The version of the app."),
        Column("piece", Type.INTEGER, "0, or the number of the piece of a session over midnight.", is_nullable=False),
        Column("session_seconds", Type.EXACT, "Length of the whole session; null where its end is unknown.", "s"),
        Column("started_at", Type.TIMESTAMP, "Start of the piece, UTC.", is_nullable=False),
        Column("ended_at", Type.TIMESTAMP, "End of the piece, UTC, exclusive; null where it is unknown."),
        Column("local_started_at", Type.TIMESTAMP, "Start of the piece, wall-clock.", is_nullable=False),
        Column("local_ended_at", Type.TIMESTAMP, "End of the piece, wall-clock, exclusive."),
        *LINEAGE,
        DAY,
    ),
    APP_EVENTS: (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("source", Type.TEXT, "The device or program.", is_nullable=False),
        Column("session_id", Type.TEXT, "The session that it belongs to."),
        Column("event", Type.TEXT, "The kind of event.", is_nullable=False),
        Column("name", Type.TEXT, "Which page, feature, action or goal."),
        Column("event_id", Type.TEXT, "The event, where the app numbers them."),
        Column("count", Type.INTEGER, "How many events the row stands for.", is_nullable=False),
        Column("occurred_at", Type.TIMESTAMP, "When it happened, UTC.", is_nullable=False),
        Column("local_occurred_at", Type.TIMESTAMP, "The same, wall-clock.", is_nullable=False),
        *LINEAGE,
        DAY,
    ),
    BILLING_EVENTS: (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("source", Type.TEXT, "The device or program.", is_nullable=False),
        Column("event_id", Type.TEXT, "The event.", is_nullable=False),
        *(
            Column(name, BILLING_EVENTS.field_named(name).type, BILLING_EVENTS.field_named(name).description)
            for name in ("event", "plan", "amount_minor", "currency")
        ),
        Column("occurred_at", Type.TIMESTAMP, "When it happened, UTC.", is_nullable=False),
        *LINEAGE,
        DAY,
    ),
    API_REQUESTS: (
        *_PLACE,
        Column("route_group", Type.TEXT, "Method and path without its values.", is_nullable=False),
        Column("status_code", Type.INTEGER, "Status of the answer (HTTP).", is_nullable=False),
        Column("duration_ms", Type.NUMBER, "How long the answer took.", "ms"),
        Column("count", Type.INTEGER, "How many requests the row stands for.", is_nullable=False),
        Column("request_id", Type.TEXT, "The request, where the source numbers them."),
        Column("occurred_at", Type.TIMESTAMP, "When the request came, UTC.", is_nullable=False),
        *LINEAGE,
        DAY,
    ),
    HOST_SAMPLES: (
        *_PLACE,
        *(
            Column(name, Type.NUMBER, HOST_SAMPLES.field_named(name).description, "%")
            for name in HOST_VALUES
        ),
        Column("sampled_at", Type.TIMESTAMP, "When it was measured, UTC.", is_nullable=False),
        *LINEAGE,
        DAY,
    ),
}  # fmt: skip


def _plain(columns: Iterable[Column]) -> Iterator[Column]:
    """A dataset's fields as they are stored: a time as an instant and as a wall-clock time."""
    for column in columns:
        yield Column(column.name, column.type, column.description, column.unit)
        if column.type is Type.TIMESTAMP:
            yield Column(f"local_{column.name}", Type.TIMESTAMP, f"{column.description} Wall-clock.")


def _privacy(dataset: Dataset) -> PrivacyClass:
    """Rows of machines name nobody, but a path as it came may."""
    return PrivacyClass.IDENTIFIED if dataset.has_people else PrivacyClass.LIMITED


def staged_table(dataset: Dataset) -> Table:
    """Every row that was ever read, as it came, but typed; only added to."""
    columns = (*_plain(dataset.fields), *_STAGING)
    return Table(
        f"staged/{dataset.name}",
        f"Every row of {dataset.name} that was read, append-only.",
        columns if dataset.is_partitioned else columns[:-1],
        ("file_hash", "row_number"),
        _privacy(dataset),
    )


def raw_table(dataset: Dataset) -> Table:
    """The checked rows: one version per key, units converted, wall-clock times filled in."""
    if dataset is USERS:
        fields = tuple(
            field for field in USERS.fields if field.name not in {"utc_offset_minutes", "is_deleted"}
        )
        columns = tuple(column for column in _plain(fields) if not column.name.startswith("local_"))
        return Table(
            "raw/users", USERS.description, (*columns, *LINEAGE), ("user_id", "valid_from"), PrivacyClass.IDENTIFIED
        )  # fmt: skip
    return Table(
        f"raw/{dataset.name}",
        dataset.description,
        _RAW_COLUMNS[dataset],
        dataset.keys[-1],
        _privacy(dataset),
    )


def quarantine_table(dataset: Dataset) -> Table:
    """The rows that broke a rule, as they were staged."""
    staged = staged_table(dataset)
    rule = Column("rule", Type.TEXT, "The rule, and the column behind a colon.", is_nullable=False)
    columns = (*staged.columns[:-1], rule, DAY) if dataset.is_partitioned else (*staged.columns, rule)
    return Table(
        f"quarantine/{dataset.name}",
        f"Rows of {dataset.name} that broke a rule.",
        columns,
        ("file_hash", "row_number"),
        _privacy(dataset),
    )


ID_BUCKETS = 64
"""The index of ids is laid out by this many parts of the people, so that one late row reads one of them."""


def id_index_table(dataset: Dataset) -> Table:
    """Where the rows of a dataset with ids are staged, so that a row that comes again is found on its day."""
    return Table(
        f"ids/{dataset.name}",
        f"Staged days of the ids of {dataset.name}.",
        (
            *(Column(name, dataset.field_named(name).type, "Part of the key.") for name in dataset.keys[0]),
            *LINEAGE,
            Column("updated_at", Type.TIMESTAMP, "When the source changed the row."),
            DAY,
            Column("bucket", Type.INTEGER, f"user_id modulo {ID_BUCKETS}.", is_nullable=False),
        ),
        (*dataset.keys[0], "file_number", "row_number"),
        PrivacyClass.IDENTIFIED,
    )


def moved_table(dataset: Dataset) -> Table:
    """The rows of ids that stand under several staged days, so that the earlier versions are left out."""
    index = id_index_table(dataset)
    return Table(
        f"moved/{dataset.name}",
        f"Ids of {dataset.name} that came again on another day.",
        index.columns[:-1],
        index.key,
        PrivacyClass.IDENTIFIED,
    )


READING_BASELINES = Table(
    "state/reading_baselines",
    "What is usual for each person, per month: it tells a slip of the unit from a change.",
    (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("metric", Type.TEXT, "What was measured.", is_nullable=False),
        Column(
            "median", Type.NUMBER, "Median of the month's values, in the metric's unit.", is_nullable=False
        ),
        Column("month", Type.DATE, "First day of the month.", is_nullable=False),
    ),
    ("user_id", "metric", "month"),
    PrivacyClass.IDENTIFIED,
)
"""Frozen when the month is over: late rows do not change what later rows were judged by."""

ACTIVE_DAYS_VERSION = 1
"""Raised when being active means something else."""

ACTIVE_DAYS = Table(
    "state/active_days",
    "The days on which each person was active in the app: what everything that looks back over years reads.",
    (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("day", Type.DATE, "The wall-clock day.", is_nullable=False),
        Column("month", Type.DATE, "First day of its month.", is_nullable=False),
    ),
    ("user_id", "day"),
    PrivacyClass.IDENTIFIED,
)
"""Compact, and never trimmed."""

DEVICE_READINGS = Table(
    "state/device_readings",
    "The readings of each person per month, metric and device: how many, and their sum.",
    (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("metric", Type.TEXT, "What was measured.", is_nullable=False),
        Column("source", Type.TEXT, "The device or program.", is_nullable=False),
        Column("readings", Type.INTEGER, "Number of readings.", "1", is_nullable=False),
        Column("total", Type.EXACT, "Sum of the values, in the metric's unit.", is_nullable=False),
        Column("month", Type.DATE, "First day of the month, wall-clock.", is_nullable=False),
    ),
    ("user_id", "metric", "source", "month"),
    PrivacyClass.IDENTIFIED,
)
"""All readings of all devices: nothing is chosen among them here."""

CHURN_FIT_VERSION = 1
"""Raised when the model or what it is fitted on changes; frozen parameters are then made again."""

CHURN_FITS = Table(
    "state/churn_fits",
    "The parameters of the churn model (BG/BB) for each month, fitted on the whole weeks before it.",
    (
        Column("alpha", Type.NUMBER, "With beta: how the chance of an active week is spread.", is_nullable=False),
        Column("beta", Type.NUMBER, "See alpha.", is_nullable=False),
        Column("gamma", Type.NUMBER, "With delta: how the chance of leaving after a week is spread.", is_nullable=False),
        Column("delta", Type.NUMBER, "See gamma.", is_nullable=False),
        Column("people", Type.INTEGER, "People that it rests on.", is_nullable=False),
        Column("log_likelihood", Type.NUMBER, "Of all of them.", is_nullable=False),
        Column("is_converged", Type.BOOLEAN, "A maximum was found; else nothing is told with it.", is_nullable=False),
        Column("reason", Type.TEXT, "Why, or why not.", is_nullable=False),
        Column("weeks_end", Type.DATE, "The Monday that ends the last week it was fitted on.", is_nullable=False),
        Column("month", Type.DATE, "First day of the month.", is_nullable=False),
    ),
    ("month",),
    PrivacyClass.AGGREGATE,
)  # fmt: skip
"""Frozen when the days before the month are over: late days do not change what was told."""
