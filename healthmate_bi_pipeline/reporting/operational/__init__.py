"""The report on the operation of the pipeline."""
