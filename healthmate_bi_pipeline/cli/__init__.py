"""``healthmate-bi``: one module per command, and what heavy libraries they need is imported when they run."""
