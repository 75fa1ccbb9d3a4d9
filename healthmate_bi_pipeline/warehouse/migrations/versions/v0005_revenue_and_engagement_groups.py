"""Finance: recurring revenue and lifetime values; and figures of engagement of groups."""
# ruff: noqa: E501 - a comment is one line

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = """\
CREATE TABLE bi_engagement_groups (
    aggregation_period TEXT NOT NULL,
    period_start TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    period_end TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    stratum TEXT NOT NULL,
    figure TEXT NOT NULL,
    band BIGINT NOT NULL,
    people BIGINT NOT NULL,
    total DOUBLE PRECISION,
    total_squared DOUBLE PRECISION,
    low DOUBLE PRECISION,
    high DOUBLE PRECISION,
    is_complete BOOLEAN NOT NULL,
    state_version BIGINT NOT NULL,
    registry_version BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bi_engagement_groups_pkey PRIMARY KEY (aggregation_period, period_start, stratum, figure, band)
);

COMMENT ON TABLE bi_engagement_groups IS 'Engagement figures of everybody who was active, per period: what reports read of bi_user_engagement_analytics.';

COMMENT ON COLUMN bi_engagement_groups.aggregation_period IS 'hourly, daily, weekly, monthly, quarterly or yearly.';

COMMENT ON COLUMN bi_engagement_groups.period_start IS 'Start of the period, wall-clock time of the person.';

COMMENT ON COLUMN bi_engagement_groups.period_end IS 'End of the period, exclusive, wall-clock time of the person.';

COMMENT ON COLUMN bi_engagement_groups.stratum IS 'The group: ''all''.';

COMMENT ON COLUMN bi_engagement_groups.figure IS 'A column of bi_user_engagement_analytics; ''people'' for anyone who was active.';

COMMENT ON COLUMN bi_engagement_groups.band IS 'Number of the band that the people''s figures lie in; -1 for the whole group.';

COMMENT ON COLUMN bi_engagement_groups.people IS 'People with a value. [1]';

COMMENT ON COLUMN bi_engagement_groups.total IS 'Sum of the people''s figures.';

COMMENT ON COLUMN bi_engagement_groups.total_squared IS 'Sum of their squares.';

COMMENT ON COLUMN bi_engagement_groups.low IS 'Smallest of the people''s figures.';

COMMENT ON COLUMN bi_engagement_groups.high IS 'Largest of the people''s figures.';

COMMENT ON COLUMN bi_engagement_groups.is_complete IS 'The period has ended and late data are no longer waited for.';

COMMENT ON COLUMN bi_engagement_groups.state_version IS 'Hash of the state that the row was made from.';

COMMENT ON COLUMN bi_engagement_groups.registry_version IS 'Version of the definitions that the row follows.';

COMMENT ON COLUMN bi_engagement_groups.created_at IS 'When the row was first written.';

COMMENT ON COLUMN bi_engagement_groups.updated_at IS 'When a figure of the row last changed.';

CREATE TABLE bi_revenue (
    aggregation_period TEXT NOT NULL,
    period_start TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    period_end TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    as_of TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    currency TEXT NOT NULL,
    plan TEXT NOT NULL,
    opening_people BIGINT NOT NULL,
    opening_minor BIGINT,
    new_people BIGINT NOT NULL,
    new_minor BIGINT,
    reactivated_people BIGINT NOT NULL,
    reactivated_minor BIGINT,
    expanded_people BIGINT NOT NULL,
    expansion_minor BIGINT,
    contracted_people BIGINT NOT NULL,
    contraction_minor BIGINT,
    churned_people BIGINT NOT NULL,
    churned_minor BIGINT,
    moved_in_people BIGINT NOT NULL,
    moved_in_minor BIGINT,
    moved_out_people BIGINT NOT NULL,
    moved_out_minor BIGINT,
    closing_people BIGINT NOT NULL,
    closing_minor BIGINT,
    payments BIGINT NOT NULL,
    payers BIGINT NOT NULL,
    paid_minor BIGINT,
    failed_payments BIGINT NOT NULL,
    failing_people BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    refunded_people BIGINT NOT NULL,
    refunded_minor BIGINT,
    events BIGINT NOT NULL,
    events_without_amount BIGINT NOT NULL,
    is_complete BOOLEAN NOT NULL,
    CONSTRAINT bi_revenue_pkey PRIMARY KEY (aggregation_period, period_start, currency, plan)
);

COMMENT ON TABLE bi_revenue IS 'Recurring revenue per period, currency and plan, at the start and the end of the period, and how it moved in between: closing = opening + new + reactivation + expansion + moved_in - contraction - churned - moved_out.';

COMMENT ON COLUMN bi_revenue.aggregation_period IS 'daily, weekly, monthly, quarterly or yearly.';

COMMENT ON COLUMN bi_revenue.period_start IS 'Start of the period, UTC.';

COMMENT ON COLUMN bi_revenue.period_end IS 'End of the period, exclusive, UTC.';

COMMENT ON COLUMN bi_revenue.as_of IS 'The moment that closing figures are of, UTC: the end; of a period that is not complete the end of the last day with data.';

COMMENT ON COLUMN bi_revenue.currency IS 'ISO 4217 code; * counts people and payments over all of them.';

COMMENT ON COLUMN bi_revenue.plan IS 'The plan; * for all of them.';

COMMENT ON COLUMN bi_revenue.opening_people IS 'Subscriptions that ran at the start. [1]';

COMMENT ON COLUMN bi_revenue.opening_minor IS 'MRR at the start. Null over all currencies. [minor unit]';

COMMENT ON COLUMN bi_revenue.new_people IS 'Subscriptions that had never paid before. [1]';

COMMENT ON COLUMN bi_revenue.new_minor IS 'MRR of them. Null over all currencies. [minor unit]';

COMMENT ON COLUMN bi_revenue.reactivated_people IS 'Subscriptions that run again. [1]';

COMMENT ON COLUMN bi_revenue.reactivated_minor IS 'MRR of them. Null over all currencies. [minor unit]';

COMMENT ON COLUMN bi_revenue.expanded_people IS 'Subscriptions that recur more than at the start; 0 over all currencies. [1]';

COMMENT ON COLUMN bi_revenue.expansion_minor IS 'How much more. Null over all currencies. [minor unit]';

COMMENT ON COLUMN bi_revenue.contracted_people IS 'Subscriptions that recur less; 0 over all currencies. [1]';

COMMENT ON COLUMN bi_revenue.contraction_minor IS 'How much less. Null over all currencies. [minor unit]';

COMMENT ON COLUMN bi_revenue.churned_people IS 'Subscriptions that do not run any more. [1]';

COMMENT ON COLUMN bi_revenue.churned_minor IS 'MRR of them at the start. Null over all currencies. [minor unit]';

COMMENT ON COLUMN bi_revenue.moved_in_people IS 'Subscriptions that came from another plan; 0 over all plans. [1]';

COMMENT ON COLUMN bi_revenue.moved_in_minor IS 'MRR of them at the start. Null over all currencies. [minor unit]';

COMMENT ON COLUMN bi_revenue.moved_out_people IS 'Subscriptions that went to another plan; 0 over all plans. [1]';

COMMENT ON COLUMN bi_revenue.moved_out_minor IS 'MRR of them at the start. Null over all currencies. [minor unit]';

COMMENT ON COLUMN bi_revenue.closing_people IS 'Subscriptions that run at as_of. [1]';

COMMENT ON COLUMN bi_revenue.closing_minor IS 'MRR at as_of. Null over all currencies. [minor unit]';

COMMENT ON COLUMN bi_revenue.payments IS 'Payments with an amount above 0 that came in. [1]';

COMMENT ON COLUMN bi_revenue.payers IS 'Different people who made them. [1]';

COMMENT ON COLUMN bi_revenue.paid_minor IS 'What came in. Null over all currencies. [minor unit]';

COMMENT ON COLUMN bi_revenue.failed_payments IS 'Payments that failed. [1]';

COMMENT ON COLUMN bi_revenue.failing_people IS 'Different people whose payments failed. [1]';

COMMENT ON COLUMN bi_revenue.refunds IS 'Refunds. [1]';

COMMENT ON COLUMN bi_revenue.refunded_people IS 'Different people who got one. [1]';

COMMENT ON COLUMN bi_revenue.refunded_minor IS 'What was paid back. Null over all currencies. [minor unit]';

COMMENT ON COLUMN bi_revenue.events IS 'Events of any kind. [1]';

COMMENT ON COLUMN bi_revenue.events_without_amount IS 'Payments and refunds without an amount or a currency: they count nowhere else. [1]';

COMMENT ON COLUMN bi_revenue.is_complete IS 'Late data are no longer waited for.';

CREATE TABLE bi_lifetime_value (
    as_of DATE NOT NULL,
    currency TEXT NOT NULL,
    people BIGINT NOT NULL,
    lifetime_value_minor DOUBLE PRECISION,
    expected_payments DOUBLE PRECISION,
    fitted_people BIGINT NOT NULL,
    alpha DOUBLE PRECISION,
    beta DOUBLE PRECISION,
    gamma DOUBLE PRECISION,
    delta DOUBLE PRECISION,
    is_converged BOOLEAN NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT bi_lifetime_value_pkey PRIMARY KEY (as_of, currency)
);

COMMENT ON TABLE bi_lifetime_value IS 'Residual lifetime value of the subscriptions that run at the start of a month, and at the end of the last day with data, by BG/BB fitted on the payments before.';

COMMENT ON COLUMN bi_lifetime_value.as_of IS 'The moment: the start of this day, UTC.';

COMMENT ON COLUMN bi_lifetime_value.currency IS 'ISO 4217 code.';

COMMENT ON COLUMN bi_lifetime_value.people IS 'Subscriptions that run. [1]';

COMMENT ON COLUMN bi_lifetime_value.lifetime_value_minor IS 'Mean over them of what recurs x expected_payments of each; null where the fit failed. [minor unit]';

COMMENT ON COLUMN bi_lifetime_value.expected_payments IS 'Mean over them of the discounted expected residual transactions (DERT). [1]';

COMMENT ON COLUMN bi_lifetime_value.fitted_people IS 'Subscriptions, of all currencies, that the parameters rest on. [1]';

COMMENT ON COLUMN bi_lifetime_value.alpha IS 'Of the distribution of the probability of paying.';

COMMENT ON COLUMN bi_lifetime_value.beta IS 'See alpha.';

COMMENT ON COLUMN bi_lifetime_value.gamma IS 'Of the distribution of the probability of leaving.';

COMMENT ON COLUMN bi_lifetime_value.delta IS 'See gamma.';

COMMENT ON COLUMN bi_lifetime_value.is_converged IS 'Whether the parameters are a maximum.';

COMMENT ON COLUMN bi_lifetime_value.reason IS 'What speaks for or against it.';
"""


def upgrade() -> None:
    """Make them."""
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})
