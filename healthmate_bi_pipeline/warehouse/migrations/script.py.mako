"""${message}"""

from __future__ import annotations

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}

STATEMENTS = """\
"""


def upgrade() -> None:
    """Make it."""
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})
