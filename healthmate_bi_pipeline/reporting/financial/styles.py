"""How the figures of finance are written. A figure of money has its currency for a unit, see ``styles.style_of``."""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.finance import MONEY
from healthmate_bi_pipeline.reporting.style import Style


def _rate(label: str, short: str, span: float = 0.04) -> Style:
    return Style(label, "%", 1, short, span, scale=100, change_unit="points")


FINANCE_STYLES: dict[str, Style] = {
    "paying_people": Style("Paying people", "people", 0, "paying", 20),
    "paying_share": _rate("Paying people per active person", "paying share", 0.1),
    "paying_people_churn_rate": _rate("Paying people lost", "lost"),
    "failed_payment_share": _rate("Failed payments", "failed"),
    "refund_rate": _rate("Refunds", "refunds"),
    "monthly_recurring_revenue": Style("Monthly recurring revenue", MONEY, 0, "MRR", 100),
    "paying_people_growth": _rate("Growth of paying people", "growth"),
    "recurring_revenue_growth": _rate("Growth of recurring revenue", "growth"),
    "new_revenue": Style("New recurring revenue", MONEY, 0, "new", 50),
    "reactivation_revenue": Style("Reactivated recurring revenue", MONEY, 0, "reactivated", 50),
    "expansion_revenue": Style("Expansion", MONEY, 0, "expansion", 50),
    "contraction_revenue": Style("Contraction", MONEY, 0, "contraction", 50),
    "churned_revenue": Style("Churned recurring revenue", MONEY, 0, "churned", 50),
    "revenue_churn_rate": _rate("Recurring revenue lost", "revenue lost"),
    "net_revenue_retention": _rate("Net revenue retention", "retained", 0.1),
    "collected_revenue": Style("Collected revenue", MONEY, 0, "collected", 100),
    "revenue_per_paying_person": Style("Revenue per paying person", MONEY, 1, "per payer", 2),
    "revenue_per_active_person": Style("Revenue per active person", MONEY, 1, "per active person", 2),
    "lifetime_value": Style("Lifetime value of a subscription", MONEY, 0, "lifetime value", 20),
    "expected_payments": Style("Payments still to come", "payments", 1, "to come", 5),
}  # fmt: skip
