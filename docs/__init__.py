"""The documentation, and what writes the pages of it that come from the catalog."""
