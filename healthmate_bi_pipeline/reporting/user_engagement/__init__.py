"""The report on user engagement: who uses the app, how often, what of it, and who stays."""
