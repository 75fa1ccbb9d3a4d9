"""Subscriptions and payments → recurring revenue and its movements per period, currency and plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.finance import EVERYTHING, UNKNOWN_PLAN
from healthmate_bi_pipeline.catalog.finance_tables import REVENUE
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.domain.revenue import FAILED_EVENT, PAYMENT_EVENTS, REFUND_EVENT
from healthmate_bi_pipeline.settings import FinanceSettings
from healthmate_bi_pipeline.transforms.columns import IBIS_TYPES, union_all
from healthmate_bi_pipeline.transforms.finance.subscriptions import changes, over_all_currencies
from healthmate_bi_pipeline.transforms.placing import period_floor

BEFORE = datetime(1970, 1, 1)
"""Stands for all time before free ranges of days."""

_CELL = ["period_start", "currency", "plan"]
_GAINS = ("new", "reactivated", "expanded", "moved_in")
_LOSSES = ("contracted", "churned", "moved_out")
_AMOUNTS = {"expanded": "expansion_minor", "contracted": "contraction_minor"}
_PAYMENTS = (
    "payments", "payers", "paid_minor", "failed_payments", "failing_people", "refunds", "refunded_people",
    "refunded_minor", "events", "events_without_amount",
)  # fmt: skip


def _amount(kind: str) -> str:
    return _AMOUNTS.get(kind, f"{kind}_minor")


def period_table(spans: Iterable[tuple[Window, datetime, bool]], label: str) -> pa.Table:
    """What is known of each period: its window, the moment that closing figures are of, whether it is complete."""
    rows = list(spans)
    return pa.table(
        {
            "aggregation_period": pa.array([label] * len(rows), pa.string()),
            "period_start": pa.array([window.start for window, _, _ in rows], pa.timestamp("us")),
            "period_end": pa.array([window.end for window, _, _ in rows], pa.timestamp("us")),
            "as_of": pa.array([as_of for _, as_of, _ in rows], pa.timestamp("us")),
            "is_complete": pa.array([is_over for _, _, is_over in rows], pa.bool_()),
        }
    )


def revenue_rows(
    events: ir.Table, periods: ir.Table, *, period: Period | Sequence[Window], rules: FinanceSettings
) -> ir.Table:
    """Rows of ``bi_revenue`` of some periods, sorted by key; those in which nothing runs or happens are left out.

    Args:
        events: rows of ``raw/billing_events`` of all time.
        periods: ``period_table`` without gaps from the first event on; for ranges of days the time ``BEFORE`` and
            the ranges, one after the other.
        period: the period, or the ranges.
        rules: how long a payment lasts.
    """
    parts = []
    for all_currencies in (False, True):
        lines = over_all_currencies(events) if all_currencies else events
        moves = _sides(_net_moves(changes(lines, rules), periods, period))
        paid = _payment_cells(events, periods, period, all_currencies=all_currencies)
        parts.append(_closed(moves, paid, periods))
    rows = union_all(parts)
    is_counted_only = rows.currency == EVERYTHING
    emptied = {
        name: is_counted_only.ifelse(ibis.null("int64"), rows[name])
        for name in rows.columns
        if name.endswith("_minor")
    }
    # What grows where everybody pays 1 is no growth of revenue.
    emptied |= {
        name: is_counted_only.ifelse(0, rows[name]) for name in ("expanded_people", "contracted_people")
    }
    told = rows.mutate(**emptied)
    is_something = (told.opening_people > 0) | (told.closing_people > 0) | (told.events > 0)
    moved: Any = sum((told[f"{kind}_people"] for kind in (*_GAINS, *_LOSSES)), start=ibis.literal(0))
    shown = told.filter(is_something | (moved > 0))
    return shown.select(
        **{column.name: shown[column.name].cast(IBIS_TYPES[column.type]) for column in REVENUE.columns}
    ).order_by(*REVENUE.key)


def _placed(at: Any, period: Period | Sequence[Window]) -> Any:
    """The start of the period that a moment lies in."""
    if isinstance(period, Period):
        return period_floor(at, period)
    before, *starts = (
        ibis.literal(moment, type="timestamp(6)") for moment in (BEFORE, *(window.start for window in period))
    )
    return ibis.cases(*((at >= start, start) for start in reversed(starts)), else_=before)


def _net_moves(moves: ir.Table, periods: ir.Table, period: Period | Sequence[Window]) -> ir.Table:
    """What each subscription that changed in a period was before it and after it."""
    placed = moves.mutate(period_start=_placed(moves["at"], period))
    known = placed.join(periods.select("period_start", "as_of"), "period_start")
    seen = known.filter(known["at"] < known.as_of)
    return seen.group_by(["period_start", "user_id", "currency", "first_paid_at"]).agg(
        before=seen.before.argmin(seen.number),
        before_plan=seen.before_plan.argmin(seen.number),
        after=seen.after.argmax(seen.number),
        after_plan=seen.after_plan.argmax(seen.number),
    )


def _sides(net: ir.Table) -> ir.Table:
    """Movements counted per period, currency and plan, and over all plans."""
    runs, ran = net.after > 0, net.before > 0
    is_moved = ran & runs & (net.before_plan != net.after_plan)
    is_known = net.first_paid_at < net.period_start
    more, less = ran & runs & (net.after > net.before), ran & runs & (net.after < net.before)
    of_now = {
        "new": (runs & ~ran & ~is_known, net.after),
        "reactivated": (runs & ~ran & is_known, net.after),
        "expanded": (more, net.after - net.before),
        "contracted": (less, net.before - net.after),
        "moved_in": (is_moved, net.before),
    }
    of_then = {"churned": (ran & ~runs, net.before), "moved_out": (is_moved, net.before)}
    kinds = (*_GAINS, *_LOSSES)
    parts = []
    for plan, flags in ((net.after_plan, of_now), (net.before_plan, of_then)):
        side = net.select(
            "period_start",
            "currency",
            plan=plan,
            **{
                f"{kind}_people": flags[kind][0].cast("int64") if kind in flags else ibis.literal(0, type="int64")
                for kind in kinds
            },
            **{
                _amount(kind): flags[kind][0].ifelse(flags[kind][1], 0) if kind in flags else ibis.literal(0, type="int64")
                for kind in kinds
            },
        )  # fmt: skip
        parts.append(side.filter(side.plan != ""))
    sides = union_all(parts)
    names = [*(f"{kind}_people" for kind in kinds), *(_amount(kind) for kind in kinds)]
    by_plan = sides.group_by(_CELL).agg(**{name: sides[name].sum() for name in names})
    whole = sides.group_by(["period_start", "currency"]).agg(
        **{
            name: ibis.literal(0, type="int64") if name.startswith("moved_") else sides[name].sum()
            for name in names
        }
    )
    return union_all((by_plan, whole.mutate(plan=ibis.literal(EVERYTHING)).select(*by_plan.columns)))


def _payment_cells(
    events: ir.Table, periods: ir.Table, period: Period | Sequence[Window], *, all_currencies: bool
) -> ir.Table:
    """Payments, failures and refunds per period, currency and plan, and over all plans."""
    placed = events.mutate(period_start=_placed(events.occurred_at, period))
    known = placed.join(periods.select("period_start", "as_of"), "period_start")
    known = known.filter(known.occurred_at < known.as_of)
    is_pay, is_refund = known.event.isin(PAYMENT_EVENTS), known.event == REFUND_EVENT
    lacks = (is_pay | is_refund) & (known.amount_minor.isnull() | known.currency.isnull())
    told = known.mutate(
        plan=known.plan.fill_null(UNKNOWN_PLAN),
        is_paid=is_pay & ~lacks & (known.amount_minor > 0),
        is_failed=known.event == FAILED_EVENT,
        is_refunded=is_refund & ~lacks,
        is_lacking=lacks,
    )
    told = (
        told.mutate(currency=ibis.literal(EVERYTHING))
        if all_currencies
        else told.filter(told.currency.notnull())
    )
    every = told.mutate(plan=ibis.literal(EVERYTHING)).select(*told.columns)
    return union_all(_counted(rows) for rows in (told, every))


def _counted(told: ir.Table) -> ir.Table:
    def people(flag: str) -> Any:
        return told.user_id.nunique(where=told[flag])

    counted = told.group_by(_CELL).agg(
        payments=told.is_paid.sum(),
        payers=people("is_paid"),
        paid_minor=told.amount_minor.sum(where=told.is_paid).fill_null(0),
        failed_payments=told.is_failed.sum(),
        failing_people=people("is_failed"),
        refunds=told.is_refunded.sum(),
        refunded_people=people("is_refunded"),
        refunded_minor=told.amount_minor.sum(where=told.is_refunded).fill_null(0),
        events=told.count(),
        events_without_amount=told.is_lacking.sum(),
    )
    return counted.mutate(**{name: counted[name].cast("int64") for name in _PAYMENTS})


def _closed(moves: ir.Table, paid: ir.Table, periods: ir.Table) -> ir.Table:
    """Every period of every currency and plan, with what ran at its start and at its end: the sum of all movements."""
    cells = union_all((moves.select(*_CELL[1:]), paid.select(*_CELL[1:]))).distinct()
    grid: Any = cells.cross_join(periods)
    counts = [name for name in (*moves.columns, *paid.columns) if name not in _CELL]
    for part in (moves, paid):
        renamed = part.rename({f"own_{name}": name for name in _CELL})
        grid = grid.left_join(renamed, [(name, f"own_{name}") for name in _CELL]).drop(
            *(f"own_{name}" for name in _CELL)
        )
    rows = grid.mutate(**{name: grid[name].fill_null(0) for name in counts})
    order = ibis.window(group_by=["currency", "plan"], order_by="period_start", preceding=None, following=0)
    ends: dict[str, Any] = {}
    for unit, named in (("people", lambda kind: f"{kind}_people"), ("minor", _amount)):
        # Growth is more money of the same people.
        kinds = ("new", "reactivated", "moved_in") if unit == "people" else _GAINS
        lost = ("churned", "moved_out") if unit == "people" else _LOSSES
        net: Any = sum((rows[named(kind)] for kind in kinds), start=ibis.literal(0)) - sum(
            (rows[named(kind)] for kind in lost), start=ibis.literal(0)
        )
        ends[f"closing_{unit}"] = net.sum().over(order)
        ends[f"opening_{unit}"] = ends[f"closing_{unit}"] - net
    return rows.mutate(**ends)
