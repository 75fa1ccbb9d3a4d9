"""The report on compliance and data quality."""
