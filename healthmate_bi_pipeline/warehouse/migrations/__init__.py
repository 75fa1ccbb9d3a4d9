"""The history of the warehouse's schema, run by Alembic; started from ``warehouse/migration.py``."""
