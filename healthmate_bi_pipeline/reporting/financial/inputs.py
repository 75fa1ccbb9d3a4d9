"""What the finance report is made from: revenue per currency and plan as the warehouse holds it, before suppression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from healthmate_bi_pipeline.catalog.finance import EVERYTHING
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.inputs import Arrivals, ReportInputs


@dataclass(frozen=True)
class Amount:
    """Some people, and what they pay together, in whole units of the currency; 0 over all currencies."""

    people: int = 0
    money: float = 0.0


@dataclass(frozen=True)
class Revenue:
    """One currency and plan (or all of them) in one period; see ``domain/revenue``.

    Attributes:
        paid: what came in, of how many different people.
        payments: how many payments that were.
        failed_payments: how many failed, of ``failing_people``.
        refunded: what was paid back, to how many different people, in ``refunds``.
        events: of any kind, and those of them without an amount.
    """

    currency: str
    plan: str
    opening: Amount = Amount()
    closing: Amount = Amount()
    new: Amount = Amount()
    reactivated: Amount = Amount()
    expanded: Amount = Amount()
    contracted: Amount = Amount()
    churned: Amount = Amount()
    paid: Amount = Amount()
    payments: int = 0
    failed_payments: int = 0
    failing_people: int = 0
    refunded: Amount = Amount()
    refunds: int = 0
    events: int = 0
    events_without_amount: int = 0


@dataclass(frozen=True)
class Lifetime:
    """Residual value of the subscriptions in one currency that run at a moment; ``None`` where the fit failed."""

    as_of: date
    people: int
    value: float | None
    payments: float | None
    fitted_people: int
    reason: str


@dataclass(frozen=True)
class PeriodRevenue:
    """All that is known of one period.

    Attributes:
        window: the period, UTC.
        cells: by currency and plan; ``*`` stands for all of them.
        active_people: different people who were active in the app; ``None`` where that is not known.
        lifetimes: by currency, the last one of the period.
    """

    window: Window
    cells: Mapping[tuple[str, str], Revenue] = field(default_factory=dict)
    active_people: int | None = None
    lifetimes: Mapping[str, Lifetime] = field(default_factory=dict)

    @property
    def whole(self) -> Revenue | None:
        """All currencies and plans: people and payments, no money; ``None`` where there is nothing."""
        return self.cells.get((EVERYTHING, EVERYTHING))

    def of(self, currency: str, plan: str = EVERYTHING) -> Revenue:
        """One currency; nothing where nothing is known."""
        return self.cells.get((currency, plan), Revenue(currency, plan))

    @property
    def currencies(self) -> tuple[str, ...]:
        """Its currencies, that of the most paying people first."""
        own = [cell for (currency, plan), cell in self.cells.items() if plan == EVERYTHING != currency]
        ranked = sorted(own, key=lambda cell: (-max(cell.closing.people, cell.opening.people), cell.currency))
        return tuple(cell.currency for cell in ranked)

    def plans(self, currency: str) -> tuple[str, ...]:
        """The plans of a currency, by name."""
        return tuple(sorted(plan for own, plan in self.cells if own == currency and plan != EVERYTHING))


@dataclass(frozen=True, kw_only=True)
class FinancialInputs(ReportInputs):
    """All that a finance report needs.

    Attributes:
        current: the report's window; without a ``whole`` there are no billing events.
        previous: the period before, where there is something.
        period: the period of the history.
        history: its periods in order, none left out, the last one in the window.
        billing_days: days of the window with billing events.
        days_up_to_date: days of the window up to the newest billing event of all time.
        arrivals: dataset -> when the days of the window came.
    """

    current: PeriodRevenue
    previous: PeriodRevenue | None
    period: Period
    history: Sequence[PeriodRevenue]
    billing_days: int
    days_up_to_date: int
    arrivals: Mapping[str, Arrivals] = field(default_factory=dict)
