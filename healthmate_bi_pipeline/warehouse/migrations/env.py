"""Alembic's entry: runs the steps on the connection that ``migration.py`` hands over."""

from __future__ import annotations

from alembic import context

from healthmate_bi_pipeline.warehouse.migration import VERSION_TABLE

# One transaction for all steps, the caller's: a database is at a version or at the one before.
context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=False,
)
context.run_migrations()
