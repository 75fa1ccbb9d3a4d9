"""How the readings of each device changed from one month to the next."""
# ruff: noqa: E501 - a comment is one line

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = """\
CREATE TABLE bi_device_changes (
    month DATE NOT NULL,
    metric TEXT NOT NULL,
    source TEXT NOT NULL,
    people BIGINT NOT NULL,
    total DOUBLE PRECISION NOT NULL,
    total_squared DOUBLE PRECISION NOT NULL,
    other_people BIGINT NOT NULL,
    other_total DOUBLE PRECISION,
    other_total_squared DOUBLE PRECISION,
    CONSTRAINT bi_device_changes_pkey PRIMARY KEY (month, metric, source)
);

COMMENT ON TABLE bi_device_changes IS 'How people''s own monthly means changed since the month before, by metric and device, beside the same of the people who have only other devices. Of people with 3 readings or more of a device in both months.';

COMMENT ON COLUMN bi_device_changes.month IS 'First day of the later month, wall-clock.';

COMMENT ON COLUMN bi_device_changes.metric IS 'What was measured.';

COMMENT ON COLUMN bi_device_changes.source IS 'The device or program.';

COMMENT ON COLUMN bi_device_changes.people IS 'People of the device. [1]';

COMMENT ON COLUMN bi_device_changes.total IS 'Sum of their changes, in the metric''s unit.';

COMMENT ON COLUMN bi_device_changes.total_squared IS 'Sum of the squares of their changes.';

COMMENT ON COLUMN bi_device_changes.other_people IS 'People who have only other devices. [1]';

COMMENT ON COLUMN bi_device_changes.other_total IS 'Sum of their changes: of a person with several devices the mean of theirs. Null where there is nobody.';

COMMENT ON COLUMN bi_device_changes.other_total_squared IS 'Sum of the squares of their changes; null where there is nobody.';
"""


def upgrade() -> None:
    """Make the table."""
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})
