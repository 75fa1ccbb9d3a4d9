"""Reports: what each type is made from, and how files, index and books are written."""
