"""The report on system performance."""
