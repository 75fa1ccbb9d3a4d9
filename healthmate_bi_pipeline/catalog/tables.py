"""The warehouse's tables: what analysts query and what the pipeline keeps its books in.

``bi_aggregated_health_metrics`` is a view over ``bi_health_metric_rows``: trends look back one period and
completeness over a person's whole history, and a view keeps late data of one period from touching the rows of
later ones (DESIGN, rule 8).
"""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.alert_tables import ALERT_TABLES
from healthmate_bi_pipeline.catalog.columns import Column, PrivacyClass, Table, Type
from healthmate_bi_pipeline.catalog.device_changes import DEVICE_CHANGES
from healthmate_bi_pipeline.catalog.engagement_tables import ENGAGEMENT_TABLES, ENGAGEMENT_VIEWS
from healthmate_bi_pipeline.catalog.finance_tables import FINANCE_TABLES
from healthmate_bi_pipeline.catalog.group_tables import group_table
from healthmate_bi_pipeline.catalog.health import HEALTH_FIGURES
from healthmate_bi_pipeline.catalog.performance_tables import PERFORMANCE_TABLES
from healthmate_bi_pipeline.catalog.provenance import (
    HAS_USER_RECORD,
    HOURS_COVERED,
    PERIOD_COLUMNS,
    PROVENANCE,
)
from healthmate_bi_pipeline.catalog.restatements import RESTATEMENTS
from healthmate_bi_pipeline.domain.period import Period

HEALTH_METRIC_ROWS = Table(
    "bi_health_metric_rows",
    "Health figures per person and period, without trends; read bi_aggregated_health_metrics instead.",
    (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        *PERIOD_COLUMNS,
        HOURS_COVERED,
        HAS_USER_RECORD,
        *(figure for figure in HEALTH_FIGURES if not figure.is_in_view_only),
        *PROVENANCE,
    ),
    key=("user_id", "aggregation_period", "period_start"),
    privacy=PrivacyClass.IDENTIFIED,
    partition_column="aggregation_period",
    partition_values=tuple(Period),
)

HEALTH_METRICS_VIEW = Table(
    "bi_aggregated_health_metrics",
    "Health figures per person and period.",
    (
        *HEALTH_METRIC_ROWS.columns[: -len(PROVENANCE)],
        *(figure for figure in HEALTH_FIGURES if figure.is_in_view_only),
        *PROVENANCE,
    ),
    key=HEALTH_METRIC_ROWS.key,
    privacy=PrivacyClass.IDENTIFIED,
)

HEALTH_STARTS = Table(
    "bi_health_starts",
    "The first day on which each person recorded each measure that is expected daily.",
    (
        Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
        Column("measure", Type.TEXT, "What was measured.", is_nullable=False),
        Column("first_day", Type.DATE, "The first wall-clock day with a value.", is_nullable=False),
    ),
    key=("user_id", "measure"),
    privacy=PrivacyClass.IDENTIFIED,
)

HEALTH_GROUPS = group_table(
    "bi_health_groups",
    description="Health figures of groups of people per period: what reports read. The band '' holds the whole group.",
    stratum="The group: 'all', 'age 18-39', 'sex female', or 'age 18-39, sex female'; age at the period's end."
    " Of hours only 'all', of days not both together.",
    figure="A column of bi_aggregated_health_metrics, or a figure that only groups have, such as"
    " activity_minutes_a_week; 'people' for anyone with a row.",
)

INGESTED_FILES = Table(
    "bi_ingested_files",
    "Every file that was read, known by its hash; lines = rows + rejected, rows = staged + undated.",
    (
        Column("file_hash", Type.TEXT, "SHA-256 of the file's bytes, in hexadecimal.", is_nullable=False),
        Column("dataset", Type.TEXT, "The dataset that it was read as.", is_nullable=False),
        Column(
            "file_number",
            Type.INTEGER,
            "Order in which files were first seen; the later file wins.",
            is_nullable=False,
        ),
        Column("name", Type.TEXT, "Path below the dataset's landing folder.", is_nullable=False),
        Column("bytes", Type.INTEGER, "Size of the file.", "By", is_nullable=False),
        Column("lines", Type.INTEGER, "Records in the file, the header apart.", is_nullable=False),
        Column("rows", Type.INTEGER, "Records that could be split into columns.", is_nullable=False),
        Column("rejected", Type.INTEGER, "Records that could not.", is_nullable=False),
        Column("staged", Type.INTEGER, "Rows that have a day.", is_nullable=False),
        Column("undated", Type.INTEGER, "Rows that have none.", is_nullable=False),
        Column("first_seen_at", Type.INSTANT, "When it was read.", is_nullable=False),
        Column(
            "columns",
            Type.JSON,
            "Types of its columns as they came, by name; 'untyped' in CSV and NDJSON. Names that do not look like a"
            " column's stand together as '?'. Null: read before this was kept.",
        ),
    ),
    key=("file_hash", "dataset"),
    privacy=PrivacyClass.AGGREGATE,
)

