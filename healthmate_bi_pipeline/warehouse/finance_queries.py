"""What the finance report reads: revenue of groups; never rows of persons."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from healthmate_bi_pipeline.catalog.finance import EVERYTHING
from healthmate_bi_pipeline.catalog.finance_tables import LIFETIME_VALUE, REVENUE
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

_REVENUE = SQL_TABLES[REVENUE.name]
_LIFETIMES = SQL_TABLES[LIFETIME_VALUE.name]


def revenue(
    connection: Connection, *, period: Period, window: Window, has_plans: bool
) -> list[dict[str, Any]]:
    """Rows of ``bi_revenue`` of the periods that start in a window, in order of the key.

    Args:
        connection: to read by.
        period: the period.
        window: where they start.
        has_plans: whether each plan's are wanted too.
    """
    found = (
        sa.select(_REVENUE)
        .where(
            _REVENUE.c.aggregation_period == str(period),
            _REVENUE.c.period_start >= window.start,
            _REVENUE.c.period_start < window.end,
            sa.true() if has_plans else _REVENUE.c.plan == EVERYTHING,
        )
        .order_by(_REVENUE.c.period_start, _REVENUE.c.currency.collate("C"), _REVENUE.c.plan.collate("C"))
    )
    return [dict(row) for row in connection.execute(found).mappings()]


def lifetime_values(connection: Connection, *, first: date, last: date) -> list[dict[str, Any]]:
    """Rows of ``bi_lifetime_value`` of the moments from one day to another, in order."""
    found = (
        sa.select(_LIFETIMES)
        .where(_LIFETIMES.c.as_of.between(first, last))
        .order_by(_LIFETIMES.c.as_of, _LIFETIMES.c.currency.collate("C"))
    )
    return [dict(row) for row in connection.execute(found).mappings()]
