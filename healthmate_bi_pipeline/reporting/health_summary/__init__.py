"""The health summary: how the people are, and how good the data are."""
