"""The lake: Delta tables, the first day, and the engine that computes over their files."""
