"""Groups of health have figures of their own: only words change."""
# ruff: noqa: E501 - a comment is one line

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = """\
COMMENT ON COLUMN bi_health_groups.figure IS 'A column of bi_aggregated_health_metrics, or a figure that only groups have, such as activity_minutes_a_week; ''people'' for anyone with a row.';
"""


def upgrade() -> None:
    """Say it."""
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})
