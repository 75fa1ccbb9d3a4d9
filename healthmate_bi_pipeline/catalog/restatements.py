"""Restatements: figures of complete periods that became others, because rows came late or a definition changed."""

from __future__ import annotations

from dataclasses import dataclass

from healthmate_bi_pipeline.catalog.columns import Column, PrivacyClass, Table, Type

RESTATEMENTS = Table(
    "bi_restatements",
    "Which figure of a complete period became another one, from what to what, why, and which reports held the old one."
    " Of people's rows and of hours: how many changed, without values.",
    (
        Column("id", Type.INTEGER, "Order of the entries.", is_nullable=False),
        Column("at", Type.INSTANT, "When.", is_nullable=False),
        Column("run_id", Type.TEXT, "The run that made the period again.", is_nullable=False),
        Column("asset", Type.TEXT, "What was made: health_metrics/daily.", is_nullable=False),
        Column("table_name", Type.TEXT, "The table that holds the figure.", is_nullable=False),
        Column(
            "aggregation_period",
            Type.TEXT,
            "hourly, daily, weekly, monthly, quarterly or yearly.",
            is_nullable=False,
        ),
        Column("period_start", Type.TIMESTAMP, "Start of the period.", is_nullable=False),
        Column(
            "subject",
            Type.TEXT,
            "Whose figure: the stratum, the feature, or service, environment, instance and route; empty for people.",
            is_nullable=False,
        ),
        Column("figure", Type.TEXT, "Which figure.", is_nullable=False),
        Column("rows", Type.INTEGER, "How many rows have another value of it now.", is_nullable=False),
        Column("old_value", Type.NUMBER, "What it was; null where it was not there, and of people."),
        Column("new_value", Type.NUMBER, "What it is now; null where it is no more, and of people."),
        Column(
            "cause",
            Type.TEXT,
            "late rows, requeued rows, new definition, or other (settings, records of people, a state made again).",
            is_nullable=False,
        ),
        Column("files", Type.TEXT_LIST, "Hashes of the files whose rows came late.", is_nullable=False),
        Column(
            "reports",
            Type.TEXT_LIST,
            "Reports that were written from the old figure; null until they were looked up.",
        ),
    ),
    key=("id",),
    privacy=PrivacyClass.LIMITED,
)

SIGNIFICANT_DIGITS = 5
"""As many digits of a figure are ever printed; what differs behind them is no other figure."""


@dataclass(frozen=True)
class Shape:
    """How a table holds figures.

    Attributes:
        subject: the columns that say whose figures they are.
        figure: the column that names the figure; ``None``: each column of numbers is one.
        band: the column with the number of a band, -1 for the whole.
        value: an expression of SQL over the columns, where the figure is named by a column.
        is_of_people: whether rows are about a person each, so that only how many changed is kept.
    """

    subject: tuple[str, ...] = ()
    figure: str | None = None
    band: str | None = None
    value: str = ""
    is_of_people: bool = False


def shape_of(table: Table) -> Shape:
    """How a table of figures per period holds them."""
    names = set(table.column_names)
    if "user_id" in names:
        return Shape(is_of_people=True)
    if {"stratum", "figure", "band"} <= names:
        value = (
            "CASE WHEN {row}.total IS NULL THEN {row}.people ELSE {row}.total / NULLIF({row}.people, 0) END"
        )
        return Shape(("stratum",), "figure", "band", value)
    if "metric_name" in names:
        subject = ("service_name", "environment", "instance_id", "route_group")
        return Shape(subject, "metric_name", value="{row}.metric_value")
    return Shape(tuple(name for name in table.key if name not in ("aggregation_period", "period_start")))