INGESTED_FILE_DAYS = Table(
    "bi_ingested_file_days",
    "The staged days that a file has rows for; a file of users: the days of the people that it changed.",
    (
        Column("file_hash", Type.TEXT, "The file.", is_nullable=False),
        Column("dataset", Type.TEXT, "The dataset that it was read as.", is_nullable=False),
        Column("day", Type.DATE, "The staged day.", is_nullable=False),
        Column(
            "rows",
            Type.INTEGER,
            "Rows of the file on that day; below zero: rows that were deleted because their time was over, under the"
            " name of their receipt.",
            is_nullable=False,
        ),
    ),
    key=("dataset", "day", "file_hash"),
    privacy=PrivacyClass.AGGREGATE,
)

PARTITIONS = Table(
    "bi_partitions",
    "The books: every partition that was made, from what, and how its rows add up.",
    (
        Column(
            "asset", Type.TEXT, "Name of the asset, as in the graph: raw/health_readings.", is_nullable=False
        ),
        Column("partition", Type.DATE, "First day of the partition.", is_nullable=False),
        Column(
            "input_version",
            Type.INTEGER,
            "Hash of what it was made from; another one today means it is stale.",
            is_nullable=False,
        ),
        Column("output_version", Type.INTEGER, "Hash of what it holds.", is_nullable=False),
        Column("rows", Type.INTEGER, "Rows that it holds.", is_nullable=False),
        Column(
            "counts",
            Type.JSON,
            "For raw days: staged, kept, duplicates, superseded, quarantined, and quarantined by rule.",
            is_nullable=False,
        ),
        Column("run_id", Type.TEXT, "The run that made it."),
        Column("refreshed_at", Type.INSTANT, "When it was made.", is_nullable=False),
        Column(
            "removed_at",
            Type.INSTANT,
            "When its rows were deleted because their time was over; the rest tells what it held. Null: it is there.",
        ),
        Column(
            "removed", Type.JSON, "For raw days: the counts that were deleted, and the last file among them."
        ),
    ),
    key=("asset", "partition"),
    privacy=PrivacyClass.AGGREGATE,
)

IDENTITIES = Table(
    "bi_identities",
    "People of other systems and the numbers that they go by here.",
    (
        Column("user_id", Type.INTEGER, "The number here, above 2^62.", is_nullable=False),
        Column("system", Type.TEXT, "The other system.", is_nullable=False),
        Column("foreign_id", Type.TEXT, "The person's id there.", is_nullable=False),
        Column("created_at", Type.INSTANT, "When the pair was first seen.", is_nullable=False),
    ),
    key=("user_id",),
    privacy=PrivacyClass.IDENTIFIED,
)

REPORTS = Table(
    "bi_reports",
    "Every report that was written.",
    (
        Column("report_id", Type.TEXT, "Unique name of the report.", is_nullable=False),
        Column("report_type", Type.TEXT, "health_summary, …", is_nullable=False),
        Column("cadence", Type.TEXT, "A period, or 'range'.", is_nullable=False),
        Column("version", Type.INTEGER, "Number of the version, from 1.", is_nullable=False),
        Column("period_start", Type.TIMESTAMP, "Start of what it covers.", is_nullable=False),
        Column("period_end", Type.TIMESTAMP, "End of what it covers, exclusive.", is_nullable=False),
        Column("audience", Type.TEXT, "groups or personal.", is_nullable=False),
        Column("generated_at", Type.INSTANT, "When it was written.", is_nullable=False),
        Column("generated_by", Type.TEXT, "Who or what asked for it.", is_nullable=False),
        Column("confidence_score", Type.NUMBER, "Between 0 and 1; null where it is not measured."),
        Column("data_sources", Type.JSON, "What it was made from.", is_nullable=False),
        Column("summary", Type.JSON, "The figures of the first screen.", is_nullable=False),
        Column("metrics", Type.JSON, "All figures.", is_nullable=False),
        Column("insights", Type.JSON, "What was found.", is_nullable=False),
        Column("recommendations", Type.JSON, "What to do.", is_nullable=False),
        Column(
            "content_sha256",
            Type.TEXT,
            "Hash of the content without stamps; equal content keeps its file.",
            is_nullable=False,
        ),
        Column(
            "input_versions", Type.JSON, "Versions of the partitions that it rests on.", is_nullable=False
        ),
        Column("html_path", Type.TEXT, "Path below the reports folder.", is_nullable=False),
        Column("json_path", Type.TEXT, "Path below the reports folder.", is_nullable=False),
    ),
    key=("report_id",),
    privacy=PrivacyClass.AGGREGATE,
)

