"""What checks found, and alerts; runs are found by when they began."""
# ruff: noqa: E501 - a comment is one line

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = """\
CREATE INDEX bi_pipeline_runs_started_at ON bi_pipeline_runs (started_at);

CREATE TABLE bi_check_results (
    asset TEXT NOT NULL,
    check_name TEXT NOT NULL,
    "window" TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    verdict TEXT NOT NULL,
    severity TEXT NOT NULL,
    wrong BIGINT,
    "of" BIGINT,
    counts JSONB,
    days JSONB NOT NULL,
    run_id TEXT NOT NULL,
    CONSTRAINT bi_check_results_pkey PRIMARY KEY (asset, check_name, "window", since)
);

COMMENT ON TABLE bi_check_results IS 'What checks found: the last result of each asset, check and days, and every change of its verdict before.';

COMMENT ON COLUMN bi_check_results.asset IS 'Name of the asset, as in the graph: raw/health_readings.';

COMMENT ON COLUMN bi_check_results.check_name IS 'What was checked.';

COMMENT ON COLUMN bi_check_results."window" IS 'The days that were looked at; empty for all.';

COMMENT ON COLUMN bi_check_results.since IS 'When this verdict was first found.';

COMMENT ON COLUMN bi_check_results.at IS 'When it was last found.';

COMMENT ON COLUMN bi_check_results.verdict IS 'passed, failed, not applicable or error (could not be made).';

COMMENT ON COLUMN bi_check_results.severity IS 'How grave it is if it failed: info, warning or critical.';

COMMENT ON COLUMN bi_check_results.wrong IS 'Rows that are not as they should be; null for an error.';

COMMENT ON COLUMN bi_check_results."of" IS 'Rows that were looked at; null for an error.';

COMMENT ON COLUMN bi_check_results.counts IS 'More figures, by name; null for an error.';

COMMENT ON COLUMN bi_check_results.days IS 'First days of the partitions that are not as they should be.';

COMMENT ON COLUMN bi_check_results.run_id IS 'The run that found it last.';

CREATE TABLE bi_alerts (
    fingerprint TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity TEXT NOT NULL,
    summary TEXT NOT NULL,
    counts JSONB NOT NULL,
    page TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    cleared_at TIMESTAMP WITH TIME ZONE,
    resolved_at TIMESTAMP WITH TIME ZONE,
    returns BIGINT NOT NULL,
    told JSONB NOT NULL,
    CONSTRAINT bi_alerts_pkey PRIMARY KEY (fingerprint, opened_at)
);

COMMENT ON TABLE bi_alerts IS 'Alerts from their beginning to their end, and which channel was told what of them.';

COMMENT ON COLUMN bi_alerts.fingerprint IS 'Its name: the kind and the subject, as run:raw/users.';

COMMENT ON COLUMN bi_alerts.opened_at IS 'When it was found.';

COMMENT ON COLUMN bi_alerts.kind IS 'run, check, incident, overdue, silence or channel.';

COMMENT ON COLUMN bi_alerts.subject IS 'What it is about.';

COMMENT ON COLUMN bi_alerts.severity IS 'info, warning or critical.';

COMMENT ON COLUMN bi_alerts.summary IS 'What is not as it should be.';

COMMENT ON COLUMN bi_alerts.counts IS 'Figures of it, by name.';

COMMENT ON COLUMN bi_alerts.page IS 'Where it is seen, below the address of Dagster''s UI.';

COMMENT ON COLUMN bi_alerts.due_at IS 'From when on it is told: some may pass by themselves.';

COMMENT ON COLUMN bi_alerts.last_seen_at IS 'When it was last so.';

COMMENT ON COLUMN bi_alerts.cleared_at IS 'Since when it is no longer so; it may come back.';

COMMENT ON COLUMN bi_alerts.resolved_at IS 'When it had been away for long enough to be over.';

COMMENT ON COLUMN bi_alerts.returns IS 'How often it was away and came back.';

COMMENT ON COLUMN bi_alerts.told IS 'Per channel when it was last told, how grave it was then, and whether that it is over.';
"""


def upgrade() -> None:
    """Make them."""
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})
