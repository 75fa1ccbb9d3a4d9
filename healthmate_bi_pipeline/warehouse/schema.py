"""The schema that the catalog asks for: tables, partitions, the view, comments.

Used to build statements, and to say what the migrations have to arrive at. What a database really has comes
from ``migrations/`` alone, so that history stays fixed; a test compares the two. To change the schema, change
the catalog and write a migration from what ``python -m healthmate_bi_pipeline.warehouse.schema`` prints.
"""

from __future__ import annotations

import sys
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateSequence, CreateTable, SetColumnComment, SetTableComment

from healthmate_bi_pipeline.catalog.columns import Column, Table, Type
from healthmate_bi_pipeline.catalog.engagement_tables import (
    ENGAGEMENT_LIFECYCLE,
    ENGAGEMENT_ROWS,
    ENGAGEMENT_VIEW,
)
from healthmate_bi_pipeline.catalog.performance_tables import SYSTEM_PERFORMANCE_METRICS
from healthmate_bi_pipeline.catalog.restatements import RESTATEMENTS
from healthmate_bi_pipeline.catalog.tables import (
    AUDIT_LOG,
    HEALTH_METRIC_ROWS,
    HEALTH_METRICS_VIEW,
    IDENTITIES,
    PIPELINE_RUNS,
    REPORTS,
    TABLES,
    VIEWS,
)
from healthmate_bi_pipeline.domain.period import Period

SQL_TYPES: dict[Type, sa.types.TypeEngine[Any]] = {
    Type.INTEGER: sa.BigInteger(),
    Type.NUMBER: sa.Double(),
    Type.EXACT: sa.Numeric(38, 6),
    Type.TEXT: sa.Text(),
    Type.TEXT_LIST: postgresql.ARRAY(sa.Text()),
    Type.BOOLEAN: sa.Boolean(),
    Type.DATE: sa.Date(),
    Type.TIMESTAMP: postgresql.TIMESTAMP(timezone=False),
    Type.INSTANT: postgresql.TIMESTAMP(timezone=True),
    Type.JSON: postgresql.JSONB(none_as_null=True),
}

TREND_BASES: dict[str, str] = {"bmi_trend": "avg_bmi", "health_score_trend": "overall_health_score"}
"""Which figure a trend is the difference of, this period minus the one before."""

# Of the last whole week of the period; weeks end on Mondays.
_ALIVE_NEXT_WEEK = """\
(
        SELECT t.probability_alive FROM bi_user_retention AS t
        WHERE t.user_id = r.user_id AND t.week_end = date_trunc('week', r.period_end)::date
            AND r.aggregation_period NOT IN ('hourly', 'daily')
    )"""

# A query that does not ask for it does not look it up. Days of a measure count from its first one on.
_LOOKED_UP: dict[str, str] = {
    "data_completeness": """\
r.day_slots_filled / NULLIF((
        SELECT sum(r.period_end::date - greatest(s.first_day, r.period_start::date))
        FROM bi_health_starts AS s
        WHERE s.user_id = r.user_id AND s.first_day < r.period_end
    ), 0)::double precision""",
    "feature_adoption_rate": """\
r.features_used_count / NULLIF((
        SELECT count(*) FROM bi_engagement_features AS f WHERE f.first_used_on < r.period_end
    ), 0)::double precision""",
    "lifecycle": """\
CASE
        WHEN r.aggregation_period = 'hourly' THEN NULL
        WHEN r.active_hours IS NOT NULL THEN (
            SELECT CASE
                WHEN s.first_active_on >= r.period_start THEN 'new'
                WHEN r.was_active_before THEN 'returning'
                ELSE 'resurrecting'
            END
            FROM bi_engagement_starts AS s WHERE s.user_id = r.user_id
        )
        WHEN r.was_active_before AND r.is_complete THEN 'dormant'
    END""",
    "retention_score": "100 * " + _ALIVE_NEXT_WEEK,
    "churn_risk": "1 - " + _ALIVE_NEXT_WEEK,
}

_VIEW_QUERIES: dict[str, str] = {
    ENGAGEMENT_LIFECYCLE.name: """\
SELECT aggregation_period, period_start, lifecycle, count(*) AS people
FROM bi_user_engagement_analytics
WHERE lifecycle IS NOT NULL
GROUP BY aggregation_period, period_start, lifecycle"""
}

_ROWS_OF_VIEW: dict[str, Table] = {
    HEALTH_METRICS_VIEW.name: HEALTH_METRIC_ROWS,
    ENGAGEMENT_VIEW.name: ENGAGEMENT_ROWS,
}

STEP_BACK: dict[Period, str] = {
    Period.HOURLY: "1 hour",
    Period.DAILY: "1 day",
    Period.WEEKLY: "7 days",
    Period.MONTHLY: "1 month",
    Period.QUARTERLY: "3 months",
    Period.YEARLY: "1 year",
}

FILE_NUMBERS = sa.Sequence("bi_file_number", data_type=sa.BigInteger(), start=1, increment=1_000_000)
"""Numbers of files in the order in which they were first seen: every call gives the start of a block that is
nobody else's, also not after a rollback or a kill."""

