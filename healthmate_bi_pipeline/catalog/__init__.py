"""Declarations, no behaviour: what is read, what is kept, what figures mean.

To add a column, a metric, a rule or a table, add a line here; schemas, checks, comments and documentation
follow from it.
"""
