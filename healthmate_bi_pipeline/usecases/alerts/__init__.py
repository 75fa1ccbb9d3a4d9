"""Alerts: judged from the books, kept as episodes, told to channels."""
