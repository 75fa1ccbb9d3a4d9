"""Fitbit's export: a folder of CSV files → landing files.

``formats`` knows the files by their headers, ``lines`` splits them, ``values`` reads times and numbers,
``mapping`` turns lines into rows of our datasets, ``merging`` joins what is told in several places, and
``importing`` holds it together. Nothing is judged here that the ordinary ingest judges (limits, signs, dates
in the future): a row whose parts can be read goes to landing as it is.
"""

from healthmate_bi_pipeline.sources.fitbit.importing import import_fitbit

__all__ = ["import_fitbit"]
