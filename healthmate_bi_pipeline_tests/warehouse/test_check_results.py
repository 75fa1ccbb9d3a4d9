"""Results of checks are kept: the last of the same days, and each change of the verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text

from healthmate_bi_pipeline.settings import Severity
from healthmate_bi_pipeline.warehouse.check_results import CheckResult, record_result, results_since_trouble
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
KEEP = timedelta(days=400)
PASSED = CheckResult(
    "raw/users", "rows_add_up", "2026-03-01…2026-03-03", AT, "passed", Severity.INFO, 0, 14, {"kept": 9}, (), "r1"
)  # fmt: skip
FAILED = replace(PASSED, verdict="failed", severity=Severity.CRITICAL, wrong=5, days=(date(2026, 3, 2),))


def record(warehouse: Warehouse, *results: CheckResult) -> None:
    for hours, result in enumerate(results):
        with warehouse.transaction() as connection:
            record_result(connection, replace(result, at=AT + timedelta(hours=hours)), keep=KEEP)


def kept(warehouse: Warehouse) -> list[tuple[str, int, int]]:
    with warehouse.transaction() as connection:
        rows = connection.execute(text("SELECT verdict, since, at FROM bi_check_results ORDER BY at"))
        return [
            (row.verdict, *((at - AT) // timedelta(hours=1) for at in (row.since, row.at))) for row in rows
        ]


def test_the_same_verdict_is_one_row_and_another_one_a_new_one(warehouse: Warehouse) -> None:
    record(warehouse, PASSED, PASSED, FAILED, FAILED, FAILED, PASSED)
    assert kept(warehouse) == [("passed", 0, 1), ("failed", 2, 4), ("passed", 5, 5)]


def test_other_days_are_another_row(warehouse: Warehouse) -> None:
    record(warehouse, PASSED, replace(PASSED, window="2026-03-04"), replace(PASSED, window=""))
    assert len(kept(warehouse)) == 3


def test_what_is_old_is_forgotten(warehouse: Warehouse) -> None:
    record(warehouse, FAILED, replace(PASSED, window="2026-03-04"))
    with warehouse.transaction() as connection:
        record_result(connection, replace(PASSED, at=AT + KEEP + timedelta(minutes=1)), keep=KEEP)
    assert [row[0] for row in kept(warehouse)] == ["passed", "passed"]


def test_only_checks_that_failed_are_looked_at_again_and_as_they_were(warehouse: Warehouse) -> None:
    other = replace(PASSED, check_name="lake_holds_all_rows")
    error = replace(FAILED, check_name="x", verdict="error", wrong=None, of=None, counts=None, days=())
    record(warehouse, PASSED, other, FAILED, replace(PASSED, window=""), other, error)
    with warehouse.transaction() as connection:
        found = results_since_trouble(connection)
    assert found == [
        replace(FAILED, at=AT + timedelta(hours=2)),
        replace(PASSED, window="", at=AT + timedelta(hours=3)),
        replace(error, at=AT + timedelta(hours=5)),
    ]
