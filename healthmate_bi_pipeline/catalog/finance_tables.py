"""The warehouse's tables of finance. All their times are UTC; amounts are in the smallest unit of the currency."""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Column, PrivacyClass, Table, Type

_CURRENCY = Column(
    "currency", Type.TEXT, "ISO 4217 code; * counts people and payments over all of them.", is_nullable=False
)


def _people(name: str, description: str) -> Column:
    return Column(name, Type.INTEGER, description, "1", is_nullable=False)


def _minor(name: str, description: str) -> Column:
    return Column(name, Type.INTEGER, f"{description} Null over all currencies.", "minor unit")


REVENUE = Table(
    "bi_revenue",
    "Recurring revenue per period, currency and plan, at the start and the end of the period, and how it moved in"
    " between: closing = opening + new + reactivation + expansion + moved_in - contraction - churned - moved_out.",
    (
        Column("aggregation_period", Type.TEXT, "daily, weekly, monthly, quarterly or yearly.", is_nullable=False),
        Column("period_start", Type.TIMESTAMP, "Start of the period, UTC.", is_nullable=False),
        Column("period_end", Type.TIMESTAMP, "End of the period, exclusive, UTC.", is_nullable=False),
        Column(
            "as_of", Type.TIMESTAMP,
            "The moment that closing figures are of, UTC: the end; of a period that is not complete the end of the last"
            " day with data.",
            is_nullable=False,
        ),
        _CURRENCY,
        Column("plan", Type.TEXT, "The plan; * for all of them.", is_nullable=False),
        _people("opening_people", "Subscriptions that ran at the start."),
        _minor("opening_minor", "MRR at the start."),
        _people("new_people", "Subscriptions that had never paid before."),
        _minor("new_minor", "MRR of them."),
        _people("reactivated_people", "Subscriptions that run again."),
        _minor("reactivated_minor", "MRR of them."),
        _people("expanded_people", "Subscriptions that recur more than at the start; 0 over all currencies."),
        _minor("expansion_minor", "How much more."),
        _people("contracted_people", "Subscriptions that recur less; 0 over all currencies."),
        _minor("contraction_minor", "How much less."),
        _people("churned_people", "Subscriptions that do not run any more."),
        _minor("churned_minor", "MRR of them at the start."),
        _people("moved_in_people", "Subscriptions that came from another plan; 0 over all plans."),
        _minor("moved_in_minor", "MRR of them at the start."),
        _people("moved_out_people", "Subscriptions that went to another plan; 0 over all plans."),
        _minor("moved_out_minor", "MRR of them at the start."),
        _people("closing_people", "Subscriptions that run at as_of."),
        _minor("closing_minor", "MRR at as_of."),
        _people("payments", "Payments with an amount above 0 that came in."),
        _people("payers", "Different people who made them."),
        _minor("paid_minor", "What came in."),
        _people("failed_payments", "Payments that failed."),
        _people("failing_people", "Different people whose payments failed."),
        _people("refunds", "Refunds."),
        _people("refunded_people", "Different people who got one."),
        _minor("refunded_minor", "What was paid back."),
        _people("events", "Events of any kind."),
        _people("events_without_amount", "Payments and refunds without an amount or a currency: they count nowhere else."),
        Column("is_complete", Type.BOOLEAN, "Late data are no longer waited for.", is_nullable=False),
    ),
    key=("aggregation_period", "period_start", "currency", "plan"),
    privacy=PrivacyClass.LIMITED,
)  # fmt: skip

LIFETIME_VALUE = Table(
    "bi_lifetime_value",
    "Residual lifetime value of the subscriptions that run at the start of a month, and at the end of the last day with"
    " data, by BG/BB fitted on the payments before.",
    (
        Column("as_of", Type.DATE, "The moment: the start of this day, UTC.", is_nullable=False),
        Column("currency", Type.TEXT, "ISO 4217 code.", is_nullable=False),
        _people("people", "Subscriptions that run."),
        Column(
            "lifetime_value_minor", Type.NUMBER,
            "Mean over them of what recurs x expected_payments of each; null where the fit failed.", "minor unit",
        ),
        Column(
            "expected_payments", Type.NUMBER,
            "Mean over them of the discounted expected residual transactions (DERT).", "1",
        ),
        _people("fitted_people", "Subscriptions, of all currencies, that the parameters rest on."),
        Column("alpha", Type.NUMBER, "Of the distribution of the probability of paying."),
        Column("beta", Type.NUMBER, "See alpha."),
        Column("gamma", Type.NUMBER, "Of the distribution of the probability of leaving."),
        Column("delta", Type.NUMBER, "See gamma."),
        Column("is_converged", Type.BOOLEAN, "Whether the parameters are a maximum.", is_nullable=False),
        Column("reason", Type.TEXT, "What speaks for or against it.", is_nullable=False),
    ),
    key=("as_of", "currency"),
    privacy=PrivacyClass.LIMITED,
)  # fmt: skip

FINANCE_TABLES: tuple[Table, ...] = (REVENUE, LIFETIME_VALUE)
