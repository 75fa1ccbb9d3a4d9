"""One module a step. Steps are never changed once released: they hold their statements as text."""
