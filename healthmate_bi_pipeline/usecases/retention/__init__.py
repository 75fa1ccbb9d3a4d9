"""Retention: what is past its time is deleted, with a receipt, and whoever is killed in between goes on later.

``deleting.py`` is the way in. What may go is found by the books and by what lies there; how it goes differs: figures in
one transaction with books and receipt (``figures.py``), rows of the lake (``lake_rows.py``) and reports
(``reports.py``) after a receipt that says ``started``.
"""
