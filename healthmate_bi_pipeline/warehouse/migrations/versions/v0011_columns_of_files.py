"""The columns of every file as it came; of files that were read before they are not known."""
# ruff: noqa: E501 - a comment is one line

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = """\
ALTER TABLE bi_ingested_files ADD COLUMN columns JSONB;

COMMENT ON COLUMN bi_ingested_files.columns IS 'Types of its columns as they came, by name; ''untyped'' in CSV and NDJSON. Names that do not look like a column''s stand together as ''?''. Null: read before this was kept.';
"""


def upgrade() -> None:
    """Add the column."""
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})