# What is found by anything but the key.
_INDEXES: dict[str, tuple[tuple[str, tuple[str, ...], bool], ...]] = {
    HEALTH_METRIC_ROWS.name: (("period_start", ("period_start",), False),),
    ENGAGEMENT_ROWS.name: (("period_start", ("period_start",), False),),
    SYSTEM_PERFORMANCE_METRICS.name: (("period_start", ("period_start",), False),),
    IDENTITIES.name: (("foreign_id", ("system", "foreign_id"), True),),
    REPORTS.name: (
        ("version", ("report_type", "cadence", "period_start", "period_end", "audience", "version"), True),
    ),
    RESTATEMENTS.name: (("asset", ("asset", "period_start"), False),),
    AUDIT_LOG.name: (("at", ("at",), False),),
    PIPELINE_RUNS.name: (("started_at", ("started_at",), False),),
}  # fmt: skip


def partition_name(table: Table, value: str) -> str:
    """The name of the partition that holds a value."""
    return f"{table.name}_{value}"


def sql_table(metadata: sa.MetaData, table: Table) -> sa.Table:
    """A table of the catalog in SQLAlchemy's terms."""
    return sa.Table(
        table.name,
        metadata,
        *(_sql_column(table, column) for column in table.columns),
        sa.PrimaryKeyConstraint(*table.key, name=f"{table.name}_pkey"),
        *(
            sa.Index(f"{table.name}_{name}", *columns, unique=is_unique)
            for name, columns, is_unique in _INDEXES.get(table.name, ())
        ),
        comment=table.description,
        postgresql_partition_by=f"LIST ({table.partition_column})" if table.partition_column else None,
    )


def _sql_column(table: Table, column: Column) -> sa.Column[object]:
    # Never set by hand, so that no entry of the log can be put between others.
    identity = (
        (sa.Identity(always=True),) if table in (AUDIT_LOG, RESTATEMENTS) and column.name == "id" else ()
    )
    return sa.Column(
        column.name, SQL_TYPES[column.type], *identity, nullable=column.is_nullable, comment=column.comment
    )  # fmt: skip


METADATA = sa.MetaData()
SQL_TABLES: dict[str, sa.Table] = {table.name: sql_table(METADATA, table) for table in TABLES}


def view_statement(view: Table, rows: Table) -> str:
    """The view over the rows that adds what looks back: trends one period of the same person.

    The join is by equality on the whole key: with the person or the period given, the previous row is one
    look-up in the key; and a query that reads no trend does not join at all.
    """

    def selected_as(name: str) -> str:
        if name in rows.column_names:
            return f"    r.{name}"
        looked_up = _LOOKED_UP.get(name)
        return f"    {looked_up or f'r.{TREND_BASES[name]} - p.{TREND_BASES[name]}'} AS {name}"

    selected = ",\n".join(selected_as(name) for name in view.column_names)
    steps = "\n".join(f"        WHEN '{period}' THEN interval '{step}'" for period, step in STEP_BACK.items())
    query = f"CREATE VIEW {view.name} AS\nSELECT\n{selected}\nFROM {rows.name} AS r"
    if not set(TREND_BASES) & set(view.column_names):
        return query
    return (
        f"{query}\nLEFT JOIN {rows.name} AS p\n"
        "    ON p.user_id = r.user_id\n"
        "    AND p.aggregation_period = r.aggregation_period\n"
        f"    AND p.period_start = r.period_start - CASE r.aggregation_period\n{steps}\n    END"
    )


AUDIT_STATEMENTS = (
    """\
CREATE FUNCTION bi_audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'bi_audit_log only grows: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$""",
    """\
CREATE TRIGGER bi_audit_log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON bi_audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION bi_audit_log_refuse()""",
    "ALTER TABLE bi_audit_log ENABLE ALWAYS TRIGGER bi_audit_log_only_grows",
)


def statements() -> list[str]:
    """Everything, as the statements that make it in an empty database."""
    made: list[sa.schema.ExecutableDDLElement | str] = [CreateSequence(FILE_NUMBERS)]
    for declared in TABLES:
        table = SQL_TABLES[declared.name]
        made.append(CreateTable(table))
        made.extend(CreateIndex(index) for index in sorted(table.indexes, key=lambda index: str(index.name)))
        made.extend(
            f"CREATE TABLE {partition_name(declared, value)} PARTITION OF {declared.name}\n"
            f"    FOR VALUES IN ('{value}')"
            for value in declared.partition_values
        )
        made.append(SetTableComment(table))
        made.extend(SetColumnComment(column) for column in table.columns)
    for view in VIEWS:
        rows = _ROWS_OF_VIEW.get(view.name)
        made.append(
            view_statement(view, rows) if rows else f"CREATE VIEW {view.name} AS\n{_VIEW_QUERIES[view.name]}"
        )
        made.append(f"COMMENT ON VIEW {view.name} IS {_quoted(view.description)}")
        made.extend(
            f"COMMENT ON COLUMN {view.name}.{column.name} IS {_quoted(column.comment)}"
            for column in view.columns
        )
    made.extend(AUDIT_STATEMENTS)
    return [statement if isinstance(statement, str) else _compiled(statement) for statement in made]


def _compiled(statement: sa.schema.ExecutableDDLElement) -> str:
    lines = (
        str(statement.compile(dialect=sa.make_url("postgresql+psycopg2://").get_dialect()()))
        .strip()
        .expandtabs(4)
        .splitlines()
    )
    # psycopg2 takes %% for %, which nothing here is sent through.
    return "\n".join(line.rstrip() for line in lines if line.strip()).replace("%%", "%")


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


if __name__ == "__main__":
    sys.stdout.write(";\n\n".join(statements()) + ";\n")
