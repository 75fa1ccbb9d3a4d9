"""Restatements: which figures of complete periods became others, why, and which reports held the old ones."""
# ruff: noqa: E501 - a comment is one line

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = """\
CREATE TABLE bi_restatements (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    run_id TEXT NOT NULL,
    asset TEXT NOT NULL,
    table_name TEXT NOT NULL,
    aggregation_period TEXT NOT NULL,
    period_start TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    subject TEXT NOT NULL,
    figure TEXT NOT NULL,
    rows BIGINT NOT NULL,
    old_value DOUBLE PRECISION,
    new_value DOUBLE PRECISION,
    cause TEXT NOT NULL,
    files TEXT[] NOT NULL,
    reports TEXT[],
    CONSTRAINT bi_restatements_pkey PRIMARY KEY (id)
);

CREATE INDEX bi_restatements_asset ON bi_restatements (asset, period_start);

COMMENT ON TABLE bi_restatements IS 'Which figure of a complete period became another one, from what to what, why, and which reports held the old one. Of people''s rows and of hours: how many changed, without values.';

COMMENT ON COLUMN bi_restatements.id IS 'Order of the entries.';

COMMENT ON COLUMN bi_restatements.at IS 'When.';

COMMENT ON COLUMN bi_restatements.run_id IS 'The run that made the period again.';

COMMENT ON COLUMN bi_restatements.asset IS 'What was made: health_metrics/daily.';

COMMENT ON COLUMN bi_restatements.table_name IS 'The table that holds the figure.';

COMMENT ON COLUMN bi_restatements.aggregation_period IS 'hourly, daily, weekly, monthly, quarterly or yearly.';

COMMENT ON COLUMN bi_restatements.period_start IS 'Start of the period.';

COMMENT ON COLUMN bi_restatements.subject IS 'Whose figure: the stratum, the feature, or service, environment, instance and route; empty for people.';

COMMENT ON COLUMN bi_restatements.figure IS 'Which figure.';

COMMENT ON COLUMN bi_restatements.rows IS 'How many rows have another value of it now.';

COMMENT ON COLUMN bi_restatements.old_value IS 'What it was; null where it was not there, and of people.';

COMMENT ON COLUMN bi_restatements.new_value IS 'What it is now; null where it is no more, and of people.';

COMMENT ON COLUMN bi_restatements.cause IS 'late rows, requeued rows, new definition, or other (settings, records of people, a state made again).';

COMMENT ON COLUMN bi_restatements.files IS 'Hashes of the files whose rows came late.';

COMMENT ON COLUMN bi_restatements.reports IS 'Reports that were written from the old figure; null until they were looked up.';
"""


def upgrade() -> None:
    """Make them."""
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})
