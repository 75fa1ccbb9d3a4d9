"""Retention: receipts of what was deleted, and what the books keep of it."""
# ruff: noqa: E501 - a comment is one line

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = """\
CREATE TABLE bi_retention_receipts (
    receipt_id TEXT NOT NULL,
    object TEXT NOT NULL,
    privacy TEXT NOT NULL,
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    partitions BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    rule TEXT NOT NULL,
    outcome TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    actor TEXT NOT NULL,
    run_id TEXT NOT NULL,
    CONSTRAINT bi_retention_receipts_pkey PRIMARY KEY (receipt_id)
);

COMMENT ON TABLE bi_retention_receipts IS 'What was deleted because its time was over.';

COMMENT ON COLUMN bi_retention_receipts.receipt_id IS 'Unique name of the receipt.';

COMMENT ON COLUMN bi_retention_receipts.object IS 'What: an asset, landing/<dataset>, dagster/runs …';

COMMENT ON COLUMN bi_retention_receipts.privacy IS 'Its class: identified, limited or aggregate.';

COMMENT ON COLUMN bi_retention_receipts.first_day IS 'First day of what was deleted.';

COMMENT ON COLUMN bi_retention_receipts.last_day IS 'Last day of what was deleted, inclusive.';

COMMENT ON COLUMN bi_retention_receipts.partitions IS 'Partitions, files or runs.';

COMMENT ON COLUMN bi_retention_receipts.rows IS 'Rows, lines or events.';

COMMENT ON COLUMN bi_retention_receipts.bytes IS 'How much they took up, indexes apart. [By]';

COMMENT ON COLUMN bi_retention_receipts.rule IS 'How long it was to be kept.';

COMMENT ON COLUMN bi_retention_receipts.outcome IS 'started, or done when nothing is left of it.';

COMMENT ON COLUMN bi_retention_receipts.started_at IS 'When it was decided; nothing counts any more from then on.';

COMMENT ON COLUMN bi_retention_receipts.done_at IS 'When nothing was left of it.';

COMMENT ON COLUMN bi_retention_receipts.actor IS 'Who: an operating system''s user or a Dagster run.';

COMMENT ON COLUMN bi_retention_receipts.run_id IS 'The run that did it.';

ALTER TABLE bi_partitions ADD COLUMN removed_at TIMESTAMP WITH TIME ZONE, ADD COLUMN removed JSONB;

COMMENT ON COLUMN bi_partitions.removed_at IS 'When its rows were deleted because their time was over; the rest tells what it held. Null: it is there.';

COMMENT ON COLUMN bi_partitions.removed IS 'For raw days: the counts that were deleted, and the last file among them.';

COMMENT ON COLUMN bi_ingested_file_days.rows IS 'Rows of the file on that day; below zero: rows that were deleted because their time was over, under the name of their receipt.';
"""


def upgrade() -> None:
    """Make them."""
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})