AUDIT_LOG = Table(
    "bi_audit_log",
    "Who did what to which data; rows are added and never changed.",
    (
        Column("id", Type.INTEGER, "Order of the entries.", is_nullable=False),
        Column("at", Type.INSTANT, "When.", is_nullable=False),
        Column("actor", Type.TEXT, "Who: an operating system's user or a Dagster run.", is_nullable=False),
        Column("action", Type.TEXT, "What: ingest, replace, report, sql, …", is_nullable=False),
        Column("object", Type.TEXT, "The dataset, table or report.", is_nullable=False),
        Column("window", Type.TEXT, "The stretch of time."),
        Column("rows", Type.INTEGER, "Rows touched."),
        Column("outcome", Type.TEXT, "done, failed or denied.", is_nullable=False),
        Column("detail", Type.JSON, "Counts and keys; never values of a person."),
    ),
    key=("id",),
    privacy=PrivacyClass.AGGREGATE,
)

PIPELINE_RUNS = Table(
    "bi_pipeline_runs",
    "Every run of the pipeline.",
    (
        Column("run_id", Type.TEXT, "Unique name of the run.", is_nullable=False),
        Column("started_at", Type.INSTANT, "When it started.", is_nullable=False),
        Column("ended_at", Type.INSTANT, "When it ended; null while it runs or if it was killed."),
        Column(
            "outcome",
            Type.TEXT,
            "running, succeeded, failed or abandoned (its process is gone).",
            is_nullable=False,
        ),
        Column("assets", Type.TEXT_LIST, "What it made.", is_nullable=False),
        Column("window", Type.TEXT, "The stretch of time; null where it was for all that was stale."),
        Column("rows", Type.INTEGER, "Rows written."),
        Column("host", Type.TEXT, "The machine.", is_nullable=False),
        Column("pid", Type.INTEGER, "The process.", is_nullable=False),
        Column(
            "process_started_at",
            Type.INSTANT,
            "When the process started; tells it from a later one of that number.",
            is_nullable=False,
        ),
    ),
    key=("run_id",),
    privacy=PrivacyClass.AGGREGATE,
)

RETENTION_RECEIPTS = Table(
    "bi_retention_receipts",
    "What was deleted because its time was over.",
    (
        Column("receipt_id", Type.TEXT, "Unique name of the receipt.", is_nullable=False),
        Column("object", Type.TEXT, "What: an asset, landing/<dataset>, dagster/runs …", is_nullable=False),
        Column("privacy", Type.TEXT, "Its class: identified, limited or aggregate.", is_nullable=False),
        Column("first_day", Type.DATE, "First day of what was deleted.", is_nullable=False),
        Column("last_day", Type.DATE, "Last day of what was deleted, inclusive.", is_nullable=False),
        Column("partitions", Type.INTEGER, "Partitions, files or runs.", is_nullable=False),
        Column("rows", Type.INTEGER, "Rows, lines or events.", is_nullable=False),
        Column("bytes", Type.INTEGER, "How much they took up, indexes apart.", "By", is_nullable=False),
        Column("rule", Type.TEXT, "How long it was to be kept.", is_nullable=False),
        Column("outcome", Type.TEXT, "started, or done when nothing is left of it.", is_nullable=False),
        Column("started_at", Type.INSTANT, "When it was decided; nothing counts any more from then on.", is_nullable=False),
        Column("done_at", Type.INSTANT, "When nothing was left of it."),
        Column("actor", Type.TEXT, "Who: an operating system's user or a Dagster run.", is_nullable=False),
        Column("run_id", Type.TEXT, "The run that did it.", is_nullable=False),
    ),
    key=("receipt_id",),
    privacy=PrivacyClass.AGGREGATE,
)  # fmt: skip

TABLES: tuple[Table, ...] = (
    HEALTH_METRIC_ROWS,
    HEALTH_STARTS,
    HEALTH_GROUPS,
    DEVICE_CHANGES,
    *ENGAGEMENT_TABLES,
    *PERFORMANCE_TABLES,
    *FINANCE_TABLES,
    INGESTED_FILES,
    INGESTED_FILE_DAYS,
    PARTITIONS,
    IDENTITIES,
    REPORTS,
    RESTATEMENTS,
    AUDIT_LOG,
    PIPELINE_RUNS,
    *ALERT_TABLES,
    RETENTION_RECEIPTS,
)
VIEWS: tuple[Table, ...] = (HEALTH_METRICS_VIEW, *ENGAGEMENT_VIEWS)

READER_TABLES: tuple[str, ...] = tuple(table.name for table in (*TABLES, *VIEWS) if table is not IDENTITIES)
"""What the read-only role may read: everything but who people are elsewhere."""
