"""The registry of finance: what the figures of revenue mean, and how money is counted.

What recurring revenue and its movements are stands in ``domain/revenue``. A figure of money is told per currency,
never over several: its name then has the currency behind it, ``monthly_recurring_revenue:EUR``.
"""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.figures import Figure
from healthmate_bi_pipeline.domain.period import Period

REGISTRY_VERSION = 1
"""Raised with every change of a figure's meaning; what was made by the old one is then stale."""

MONEY = "currency"
"""The unit of a figure of money: whole units (euro, not cent) of the currency that stands behind its name."""

EVERYTHING = "*"
"""Stands for all plans, and for all currencies where people and payments are counted."""

UNKNOWN_PLAN = "unknown"
"""The plan of events that name none."""

FAILED_PAYMENT_LIMIT = 0.05
"""More failed payments than this share of those that were tried are told as a fact; own."""

_DECIMALS: dict[str, int] = {
    **dict.fromkeys(
        (
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
            "XOF", "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}  # fmt: skip


def minor_units(currency: str) -> int:
    """How many of the smallest unit make one of the currency (ISO 4217).

    >>> minor_units("EUR"), minor_units("JPY"), minor_units("KWD")
    (100, 1, 1000)
    """
    return int(10 ** _DECIMALS.get(currency, 2))


_BGBB = "BG/BB, Fader, Hardie & Shang 2010, Marketing Science 29:1086"
_OWN = "own, see domain/revenue"


def _count(name: str, description: str) -> Figure:
    return Figure(name, Type.INTEGER, description, "1", source=_OWN, shortest=Period.DAILY)


def _rate(name: str, description: str) -> Figure:
    return Figure(name, Type.NUMBER, description, "1", source=_OWN, shortest=Period.DAILY)


def _money(name: str, description: str, *, source: str = _OWN) -> Figure:
    return Figure(name, Type.NUMBER, description, MONEY, source=source, shortest=Period.DAILY)


FINANCE_FIGURES: tuple[Figure, ...] = (
    _count("paying_people", "People with a subscription that runs at the end of the period."),
    _rate(
        "paying_share",
        "People with a running subscription at the end of the period / people who were active in the app in it.",
    ),
    _rate(
        "paying_people_churn_rate",
        "People whose subscription ran at the start of the period and does not at its end / people whose ran at the"
        " start.",
    ),
    _rate(
        "failed_payment_share",
        "Payments that failed / payments that were tried: those that failed and those that came in.",
    ),
    _rate("refund_rate", "Refunds / payments that came in, by number."),
    _money(
        "monthly_recurring_revenue",
        "MRR: what recurs per 30 days of all subscriptions that run at the end of the period: paid for, and neither"
        " cancelled nor more than 37 days without a payment.",
    ),
    _rate(
        "paying_people_growth", "People with a running subscription at the end of the period / those at its start, minus 1."
    ),
    _rate("recurring_revenue_growth", "MRR at the end of the period / MRR at its start, minus 1."),
    _money("new_revenue", "MRR at the end of subscriptions that had never paid before the period."),
    _money("reactivation_revenue", "MRR at the end of subscriptions that had paid before, and did not run at its start."),
    _money("expansion_revenue", "What subscriptions that ran at both ends recur more: a dearer plan or a higher price."),
    _money("contraction_revenue", "What subscriptions that ran at both ends recur less."),
    _money("churned_revenue", "MRR at the start of subscriptions that do not run at the end."),
    _rate("revenue_churn_rate", "Churned / MRR at the start of the period."),
    _rate(
        "net_revenue_retention", "(MRR at the start + expansion - contraction - churned) / MRR at the start of the period."
    ),
    _money("collected_revenue", "Payments that came in minus refunds."),
    _money("revenue_per_paying_person", "Payments that came in minus refunds / people who paid in the period."),
    _money(
        "revenue_per_active_person",
        "Payments that came in minus refunds, of one currency, / all people who were active in the app in the period,"
        " whatever they pay in: of several currencies each is a part that stands beside the others.",
    ),
    _money(
        "lifetime_value",
        "Residual value of a running subscription: what recurs x the discounted expected number of its future payments,"
        " mean over subscriptions. Opportunities are the 30 days around each date on which a payment is due.",
        source=_BGBB,
    ),
    Figure(
        "expected_payments", Type.NUMBER,
        "Discounted expected residual transactions (DERT): future payments of a running subscription at their present"
        " value, mean over subscriptions.",
        "1", source=_BGBB,
    ),
)  # fmt: skip

FINANCE_FIGURE_BY_NAME = {figure.name: figure for figure in FINANCE_FIGURES}
