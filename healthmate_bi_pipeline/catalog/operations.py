"""The figures of the reports on the pipeline itself: operations, and compliance with data quality.

They are worked out from the books (files, partitions, runs, audit log) when a report is made; no table holds them.
"""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.figures import Figure
from healthmate_bi_pipeline.catalog.rules import MOST_VIOLATIONS

REGISTRY_VERSION = 1
"""Raised with every change of a figure's meaning."""

FRESH_HOURS = 24
"""A dataset is fresh when its newest row is no more than so many hours older than the end of the period."""

_KAHN = "Kahn 2016, eGEMs 4(1):1244"


def _number(name: str, description: str, unit: str, source: str = "own") -> Figure:
    return Figure(name, Type.NUMBER, description, unit, source=source)


OPERATIONAL_FIGURES: tuple[Figure, ...] = (
    _number(
        "fresh_datasets", f"Datasets whose newest row is at most {FRESH_HOURS} hours older than the period's end (or"
        " than what has passed of it), divided by the datasets that ever had a row before it.", "1",
    ),
    _number(
        "freshness_hours", "Hours from the newest row of a dataset to the period's end, or to what has passed of it.", "h",
    ),
    _number(
        "partitions_present", "Partitions of the period that were made, divided by those that there are rows for.", "1",
    ),
    _number("pipeline_runs", "Pieces of work that the pipeline began in the period: one per asset and attempt.", "1"),
    _number("run_success_rate", "Those of them that succeeded, divided by those that have ended.", "1"),
    _number("run_duration_p95", "95 % of the runs that succeeded took no longer than this, of the slowest group of assets.", "s"),
    _number("rows_staged", "Rows with a day in the period, as they were read from files.", "1"),
    _number(
        "late_rows", "Rows that were read after their day had closed (its end and the grace for late data), divided by"
        " all rows of the days that closed since the first file was read.", "1",
    ),
    _number("quarantine_share", "Rows that broke a rule and were set aside, divided by all staged rows.", "1", _KAHN),
    _number(
        "rejected_lines", "Lines that could not be read as rows, divided by all lines of the files with rows in the"
        " period.", "1", _KAHN,
    ),
)  # fmt: skip

COMPLIANCE_FIGURES: tuple[Figure, ...] = (
    _number(
        "quality_checks_passed", f"Checks that passed, divided by those that could be made; one fails where more than"
        f" {MOST_VIOLATIONS:.0%} of what it looks at breaks it.", "1", _KAHN,
    ),
    _number(
        "rows_unaccounted", "Lines and rows that the books do not account for: lines - rows - rejected, rows - staged -"
        " undated, and staged - kept - duplicates - superseded - quarantined.", "1",
    ),
    _number("partitions_overdue", "Partitions of complete periods that are missing or stale.", "1"),
    _number("reports_written", "Reports on periods inside this one, the newest version of each.", "1"),
    _number("figures_withheld", "Numbers in them that were withheld because they are about too few people.", "1"),
    _number("audited_actions", "Entries of the audit log in the period.", "1"),
    _number("actions_refused", "Those of them that failed or were denied.", "1"),
)  # fmt: skip

OPERATIONS_FIGURES = (*OPERATIONAL_FIGURES, *COMPLIANCE_FIGURES)
