"""What checks found, kept: the last result of each asset, check and days, and the changes of its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from healthmate_bi_pipeline.catalog.alert_tables import CHECK_RESULTS
from healthmate_bi_pipeline.settings import Severity
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

_RESULTS = SQL_TABLES[CHECK_RESULTS.name]
_PASSING = ("passed", "not applicable")


@dataclass(frozen=True)
class CheckResult:
    """A row of ``bi_check_results`` but for ``since``, which the table finds out itself.

    Attributes:
        window: the days that were looked at, as a ``Window`` is written; empty for all.
        days: first days of the partitions that are not as they should be.
    """

    asset: str
    check_name: str
    window: str
    at: datetime
    verdict: str
    severity: Severity
    wrong: int | None
    of: int | None
    counts: Mapping[str, int] | None
    days: tuple[date, ...]
    run_id: str


def record_result(connection: Connection, result: CheckResult, *, keep: timedelta) -> None:
    """Enter a result; the one before it of the same days is a row of its own only when its verdict was another.

    Args:
        connection: in a transaction.
        result: what was found.
        keep: how long what was found earlier of this check stays.
    """
    same = (
        _RESULTS.c.asset == result.asset,
        _RESULTS.c.check_name == result.check_name,
    )
    last = connection.execute(
        sa.select(_RESULTS.c.since, _RESULTS.c.verdict)
        .where(*same, _RESULTS.c.window == result.window)
        .order_by(_RESULTS.c.since.desc())
        .limit(1)
        .with_for_update()
    ).first()
    is_same = last is not None and last.verdict == result.verdict
    since = last.since if last is not None and is_same else result.at
    entered = insert(_RESULTS).values(since=since, **_values(result))
    changed = {
        column.name: entered.excluded[column.name] for column in _RESULTS.c if not column.primary_key
    }  # fmt: skip
    connection.execute(entered.on_conflict_do_update(index_elements=_RESULTS.primary_key, set_=changed))
    connection.execute(sa.delete(_RESULTS).where(*same, _RESULTS.c.at < result.at - keep))


def _values(result: CheckResult) -> dict[str, Any]:
    return {
        "asset": result.asset,
        "check_name": result.check_name,
        "window": result.window,
        "at": result.at,
        "verdict": result.verdict,
        "severity": result.severity.value,
        "wrong": result.wrong,
        "of": result.of,
        "counts": None if result.counts is None else dict(result.counts),
        "days": [day.isoformat() for day in result.days],
        "run_id": result.run_id,
    }


def results_since_trouble(connection: Connection) -> list[CheckResult]:
    """Of each check that ever failed the results since then, in the order in which they were found."""
    bad = (
        sa.select(_RESULTS.c.asset, _RESULTS.c.check_name, sa.func.min(_RESULTS.c.at).label("first"))
        .where(_RESULTS.c.verdict.not_in(_PASSING))
        .group_by(_RESULTS.c.asset, _RESULTS.c.check_name)
        .subquery()
    )
    found = (
        sa.select(*(column for column in _RESULTS.c if column.name != "since"))
        .join(
            bad,
            (_RESULTS.c.asset == bad.c.asset)
            & (_RESULTS.c.check_name == bad.c.check_name)
            & (_RESULTS.c.at >= bad.c.first),
        )
        .order_by(
            _RESULTS.c.asset.collate("C"), _RESULTS.c.check_name.collate("C"), _RESULTS.c.at, _RESULTS.c.since
        )
    )
    return [
        CheckResult(
            **{
                **row,
                "severity": Severity(row["severity"]),
                "days": tuple(date.fromisoformat(day) for day in row["days"]),
            }
        )
        for row in connection.execute(found).mappings()
    ]
