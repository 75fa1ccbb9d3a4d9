"""From tables to tables: Ibis expressions, pure functions, no input and no output."""
